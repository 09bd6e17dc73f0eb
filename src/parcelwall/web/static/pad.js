// The code pad: a digit shows at once in its place, for a second, then a dot; the last digit sends itself.
// Digits live in `typed` for seconds and are forgotten when sent. Keys act on touch, as a keypad does.
(() => {
  const SHOWN_MS = 1000, IDLE_MS = 30000, LIT_MS = 150, STEADY_MS = 500, ANSWER_MS = 4000, ASKED_MS = 20000;
  const COVERS = ["help", "look", "more-time"]; // what was typed before them is there after them
  let typed = "", typedFor = "", sent = false, touched = false, fresh = -1, last = { key: "", at: 0 }, hide = 0, idle = 0;
  const pad = () => document.querySelector("[data-pad]");
  const purpose = (at) => `${at.closest("form").action} ${at.dataset.pad}`; // screens share one node for their pads

  function draw() {
    const at = pad();
    if (!at) { if (sent || !COVERS.includes(document.querySelector("main")?.dataset.screen)) { typed = ""; sent = false; } return; }
    if (typed && !sent && typedFor !== purpose(at)) { typed = ""; fresh = -1; }
    const slots = at.querySelectorAll("[data-slot]");
    slots.forEach((slot, i) => {
      const plain = i === fresh || slot.dataset.slot === "plain";
      slot.textContent = i < typed.length ? (plain && !sent ? typed[i] : "\u2022") : "";
      slot.classList.toggle("slot-next", i === typed.length && !sent);
    });
    const words = at.querySelector("[data-count]");
    if (words) words.textContent = words.dataset.count.replace("{n}", typed.length).replace("{places}", slots.length);
  }

  function send(at) {
    const body = new URLSearchParams(), form = at.closest("form");
    form.querySelectorAll("input[type=hidden]").forEach((kept) => body.set(kept.name, kept.value));
    let from = 0;
    for (const field of at.dataset.pad.split(" ")) {
      const [name, places] = field.split(":");
      body.set(name, typed.slice(from, from + Number(places)));
      from += Number(places);
    }
    typed = "\u2022".repeat(typed.length);
    sent = true;
    setTimeout(() => { if (sent) { sent = false; clear(); } }, ANSWER_MS);
    fetch(form.action, { method: "POST", body }).catch(() => { sent = false; typed = ""; draw(); });
  }

  function clear() { typed = ""; fresh = -1; draw(); }

  // Half a code is forgotten when nobody touches anything, after the same question as on every other screen.
  function wait() {
    clearTimeout(idle);
    if (typed && !sent) idle = setTimeout(ask, IDLE_MS);
  }

  function ask() {
    idle = setTimeout(clear, ASKED_MS);
    document.dispatchEvent(new Event("half-typed"));
  }

  function press(key) {
    const at = pad(), now = Date.now();
    if (!at || sent) return;
    if (at.dataset.steady && key === last.key && now - last.at < STEADY_MS) return;
    last = { key, at: now };
    typedFor = purpose(at);
    const places = at.querySelectorAll("[data-slot]").length;
    clearTimeout(hide);
    if (key === "clear") typed = "";
    else if (key === "erase") typed = typed.slice(0, -1);
    else if (typed.length < places) typed += key;
    fresh = key.length === 1 ? typed.length - 1 : -1;
    if (typed.length === places) send(at);
    draw();
    hide = setTimeout(() => { fresh = -1; draw(); }, SHOWN_MS);
    wait();
  }

  function light(button) {
    button.classList.add("key-down");
    setTimeout(() => button.classList.remove("key-down"), LIT_MS);
  }

  document.addEventListener("pointerdown", (event) => {
    wait();
    const button = event.target.closest?.("[data-key]");
    if (!button) return;
    touched = true;
    light(button);
    press(button.dataset.key);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-key]");
    if (button && !touched) press(button.dataset.key);
    touched = false;
  });
  document.addEventListener("keydown", (event) => {
    wait();
    if (event.repeat || event.target.matches?.("input, textarea")) return;
    if (/^[0-9\u0660-\u0669\u06F0-\u06F9]$/.test(event.key)) press(String(event.key.charCodeAt() & 15)); // 0, \u0660, \u06F0
    if (event.key === "Backspace") press("erase");
  });
  document.addEventListener("htmx:sse:after:message", () => {
    if (sent) { sent = false; typed = ""; fresh = -1; }
    draw();
  });
})();

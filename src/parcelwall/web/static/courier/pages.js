// The courier's pages: what each part does when it is there. Words come with the page.
(() => {
  const find = (name, within = document) => within.querySelector(`[data-${name}]`);
  const each = (name, what) => document.querySelectorAll(`[data-${name}]`).forEach(what);
  const EACH_MS = 400, LABEL_MS = 4000;
  let looking = null, gathering = new Gathering(), lastLabel = "";

  // One polite sentence at a time, and the same where it can be seen.
  function say(words, refused = false) {
    const shown = find("said");
    if (!shown) return;
    shown.hidden = false;
    shown.classList.toggle("said-no", refused);
    find("said-words").textContent = words;
  }

  // A page that was kept gives way to the hub's as soon as there is a signal; one that somebody types in stays.
  const isKept = () => find("as-of") && document.body.hasAttribute("data-saved");

  async function badges() {
    if (isKept() && outbox.online()) return location.reload();
    const online = outbox.online(), entries = await outbox.mine();
    const waiting = entries.filter((entry) => entry.state === "waiting").length;
    const needs = entries.filter((entry) => entry.state === "refused").length;
    each("online", (part) => { part.hidden = !online; });
    each("offline", (part) => { part.hidden = online; });
    each("waiting", (part) => { part.textContent = waiting + needs; });
    each("waiting-badge", (part) => { part.classList.toggle("badge-on", waiting + needs > 0); });
    list(entries);
    noted(entries);
    first(entries);
    carried(entries);
    leaving(waiting + needs);
  }

  // Who signs out with notes that nobody has hears so first: with the second touch they go.
  function leaving(notes) {
    const form = find("leave");
    if (form) form.onsubmit = (sent) => {
      if (!notes || form.dataset.warned) return;
      sent.preventDefault();
      form.dataset.warned = "1";
      say(form.dataset.leave, true);
    };
  }

  // The outbox page: newest first, nothing can be taken out.
  function list(entries) {
    const shown = find("entries");
    if (!shown) return;
    find("no-entries").hidden = entries.length > 0;
    const known = entries.map((entry) => entry.id + entry.state).join();
    if (shown.dataset.known === known) return; // what somebody is about to touch stays
    shown.dataset.known = known;
    shown.replaceChildren(...entries.reverse().map((entry) => {
      const row = find("entry-template").content.cloneNode(true);
      const texts = find("entry-template").dataset;
      row.querySelector("[data-what]").textContent = texts[entry.body.what ?? entry.kind] ?? entry.kind;
      row.querySelector("[data-state]").textContent = [texts[entry.state], entry.words].filter(Boolean).join(" ");
      row.querySelector("[data-at]").textContent = new Date(entry.made_at).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
      row.querySelector("li").classList.toggle("entry-no", entry.state === "refused");
      row.querySelector("li").dataset.id = entry.id;
      acts(row, entry);
      return row;
    }));
  }

  // What the hub has refused is sent again, once something has changed, or was read.
  function acts(row, entry) {
    row.querySelector("[data-acts]").hidden = entry.state !== "refused";
    row.querySelector("[data-again]").addEventListener("click", () => outbox.again(entry));
    row.querySelector("[data-seen]").addEventListener("click", () => outbox.seen(entry));
  }

  // The carry page: what is on board, and what the hub has answered.
  async function carried(entries) {
    const shown = find("answers");
    if (!shown) return;
    find("on-board").textContent = entries.filter((entry) => entry.kind === "carried" && entry.state === "waiting").length;
    const answers = (await outbox.all("answers")).filter((answer) => answer.courier === outbox.me());
    find("no-answers").hidden = answers.length > 0;
    const known = [...shown.children].map((part) => part.dataset.key).join();
    if (known === answers.map((answer) => answer.station + answer.came_at).join()) return;
    shown.replaceChildren(...answers.map((answer) => {
      const part = find("answer-template").content.cloneNode(true), item = part.querySelector("li");
      item.dataset.key = answer.station + answer.came_at;
      item.querySelector("[data-name]").textContent = answer.name || answer.station;
      item.querySelector("[data-show]").addEventListener("click", () => loop(answer.sheets));
      item.querySelector("[data-shown]").addEventListener("click", async () => { await outbox.drop("answers", answer.station); quiet(); badges(); });
      return part;
    }));
  }

  let turning = 0, awake = null;
  function quiet() {
    clearInterval(turning);
    find("code").hidden = true;
    awake?.then((lock) => lock?.release());
    awake = null;
  }

  // Codes for the reader, one after the other for as long as they are looked at.
  async function loop(texts) {
    let at = 0;
    const canvas = find("canvas");
    const next = () => camera.draw(canvas, texts[at++ % texts.length]);
    quiet();
    await next();
    find("code").hidden = false;
    find("code").scrollIntoView({ block: "center" });
    awake = navigator.wakeLock?.request("screen").catch(() => null); // a phone that goes dark shows no code
    if (texts.length > 1) turning = setInterval(next, EACH_MS);
  }

  // What was read or typed: a screen's challenge, a frame of a bundle, or a label.
  async function read(text) {
    if (text.startsWith("PWC:")) return answer(text);
    if (text.startsWith("PWB:")) return frame(text);
    if (text.startsWith("PW1:")) return null;
    return label(text);
  }

  async function answer(challenge) {
    if (challenge === lastLabel) return;
    lastLabel = challenge;
    const shown = await phone.answer(challenge).catch(() => "");
    if (!shown) return say(find("scan").dataset.noWord, true);
    say(find("scan").dataset.answer);
    loop([shown]);
  }

  async function frame(text) {
    const before = gathering.have, whole = gathering.take(text), scan = find("scan");
    if (!whole && gathering.have !== before) say(scan.dataset.frames.replace("{have}", gathering.have).replace("{of}", gathering.of));
    if (!whole) return;
    const bundle = base64(whole), known = (await outbox.mine()).some((entry) => entry.body.bundle === bundle);
    if (!known) await outbox.add("carried", { bundle }).catch((cause) => { gathering = new Gathering(); failed(cause); });
    say(scan.dataset.carried);
  }

  async function label(text) {
    const plain = text.replace(/\s/g, "").replace(/[٠-٩۰-۹]/g, (digit) => digit.charCodeAt() & 15).toUpperCase().slice(0, 64), scan = find("scan");
    if (!plain || plain === lastLabel) return;
    lastLabel = plain;
    // Of what stop is said by the address: where the hub is slow, a page is shown that was kept of another stop, or of none.
    const station = new URLSearchParams(location.search).get("station") ?? "";
    find("problem-link").href = `/courier/problem?station=${encodeURIComponent(station)}#${encodeURIComponent(plain)}`;
    find("problem-link").hidden = false;
    const told = await outbox.post("/courier/label", { label: plain, station }, LABEL_MS);
    if (told) return say(`${told.heading}. ${told.line}`.replace(/\. $/, "."), told.refused);
    const labels = scan.dataset.station === station ? JSON.parse(scan.dataset.labels || "{}") : {};
    const known = labels[plain] ?? labels[plain.replace(/\x1d|^\](?:C1|C0|D2|Q3)/g, "").replace(/^(?:\(00\)|00(?=\d{18}$))/, "")];
    say((known ? scan.dataset.here : scan.dataset.later).replace("{size}", known?.[0] ?? "").replace("{ending}", known?.[1] ?? ""), !known);
  }

  // What the phone's disk does not take is not noted, and whoever waits for it hears that.
  function failed(cause) {
    say(find("said").dataset.failed, true);
    throw cause;
  }

  async function look() {
    const scan = find("scan");
    find("look").hidden = true;
    try {
      looking = await camera.look(find("video"), read, lookAway);
      find("video").hidden = false;
      find("torch").hidden = !looking.torch;
      find("torch").setAttribute("aria-pressed", "false");
    } catch {
      find("look").hidden = false;
      say(scan.dataset.noCamera, true);
    }
  }

  // Nobody looks any more: the button stands there as at the beginning, also when the page comes back as it was.
  function lookAway() {
    looking?.stop();
    looking = null;
    find("video").hidden = find("torch").hidden = true;
    find("look").hidden = false;
  }

  function light() {
    const lit = find("torch").getAttribute("aria-pressed") !== "true";
    looking?.torch(lit);
    find("torch").setAttribute("aria-pressed", lit);
  }

  function scanning() {
    if (!find("scan")) return;
    find("look").addEventListener("click", look);
    find("torch").addEventListener("click", light);
    find("typed").addEventListener("submit", (sent) => {
      sent.preventDefault();
      lastLabel = "";
      read(find("typed").elements.label.value.trim());
    });
    addEventListener("pagehide", lookAway);
  }

  function problem() {
    const form = find("problem");
    if (!form) return;
    const at = new URLSearchParams(location.search).get("station");
    if (at) form.elements.station.value = at;
    form.elements.label.value = decodeURIComponent(location.hash.slice(1));
    form.addEventListener("submit", async (sent) => {
      sent.preventDefault();
      const button = form.querySelector("button");
      if (button.disabled) return;
      button.disabled = true; // a photo takes its time
      await report(form).catch(failed).finally(() => { button.disabled = false; });
    });
  }

  async function report(form) {
    const [file] = form.elements.photo.files, fields = new FormData(form);
    const body = { station: fields.get("station"), what: fields.get("what"), label: fields.get("label").trim() };
    if (file) body.photo = await camera.photo(file).catch(() => undefined);
    await outbox.add("problem", body);
    form.reset();
    const without = file && !body.photo;
    say(without ? form.dataset.noPhoto : form.dataset.noted, without);
  }

  const today = (at) => new Date(at).toDateString() === new Date().toDateString();
  const isOf = (gone) => ({ state, made_at, body }) => !["refused", "seen"].includes(state) && body.what === "not_there" && body.station === gone.dataset.station && body.label === gone.dataset.notThere && today(made_at);

  // What was reported today is not reported once more: neither after a reload nor when the stream has drawn it anew.
  function noted(entries) {
    each("not-there", (gone) => { gone.disabled = entries.some(isOf(gone)); });
  }

  // What is gone is reported with one tap.
  document.addEventListener("click", async (tap) => {
    const gone = tap.target.closest("[data-not-there]");
    if (!gone) return;
    gone.disabled = true;
    const body = { station: gone.dataset.station, what: "not_there", label: gone.dataset.notThere };
    if (!(await outbox.mine()).some(isOf(gone))) await outbox.add("problem", body).catch((cause) => { gone.disabled = false; failed(cause); });
    say(gone.dataset.noted);
  });

  // Stops that come before this one, until the phone has noted why not. What is but a question is asked once a day. A
  // page that was kept of another stop asks nothing.
  const goneOn = ({ first, day }) => `gone on ${first} ${day}`;
  function first(entries) {
    const asked = find("first"), at = new URLSearchParams(location.search).get("station");
    if (!asked) return;
    const passed = entries.filter(({ kind, state, body }) => kind === "passed" && !["refused", "seen"].includes(state) && body.day === asked.dataset.day);
    each("comes", (row) => { row.hidden = passed.some(({ body }) => body.station === row.dataset.comes); });
    const left = [...asked.querySelectorAll("[data-comes]:not([hidden])")], must = left.some((row) => "must" in row.dataset);
    find("go-on").hidden = must;
    document.body.toggleAttribute("data-past", !left.length || at && at !== asked.dataset.first || !must && sessionStorage.getItem(goneOn(asked.dataset)) !== null);
  }

  document.addEventListener("click", async ({ target }) => {
    const pass = target.closest("[data-pass]"), asked = find("first");
    if (target.closest("[data-go-on]")) {
      sessionStorage.setItem(goneOn(asked.dataset), "");
      badges();
    } else if (pass) {
      const body = { station: pass.closest("[data-comes]").dataset.comes, day: asked.dataset.day, why: pass.dataset.pass };
      await outbox.add("passed", body).catch(failed);
    }
  });

  // The pages of all stops of the round, for where there is no signal. A worker that takes over is told anew.
  async function keepStops() {
    const workers = navigator.serviceWorker;
    if (!workers) return;
    const urls = [...document.querySelectorAll("[data-keep]")].flatMap((part) => part.dataset.keep.split(" "));
    const tell = async () => (await workers.ready).active.postMessage({ keep: urls });
    if (workers.controller) workers.addEventListener("controllerchange", tell);
    workers.addEventListener("message", ({ data }) => { if (data.newer && isKept()) location.reload(); });
    await workers.register("/courier/sw.js", { scope: "/courier" }).catch(() => 0);
    await tell();
  }

  // Nobody finds pages of whoever was signed in before: what is signed out has come here, and before somebody is signed
  // in it is done. The recipient's pages in the same browser are not touched.
  async function forget() {
    for (const name of await window.caches?.keys() ?? []) if (name.startsWith("courier-")) await caches.delete(name);
  }

  function signingIn(form) {
    forget();
    form.addEventListener("submit", async (sent) => {
      sent.preventDefault();
      await forget().catch(() => 0);
      form.submit();
    });
    if (!location.hash) return;
    form.elements.code.value = decodeURIComponent(location.hash.slice(1));
    history.replaceState(null, "", location.pathname);
  }

  document.addEventListener("htmx:sse:after:message", () => {
    document.body.removeAttribute("data-saved");
    badges();
  });
  document.addEventListener("outbox", badges);
  document.addEventListener("DOMContentLoaded", async () => {
    if (find("sign-in")) signingIn(find("sign-in"));
    if (!outbox.me()) return;
    scanning();
    problem();
    keepStops();
    navigator.storage?.persist?.();
    await badges();
    await outbox.flush();
    await phone.renew().catch(() => {});
    await outbox.forgetOld();
  });
})();

// The courier's pages: what each part does when it is there. Words come with the page.
(() => {
  const find = (name, within = document) => within.querySelector(`[data-${name}]`);
  const each = (name, what) => document.querySelectorAll(`[data-${name}]`).forEach(what);
  const EACH_MS = 400;
  let looking = null, gathering = new Gathering(), lastLabel = "";

  // One polite sentence at a time, and the same where it can be seen.
  function say(words, refused = false) {
    const shown = find("said");
    if (!shown) return;
    shown.hidden = false;
    shown.classList.toggle("said-no", refused);
    find("said-words").textContent = words;
  }

  async function badges() {
    const online = outbox.online(), entries = await outbox.mine();
    const waiting = entries.filter((entry) => entry.state === "waiting").length;
    const needs = entries.filter((entry) => entry.state === "refused").length;
    each("online", (part) => { part.hidden = !online; });
    each("offline", (part) => { part.hidden = online; });
    each("waiting", (part) => { part.textContent = waiting; });
    each("waiting-badge", (part) => { part.classList.toggle("badge-on", waiting + needs > 0); });
    list(entries);
    carried(entries);
  }

  // The outbox page: newest first, nothing can be taken out.
  function list(entries) {
    const shown = find("entries");
    if (!shown) return;
    find("no-entries").hidden = entries.length > 0;
    shown.replaceChildren(...entries.reverse().map((entry) => {
      const row = find("entry-template").content.cloneNode(true);
      const texts = find("entry-template").dataset;
      row.querySelector("[data-what]").textContent = texts[entry.body.what ?? entry.kind] ?? entry.kind;
      row.querySelector("[data-state]").textContent = [texts[entry.state], entry.words].filter(Boolean).join(" ");
      row.querySelector("[data-at]").textContent = new Date(entry.made_at).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
      row.querySelector("li").classList.toggle("entry-no", entry.state === "refused");
      row.querySelector("li").dataset.id = entry.id;
      return row;
    }));
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

  let turning = 0;
  function quiet() {
    clearInterval(turning);
    find("code").hidden = true;
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
    const shown = await phone.answer(challenge);
    if (!shown) return say(find("scan").dataset.noWord, true);
    say(find("scan").dataset.answer);
    loop([shown]);
  }

  async function frame(text) {
    const before = gathering.have, whole = gathering.take(text), scan = find("scan");
    if (!whole && gathering.have !== before) say(scan.dataset.frames.replace("{have}", gathering.have).replace("{of}", gathering.of));
    if (!whole) return;
    const bundle = base64(whole), known = (await outbox.mine()).some((entry) => entry.body.bundle === bundle);
    if (!known) await outbox.add("carried", { bundle });
    say(scan.dataset.carried);
  }

  async function label(text) {
    const plain = text.replace(/\s/g, "").toUpperCase().slice(0, 64), scan = find("scan");
    if (!plain || plain === lastLabel) return;
    lastLabel = plain;
    find("problem-link").href = `/courier/problem?station=${encodeURIComponent(scan.dataset.station)}#${encodeURIComponent(plain)}`;
    find("problem-link").hidden = false;
    const told = await outbox.post("/courier/label", { label: plain, station: scan.dataset.station });
    if (told) return say(`${told.heading}. ${told.line}`.replace(/\. $/, "."), told.refused);
    const known = (JSON.parse(scan.dataset.labels || "{}"))[plain];
    say((known ? scan.dataset.here : scan.dataset.later).replace("{size}", known?.[0] ?? "").replace("{ending}", known?.[1] ?? ""), !known);
  }

  async function look() {
    const scan = find("scan");
    try {
      looking = await camera.look(find("video"), read);
      find("video").hidden = false;
      find("look").hidden = true;
      find("torch").hidden = !looking.torch;
      let lit = false;
      find("torch").addEventListener("click", () => { lit = !lit; looking.torch(lit); find("torch").setAttribute("aria-pressed", lit); });
    } catch {
      say(scan.dataset.noCamera, true);
    }
  }

  function scanning() {
    if (!find("scan")) return;
    find("look").addEventListener("click", look);
    find("typed").addEventListener("submit", (sent) => {
      sent.preventDefault();
      lastLabel = "";
      read(find("typed").elements.label.value.trim());
    });
    addEventListener("pagehide", () => looking?.stop());
  }

  function problem() {
    const form = find("problem");
    if (!form) return;
    const at = new URLSearchParams(location.search).get("station");
    if (at) form.elements.station.value = at;
    form.elements.label.value = decodeURIComponent(location.hash.slice(1));
    form.addEventListener("submit", async (sent) => {
      sent.preventDefault();
      const [file] = form.elements.photo.files, fields = new FormData(form);
      const body = { station: fields.get("station"), what: fields.get("what"), label: fields.get("label").trim() };
      if (file) body.photo = await camera.photo(file).catch(() => undefined);
      await outbox.add("problem", body);
      form.reset();
      say(form.dataset.noted);
    });
  }

  // What is gone is reported with one tap.
  document.addEventListener("click", async (tap) => {
    const gone = tap.target.closest("[data-not-there]");
    if (!gone) return;
    gone.disabled = true;
    await outbox.add("problem", { station: gone.dataset.station, what: "not_there", label: gone.dataset.notThere });
    say(gone.dataset.noted);
  });

  // The pages of all stops of the round, for where there is no signal.
  async function keepStops() {
    if (!navigator.serviceWorker) return;
    await navigator.serviceWorker.register("/courier/sw.js", { scope: "/courier" });
    const urls = [...document.querySelectorAll("[data-keep]")].flatMap((part) => part.dataset.keep.split(" "));
    if (urls.length) (await navigator.serviceWorker.ready).active.postMessage({ keep: urls });
  }

  document.addEventListener("outbox", badges);
  document.addEventListener("DOMContentLoaded", async () => {
    find("sign-in")?.addEventListener("submit", () => caches.keys().then((names) => names.forEach((name) => caches.delete(name))));
    if (find("sign-in") && location.hash) {
      find("sign-in").elements.code.value = decodeURIComponent(location.hash.slice(1));
      history.replaceState(null, "", location.pathname);
    }
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

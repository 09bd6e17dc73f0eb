// The page's pulse. Tries the stream again when its first connection failed (htmx does not), tells the person when
// the stream is lost, loads the page anew when the server is back, and on a kiosk says every 5 s that it is alive.
(() => {
  const WAITS = [3000, 2000, 4000, 8000, 10000], LOST_MS = 3000, RELOAD_MS = 6000, BEAT_MS = 5000, MORE_MS = 1500;
  let heard = false, tries = 0, lostAt = 0, frames = 0;
  const live = () => document.getElementById("live");
  const screen = () => document.querySelector("main")?.dataset.screen ?? "";
  const url = () => live()?.getAttribute("hx-sse:connect");

  function again() {
    if (heard || !url()) return;
    if (tries > 0 && !live()._htmx?.sse) htmx.ajax("GET", url(), { source: live(), swap: "innerMorph" });
    setTimeout(again, WAITS[Math.min(tries++, WAITS.length - 1)]);
  }

  function show() {
    const band = document.getElementById("lost");
    if (band) band.hidden = !lostAt || Date.now() - lostAt < LOST_MS;
    const words = document.getElementById("lost-words")?.textContent; // in the language of now
    if (words) band.lastChild.textContent = words;
    if (live()) live().inert = Boolean(band && !band.hidden);
  }

  async function reload() {
    if (!lostAt || Date.now() - lostAt < RELOAD_MS || !document.getElementById("lost")) return;
    const there = await fetch(location.href, { method: "GET", cache: "no-store" }).catch(() => null);
    // A station that was started anew knows this browser no more (404): the page that says so replaces this one, once.
    if (lostAt && (there?.ok || (there?.status === 404 && screen() !== "lost"))) location.reload();
  }

  const beat = () => document.body.dataset.beat;
  function tell() {
    const body = new URLSearchParams({ build: document.body.dataset.build, frames, screen: screen() });
    fetch(beat(), { method: "POST", body }).catch(() => {});
  }

  // What the first screen does not need comes with the first touch, or a few seconds later.
  function more() {
    const from = document.body?.dataset.more;
    if (!from) return;
    delete document.body.dataset.more;
    document.head.append(Object.assign(document.createElement("script"), { src: from }));
    const sheet = { rel: "stylesheet", href: from.replace(/js$/, "css") };
    document.head.append(Object.assign(document.createElement("link"), sheet));
  }
  document.addEventListener("pointerdown", more, { once: true });
  document.addEventListener("keydown", more, { once: true });

  // The hub says after how long to ask again: where it is crowded, seldom. htmx would not wait longer than its own most.
  function pace({ config }) {
    config.most ??= config.reconnectMaxDelay;
    config.reconnectMaxDelay = Math.max(config.most, config.reconnectDelay);
  }

  // What somebody has unfolded stays so, whatever news come. htmx asks extensions before it writes, and tells no page.
  htmx.registerExtension("folds", { htmx_before_morph_attr: (_, { attrName }) => attrName !== "open" });

  document.addEventListener("htmx:sse:after:message", (event) => { heard = true; lostAt = 0; show(); pace(event.detail.connection); });
  document.addEventListener("htmx:sse:before:connection", (e) => { if (e.detail.connection.attempt > 0) lostAt ||= Date.now(); });
  document.addEventListener("htmx:sse:error", () => { lostAt ||= Date.now(); });
  document.addEventListener("DOMContentLoaded", () => {
    again();
    setTimeout(more, MORE_MS);
    setInterval(() => { show(); reload(); }, 1000);
    if (!beat()) return;
    const count = () => { frames++; requestAnimationFrame(count); };
    count();
    tell();
    setInterval(tell, BEAT_MS);
  });
})();

// A page on a phone whose line was cut without a word. The hub says four times a minute that all is as it stands here.
// What was not heard of for OLD_MS may be old, and says so; what somebody does there goes on. After DEAD_MS the line is
// begun anew. Where there was no seat (web/seats.py) the page asks once a minute, and is not old in between.
(() => {
  const OLD_MS = 40000, DEAD_MS = 60000, LOOK_MS = 2000;
  let heardAt = Date.now(), triedAt = 0;

  function show(old) {
    document.body.toggleAttribute("data-old", old);
    const saved = document.getElementById("saved");
    if (saved) saved.hidden = !old && !document.body.hasAttribute("data-saved");
  }

  function heard() {
    heardAt = Date.now();
    show(false);
  }

  function watch() {
    const live = document.getElementById("live"), line = live?._htmx?.sse;
    if (document.hidden || !live?.hasAttribute("hx-sse:connect")) return;
    const silent = Date.now() - heardAt - 1.5 * (parseInt(line?.config.reconnectDelay) || 0);
    if (silent > OLD_MS) show(true);
    if (silent < DEAD_MS || Date.now() - triedAt < DEAD_MS) return;
    triedAt = Date.now();
    line?.reader?.cancel();
  }

  document.addEventListener("htmx:sse:after:message", heard);
  document.addEventListener("visibilitychange", () => { heardAt = Date.now(); }); // its line rested meanwhile, and begins anew
  setInterval(watch, LOOK_MS);
})();

// The console's own: the map comes closer and moves, its pins keep their size, and a lost stream is said.
// Everything works without it: the list says what the map says.
(() => {
  const OLD_MS = 10000, DEAD_MS = 25000, STEP = 1.5, CLOSEST = 6, CLOSEST_M = 600;
  let whole = null, view = null;
  const map = () => document.getElementById("town-map");

  function read(text) {
    const [x, y, w, h] = text.split(" ").map(Number);
    return { x, y, w, h };
  }

  // The street map: fetched when somebody reaches for the map, and then kept under the pins. What is seen stays the same.
  let streets = null, asked = false;
  async function fetchStreets() {
    const { tiles, zero, street, reader } = map()?.dataset ?? {};
    if (asked || !tiles || !view || navigator.connection?.saveData) return;
    asked = true;
    if (!document.createElement("canvas").getContext("webgl2")) return;
    const [x, y, lon, lat] = zero.split(" ").map(Number);
    await new Promise((loaded) => document.head.append(Object.assign(document.createElement("script"), { src: reader, onload: loaded })));
    const { lay } = await import(street);
    const box = document.getElementById("street-map");
    streets = await lay(box, tiles, { x, y, lon, lat }, () => box.classList.add("is-drawn"));
    draw();
  }

  // As web/console/crowd.py: where pins stand too close, those without a case and with room are dots.
  const RING = [78, 78], NAME = [112, 20];
  let thinnedFor = 1;
  function thin(size) {
    const at = (pin) => ({ pin, x: Number(pin.dataset.x), y: Number(pin.dataset.y),
      rank: (pin.querySelector(".pin-mark") ? 0 : 2) + (pin.classList.contains("pin-full") ? 0 : 1) });
    const kept = [], close = (a, b, [w, h]) => Math.abs(a.x - b.x) < w * size && Math.abs(a.y - b.y) < h * size;
    for (const each of [...document.querySelectorAll(".pin")].map(at).sort((a, b) => a.rank - b.rank)) {
      const dot = each.pin !== document.activeElement && kept.some((other) => close(each, other, RING));
      each.pin.classList.toggle("pin-dot", dot);
      each.pin.classList.toggle("pin-bare", !dot && kept.some((other) => close(each, other, NAME)));
      each.pin.toggleAttribute("aria-hidden", dot);
      if (dot) each.pin.setAttribute("aria-hidden", "true");
      each.pin.tabIndex = dot ? -1 : 0;
      if (!dot) kept.push(each);
    }
    if (!document.activeElement?.closest?.(".pin")) document.getElementById("town-pins").append(...kept.map((each) => each.pin));
    document.getElementById("dots").hidden = !document.querySelector(".pin-dot");
  }

  function draw() {
    if (!map() || !view) return;
    streets?.(view);
    map().setAttribute("viewBox", `${view.x} ${view.y} ${view.w} ${view.h}`);
    const size = (view.w / whole.w) * Number(map().dataset.scale);
    if (size !== thinnedFor) thin(thinnedFor = size);
    for (const pin of document.querySelectorAll(".pin")) {
      pin.setAttribute("transform", `translate(${pin.dataset.x} ${pin.dataset.y}) scale(${size})`);
    }
  }

  function zoom(by, cx = view.x + view.w / 2, cy = view.y + view.h / 2) {
    const w = Math.min(whole.w, Math.max(Math.min(whole.w / CLOSEST, CLOSEST_M), view.w / by)), share = w / view.w;
    view = { x: cx - (cx - view.x) * share, y: cy - (cy - view.y) * share, w, h: view.h * share };
    keep();
  }

  function keep() {
    view.x = Math.min(Math.max(view.x, whole.x), whole.x + whole.w - view.w);
    view.y = Math.min(Math.max(view.y, whole.y), whole.y + whole.h - view.h);
    draw();
  }

  function move(event) {
    if (!view || !(event.buttons & 1) || !event.target.closest?.("#town-map")) return;
    const scale = view.w / map().getBoundingClientRect().width;
    view.x -= event.movementX * scale;
    view.y -= event.movementY * scale;
    keep();
  }

  function begin() {
    if (!map()) return;
    whole = read(map().getAttribute("viewBox"));
    view = { ...whole };
    thinnedFor = Number(map().dataset.scale); // as the page came
    document.querySelector(".town-tools").hidden = false;
    const town = map().closest(".town");
    for (const kind of ["pointerenter", "focusin", "touchstart"]) town.addEventListener(kind, fetchStreets, { once: true, passive: true });
    if ("now" in map().dataset) fetchStreets();
    addEventListener("resize", draw);
  }

  function tool(event) {
    const wanted = event.target.closest("[data-zoom]")?.dataset.zoom;
    if (!wanted || !view) return;
    if (wanted === "all") { view = { ...whole }; draw(); } else zoom(wanted === "in" ? STEP : 1 / STEP);
  }

  function told() {
    document.body.classList.remove("is-lost");
    const tools = document.querySelector(".town-tools");
    if (tools) tools.hidden = false;
    if (view) thinnedFor = view.w === whole.w ? Number(map()?.dataset.scale) : 0; // news come as the whole map is drawn
    draw();
  }

  // The hub says every few seconds that all is as it stands here. A line that is cut says nothing, not even that it is
  // cut: what was not heard of for OLD_MS is old, and after DEAD_MS the line is begun anew.
  let heardAt = Date.now(), triedAt = 0;
  function watch() {
    const live = document.getElementById("live"), silent = Date.now() - heardAt;
    if (!live?.hasAttribute("hx-sse:connect")) return;
    const band = document.getElementById("lost-news"), lost = silent > OLD_MS;
    if (band) band.hidden = !lost;
    document.body.classList.toggle("is-lost", lost);
    if (silent < DEAD_MS || Date.now() - triedAt < DEAD_MS) return;
    triedAt = Date.now();
    live._htmx?.sse?.reader?.cancel();
  }

  function comeCloser(event) {
    const dot = event.target.closest?.(".pin-dot");
    if (!dot || !view) return;
    event.preventDefault();
    zoom(STEP * STEP, Number(dot.dataset.x), Number(dot.dataset.y));
  }

  document.addEventListener("DOMContentLoaded", () => {
    begin();
    document.addEventListener("click", tool);
    document.addEventListener("click", comeCloser);
    document.addEventListener("pointermove", move);
    setInterval(watch, 1000);
  });
  document.addEventListener("htmx:sse:after:message", (event) => {
    heardAt = Date.now();
    if (!event.detail.message.event) told(); // else it is as it stands here
  });
  document.addEventListener("htmx:sse:error", (event) => {
    if (event.detail.status === 401) location.reload(); // the sign-in ended: to its page, and back here from there
  });
})();

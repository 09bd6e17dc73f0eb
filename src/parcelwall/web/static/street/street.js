// The street map under the console's pins: vector tiles drawn by MapLibre, in the colours of the page. It is fetched when
// somebody first reaches for the map, or at once where the drawing has no streets. Without it (no WebGL, a saver of data)
// the drawing stays: nothing depends on this. It has no controls of its own: console.js says what is in view.
import { Map, addProtocol } from "./maplibre-gl.mjs";

const FONT = "Atkinson Hyperlegible Next", METRES_PER_DEGREE = 111320, TILE_PX = 512, ROUND_EARTH_M = 360 * METRES_PER_DEGREE;

// A token as the page draws it: with forced colours it is one of the reader's, whose name MapLibre does not know.
function colour(name) {
  const probe = document.body.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "svg"));
  probe.style.color = `var(--${name})`;
  const drawn = getComputedStyle(probe).color;
  probe.remove();
  return drawn;
}

function roads(id, kinds, width, extra = {}) {
  const grows = ["interpolate", ["exponential", 1.6], ["zoom"], 12, width / 8, 16, width, 19, width * 5];
  return { id, type: "line", source: "town", "source-layer": "roads", filter: ["in", ["get", "kind"], ["literal", kinds]],
    layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": colour("map-road"), "line-width": grows, ...extra } };
}

function fill(id, layer, shade, filter) {
  return { id, type: "fill", source: "town", "source-layer": layer, ...(filter ? { filter } : {}), paint: { "fill-color": shade } };
}

function names(id, kinds, minzoom) {
  return { id, type: "symbol", source: "town", "source-layer": "roads", minzoom, filter: ["in", ["get", "kind"], ["literal", kinds]],
    layout: { "symbol-placement": "line", "text-field": ["get", "name"], "text-font": [FONT], "text-size": 12, "text-padding": 12 },
    paint: { "text-color": colour("ink2"), "text-halo-color": colour("map-bg"), "text-halo-width": 1.5 } };
}

function style(tiles) {
  const park = ["in", ["get", "kind"], ["literal", ["park", "garden", "forest", "wood", "grass", "cemetery", "playground"]]];
  return { version: 8, sources: { town: { type: "vector", url: `pmtiles://${new URL(tiles, location.href)}` } }, layers: [
    { id: "ground", type: "background", paint: { "background-color": colour("map-bg") } },
    fill("park", "landuse", colour("map-green"), park),
    fill("water", "water", colour("map-water")),
    fill("pedestrian", "landuse", colour("map-road"), ["==", ["get", "kind"], "pedestrian"]),
    fill("buildings", "buildings", colour("map-house")),
    roads("rail", ["rail"], 1, { "line-color": colour("line"), "line-opacity": 0.5 }),
    roads("path", ["path"], 1.5, { "line-dasharray": [2, 1.5], "line-color": colour("line"), "line-opacity": 0.6 }),
    roads("minor", ["minor_road", "other"], 6), roads("major", ["major_road", "highway"], 12),
    names("major-names", ["major_road", "highway"], 13), names("minor-names", ["minor_road", "path", "other"], 15),
  ] };
}

// What is in view, in metres of the drawing, as MapLibre says it. Both are conformal: over a town they are one plane.
function camera(view, box, origin) {
  const perPx = Math.max(view.w / box.width, view.h / box.height), flat = Math.cos((origin.lat * Math.PI) / 180);
  const east = view.x + view.w / 2 - origin.x, south = view.y + view.h / 2 - origin.y;
  const rise = Math.asinh(Math.tan((origin.lat * Math.PI) / 180)) - ((south / flat) * 2 * Math.PI) / ROUND_EARTH_M;
  const centre = [origin.lon + east / (flat * METRES_PER_DEGREE), (Math.atan(Math.sinh(rise)) * 180) / Math.PI];
  return { center: centre, zoom: Math.log2((ROUND_EARTH_M * flat) / (TILE_PX * perPx)) };
}

export async function lay(box, tiles, origin, onDrawn) {
  const protocol = new window.pmtiles.Protocol();
  addProtocol("pmtiles", protocol.tile);
  await document.fonts.load(`12px "${FONT}"`);
  const map = new Map({ container: box, style: style(tiles), interactive: false, attributionControl: false, fadeDuration: 0 });
  map.once("idle", () => { performance.mark("map-idle"); onDrawn(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => map.setStyle(style(tiles)));
  return (view) => { map.resize(); map.jumpTo(camera(view, box.getBoundingClientRect(), origin)); };
}

"""Forced colours: what axe cannot measure there, measured.

axe holds a page's own ground against its own text, while the browser draws both in the colours that the reader has
chosen. So its contrast rule is off there, and this is asked instead, of what is drawn (Chromium tells it as the
computed style): every word and every line is in one of the reader's system colours, and words stand out from what is
drawn behind them by 4.5 to 1 (3 to 1 where they are large). Behind each word the browser draws a plate of Canvas, which
no style tells: so it has to stand out from that, too. A code to scan stays black on white: a reader's device
needs it so, and a figure beside it says the same in words.
"""

from typing import Any

DRAWN = """() => {
  const NAMES = ["Canvas", "CanvasText", "LinkText", "VisitedText", "ActiveText", "ButtonFace", "ButtonText", "Field",
    "ButtonBorder", "FieldText", "Highlight", "HighlightText", "GrayText", "Mark", "MarkText", "SelectedItem",
    "SelectedItemText", "AccentColor", "AccentColorText"];
  const parse = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const probe = document.body.appendChild(document.createElement("i")), known = new Set();
  probe.style.forcedColorAdjust = "none";
  for (const name of NAMES) {
    probe.style.color = "";
    probe.style.color = name;
    if (probe.style.color) known.add(parse(getComputedStyle(probe).color).slice(0, 3).join());
  }
  probe.style.color = "Canvas";
  const canvas = parse(getComputedStyle(probe).color).slice(0, 3);
  probe.remove();
  const seen = (each) => each.checkVisibility({ opacityProperty: true, visibilityProperty: true })
    && each.getBoundingClientRect().width && !each.closest(".quiet, .qr, [hidden], option, .skip");
  const of = (each) => `${each.tagName.toLowerCase()}.${each.getAttribute("class") ?? ""}`;
  const foreign = (text) => text !== "none" && (parse(text)[3] ?? 1) > 0 && !known.has(parse(text).slice(0, 3).join());
  const over = (top, under) => { const a = top[3] ?? 1; return under.map((c, i) => top[i] * a + c * (1 - a)); };
  const ground = (each) => {
    const layers = [];
    for (let at = each; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if ((colour[3] ?? 1) > 0) layers.push(colour);
      if ((colour[3] ?? 1) === 1) break;
    }
    return layers.reduceRight((under, top) => over(top, under), [255, 255, 255]);
  };
  const light = (colour) => { const [r, g, b] = colour.map((c) => (c /= 255) <= 0.04045 ? c / 12.92
    : ((c + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const contrast = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p);
    return (x + 0.05) / (y + 0.05); };
  const found = new Set(), walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text; (text = walk.nextNode());) {
    const own = text.parentElement, words = text.data.trim();
    if (!words || own.closest("svg, script, style, title") || !seen(own)) continue;
    const style = getComputedStyle(own), size = parseFloat(style.fontSize), behind = ground(own);
    if (foreign(style.color)) found.add(`words in ${style.color}: ${of(own)} ${words.slice(0, 30)}`);
    const least = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
    const grounds = style.forcedColorAdjust === "none" ? [behind] : [behind, canvas];
    const stands = Math.min(...grounds.map((each) => contrast(over(parse(style.color), each), each)));
    if (stands < least && !own.closest(":disabled, [aria-disabled=true]"))
      found.add(`words at ${stands.toFixed(1)} to 1: ${of(own)} ${words.slice(0, 30)}`);
  }
  const SHAPES = "svg :is(path, rect, circle, line, polyline, polygon, ellipse, text, use)";
  for (const each of document.querySelectorAll(SHAPES)) {
    if (!seen(each) || each.closest("defs, clipPath, mask")) continue;
    const style = getComputedStyle(each);
    for (const part of ["fill", "stroke"])
      if (foreign(style[part])) found.add(`${part} ${style[part]}: ${of(each)} in ${of(each.closest("svg"))}`);
  }
  for (const each of document.querySelectorAll("body *")) {
    const style = getComputedStyle(each);
    if (style.forcedColorAdjust !== "none" || each.closest("svg, .qr") || !seen(each)) continue;
    for (const part of ["backgroundColor", ...(parseFloat(style.borderTopWidth) ? ["borderTopColor"] : [])])
      if (foreign(style[part])) found.add(`${part} ${style[part]}: ${of(each)}`);
  }
  return [...found];
}"""


def foreign_colours(page: Any) -> list[str]:
    """Words and lines that are not drawn in the reader's colours, and words that do not stand out."""
    return [f"forced colours: {each}" for each in page.evaluate(DRAWN)]

"""How a view is worn in the matrix, and what is asked of it there.

A view is fetched once in each language; day, night and the shapes are put on the page that is there, since nothing but
attributes, the width and the size of letters tells them apart. axe is fetched as a file, so that the browser keeps what
it has compiled.
"""

from typing import Any

from web import axes, drawn

THEMES, LANGUAGES, SHAPES = ("day", "night"), ("en", "ar"), ("narrow", "twice", "forced")
ASKED = {
    "en": {("day", "narrow"), ("night", "twice"), ("day", "forced")},
    "ar": {("night", "narrow"), ("day", "twice"), ("night", "forced")},
    "de": {("day", "narrow")},
    "pl": {("night", "twice")},
    "pt": {("night", "narrow")},
}
"""Where axe is asked, by language: each pair of theme, shape and of the first two languages is among them. The others
differ by their words alone. What is measured by us, and takes a hundredth of the time, is asked in every look."""

CUT = """() => {
  const found = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const clips = (style) => [style.overflowX, style.overflowY].map((each) => each === "hidden" || each === "clip");
  for (let text; (text = walk.nextNode());) {
    const own = text.parentElement;
    const unseen = own.closest(".quiet, script, style, [hidden], svg, option") || !own.checkVisibility();
    if (!text.data.trim() || unseen) continue;
    const range = document.createRange();
    range.selectNodeContents(text);
    const box = range.getBoundingClientRect();
    if (!box.width) continue;
    if (box.left < -1 || box.right > innerWidth + 1) {
      const scrolls = [...ancestors(own)].some((each) => /auto|scroll/.test(getComputedStyle(each).overflowX));
      if (!scrolls) found.push(`beside the page: ${text.data.trim().slice(0, 40)}`);
    }
    for (const each of ancestors(own)) {
      const [x, y] = clips(getComputedStyle(each)), frame = each.getBoundingClientRect();
      if (each === document.body || each === document.documentElement) break;
      const wide = x && (box.left < frame.left - 2 || box.right > frame.right + 2);
      const high = y && (box.top < frame.top - 2 || box.bottom > frame.bottom + 2);
      if (!wide && !high) continue;
      found.push(`cut by ${each.className || each.tagName}: ${text.data.trim().slice(0, 40)}`);
      break;
    }
  }
  return [...new Set(found)];
  function* ancestors(from) { for (let each = from; each; each = each.parentElement) yield each; }
}"""
"""Words that stand beside the page, or that a box with hidden overflow cuts off."""

SPILT = """() => [...document.querySelectorAll("button, .button, summary, th, .badge")].filter((each) => {
  if (each.closest(".quiet, svg") || !each.checkVisibility()) return false;
  const range = document.createRange(), frame = each.getBoundingClientRect();
  range.selectNodeContents(each);
  const box = range.getBoundingClientRect();
  return box.width && frame.width && (box.left < frame.left - 1 || box.right > frame.right + 1
    || box.top < frame.top - 4 || box.bottom > frame.bottom + 4);
}).map((each) => `out of its ${each.className || each.tagName}: ${each.textContent.trim().slice(0, 40)}`)"""
"""Words that stand out of the button they are written on, which nothing cuts off."""

BELOW = """() => [...document.querySelectorAll(".kiosk :is(h1, p, button, dl, ol, progress, input, .kpicture)")].filter(
  (each) => {
    const box = each.getBoundingClientRect(), foot = document.querySelector(".kfoot").getBoundingClientRect();
    if (!box.width || each.closest(".quiet, .khead, svg")) return false;
    const lowest = each.closest(".kfoot") || !foot.height ? innerHeight + 1 : foot.top + 12;
    return box.right > innerWidth + 1 || box.left < -1 || box.top < -1 || box.bottom > lowest;
  }).map((each) => `off the screen: ${each.className || each.tagName}: ${each.textContent.trim().slice(0, 40)}`)"""
"""A kiosk never scrolls: what is below its screen is nowhere."""

WEAR = """({ theme, text, size }) => {
  for (const each of document.querySelectorAll("html, .kiosk")) each.dataset.theme = theme;
  for (const each of document.querySelectorAll(".kiosk")) each.dataset.text = text;
  document.documentElement.style.fontSize = size;
}"""


def is_kiosk(name: str) -> bool:
    return name.startswith("kiosk")


def is_wide(name: str) -> bool:
    return name.startswith(("console", "demo"))


def fetch(page: Any, address: str, name: str, language: str) -> None:
    page.goto(f"{address}/{name}?theme=day&language={language}")
    page.evaluate("document.fonts.ready")
    page.add_script_tag(url=f"{address}/axe.js")


def wear(page: Any, name: str, theme: str, shape: str) -> None:
    """Puts a look on. A kiosk has its own panel, which is never narrow; its twice is its large text."""
    sizes = {"narrow": (320, 640), "twice": (640, 400) if is_wide(name) else (390, 844), "forced": (390, 844)}
    width, height = (1280, 800) if is_kiosk(name) or (is_wide(name) and shape == "forced") else sizes[shape]
    page.emulate_media(
        color_scheme="dark" if theme == "night" else "light", forced_colors="active" if shape == "forced" else "none"
    )
    page.set_viewport_size({"width": width, "height": height})
    twice = shape == "twice" and not is_wide(name) and not is_kiosk(name)
    text = "large" if shape == "twice" or name == "kiosk-open-large" else "normal"
    page.evaluate(WEAR, {"theme": theme, "text": text, "size": "200%" if twice else ""})


def faults(page: Any, name: str, theme: str, shape: str, asks_axe: bool) -> list[str]:
    """What is wrong with the page that is there, in a look."""
    wear(page, name, theme, shape)
    sideways = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    found = [f"scrolls {sideways} px sideways"] if sideways > 0 else []
    found += page.evaluate(CUT) + page.evaluate(SPILT) + (page.evaluate(BELOW) if is_kiosk(name) else [])
    found += drawn.foreign_colours(page) if shape == "forced" else []
    if asks_axe:
        rules = {"color-contrast": {"enabled": shape != "forced"}}  # see drawn.py
        found += axes.violations(page, rules=rules, preload=False)
    return found


def all_faults(page: Any, address: str, name: str, language: str) -> list[str]:
    """What is wrong with a view in a language, in each theme and shape."""
    fetch(page, address, name, language)
    return [
        f"{name} {theme} {language} {shape}: {fault}"
        for theme in THEMES
        for shape in SHAPES
        for fault in faults(page, name, theme, shape, (theme, shape) in ASKED[language])
    ]

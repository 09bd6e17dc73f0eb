"""What axe cannot see, as questions to one page in a browser: any face's gallery may ask them (faces.md 2.3, 4.1).

Each answers the faults it finds, in words; an empty list is a good page.
"""

from io import BytesIO
from typing import Any

from PIL import Image, ImageChops

GLOWS = """() => [...document.querySelectorAll("body *")].filter((each) => {
  const style = getComputedStyle(each), box = each.getBoundingClientRect();
  const glow = (colour) => ["rgb(198, 241, 53)", "rgb(234, 255, 154)"].includes(colour);
  const painted = glow(style.backgroundColor) || (each instanceof SVGGeometryElement && glow(style.fill));
  return painted && box.width * box.height > 576 && !each.closest(".logo, nav [aria-current]");
}).map((each) => each.getAttribute("class") || each.tagName)"""
SMALL = """(least) => [...document.querySelectorAll(
  "a[href], button, input:not([type=hidden]), select, summary")].filter((each) => {
  const box = each.getBoundingClientRect();
  const inline = each.closest("p, td, th, dd, svg, figcaption, .skip, .letter-body");
  return box.width && (box.height < least || box.width < Math.min(least, 48)) && !inline;
}).map((each) => each.outerHTML.slice(0, 80) + " " + Math.round(each.getBoundingClientRect().height))"""
TIGHT = """() => {
  const all = [...document.querySelectorAll("button, .button, .field, .said")].filter((each) => each.checkVisibility()
    && !each.closest(".quiet, svg")).map((each) => [each, each.getBoundingClientRect()]).filter(([, box]) => box.width);
  return all.flatMap(([one, a]) => all.filter(([other, b]) => other !== one && !one.contains(other) &&
    a.left < b.right && b.left < a.right && b.top >= a.top && b.top - a.bottom < 6 && (b.top > a.top || b.left > a.left)
  ).map(([other, b]) => `${Math.round(b.top - a.bottom)} px from ${one.textContent.trim().slice(0, 30)} to ${
    other.textContent.trim().slice(0, 30)}`));
}"""
TOWERS = """() => [...document.querySelectorAll(".scroll td, .scroll tbody th")].filter((each) => {
  const words = document.createRange();
  words.selectNodeContents(each);
  const box = words.getBoundingClientRect();
  return !each.querySelector("form, svg, ul") && box.height > 100 && box.width < box.height;
}).map((each) => each.textContent.trim().slice(0, 40))"""
LIVE = """() => [...document.querySelectorAll("[aria-live], [role=status], [role=alert], [role=log]")].filter(
  (each) => each.getAttribute("aria-live") !== "off").map((each) => each.textContent.trim())"""
AT = """() => { const each = document.activeElement, box = each.getBoundingClientRect();
  const style = getComputedStyle(each), drawn = each.querySelector("svg *, .door, [class$=ground]");
  const ring = (parseFloat(style.outlineWidth) > 0 && style.outlineStyle !== "none")
    || (each instanceof SVGElement && drawn && parseFloat(getComputedStyle(drawn).strokeWidth) >= 3);
  const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  return each === document.body ? null : { at: [...document.querySelectorAll("*")].indexOf(each), ring,
    hidden: !(top && (top === each || each.contains(top) || top.contains(each))),
    words: (each.textContent || each.name || "").trim().slice(0, 30) }; }"""
CURRENT = """() => [...document.querySelectorAll("[aria-current], [aria-pressed=true], [aria-selected=true]")].filter(
  (each) => each.getBoundingClientRect().width).map((each) => {
  const plain = [...each.parentElement.children, ...(each.closest(".kgrid, ol, ul, nav")?.querySelectorAll(each.tagName)
    ?? [])].find((other) => other !== each && other.tagName === each.tagName && !other.hasAttribute("aria-current")
    && other.getAttribute("aria-pressed") !== "true" && other.getAttribute("aria-selected") !== "true");
  if (!plain) return null;
  const look = (one) => { const s = getComputedStyle(one);
    return [s.fontWeight, s.borderTopWidth, s.borderInlineStartWidth, s.textDecorationLine,
            one.querySelectorAll("svg").length, one.lastElementChild?.tagName, one.textContent.includes("(")].join(); };
  const colours = (one) => { const s = getComputedStyle(one);
    return [s.borderInlineStartColor, s.backgroundColor, s.color].join(); };
  return { words: each.textContent.trim().slice(0, 30), shape: look(each) !== look(plain),
           forced: look(each) !== look(plain) || colours(each) !== colours(plain) };
}).filter(Boolean)"""


def lights(page: Any) -> list[str]:
    """G1: at most one large area glows."""
    lit = page.evaluate(GLOWS)
    return [f"{len(lit)} lights: {lit}"] if len(lit) > 1 else []


def targets(page: Any, least_px: int) -> list[str]:
    """A7: everything that is touched is at least so high, and 48 px wide."""
    return [f"small: {each}" for each in page.evaluate(SMALL, least_px - 1)]


def crowding(page: Any) -> list[str]:
    """What is touched has 6 px to what stands below it; a table that scrolls sideways piles up no words in a column."""
    return [*page.evaluate(TIGHT), *(f"a tower of words: {each}" for each in page.evaluate(TOWERS))]


def announcements(page: Any) -> list[str]:
    """A13: one live region, one short sentence in it."""
    said = page.evaluate(LIVE)
    found = [f"{len(said)} live regions"] if len(said) > 1 else []
    return found + [f"too long to be announced: {each}" for each in said if len(each.split()) >= 20]


def stillness(page: Any) -> list[str]:
    """A15: with reduced motion nothing moves."""
    moving = page.evaluate("document.getAnimations().length")
    return [f"{moving} animations"] if moving else []


def focus(page: Any, at_most: int = 80) -> list[str]:
    """A4, A5: the tab key follows the order of reading; what holds the focus has a ring and is covered by nothing."""
    page.evaluate("document.activeElement?.blur()")
    found, last = [], -1
    for _ in range(at_most):
        page.keyboard.press("Tab")
        here = page.evaluate(AT)
        if here is None or here["at"] <= last:
            return found if here is None or last >= 0 else [*found, "the focus never enters the page"]
        found += [] if here["ring"] else [f"no ring on {here['words']!r}"]
        found += [f"covered: {here['words']!r}"] if here["hidden"] else []
        last = here["at"]
    return found


def states(page: Any) -> list[str]:
    """A3, A17, G6: what is current or chosen differs from its neighbours by shape, weight, border or word, not by
    colour alone."""
    return [f"told by colour alone: {each['words']!r}" for each in page.evaluate(CURRENT) if not each["shape"]]


def grey(page: Any) -> Image.Image:
    """The page as somebody sees it who sees no colour."""
    return Image.open(BytesIO(page.screenshot())).convert("L")


def differs_in_grey(one: Image.Image, other: Image.Image) -> float:
    """The share of pixels by which two views can be told apart without colour."""
    changed = ImageChops.difference(one, other).point(lambda value: 255 if value > 24 else 0)
    return sum(changed.histogram()[255:]) / (one.width * one.height)

"""The cabinet drawing: to scale, every door inside the body, one lit door with its call-out, one sentence for all."""

import re
from xml.etree import ElementTree

import pytest

from parcelwall.rules.layout import Compartment, Layout, Panel, plain_layout
from parcelwall.web.cabinet import State, band, draw, place_sentence
from parcelwall.web.render import no_words

LAYOUT = plain_layout("SSSSSSMMSSSL SSSSMMSSMMSS MMSSSSSSLSSSS SSMMMMSSSL")
SMALL = plain_layout("SML", panel_after=1)
WORDS = no_words("en")
SVG = "{http://www.w3.org/2000/svg}"
Shape = ElementTree.Element


def drawing(svg: str) -> Shape:
    return ElementTree.fromstring(svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


def of_kind(root: Shape, kind: str) -> list[Shape]:
    return [each for each in root.iter() if kind in each.get("class", "").split()]


def sides(rect: Shape) -> tuple[float, float, float, float]:
    x, y, width, height = (float(rect.get(name, "0")) for name in ("x", "y", "width", "height"))
    return x, y, x + width, y + height


def inside(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] >= other[0] and one[1] >= other[1] and one[2] <= other[2] and one[3] <= other[3]


def view_box(root: Shape) -> tuple[float, float, float, float]:
    left, top, width, height = (float(part) for part in root.get("viewBox", "").split())
    return left, top, left + width, top + height


@pytest.mark.parametrize("layout", [LAYOUT, SMALL])
def test_every_door_is_inside_the_body_to_scale(layout: Layout) -> None:
    root = drawing(draw(layout, WORDS))
    (body,) = of_kind(root, "body")
    doors = of_kind(root, "door")
    assert len(doors) == len(layout.compartments)
    assert all(inside(sides(door), sides(body)) for door in doors)
    drawn = {(float(door.get("width", 0)), float(door.get("height", 0))) for door in doors}
    assert drawn == {(float(each.width_mm), float(each.height_mm)) for each in layout.compartments}


@pytest.mark.parametrize("door", [each.number for each in LAYOUT.compartments])
@pytest.mark.parametrize("is_open", [False, True])
def test_the_lit_door_has_a_call_out_outside_itself_and_inside_the_picture(door: int, is_open: bool) -> None:
    root = drawing(draw(LAYOUT, WORDS, lit=door, open=is_open))
    (bubble,) = of_kind(root, "bubble")
    (number,) = of_kind(root, "bubble-number")
    assert number.text == str(door)
    frame = view_box(root)
    x = float(number.get("x", 0))
    at = LAYOUT.compartment(door)
    assert frame[0] + 100 < x < frame[2] - 100
    assert not at.x_mm < x < at.x_mm + at.width_mm
    assert frame[1] < float(number.get("y", 0)) < frame[3]
    assert bubble.get("d", "").endswith("Z")


def test_one_door_is_lit_and_an_open_one_has_a_leaf_and_a_dark_inside() -> None:
    shut, opened = drawing(draw(LAYOUT, WORDS, lit=20)), drawing(draw(LAYOUT, WORDS, lit=20, open=True))
    assert len(of_kind(shut, "lit")) == len(of_kind(opened, "lit")) == 1
    assert not of_kind(shut, "leaf") and not of_kind(shut, "inside")
    assert len(of_kind(opened, "leaf")) == len(of_kind(opened, "inside")) == 1


def test_the_line_ends_on_the_handle_side() -> None:
    for door, free_side in ((20, LAYOUT.compartment(20).x_mm + 400), (33, LAYOUT.compartment(33).x_mm)):
        (dot,) = of_kind(drawing(draw(LAYOUT, WORDS, lit=door)), "dot")
        assert abs(float(dot.get("cx", 0)) - free_side) < 60


def test_a_public_picture_tells_nothing_of_other_doors() -> None:
    kinds = {door.get("class") for door in of_kind(drawing(draw(LAYOUT, WORDS, lit=20, states={3: "fault"})), "door")}
    assert kinds == {"door", "door lit"}


def test_an_operators_picture_tells_all_by_shape_and_number() -> None:
    states: dict[int, State] = {each.number: "free" for each in LAYOUT.compartments}
    states |= {3: "fault", 4: "open", 5: "used", 6: "unknown"}
    root = drawing(draw(LAYOUT, WORDS, view="operator", states=states, link="?door="))
    assert len(of_kind(root, "cross")) == 2 and len(of_kind(root, "leaf-open")) == 1
    assert [text.text for text in of_kind(root, "number")] == [str(each.number) for each in LAYOUT.compartments]
    links = list(root.iter(f"{SVG}a"))
    assert [link.get("href") for link in links][:2] == ["?door=1", "?door=2"]
    assert [link.get("aria-label") for link in links][1:6] == [
        "Door 2: free", "Door 3: out of use", "Door 4: open", "Door 5: in use", "Door 6: unknown",
    ]  # fmt: skip
    assert [mark.text for mark in of_kind(root, "doubt")] == ["?"]


def test_a_door_of_which_nothing_is_told_is_not_drawn_as_free() -> None:
    root = drawing(draw(LAYOUT, WORDS, view="operator", states={3: "free"}, link="?door="))
    assert len(of_kind(root, "unknown")) == len(LAYOUT.compartments) - 1


def test_the_name_is_whole_sentences() -> None:
    assert drawing(draw(LAYOUT, WORDS, lit=20, open=True)).get("aria-label") == (
        "Door 20 is open. Left of the screen, waist height."
    )
    assert drawing(draw(LAYOUT, WORDS, lit=47)).get("aria-label") == "Door 47. Right of the screen, near the ground."
    assert drawing(draw(LAYOUT, WORDS)).get("role") == "img"


@pytest.mark.parametrize(
    ("handle_mm", "expected"),
    [(1500, "high"), (1499, "shoulder"), (1200, "shoulder"), (1199, "waist"), (849, "knee"), (449, "ground")],
)
def test_bands(handle_mm: int, expected: str) -> None:
    assert band(Compartment(1, "S", 0, handle_mm - 40, 400, 80)) == expected


def test_without_a_screen_columns_are_counted() -> None:
    bare = Layout(LAYOUT.sizes, LAYOUT.compartments, None)
    assert place_sentence(bare, 33, WORDS) == "Column 3 from the left, knee height."
    assert of_kind(drawing(draw(bare, WORDS, lit=33)), "line") == []


def test_a_door_under_the_screen() -> None:
    layout = Layout(LAYOUT.sizes, (Compartment(1, "M", 0, 200, 400, 190),), Panel(x_mm=90, y_mm=1000))
    assert place_sentence(layout, 1, WORDS) == "Under the screen, near the ground."
    assert drawing(draw(layout, WORDS, lit=1, open=True)) is not None


def test_no_style_attribute_and_words_are_escaped() -> None:
    class Rude:
        def gettext(self, message: str) -> str:
            return message + '"<b>'

    drawn = draw(LAYOUT, Rude(), lit=20, view="operator", link="?door=")
    assert "<b>" not in drawn and " style=" not in drawn
    assert not re.search(r'="[^"]*<', drawn)

"""Where a door is, in one whole sentence per case, because halves cannot be joined in every language (faces.md 2.6).

Left and right are the sides of a thing in the world: they are never mirrored.
"""

from typing import Literal

from parcelwall.notices.language import N_, Words
from parcelwall.rules.layout import Compartment, Layout, Panel

BANDS_MM = (450, 850, 1200, 1500)  # heights of the handle above ground where the next band begins: a judgement
Side = Literal["left", "right", "under"]

# Per side from the ground up.
PLACES: dict[Side, tuple[str, ...]] = {
    "left": (
        N_("Left of the screen, near the ground."),
        N_("Left of the screen, knee height."),
        N_("Left of the screen, waist height."),
        N_("Left of the screen, shoulder height."),
        N_("Left of the screen, high up."),
    ),
    "right": (
        N_("Right of the screen, near the ground."),
        N_("Right of the screen, knee height."),
        N_("Right of the screen, waist height."),
        N_("Right of the screen, shoulder height."),
        N_("Right of the screen, high up."),
    ),
    "under": (
        N_("Under the screen, near the ground."),
        N_("Under the screen, knee height."),
        N_("Under the screen, waist height."),
        N_("Above the screen, shoulder height."),
        N_("Above the screen, high up."),
    ),
}
COLUMNS = (
    N_("Column %(column)s from the left, near the ground."),
    N_("Column %(column)s from the left, knee height."),
    N_("Column %(column)s from the left, waist height."),
    N_("Column %(column)s from the left, shoulder height."),
    N_("Column %(column)s from the left, high up."),
)


def place_sentence(layout: Layout, door: int, words: Words) -> str:
    """`Left of the screen, waist height.`, without a screen `Column 3 from the left, ...`; "" for an unknown door."""
    found = next((each for each in layout.compartments if each.number == door), None)
    if found is None:
        return ""
    band = sum(found.handle_mm >= begins for begins in BANDS_MM)
    if layout.panel is not None:
        return words.gettext(PLACES[_side(found, layout.panel)][band])
    columns = sorted({each.x_mm for each in layout.compartments})
    return words.gettext(COLUMNS[band]) % {"column": columns.index(found.x_mm) + 1}


def _side(door: Compartment, panel: Panel) -> Side:
    middle = door.x_mm + door.width_mm / 2
    if middle < panel.x_mm:
        return "left"
    return "right" if middle > panel.x_mm + panel.width_mm else "under"

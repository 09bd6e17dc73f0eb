"""What a station is made of: sizes, compartments, where each door is. Lengths in millimetres, weights in grams."""

from typing import Literal

import msgspec

Climate = Literal["ambient", "chilled", "frozen"]

REACH_MM = (380, 1220)  # EN 301 549 clause 8.3: operable parts a person in a wheelchair can reach


class Size(msgspec.Struct, frozen=True):
    """One kind of compartment: its inner sides, what it may carry, and how warm it is."""

    name: str
    width_mm: int
    height_mm: int
    depth_mm: int
    limit_g: int = 25_000
    climate: Climate = "ambient"


class Compartment(msgspec.Struct, frozen=True):
    """One space and its door. `x_mm` from the station's left edge, `y_mm` of the door's lower edge above ground."""

    number: int
    size: str
    x_mm: int
    y_mm: int
    width_mm: int
    height_mm: int

    @property
    def handle_mm(self) -> int:
        """Height of the handle above ground: the middle of the door's free side."""
        return self.y_mm + self.height_mm // 2

    @property
    def within_reach(self) -> bool:
        return REACH_MM[0] <= self.handle_mm <= REACH_MM[1]


class Panel(msgspec.Struct, frozen=True):
    """The screen, in millimetres like a compartment, and where the code reader is seen from it."""

    x_mm: int
    y_mm: int
    width_mm: int = 217
    height_mm: int = 136
    reader: Literal["below", "above", "left", "right"] = "below"


class Layout(msgspec.Struct, frozen=True):
    """A whole station as it stands: `StationConfigured` carries one. Compartment numbers are unique, from 1."""

    sizes: tuple[Size, ...]
    compartments: tuple[Compartment, ...]
    panel: Panel | None = None

    @property
    def is_whole(self) -> bool:
        """Whether each compartment has a number of its own, and a size that is one of `sizes`."""
        sizes, numbers = {size.name for size in self.sizes}, {each.number for each in self.compartments}
        sized = all(each.size in sizes for each in self.compartments)
        return sized and len(numbers) == len(self.compartments) and all(number >= 1 for number in numbers)

    def size(self, name: str) -> Size:
        return next(size for size in self.sizes if size.name == name)

    def compartment(self, number: int) -> Compartment | None:
        """None for a number that is not here: something may still lie behind a door that a later layout leaves out."""
        return next((each for each in self.compartments if each.number == number), None)


# The default ladder, after sizes that large networks publish (docs/decisions/0002): inner millimetres.
LADDER = (
    Size("S", 380, 80, 640),
    Size("M", 380, 190, 640),
    Size("L", 380, 410, 640),
    Size("XL", 400, 800, 600),
)
COLUMN_MM, GAP_MM, PLINTH_MM, PANEL_COLUMN_MM = 420, 20, 200, 420


def plain_layout(columns: str = "SSSSSSMMSSSL SSSMMMMMSSSS MMSSSSSSLSSS SSMMMMMSSSSS", panel_after: int = 2) -> Layout:
    """A station of columns given from the top down, such as `"SSML SMML"`, with the panel after that many columns.

    >>> [each.number for each in plain_layout("SM L").compartments]
    [1, 2, 3]
    """
    sizes = {size.name: size for size in LADDER}
    compartments: list[Compartment] = []
    x = 0
    for place, column in enumerate(columns.split()):
        x += PANEL_COLUMN_MM if place == panel_after else 0
        y = PLINTH_MM + sum(sizes[name].height_mm + GAP_MM for name in column)
        for name in column:
            y -= sizes[name].height_mm + GAP_MM
            width, height = COLUMN_MM - GAP_MM, sizes[name].height_mm
            compartments.append(Compartment(len(compartments) + 1, name, x, y, width, height))
        x += COLUMN_MM
    used = {each.size for each in compartments}
    panel = Panel(x_mm=panel_after * COLUMN_MM + 100, y_mm=1000)
    return Layout(tuple(size for size in LADDER if size.name in used), tuple(compartments), panel)

"""Which stations of a crowded map are rings with a name, rings without one, and dots: `console.js` does the same when
somebody comes closer, and keeps to these lengths."""

from collections.abc import Sequence

import msgspec

from parcelwall.hub.watching import AtAGlance

RING, NAME = (78.0, 78.0), (112.0, 20.0)  # how far apart two of them stand, across and down, in units of a pin


class Pin(msgspec.Struct, frozen=True):
    """One station on the map. `x`, `y` in units of the drawing; `ring`: share in use as a part of the circle's line;
    `shape`: "" with its name, "bare" without, "dot" where others stand too close."""

    station: AtAGlance
    x: float
    y: float
    ring: str
    shape: str = ""


def thinned(pins: Sequence[Pin], scale: float) -> tuple[Pin, ...]:
    """The pins with their shapes, dots first, so that nothing covers a ring or its name. What needs somebody has its
    ring before what is full, and that before the rest. `scale`: units of the drawing in one unit of a pin."""
    kept: list[Pin] = []
    dots: list[Pin] = []
    for pin in sorted(pins, key=_rank):
        if any(_within(pin, each, RING, scale) for each in kept):
            dots.append(msgspec.structs.replace(pin, shape="dot"))
        else:
            crowded = any(_within(pin, each, NAME, scale) for each in kept)
            kept.append(msgspec.structs.replace(pin, shape="bare" if crowded else ""))
    return (*dots, *kept)


def _rank(pin: Pin) -> tuple[bool, bool]:
    return not (pin.station.cases or pin.station.faults), pin.station.share < 0.9


def _within(pin: Pin, other: Pin, apart: tuple[float, float], scale: float) -> bool:
    return abs(pin.x - other.x) < apart[0] * scale and abs(pin.y - other.y) < apart[1] * scale

"""Which sizes to build: exchange search on a replay of past requests, judged on others that the search never saw.

Suárez, Deza, Raviv (2026) report that exchange search found the certified optimum wherever one could be certified.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import NamedTuple

import msgspec
import numpy as np

from parcelwall.errors import Trouble
from parcelwall.planning.demand import Requests
from parcelwall.planning.trial import BestFit, replay

Mix = tuple[int, ...]  # compartments of each class, the smallest first
STEPS = (1, 2, 4)  # so many of one class are given up for another


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """What can be built. `height_mm[c]`: what one compartment of class c takes of a column, `total_mm` of all columns.

    `least[c]`: at least so many (within reach, for returns); `worth[s]`: of serving a parcel of size s; `floor`: the
    share served of each size must not fall below it, or below what the start serves if that is less.
    """

    height_mm: tuple[int, ...]
    total_mm: int
    least: tuple[int, ...]
    worth: tuple[float, ...]
    floor: float = 0.0


class Judged(NamedTuple):
    """`value`: worth served of all worth asked for; `served[s]`: share of each size; both 0 to 1. NaN: none asked."""

    value: float
    served: tuple[float, ...]


class Found(NamedTuple):
    """The mix and how it does on what the search saw, and on what it did not."""

    mix: Mix
    past: Judged
    unseen: Judged
    start_past: Judged
    start_unseen: Judged
    tried: int


def judge(mix: Mix, periods: Sequence[Requests], worth: Sequence[float]) -> Judged:
    """Always accept, best fit, each period from an empty station."""
    asked, served = np.zeros(len(worth)), np.zeros(len(worth))
    for each in periods:
        outcome = replay(BestFit(), each, mix)
        asked += np.bincount(each.size, minlength=len(worth))[: len(worth)]
        served += np.bincount(each.size[outcome.served], minlength=len(worth))[: len(worth)]
    weight = np.array(worth)
    with np.errstate(invalid="ignore"):
        share = served / asked
    return Judged(float(weight @ served / (weight @ asked)), tuple(float(each) for each in share))


def search(
    start: Mix, room: Room, past: Sequence[Requests], unseen: Sequence[Requests],
    tick: Callable[[str], None] = lambda _: None, pool: Executor | None = None,
) -> Found:  # fmt: skip
    """From `start`, the best exchange again and again until none is better on `past`; mixes are judged in `pool`.

    Raises Trouble if the start does not fit, or nobody asks for a size that is worth something.
    """
    check(start, room)
    if not any(map(len, past)) or not any(map(len, unseen)):
        raise Trouble("there are no requests to search on or to judge by: give a longer file")
    if not all(_asked_worth(periods, room) > 0 for periods in (past, unseen)):
        raise Trouble("no size that is asked for is worth anything: give --worth above 0 to one that is")
    known: dict[Mix, Judged] = {}
    of_past = partial(judge, periods=past, worth=room.worth)

    def worth(mix: Mix) -> Judged:
        if mix not in known:
            known[mix] = of_past(mix)
        return known[mix]

    floors = [min(room.floor, share) for share in worth(start).served]
    mix = start
    while True:
        tick(f"{'/'.join(map(str, mix))} serves {worth(mix).value:.2%}; {len(known)} mixes tried")
        near = list(neighbours(mix, room))
        if pool:
            new = [each for each in dict.fromkeys(near) if each not in known]
            known.update(zip(new, pool.map(of_past, new), strict=True))
        better = max(near, key=lambda each: _value(worth(each), floors), default=mix)
        if not _value(worth(better), floors) > worth(mix).value + 1e-9:
            break
        mix = better
    then, before = judge(mix, unseen, room.worth), judge(start, unseen, room.worth)
    return Found(mix, worth(mix), then, worth(start), before, len(known))


def _value(judged: Judged, floors: Sequence[float]) -> float:
    kept = all(np.isnan(share) or share >= floor - 1e-9 for share, floor in zip(judged.served, floors, strict=True))
    return judged.value if kept else -1.0


def check(start: Mix, room: Room) -> None:
    """Raises Trouble if nothing can be built from this start in this room."""
    if not len(start) == len(room.height_mm) == len(room.least) == len(room.worth):
        raise Trouble("start, heights, least and worth need one number for each size")
    if min(room.height_mm) <= 0 or not any(start):
        raise Trouble("a compartment of each size takes at least a millimetre, and the start has at least one")
    if height(start, room) > room.total_mm:
        raise Trouble(f"the start takes {height(start, room)} mm and there are {room.total_mm} mm")
    if any(count < least for count, least in zip(start, room.least, strict=True)):
        raise Trouble("the start has fewer compartments of a size than least: start with at least as many")


def _asked_worth(periods: Sequence[Requests], room: Room) -> float:
    return float(sum(np.array(room.worth)[each.size].sum() for each in periods))


def height(mix: Mix, room: Room) -> int:
    """Millimetres of column that the mix takes."""
    return sum(count * each for count, each in zip(mix, room.height_mm, strict=True))


def neighbours(mix: Mix, room: Room) -> Iterator[Mix]:
    """A few of one class given up for as many of another as then find room; what is left over filled from the top."""
    spare = room.total_mm - height(mix, room)
    for taken in range(len(mix)):
        for given in range(len(mix)):
            for step in STEPS if taken != given else ():
                if mix[taken] - step < room.least[taken]:
                    continue
                changed = list(mix)
                changed[taken] -= step
                free = spare + step * room.height_mm[taken]
                changed[given] += free // room.height_mm[given]
                yield filled(tuple(changed), room)


def filled(mix: Mix, room: Room) -> Mix:
    """With what still finds room, the largest first."""
    changed, free = list(mix), room.total_mm - height(mix, room)
    for each in reversed(range(len(mix))):
        changed[each] += free // room.height_mm[each]
        free %= room.height_mm[each]
    return tuple(changed)


def proportional(room: Room, past: Sequence[Requests]) -> Mix:
    """As many of each class as its share of requests: what one would build without a search."""
    size = np.concatenate([each.size for each in past])
    share = np.bincount(size, minlength=len(room.height_mm))[: len(room.height_mm)] / len(size)
    count = room.total_mm / float(share @ np.array(room.height_mm))
    mix = tuple(max(int(count * part), least) for part, least in zip(share, room.least, strict=True))
    while height(mix, room) > room.total_mm:
        largest = max((c for c in range(len(mix)) if mix[c] > room.least[c]), key=lambda c: mix[c])
        mix = tuple(n - (c == largest) for c, n in enumerate(mix))
    return filled(mix, room)

"""Which compartments a parcel fits, whether room may be promised, and which door it gets.

A *kind* is a size with or without reach; a *need* is a bit mask over the kinds a parcel may lie in. All promises in
force can be served at once exactly if Hall's condition holds for every union of needs (Hall 1935, "On
representatives of subsets"). Sets of compartments are bit masks in the order of the layout.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from math import asin, cos, radians, sin, sqrt
from operator import le

import msgspec

from parcelwall.errors import Refusal
from parcelwall.rules.layout import Compartment, Layout, Size
from parcelwall.rules.life import INSIDE, Parcel, Stage

CLEARANCE_MM = 10  # to spare on each axis, so that a parcel that fits on paper fits at the door


def fits(sides_mm: tuple[int, int, int], weight_g: int, size: Size) -> bool:
    """Whether one of the six rotations fits with clearance, and the compartment may carry the weight."""
    inner = sorted((size.width_mm, size.height_mm, size.depth_mm))
    return weight_g <= size.limit_g and all(
        side + CLEARANCE_MM <= room for side, room in zip(sorted(sides_mm), inner, strict=True)
    )


class Plan:
    """A layout made ready for questions: kinds from the smallest, reach zone last within a size."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        volume = {size.name: size.width_mm * size.height_mm * size.depth_mm for size in layout.sizes}
        kinds = {(each.size, each.within_reach) for each in layout.compartments}
        self.kinds = sorted(kinds, key=lambda kind: (volume[kind[0]], kind))
        self.sizes = {size.name: size for size in layout.sizes}
        edges = sorted({each.x_mm for each in layout.compartments})
        self.column = {each.number: edges.index(each.x_mm) for each in layout.compartments}
        self.place = {each.number: index for index, each in enumerate(layout.compartments)}
        self.members = [self._bits(layout.compartments, kind) for kind in self.kinds]
        self.everything = (1 << len(layout.compartments)) - 1
        self._of_kinds: dict[int, int] = {}
        self._of_sizes: dict[str, int] = {}
        self._tests = [self._test(name, reach) for name, reach in self.kinds]

    @staticmethod
    def _bits(compartments: Iterable[Compartment], kind: tuple[str, bool]) -> int:
        return sum(1 << i for i, each in enumerate(compartments) if (each.size, each.within_reach) == kind)

    def bit(self, number: int) -> int:
        """The bit of a compartment; 0 for one that this layout does not have."""
        place = self.place.get(number)
        return 0 if place is None else 1 << place

    def of_kinds(self, kinds: int) -> int:
        """The compartments of all kinds whose bits are set."""
        found = self._of_kinds.get(kinds)
        if found is None:
            found = self._of_kinds[kinds] = sum(self.members[kind] for kind in bits(kinds))
        return found

    def number(self, place: int) -> int:
        return self.layout.compartments[place].number

    def need(self, parcel: Parcel) -> int:
        """The kinds this parcel may lie in; 0 if none."""
        small, middle, large = sorted(parcel.sides_mm)
        weight_g, climate, reach_only = parcel.weight_g, parcel.climate, parcel.reach
        need, bit = 0, 1
        for a, b, c, limit_g, has_climate, reach in self._tests:
            if (small <= a and middle <= b and large <= c and weight_g <= limit_g and climate == has_climate
                    and (reach or not reach_only)):  # fmt: skip
                need |= bit
            bit <<= 1
        return need

    def need_of_size(self, name: str) -> int:
        """The kinds that a parcel which fills a compartment of this size may lie in; 0 for a size that is not here."""
        need = self._of_sizes.get(name)
        if need is None:
            size = self.sizes.get(name)
            need = self._of_sizes[name] = 0 if size is None else self._as_large_as(size)
        return need

    def _as_large_as(self, size: Size) -> int:
        sides = sorted((size.width_mm, size.height_mm, size.depth_mm))
        need = 0
        for kind, (name, _) in enumerate(self.kinds):
            other = self.sizes[name]
            inner = sorted((other.width_mm, other.height_mm, other.depth_mm))
            if other.climate == size.climate and other.limit_g >= size.limit_g and all(map(le, sides, inner)):
                need |= 1 << kind
        return need

    def _test(self, name: str, reach: bool) -> tuple[int, int, int, int, str, bool]:
        """What a parcel's sorted sides, weight and wishes are held against for one kind: `fits`, made ready."""
        size = self.sizes[name]
        a, b, c = (side - CLEARANCE_MM for side in sorted((size.width_mm, size.height_mm, size.depth_mm)))
        return a, b, c, size.limit_g, size.climate, reach

    def smallest(self, need: int) -> str:
        return self.kinds[(need & -need).bit_length() - 1][0]

    def refuse_misfit(self, parcel: Parcel) -> None:
        """Raises the Refusal that says why no compartment of this station, even an empty one, could take it."""
        sizes = [size for size in self.layout.sizes if size.climate == parcel.climate]
        if not sizes:
            raise Refusal("climate_not_here")
        if not any(fits(parcel.sides_mm, 0, size) for size in sizes):
            raise Refusal("parcel_too_large")
        if not any(fits(parcel.sides_mm, parcel.weight_g, size) for size in sizes):
            raise Refusal("parcel_too_heavy")
        raise Refusal("no_reachable_compartment")


@lru_cache(maxsize=512)
def plan_of(layout: Layout) -> Plan:
    """The plan of a layout. Most stations of a network are built alike, and each reading of a book asks again."""
    return Plan(layout)


class Room(msgspec.Struct, frozen=True):
    """What is taken, broken, held by a case, and promised at one station. `promised` counts promises by need.

    `shared` counts, by the bit of a compartment, the parcels in it beyond the first: a fault, but one that must not
    make it free when one of them leaves.
    """

    taken: int = 0
    broken: int = 0
    held: int = 0
    promised: dict[int, int] = {}
    shared: dict[int, int] = {}

    @property
    def unusable(self) -> int:
        return self.taken | self.broken | self.held


def write_room(room: Room) -> str:
    """A Room as text. Sets of compartments are hexadecimal: JSON numbers end at 64 bits."""
    promised = {str(need): count for need, count in sorted(room.promised.items())}
    parts: list[object] = [f"{room.taken:x}", f"{room.broken:x}", f"{room.held:x}", promised]
    if room.shared:
        parts.append({f"{bit:x}": count for bit, count in sorted(room.shared.items())})
    return msgspec.json.encode(parts).decode()


def read_room(text: str) -> Room:
    taken, broken, held, promised, *rest = msgspec.json.decode(text)
    shared = {int(bit, 16): count for bit, count in rest[0].items()} if rest else {}
    needs = {int(need): count for need, count in promised.items()}
    return Room(int(taken, 16), int(broken, 16), int(held, 16), needs, shared)


def free_by_kind(plan: Plan, room: Room) -> list[int]:
    return [(bits & ~room.unusable).bit_count() for bits in plan.members]


def has_room(plan: Plan, room: Room, need: int, overbook: int = 0) -> bool:
    """Whether one more promise of `need` can be kept beside all that are in force."""
    if (plan.of_kinds(need) & ~room.unusable).bit_count() > sum(room.promised.values()):
        return True  # enough for all of them, whatever they need: no union that holds `need` has less room
    promised = _plus(room.promised, need)
    return _hall(plan, room, promised, [union for union in _unions(promised) if union & need == need], overbook)


def promises_fit(plan: Plan, room: Room, overbook: int = 0) -> bool:
    """INV-03: all promises in force can be served at once by the compartments that are free."""
    return _hall(plan, room, room.promised, _unions(room.promised), overbook)


def _unions(promised: dict[int, int]) -> frozenset[int]:
    return _unions_of(tuple(promised))


@lru_cache(maxsize=4096)
def _unions_of(needs: tuple[int, ...]) -> frozenset[int]:
    """All unions of these needs; few, because what fits a small compartment fits a larger one."""
    unions = {0}
    for need in needs:
        unions |= {union | need for union in unions}
    return frozenset(unions - {0})


def _hall(plan: Plan, room: Room, promised: dict[int, int], unions: Iterable[int], overbook: int) -> bool:
    unusable = room.unusable
    for union in unions:
        demand = 0
        for need, count in promised.items():
            if need & ~union == 0:
                demand += count
        if demand > (plan.of_kinds(union) & ~unusable).bit_count() + overbook:
            return False
    return True


def bits(mask: int) -> Iterator[int]:
    """The positions of the bits that are set, lowest first."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def promise(plan: Plan, room: Room, parcel: Parcel, overbook: int = 0) -> str:
    """The size to promise for the parcel. Raises the Refusal that says what stands in the way."""
    need = plan.need(parcel)
    if need == 0:
        plan.refuse_misfit(parcel)
    if not has_room(plan, room, need, overbook):
        if sum(room.promised.values()) >= sum(free_by_kind(plan, room)) + overbook:
            raise Refusal("station_full")
        raise Refusal("no_reachable_compartment" if parcel.reach else "no_fitting_compartment")
    return plan.smallest(need)


class Doors(msgspec.Struct, frozen=True):
    """What else counts at a station's doors: how often each compartment was used, in which ones other parcels of the
    same recipient lie, how many free compartments in reach of each size are kept for those who need them, in which
    order compartments were used last (a number that rises), and whose coil is to be spared: RESTS where it does now, 1
    where one more pulse would make it rest, which whoever collects soon would wait for."""

    uses: dict[int, int] = {}
    mates: tuple[int, ...] = ()
    keep_reach: int = 0
    last: dict[int, int] = {}
    tired: dict[int, int] = {}


ANY = Doors()
RESTS = 2  # of `Doors.tired`


def choose_compartment(
    plan: Plan, room: Room, parcel: Parcel, size: str | None = None, doors: Doors = ANY
) -> int | None:
    """The number of the smallest free compartment that fits, the reach zone last, such that all other promises still
    fit; if a fault has broken them already, the smallest that is free. None if there is none.

    With `size`, one of that size, and only beside all other promises: nobody chooses room that is promised to others.

    One whose coil rests now comes after larger ones: whoever brings the parcel would wait before it. One that a further
    pulse would make rest comes after one in reach of its size, and after no larger one: whoever collects soon would
    wait.

    Among equals: one whose coil need not be spared, then near the recipient's other parcels, else the least used, else
    the one whose last use is longest ago, else the parcel's id decides, so that doors take turns: a coil that is driven
    too often has to rest. Only where `doors.keep_reach` says so, a parcel that needs no reach takes a larger size
    before one of the last compartments in reach.
    """
    others = _minus(room.promised, plan.need(parcel)) if parcel.stage == Stage.RESERVED else room.promised
    kinds = [kind for kind in bits(plan.need(parcel)) if size in (None, plan.kinds[kind][0])]
    candidates = [(kind, free) for kind in kinds if (free := plan.members[kind] & ~room.unusable)]
    choices = [(kind, _best(plan, free, parcel.id.int, doors)) for kind, free in candidates]
    if doors.tired or doors.keep_reach:
        keep = 0 if parcel.reach else doors.keep_reach
        choices.sort(key=lambda each: _against(plan, room, doors, keep, *each))
    for _, choice in choices:
        after = Room(room.taken | choice, room.broken, room.held, others)
        if promises_fit(plan, after):
            return _numbered(plan, choice)
    return _numbered(plan, choices[0][1]) if choices and size is None else None


def _against(plan: Plan, room: Room, doors: Doors, keep: int, kind: int, best: int) -> tuple[bool, bool, int, int]:
    """What speaks against the best compartment of one kind beside those of other kinds, the gravest first."""
    size, within_reach = plan.kinds[kind]
    is_kept = within_reach and (plan.members[kind] & ~room.unusable).bit_count() <= keep
    tired = doors.tired.get(_numbered(plan, best), 0)
    return tired == RESTS, is_kept, [name for name, _ in plan.kinds].index(size), tired


def _numbered(plan: Plan, bit: int) -> int:
    """The number of the compartment with this bit."""
    return plan.number(bit.bit_length() - 1)


def _best(plan: Plan, free: int, turn: int, doors: Doors) -> int:
    """The bit of the best of compartments that are alike."""
    places = list(bits(free))
    n, columns = len(places), [plan.column.get(number, -9) for number in doors.mates]

    def cost(at: int) -> tuple[int, int, int, int, int]:
        number = plan.number(places[at])
        apart = min((abs(plan.column[number] - column) for column in columns), default=2)
        wear = doors.uses.get(number, 0), doors.last.get(number, -1)
        return doors.tired.get(number, 0), min(apart, 2), *wear, (at - turn) % n

    return 1 << places[min(range(n), key=cost)]


def sizes_with_room(plan: Plan, room: Room, parcel: Parcel) -> list[tuple[str, bool]]:
    """The sizes that the parcel fits into, from the smallest, each with whether there is room in it beside all other
    promises."""
    fitting = dict.fromkeys(plan.kinds[kind][0] for kind in bits(plan.need(parcel)))
    return [(size, choose_compartment(plan, room, parcel, size) is not None) for size in fitting]


def room_after(plan: Plan, station: str, room: Room, before: Parcel | None, after: Parcel) -> Room:
    """What a step in a parcel's life does to the room of one station: the whole of the book-keeping, both ways."""
    promised = room.promised
    if before and _promised_at(before, station):
        promised = _minus(promised, plan.need(before))
    if _promised_at(after, station):
        promised = _plus(promised, plan.need(after))
    if before and _inside_at(before, station):
        room = _out_of(room, plan.bit(before.compartment or 0))
    if _inside_at(after, station):
        room = _into(room, plan.bit(after.compartment or 0))
    return room if promised is room.promised else msgspec.structs.replace(room, promised=promised)


def _into(room: Room, bit: int) -> Room:
    if room.taken & bit:
        return msgspec.structs.replace(room, shared=_plus(room.shared, bit))
    return msgspec.structs.replace(room, taken=room.taken | bit)


def _out_of(room: Room, bit: int) -> Room:
    if bit in room.shared:
        return msgspec.structs.replace(room, shared=_minus(room.shared, bit))
    return msgspec.structs.replace(room, taken=room.taken & ~bit)


def _promised_at(parcel: Parcel, station: str) -> bool:
    return parcel.stage == Stage.RESERVED and parcel.station == station


def _inside_at(parcel: Parcel, station: str) -> bool:
    return parcel.stage in INSIDE and parcel.station == station


def _plus(counts: dict[int, int], key: int) -> dict[int, int]:
    return {**counts, key: counts.get(key, 0) + 1}


def _minus(counts: dict[int, int], key: int) -> dict[int, int]:
    left = {**counts, key: counts.get(key, 0) - 1}
    return {key: count for key, count in left.items() if count > 0}


def distance_m(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Great-circle distance in metres between two points given as (lat, lon) in degrees, on a sphere of 6,371 km."""
    lat1, lon1, lat2, lon2 = radians(a[0]), radians(a[1]), radians(b[0]), radians(b[1])
    h = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 2 * 6_371_000 * asin(sqrt(min(1.0, h)))


# Counts by class are enough where sizes are nested: class 0 is the smallest, a parcel of size s fits every c >= s.


def best_fit(free: Sequence[int], size: int) -> int | None:
    """The smallest class that fits and has a free compartment; None if there is none.

    Within one visit no rule can place more (docs/planning/allocation.md has the proof).
    """
    for each in range(size, len(free)):
        if free[each] > 0:
            return each
    return None


def room(free: Sequence[int], promised: Sequence[int], size: int) -> bool:
    """Whether one more promise of `size` can be kept beside `promised` (counts by size): Hall's condition on nested
    classes, `sum of promised >= u, and one more <= sum of free >= u` for every u up to the size."""
    needed = available = 0
    for u in range(len(free) - 1, -1, -1):
        needed += promised[u]
        available += free[u]
        if u <= size and needed + 1 > available:
            return False
    return True

"""Fit, room and doors: against brute force wherever the clever way could be wrong."""

from collections.abc import Sequence
from itertools import permutations, product

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from parcelwall.errors import Refusal
from parcelwall.rules.layout import LADDER, Size, plain_layout
from parcelwall.rules.life import Parcel, Stage
from parcelwall.rules.places import (
    CLEARANCE_MM,
    Plan,
    Room,
    bits,
    choose_compartment,
    distance_m,
    fits,
    free_by_kind,
    has_room,
    promise,
    promises_fit,
    read_room,
    room_after,
    write_room,
)
from rules.samples import PARCEL, PLAN, layout, parcel

INNER = {"S": (380, 80, 640), "M": (380, 190, 640), "L": (380, 410, 640), "XL": (400, 800, 600)}


@pytest.mark.parametrize("size", LADDER, ids=lambda size: size.name)
def test_six_rotations_fit_at_the_limit_and_none_beyond(size: Size) -> None:
    assert (size.width_mm, size.height_mm, size.depth_mm) == INNER[size.name]
    largest = [side - CLEARANCE_MM for side in INNER[size.name]]
    for sides in permutations(largest):
        assert fits(sides, size.limit_g, size)
        assert not fits(sides, size.limit_g + 1, size), "1 g over"
    for axis in range(3):
        over = list(largest)
        over[axis] += 1
        assert not any(fits(sides, 1, size) for sides in permutations(over)), "1 mm over"


def test_the_ladder_carries_25_kg() -> None:
    assert [(size.name, size.limit_g) for size in LADDER] == [(name, 25_000) for name in ("S", "M", "L", "XL")]


def test_need_is_every_kind_that_fits_smallest_first() -> None:
    assert [name for name, _ in PLAN.kinds] == sorted((name for name, _ in PLAN.kinds), key="S M L".split().index)
    small = PLAN.need(parcel(Stage.ANNOUNCED))
    assert small == (1 << len(PLAN.kinds)) - 1
    assert PLAN.smallest(small) == "S"
    medium = PLAN.need(parcel(Stage.ANNOUNCED, height_mm=100))
    assert {PLAN.kinds[kind][0] for kind in bits(medium)} == {"M", "L"}


def test_within_a_size_the_reach_zone_is_filled_last() -> None:
    for (name, reach), (following, _) in zip(PLAN.kinds, PLAN.kinds[1:], strict=False):
        assert not (name == following and reach)
    assert any(reach for _, reach in PLAN.kinds)


def test_reach_is_380_to_1220_at_the_handle() -> None:
    for each in PLAN.layout.compartments:
        assert each.within_reach == (380 <= each.y_mm + each.height_mm // 2 <= 1220)


def test_a_wish_for_reach_is_never_dropped() -> None:
    high = Plan(layout([("S", "ambient", False, (380, 80, 640), 25_000)], [5]))
    assert no(high, reach=True) == "no_reachable_compartment"
    mixed = Plan(layout([("S", "ambient", False, INNER["S"], 25_000), ("S", "ambient", True, INNER["S"], 25_000)],
                        [5, 1]))  # fmt: skip
    assert promise(mixed, Room(), parcel(Stage.ANNOUNCED, reach=True)) == "S"
    taken = Room(taken=mixed.members[1])
    assert no(mixed, taken, reach=True) == "no_reachable_compartment"
    assert choose_compartment(mixed, taken, parcel(Stage.RESERVED, reach=True)) is None


def test_climate_is_never_mixed() -> None:
    cold = Plan(layout([("S", "ambient", True, INNER["S"], 25_000), ("C", "chilled", True, INNER["S"], 25_000)],
                       [1, 1]))  # fmt: skip
    assert choose_compartment(cold, Room(), parcel(Stage.RESERVED, climate="chilled")) == 2
    assert choose_compartment(cold, Room(taken=1), parcel(Stage.RESERVED)) is None
    assert no(cold, climate="frozen") == "climate_not_here"


def no(plan: Plan, room: Room | None = None, **changed: object) -> str:
    with pytest.raises(Refusal) as refused:
        promise(plan, room or Room(), parcel(Stage.ANNOUNCED, **changed))
    return refused.value.reason


def test_refusals_name_the_cause() -> None:
    assert no(PLAN, length_mm=631) == "parcel_too_large"
    assert no(PLAN, weight_g=25_001) == "parcel_too_heavy"
    assert no(PLAN, Room(taken=PLAN.everything)) == "station_full"
    small = Plan(plain_layout("SSS"))
    assert no(small, height_mm=100) == "parcel_too_large"
    assert no(small, Room(promised={small.need(parcel(Stage.RESERVED)): 3})) == "station_full"
    large = PLAN.need(parcel(Stage.RESERVED, height_mm=300))
    assert no(PLAN, Room(promised={large: 2}), height_mm=300) == "no_fitting_compartment"


def test_broken_held_and_taken_are_not_free() -> None:
    for name in ("taken", "broken", "held"):
        assert sum(free_by_kind(PLAN, Room(**{name: 0b11}))) == 6


# Hall's condition against a matching by hand

KINDS = 4
needs = st.integers(1, (1 << KINDS) - 1)


def a_plan(counts: Sequence[int]) -> Plan:
    """Four kinds; which parcel may lie in which is said by the need, so they need not be nested."""
    return Plan(layout([(f"K{i}", "ambient", True, (100 + i, 100, 100), 1) for i in range(KINDS)], list(counts)))


def matched(free: Sequence[int], promised: Sequence[int]) -> int:
    """The most promises that can be served at once, by augmenting paths."""
    seats = [kind for kind, count in enumerate(free) for _ in range(count)]
    taken: dict[int, int] = {}

    def seat(promise: int, tried: set[int]) -> bool:
        for place, kind in enumerate(seats):
            if promised[promise] >> kind & 1 and place not in tried:
                tried.add(place)
                if place not in taken or seat(taken[place], tried):
                    taken[place] = promise
                    return True
        return False

    return sum(seat(promise, set()) for promise in range(len(promised)))


def test_a_matching_by_hand() -> None:
    assert matched([1, 1, 0, 0], [0b11, 0b01]) == 2
    assert matched([0, 1, 0, 0], [0b11, 0b10]) == 1


def counted(promised: Sequence[int]) -> dict[int, int]:
    return {need: list(promised).count(need) for need in promised}


@settings(max_examples=250, deadline=None)
@given(st.lists(st.integers(1, 3), min_size=KINDS, max_size=KINDS), st.integers(0, 2**12 - 1),
       st.lists(needs, max_size=7), needs, st.integers(0, 2))  # fmt: skip
def test_promises_fit_exactly_when_they_can_be_served(
    counts: list[int], taken: int, promised: list[int], more: int, overbook: int
) -> None:
    plan = a_plan(counts)
    room = Room(taken=taken & plan.everything, promised=counted(promised))
    free = free_by_kind(plan, room)
    fitting = matched(free, promised) >= len(promised) - overbook
    assert promises_fit(plan, room, overbook) == fitting
    if fitting:
        one_more = matched(free, [*promised, more]) >= len(promised) + 1 - overbook
        assert has_room(plan, room, more, overbook) == one_more


# the door

STATIONS = st.builds(
    lambda counts: Plan(layout(
        [(name, "ambient", reach, INNER[name], 25_000) for name, reach in product("SML", (False, True))], counts
    )),
    st.lists(st.integers(0, 2), min_size=6, max_size=6).filter(any),
)  # fmt: skip
PARCELS = st.builds(
    lambda height, reach: parcel(Stage.RESERVED, height_mm=height, reach=reach), st.sampled_from([60, 150, 300]),
    st.booleans(),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(STATIONS, st.lists(PARCELS, max_size=5), st.integers(0, 2**12 - 1), PARCELS)
def test_the_door_is_the_smallest_that_breaks_no_promise(
    plan: Plan, others: list[Parcel], taken: int, own: Parcel
) -> None:
    room = Room(taken=taken & plan.everything, promised=counted([n for each in others if (n := plan.need(each))]))
    assume(plan.need(own) and promises_fit(plan, room) and has_room(plan, room, plan.need(own)))
    with_own = Room(room.taken, promised=counted([*expand(room.promised), plan.need(own)]))
    number = choose_compartment(plan, with_own, own)
    assert number is not None, "room was promised, so there is a door"
    assert not room.taken & plan.bit(number)
    size = plan.layout.compartment(number).size
    assert fits(own.sides_mm, own.weight_g, plan.sizes[size])
    after = Room(room.taken | plan.bit(number), promised=room.promised)
    assert promises_fit(plan, after), "the promises of all others still fit"
    chosen = plan.kinds.index((size, plan.layout.compartment(number).within_reach))
    for kind in (kind for kind in bits(plan.need(own)) if kind < chosen):
        free = plan.members[kind] & ~room.taken
        assert not free or not promises_fit(plan, Room(room.taken | (free & -free), promised=room.promised))


def expand(promised: dict[int, int]) -> list[int]:
    return [need for need, count in promised.items() for _ in range(count)]


def test_promises_that_a_fault_has_broken_do_not_send_a_courier_away() -> None:
    small = PLAN.need(parcel(Stage.RESERVED))
    broken = Room(broken=PLAN.everything & ~PLAN.bit(3), promised={small: 3})
    assert not promises_fit(PLAN, broken)
    assert choose_compartment(PLAN, broken, parcel(Stage.RESERVED)) == 3


# book-keeping

LIVES = st.lists(
    st.builds(
        lambda stage, compartment, height, station: parcel(stage, height_mm=height) if stage == Stage.ANNOUNCED else
        parcel(stage, height_mm=height, station=station,
               compartment=compartment if stage in (Stage.READY, Stage.OVERDUE) else None),
        st.sampled_from([Stage.ANNOUNCED, Stage.RESERVED, Stage.READY, Stage.OVERDUE, Stage.COLLECTED]),
        st.integers(1, 9), st.sampled_from([60, 150, 300]), st.sampled_from(["S-0001", "S-0002"]),
    ),
    min_size=1, max_size=6,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(LIVES, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_the_room_after_any_lives_is_what_the_parcels_now_make(lives: list[list[Parcel]], chance: object) -> None:
    """Step by step equals counted anew; and undone, nothing is left."""
    room, now = Room(), dict[int, Parcel]()
    steps = [(index, step) for index, life in enumerate(lives) for step in life]
    chance.shuffle(steps)  # type: ignore[attr-defined]
    for index, step in steps:
        room = room_after(PLAN, "S-0001", room, now.get(index), step)
        now[index] = step
        assert room == counted_anew(now.values())
    gone = parcel(Stage.COLLECTED)
    for last in now.values():
        room = room_after(PLAN, "S-0001", room, last, gone)
    assert room == Room()


def counted_anew(parcels: object) -> Room:
    room = Room()
    for each in parcels:  # type: ignore[attr-defined]
        room = room_after(PLAN, "S-0001", room, None, each)
    return room


def test_a_compartment_with_two_in_it_is_free_when_both_are_out() -> None:
    first, second = parcel(Stage.READY), parcel(Stage.READY, id=PARCEL)
    both = room_after(PLAN, "S-0001", room_after(PLAN, "S-0001", Room(), None, first), None, second)
    assert both == Room(taken=1, shared={1: 1})
    one = room_after(PLAN, "S-0001", both, first, parcel(Stage.COLLECTED))
    assert one == Room(taken=1)
    assert room_after(PLAN, "S-0001", one, second, parcel(Stage.COLLECTED)) == Room()


@given(
    st.builds(
        Room, st.integers(0, 2**300), st.integers(0, 2**300), st.integers(0, 2**300),
        st.dictionaries(st.integers(1, 2**20), st.integers(1, 99)), st.dictionaries(st.integers(1, 2**300),
                                                                                    st.integers(1, 3)),
    )
)  # fmt: skip
@settings(max_examples=50, deadline=None)
def test_a_room_survives_being_written(room: Room) -> None:
    assert read_room(write_room(room)) == room


def test_the_text_of_a_room_stays_as_it_is() -> None:
    assert write_room(Room(0b101, 0b10, 1 << 70, {3: 2})) == '["5","2","400000000000000000",{"3":2}]'
    assert read_room('["5","2","0",{"3":2},{"1":1}]') == Room(5, 2, 0, {3: 2}, {1: 1})


def test_distances() -> None:
    kluuvi, kallio = (60.1692, 24.9440), (60.1841, 24.9502)
    assert distance_m(kluuvi, kluuvi) == 0
    assert 1680 < distance_m(kluuvi, kallio) < 1710
    assert distance_m(kluuvi, kallio) == pytest.approx(distance_m(kallio, kluuvi))
    assert distance_m((0, 0), (0, 180)) == pytest.approx(20_015_087, rel=1e-6)

"""Which door: never a worse size than best fit unless a knob asks for it, near the recipient's other parcels, then the
least used; against trying every door."""

from itertools import permutations
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parcelwall.rules.layout import plain_layout
from parcelwall.rules.life import Parcel, Stage
from parcelwall.rules.places import RESTS, Doors, Plan, Room, choose_compartment, promises_fit
from rules.samples import parcel

PLAN = Plan(plain_layout("SSML SSML SML"))
NUMBERS = sorted(PLAN.place)
DOORS = st.builds(
    Doors, st.dictionaries(st.sampled_from(NUMBERS), st.integers(0, 5)),
    st.lists(st.sampled_from(NUMBERS), max_size=2).map(tuple), st.integers(0, 3),
)  # fmt: skip
TIRED = st.dictionaries(st.sampled_from(NUMBERS), st.integers(1, RESTS)).map(lambda tired: Doors(tired=tired))
PARCELS = st.builds(
    lambda height, reach, turn: parcel(Stage.RESERVED, height_mm=height, reach=reach, id=UUID(int=turn)),
    st.sampled_from([60, 150, 300]), st.booleans(), st.integers(1, 40),
)  # fmt: skip


def free_of(taken: int) -> list[int]:
    return [number for number in NUMBERS if not taken & PLAN.bit(number)]


def kind(number: int) -> tuple[str, bool]:
    each = PLAN.layout.compartment(number)
    return each.size, each.within_reach


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**11 - 1), PARCELS, DOORS)
def test_never_a_worse_size_than_best_fit_unless_reach_is_kept(taken: int, own: Parcel, doors: Doors) -> None:
    room = Room(taken=taken)
    plain, chosen = choose_compartment(PLAN, room, own), choose_compartment(PLAN, room, own, None, doors)
    assert (plain is None) == (chosen is None)
    if plain is None or chosen is None:
        return
    if own.reach or not doors.keep_reach:
        assert kind(chosen) == kind(plain)
    elif kind(chosen) != kind(plain):
        in_reach = [n for n in free_of(taken) if kind(n) == kind(plain)]
        assert kind(plain)[1] and len(in_reach) <= doors.keep_reach, "only before one of the last in reach"
        assert not kind(chosen)[1] or len([n for n in free_of(taken) if kind(n) == kind(chosen)]) > doors.keep_reach


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**11 - 1), PARCELS, DOORS)
def test_among_equals_it_is_what_looking_at_every_door_finds(taken: int, own: Parcel, doors: Doors) -> None:
    chosen = choose_compartment(PLAN, Room(taken=taken), own, None, doors)
    if chosen is None:
        return

    def cost(number: int) -> tuple[int, int]:
        apart = [abs(PLAN.column[number] - PLAN.column[mate]) for mate in doors.mates]
        return min([2, *apart]), doors.uses.get(number, 0)

    assert cost(chosen) == min(cost(n) for n in free_of(taken) if kind(n) == kind(chosen))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**11 - 1), PARCELS, DOORS | TIRED, st.lists(PARCELS, max_size=3))
def test_the_promises_of_others_are_kept_by_any_way(
    taken: int, own: Parcel, doors: Doors, others: list[Parcel]
) -> None:
    needs = [PLAN.need(each) for each in [*others, own]]
    promised = {need: needs.count(need) for need in needs}
    room = Room(taken=taken, promised=promised)
    chosen = choose_compartment(PLAN, room, own, None, doors)
    if not promises_fit(PLAN, room):
        return
    assert chosen is not None
    assert _all_find_one([PLAN.need(each) for each in others], [n for n in free_of(taken) if n != chosen])


def _all_find_one(needs: list[int], free: list[int]) -> bool:
    """By trying every placement."""
    members = [[n for n in free if PLAN.of_kinds(need) & PLAN.bit(n)] for need in needs]
    return any(all(place in may for place, may in zip(places, members, strict=True))
               for places in permutations(free, len(needs))) if len(free) >= len(needs) else False  # fmt: skip


def test_the_other_parcel_of_a_recipient_goes_into_the_same_or_the_next_column() -> None:
    for mate in (n for n in NUMBERS if kind(n)[0] == "S"):
        number = choose_compartment(PLAN, Room(taken=PLAN.bit(mate)), parcel(Stage.RESERVED), None,
                                    Doors(mates=(mate,)))  # fmt: skip
        assert number is not None and abs(PLAN.column[number] - PLAN.column[mate]) <= 1


def test_a_coil_that_one_more_pulse_would_rest_is_spared_where_a_door_of_its_size_is_free_and_only_there() -> None:
    first = choose_compartment(PLAN, Room(), parcel(Stage.RESERVED))
    equal = [n for n in NUMBERS if first is not None and kind(n) == kind(first)]
    fresh, *others = equal
    for tired in (dict.fromkeys(others, 1), {n: 1 + (n != fresh) for n in equal}):
        doors = Doors(uses={fresh: 99}, mates=(others[-1],), tired=tired)
        assert choose_compartment(PLAN, Room(), parcel(Stage.RESERVED), None, doors) == fresh
    chosen = choose_compartment(PLAN, Room(), parcel(Stage.RESERVED), None, Doors(tired=dict.fromkeys(equal, 1)))
    assert chosen is not None and kind(chosen) == ("S", True), "one in reach of its size is"
    small = dict.fromkeys((n for n in NUMBERS if kind(n)[0] == "S"), 1)
    assert choose_compartment(PLAN, Room(), parcel(Stage.RESERVED), None, Doors(tired=small)) in equal, "no larger one"


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**11 - 1), PARCELS, TIRED, st.lists(PARCELS, max_size=3))
def test_nobody_waits_for_a_coil_while_a_door_that_fits_is_free_and_not_promised(
    taken: int, own: Parcel, doors: Doors, others: list[Parcel]
) -> None:
    needs = [PLAN.need(each) for each in [*others, own]]
    room = Room(taken=taken, promised={need: needs.count(need) for need in needs})
    chosen = choose_compartment(PLAN, room, own, None, doors)

    def keeps_promises(number: int) -> bool:
        return _all_find_one([PLAN.need(each) for each in others], [n for n in free_of(taken) if n != number])

    able = [n for n in free_of(taken) if PLAN.of_kinds(PLAN.need(own)) & PLAN.bit(n) and keeps_promises(n)]
    awake = [n for n in able if doors.tired.get(n) != RESTS]
    if awake:
        sizes = [name for name, _ in PLAN.kinds]
        assert chosen in awake and sizes.index(kind(chosen)[0]) == min(sizes.index(kind(n)[0]) for n in awake)
    elif able:
        assert chosen in able, "what is promised to others is not taken, whoever waits"


def test_no_climate_is_crossed_for_anything() -> None:
    for doors in (Doors(), Doors(keep_reach=9), Doors(mates=(1,))):
        assert choose_compartment(PLAN, Room(), parcel(Stage.RESERVED, climate="frozen"), None, doors) is None


@pytest.mark.parametrize("keep", [0, 1])
def test_the_last_in_reach_is_kept_for_who_needs_it_where_the_knob_says_so(keep: int) -> None:
    low = [n for n in NUMBERS if kind(n) == ("S", True)]
    taken = sum(PLAN.bit(n) for n in NUMBERS if kind(n)[0] == "S" and n != low[0])
    chosen = choose_compartment(PLAN, Room(taken=taken), parcel(Stage.RESERVED), None, Doors(keep_reach=keep))
    assert chosen is not None and kind(chosen)[0] == ("S", "M")[keep]
    needing = choose_compartment(PLAN, Room(taken=taken), parcel(Stage.RESERVED, reach=True), None,
                                 Doors(keep_reach=keep))  # fmt: skip
    assert needing == low[0]

"""Offers: the order of stations, the chance that is told, what is said when there is none. Tables in, offers out."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parcelwall.rules import places
from parcelwall.rules.layout import plain_layout
from parcelwall.rules.life import Parcel
from parcelwall.rules.offers import NEVER, SURE, Offer, RoomTable, Standing, rank_offers
from parcelwall.rules.policy import DEFAULT

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
PLAN = places.Plan(plain_layout("SSML SSML"))
FULL = places.Room(taken=PLAN.everything)
SMALL = Parcel(id=UUID(int=1), length_mm=300, width_mm=200, height_mm=60, weight_g=900)


def standing(
    name: str = "S-1", metres: float = 300, chance: float | None = 0.95, lat: float = 60.0, **more: Any
) -> Standing:
    table = None if chance is None else RoomTable(station=name, made_at=NOW, chance={"S": (chance,) * 8})
    given: dict[str, Any] = {"plan": PLAN, "room": places.Room(), "table": table} | more
    return Standing(name, (lat, 24.9), metres, **given)


def offers(*standings: Standing, parcel: Parcel = SMALL, days: int = 2) -> list[Offer]:
    return rank_offers(parcel, standings, NOW + timedelta(days=days), NOW, DEFAULT)[0]


def test_near_and_sure_comes_first_and_a_redirection_costs_a_walk() -> None:
    found = offers(standing("near-unsure", 300, 0.86), standing("far", 2_500, 0.99), standing("sure", 400, 0.99))
    assert [each.station for each in found] == ["sure", "near-unsure", "far"]
    assert all(each.offered for each in found)


def test_the_second_choice_is_within_two_kilometres_of_the_first() -> None:
    near, far = standing("near", 800, lat=60.01), standing("far", 9_000, lat=60.08)
    first = offers(standing(), near, far)[0]
    assert first.second is not None and (first.second.station, first.second.probability) == ("near", 0.95)
    assert 1_100 <= first.second.from_there_m <= 1_125
    assert offers(standing(), far)[0].second is None


def test_where_no_table_says_counts_do_and_the_answer_says_so() -> None:
    stale = RoomTable(station="S-1", made_at=NOW - timedelta(hours=7), chance={"S": (0.9,) * 8})
    for table, why in ((None, "no_table"), (stale, "table_too_old")):
        (only,) = offers(standing(table=table))
        assert (only.offered, only.probability, only.basis, only.why) == (True, None, "counts", why)
    (only,) = offers(standing(), days=30)
    assert (only.probability, only.why) == (None, "table_does_not_reach")
    ahead = RoomTable(station="S-1", made_at=NOW + timedelta(hours=1), chance={"S": (0.9,) * 8})
    assert offers(standing(table=ahead))[0].why == "table_too_old"  # of a clock that is wrong


@pytest.mark.parametrize("bad", [float("nan"), -0.1, 1.1, float("inf")])
def test_a_chance_that_is_none_is_not_told(bad: float) -> None:
    assert offers(standing(chance=bad))[0].probability is None


def test_nobody_is_told_certainty() -> None:
    assert offers(standing(chance=1.0))[0].probability == SURE
    assert offers(standing(chance=0.0))[0].probability == NEVER


def test_what_is_not_offered_says_why_and_comes_last() -> None:
    found = offers(standing("full", 10, room=FULL), standing("unsure", 20, 0.5), standing("shut", 30, in_service=False),
                   standing("good", 4_000))  # fmt: skip
    assert found[0].station == "good"
    assert {each.station: each.reason for each in found} == {
        "good": None, "full": "station_full", "unsure": "too_unsure", "shut": "station_out_of_service"}  # fmt: skip


def test_a_table_full_of_hope_offers_no_room_that_cannot_be_promised() -> None:
    (only,) = offers(standing(chance=0.99, room=FULL))
    assert not only.offered and only.probability == 0.99


def test_a_parcel_that_fits_nowhere_has_another_way() -> None:
    for changed, reason in (({"length_mm": 3_000}, "parcel_too_large"), ({"weight_g": 26_000}, "parcel_too_heavy")):
        parcel = msgspec.structs.replace(SMALL, **changed)
        found, other = rank_offers(parcel, [standing(), standing("S-2")], NOW, NOW, DEFAULT)
        assert other is not None and (other.reason, other.ways) == (reason, ("pick_up_centre", "home"))
        assert [each.reason for each in found] == [reason, reason]
    assert rank_offers(SMALL, [standing(room=FULL)], NOW, NOW, DEFAULT)[1] is None  # full today is no other way
    nowhere = rank_offers(SMALL, [], NOW, NOW, DEFAULT)[1]
    assert nowhere is not None and nowhere.reason == "no_station_near"


@given(st.lists(st.tuples(st.floats(0, 9_000), st.floats(0, 1), st.booleans()), min_size=1, max_size=8))
def test_the_same_stations_in_any_order_give_the_same_offers(rows: list[tuple[float, float, bool]]) -> None:
    made = [standing(f"S-{n}", metres, chance, 60 + metres / 1e5, in_service=serves)
            for n, (metres, chance, serves) in enumerate(rows)]  # fmt: skip
    found = offers(*made)
    assert [o.station for o in found] == [o.station for o in offers(*reversed(made))]
    assert sorted(o.station for o in found) == sorted(each.station for each in made)
    assert [o.offered for o in found] == sorted((o.offered for o in found), reverse=True)

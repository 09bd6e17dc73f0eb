"""Rows of admission: the default is everybody who has room; what a row holds back is what trying every case finds."""

from datetime import date, timedelta
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parcelwall.errors import Refusal
from parcelwall.rules import admission, decide
from parcelwall.rules.admission import Kind, Look, stands_against
from parcelwall.rules.layout import plain_layout
from parcelwall.rules.life import Stage
from parcelwall.rules.offers import Standing, rank_offers
from parcelwall.rules.places import Plan, Room, has_room
from parcelwall.rules.policy import DEFAULT
from parcelwall.rules.tables import AdmissionRow
from rules.samples import NOW, OTHER, parcel

PLAN = Plan(plain_layout("SSML"))  # a station of one column
HELSINKI = ZoneInfo("Europe/Helsinki")
TODAY = NOW.astimezone(HELSINKI).date()
HEIGHT = {"S": 60, "M": 150, "L": 300}
NEED = {size: PLAN.need_of_size(size) for size in HEIGHT}


def row(rule: str, **changed: Any) -> AdmissionRow:
    return msgspec.convert({"type": "AdmissionRow", "name": "r", "rule": rule, **changed}, AdmissionRow)


def kind(size: str = "S", days: int = 0, **changed: Any) -> Kind:
    known = Kind(size, "acme", "", TODAY + timedelta(days=days), 24.0 * days)
    return msgspec.structs.replace(known, **changed)


def no(rows: list[AdmissionRow], asked: Kind | None = None, room: Room | None = None, **of: Any) -> str | None:
    asked = asked or kind()
    at = Look("S-0001", PLAN, room or Room(), of.get("heads", ()))
    found = stands_against(rows, at, NEED[asked.size], asked, 0, NOW)
    return found.name if found else None


def test_without_a_row_everybody_is_admitted_who_has_room() -> None:
    assert no([]) is None
    assert decide.EVERYBODY.rows == ()


def test_rows_sorted_by_station_say_what_all_of_them_say_in_the_same_order() -> None:
    stations = ("", "S-0001", "S-0002", "")
    rows = [row("threshold", name=f"{n:02}", station=stations[n % 4], levels=[n] * 7, expected=[9] * 7)
            for n in range(20)]  # fmt: skip
    sorted_ = admission.Rows(rows)
    assert sorted_ == tuple(rows) and len(list(sorted_.of_station("S-0001"))) == 15
    for station in ("S-0001", "S-0002", "S-0003"):
        assert admission.binding(sorted_, station, kind(), NOW) == admission.binding(rows, station, kind(), NOW)
        assert list(sorted_.of_station(station)) == [each for each in rows if each.station in ("", station)]
    assert not admission.counts_heads(admission.Rows(rows[1:2]), "S-0002")


def test_a_size_needs_all_kinds_that_are_as_large() -> None:
    assert {PLAN.kinds[k][0] for k in range(len(PLAN.kinds)) if NEED["M"] >> k & 1} == {"M", "L"}
    assert PLAN.need_of_size("XXL") == 0


@given(st.lists(st.sampled_from("SML"), max_size=4), st.lists(st.sampled_from("SML"), max_size=2),
       st.sampled_from("SML"))  # fmt: skip
def test_room_that_is_kept_is_as_if_it_were_promised(promised: list[str], kept: list[str], size: str) -> None:
    counts: dict[int, int] = {}
    for each in promised:
        counts[NEED[each]] = counts.get(NEED[each], 0) + 1
    room = Room(promised=counts)
    found = no([row("protect", keep={each: kept.count(each) for each in kept})] if kept else [], kind(size), room)
    if _placed(promised) and has_room(PLAN, room, NEED[size]):
        # whoever may come later still finds the kept room: all of them can be placed at once, or the station is so
        # full that it could not have been kept anyway
        possible = _placed([*promised, *kept, size])
        assert (found is None) == possible or not _placed([*promised, *kept])


def _placed(sizes: list[str]) -> bool:
    """Whether these fit into one column SSML at once, by trying every placement."""
    return any(
        len(set(choice)) == len(choice) and all("SSML"[at] in "SML"["SML".index(size):]
                                                for at, size in zip(choice, sizes, strict=True))
        for choice in product(range(4), repeat=len(sizes))
    ) if len(sizes) <= 4 else False  # fmt: skip


def test_protected_services_are_not_bound() -> None:
    keeping = row("protect", keep={"S": 4}, spared=["express"])
    assert no([keeping]) == "r"
    assert no([keeping], kind(service="express")) is None


@pytest.mark.parametrize(("changed", "bound"), [
    ({"sizes": ["L"]}, False), ({"sizes": ["S", "L"]}, True), ({"carriers": ["other"]}, False),
    ({"services": ["economy"]}, False), ({"lead_h": [1, 48]}, False), ({"lead_h": [0, 24]}, True),
    ({"station": "S-0002"}, False), ({"station": "S-0001"}, True), ({"good_until": NOW - timedelta(seconds=1)}, False),
    ({"good_until": NOW}, True),
])  # fmt: skip
def test_whom_a_row_binds(changed: dict[str, Any], bound: bool) -> None:
    assert no([row("protect", keep={"S": 4}, **changed)]) == ("r" if bound else None)


def test_a_stations_own_row_stands_in_for_the_networks() -> None:
    network = row("protect", keep={"S": 4})
    assert no([network, row("always", station="S-0001", name="own")]) is None
    assert no([network, row("always", station="S-0001", name="own", sizes=["L"])]) == "r"
    assert no([network, row("ended", station="S-0001", name="own")]) == "r"


def test_a_row_of_the_nightly_plan_lifts_no_row_of_the_network() -> None:
    """It may have come into force without anybody: what an admin chose for all stations holds beside it."""
    network = row("protect", keep={"S": 4})
    night = row("threshold", station="S-0001", name="night/S-0001/S/slow", levels=[9.0] * 7, expected=[9.0] * 7)
    assert no([network, night]) == "r"
    assert no([network, night, row("always", station="S-0001", name="own")]) is None, "an admin's own row does"


@given(st.integers(0, 6), st.floats(0, 6), st.floats(0, 6))
def test_a_threshold_counts_the_heads_of_its_day_and_kind(there: int, level: float, expected: float) -> None:
    limit = row("threshold", first_day=TODAY, levels=[level], expected=[expected], sizes=["S"])
    heads = [kind()] * there + [kind("L")] * 3 + [kind(days=1)] * 3
    assert (no([limit], heads=heads) is None) == (there < level or level >= expected)
    assert no([limit], kind(days=1), heads=heads) is None, "a day that it does not reach"


def test_by_weekday_where_no_first_day_is_named() -> None:
    full = [9.0] * 7
    full[TODAY.weekday()] = 0.0
    limit = row("threshold", levels=full, expected=[10.0] * 7)
    assert no([limit]) == "r" and no([limit], kind(days=1)) is None and no([limit], kind(days=7)) == "r"


def test_a_price_is_paid_by_whoever_is_worth_it() -> None:
    dear = row("price", first_day=TODAY, prices=[1.2, 0.4], worth={"express": 2.0})
    assert no([dear]) == "r"
    assert no([dear], kind(service="express")) is None
    assert no([dear], kind(days=1)) is None and no([dear], kind(days=2)) is None


def test_the_refusal_says_the_row_and_the_next_day() -> None:
    limit = row("threshold", first_day=TODAY, levels=[0, 0, 5], expected=[9, 9, 9])
    admits = decide.Admission((limit,), (), HELSINKI)
    asked = parcel(Stage.ANNOUNCED)
    with pytest.raises(Refusal) as refused:
        decide.reserve(asked, "S-0001", PLAN, Room(), OTHER, "tag", "2917", NOW, DEFAULT, admits)
    assert refused.value.reason == "held_for_others"
    assert refused.value.details == {"row": "r", "rule": "threshold", "another_day": "2026-11-24"}
    assert "2026-11-24" in refused.value.sentence
    later = msgspec.structs.replace(asked, expected_at=NOW + timedelta(days=2))
    assert decide.reserve(later, "S-0001", PLAN, Room(), OTHER, "t", "2917", NOW, DEFAULT, admits).size == "S"


def test_all_week_held_names_no_day() -> None:
    at = Look("S-0001", PLAN, Room())
    assert admission.another_day([row("protect", keep={"S": 4})], at, NEED["S"], kind(), 0, NOW) is None
    assert "all week" in admission.what_to_do(None) and "S-0002" in admission.what_to_do(None, "S-0002")


def test_an_offer_is_not_made_where_a_row_stands_against_it() -> None:
    here = Standing("S-0001", (60.17, 24.94), 100.0, PLAN, Room(), zone="Europe/Helsinki")
    other = Standing("S-0002", (60.17, 24.95), 600.0, PLAN, Room(), zone="Europe/Helsinki")
    rows = [row("threshold", station="S-0001", first_day=TODAY, levels=[0.0, 3.0], expected=[5.0, 5.0])]
    made, _ = rank_offers(parcel(Stage.ANNOUNCED), [here, other], NOW, NOW, DEFAULT, rows)
    assert [(o.station, o.reason, o.another_day) for o in made] == [
        ("S-0002", None, None), ("S-0001", "held_for_others", TODAY + timedelta(days=1))]  # fmt: skip


@pytest.mark.parametrize("bad", [
    {"rule": "protect"}, {"rule": "threshold", "levels": [1, 2, 3, 4, 5, 6, 7]}, {"rule": "price"},
    {"rule": "protect", "keep": {"S": -1}}, {"rule": "protect", "keep": {"S": 10**400}},
    {"rule": "price", "prices": [float("nan")] * 7},
    {"rule": "price", "prices": [float("inf")] * 7}, {"rule": "price", "prices": [1.0]}, {"rule": "always", "name": ""},
    {"rule": "always", "good_until": "2026-11-22T08:00:00"},
])  # fmt: skip
def test_a_row_that_cannot_be_is_no_row(bad: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"type": "AdmissionRow", "name": "r", **bad}, AdmissionRow)


def test_days_are_those_of_the_stations_clock() -> None:
    late = parcel(Stage.ANNOUNCED, expected_at=NOW.replace(hour=22, minute=30))  # half past midnight in Helsinki
    asked = admission.kind_of(late, PLAN, PLAN.need(late), NOW, HELSINKI)
    assert asked.day == date(2026, 11, 23) and asked.lead_h == 14.5

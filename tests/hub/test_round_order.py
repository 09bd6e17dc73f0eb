"""The order of a courier's stops: what a phone shows of it, what each carrier's rule does, and what passes a stop."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import msgspec
import pytest
import pytest_asyncio

from hub.test_couriers import COURIER, admit, an_entry
from parcelwall.errors import Refusal
from parcelwall.hub import courier_outbox, couriers, policies, round_order
from parcelwall.hub.house import Hub
from parcelwall.rules import facts
from parcelwall.rules.policy import Policy
from parcelwall.web.courier import round_view, scan_view, stop_view
from parcelwall.web.reader import renderer
from parcelwall.web.views import Look
from parcelwall.web.views_courier import FirstStop
from station.towns import Pen, a_hub, about, announced, cases

STATIONS = ("S-0001", "S-0002", "S-0003")
ORDER = ("S-0003", "S-0001")  # the second stop is in no place: it comes after both


@pytest_asyncio.fixture
async def hub(database: str, tmp_path: Path) -> AsyncIterator[Hub]:
    places = tuple(about(name, lat=60.17 + nth / 100) for nth, name in enumerate(STATIONS))
    async with a_hub(database, tmp_path, stations=places) as hub:
        for station in STATIONS:
            await admit(hub, station)
            await announced(hub, f"PW-{station}", station)
        await announced(hub, "PW-OTHER", "S-0001", carrier="other")
        yield hub


async def order(hub: Hub, *stations: str, day: date | None = None) -> None:
    day = day or round_order.day_at(hub, "S-0001")
    await round_order.give(hub, COURIER, day, stations, await couriers.admissions(hub, COURIER), UUID(int=9))


async def first(hub: Hub, station: str) -> list[tuple[str, bool]]:
    """What the page of that stop shows before itself: stations, and whether it must be said why not."""
    view = await stop_view(hub, COURIER, station, Look())
    assert all(isinstance(each, FirstStop) for each in view.first)
    return [(each.station, each.must) for each in view.first]


async def test_a_round_stands_in_the_order_of_its_day_and_of_no_other(hub: Hub) -> None:
    shown = lambda stops: [(each.station, each.place) for each in stops]  # noqa: E731
    assert shown(await couriers.round_of(hub, COURIER)) == [("S-0001", 0), ("S-0002", 0), ("S-0003", 0)]
    await order(hub, "S-0002", day=round_order.day_at(hub, "S-0001") + timedelta(days=1))
    assert not any(each.place for each in await couriers.round_of(hub, COURIER)), "that is tomorrow's"
    await order(hub, *ORDER)
    stops = await couriers.round_of(hub, COURIER)
    assert shown(stops) == [("S-0003", 1), ("S-0001", 2), ("S-0002", 0)]
    view = round_view(hub, COURIER, stops)
    assert view.ordered and view.next is not None and view.next.station == "S-0003"
    assert "In the order that your operator gave." in renderer().page(view, Look())
    hub.clock.advance(86_400)  # type: ignore[attr-defined]
    assert shown(await couriers.round_of(hub, COURIER))[0] == ("S-0002", 1)
    await order(hub)
    assert not any(each.place for each in await couriers.round_of(hub, COURIER)), "it was taken back"


@pytest.mark.parametrize(
    ("knobs", "shown"),
    [
        ({}, []),
        ({"order_warned": "acme"}, [("S-0003", False), ("S-0001", False)]),
        ({"order_enforced": "*"}, [("S-0003", True), ("S-0001", True)]),
        ({"order_warned": "*", "order_enforced": "other more"}, [("S-0003", False), ("S-0001", True)]),
        ({"order_enforced": "others"}, []),
    ],
    ids=str,
)
async def test_a_carrier_s_rule_counts_where_its_parcels_are(
    hub: Hub, knobs: dict[str, str], shown: list[tuple[str, bool]]
) -> None:
    await order(hub, *ORDER)
    await hub.adopt(Policy(version=2, **knobs))  # type: ignore[arg-type]
    assert await first(hub, "S-0002") == shown
    assert await first(hub, "S-0001") == [each for each in shown if each[0] == "S-0003"]
    assert await first(hub, "S-0003") == []


async def test_scanning_at_a_stop_says_what_the_stop_says(hub: Hub) -> None:
    await order(hub, *ORDER)
    await hub.adopt(Policy(version=2, order_warned="*", order_enforced="other"))
    for station in STATIONS:
        stop, scan = await stop_view(hub, COURIER, station, Look()), await scan_view(hub, COURIER, station)
        assert (scan.first, scan.day) == (stop.first, stop.day), station
        assert ("data-first=" in renderer().page(scan, Look())) == bool(stop.first)
    assert not (await scan_view(hub, COURIER, "S-0404")).first


@pytest.mark.parametrize("what", get_args(courier_outbox.What))
async def test_whatever_comes_first_a_problem_is_reported_anywhere(hub: Hub, what: courier_outbox.What) -> None:
    await order(hub, *ORDER)
    await hub.adopt(Policy(version=2, order_enforced="*"))
    assert await first(hub, "S-0002"), "this stop is not the next"
    [told] = await courier_outbox.take(hub, COURIER, [an_entry(1, what=what, station="S-0002")])
    assert told.state == "done" and told.case


async def test_who_is_admitted_for_some_carriers_is_asked_by_their_rules_alone(hub: Hub) -> None:
    for station in STATIONS:
        await admit(hub, station, carriers=("acme",))
    await order(hub, *ORDER)
    await hub.adopt(Policy(version=2, order_enforced="other"))
    assert await first(hub, "S-0002") == []


async def test_a_stop_is_passed_by_a_note_and_told_twice_it_is_one(hub: Hub) -> None:
    await order(hub, *ORDER)
    await hub.adopt(Policy(version=2, order_enforced="*"))
    day = round_order.day_at(hub, "S-0001")
    away = an_entry(1, kind="passed", what=None, station="S-0003", day=day, why="unreachable")
    been = an_entry(2, kind="passed", what=None, day=day, why="been")
    [told, again] = [(await courier_outbox.take(hub, COURIER, [away]))[0] for _ in range(2)]
    assert told == again and (told.state, bool(told.case)) == ("done", True)
    assert await first(hub, "S-0002") == [("S-0001", True)]
    assert (await courier_outbox.take(hub, COURIER, [been]))[0].state == "done"
    assert await first(hub, "S-0002") == [] and await cases(hub) == ["stop_unreachable"]
    kept = await round_order.of_day(hub, COURIER, day)
    assert [(each.station, each.why) for each in kept.passed] == [("S-0003", "unreachable"), ("S-0001", "been")]
    assert await hub.pool.fetchval("SELECT count(*) FROM entry WHERE kind = 'StopPassed'") == 2
    assert await couriers.problems_today(hub, COURIER, "UTC") == 1, "to have been there is no problem"


async def test_a_note_of_yesterday_passes_nothing_today(hub: Hub) -> None:
    await order(hub, *ORDER)
    await hub.adopt(Policy(version=2, order_enforced="*"))
    late = round_order.day_at(hub, "S-0001") - timedelta(days=1)
    await courier_outbox.take(hub, COURIER, [an_entry(1, kind="passed", station="S-0003", day=late, why="been")])
    assert await first(hub, "S-0001") == [("S-0003", True)]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [({"station": "S-0404"}, "no_right"), ({"day": None}, "bad_field"), ({"why": None}, "bad_field")],
    ids=str,
)
async def test_what_passes_no_stop_of_theirs_is_refused(hub: Hub, changed: dict[str, Any], reason: str) -> None:
    note = an_entry(1, kind="passed", day=date(2026, 11, 22), why="been")
    [told] = await courier_outbox.take(hub, COURIER, [msgspec.structs.replace(note, **changed)])
    assert (told.state, told.reason) == ("refused", reason)


async def test_a_door_that_was_used_today_puts_a_stop_behind(hub: Hub) -> None:
    parcel = await announced(hub, "PW-MORE", "S-0003")
    await order(hub, *ORDER)
    await hub.adopt(Policy(version=2, order_enforced="*"))
    pen = Pen("S-0003", hub.clock)  # type: ignore[arg-type]
    at = hub.clock.now()
    reservation = await hub.pool.fetchval("SELECT reservation FROM parcel WHERE id = $1", parcel)
    entries = pen.write(facts.Deposited(
        parcel=parcel, reservation=reservation, station="S-0003", compartment=1, visit=UUID(int=5), courier=COURIER,
        collect_by=at + timedelta(days=2)))  # fmt: skip
    await hub.receive("S-0003", entries)
    assert await first(hub, "S-0001") == [], "the rest there may come later"
    assert await first(hub, "S-0002") == [("S-0001", True)]


async def test_that_orders_are_gone_is_said_as_long_as_one_could_hold(hub: Hub) -> None:
    assert await round_order.restored_at(hub) is None
    await hub.restored()
    assert await round_order.restored_at(hub) == hub.clock.now()
    hub.clock.advance((round_order.AHEAD_DAYS + 3) * 86_400)  # type: ignore[attr-defined]
    assert await round_order.restored_at(hub) is None


@pytest.mark.parametrize(
    ("stations", "ahead", "field"),
    [(("S-0404",), 0, "stations"), (("S-0001", "S-0001"), 0, "stations"), (("S-0001",), -1, "day"),
     (("S-0001",), 31, "day"), ((), -1, "day")],
)  # fmt: skip
async def test_an_order_that_nobody_can_drive_is_refused(
    hub: Hub, stations: tuple[str, ...], ahead: int, field: str
) -> None:
    with pytest.raises(Refusal) as no:
        await order(hub, *stations, day=round_order.day_at(hub, "S-0001") + timedelta(days=ahead))
    assert no.value.details["field"] == field


async def test_a_rule_names_carriers_that_there_are(hub: Hub) -> None:
    await hub.admit("acme", "Acme")
    await policies.refuse_unknown(hub, Policy(order_enforced="*", order_warned="acme"))
    for odd in ("acmee", "acme  acme", "acme,other", " acme", "* acme"):
        with pytest.raises(Refusal, match="No such carrier"):
            await policies.refuse_unknown(hub, Policy(order_warned=odd))

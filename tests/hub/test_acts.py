"""Two persons: a third door in ten minutes and an area kept longer wait for somebody else, who is somebody else."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from parcelwall.clock import VirtualClock
from parcelwall.errors import Refusal
from parcelwall.hub import acts, acts_due, needs, numbers, staff
from parcelwall.hub.acts import Longer, OneDoor
from parcelwall.hub.commands import Announce, Asked, Destination
from parcelwall.hub.orders import OpenDoor, Outlets
from parcelwall.hub.verify import verify_hub
from parcelwall.ids import seeded
from parcelwall.link import orders as link_orders
from parcelwall.rules import facts
from parcelwall.rules.decide import Order
from parcelwall.rules.layout import plain_layout
from parcelwall.simulation.town import Town, a_town
from rules.samples import NOW

LOOK = OneDoor(1, "look")
AREA = Longer(("S-0001",), 48, "storm")


class Desk:
    def __init__(self, town: Town, clock: VirtualClock, people: dict[str, staff.Person]) -> None:
        self.town, self.hub, self.clock, self.people = town, town.hub, clock, people

    async def brought(self, number: int) -> None:
        order = Order(carrier="acme", reference=f"PW-{number}", length_mm=300, width_mm=200, height_mm=60, weight_g=900)
        await self.hub.desk.ask(Announce(order=order, destination=Destination(station_id="S-0001")))
        await self.town.stations["S-0001"].carry()
        await self.town.stations["S-0001"].deposit(f"PW-{number}")
        await self.town.stations["S-0001"].carry()


@pytest_asyncio.fixture
async def desk(database: str, tmp_path: Path) -> AsyncIterator[Desk]:
    clock = VirtualClock(NOW)
    async with a_town(tmp_path, clock, seeded(clock, 7), durable=False, dsn=database) as town:
        await town.station(facts.StationConfigured(station="S-0001", name="Kluuvi", address="", lat=60.17, lon=24.94,
                                                   layout=plain_layout("SSM SSM")))  # fmt: skip
        for who, role in (("kaisa", "operator"), ("noor", "operator"), ("timo", "technician")):
            await town.hub.admit(who, who, role)
        everybody = {row["id"]: staff.person_of(row) for row in await staff.everybody(town.hub.pool)}
        yield Desk(town, clock, everybody)


async def test_the_third_door_in_ten_minutes_waits_for_somebody_else(desk: Desk) -> None:
    kaisa, noor, timo = (desk.people[name] for name in ("kaisa", "noor", "timo"))
    states = [(await acts.ask_for_door(desk.hub, kaisa, "S-0001", LOOK)).state for _ in range(3)]
    assert states == ["agreed", "agreed", "waiting"]
    [waiting] = [act for act in await acts.under_way(desk.hub, noor) if act.state == "waiting"]
    assert (await needs.needs(desk.hub, noor))[0].about == "second"
    for who, reason in ((kaisa, "second_person_needed"), (timo, "no_right")):
        with pytest.raises(Refusal, match=reason):
            await acts.agree(desk.hub, who, waiting.id)
    agreed = await acts.agree(desk.hub, noor, waiting.id)
    assert (agreed.state, agreed.second) == ("agreed", "noor")
    with pytest.raises(Refusal, match="stale_screen"):
        await acts.agree(desk.hub, noor, waiting.id)
    desk.clock.advance(601)
    assert (await acts.ask_for_door(desk.hub, kaisa, "S-0001", LOOK)).state == "agreed"


async def test_a_key_that_is_used_again_for_another_door_frees_nothing(desk: Desk) -> None:
    """The second call under a key is refused; the door that the first one opened counts all the same."""
    kaisa, outlets = desk.people["kaisa"], Reached(desk.hub)
    for number in (1, 2):
        key = Asked("kaisa", f"key-{number}", b"one door")
        await acts.open_alone(desk.hub, outlets, kaisa, _opening(1, key))
        with pytest.raises(Refusal, match="idempotency_key_reused"):
            await acts.open_alone(desk.hub, outlets, kaisa, _opening(2, Asked("kaisa", f"key-{number}", b"another")))
    with pytest.raises(Refusal, match="second_person_needed"):
        await acts.open_alone(desk.hub, outlets, kaisa, _opening(3, Asked("kaisa", "key-3", b"one door")))


class Reached(Outlets):
    """A way to every station, on which every order is lost."""

    async def reach(self, station: str) -> bool:
        return True

    async def send(self, order: link_orders.Asked, until: datetime) -> None:
        clock = self._hub.clock
        assert isinstance(clock, VirtualClock)
        asyncio.get_running_loop().call_later(0.05, clock.advance, 60.0)  # nobody answers within its time


def _opening(door: int, key: Asked) -> OpenDoor:
    return OpenDoor(station="S-0001", compartment=door, reason="look", asked=key)


@pytest.mark.parametrize("reason", ["", "   ", "x" * 201, "a\nb"])
async def test_no_door_without_a_reason(desk: Desk, reason: str) -> None:
    with pytest.raises(Refusal, match="reason_missing"):
        await acts.ask_for_door(desk.hub, desk.people["kaisa"], "S-0001", OneDoor(1, reason))


async def test_a_reason_tells_of_nobody(desk: Desk) -> None:
    with pytest.raises(Refusal, match="bad_field"):
        await acts.ask_for_door(desk.hub, desk.people["kaisa"], "S-0001", OneDoor(1, "ada@example.org called"))


async def test_an_area_is_kept_longer_by_two_once_and_can_be_taken_back(desk: Desk) -> None:
    for number in range(3):
        await desk.brought(number)
    kaisa, noor = desk.people["kaisa"], desk.people["noor"]
    assert await acts.inside(desk.hub, ["S-0001"]) == 3
    withdrawn = await acts.ask_to_keep_longer(desk.hub, kaisa, AREA)
    await acts.agree(desk.hub, noor, withdrawn.id)
    await acts.withdraw(desk.hub, kaisa, withdrawn.id)
    act = await acts.ask_to_keep_longer(desk.hub, kaisa, AREA)
    assert act.state == "waiting"
    await acts.agree(desk.hub, noor, act.id)
    assert await acts_due.carry_out_due(desk.hub) == 0, "there is a minute to take it back"
    desk.clock.advance(61)
    with pytest.raises(Refusal, match="stale_screen"):
        await acts.withdraw(desk.hub, kaisa, act.id)  # it may be half done already
    assert await acts_due.carry_out_due(desk.hub) == 1
    await desk.hub.pool.execute("UPDATE act SET state = 'agreed' WHERE id = $1", act.id)  # a process died in between
    await acts_due.carry_out_due(desk.hub)
    kept = await desk.hub.pool.fetch("SELECT body FROM entry WHERE kind = 'Extended'")
    assert len(kept) == 3 and all(str(kaisa.actor) in row["body"] for row in kept)
    with pytest.raises(Refusal, match="stale_screen"):
        await acts.withdraw(desk.hub, kaisa, act.id)
    assert await verify_hub(desk.hub.pool) == []


async def test_a_parcel_that_fails_holds_up_no_other_and_somebody_sees_it(desk: Desk) -> None:
    """A row that nobody can read, behind one of three doors: the other two, and the act behind it, go through."""
    for number in range(3):
        await desk.brought(number)
    kaisa, noor, pool = desk.people["kaisa"], desk.people["noor"], desk.hub.pool
    bad, record = await pool.fetchrow("SELECT id, record FROM parcel ORDER BY id LIMIT 1")
    first, second = [await acts.ask_to_keep_longer(desk.hub, who, AREA) for who in (kaisa, noor)]
    await acts.agree(desk.hub, noor, first.id)
    desk.clock.advance(1)
    await acts.agree(desk.hub, kaisa, second.id)
    await pool.execute("UPDATE parcel SET record = '{' WHERE id = $1", bad)
    desk.clock.advance(61)
    for _ in range(2):
        assert await acts_due.carry_out_due(desk.hub) == 0
        assert await pool.fetchval("SELECT count(*) FROM entry WHERE kind = 'Extended'") == 4, "twice two of three"
    stuck = [need.act.id for need in await needs.needs(desk.hub, noor) if need.about == "stuck" and need.act]
    assert stuck == [first.id, second.id]
    desk.clock.advance(3 * 3600)
    assert [act.stuck for act in await acts.under_way(desk.hub, kaisa)] == [True, True], "it does not go out of sight"
    await acts.withdraw(desk.hub, kaisa, second.id)
    await pool.execute("UPDATE parcel SET record = $2 WHERE id = $1", bad, record)
    assert await acts_due.carry_out_due(desk.hub) == 1
    assert await pool.fetchval("SELECT count(*) FROM entry WHERE kind = 'Extended'") == 5
    assert await acts.under_way(desk.hub, kaisa) == [] and await verify_hub(pool) == []


async def test_figures_are_what_the_doors_saw(desk: Desk) -> None:
    for number in range(2):
        await desk.brought(number)
    station = desk.town.stations["S-0001"]
    parcel = await desk.hub.pool.fetchval("SELECT id FROM parcel ORDER BY id LIMIT 1")
    desk.clock.advance(5 * 3600)
    await station.collect(station.code_of(parcel))
    await station.carry()
    desk.clock.advance(60)
    span = numbers.Span(NOW.replace(hour=0), desk.clock.now())
    lie = await numbers.intervals(desk.hub, span)
    assert lie.count == 1 and lie.within_48 == 1.0 and 5 * 3600 <= lie.quantiles_s[2] < 5 * 3600 + 120
    assert (await numbers.use_by_hour(desk.hub, span))[-1][1] == 1
    assert max(n for _, n in await numbers.use_by_hour(desk.hub, span)) == 2
    earlier = numbers.Span(span.since, span.until - timedelta(hours=2), span.stations)
    assert [n for _, n in await numbers.use_by_hour(desk.hub, earlier)] == [0] * 8 + [2] * 4
    assert await numbers.interval_classes(desk.hub, span) == [0, 1, 0, 0, 0, 0, 0]
    assert sum(map(sum, await numbers.peaks(desk.hub, span))) == 3
    doors = await numbers.doors(desk.hub, span)
    assert (doors.deposits, doors.openings, doors.failures) == (2, 3, 0) and 5 < doors.open_s[0] < 9
    assert (await numbers.promises(desk.hub, span)).rate == 1.0
    assert (await numbers.intervals(desk.hub, span.before())).count == 0
    nowhere = numbers.Span(span.since, span.until, ("S-0404",))
    assert (await numbers.promises(desk.hub, nowhere)).rate is None and await numbers.faults(desk.hub, nowhere) == []

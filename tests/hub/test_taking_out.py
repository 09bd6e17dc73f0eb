"""What is late is taken out from afar, through a real hub, line and station: one door at a time, each only once the one
before is shut, and never later than somebody stands there."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
import pytest_asyncio

from hub.test_orders import STATION, Afar
from parcelwall.clock import VirtualClock
from parcelwall.drivers.seen import DoorState
from parcelwall.errors import Refusal
from parcelwall.hub import acts, needs, staff, taking_out
from parcelwall.hub.acts import Act, Out
from parcelwall.hub.sweeps import sweep
from parcelwall.rules import facts
from parcelwall.rules.life import Stage
from station.towns import a_small_town, parcel_at, told

WHY = "goes_back: nobody came"


class Office(Afar):
    """And three late parcels in the station, and people at the console."""

    people: dict[str, staff.Person]
    parcels: list[UUID]
    opened: list[int]  # doors, as they were seen open

    async def begin(self) -> None:
        for who, role in (("kaisa", "operator"), ("noor", "operator"), ("timo", "technician")):
            await self.hub.admit(who, who, role)
        self.people = {row["id"]: staff.person_of(row) for row in await staff.everybody(self.hub.pool)}
        self.opened, found = [], []
        for number in range(3):
            found.append(await told(self.town, f"PW-{number}"))
            await self.station.deposit(f"PW-{number}")
        await self.pass_by(timedelta(hours=60))
        assert await sweep(self.hub) == 3
        await self.station.carry()
        self.parcels = [each.id for each in await taking_out.expired(self.hub, STATION)]
        assert set(self.parcels) == set(found)

    async def pass_by(self, time: timedelta) -> None:
        await self.station.carry()
        self.now.advance(time.total_seconds())
        await self.station.carry()

    @property
    def now(self) -> VirtualClock:
        assert isinstance(self.town.clock, VirtualClock)
        return self.town.clock

    async def ask(self, who: str = "kaisa", *parcels: UUID) -> Act:  # type: ignore[override]
        return await taking_out.ask(self.hub, self.people[who], STATION, parcels or tuple(self.parcels), WHY)

    async def agreed(self) -> Act:
        return await acts.agree(self.hub, self.people["noor"], (await self.ask()).id)

    def open_doors(self) -> list[int]:
        return [line.door for line in self.station.boards.core.profile.doors
                if self.station.boards.state(line.door) == DoorState.OPEN]  # fmt: skip

    async def carried_out(self, act: Act, shuts: bool = True, at_open: object = None) -> str:
        """Until it has ended; meanwhile somebody takes out what lies behind each open door and pushes it shut."""
        working = asyncio.create_task(taking_out.carry_out(self.hub, self.outlets, act))
        while not working.done():
            await asyncio.sleep(0.02)
            if self.station.line is None:
                self.now.advance(10.0)
                continue
            await self.station.carry()
            doors = self.open_doors()
            assert len(doors) <= 1, "one at a time"
            if doors and doors[0] not in self.opened:
                self.opened += doors
                await self.station.carry()
                await asyncio.sleep(0.6)
                if callable(at_open):
                    await at_open()
            if doors and shuts and self.station.line is not None:
                await self.shut(doors[0])
            elif doors:
                self.now.advance(5.0)
        return await working

    async def became(self, act: Act) -> list[str]:
        what = (await acts.find(self.hub, act.id)).what
        assert isinstance(what, Out)
        return [what.became.get(str(parcel), "") for parcel in what.parcels]

    async def stages(self) -> list[str]:
        return [(await parcel_at(self.hub, parcel)).stage for parcel in self.parcels]


@pytest_asyncio.fixture
async def office(database: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with a_small_town(database, tmp_path) as town:
        office = Office(town)
        await office.station.carry()
        office.outlets.attach(STATION, office.send)
        await office.begin()
        yield office


async def test_all_need_two_and_go_door_after_door(office: Office) -> None:
    act = await office.ask()
    assert act.state == "waiting" and (await needs.needs(office.hub, office.people["noor"]))[0].act == act
    with pytest.raises(Refusal, match="second_person_needed"):
        await acts.agree(office.hub, office.people["kaisa"], act.id)
    act = await acts.agree(office.hub, office.people["noor"], act.id)
    assert await office.carried_out(act) == "out"
    assert isinstance(act.what, Out) and office.opened == list(act.what.doors) == sorted(act.what.doors)
    assert await office.stages() == [Stage.TAKEN_BACK] * 3 and await office.became(act) == ["out"] * 3
    rows = await office.hub.pool.fetch("SELECT body FROM entry WHERE kind = 'TakenBack' ORDER BY number")
    taken = [msgspec.json.decode(row["body"], type=facts.TakenBack) for row in rows]
    grants = await office.granted()
    assert [each.visit for each in taken] == [each.grant for each in grants], "who it was stands in the grant"
    assert {(each.by, each.courier) for each in taken} == {("operator", None)}
    kaisa, noor = (office.people[name].actor for name in ("kaisa", "noor"))
    assert {(each.may, each.actor, each.second, each.reason) for each in grants} == {(("take_back",), kaisa, noor, WHY)}
    assert (await acts.find(office.hub, act.id)).state == "done"


async def test_one_goes_alone_and_a_third_waits(office: Office) -> None:
    for parcel in office.parcels[:2]:
        act = await office.ask("kaisa", parcel)
        assert (act.state, await office.carried_out(act)) == ("agreed", "opened")
    assert (await office.ask("kaisa", office.parcels[2])).state == "waiting"
    assert await office.stages() == [Stage.TAKEN_BACK, Stage.TAKEN_BACK, Stage.OVERDUE]


async def test_a_door_that_jams_and_one_collected_meanwhile_hold_up_no_other(office: Office) -> None:
    act, station = await office.agreed(), office.station
    assert isinstance(act.what, Out)
    station.boards.core.jam(act.what.doors[0])
    await station.collect(station.code_of(office.parcels[1]))
    assert await office.carried_out(act) == "out"
    assert await office.became(act) == ["door_failed", "not_for_this_station", "out"]
    assert await office.stages() == [Stage.OVERDUE, Stage.COLLECTED, Stage.TAKEN_BACK]


async def test_a_line_that_is_cut_before_an_open_door_ends_it(office: Office) -> None:
    """Nothing opens later either; what its station tells once it is back is what became of the parcel."""
    act = await office.agreed()

    async def cut() -> None:
        office.outlets.detach(STATION, office.send)
        office.station.cut()

    assert await office.carried_out(act, at_open=cut) == "left_open"
    [door] = office.opened
    await office.station.shut(door)
    office.outlets.attach(STATION, office.send)
    for _ in range(3):
        await office.pass_by(timedelta(seconds=20))
    assert office.pulses() == 4, "three were put in, one taken out"
    assert await office.stages() == [Stage.TAKEN_BACK, Stage.OVERDUE, Stage.OVERDUE]
    [shown] = await taking_out.lately(office.hub, STATION)
    assert isinstance(shown.what, Out) and shown.what.became == {str(office.parcels[0]): "out"}


async def test_a_door_that_nobody_shuts_ends_it(office: Office) -> None:
    assert await office.carried_out(await office.agreed(), shuts=False) == "left_open"
    assert len(office.opened) == 1
    await office.shut(office.opened[0])
    await office.station.carry()


async def test_somebody_who_stops_it_keeps_the_next_door_shut(office: Office) -> None:
    act = await office.agreed()
    with pytest.raises(Refusal, match="stale_screen"):
        await office.ask("noor")  # two at once
    assert await office.carried_out(
        act, at_open=lambda: acts.withdraw(office.hub, office.people["noor"], act.id)
    ) == "withdrawn"
    assert await office.became(act) == ["out", "", ""] and len(office.opened) == 1
    assert (await acts.find(office.hub, act.id)).state == "withdrawn"
    assert (await office.ask("noor", office.parcels[1])).state == "agreed", "the rest may be asked for anew"


async def test_a_recipient_who_stands_there_is_waited_for(office: Office) -> None:
    act, station = await office.ask("kaisa", office.parcels[0]), office.station
    await station.station.kiosk.type_code(station.code_of(office.parcels[2]))
    [door] = office.open_doors()
    office.opened = [door]
    working = asyncio.create_task(taking_out.carry_out(office.hub, office.outlets, act))
    while await office.became(act) != ["door_busy"]:
        await asyncio.sleep(0.02)
        await station.carry()
    assert office.open_doors() == [door] and not working.done()
    await office.shut(door)
    while not working.done():
        await asyncio.sleep(0.02)
        office.now.advance(1.0)
        await station.carry()
        for each in office.open_doors():
            await asyncio.sleep(0.6)
            await office.shut(each)
    assert (await working, await office.became(act)) == ("opened", ["out"])


async def test_who_may_not_and_what_is_not_late(office: Office) -> None:
    for who, reason in (("timo", "no_right"),):
        with pytest.raises(Refusal, match=reason):
            await office.ask(who)
    fresh = await told(office.town, "PW-9")
    await office.station.deposit("PW-9")
    await office.station.carry()
    with pytest.raises(Refusal, match="stale_screen"):
        await office.ask("kaisa", fresh)
    with pytest.raises(Refusal, match="reason_missing"):
        await taking_out.ask(office.hub, office.people["kaisa"], STATION, (office.parcels[0],), " ")

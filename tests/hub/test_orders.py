"""Opening from afar through a real hub, both ends of a line and a real station: never queued, never twice or late."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
import pytest_asyncio

from parcelwall.errors import Refusal
from parcelwall.hub.commands import Asked as ByKey
from parcelwall.hub.house import Hub
from parcelwall.hub.orders import ANSWER_WITHIN_S, OpenDoor, Outlets, as_it_was, open_now
from parcelwall.link.orders import Asked
from parcelwall.rules import facts
from parcelwall.rules.life import Stage
from parcelwall.simulation.town import Town
from station.towns import a_hub, a_small_town, kinds_in, only, parcel_at, told

STATION = "S-0001"


class Afar:
    """A town of one station, and the hub's way to it."""

    def __init__(self, town: Town) -> None:
        self.town, self.hub, self.station = town, town.hub, only(town)
        self.outlets = Outlets(self.hub)
        self.sent: list[str] = []

    async def send(self, asked: Asked, lasts_ms: int) -> None:
        """As web/line.py does it: what the line's end makes goes to the station, if the line still stands."""
        line = self.station.line
        if line is not None:
            self.sent.append(line.hub.order(asked, lasts_ms))
            line.station.hear(self.sent[-1])

    async def ask(self, hub: Hub | None = None, outlets: Outlets | None = None, presence: str = "",
                  command: OpenDoor | None = None, **wanted: Any) -> str:  # fmt: skip
        """Asks while the line carries what it has to."""
        command = command or OpenDoor(**({"station": STATION} | wanted))
        asking = asyncio.create_task(open_now(hub or self.hub, outlets or self.outlets, command, presence))
        while not asking.done():
            await asyncio.sleep(0.02)
            if self.station.line is not None:
                await self.station.carry()
            else:
                self.town.clock.advance(1.0)
        _, outcome = await asking
        return outcome

    async def refused(self, **wanted: Any) -> str:
        with pytest.raises(Refusal) as no:
            await self.ask(**wanted)
        return no.value.reason

    async def shut(self, door: int) -> None:
        await self.town.clock.sleep(6.0)
        await self.station.shut(door)

    def pulses(self) -> int:
        return len(self.station.boards.core.pulses)

    async def granted(self) -> list[facts.Granted]:
        rows = await self.hub.pool.fetch("SELECT body FROM entry WHERE kind = 'Granted' ORDER BY number")
        found = [msgspec.json.decode(row["body"], type=facts.Granted) for row in rows]
        return [each for each in found if each.compartment is not None]


@pytest_asyncio.fixture
async def afar(database: str, tmp_path: Path) -> AsyncIterator[Afar]:
    async with a_small_town(database, tmp_path) as town:
        afar = Afar(town)
        await afar.station.carry()
        afar.outlets.attach(STATION, afar.send)
        yield afar


async def test_an_operator_opens_a_door(afar: Afar) -> None:
    assert await afar.ask(compartment=3, reason="reported stuck") == "opened"
    [grant] = await afar.granted()
    assert (grant.may, grant.by, grant.compartment, grant.reason) == (("service",), "operator", 3, "reported stuck")
    assert afar.pulses() == 1
    assert "OrderAnswered" in await kinds_in(afar.hub, STATION)
    await afar.shut(3)


async def test_a_recipient_collects_by_phone(afar: Afar) -> None:
    parcel = await told(afar.town, "PW-1", proof="token")
    visit = await afar.station.deposit("PW-1")
    await afar.station.carry()
    number = afar.station.station.presence.number()
    assert await afar.refused(parcel=parcel, by="recipient", presence="") == "not_present"
    assert await afar.ask(parcel=parcel, by="recipient", presence=number) == "opened"
    await afar.shut(visit.compartment)
    await afar.station.carry()
    assert (await parcel_at(afar.hub, parcel)).stage == Stage.COLLECTED
    assert await afar.refused(parcel=parcel, by="recipient", presence=number) == "wrong_code"


async def test_nothing_is_kept_for_a_station_without_a_line(afar: Afar) -> None:
    afar.outlets.detach(STATION, afar.send)
    afar.station.cut()
    assert await afar.refused(compartment=3, reason="look") == "station_offline"
    assert await afar.granted() == []
    await afar.station.carry()
    assert afar.pulses() == 0


async def test_a_line_that_goes_down_in_between(afar: Afar) -> None:
    """Granted, and the order is lost: when the line is back the station hears of the grant, and no door moves."""

    async def lost(_: Asked, lasts_ms: int) -> None:
        afar.station.cut()

    afar.outlets.attach(STATION, lost)
    assert await afar.ask(compartment=3, reason="look") == "unanswered"
    await afar.station.carry()
    assert len(await afar.granted()) == 1
    assert afar.pulses() == 0


async def test_an_order_that_lay_on_the_way(afar: Afar) -> None:
    late: list[str] = []

    async def slow(asked: Asked, lasts_ms: int) -> None:
        assert afar.station.line
        late.append(afar.station.line.hub.order(asked, lasts_ms))
        afar.town.clock.advance(15.0)
        afar.station.line.station.hear(late[0])

    afar.outlets.attach(STATION, slow)
    assert await afar.refused(compartment=3, reason="look") == "order_late"
    assert afar.pulses() == 0


async def test_an_order_lives_from_when_it_was_decided(afar: Afar) -> None:
    """However long it took to record it, or to reach the process that the line ends in."""
    good_for: list[int] = []

    async def note(_: Asked, lasts_ms: int) -> None:
        good_for.append(lasts_ms)

    afar.outlets.attach(STATION, note)
    command = OpenDoor(station=STATION, compartment=3, reason="look", reached=True)
    await afar.hub.desk.ask(command)
    assert command.granted is not None and command.until is not None
    for seconds in (0.0, 11.0, 4.0):
        afar.town.clock.advance(seconds)
        await afar.outlets.send(command.granted, command.until)
    assert good_for == [15_000, 4_000], "and the third is over"
    line = afar.station.line
    assert line is not None
    whole, rest = (msgspec.json.decode(msgspec.json.decode(line.hub.order(command.granted, ms))["body"])["not_after"]
                   for ms in good_for)  # fmt: skip
    assert whole - rest == 11_000


async def test_a_copy_of_an_order_opens_nothing(afar: Afar) -> None:
    assert await afar.ask(compartment=3, reason="look") == "opened"
    await afar.shut(3)
    assert afar.station.line
    afar.station.line.station.hear(afar.sent[0])
    await afar.station.carry()
    assert afar.pulses() == 1
    bodies = await afar.hub.pool.fetch("SELECT body FROM entry WHERE kind = 'OrderAnswered' ORDER BY number")
    assert [msgspec.json.decode(row["body"])["outcome"] for row in bodies] == ["opened", "refused"]


async def test_the_same_key_is_one_order(afar: Afar) -> None:
    mine = ByKey("op", "key-1", b"hash")
    for _ in range(2):
        assert await afar.ask(compartment=3, reason="look", asked=mine) == "opened"
    assert (len(afar.sent), len(await afar.granted()), afar.pulses()) == (1, 1, 1)
    await afar.shut(3)


async def test_a_repeat_long_after_an_order_nobody_answered(afar: Afar) -> None:
    """Nothing will come any more: it looks once, and does not wait anew for what is over."""
    mine = ByKey("op", "key-1", b"hash")

    async def lost(_: Asked, lasts_ms: int) -> None:
        afar.station.cut()

    afar.outlets.attach(STATION, lost)
    assert await afar.ask(compartment=3, reason="look", asked=mine) == "unanswered"
    before_s = afar.town.clock.mono()
    assert await afar.ask(compartment=3, reason="look", asked=mine) == "unanswered"
    assert afar.town.clock.mono() - before_s < ANSWER_WITHIN_S / 2
    await afar.station.carry()


async def test_a_repeat_searches_from_its_own_order_on(afar: Afar) -> None:
    """And of an order in between it finds that one's answer, whatever came before and since."""
    orders, heads = [], []
    for door in (1, 2, 3):
        command = OpenDoor(station=STATION, compartment=door, reason="look", asked=ByKey("op", f"{door}", b"hash"))
        heads.append((await afar.hub.head(STATION)).number)
        assert await afar.ask(command=command) == "opened"
        assert command.order is not None
        orders.append(command.order)
        await afar.shut(door)
        await afar.station.carry()
        afar.town.clock.advance(3_600.0)
    assert heads[0] < heads[1] < heads[2]
    for order, head in zip(orders, heads, strict=True):
        assert (await as_it_was(afar.hub, STATION, order))[0] == {STATION: head}
    assert await afar.ask(compartment=2, reason="look", asked=ByKey("op", "2", b"hash")) == "opened"
    assert len(afar.sent) == 3


async def test_what_was_decided_and_rolled_back_is_not_sent(afar: Afar) -> None:
    """Another process had the key first: this one's order was never recorded."""
    mine = ByKey("op", "key-1", b"hash")
    assert await afar.ask(compartment=3, reason="look", asked=mine) == "opened"
    await afar.shut(3)
    stale = Asked(id=afar.hub.ids.new(), station=STATION, door=4, by="operator", reason="look")
    assert await afar.ask(compartment=3, reason="look", asked=mine, granted=stale) == "opened"
    assert (len(afar.sent), len(await afar.granted()), afar.pulses()) == (1, 1, 1)


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [({"compartment": 99}, "bad_field"), ({"compartment": 3, "station": "S-0404"}, "station_unknown"),
     ({"compartment": 3, "reason": "ask ada@example.org"}, "bad_field"), ({}, "bad_field"),
     ({"parcel": UUID(int=1), "by": "recipient"}, "not_found")],
)  # fmt: skip
async def test_what_is_not_ordered_at_all(afar: Afar, wanted: dict[str, Any], reason: str) -> None:
    assert await afar.refused(**wanted) == reason
    assert (afar.sent, await afar.granted()) == ([], [])


async def test_while_somebody_is_at_the_screen(afar: Afar) -> None:
    await told(afar.town, "PW-1")
    visit = await afar.station.station.keeper.serve(afar.station.desk.deposit_by_label("PW-1", afar.station.courier))
    assert await afar.refused(compartment=visit.compartment % 8 + 1, reason="look") == "door_busy"
    assert afar.pulses() == 1
    await afar.shut(visit.compartment)


async def test_the_line_may_end_in_another_process(afar: Afar, database: str, tmp_path: Path) -> None:
    """Two processes of one hub: one is asked, the line ends in the other."""
    async with a_hub(database, next(tmp_path.rglob("master.key")).parent, afar.town.clock, slot=2) as other:
        elsewhere = Outlets(other)
        listening = [asyncio.create_task(hub.bells.listen(database)) for hub in (afar.hub, other)]
        try:
            for number in (3, 4):
                assert await _soon(lambda: elsewhere.reach(STATION))
                assert await afar.ask(other, elsewhere, compartment=number, reason="look") == "opened"
                await afar.shut(number)
            afar.outlets.detach(STATION, afar.send)
            assert not await elsewhere.reach(STATION)
        finally:
            for task in listening:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task


async def _soon(true: Any) -> bool:
    """Both processes listen a moment after they were started."""
    return any([await true() for _ in range(3)])

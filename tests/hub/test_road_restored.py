"""A hub that was restored and a courier's phone: nothing is learnt before what it follows from."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from hub.backups import Backups
from hub.test_road import read_back, shown
from parcelwall.errors import Refusal
from parcelwall.hub import road as hub_road
from parcelwall.link.hub_end import HubEnd
from parcelwall.rules.life import Stage
from parcelwall.simulation.check import check_books
from parcelwall.simulation.town import HUB_NAME, Line, Town
from station.towns import a_small_town, announced, only, parcel_at, told


@pytest_asyncio.fixture
async def town(database: str, tmp_path: Path) -> AsyncIterator[Town]:
    async with a_small_town(database, tmp_path) as town:
        yield town


class CutOff(Line):
    """Falls when the hub has welcomed the station: what that would say first is never heard."""

    async def _to_hub(self, messages: list[str]) -> None:
        if not self.station.welcomed:
            await super()._to_hub(messages)


@pytest.mark.parametrize("differs", [False, True])
async def test_no_phone_brings_what_follows_from_what_was_lost(town: Town, backups: Backups, differs: bool) -> None:
    """The line broke off after the new epoch had begun (found by storm 91008): a deposit would be learnt before the
    promise that it keeps. Where the two have different books of a past stream, no line could ever heal it."""
    kluuvi = only(town)
    backup = await backups.make()
    late = await told(town, "PW-2")
    await kluuvi.carry()
    kluuvi.cut()
    await kluuvi.deposit("PW-2")
    async with backups.restored(backup) as hub:
        hub_end = HubEnd(hub, hub.signer, HUB_NAME, hub.ids.secret(32), hub.clock)
        await CutOff(kluuvi.station.line_end(HUB_NAME), hub_end).connect()
        assert kluuvi.station.memory.hub_writer == hub.streams.station("S-0001")
        if differs:
            await hub.differs("S-0001", "hub:1/S-0001")
            await hub_road.take(hub, shown(kluuvi))
            return
        with pytest.raises(Refusal) as no:
            await hub_road.take(hub, shown(kluuvi))
        assert no.value.reason == "bundle_unknown"
        kluuvi.cut()
        await kluuvi.carry()
        assert (await parcel_at(hub, late)).stage == Stage.READY
        kluuvi.cut()
        await kluuvi.collect(kluuvi.code_of(late))
        await hub_road.take(hub, shown(kluuvi))
        assert (await parcel_at(hub, late)).stage == Stage.COLLECTED
        await kluuvi.carry()
        assert await check_books(hub.pool, [kluuvi.station.memory]) == []


async def test_no_phone_brings_anything_to_a_hub_that_wrote_on_and_was_not_told(town: Town, backups: Backups) -> None:
    """The line refuses it, so the station is dark and phones come. As many entries are not the same entries."""
    kluuvi = only(town)
    backup = await backups.make()
    await told(town, "PW-2")
    kluuvi.cut()
    await kluuvi.deposit("PW-2")
    async with backups.restored(backup, told_so=False) as hub:
        for number in range(2):
            await announced(hub, f"PW-3{number}", "S-0001")
        with pytest.raises(Refusal) as no:
            await hub_road.take(hub, shown(kluuvi))
        assert no.value.reason == "bundle_unknown"


async def test_an_answer_from_before_does_not_count_after_the_welcome(town: Town, backups: Backups) -> None:
    """It says that the hub has what it has lost since: the station would show it to no phone any more."""
    kluuvi = only(town)
    await told(town, "PW-2")
    backup = await backups.make()
    kluuvi.cut()
    await kluuvi.deposit("PW-2")
    answer = await hub_road.take(town.hub, shown(kluuvi))
    async with backups.restored(backup) as hub:
        hub_end = HubEnd(hub, hub.signer, HUB_NAME, hub.ids.secret(32), hub.clock)
        await CutOff(kluuvi.station.line_end(HUB_NAME), hub_end).connect()
        await read_back(kluuvi, answer.sheets)
        assert await check_books(hub.pool, [kluuvi.station.memory]) == []
        carried = await hub_road.take(hub, shown(kluuvi))
        assert carried.through == kluuvi.station.memory.wrote().number
        await read_back(kluuvi, carried.sheets)
        assert kluuvi.station.memory.unsent() == 0

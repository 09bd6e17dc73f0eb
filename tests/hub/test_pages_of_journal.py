"""The journal leaf by leaf: every entry once, and of a rare kind all there are, however far back they stand."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from parcelwall.clock import VirtualClock
from parcelwall.hub.pages_of_journal import NEWEST, Place, across, leaf, reached, streams_of
from parcelwall.rules import facts
from station.towns import Pen, a_hub, about


@pytest.mark.parametrize(("kind", "back"), [("", 1_000), ("Power", 1_000), ("Power", 30), ("ClockSet", 30)])
async def test_every_entry_is_on_one_leaf(database: str, tmp_path: Path, kind: str, back: int) -> None:
    async with a_hub(database, tmp_path, stations=(about("S-0001"),)) as hub:
        assert isinstance(hub.clock, VirtualClock)
        pen = Pen("S-0001", hub.clock)
        rare = {1, 2, 40, 119}
        told = [facts.Power(status="mains") if n in rare else facts.WrongCode(count=1) for n in range(1, 121)]
        await hub.receive("S-0001", pen.write(*told))
        stream = next(each for each in await streams_of(hub, "S-0001") if each.writer == "S-0001")
        seen, before = [], NEWEST
        while before:
            page = await leaf(hub, stream, before, kind, back)
            seen += [entry.number for entry in page.entries]
            before = page.older or 0
        assert seen == {"": list(range(120, 0, -1)), "Power": sorted(rare, reverse=True)}.get(kind, [])


async def test_the_journal_of_all_is_one_order_of_an_area_and_a_time(database: str, tmp_path: Path) -> None:
    async with a_hub(database, tmp_path, stations=(about("S-0001"), about("S-0002", lat=60.18))) as hub:
        assert isinstance(hub.clock, VirtualClock)
        began = hub.clock.now()
        pens = [Pen(station, hub.clock) for station in ("S-0001", "S-0002")]
        for nth in range(80):
            hub.clock.advance(60)
            pen = pens[nth % 2]
            await hub.receive(pen.station, pen.write(facts.WrongCode(count=1), facts.Power(status="mains")))

        async def all_of(area: tuple[str, ...], since_min: int, until_min: int, kind: str = "") -> list[Any]:
            below: Place | None = Place(began + timedelta(minutes=until_min))
            found = []
            while below:
                page = await across(hub, area, began + timedelta(minutes=since_min), below, kind)
                found += [(writer, entry.number) for writer, entry in page.entries if not writer.startswith("hub:")]
                below = page.older
            return found

        newest_first = [(nth, more) for nth in reversed(range(80)) for more in (0, 1)]
        everything = [(f"S-000{1 + nth % 2}", nth // 2 * 2 + 2 - more) for nth, more in newest_first]
        assert await all_of((), 0, 81) == everything, "each once, the newest first, over several leaves"
        assert await all_of(("S-0002",), 0, 81) == [each for each in everything if each[0] == "S-0002"]
        assert await all_of((), 20, 31) == everything[2 * 50 : 2 * 60], "those of the 21st to the 30th minute"
        assert await all_of((), 20, 31, "Power") == everything[2 * 50 : 2 * 60 : 2]
        stream = next(each for each in await streams_of(hub, "S-0001") if each.writer == "S-0001")
        assert await reached(hub, stream, began + timedelta(minutes=3)) == 4, "of the 1st and the 3rd minute"
        assert await reached(hub, stream, began) == 0

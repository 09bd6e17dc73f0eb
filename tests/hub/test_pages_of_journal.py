"""The journal leaf by leaf: every entry once, and of a rare kind all there are, however far back they stand."""

from pathlib import Path

import pytest

from parcelwall.clock import VirtualClock
from parcelwall.hub.pages_of_journal import NEWEST, leaf, streams_of
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

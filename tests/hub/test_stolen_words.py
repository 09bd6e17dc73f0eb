"""A stolen station's computer writes facts that are the hub's alone: kept, believed by nobody, and no page fails."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest_asyncio

from parcelwall.clock import VirtualClock
from parcelwall.hub import case_notes, numbers, screen, staff
from parcelwall.hub.house import Hub
from parcelwall.rules import facts
from station.towns import NOW, Pen, a_hub, about

ACTOR, CASE = uuid4(), uuid4()


@pytest_asyncio.fixture
async def hub(database: str, tmp_path: Path) -> AsyncIterator[Hub]:
    async with a_hub(database, tmp_path, stations=(about("S-0001"), about("S-0002"))) as hub:
        assert isinstance(hub.clock, VirtualClock)
        pen = Pen("S-0001", hub.clock)
        for each in (
            facts.ScreenNoted(station="S-0002", texts={"en": "Closed for ever"}, until=NOW + timedelta(days=2)),
            facts.StaffChanged(what="admitted", person=ACTOR, role="admin", actor=uuid4()),
            facts.CaseNoted(case=CASE, what="sent", station="S-0002", note="nobody", actor=ACTOR),
        ):
            await hub.receive("S-0001", pen.write(each))
        for kind in ("ScreenNoted", "StaffChanged", "Looked", "WrittenOff", "CaseNoted"):
            await hub.receive("S-0001", pen.raw((kind, "x")))
        yield hub


async def test_no_screen_is_said_to_say_it(hub: Hub) -> None:
    assert await screen.history(hub, "S-0002") == []


async def test_nobody_is_said_to_be_on_the_way(hub: Hub) -> None:
    assert await case_notes.of_cases(hub.pool, {CASE: NOW - timedelta(days=1)}) == {}


async def test_nobody_is_kept_from_agreeing_or_counted_as_looking(hub: Hub) -> None:
    assert await staff.looks(hub.pool, hub.clock.now()) == {}
    second = staff.Person("second", "second", "admin", actor=ACTOR)
    assert not await staff.is_new(hub, second)


async def test_figures_are_made_all_the_same(hub: Hub) -> None:
    for stations in ((), ("S-0002",), ("S-0001",)):
        span = numbers.Span(NOW - timedelta(hours=1), NOW + timedelta(hours=1), stations)
        assert all(used == 0 for _, used in await numbers.use_by_hour(hub, span))

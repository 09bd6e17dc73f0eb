"""What one more compartment would have served: counted as docs/numbers.md says, from real refusals."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import combinations, pairwise
from pathlib import Path

import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from parcelwall.clock import VirtualClock
from parcelwall.hub import house
from parcelwall.hub.commands import Announce, Destination
from parcelwall.hub.numbers import Span
from parcelwall.hub.one_more import OneMore, one_more, served
from parcelwall.ids import seeded
from parcelwall.rules.decide import Order
from parcelwall.rules.facts import StationConfigured
from parcelwall.rules.layout import plain_layout

START = datetime(2026, 11, 2, 8, tzinfo=UTC)


@given(st.lists(st.integers(0, 40), max_size=8), st.integers(1, 15))
def test_nobody_could_serve_more_with_one_compartment(hours: list[int], busy_h: int) -> None:
    times = [START + timedelta(hours=hour) for hour in hours]
    busy = timedelta(hours=busy_h)
    best = max(
        len(chosen) for many in range(len(times) + 1) for chosen in combinations(sorted(times), many)
        if all(later - earlier >= busy for earlier, later in pairwise(chosen))
    )  # fmt: skip
    assert served(times, busy) == best


@pytest_asyncio.fixture
async def hub(database: str, tmp_path: Path) -> AsyncIterator[house.Hub]:
    clock = VirtualClock(START)
    async with house.serving(database, tmp_path, clock, seeded(clock, 7)) as opened:
        about = StationConfigured(station="S-0001", name="Kluuvi", address="Here 1", lat=60.17, lon=24.94,
                                  layout=plain_layout("S M"))  # fmt: skip
        await opened.configure(about, joined=True)
        await opened.admit("acme", "Acme")
        yield opened


async def _order(hub: house.Hub, number: int, height_mm: int) -> str:
    order = Order(carrier="acme", reference=f"A-{number}", length_mm=300, width_mm=200, height_mm=height_mm,
                  weight_g=900)  # fmt: skip
    answer = await hub.desk.ask(Announce(order=order, destination=Destination(station_id="S-0001")))
    return str(answer.body["stage"])


async def test_who_was_turned_away_is_counted_by_the_size_that_was_missing(hub: house.Hub) -> None:
    stages = []
    for number in range(6):
        stages.append(await _order(hub, number, 60))
        hub.clock.advance(3600)  # type: ignore[attr-defined]
    stages.append(await _order(hub, 6, 700))  # fits nothing: more compartments of these sizes would not help
    assert stages == ["RESERVED", "RESERVED", *["DIVERTED"] * 5], "one in S, one in M, and no more room"
    span = Span(START, hub.clock.now() + timedelta(seconds=1))
    assert await one_more(hub, span) == [OneMore("S", 4, None), OneMore("M", 0, None)], "nothing was collected yet"
    assert await one_more(hub, span.before()) == [OneMore("S", 0, None), OneMore("M", 0, None)]

"""A line that is taken down in the very moment in which something is rung for it."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from parcelwall.hub.followers import Bells
from parcelwall.web.line import _ship_news


class Quiet:
    """The hub's end of a line to a station of which there is no news."""

    station = "S-0001"

    async def news(self) -> list[str]:
        return []


@pytest.mark.parametrize("turns", range(6))
async def test_who_waits_for_news_ends_when_told_to(turns: int) -> None:
    """However many turns of the loop lie between the bell and the end: in one the wait is over, and nobody told."""
    bells = Bells()
    hub = SimpleNamespace(bells=bells, stations=SimpleNamespace(known={}))
    waits = asyncio.create_task(_ship_news(cast(Any, None), cast(Any, Quiet()), cast(Any, hub), asyncio.Lock()))
    for _ in range(5):
        await asyncio.sleep(0)
    bells.ring([Quiet.station])
    for _ in range(turns):
        await asyncio.sleep(0)
    waits.cancel()
    done, _ = await asyncio.wait([waits], timeout=1.0)
    assert waits in done, "it goes on for ever, and the line with it"

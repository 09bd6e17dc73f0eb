"""How a line ends: in the very moment in which something is rung for it, and while the hub has no database."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from parcelwall.hub.followers import Bells
from parcelwall.link import frames
from parcelwall.link.station_end import HelloBody
from parcelwall.web.app import hub_app
from parcelwall.web.line import _ship_news
from parcelwall.web.serving import listen, serving
from station.towns import a_hub

HELLO = HelloBody(station="S-0001", nonce="00" * 32, boot="b", mono=1, at="", wrote={}, has={})


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


@pytest.mark.parametrize("is_silent", [False, True])
async def test_a_station_reads_that_the_hub_has_no_database_now(database: str, tmp_path: Path, is_silent: bool) -> None:
    """Whatever the way in which it is gone: a line that only broke would send whoever looks to the wrong cable."""
    async with a_hub(database, tmp_path) as hub, serving(hub_app(hub), listen("127.0.0.1", 0)) as port:
        await hub.pool.expire_connections()
        hub.answering.is_silent = is_silent
        hub.pool.set_connect_args("postgresql://parcelwall@127.0.0.1:1/nobody-listens")
        async with connect(f"ws://127.0.0.1:{port}/link", subprotocols=[frames.SUBPROTOCOL], proxy=None) as line:  # type: ignore[list-item]
            await line.recv()
            await line.send(frames.encode(frames.Hello(msgspec.json.encode(HELLO).decode(), "00" * 64)))
            with pytest.raises(ConnectionClosed) as end:
                await asyncio.wait_for(line.recv(), 5)
    assert end.value.rcvd is not None, "it only broke"
    assert (end.value.rcvd.code, end.value.rcvd.reason) == (1013, "the hub cannot reach its database now")

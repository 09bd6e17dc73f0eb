"""A database whose line went silent: nothing is closed, nothing arrives. Whoever waits is told so in time."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import asyncpg
import httpx
import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from hub.silent_line import SilentLine, a_line
from parcelwall.errors import Trouble
from parcelwall.hub.answering import Answering, dial
from parcelwall.hub.database import connect
from parcelwall.hub.followers import CHANNEL, Bells
from parcelwall.hub.house import Hub
from parcelwall.hub.reading import LOST
from parcelwall.web.app import hub_app
from station.towns import a_hub, about, announcing

POOL = 8
NOTICED_S = 5.0  # here a question comes each 0.1 s and has half a second for its answer


class AtALine(NamedTuple):
    """A hub that listens, the line to its database, and the database as it is reached without that line."""

    hub: Hub
    line: SilentLine
    database: str


@asynccontextmanager
async def a_line_to(database: str) -> AsyncIterator[tuple[SilentLine, str]]:
    """And the address of the database at its end."""
    parts = urlsplit(database)
    where = {name: value for name, [value] in parse_qs(parts.query).items()}
    async with a_line(f"{where['host']}/.s.PGSQL.{where['port']}") as line:
        yield line, f"postgresql://parcelwall@127.0.0.1:{line.port}{parts.path}"


@pytest_asyncio.fixture
async def at_a_line(database: str, tmp_path: Path) -> AsyncIterator[AtALine]:
    async with a_line_to(database) as (line, dsn), a_hub(dsn, tmp_path, stations=(about("S-0001"),)) as hub:
        hub.answering.ask_every_s, hub.answering.answer_within_s = 0.1, 0.5
        listening = asyncio.create_task(hub.bells.listen(dsn, hub.answering))
        await _hears(hub, database)
        yield AtALine(hub, line, database)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


async def _hears(hub: Hub, database: str) -> None:
    """Waits until what another process notifies is heard here."""
    bell = hub.bells.hang("S-0001")
    other = await asyncpg.connect(database)
    async with asyncio.timeout(NOTICED_S):
        while not bell.is_set():
            await other.execute("SELECT pg_notify($1, 'S-0001')", CHANNEL)
            await asyncio.sleep(0.05)
    await other.close()
    hub.bells.take_down("S-0001", bell)


async def _is_lost(hub: Hub) -> None:
    with pytest.raises(LOST):
        await hub.pool.fetchval("SELECT 1")


@pytest.mark.parametrize("how", ["silent", "forgotten"])
async def test_whoever_waits_is_told_in_time_and_all_goes_on_when_it_answers(at_a_line: AtALine, how: str) -> None:
    """Also those who wait for one of the connections; and news is heard again, which nobody can wait for."""
    hub, line, database = at_a_line
    await asyncio.gather(*(hub.pool.fetchval("SELECT pg_sleep(0.05)") for _ in range(POOL)))
    line.falls_silent() if how == "silent" else line.forgets_who_stands()
    with capture_logs() as logs:
        async with asyncio.timeout(NOTICED_S):
            with pytest.raises(Trouble, match="cannot reach its database"):
                await hub.desk.ask(announcing("PW-1", "S-0001"))
            if how == "silent":
                await asyncio.gather(*(_is_lost(hub) for _ in range(3 * POOL)))
    line.speaks()
    await _hears(hub, database)
    assert (await hub.desk.ask(announcing("PW-1", "S-0001"))).status == 201
    assert "database_silent" in [each["event"] for each in logs]


async def test_while_it_is_silent_nobody_waits_at_all(at_a_line: AtALine) -> None:
    hub, line, _ = at_a_line
    line.falls_silent()
    await asyncio.wait_for(_is_lost(hub), NOTICED_S)
    async with asyncio.timeout(0.2):
        for _ in range(3 * POOL):
            await _is_lost(hub)


async def test_connections_that_were_let_go_are_gone_at_the_server_too(at_a_line: AtALine) -> None:
    hub, line, database = at_a_line
    for _ in range(2):
        line.falls_silent()
        await asyncio.wait_for(asyncio.gather(*(_is_lost(hub) for _ in range(POOL))), NOTICED_S)
        line.speaks()
        await _hears(hub, database)
    other = await asyncpg.connect(database)
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    async with asyncio.timeout(NOTICED_S):
        while await other.fetchval(sessions) > POOL + 1:
            await asyncio.sleep(0.05)
    await other.close()


async def test_a_session_that_listened_is_gone_at_the_server_though_something_keeps_its_wire(database: str) -> None:
    answering = Answering(ask_every_s=0.1, answer_within_s=0.5)
    answering.ends_unasked_s = 1.0
    other = await asyncpg.connect(database)
    pids = "SELECT array_agg(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    async with a_line_to(database) as (line, dsn):
        listening = asyncio.create_task(Bells().listen(dsn, answering))
        async with asyncio.timeout(NOTICED_S):
            while not (before := await other.fetchval(pids)):
                await asyncio.sleep(0.05)
            await asyncio.sleep(1.5)
            assert await other.fetchval(pids) == before, "who is asked stays"
            line.forgets_who_stands()
            while set(before) & set(await other.fetchval(pids) or ()):
                await asyncio.sleep(0.05)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    await other.close()


async def test_a_hub_whose_database_is_silent_is_not_ready_and_says_so_in_two_seconds(at_a_line: AtALine) -> None:
    """Before it is noticed, too; and however often that is asked, not all connections wait for it."""
    hub, line, _ = at_a_line
    hub.answering.answer_within_s = 60
    await asyncio.sleep(0.3)  # the question that is out has its half second yet
    transport = httpx.ASGITransport(hub_app(hub), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as browser:
        assert (await browser.get("/health/ready")).status_code == 200
        line.falls_silent()
        async with asyncio.timeout(3.5):
            answers = await asyncio.gather(*(browser.get("/health/ready") for _ in range(3 * POOL)))
        assert {each.status_code for each in answers} == {503}
        assert hub.pool.get_size() - hub.pool.get_idle_size() <= 1
        line.speaks()
        async with asyncio.timeout(NOTICED_S):
            while (await browser.get("/health/ready")).status_code != 200:
                await asyncio.sleep(0.05)


async def test_whoever_starts_at_a_silent_line_reads_so(database: str) -> None:
    async with a_line_to(database) as (line, dsn):
        line.falls_silent()
        with pytest.raises(Trouble, match=r"cannot reach the database: no answer within 0\.3 s"):
            await connect(dsn, within_s=0.3)


async def test_a_command_finds_out_by_the_wire_that_nobody_is_there(database: str) -> None:
    async with a_line_to(database) as (_, dsn):
        connection = await dial(dsn)
        wire = connection._transport.get_extra_info("socket")
        options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT)
        assert wire.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert [wire.getsockopt(socket.IPPROTO_TCP, each) for each in options] == [10, 5, 2, 20_000]
        await connection.close()


async def test_a_process_that_stood_still_itself_hears_the_answer_and_lets_nothing_go() -> None:
    """A machine that was suspended for a minute: the answer lies there when it goes on, and the time is over, too."""
    answering = Answering(answer_within_s=0.2)
    here, there = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=here)
    async with answering._in_time():
        there.send(b"1")
        time.sleep(0.5)
        assert await reader.read(1) == b"1"
    await asyncio.sleep(0.2)
    writer.close()
    there.close()
    assert not answering.is_silent

"""What runs for ever goes on: a moment without a database, or a thing that nobody thought of, ends no job silently."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest_asyncio
from structlog.testing import capture_logs

from hub.letters import Letterbox, Office, an_office
from parcelwall.errors import Trouble
from parcelwall.hub import sweeps
from parcelwall.hub.people import Person
from parcelwall.hub.running import kept
from parcelwall.hub.tell import AT_ONCE, LEASE
from parcelwall.notices.messages import Message
from station.towns import ADA, cases

_WAITS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@pytest_asyncio.fixture
async def office(database: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with an_office(database, tmp_path) as office:
        yield office


@asynccontextmanager
async def at_work(job: Awaitable[Any]) -> AsyncIterator[asyncio.Task[Any]]:
    task = asyncio.ensure_future(job)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(done: Callable[[], Awaitable[Any]], task: asyncio.Task[Any]) -> Any:
    """What `done` answers once it is true; fails at once if the job ended."""
    async with asyncio.timeout(20):
        while not (answer := await done()):
            assert not task.done(), "the job has ended"
            await asyncio.sleep(0.02)
    return answer


async def test_a_database_that_goes_while_a_case_is_opened_ends_no_telling(office: Office, database: str) -> None:
    """Tried for three days; the desk that shall open the case loses its connection at that."""
    first = await office.inside(person=msgspec.structs.replace(ADA, phone=None))
    await office.follow()
    office.now.advance(72 * 3600)
    office.mail.moods = [Trouble("the server is down")]
    other = await asyncpg.connect(database)
    async with at_work(office.teller.run()) as telling:
        async with other.transaction():
            await other.execute("SELECT FROM parcel WHERE id = $1 FOR UPDATE", first.id)
            [row] = await until(lambda: office.hub.pool.fetch(_WAITS), telling)
            await other.execute("SELECT pg_terminate_backend($1)", row["pid"])
        await office.inside("PW-2", msgspec.structs.replace(ADA, phone=None))
        await office.follow()
        await until(lambda: _sent(office), telling)
        office.mail.moods = [Trouble("the server is down")]
        office.now.advance(LEASE.total_seconds())
        await until(lambda: cases(office.hub), telling)
    await other.close()
    assert await cases(office.hub) == ["notice_given_up"]


async def _sent(office: Office) -> bool:
    return bool(office.mail.got)


async def test_a_parcel_that_cannot_be_read_ends_no_sweep(office: Office) -> None:
    broken, good = await office.inside("PW-1"), await office.inside("PW-2")
    pool = office.hub.pool
    record = await pool.fetchval("SELECT record FROM parcel WHERE id = $1", broken.id)
    await pool.execute("UPDATE parcel SET record = '{}' WHERE id = $1", broken.id)
    office.now.advance(48 * 3600)
    with capture_logs() as logs:
        async with at_work(sweeps.run(office.hub, office.teller, every_s=0.05)) as sweeping:
            await until(lambda: pool.fetchval("SELECT stage = 'OVERDUE' FROM parcel WHERE id = $1", good.id), sweeping)
            await until(lambda: _said(logs, "sweep_fails"), sweeping)
            await office.inside("PW-3")
            office.now.advance(25 * 3600)
            await until(lambda: pool.fetchval("SELECT count(*) FROM notice WHERE purpose = 'reminder'"), sweeping)
    await pool.execute("UPDATE parcel SET record = $2 WHERE id = $1", broken.id, record)


async def test_a_job_that_fails_says_so_and_begins_anew() -> None:
    begun = []

    async def job() -> None:
        begun.append(len(begun))
        if len(begun) < 3:
            raise ZeroDivisionError("nobody thought of it")
        await asyncio.Event().wait()

    async def three() -> bool:
        return len(begun) == 3

    with capture_logs() as logs:
        async with at_work(kept("a job", job, again_s=0.0)) as keeping:
            await until(three, keeping)
    assert [(each["event"], each["job"]) for each in logs] == [("job_fails", "a job")] * 2


async def test_a_job_that_ends_or_is_cancelled_by_somebody_else_begins_anew() -> None:
    """Only who cancels the keeping itself ends the job; a wait that another has cancelled ends nothing."""
    begun = []

    async def job() -> None:
        begun.append(len(begun))
        if len(begun) == 1:
            shared = asyncio.ensure_future(asyncio.Event().wait())
            shared.cancel()
            await shared
        if len(begun) > 2:
            await asyncio.Event().wait()

    async def three() -> bool:
        return len(begun) == 3

    with capture_logs() as logs:
        async with at_work(kept("a job", job, again_s=0.0)) as keeping:
            await until(three, keeping)
    assert keeping.cancelled()
    assert [each["event"] for each in logs] == ["job_fails", "job_ends"]


async def _said(logs: list[Any], event: str) -> bool:
    return any(each["event"] == event for each in logs)


class Hanging(Letterbox):
    """A mail server that accepts, and never answers."""

    def __init__(self) -> None:
        super().__init__()
        self.under_way = 0

    async def hand_over(self, person: Person, message: Message, message_id: str) -> None:
        self.under_way += 1
        await asyncio.Event().wait()


async def test_a_mail_server_that_hangs_holds_up_no_text_message(office: Office) -> None:
    mail = Hanging()
    office.teller.channels["email"] = mail
    for number in range(6):
        await office.inside(f"PW-{number}")
    await office.follow()

    async def all_texts() -> bool:
        return len(office.sms.got) == 6 and mail.under_way == AT_ONCE

    async def no_connection_is_held() -> bool:
        return office.hub.pool.get_idle_size() == office.hub.pool.get_size()

    async with at_work(office.teller.run()) as telling:
        await until(all_texts, telling)
        await until(lambda: office.hub.pool.fetchval("SELECT count(*) = 6 FROM notice WHERE state = 'sent'"), telling)
        await until(no_connection_is_held, telling)
    assert mail.under_way == AT_ONCE, "and no more than so many mails at once"

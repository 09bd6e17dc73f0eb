"""A task that runs for ever beside everything else, and dies all the same, is heard of."""

import asyncio
import subprocess
import sys

import pytest
from structlog.testing import capture_logs

from parcelwall.errors import Trouble
from parcelwall.web.beside import beside
from parcelwall.web.console.jobs import Jobs


async def for_ever() -> None:
    await asyncio.Event().wait()


async def dies() -> None:
    await asyncio.sleep(0)
    raise ZeroDivisionError("nobody thought of it")


async def just_ends() -> None:
    await asyncio.sleep(0)


async def test_a_job_that_dies_ends_the_block_with_its_reason() -> None:
    with capture_logs() as logs, pytest.raises(ZeroDivisionError):
        async with beside({"bells": for_ever(), "pace": dies()}):
            await asyncio.sleep(5)
    assert [(each["event"], each["job"]) for each in logs] == [("job_ends", "pace")]
    assert not asyncio.current_task().cancelling()  # type: ignore[union-attr]


async def test_a_job_that_just_ends_ends_the_block_too() -> None:
    with pytest.raises(Trouble, match="line of S-0001 has ended"):
        async with beside({"line of S-0001": just_ends()}):
            await asyncio.sleep(5)


async def test_the_reason_comes_through_what_lies_between() -> None:
    with pytest.raises(ZeroDivisionError):
        async with beside({"station": dies()}), beside({"server": for_ever()}), asyncio.timeout(5):
            await asyncio.Event().wait()


async def test_a_block_that_is_over_ends_its_jobs_and_says_nothing() -> None:
    gone = asyncio.Event()

    async def until_told() -> None:
        try:
            await for_ever()
        finally:
            gone.set()

    with capture_logs() as logs:
        async with beside({"bells": until_told()}):
            await asyncio.sleep(0)
    assert gone.is_set() and logs == []


async def test_whoever_stops_the_block_is_not_told_that_it_failed() -> None:
    async def block() -> None:
        async with beside({"bells": for_ever()}):
            await asyncio.Event().wait()

    task = asyncio.create_task(block())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()


async def test_what_a_page_has_begun_and_what_fails_unthought_of_is_said() -> None:
    with capture_logs() as logs:
        Jobs().start(dies())
        for _ in range(5):
            await asyncio.sleep(0)
    assert [(each["event"], each["reason"]) for each in logs] == [("console_job_fails", "ZeroDivisionError")]


UNHEARD = """
import asyncio, sys
from parcelwall.__main__ import log_to, run

async def dies():
    raise ValueError("ada@example.org")

async def job():
    task = asyncio.ensure_future(dies())
    await asyncio.sleep(0)
    del task
    await asyncio.sleep(0)

log_to(sys.stderr)
run(job())
"""


def test_a_task_that_nobody_waits_for_is_said_to_have_failed_without_its_words() -> None:
    done = subprocess.run([sys.executable, "-c", UNHEARD], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and '"event": "unheard"' in done.stderr and '"reason": "ValueError"' in done.stderr
    assert "ada@" not in done.stderr, "words of a failure may be of people"

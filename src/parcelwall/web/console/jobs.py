"""Work that a page has begun and does not wait for: an order to a door, whose answer the page's stream shows."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

log = structlog.get_logger()


class Jobs:
    """Holds what runs, so that nothing is lost while it does."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(_told(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _told(work: Coroutine[Any, Any, Any]) -> None:
    try:
        await work
    except Exception as failed:  # whatever it is: nobody waits for it who could be told
        log.exception("console_job_fails", reason=type(failed).__name__)

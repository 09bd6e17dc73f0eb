"""What never ends beside a block, and is heard of if it ends all the same: the block ends with it, loudly."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any

import structlog

from parcelwall.errors import Trouble

log = structlog.get_logger()


@asynccontextmanager
async def beside(jobs: Mapping[str, Coroutine[Any, Any, Any]]) -> AsyncIterator[None]:
    """Runs jobs, by name, as long as the block lasts. They never end by themselves: when one does, the log says which,
    the block is cancelled, and what ended the job is raised in its place (Trouble, if it just came to its end).

    A task that nobody waits for dies silently otherwise: the process lives, and part of it does not.
    """
    owner, ended = asyncio.current_task(), list[BaseException]()
    assert owner is not None, "a block belongs to a task"

    def has_ended(task: asyncio.Task[Any]) -> None:
        if leaving:
            return
        why = _why(task)
        log.error("job_ends", job=task.get_name(), reason=type(why).__name__)
        if not ended:
            owner.cancel()
        ended.append(why)

    leaving = False
    tasks = [asyncio.create_task(job, name=name) for name, job in jobs.items()]
    for task in tasks:
        task.add_done_callback(has_ended)
    try:
        yield
    except asyncio.CancelledError:
        if ended and owner.uncancel() == 0:  # it was we who cancelled the block, and nobody else
            raise ended[0] from None
        raise
    finally:
        leaving = True
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    if ended:
        owner.uncancel()
        raise ended[0]


def _why(task: asyncio.Task[Any]) -> BaseException:
    failed = None if task.cancelled() else task.exception()
    return failed or Trouble(f"{task.get_name()} has ended, which never ends while this runs. Start it again.")

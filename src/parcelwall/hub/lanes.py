"""Lanes: what is asked at the same time waits for one batch, and each asker has their own answer or their own failure.

A lane knows nothing of what is asked. What another process did meanwhile is tried once more; a batch that fails for
what one of them holds is served one by one.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

import asyncpg

from parcelwall.errors import Trouble

TRIES = 4
CROWD = 8  # so many in one batch: more will come at once
MEANWHILE = (asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError)  # another process was in between: once more
LOST = (
    OSError, TimeoutError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError, asyncpg.CrashShutdownError, asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InternalClientError,  # the server's last word came while the next statement was on its way
)  # fmt: skip

LATER = Trouble("Another process of the hub is at this station. Ask again in a moment, with the same key.")
CLOSING = Trouble("The hub is closing. Ask again with the same key: either all of it was recorded, or nothing.")

Question = TypeVar("Question")
Reply = TypeVar("Reply")


class Lane(Generic[Question, Reply]):
    """Questions wait here while one batch is served; then all that wait (up to a weight) are the next batch.

    After a crowd it waits until as many ask again as were answered or waited already, at most `gather_s`: they all come
    into one batch then. Two batches of half the size cost a fifth more (docs/decisions/0026).
    """

    def __init__(self, serve: Any, weight: Any, most: int, gather_s: float = 0.0) -> None:
        self._serve, self._weight, self._most, self._gather_s = serve, weight, most, gather_s
        self._waiting: list[tuple[Question, asyncio.Future[Reply]]] = []
        self._worker: asyncio.Task[None] | None = None
        self._enough = 0  # who waits for so many is woken
        self._enough_came = asyncio.Event()

    async def submit(self, question: Question) -> Reply:
        return await self.put(question)

    def put(self, question: Question) -> asyncio.Future[Reply]:
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, future))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        elif len(self._waiting) >= self._enough:
            self._enough_came.set()
        return future

    async def _work(self) -> None:
        while self._waiting:
            batch = self._take()
            try:
                replies = await self._serve([question for question, _ in batch])
            except asyncio.CancelledError:
                _tell(batch, [CLOSING] * len(batch))
                raise
            except Exception as failed:  # each asker is told; the lane goes on
                replies = [trouble_of(failed)] * len(batch)
            later = [each for each, reply in zip(batch, replies, strict=True) if reply is LATER]
            self._waiting = later + self._waiting
            _tell(batch, replies)
            if self._gather_s and len(batch) >= CROWD:
                await self._gather(len(batch) + len(self._waiting))

    async def _gather(self, crowd: int) -> None:
        self._enough = min(crowd, self._most)
        self._enough_came.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._gather_s):
                await self._enough_came.wait()

    def _take(self) -> list[tuple[Question, asyncio.Future[Reply]]]:
        weight, count = 0, 0
        for question, _ in self._waiting:
            weight += self._weight(question)
            if count and weight > self._most:
                break
            count += 1
        batch, self._waiting = self._waiting[:count], self._waiting[count:]
        return batch

    async def close(self) -> None:
        """Nobody is left waiting: who has no answer yet is told to ask again."""
        waiting, self._waiting = self._waiting, []
        if self._worker:
            self._worker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._worker
        _tell(waiting, [CLOSING] * len(waiting))


def _tell(batch: Sequence[tuple[Any, asyncio.Future[Any]]], replies: Sequence[Any]) -> None:
    for (_, future), reply in zip(batch, replies, strict=True):
        if not future.done() and reply is not LATER:
            future.set_exception(reply) if isinstance(reply, BaseException) else future.set_result(reply)


def trouble_of(failed: Exception) -> Exception:
    if isinstance(failed, LOST):
        return Trouble("The hub cannot reach its database now. Nothing was recorded; ask again with the same key.")
    return failed


async def one_by_one_if_need_be(batch: Sequence[Any], serve: Callable[[Sequence[Any], int], Awaitable[Any]]) -> Any:
    """The batch's replies. What another process did meanwhile is waited out; what only one of them is to blame for
    does not hurt its neighbours: each is served by itself then, and has its own reply or failure."""
    for turn in range(TRIES):
        try:
            return await serve(batch, turn)
        except MEANWHILE:
            if turn + 1 == TRIES and len(batch) == 1:
                raise
        except LOST:
            raise
        except Exception:
            if len(batch) == 1:
                raise
            break
    return [await _by_itself(each, serve) for each in batch]


async def _by_itself(one: Any, serve: Callable[[Sequence[Any], int], Awaitable[Any]]) -> Any:
    try:
        return (await one_by_one_if_need_be([one], serve))[0]
    except Exception as failed:
        return trouble_of(failed)

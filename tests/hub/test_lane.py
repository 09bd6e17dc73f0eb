"""The desk's lane: who asks at the same time is one batch, and a crowd that was answered is waited for."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from parcelwall.errors import Trouble
from parcelwall.hub.lanes import CROWD, Lane


class Batches:
    """Answers each question with itself, and notes how many came together. `begun` is set with the first."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.begun, self.go = asyncio.Event(), asyncio.Event()

    async def serve(self, questions: Sequence[int]) -> list[int]:
        self.sizes.append(len(questions))
        self.begun.set()
        await self.go.wait()
        return list(questions)


async def asking(lane: Lane[int, int], times: int) -> None:
    for number in range(times):
        assert await lane.submit(number) == number


async def played(lane: Lane[int, int], batches: Batches, first: int) -> None:
    """`first` ask twice; while they are served for the first time, as many others ask once."""
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        for _ in range(first):
            tasks.create_task(asking(lane, 2))
        await batches.begun.wait()
        for _ in range(first):
            tasks.create_task(asking(lane, 1))
        await asyncio.sleep(0)
        batches.go.set()


async def test_who_was_answered_comes_into_the_batch_of_those_who_came_meanwhile() -> None:
    batches = Batches()
    await played(Lane(batches.serve, lambda _: 1, 100, gather_s=0.1), batches, CROWD)
    assert batches.sizes == [CROWD, 2 * CROWD]


async def test_a_crowd_that_is_there_again_is_waited_for_no_longer() -> None:
    batches = Batches()
    lane: Lane[int, int] = Lane(batches.serve, lambda _: 1, 100, gather_s=60.0)
    await played(lane, batches, CROWD)
    assert batches.sizes == [CROWD, 2 * CROWD]
    await lane.close()


@pytest.mark.parametrize(("first", "gather_s"), [(CROWD, 0.0), (CROWD - 1, 60.0)])
async def test_few_are_not_waited_for(first: int, gather_s: float) -> None:
    batches = Batches()
    lane: Lane[int, int] = Lane(batches.serve, lambda _: 1, 100, gather_s)
    await played(lane, batches, first)
    assert batches.sizes[:2] == [first, first]


async def test_a_lane_that_waits_for_a_crowd_closes_at_once() -> None:
    batches = Batches()
    batches.go.set()
    lane: Lane[int, int] = Lane(batches.serve, lambda _: 1, 100, gather_s=60.0)
    await asyncio.gather(*(lane.submit(number) for number in range(CROWD)))
    late: Any = asyncio.create_task(lane.submit(1))
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await lane.close()
    with pytest.raises(Trouble, match="closing"):
        await late

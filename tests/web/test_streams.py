"""Live pages: what is dear to draw is drawn seldom."""

import asyncio

from parcelwall.hub.followers import Bells
from parcelwall.web.streams import DRAWN_A_TENTH, frames

DEAR_S = 0.03


async def begun(calm_s: float) -> list[float]:
    """When a page that takes DEAR_S to draw was begun to be drawn, while there is news all the time."""
    bells, loop = Bells(), asyncio.get_running_loop()
    at: list[float] = []

    async def draw() -> str:
        at.append(loop.time())
        await asyncio.sleep(DEAR_S)
        return str(len(at))

    async def ringing() -> None:
        while True:
            bells.ring(["S-0001"])
            await asyncio.sleep(0.001)

    news = asyncio.create_task(ringing())
    page = frames(bells, Bells.EVERYTHING, draw, calm_s)
    try:
        assert [await anext(page) for _ in range(3)]
    finally:
        news.cancel()
        await page.aclose()
    return at


async def test_a_page_that_is_dear_to_draw_is_drawn_a_tenth_of_the_time() -> None:
    first, second, third = await begun(0.001)
    assert min(second - first, third - second) >= DRAWN_A_TENTH * DEAR_S

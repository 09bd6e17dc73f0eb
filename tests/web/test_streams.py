"""Live pages: what is dear to draw is drawn seldom."""

import asyncio

from parcelwall.hub.followers import Bells
from parcelwall.web.streams import COMMENT, DRAWN_A_TENTH, STILL_TRUE, frames

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


async def test_a_page_that_takes_silence_for_a_cut_line_is_told_that_it_is_true_still() -> None:
    """Also while it may not be drawn anew; but not while the database is away, which alone knows."""
    bells, lost = Bells(), False

    async def draw() -> str:
        if lost:
            raise ConnectionResetError
        return "as ever"

    page = frames(bells, Bells.EVERYTHING, draw, calm_s=0.1, still_s=0.03)
    try:
        assert b"as ever" in await anext(page)
        assert [await anext(page) for _ in range(6)] == [STILL_TRUE] * 6, "three in the calm, three after it"
        lost = True
        bells.ring(["S-0001"])
        while (said := await anext(page)) == STILL_TRUE:
            pass
        assert said == COMMENT, "the line is kept, and the page hears nothing"
    finally:
        await page.aclose()


async def test_a_page_that_does_not_grey_is_told_nothing_while_there_is_nothing_to_say() -> None:
    bells = Bells()

    async def draw() -> str:
        return "as ever"

    page = frames(bells, Bells.EVERYTHING, draw)
    try:
        assert b"as ever" in await anext(page)
        silent = asyncio.ensure_future(anext(page))
        await asyncio.wait([silent], timeout=0.1)
        assert silent.cancel(), "nothing came"
        await asyncio.wait([silent])
    finally:
        await page.aclose()

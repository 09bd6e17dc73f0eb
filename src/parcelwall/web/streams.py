"""Pages that stay true: one stream per page, the whole state first and after every news, HTML each time."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from litestar import Request
from litestar.response import Stream

from parcelwall.web.given import given

if TYPE_CHECKING:  # a station uses `event` and has no PostgreSQL driver
    from parcelwall.hub.followers import Bells
    from parcelwall.web.render import Renderer
    from parcelwall.web.seats import Seats
    from parcelwall.web.views import Look

KEEP_OPEN_S, LOOK_AGAIN_S = 15.0, 1.0
STILL_TRUE_S = 4.0  # so often a page that greys what is older than 10 s is told that it is not
ON_A_PHONE_S = 12.0  # the same for 40 s: one word between two looks, where a comment went out before
STILL_TRUE, COMMENT = b"event: here\n\n", b": here\n\n"
AS_OF_LASTS = timedelta(minutes=10)
DRAWN_A_TENTH = 10.0  # a page that may calm down is drawn at most a tenth of the time, however large its network
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "X-Content-Type-Options": "nosniff"}


def event(html: str, number: int) -> bytes:
    """One server-sent event with its id."""
    lines = "".join(f"data: {line}\n" for line in html.splitlines())
    return f"id: {number}\n{lines}\n".encode()


async def frames(
    bells: "Bells", keys: str | Sequence[str], draw: Callable[[], Awaitable[str]], calm_s: float = 0.0,
    still_s: float = 0.0,
) -> AsyncGenerator[bytes]:  # fmt: skip
    """The page as it is now, then anew whenever there is news under one of the keys that changes it, at most each
    `calm_s`; and if that is not 0, not before ten times as long as it took to draw.

    While the database is lost the page keeps what it shows. With `still_s` it is told each so many seconds that it is
    true still, but not while the database is lost: such a page takes silence for what it is, whatever is cut.
    """
    from parcelwall.hub.reading import LOST

    hung = [keys] if isinstance(keys, str) else list(keys)
    bell = asyncio.Event()
    for key in hung:
        bells.hang(key, bell)
    shown, number, wait_s = "", 0, KEEP_OPEN_S
    loop = asyncio.get_running_loop()
    try:
        while True:
            bell.clear()
            began_s = loop.time()
            try:
                html, wait_s = await draw(), KEEP_OPEN_S
            except LOST:
                html, wait_s = shown, LOOK_AGAIN_S
            took_s = loop.time() - began_s
            if html != shown:
                shown, number = html, number + 1
                yield event(html, number)
            word, each_s = (STILL_TRUE, still_s) if still_s and wait_s == KEEP_OPEN_S else (COMMENT, wait_s)
            calm = max(calm_s, DRAWN_A_TENTH * took_s) if calm_s else 0.0
            async with contextlib.aclosing(_silences(bell, calm, wait_s, each_s)) as silences:
                async for _ in silences:
                    yield word
    finally:
        for key in hung:
            bells.take_down(key, bell)


async def _silences(bell: asyncio.Event, calm_s: float, wait_s: float, each_s: float) -> AsyncGenerator[None]:
    """One after each `each_s` in which there was nothing to say, until the bell rings or `wait_s` are over; both begin
    to count after `calm_s`."""
    loop = asyncio.get_running_loop()
    calm_until_s = loop.time() + calm_s
    ends_s, due_s = calm_until_s + wait_s, loop.time() + each_s
    while (now_s := loop.time()) < ends_s:
        if now_s < calm_until_s:
            await asyncio.sleep(min(due_s, calm_until_s) - now_s)
        elif await _rings(bell, min(due_s, ends_s) - now_s):
            return
        if loop.time() >= due_s:
            due_s += each_s
            yield


async def _rings(bell: asyncio.Event, within_s: float) -> bool:
    try:
        async with asyncio.timeout(within_s):
            return await bell.wait()
    except TimeoutError:
        return False


def drawn(
    see: Callable[[], Awaitable[msgspec.Struct]], renderer: "Renderer", look: "Look"
) -> Callable[[], Awaitable[str]]:
    """Draws what `see` tells, anew only when it tells something else: that it was looked at a moment later is no news.
    A page that says of when it is (`as_of`) is as old as ten minutes at most."""
    shown: msgspec.Struct | None = None
    html = ""

    async def draw() -> str:
        nonlocal shown, html
        seen = await see()
        if shown is None or not _is_same(shown, seen):
            shown, html = seen, renderer.fragment(seen, look)
        return html

    return draw


def _is_same(before: msgspec.Struct, now: msgspec.Struct) -> bool:
    """Whether two views differ by nothing but when they were looked at."""
    old, new = getattr(before, "as_of", None), getattr(now, "as_of", None)
    if old is None or new is None:
        return before == now
    return new - old < AS_OF_LASTS and msgspec.structs.replace(now, as_of=old) == before


def stream(page: AsyncIterator[bytes]) -> Stream:
    return Stream(page, media_type="text/event-stream", headers=HEADERS)


def live_page(request: Request[Any, Any, Any], page: AsyncGenerator[bytes], works_here: bool = False) -> Stream:
    """The page for as long as it is open, if there is a seat for it (`web.seats`)."""
    seats: Seats = given(request, "seats")
    return stream(seats.seated(request.client.host if request.client else "", page, works_here))

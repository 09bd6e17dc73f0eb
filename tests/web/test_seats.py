"""Live pages have seats: one network holds some of them, all of them together no more than the process has files for.
Whoever finds none sees the page all the same, and asks seldom."""

import asyncio
import resource
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from parcelwall.hub.house import Hub
from parcelwall.web.app import hub_app
from parcelwall.web.seats import SELDOM_MS, SOON_MS, Seats, fitting
from parcelwall.web.serving import listen, serving
from station.towns import a_hub, about, announcing

OFFICE, NEXT_DESK, ELSEWHERE = "203.0.113.7", "203.0.113.99", "198.51.100.1"
SOON, SELDOM = (f"retry: {wait_ms}\n".encode() for wait_ms in (SOON_MS, SELDOM_MS))


async def a_page() -> AsyncGenerator[bytes]:
    for number in range(9):
        yield f"id: {number}\n\n".encode()


async def told(seats: Seats, address: str, works_here: bool = False) -> AsyncGenerator[bytes]:
    """A page that is open and has shown what there is."""
    page = seats.seated(address, a_page(), works_here)
    assert (await anext(page)).endswith(b"id: 0\n\n")
    return page


async def is_seated(page: AsyncGenerator[bytes]) -> bool:
    return await anext(page, None) is not None


async def test_one_network_holds_so_many_and_others_have_theirs() -> None:
    seats = Seats(most=9, most_of_one=2)
    office = [await told(seats, address) for address in (OFFICE, NEXT_DESK, OFFICE)]
    assert [await is_seated(page) for page in office] == [True, True, False]
    assert await is_seated(await told(seats, ELSEWHERE))
    await office[0].aclose()
    assert await is_seated(await told(seats, OFFICE)), "whoever goes leaves a seat"


async def test_a_full_process_has_room_for_whoever_works_here() -> None:
    seats = Seats(most=2, most_of_one=2)
    visitors = [await told(seats, f"198.51.{number}.1") for number in range(3)]
    assert [await is_seated(page) for page in visitors] == [True, True, False]
    colleagues = [await told(seats, OFFICE, works_here=True) for _ in range(3)]
    assert [await is_seated(page) for page in colleagues] == [True, True, False], "of one network, as many as any other"


async def test_the_pages_of_this_machine_are_no_network() -> None:
    seats = Seats(most=4, most_of_one=1)
    pages = [await told(seats, address) for address in ("127.0.0.1", "::1", "127.0.0.1", "127.8.0.1", "127.0.0.1")]
    assert [await is_seated(page) for page in pages] == [True, True, True, True, False]


async def test_nothing_is_left_of_whoever_has_gone() -> None:
    seats = Seats(most=4, most_of_one=1)
    pages = [await told(seats, address) for address in (OFFICE, OFFICE, ELSEWHERE)]
    for page in pages:
        await page.aclose()
    assert not seats.taken
    never = seats.seated(OFFICE, a_page())
    await never.aclose()
    assert not seats.taken, "one that was never begun has no seat"


def test_there_are_no_more_seats_than_files_for_them() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        few = fitting(2000, 250)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert (few.most, few.most_of_one) == (128, 128)


@pytest_asyncio.fixture
async def hub(database: str, tmp_path: Path) -> AsyncIterator[Hub]:
    async with a_hub(database, tmp_path, stations=(about("S-0001"),)) as hub:
        await hub.desk.ask(announcing("PW-1", "S-0001"))
        yield hub


class Visitor:
    """A connection that asks for the live page of a number."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def of(cls, port: int, address: str) -> "Visitor":
        here = cls(*await asyncio.open_connection("127.0.0.1", port))
        here.writer.write(f"GET /number/events?number=PW-1 HTTP/1.1\r\nHost: hub\r\nX-Forwarded-For: {address}\r\n"
                          "\r\n".encode())  # fmt: skip
        return here

    async def first(self) -> bytes:
        """What it is told at once."""
        assert b" 200 " in await self.reader.readuntil(b"\r\n\r\n")
        return await self.reader.readuntil(b"\n\n")

    async def is_over(self) -> bool:
        """The stream has ended; else it is open for a while yet."""
        try:
            async with asyncio.timeout(1):
                return await self.reader.readuntil(b"0\r\n\r\n") is not None
        except TimeoutError:
            return False


@pytest.mark.timeout(60)
async def test_of_a_running_hub(hub: Hub) -> None:
    seats = Seats(most=9, most_of_one=2)
    app = hub_app(hub, seats=seats)
    async with serving(app, listen("127.0.0.1", 0), app.http) as port:
        office = [await Visitor.of(port, OFFICE) for _ in range(2)]
        assert [SOON in await each.first() for each in office] == [True, True]
        late, other = await Visitor.of(port, NEXT_DESK), await Visitor.of(port, ELSEWHERE)
        assert SELDOM in await late.first() and await late.is_over()
        assert SOON in await other.first() and not await office[0].is_over()
        for each in (*office, other, late):
            each.writer.close()
        async with asyncio.timeout(10):
            while seats.taken:
                await asyncio.sleep(0.01)

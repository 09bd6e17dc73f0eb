"""The road of announcements past ASGI: on real connections, beside everything that is not in its usual form."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from parcelwall.clock import SystemClock
from parcelwall.errors import REASONS
from parcelwall.hub import house
from parcelwall.ids import Ids
from parcelwall.rules.facts import StationConfigured
from parcelwall.rules.layout import plain_layout
from parcelwall.web.app import hub_app
from parcelwall.web.quick_http import Counter
from parcelwall.web.serving import listen, serving, told_to_browsers

pytestmark = pytest.mark.timeout(60)


class Line:
    """One connection to a hub, and the bytes of requests for it."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, key: str, counter: Counter
    ) -> None:
        self.reader, self.writer, self.key, self.counter = reader, writer, key, counter

    def announcing(self, reference: str, more: str = "", idempotent: str = "", **fields: Any) -> bytes:
        """A usual announcement; `more` are header lines."""
        body = {"reference": reference, "length_mm": 300, "width_mm": 200, "height_mm": 60, "weight_g": 900,
                "destination": {"station_id": "S-0001"}, **fields}  # fmt: skip
        return self.posting(json.dumps(body).encode(), more, idempotent or f"key-{reference}")

    def posting(self, body: bytes, more: str = "", idempotent: str = "k") -> bytes:
        head = (f"POST /api/v1/parcels HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer {self.key}\r\n{more}"
                f"Idempotency-Key: {idempotent}\r\nContent-Type: application/json\r\n")
        return head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body

    async def answer(self) -> tuple[int, dict[str, str], Any]:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        body = await self.reader.readexactly(int(headers["content-length"]))
        return int(head[0].split()[1]), headers, json.loads(body)

    async def ask(self, request: bytes) -> tuple[int, dict[str, str], Any]:
        self.writer.write(request)
        return await self.answer()


@pytest_asyncio.fixture
async def hub(database: str, tmp_path: Path) -> AsyncIterator[house.Hub]:
    clock = SystemClock()
    async with house.serving(database, tmp_path, clock, Ids(clock)) as opened:
        await opened.configure(
            StationConfigured(station="S-0001", name="Kluuvi", address="Here 1", lat=60.17, lon=24.94,
                              layout=plain_layout("SSM SSM")), joined=True
        )  # fmt: skip
        yield opened


@pytest_asyncio.fixture
async def line(hub: house.Hub) -> AsyncIterator[Line]:
    """A connection whose key the hub has seen already, so that its announcements go by the quick road."""
    app, key = hub_app(hub), await hub.admit("acme", "Acme")
    async with serving(app, listen("127.0.0.1", 0), app.http) as port:
        line = Line(*await asyncio.open_connection("127.0.0.1", port), key, app.http.counter)
        assert (await line.ask(line.announcing("PW-0")))[0] == 201
        yield line
        line.writer.close()


async def test_both_roads_answer_alike(line: Line) -> None:
    quick = await line.ask(line.announcing("PW-1"))
    assert line.counter.taken == 1
    typed = await line.ask(line.announcing("PW-2", more="X-Twice: a\r\nX-Twice: b\r\n"))
    assert line.counter.taken == 1
    assert quick[0] == typed[0] == 201
    assert quick[1].keys() == typed[1].keys() and quick[1]["content-type"] == typed[1]["content-type"]
    assert quick[2].keys() == typed[2].keys() and quick[2]["stage"] == typed[2]["stage"] == "RESERVED"


async def test_over_tls_both_roads_tell_browsers_to_stay_there(hub: house.Hub) -> None:
    key, kept = await hub.admit("acme", "Acme"), []
    for public_url in ("https://parcels.example", "http://parcels.example"):
        app = hub_app(hub)
        async with serving(app, listen("127.0.0.1", 0), app.http, told_to_browsers(public_url)) as port:
            line = Line(*await asyncio.open_connection("127.0.0.1", port), key, app.http.counter)
            answers = [await line.ask(line.announcing(f"PW-{number}-{len(kept)}")) for number in range(2)]
            assert line.counter.taken == 1
            kept.append([headers.get("strict-transport-security") for _, headers, _ in answers])
            line.writer.close()
    assert kept == [["max-age=31536000"] * 2, [None] * 2]


async def test_a_refusal_of_the_desk_is_a_problem(line: Line) -> None:
    status, headers, body = await line.ask(line.announcing("PW-0", idempotent="another", weight_g=901))
    assert (status, headers["content-type"], body["reason"]) == (409, "application/problem+json", "reference_taken")
    status, _, body = await line.ask(line.announcing("PW-3", idempotent="key-PW-0"))
    assert (status, body["reason"]) == (422, "idempotency_key_reused")


async def test_a_repeat_has_the_same_answer(line: Line) -> None:
    first, again = await line.ask(line.announcing("PW-1")), await line.ask(line.announcing("PW-1"))
    assert (first[0], first[2]) == (again[0], again[2])


async def test_what_cannot_be_read_is_told_as_ever(line: Line) -> None:
    for number, body in enumerate((b"", b"{", b"[]", b'{"reference":1}', b"\xff", b'{"colour":"red"}'), 1):
        status, headers, told = await line.ask(line.posting(body))
        assert (status, headers["content-type"]) == (400, "application/problem+json")
        assert told["reason"] in REASONS
        assert (await line.ask(line.announcing(f"PW-{number}")))[0] == 201


async def test_a_stranger_and_a_request_without_a_key_of_its_own_are_refused(line: Line) -> None:
    without = line.announcing("PW-1").replace(b"Idempotency-Key: key-PW-1\r\n", b"")
    assert (await line.ask(without))[2]["reason"] == "idempotency_key_missing"
    stranger = line.announcing("PW-1").replace(line.key.encode(), b"pw_" + b"0" * 64)
    assert (await line.ask(stranger))[0] == 401


async def test_requests_that_come_together_are_answered_in_their_order(line: Line) -> None:
    names = [f"PW-{number}" for number in range(1, 7)]
    quick, typed = line.announcing, lambda name: line.announcing(name, more="X-Twice: a\r\nX-Twice: b\r\n")
    line.writer.write(b"".join((quick, typed)[place % 2](name) for place, name in enumerate(names)))
    assert [(await line.answer())[2]["reference"] for _ in names] == names


async def test_a_body_comes_in_parts(line: Line) -> None:
    whole = line.announcing("PW-1")
    for part in (whole[:-100], whole[-100:-40], whole[-40:]):
        line.writer.write(part)
        await line.writer.drain()
        await asyncio.sleep(0.01)  # each is read by itself
    assert (await line.answer())[0] == 201
    assert line.counter.taken == 1


async def test_a_chunked_body_goes_the_long_way(line: Line) -> None:
    head, _, body = line.announcing("PW-1").partition(b"\r\n\r\n")
    head = head.rpartition(b"\r\n")[0] + b"\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunked = head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    assert (await line.ask(chunked))[0] == 201
    assert line.counter.taken == 0


async def test_a_line_is_closed_if_asked_for(line: Line) -> None:
    status, headers, _ = await line.ask(line.announcing("PW-1", more="Connection: close\r\n"))
    assert (status, headers["connection"]) == (201, "close")
    assert await line.reader.read() == b""


async def test_who_goes_before_the_answer_harms_nobody(line: Line, hub: house.Hub) -> None:
    line.writer.write(line.announcing("PW-1"))
    await line.writer.drain()
    line.writer.transport.abort()  # type: ignore[attr-defined]
    async with asyncio.timeout(10):
        while not await hub.pool.fetchval("SELECT count(*) FROM parcel WHERE reference = 'PW-1'"):
            await asyncio.sleep(0.01)
    assert await hub.desk.find("PW-1")


async def test_the_quick_road_is_for_carriers_alone(hub: house.Hub, line: Line) -> None:
    line.key, taken = await hub.admit("vera", "Vera", "viewer"), line.counter.taken
    for number in range(2):  # the second time the key is remembered
        status, _, told = await line.ask(line.announcing("PW-9", idempotent=f"vera-{number}"))
        assert (status, told["reason"]) == (403, "no_right")
    assert line.counter.taken == taken


async def test_who_is_refused_reads_why_before_all_is_sent(line: Line) -> None:
    head = line.posting(b"", more="Connection: close\r\n").partition(b"Content-Length")[0]
    line.writer.write(head + b"Content-Length: 3000000\r\n\r\n" + b"x" * 1_000)
    async with asyncio.timeout(5):  # less than the hub would wait for the rest
        status, _, told = await line.answer()
    assert (status, told["reason"]) == (413, "too_large_a_body")
    line.writer.write(b"x" * 2_999_000)
    await line.writer.drain()
    assert await line.reader.read() == b"", "the line ends when all was heard"


def offering(line: Line, more: str = "", **fields: Any) -> bytes:
    body = {"length_mm": 300, "width_mm": 200, "height_mm": 60, "weight_g": 900,
            "near": {"lat": 60.17, "lon": 24.94}, **fields}  # fmt: skip
    return line.posting(json.dumps(body).encode(), more).replace(b"/api/v1/parcels", b"/api/v1/offers")


async def test_offers_are_alike_on_both_roads_and_are_kept(line: Line, hub: house.Hub) -> None:
    taken = line.counter.taken
    quick, typed = [await line.ask(offering(line, more)) for more in ("", "X-Twice: a\r\nX-Twice: b\r\n")]
    assert line.counter.taken == taken + 1
    assert quick[0] == typed[0] == 200 and quick[1].keys() == typed[1].keys()
    own = ("id", "as_of", "arrival")
    said = [{name: value for name, value in each[2].items() if name not in own} for each in (quick, typed)]
    stations = [[offer["station"] for offer in each["offers"]] for each in said]
    assert stations == [["S-0001"]] * 2 and said[0]["offers"][0]["offered"] is True
    await hub.offers.write()
    kept = {str(row["id"]) for row in await hub.pool.fetch("SELECT id FROM offer")}
    assert {quick[2]["id"], typed[2]["id"]} <= kept


async def test_offers_that_cannot_be_are_refused_by_the_long_road(line: Line, hub: house.Hub) -> None:
    taken = line.counter.taken
    far = (SystemClock().now() + timedelta(days=300)).isoformat()
    status, headers, told = await line.ask(offering(line, expected_at=far))
    assert (status, headers["content-type"]) == (422, "application/problem+json") and told["reason"] in REASONS
    assert (await line.ask(offering(line, near="here")))[0] == 400
    line.key = await hub.admit("vera", "Vera", "viewer")
    assert [(await line.ask(offering(line)))[2]["reason"] for _ in range(2)] == ["no_right"] * 2
    assert line.counter.taken == taken


async def test_a_key_goes_the_long_road_once_and_then_the_short(line: Line, hub: house.Hub) -> None:
    line.key, taken = await hub.admit("other", "Other"), line.counter.taken
    for more in (0, 1):
        assert (await line.ask(offering(line)))[0] == 200
        assert line.counter.taken == taken + more

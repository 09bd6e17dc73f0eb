"""A file is sent in the best form that its reader takes, and never in one that it refuses."""

import gzip
from typing import Any

import brotli
import httpx
import pytest
from litestar import Litestar, Response, get

from parcelwall.web.reader import file
from parcelwall.web.render import Renderer

RENDERER = Renderer()


@get("/{build:str}/{name:path}")
async def serve(build: str, name: str) -> Response[bytes]:
    return file(RENDERER, build, name)


@pytest.fixture
def reader() -> httpx.AsyncClient:
    app: Any = Litestar([serve], openapi_config=None)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"http://pages.example/{RENDERER.build}")


async def read(reader: httpx.AsyncClient, name: str, takes: str) -> tuple[str | None, bytes]:
    """The encoding that was sent, and the bytes on the wire."""
    async with reader.stream("GET", name, headers={"Accept-Encoding": takes}) as answer:
        assert answer.status_code == 200
        if not name.endswith(".woff2"):
            assert answer.headers["vary"] == "Accept-Encoding, Accept-Language"
        return answer.headers.get("content-encoding"), b"".join([part async for part in answer.aiter_raw()])


@pytest.mark.parametrize(("takes", "sent"), [
    ("gzip, deflate, br, zstd", "br"), ("gzip, deflate", "gzip"), ("GZIP;q=1.0, BR;q=0.5", "br"),
    ("gzip, br;q=0", "gzip"), ("br ; q=0.0, gzip;q=0.000", None), ("gzip;q=0.01", "gzip"),
    ("identity", None), ("", None), ("brandy", None),
])  # fmt: skip
async def test_a_sheet_comes_as_its_reader_takes_it(reader: httpx.AsyncClient, takes: str, sent: str | None) -> None:
    _, plain = await read(reader, "phone.css", "identity")
    way, raw = await read(reader, "phone.css", takes)
    assert way == sent
    unpack = {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}[sent]
    assert unpack(raw) == plain


async def test_the_better_way_is_the_shorter_one(reader: httpx.AsyncClient) -> None:
    for name in ("phone.css", "own.js", "kiosk.js", "console.js", "street/maplibre-gl.mjs", "favicon.svg"):
        lengths = [len((await read(reader, name, takes))[1]) for takes in ("br", "gzip", "identity")]
        assert lengths == sorted(lengths), name


async def test_what_is_packed_already_is_left(reader: httpx.AsyncClient) -> None:
    assert (await read(reader, "fonts/next-latin.woff2", "br, gzip"))[0] is None

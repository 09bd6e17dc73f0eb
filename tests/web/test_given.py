"""Hubs in one process have one app in common, and each request is given what is its own hub's."""

import asyncio
from typing import Any

import httpx
from litestar import Litestar, Request, get
from litestar.di import Provide

from parcelwall.web.given import Given, given, giver


@get("/")
async def told(request: Request[Any, Any, Any], word: str) -> list[str]:
    await asyncio.sleep(0)  # the others come in between
    return [word, given(request, "word"), given(request, "by_request_alone")]


async def test_two_hubs_give_their_own_at_the_same_time() -> None:
    words = {"word": Provide(giver("word"), sync_to_thread=False)}
    common = Litestar([told], dependencies=words, openapi_config=None, logging_config=None)
    hubs = {name: Given(common, {"word": name, "by_request_alone": name.upper()}) for name in ("one", "other")}

    async def ask(name: str) -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(hubs[name]), base_url="http://hub.test") as client:
            assert (await client.get("/")).json() == [name, name, name.upper()]

    await asyncio.gather(*(ask(name) for name in ("one", "other") * 5))

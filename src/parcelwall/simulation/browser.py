"""A plain browser for the demo's pretend people: real HTTP over loopback, cookies kept, nothing else."""

import asyncio
import http.client
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec

TIMEOUT_S = 20.0


class Answer(msgspec.Struct, frozen=True):
    """Status, headers and text of an answer."""

    status: int
    headers: dict[str, str]
    text: str

    def json(self) -> Any:
        return msgspec.json.decode(self.text)


class Browser:
    """One person's browser on one server."""

    def __init__(self, base_url: str) -> None:
        self._host = urlsplit(base_url).netloc
        self._cookies: SimpleCookie = SimpleCookie()

    async def get(self, path: str, headers: dict[str, str] | None = None) -> Answer:
        answer = await asyncio.to_thread(self._ask, "GET", path, None, headers or {})
        if answer.status in (302, 303):
            return await self.get(answer.headers["location"], headers)
        return answer

    async def post_form(self, path: str, **fields: str) -> Answer:
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"http://{self._host}"}
        return await asyncio.to_thread(self._ask, "POST", path, urlencode(fields).encode(), headers)

    async def post_json(self, path: str, body: Any, headers: dict[str, str]) -> Answer:
        headers = {"Content-Type": "application/json", **headers}
        return await asyncio.to_thread(self._ask, "POST", path, msgspec.json.encode(body), headers)

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in self._cookies.items())
        connection = http.client.HTTPConnection(self._host, timeout=TIMEOUT_S)
        try:
            connection.request(method, path, body, headers | ({"Cookie": cookie} if cookie else {}))
            answer = connection.getresponse()
            for name, value in answer.getheaders():
                if name.lower() == "set-cookie":
                    self._cookies.load(value)
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read().decode("utf-8", "replace"))
        finally:
            connection.close()

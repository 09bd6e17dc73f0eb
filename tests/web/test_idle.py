"""A sign-in ends without use: pages that are open alone do not use it, and a key is no way in beside a passkey."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from litestar import Request

from hub.authenticator import Authenticator
from parcelwall.errors import Refusal
from parcelwall.hub import passkeys, signed_in, staff
from parcelwall.hub.house import Hub
from parcelwall.web.app import hub_app
from parcelwall.web.console.gate import SignInFirst, provide_sign_in
from parcelwall.web.console.sign_in import prove_again
from parcelwall.web.passkeys import BY_ITSELF, cookie_name, whoever
from parcelwall.web.render import STATIC
from parcelwall.web.who import Brake
from station.towns import a_hub, about

HERE = "https://parcels.example"


@pytest_asyncio.fixture
async def hub(database: str, tmp_path: Path) -> AsyncIterator[Hub]:
    async with a_hub(database, tmp_path, stations=(about("S-0001"),)) as hub:
        hub.public_url = HERE
        yield hub


def asked(hub: Hub, purpose: passkeys.Purpose, secret: str, path: str, *more: tuple[bytes, bytes]) -> Any:
    cookie = f"{cookie_name(hub, purpose)}={secret}".encode()
    headers = [(b"cookie", cookie), (b"host", b"parcels.example"), *more]
    return Request({"type": "http", "method": "GET", "path": path, "headers": headers, "query_string": b"",
                    "client": ("192.0.2.1", 1), "server": ("parcels.example", 443), "scheme": "https"})  # type: ignore[arg-type,typeddict-item]


async def admitted(hub: Hub, who: str = "kaisa", role: str = "operator") -> tuple[str, UUID]:
    key = await hub.admit(who, who, role)
    [actor] = [row["actor"] for row in await staff.everybody(hub.pool) if row["id"] == who]
    return key, actor


async def still_in(hub: Hub, request: Any) -> bool:
    """Whether the sign-in holds through 70 minutes in which this is asked for every five."""
    try:
        for _ in range(14):
            hub.clock.advance(300)  # type: ignore[attr-defined]
            await provide_sign_in(request, hub)
    except SignInFirst:
        return False
    return True


@pytest.mark.parametrize(("path", "stays"), [
    ("/console/events", False), ("/console/needs/events", False), ("/console/stations/S-0001/events", False),
    ("/console/wall/events", True), ("/console/needs", True),
])  # fmt: skip
async def test_a_console_left_open_signs_itself_out_after_an_hour(hub: Hub, path: str, stays: bool) -> None:
    _, actor = await admitted(hub)
    secret = await signed_in.begin(hub, "operator", actor)
    assert await still_in(hub, asked(hub, "operator", secret, path)) is stays


@pytest.mark.parametrize(("purpose", "days", "path"), [("recipient", 31, "/me/events"),
                                                       ("courier", 15, "/courier/stop/S-0001/events")])  # fmt: skip
async def test_nor_does_a_phone_that_lies_there(hub: Hub, purpose: passkeys.Purpose, days: int, path: str) -> None:
    secret = await signed_in.begin(hub, purpose, UUID(int=7))
    request = asked(hub, purpose, secret, path)
    for _ in range(days):
        hub.clock.advance(86_400)  # type: ignore[attr-defined]
        found = await whoever(request, hub, purpose)
    assert found is None


async def test_nor_does_the_worker_that_keeps_an_open_page(hub: Hub) -> None:
    secret = await signed_in.begin(hub, "recipient", UUID(int=7))
    kept = asked(hub, "recipient", secret, "/me", (BY_ITSELF.encode(), b"1"))
    for _ in range(31):
        hub.clock.advance(86_400)  # type: ignore[attr-defined]
        found = await whoever(kept, hub, "recipient")
    assert found is None
    worker = (STATIC / "sw.js").read_text()
    assert BY_ITSELF in worker.lower(), "it says so itself"


async def test_a_key_lets_nobody_in_who_has_a_passkey_until_it_is_new(hub: Hub) -> None:
    key, actor = await admitted(hub)
    boss, boss_id = await admitted(hub, "boss", "admin")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(hub_app(hub)), base_url=HERE) as browser:
        entered = await browser.post("/console/sign-in", data={"key": key})
        assert entered.headers["location"] == "/console", "by the key they come to make their first passkey"
        made = Authenticator(HERE).make(await passkeys.begin_registration(hub, "operator", actor, "x"))
        await passkeys.finish_registration(hub, "operator", actor, made)
        browser.cookies.clear()
        refused = await browser.post("/console/sign-in", data={"key": key})
        assert refused.headers["location"] == "/console/sign-in?to=/console&no=passkey_only"
        assert not browser.cookies and "sign in with it" in (await browser.get(refused.headers["location"])).text
        secret = await signed_in.begin(hub, "operator", boss_id)
        browser.cookies.set(cookie_name(hub, "operator"), secret)
        form = {"slip": staff.slip_of(secret), "id": "kaisa", "do": "key"}
        page = await browser.post("/console/people/change", data=form, follow_redirects=True)
        browser.cookies.clear()
        new = "pw_" + page.text.partition("pw_")[2][:64]
        assert (await browser.post("/console/sign-in", data={"key": key})).headers["location"].endswith("no=sign_in")
        assert (await browser.post("/console/sign-in", data={"key": new})).headers["location"] == "/console"
    assert await passkeys.of_holder(hub, actor) == [], "what was lost opens nothing"
    assert boss != new


async def test_nor_does_a_key_prove_that_they_are_there(hub: Hub) -> None:
    key, actor = await admitted(hub)
    secret = await signed_in.begin(hub, "operator", actor)
    hub.clock.advance(600)  # type: ignore[attr-defined]
    request = asked(hub, "operator", secret, "/console/needs")
    sign_in, brake = await provide_sign_in(request, hub), Brake(hub.clock)
    await prove_again(request, sign_in, {"key": key}, hub, brake)
    made = Authenticator(HERE).make(await passkeys.begin_registration(hub, "operator", actor, "x"))
    await passkeys.finish_registration(hub, "operator", actor, made)
    with pytest.raises(Refusal, match="prove_again"):
        await prove_again(request, sign_in, {"key": key}, hub, brake)

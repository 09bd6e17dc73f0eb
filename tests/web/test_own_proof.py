"""A passkey is taken away, and a list forgotten, by its owner alone: a stolen cookie does neither."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest_asyncio

from hub.authenticator import Authenticator
from parcelwall.hub import accounts, contacts, passkeys, reading, signed_in, staff
from parcelwall.hub.house import Hub
from parcelwall.hub.people import Person
from parcelwall.web.app import hub_app
from parcelwall.web.passkeys import cookie_name
from station.towns import a_hub, about, announcing

HERE = "https://parcels.example"
ADA, EVE = (Person(name=name, email=f"{name}@example.org") for name in ("ada", "eve"))


class Post:
    """A mail server that keeps the six digits of each mail by its address."""

    def __init__(self) -> None:
        self.numbers: dict[str | None, str] = {}

    async def hand_over(self, person: Person, message: Any, message_id: str) -> None:
        self.numbers[person.email] = "".join(re.findall(r"\d", message.subject))[:6]


@pytest_asyncio.fixture
async def hub(database: str, tmp_path: Path) -> AsyncIterator[Hub]:
    async with a_hub(database, tmp_path, stations=(about("S-0001"),)) as hub:
        hub.public_url = HERE
        hub.channels = {"email": Post()}
        yield hub


def browser(hub: Hub, secret: str = "", purpose: passkeys.Purpose = "recipient") -> httpx.AsyncClient:
    made = httpx.AsyncClient(transport=httpx.ASGITransport(hub_app(hub)), base_url=HERE)
    made.cookies.set(cookie_name(hub, purpose), secret)
    return made


async def announced_for(hub: Hub, reference: str, person: Person) -> str:
    """The recipient's link of a new parcel, as a path."""
    answer = await hub.desk.ask(announcing(reference, "S-0001", person))
    parcel = UUID(answer.body["id"])
    account = await accounts.open_account(hub)  # whoever it is: a list makes its parcels' links good
    await accounts.join(hub, account, parcel)
    await accounts.parcels(hub, account)
    return f"/p/{hub.keys.link_token('recipient', parcel)}"


async def own_account(hub: Hub) -> tuple[UUID, str]:
    """An account whose owner has shown a contact, then made a passkey; and the link of its parcel."""
    link, account = await announced_for(hub, "PW-1", ADA), await accounts.open_account(hub)
    async with browser(hub, await signed_in.begin(hub, "recipient", account)) as own:
        await by_number(hub, own, link, ADA)
    hub.clock.advance(60)
    await make_passkey(hub, account)
    hub.clock.advance(3600)
    return account, link


async def make_passkey(hub: Hub, holder: UUID, purpose: passkeys.Purpose = "recipient") -> None:
    made = Authenticator(HERE).make(await passkeys.begin_registration(hub, purpose, holder, "x"))
    await passkeys.finish_registration(hub, purpose, holder, made)


async def by_number(hub: Hub, own: httpx.AsyncClient, link: str, person: Person) -> str:
    """Has a number sent to the parcel's contact and types it. Answers where that leads."""
    sent = await own.post(f"{link}/contact", data={"kind": "email"})
    assert sent.headers["location"].startswith("/me/number"), sent.headers["location"]
    typed = await own.post("/me/number", data={"number": hub.channels["email"].numbers[person.email]})  # type: ignore[attr-defined]
    return typed.headers["location"]


async def take_away(hub: Hub, own: httpx.AsyncClient, account: UUID) -> str:
    [known] = await passkeys.of_holder(hub, account)
    return (await own.post("/me/passkey/take-away", data={"name": known.name})).headers["location"]


async def test_a_stolen_cookie_takes_no_passkey_away_and_makes_none(hub: Hub) -> None:
    account, _ = await own_account(hub)
    async with browser(hub, await signed_in.begin(hub, "recipient", account)) as thief:
        assert await take_away(hub, thief, account) == "/me?said=prove"
        assert len(await passkeys.of_holder(hub, account)) == 1
        assert (await thief.post("/me/passkey/begin")).status_code == 403
        assert (await thief.post("/me/close")).headers["location"] == "/me?said=prove"
        page = (await thief.get("/me?said=prove")).text
        assert "First show that it is you" in page and "/me/passkey/take-away" not in page
    assert await accounts.find(hub, account)


async def test_nor_does_it_with_a_contact_that_the_thief_brings_along(hub: Hub) -> None:
    account, _ = await own_account(hub)
    link = await announced_for(hub, "PW-2", EVE)
    async with browser(hub, await signed_in.begin(hub, "recipient", account)) as thief:
        for _ in range(2):  # shown once it is the account's; it proves nothing all the same
            assert await by_number(hub, thief, link, EVE) == "/me?said=shown"
        assert await take_away(hub, thief, account) == "/me?said=prove"
        assert f"{link}/contact" not in (await thief.get("/me")).text


async def test_a_lost_phones_passkey_is_taken_away_by_a_number_and_all_others_are_signed_out(hub: Hub) -> None:
    account, link = await own_account(hub)
    lost, kept = [await signed_in.begin(hub, "recipient", account) for _ in range(2)]
    async with browser(hub, kept) as own:
        assert f'action="{link}/contact"' in (await own.get("/me")).text
        assert await by_number(hub, own, link, ADA) == "/me?said=proved"
        assert await take_away(hub, own, account) == "/me?said=taken"
        assert await passkeys.of_holder(hub, account) == []
        assert (await own.post("/me/passkey/begin")).status_code == 200
    assert await signed_in.find(hub, "recipient", lost) is None
    assert await signed_in.find(hub, "recipient", kept)


async def test_a_number_that_proves_who_it_is_shows_no_qr_for_which_a_passkey_was_shown_before(hub: Hub) -> None:
    account, link = await own_account(hub)
    secret = await signed_in.begin(hub, "recipient", account)
    await signed_in.note_proof(hub, secret, "qr 1", hub.clock.now())
    hub.clock.advance(3600)
    async with browser(hub, secret) as own:
        await by_number(hub, own, link, ADA)
    here = await signed_in.find(hub, "recipient", secret)
    assert here and here.is_fresh(hub.clock.now()) and here.proved_act == "contact"


async def test_a_list_is_forgotten_after_a_proof_and_at_once_where_nothing_can_prove(hub: Hub) -> None:
    account, _ = await own_account(hub)
    proved = await signed_in.begin(hub, "recipient", account, hub.clock.now())
    plain = await signed_in.begin(hub, "recipient", await accounts.open_account(hub))
    for secret in (proved, plain):
        async with browser(hub, secret) as own:
            assert (await own.post("/me/close")).headers["location"] == "/me"
            assert "sign-in" in (await own.get("/me")).text
    assert await accounts.find(hub, account) is None


async def test_the_consoles_passkey_ends_after_a_proof_and_with_it_all_other_browsers(hub: Hub) -> None:
    await hub.admit("kaisa", "kaisa", "operator")
    [actor] = [row["actor"] for row in await staff.everybody(hub.pool)]
    await make_passkey(hub, actor, "operator")
    [known] = await passkeys.of_holder(hub, actor)
    lost, kept = [await signed_in.begin(hub, "operator", actor) for _ in range(2)]
    hub.clock.advance(600)
    async with browser(hub, kept, "operator") as own:
        form = {"slip": staff.slip_of(kept), "name": known.name}
        refused = await own.post("/console/me/passkey/end", data=form)
        assert refused.headers["location"] == "/console/me?no=prove_again"
        assert "passkey/end" not in (await own.get("/console/me")).text
        await signed_in.prove(hub, kept)
        assert "passkey/end" in (await own.get("/console/me")).text
        done = await own.post("/console/me/passkey/end", data=form)
        assert done.headers["location"] == "/console/me?said=changed"
    assert await passkeys.of_holder(hub, actor) == []
    assert await signed_in.find(hub, "operator", lost) is None and await signed_in.find(hub, "operator", kept)


async def test_a_contact_that_is_shown_again_stays_as_old_as_it_is(hub: Hub) -> None:
    account, link = await own_account(hub)
    parcel = await reading.known_parcel(hub, (await accounts.parcels(hub, account))[0].id)
    await contacts.send_number(hub, account, parcel, "email", "en")
    number = hub.channels["email"].numbers[ADA.email]  # type: ignore[attr-defined]
    assert (await contacts.confirm(hub, account, number)).proves
    assert len(await contacts.shown_first(hub, account)) == 1, link

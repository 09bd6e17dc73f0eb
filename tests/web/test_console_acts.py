"""The second person at the console: proves to be there, for this one act, before it is agreed to."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import httpx
import pytest_asyncio

from hub.authenticator import Authenticator
from parcelwall.hub import acts, passkeys, signed_in, staff
from parcelwall.hub.acts import Longer
from parcelwall.hub.house import Hub
from parcelwall.web.app import hub_app
from parcelwall.web.passkeys import cookie_name
from station.towns import a_hub, about

HERE = "https://parcels.example"


class Desk(NamedTuple):
    """One person at a browser, with the key that they were admitted with."""

    browser: httpx.AsyncClient
    person: staff.Person
    slip: str
    key: str

    async def agree(self, act: UUID, **more: str) -> str:
        """Where the form leads, or the status it is refused with."""
        answer = await self.browser.post(f"/console/acts/{act}/agree", data={"slip": self.slip, **more})
        return answer.headers.get("location", str(answer.status_code))


@pytest_asyncio.fixture
async def hub(database: str, tmp_path: Path) -> AsyncIterator[Hub]:
    async with a_hub(database, tmp_path, stations=(about("S-0001"),)) as hub:
        hub.public_url = HERE
        yield hub


async def sat_down(hub: Hub, who: str) -> Desk:
    """Somebody who signed in ten minutes ago."""
    key = await hub.admit(who, who, "operator")
    [person] = [staff.person_of(row) for row in await staff.everybody(hub.pool) if row["id"] == who]
    assert person.actor
    secret = await signed_in.begin(hub, "operator", person.actor)
    hub.clock.advance(600)  # type: ignore[attr-defined]
    browser = httpx.AsyncClient(transport=httpx.ASGITransport(hub_app(hub)), base_url=HERE)
    browser.cookies.set(cookie_name(hub, "operator"), secret)
    return Desk(browser, person, staff.slip_of(secret), key)


async def waiting(hub: Hub, who: staff.Person) -> UUID:
    """An act that waits: kept longer is the whole station, and nothing may be kept alone."""
    act = await acts.ask_to_keep_longer(hub, who, Longer(("S-0001",), 48, "storm"))
    await hub.pool.execute("UPDATE act SET state = 'waiting', due_at = NULL WHERE id = $1", act.id)
    return act.id


async def state(hub: Hub, act: UUID) -> str:
    return (await acts.find(hub, act)).state


async def test_a_console_that_was_left_open_agrees_to_nothing(hub: Hub) -> None:
    kaisa, noor = await sat_down(hub, "kaisa"), await sat_down(hub, "noor")
    act = await waiting(hub, kaisa.person)
    for more in ({}, {"key": "wrong"}, {"key": kaisa.key}):
        assert await noor.agree(act, **more) == "/console/needs?no=prove_again"
    assert await state(hub, act) == "waiting"
    page = (await noor.browser.get("/console/longer")).text
    assert 'name="key"' in page and "Your key once more" in page
    assert await noor.agree(act, key=noor.key) == "/console/longer?said=agreed"
    assert await state(hub, act) == "agreed"


async def test_a_passkey_agrees_to_the_act_that_it_was_shown_for(hub: Hub) -> None:
    kaisa, noor = await sat_down(hub, "kaisa"), await sat_down(hub, "noor")
    assert noor.person.actor
    device = Authenticator(HERE)
    options = await passkeys.begin_registration(hub, "operator", noor.person.actor, "noor")
    await passkeys.finish_registration(hub, "operator", noor.person.actor, device.make(options))
    act = await waiting(hub, kaisa.person)
    at = f"/console/acts/{act}/agree"
    for page in ("/console/longer", "/console/needs"):
        assert f'action="{at}" method="post" data-passkey="show"' in (await noor.browser.get(page)).text, page
    begun = await noor.browser.post(f"{at}/begin", json={"slip": noor.slip})
    shown = device.show(begun.text)[:-1] + f', "fields": {{"slip": "{noor.slip}"}}}}'
    other = await noor.browser.post(f"/console/acts/{kaisa.person.actor}/agree/finish", content=shown)
    assert other.status_code in (403, 404) and await state(hub, act) == "waiting", "it was shown for another act"
    done = await noor.browser.post(f"{at}/finish", content=shown)
    assert done.json() == {"to": "/console/longer?said=agreed"}, done.text
    assert await state(hub, act) == "agreed"


async def test_whoever_asked_is_asked_for_no_proof_and_agrees_to_nothing(hub: Hub) -> None:
    kaisa = await sat_down(hub, "kaisa")
    act = await waiting(hub, kaisa.person)
    assert await kaisa.agree(act, key=kaisa.key) == "/console/needs?no=second_person_needed"
    begun = await kaisa.browser.post(f"/console/acts/{act}/agree/begin", json={"slip": kaisa.slip})
    assert begun.status_code == 403
    assert await state(hub, act) == "waiting"

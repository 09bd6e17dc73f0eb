"""The second person at the console: proves to be there, for this one act, before it is agreed to."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import httpx
import pytest_asyncio

from hub.authenticator import Authenticator
from parcelwall.hub import acts, acts_due, passkeys, signed_in, staff
from parcelwall.hub.acts import Longer
from parcelwall.hub.house import Hub
from parcelwall.web.app import hub_app
from parcelwall.web.passkeys import cookie_name
from station.towns import Pen, a_hub, about, announced, parcel_at

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


async def test_who_agrees_to_nothing_is_back_where_they_stood(hub: Hub) -> None:
    """The list as it was narrowed down, the map, or the page of what is kept longer: as the form on it says."""
    kaisa, noor = await sat_down(hub, "kaisa"), await sat_down(hub, "noor")
    for place in ("/console/needs?only=second", "/console", "/console/longer"):
        act = await waiting(hub, kaisa.person)
        page = (await noor.browser.get(place)).text

        async def sent(what: str, page: str = page, at: str = f"/console/acts/{act}") -> str:
            form = page.split(f'action="{at}/{what}"')[1].split("</form>")[0]
            hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
            answer = await noor.browser.post(f"{at}/{what}", data={**hidden, "key": "wrong"})
            return str(answer.headers["location"])

        and_ = "&" if "?" in place else "?"
        assert await sent("agree") == f"{place}{and_}no=prove_again"
        assert await sent("withdraw") == f"{place}{and_}said=withdrawn"


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


async def test_a_lost_station_is_counted_first_and_written_off_by_two(hub: Hub) -> None:
    """The page says how many and that nothing takes it back; another number than was shown is refused."""
    kaisa, noor = await sat_down(hub, "kaisa"), await sat_down(hub, "noor")
    pen = Pen("S-0001", hub.clock)  # type: ignore[arg-type]
    for door in (1, 2):
        parcel = await parcel_at(hub, await announced(hub, f"PW-{door}", "S-0001"))
        until = hub.clock.now() + timedelta(hours=48)
        await hub.receive("S-0001", pen.write(pen.deposited(parcel, door, collect_by=until)))
    at = "/console/stations/S-0001/write-off"
    assert at in (await kaisa.browser.get("/console/stations/S-0001")).text
    page = (await kaisa.browser.get(at)).text
    assert "2 parcels lie there." in page and "then nothing takes it back" in page and "A second person must" in page
    form = {"slip": kaisa.slip, "parcels": "2", "reason": "destroyed", "words": "it burnt down", "sure": "yes"}
    for odd, why in (({"parcels": "3"}, "stale_screen"), ({"sure": ""}, "bad_field"), ({"parcels": "x"}, "bad_field"),
                     ({"reason": "missing"}, "reason_missing")):  # fmt: skip
        refused = await kaisa.browser.post(at, data=form | odd)
        assert refused.headers["location"] == f"{at}?no={why}"
    asked = await kaisa.browser.post(at, data=form)
    assert asked.headers["location"] == f"{at}?said=second"
    [act] = await acts.under_way(hub, noor.person)
    for place in ("/console/needs", at, "/console/stations/S-0001"):
        seen = (await noor.browser.get(place)).text
        assert "kaisa asks to write 2 parcels off: the station was destroyed: it burnt down" in seen, place
    assert "lies there" not in (await kaisa.browser.get(at)).text, "it is asked for once"
    assert await noor.agree(act.id, key=noor.key) == f"{at}?said=agreed"
    hub.clock.advance(61)  # type: ignore[attr-defined]
    await acts_due.carry_out_due(hub)
    assert "Nothing lies in this station" in (await kaisa.browser.get(at)).text
    assert at not in (await kaisa.browser.get("/console/stations/S-0001")).text

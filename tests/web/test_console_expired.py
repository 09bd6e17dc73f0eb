"""The console's page of what is late at one station: what it lists, one button or all, and who agrees to it."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import httpx
import msgspec
import pytest_asyncio

from hub.authenticator import Authenticator
from parcelwall.hub import acts, passkeys
from parcelwall.hub.house import Hub
from parcelwall.hub.sweeps import sweep
from parcelwall.notices.language import words
from parcelwall.web.console.expired import stands
from station.towns import Pen, a_hub, about, announced, parcel_at
from web import samples_console
from web.test_console_acts import HERE, Desk, sat_down

AT = "/console/stations/S-0001/expired"


@pytest_asyncio.fixture
async def hub(database: str, tmp_path: Path) -> AsyncIterator[Hub]:
    async with a_hub(database, tmp_path, stations=(about("S-0001"),)) as hub:
        hub.public_url = HERE
        yield hub


async def two_late(hub: Hub) -> list[UUID]:
    pen, found = Pen("S-0001", hub.clock), []  # type: ignore[arg-type]
    for door in (1, 2):
        found.append(await announced(hub, f"PW-{door}", "S-0001"))
        until = hub.clock.now() + timedelta(hours=48)
        deposited = pen.deposited(await parcel_at(hub, found[-1]), door, collect_by=until)
        await hub.receive("S-0001", pen.write(deposited))
    hub.clock.advance(49 * 3600)  # type: ignore[attr-defined]
    await sweep(hub)
    return found


async def sent(desk: Desk, **form: str) -> str:
    answer = await desk.browser.post(AT, data={"slip": desk.slip, "key": desk.key, "reason": "room"} | form)
    return str(answer.headers["location"])


async def test_all_that_is_late_is_asked_for_by_one_and_agreed_to_by_another(hub: Hub) -> None:
    one, _ = await two_late(hub)
    kaisa, noor = await sat_down(hub, "kaisa"), await sat_down(hub, "noor")
    assert AT in (await kaisa.browser.get("/console/stations/S-0001")).text
    page = (await kaisa.browser.get(AT)).text
    assert "PW-1" in page and "PW-2" in page and "All 2, door after door" in page and "disabled>" in page
    for form, why in (({"all": "2", "key": "wrong"}, "prove_again"), ({"all": "3"}, "stale_screen"),
                      ({"all": "2", "reason": "look"}, "reason_missing"), ({"parcel": "x"}, "bad_field"),
                      ({}, "bad_field")):  # fmt: skip
        assert await sent(kaisa, **form) == f"{AT}?no={why}", form
    assert await sent(kaisa, all="2") == f"{AT}?said=second"
    assert await sent(noor, parcel=str(one)) == f"{AT}?no=stale_screen", "one at a time"
    [act] = await acts.under_way(hub, noor.person)
    seen = (await noor.browser.get("/console/needs")).text
    assert "kaisa asks to take 2 late parcels out, door after door: the room is needed" in seen and AT in seen
    assert "still to come" in (await noor.browser.get(AT)).text
    assert await noor.agree(act.id, key=noor.key) == f"{AT}?said=asked"


async def test_a_passkey_takes_out_the_one_that_it_was_shown_for(hub: Hub) -> None:
    one, other = await two_late(hub)
    kaisa = await sat_down(hub, "kaisa")
    assert kaisa.person.actor
    device = Authenticator(HERE)
    options = await passkeys.begin_registration(hub, "operator", kaisa.person.actor, "kaisa")
    await passkeys.finish_registration(hub, "operator", kaisa.person.actor, device.make(options))
    assert f'action="{AT}" method="post" data-passkey="show"' in (await kaisa.browser.get(AT)).text
    begun = await kaisa.browser.post(f"{AT}/begin", json={"slip": kaisa.slip, "parcel": str(one)})
    shown = device.show(begun.text)

    async def finish(parcel: UUID) -> httpx.Response:
        fields = {"reason": "room", "slip": kaisa.slip, "parcel": str(parcel)}
        return await kaisa.browser.post(f"{AT}/finish", json={**json.loads(shown), "fields": fields})

    assert (await finish(other)).status_code == 403 and await acts.under_way(hub, kaisa.person) == []
    begun = await kaisa.browser.post(f"{AT}/begin", json={"slip": kaisa.slip, "parcel": str(one)})
    shown = device.show(begun.text)
    done = await finish(one)
    assert done.json() == {"to": f"{AT}?said=asked"}, done.text


def test_an_act_that_has_ended_says_so_in_words_and_marks_what_did_not_open() -> None:
    known = words("en")
    ended, over = (stands(each, samples_console.NOW, known) for each in samples_console.OUT_OVER)
    assert (ended.state, ended.ended) == ("ended", "nobody saw its door shut")
    assert [sign for _, _, sign in ended.steps] == ["out", "not", "next"]
    assert (over.state, [sign for _, _, sign in over.steps]) == ("done", ["not", "not", "out"])
    busy = msgspec.structs.replace(samples_console.OUT, what=msgspec.structs.replace(
        samples_console.OUT.what, became={str(samples_console.OUT.what.parcels[0]): "door_busy"}))  # fmt: skip
    waits, gave_up = (stands(msgspec.structs.replace(busy, state=state), samples_console.NOW, known).steps[0][1]
                      for state in ("agreed", "withdrawn"))  # fmt: skip
    assert "waits" in waits and "waits" not in gave_up

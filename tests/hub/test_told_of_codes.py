"""A code that the operator's people draw opens a door: whose parcel it is hears of it at once, and never which one."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest_asyncio

from hub.letters import Office, an_office
from parcelwall.hub import staff
from parcelwall.hub.codes import code_of
from parcelwall.hub.drawn import NewCode, draw
from parcelwall.hub.lists import Drawn
from parcelwall.notices.messages import Message
from parcelwall.rules import facts
from parcelwall.rules.life import Parcel
from station.towns import parcel_at


@pytest_asyncio.fixture
async def office(database: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with an_office(database, tmp_path) as office:
        await office.hub.admit("kaisa", "Kaisa", "operator")
        yield office


async def drawn_for(office: Office, parcel: Parcel) -> Drawn:
    """Whatever was told before is forgotten."""
    await office.tell()
    office.mail.got.clear()
    office.sms.got.clear()
    [kaisa] = [staff.person_of(row) for row in await staff.everybody(office.hub.pool)]
    return await draw(office.hub, kaisa, NewCode(parcel.id, 0, "no phone"))


async def told(office: Office) -> list[Message]:
    await office.tell()
    return [message for _, message, _ in (*office.mail.got, *office.sms.got)]


async def test_a_code_was_drawn_and_not_which(office: Office) -> None:
    """By both channels, at night too: whoever did not ask for it has no time to lose."""
    office.now.advance(14 * 3600)
    parcel = await office.inside()
    one = await drawn_for(office, parcel)
    mail, text = await told(office)
    assert mail.subject == "We drew one more code for door 1 at Station S-0001"
    assert "If you did not ask, collect your parcel soon" in mail.text and "You did not ask?" in text.sms
    for digits in (one.digits, code_of(office.hub, parcel)):
        for form in (mail.text, mail.html, mail.qr_says, text.sms):
            assert digits not in form and f"{digits[:4]} {digits[4:]}" not in form


async def test_it_is_told_once(office: Office) -> None:
    await drawn_for(office, await office.inside())
    assert len(await told(office)) == 2
    await office.hub.pool.execute("UPDATE follower SET tx = 0, writer = '', number = 0, revision = 0")
    assert len(await told(office)) == 2


async def test_whoever_collected_meanwhile_hears_of_it_all_the_same(office: Office) -> None:
    """It may have been the code that was drawn."""
    parcel = await office.inside()
    await drawn_for(office, parcel)
    collected = office.pen.collected(await parcel_at(office.hub, parcel.id), 1)
    await office.hub.receive("S-0001", office.pen.write(collected))
    mail, _ = await told(office)
    assert mail.subject == "We drew one more code for your parcel"
    assert "collect your parcel soon" not in mail.text


async def test_of_a_return_nobody_is_asked_to_collect_it(office: Office) -> None:
    await drawn_for(office, await office.inside(direction="return"))
    mail, _ = await told(office)
    assert mail.subject == "We drew one more code for your parcel"


async def test_what_a_station_writes_of_a_code_tells_nobody(office: Office) -> None:
    parcel = await office.inside()
    await office.tell()
    before = len(await told(office))
    forged = facts.Granted(
        grant=UUID(int=7), station="S-0001", may=("collect",), parcel=parcel.id, by="operator", tag="0" * 32
    )  # fmt: skip
    await office.hub.receive("S-0001", office.pen.write(forged))
    assert len(await told(office)) == before


async def test_a_courier_who_is_admitted_and_a_friend_are_no_such_news(office: Office) -> None:
    parcel = await office.inside()
    before = len(await told(office))
    await office.hub.grant(facts.Granted(grant=UUID(int=8), station="S-0001", may=("deposit",), courier=UUID(int=9)))
    await office.hub.grant(
        facts.Granted(grant=UUID(int=10), station="S-0001", may=("collect",), parcel=parcel.id, by="recipient")
    )
    assert len(await told(office)) == before

"""What is done about a case that stays open: who was sent is seen by colleagues, the recipient hears of it once."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest
import pytest_asyncio

from hub.letters import Office, an_office
from parcelwall.errors import Refusal
from parcelwall.hub import case_notes, needs
from parcelwall.hub.cases import CloseCase, HoldDoor, OpenCase
from parcelwall.hub.lists import Block
from parcelwall.hub.staff import Person
from parcelwall.hub.verify import verify_hub
from parcelwall.rules.life import Parcel

KAISA = Person("kaisa", "Kaisa", "operator", actor=UUID(int=7))
TIMO = Person("timo", "Timo", "technician", actor=UUID(int=8))
FAR = Person("far", "Far", "operator", frozenset({"S-0002"}), UUID(int=9))


@pytest_asyncio.fixture
async def office(database: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with an_office(database, tmp_path) as office:
        office.hub.channels = office.teller.channels
        yield office
        assert await verify_hub(office.hub.pool) == []


async def a_case(office: Office, parcel: Parcel) -> UUID:
    await office.hub.desk.ask(OpenCase(parcel=parcel.id, about="reported_empty", station="S-0001", compartment=1))
    await office.tell()
    office.mail.got.clear()
    office.sms.got.clear()
    [case] = await office.hub.pool.fetch("SELECT id FROM case_file WHERE about = 'reported_empty'")
    return case["id"]  # type: ignore[no-any-return]


async def noted(office: Office, case: UUID) -> list[tuple[str, str, UUID | None]]:
    [need] = [need for need in await needs.needs(office.hub, KAISA) if need.case == case]
    found = await case_notes.of_cases(office.hub.pool, {case: need.since})
    return [(each.what, each.words, each.actor) for each in found.get(case, [])]


async def test_the_recipient_is_told_once_by_all_ways_and_without_a_code(office: Office) -> None:
    parcel = await office.inside()
    case = await a_case(office, parcel)
    assert await case_notes.tell(office.hub, KAISA, case)
    with pytest.raises(Refusal, match="stale_screen"):
        await case_notes.tell(office.hub, KAISA, case)
    await office.tell()
    got = [message for _, message, _ in (*office.mail.got, *office.sms.got)]
    assert [message.subject for message in got][:1] == ["We look after your parcel at Station S-0001"]
    assert len(got) == 2 and "We know and see to it" in got[1].sms and "Type the code" not in got[0].text
    assert await noted(office, case) == [("told", "", KAISA.actor)]


async def test_nobody_is_told_of_what_nobody_waits_for(office: Office) -> None:
    parcel = await office.inside()
    case = await a_case(office, parcel)
    await office.hub.desk.ask(Block(parcel=parcel.id, why="recall"))
    assert not await case_notes.tell(office.hub, KAISA, case)
    held = UUID((await office.hub.desk.ask(HoldDoor(station="S-0001", compartment=2))).body["case"])
    assert not await case_notes.tell(office.hub, KAISA, held), "it has no parcel"
    assert await noted(office, case) == []


async def test_who_was_sent_stands_with_the_case_until_it_is_closed(office: Office) -> None:
    case = await a_case(office, await office.inside())
    await case_notes.send(office.hub, TIMO, case, " a technician, by 16:00 ")
    assert await noted(office, case) == [("sent", "a technician, by 16:00", TIMO.actor)]
    for who, words, why in ((TIMO, " ", "reason_missing"), (TIMO, "ring +358 40 123 4567", "bad_field"),
                            (FAR, "me", "no_right")):  # fmt: skip
        with pytest.raises(Refusal, match=why):
            await case_notes.send(office.hub, who, case, words)
    with pytest.raises(Refusal, match="no_right"):
        await case_notes.tell(office.hub, TIMO, case)
    with pytest.raises(Refusal, match="not_found"):
        await case_notes.send(office.hub, TIMO, UUID(int=1), "me")
    await office.hub.desk.ask(CloseCase(case=case, station="S-0001", outcome="looked", actor=TIMO.actor))
    with pytest.raises(Refusal, match="stale_screen"):
        await case_notes.send(office.hub, TIMO, case, "another")

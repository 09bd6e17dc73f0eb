"""Notices: never missing and hardly ever double, tried again when the world failed, and silent about those erased."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from hub.letters import PUBLIC, Crash, Office, an_office
from parcelwall.errors import Trouble
from parcelwall.hub import people
from parcelwall.hub.codes import token_of
from parcelwall.hub.commands import Divert, Extend, RenewCode
from parcelwall.hub.ending import WriteOff
from parcelwall.hub.needs import needs
from parcelwall.hub.outbox import outbox
from parcelwall.hub.people import Person
from parcelwall.hub.staff import Person as Operator
from parcelwall.hub.tell import LEASE, Teller
from parcelwall.ids import LOW_BITS
from parcelwall.link.identity import signed_by
from parcelwall.notices.failures import RefusedByPolicy, Unanswered, Undeliverable
from parcelwall.rules import access, decide, facts, token
from parcelwall.rules.life import Parcel
from station.towns import ADA, NOW, announced, cases, parcel_at

LATER = NOW + timedelta(hours=48)


@pytest_asyncio.fixture
async def office(database: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with an_office(database, tmp_path) as office:
        yield office


def code_of(office: Office, parcel: Parcel) -> str:
    key = office.hub.stations.known["S-0001"].code_key
    assert parcel.reservation is not None
    code = access.pickup_code(key, "S-0001", parcel.reservation, parcel.generation)
    return f"{code[:4]} {code[4:]}"


async def test_one_notice_per_channel_and_never_again(office: Office) -> None:
    parcel = await office.inside()
    for _ in range(3):
        await office.tell()
    assert (len(office.mail.got), len(office.sms.got)) == (1, 1)
    person, message, message_id = office.mail.got[0]
    assert person == ADA
    assert code_of(office, parcel) in message.text
    assert f"{PUBLIC}/p/" in message.text
    assert message_id.endswith("@parcels.example>")
    assert office.sms.got[0][2] != message_id
    await office.hub.pool.execute("UPDATE follower SET tx = 0, writer = '', number = 0, revision = 0")
    await office.tell()
    assert (len(office.mail.got), len(office.sms.got)) == (1, 1), "also when everything is followed again"


async def test_what_is_told_and_what_is_not(office: Office) -> None:
    parcel = await office.inside()
    diverted = await office.promised("PW-2")
    await office.hub.desk.ask(Divert(carrier="acme", parcel=diverted, reason="station_full"))
    await office.hub.desk.ask(Extend(carrier=None, parcel=parcel.id, by="recipient"))
    await office.tell()
    assert {purpose for purpose, _, _ in await office.notices()} == {"ready", "kept_longer", "diverted"}
    assert {state for _, _, state in await office.notices()} == {"sent"}
    await office.hub.receive("S-0001", office.pen.write(office.pen.collected(parcel, 1)))
    await office.tell()
    assert len(await office.notices()) == 6, "nobody is told of what they did themselves"


async def test_whoever_waits_for_what_is_written_off_is_told_that_it_is_lost(office: Office) -> None:
    parcel, found = await office.inside(), await office.inside("PW-2")
    await office.tell()
    for each in (parcel, found):
        await office.hub.desk.ask(WriteOff(parcel=each.id, why="stolen", actor=UUID(int=9)))
    await office.follow()
    await office.hub.receive("S-0001", office.pen.write(office.pen.collected(found, 2)))  # before anybody was told
    await office.tell()
    assert len(office.mail.got) == 3, "and nobody that theirs is lost, once it was found"
    message = office.mail.got[-1][1]
    assert message.subject == "Your parcel is lost" and "Ask the carrier" in message.text
    assert code_of(office, parcel) not in message.text and "stolen" not in message.text
    assert "your parcel is lost" in office.sms.got[-1][1].sms


async def test_whoever_lies_behind_a_door_that_an_operator_opened_is_told(office: Office) -> None:
    """Once, without a code, and only of the own door; what could not be read, or did not open, tells nobody."""
    parcel, _ = await office.inside(), await office.inside("PW-2")
    await office.tell()
    before = len(office.mail.got)
    for door, by, outcome in ((1, "operator", "refused"), (1, "recipient", "opened"), (40, "operator", "opened")):
        answer = facts.OrderAnswered(order=UUID(int=door), outcome=outcome, compartment=door, by=by)  # type: ignore[arg-type]
        await office.hub.receive("S-0001", office.pen.write(answer))
    await office.hub.receive("S-0001", office.pen.raw(("OrderAnswered", '{"order": 7}')))
    taken = facts.OrderAnswered(order=UUID(int=8), outcome="opened", compartment=1, by="operator", takes_out=True)
    await office.hub.receive("S-0001", office.pen.write(taken))
    await office.tell()
    assert len(office.mail.got) == before, "of what is taken out it is told that it has gone back, once it is out"
    opened = facts.OrderAnswered(order=UUID(int=9), outcome="opened", compartment=1, by="operator")
    await office.hub.receive("S-0001", office.pen.write(opened))
    for _ in range(2):
        await office.tell()
    [(_, message, _)] = office.mail.got[before:]
    assert "We opened door 1" in message.subject
    assert code_of(office, parcel) not in message.text + message.sms


async def test_only_addresses_that_are_known(office: Office) -> None:
    await office.inside("PW-1", Person(name="Bea", phone="+358401111111"))
    await office.inside("PW-2", Person(name="Cid", email="cid@example.org"))
    await office.inside("PW-3", Person(name="Dan"))
    await office.inside("PW-4", None)
    await office.tell()
    assert [person.name for person, _, _ in office.sms.got] == ["Bea"]
    assert [person.name for person, _, _ in office.mail.got] == ["Cid"]


async def test_trouble_is_tried_again_and_waits_grow(office: Office) -> None:
    await office.inside(person=msgspec.structs.replace(ADA, phone=None))
    office.mail.moods = [Trouble("the server is down")] * 3
    await office.follow()
    waits = []
    for tries in range(1, 4):
        await office.hand_over()
        row = await office.hub.pool.fetchrow("SELECT * FROM notice")
        assert (row["state"], row["tries"], row["trouble"]) == ("waiting", tries, "the server is down")
        waits.append((row["next_try"] - office.now.now()).total_seconds())
        assert not await office.teller.hand_over_one(), "not before its time"
        office.now.move_to(row["next_try"])
    assert [15 <= waits[0] <= 30, 30 <= waits[1] <= 60, 60 <= waits[2] <= 120] == [True] * 3
    await office.hand_over()
    assert len(office.mail.got) == 1
    assert await office.notices() == [("ready", "email", "sent")]


async def test_a_service_that_never_says_that_it_has_sent_sends_a_dozen_times_in_three_days(office: Office) -> None:
    """Each may have arrived: a hundred of them, as of a service that is down, would be a plague."""
    await office.inside(person=msgspec.structs.replace(ADA, email=None))
    office.sms.moods = [Unanswered("no answer")] * 100
    await office.follow()
    while [each[2] for each in await office.notices()] == ["waiting"]:
        await office.hand_over()
        due = await office.hub.pool.fetchval("SELECT next_try FROM notice")
        office.now.move_to(max(due, office.now.now()))
    assert 10 <= 100 - len(office.sms.moods) <= 16
    assert await cases(office.hub) == ["notice_given_up"]


async def test_after_three_days_of_trouble_a_case(office: Office) -> None:
    await office.inside(person=msgspec.structs.replace(ADA, phone=None))
    office.mail.moods = [Trouble("the server is down")] * 2
    await office.tell()
    office.now.advance(72 * 3600)
    await office.hand_over()
    assert await office.notices() == [("ready", "email", "failed")]
    assert await cases(office.hub) == ["notice_given_up"]


async def test_undeliverable_is_tried_once(office: Office) -> None:
    await office.inside()
    office.mail.moods = [Undeliverable("address_unknown", 550)]
    await office.tell()
    office.now.advance(7200)
    await office.tell()
    assert await office.notices() == [("ready", "email", "failed"), ("ready", "sms", "sent")]
    assert "address_unknown" in await office.hub.pool.fetchval("SELECT trouble FROM notice WHERE channel = 'email'")
    assert not office.mail.got


async def test_mail_refused_by_policy_waits_and_needs_somebody(office: Office) -> None:
    """The server means us, not this recipient: their address stays good, and whoever runs the hub is told."""
    who = Operator("kaisa", "Kaisa", "operator")
    await office.inside(person=msgspec.structs.replace(ADA, phone=None))
    office.mail.moods = [RefusedByPolicy(550)] * 2
    began = office.now.now()
    with capture_logs() as logs:
        await office.tell()
    assert ("refused_by_policy", "warning") in [(each["event"], each["log_level"]) for each in logs]
    office.now.advance(31)
    await office.tell()
    assert await office.notices() == [("ready", "email", "waiting")] and await cases(office.hub) == []
    assert [(need.about, need.since) for need in await needs(office.hub, who)] == [("mail_refused", began)]
    office.now.advance(3600)
    await office.tell()
    assert await office.notices() == [("ready", "email", "sent")] and await needs(office.hub, who) == []


async def test_mail_refused_by_policy_for_three_days_is_a_case(office: Office) -> None:
    await office.inside(person=msgspec.structs.replace(ADA, phone=None))
    office.mail.moods = [RefusedByPolicy(550)] * 2
    await office.tell()
    office.now.advance(72 * 3600)
    await office.tell()
    assert await cases(office.hub) == ["notice_given_up"]
    found = await needs(office.hub, Operator("kaisa", "Kaisa", "operator"))
    assert "mail_refused" not in [need.about for need in found]


async def test_a_notice_that_we_cannot_make_holds_up_no_other(office: Office) -> None:
    for number in range(3):
        await office.inside(f"PW-{number}", msgspec.structs.replace(ADA, phone=None))
    office.mail.moods = [ZeroDivisionError("a mistake of ours")]
    await office.tell()
    assert len(office.mail.got) == 2
    office.now.advance(60)
    await office.hand_over()
    assert len(office.mail.got) == 3


async def test_after_a_crash_in_the_hand_over_it_goes_again_as_the_same_mail(office: Office) -> None:
    await office.inside(person=msgspec.structs.replace(ADA, phone=None))
    await office.follow()
    office.mail.moods = [Crash()]
    with pytest.raises(Crash):
        await office.teller.hand_over_one()
    assert await office.notices() == [("ready", "email", "waiting")]
    assert not await office.teller.hand_over_one(), "its lease has not ended: nobody else takes it yet"
    office.now.advance(LEASE.total_seconds())
    office.teller = Teller(office.hub, office.teller.channels, PUBLIC, "parcels.example")
    await office.hand_over()
    assert len(office.mail.got) == 2
    assert len({message_id for _, _, message_id in office.mail.got}) == 1


async def test_two_senders_hand_over_once(office: Office) -> None:
    for number in range(4):
        await office.inside(f"PW-{number}")
    await office.follow()
    await asyncio.gather(*(office.hand_over() for _ in range(3)))
    assert (len(office.mail.got), len(office.sms.got)) == (4, 4)


async def test_what_was_collected_meanwhile_is_not_told(office: Office) -> None:
    parcel = await office.inside()
    await office.follow()
    await office.hub.receive("S-0001", office.pen.write(office.pen.collected(parcel, 1)))
    await office.hand_over()
    assert office.mail.got == office.sms.got == []
    assert {state for _, _, state in await office.notices()} == {"unneeded"}


async def test_one_who_was_erased_is_not_told(office: Office) -> None:
    parcel = await office.inside()
    await office.follow()
    async with office.hub.pool.acquire() as connection:
        assert parcel.person is not None
        await people.erase(connection, parcel.person)
    await office.hand_over()
    assert office.mail.got == office.sms.got == []
    assert {state for _, _, state in await office.notices()} == {"unneeded"}


# codes that came out alike


def alike(office: Office) -> tuple[UUID, UUID]:
    """Two reservations whose codes are equal at the station: with 10^8 codes some 12,000 are enough."""
    key, seen = office.hub.stations.known["S-0001"].code_key, dict[str, UUID]()
    first = office.hub.ids.new().int & ~LOW_BITS
    for number in count(1):
        reservation = UUID(int=first | number)
        code = access.pickup_code(key, "S-0001", reservation, 0)
        if code in seen:
            return seen[code], reservation
        seen[code] = reservation
    raise AssertionError


async def promise(office: Office, parcel_id: UUID, reservation: UUID) -> Parcel:
    async with office.hub.pool.acquire() as connection, connection.transaction():
        at = office.hub.desk.sitting(connection)
        await at.load([parcel_id], ["S-0001"])
        room, plan = at.book.rooms["S-0001"], at.book.plans["S-0001"]
        parcel = at.book.parcels[parcel_id]
        at.record(decide.reserve(parcel, "S-0001", plan, room, reservation, "tag", "0001", at.now, at.policy))
        await at.write()
    return await parcel_at(office.hub, parcel_id)


async def test_a_code_that_another_parcel_has_is_renewed_before_anybody_is_told(office: Office) -> None:
    first, second = alike(office)
    for reference, reservation in (("PW-1", first), ("PW-2", second)):
        parcel = await announced(office.hub, reference, person=msgspec.structs.replace(ADA, phone=None))
        await office.put_in(await promise(office, parcel, reservation))
    for _ in range(3):
        await office.tell()
        office.now.advance(120)
    parcels = [await parcel_at(office.hub, row["id"]) for row in await office.hub.pool.fetch(
        "SELECT id FROM parcel ORDER BY id")]  # fmt: skip
    assert [parcel.generation for parcel in parcels] == [0, 1]
    codes = [code_of(office, parcel) for parcel in parcels]
    assert len(set(codes)) == 2
    told = [message.text for _, message, _ in office.mail.got]
    assert len(told) == 2, "once each, although there were three facts to tell of"
    assert [code in text for code, text in zip(codes, told, strict=True)] == [True, True]


async def test_the_qr_is_a_token_of_this_parcel(office: Office) -> None:
    parcel = await office.inside(person=msgspec.structs.replace(ADA, phone=None))
    shown = token.read(token_of(office.hub, parcel))
    assert shown is not None
    assert (shown.station_number, shown.reservation, shown.generation) == (1, parcel.reservation, 0)
    assert signed_by(office.hub.signer.public, shown.signature.hex(), token.to_sign(shown.payload))
    await office.hub.desk.ask(RenewCode(parcel=parcel.id))
    newer = token.read(token_of(office.hub, await parcel_at(office.hub, parcel.id)))
    assert newer is not None and newer.generation == 1


async def test_who_asks_for_the_qr_is_told_no_code(office: Office) -> None:
    parcel = await office.inside(person=msgspec.structs.replace(ADA, phone=None), proof="token")
    await office.tell()
    [(_, message, _)] = office.mail.got
    assert code_of(office, parcel) not in message.text + message.html
    assert message.qr


async def test_a_renewed_code_is_told_once(office: Office) -> None:
    parcel = await office.inside(person=msgspec.structs.replace(ADA, phone=None))
    await office.tell()
    await office.hub.desk.ask(RenewCode(parcel=parcel.id))
    await office.tell()
    newer = await parcel_at(office.hub, parcel.id)
    assert len(office.mail.got) == 2
    assert code_of(office, newer) in office.mail.got[1][1].text
    assert code_of(office, parcel) not in office.mail.got[1][1].text


# reminders, and the night


async def test_the_outbox_shows_and_hands_nothing_over(office: Office) -> None:
    parcel = await office.inside()
    [shown] = await outbox(office.hub)
    assert shown.code == code_of(office, parcel).replace(" ", "")
    assert shown.door == 1
    assert len(await outbox(office.hub)) == 1


# whom no channel reaches


async def test_an_address_refused_for_good_is_a_case_unless_another_channel_reaches_them(office: Office) -> None:
    await office.inside()
    office.mail.moods = [Undeliverable("address_unknown", 550)]
    await office.tell()
    assert await cases(office.hub) == [], "the text message came"
    await office.inside("PW-2", msgspec.structs.replace(ADA, phone=None))
    office.mail.moods = [Undeliverable("address_unknown", 550)]
    await office.tell()
    assert await cases(office.hub) == ["notice_given_up"]


async def test_who_is_reached_by_neither_channel_is_one_case(office: Office) -> None:
    """The mailbox is refused at once; the text message service is down for three days."""
    await office.inside()
    office.mail.moods = [Undeliverable("address_unknown", 550)]
    office.sms.moods = [Trouble("down")] * 2
    await office.tell()
    assert await cases(office.hub) == [], "it may come yet"
    office.now.advance(72 * 3600)
    await office.hand_over()
    assert await cases(office.hub) == ["notice_given_up"]


async def test_both_channels_fail_in_the_same_moment(office: Office) -> None:
    await office.inside()
    await office.follow()
    office.mail.moods, office.sms.moods = [Undeliverable("address_unknown", 550)], [Undeliverable("number_unreadable")]
    await asyncio.gather(office.teller.hand_over_one(), office.teller.hand_over_one())
    assert await office.notices() == [("ready", "email", "failed"), ("ready", "sms", "failed")]
    assert await cases(office.hub) == ["notice_given_up"]


async def test_a_mail_that_came_is_no_case_when_text_messages_are_down_for_days(office: Office) -> None:
    await office.inside()
    office.sms.moods = [Trouble("down")] * 2
    await office.tell()
    office.now.advance(72 * 3600)
    await office.hand_over()
    assert await office.notices() == [("ready", "email", "sent"), ("ready", "sms", "failed")]
    assert await cases(office.hub) == []

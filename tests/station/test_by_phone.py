"""A courier with a phone at a station that may have no line: who they are, and what they carry away."""

from datetime import timedelta
from uuid import UUID

import msgspec
import pytest

from parcelwall import clock
from parcelwall.errors import Refusal
from parcelwall.link import frames, paper, road
from parcelwall.link.identity import Signer, welcome_bytes
from parcelwall.link.station_end import WelcomeBody
from parcelwall.rules import delegation, facts, token
from parcelwall.rules.delegation import Delegation
from parcelwall.station.showing import REFUSED_AFTER_S
from station.rig import HUB, NAME, Rig

PHONE, OTHER = Signer(b"p" * 32), Signer(b"o" * 32)
COURIER, GRANT = UUID(int=77), UUID(int=78)  # the station has never heard of either


def answer(rig: Rig, challenge: str, hub: Signer = HUB, phone: Signer = PHONE, **changed: object) -> str:
    """What the phone makes of the code on the screen."""
    now = rig.now.now()
    known = Delegation(NAME, COURIER, GRANT, PHONE.public, ("deposit",), now, now + delegation.LASTS)
    signed = delegation.payload(known._replace(**changed))  # type: ignore[arg-type]
    whole = signed + bytes.fromhex(hub.sign(token.to_sign(signed)))
    nonce = (token.from_base45(challenge.removeprefix("PWC:")) or b"")[4:]
    return delegation.text(whole, bytes.fromhex(phone.sign(delegation.to_answer(NAME, nonce, whole))))


@pytest.mark.parametrize("online", [True, False])
async def test_the_phones_answer_signs_in_a_courier_of_whom_nobody_here_has_heard(rig: Rig, online: bool) -> None:
    rig.promise("PW-1")
    rig.desk.online = online
    kiosk = rig.station.kiosk
    await kiosk.act("courier", kiosk.showing.number)
    assert kiosk.showing.screen == "courier-in"
    text = answer(rig, kiosk.by_phone.challenge.shown())
    showing = await kiosk.scanned(text)
    assert (showing.screen, showing.courier) == ("courier-scan", COURIER)
    showing = await kiosk.scanned("PW-1")
    assert showing.screen == "open", "a planned parcel: scan, and no tap"
    await rig.shut(showing.door or 0)
    [said] = [e.body for e in rig.memory.journal.since(NAME, 0) if e.kind == "Deposited"]
    assert facts.read("Deposited", said).courier == COURIER  # type: ignore[union-attr]
    again = await kiosk.scanned(text)
    assert again.refusal == "wrong_code", "an answer is good once"


async def test_what_is_not_delegated_is_refused(rig: Rig) -> None:
    challenge = rig.station.kiosk.by_phone.challenge
    assert challenge.admit(answer(rig, challenge.shown())) == COURIER
    parcel = await rig.inside("PW-1")
    rig.hear(facts.Expired(parcel=parcel))
    with pytest.raises(Refusal, match="no_right"):
        rig.desk.take_back(parcel, COURIER)
    rig.now.advance(25 * 3600)
    with pytest.raises(Refusal, match="no_right"):
        rig.desk.deposit_by_label("PW-2", COURIER)


@pytest.mark.parametrize(
    "how", ["another hub", "another phone", "another station", "over", "for a month", "revoked", "stale", "no text"]
)
async def test_every_other_answer_is_refused_alike(rig: Rig, how: str) -> None:
    kiosk, now = rig.station.kiosk, rig.now.now()
    challenge = kiosk.by_phone.challenge.shown()
    text = {
        "another hub": answer(rig, challenge, hub=OTHER),
        "another phone": answer(rig, challenge, phone=OTHER),
        "another station": answer(rig, challenge, station="S-0002"),
        "over": answer(rig, challenge, not_before=now - timedelta(hours=30), expires=now - timedelta(hours=6)),
        "for a month": answer(rig, challenge, expires=now + timedelta(days=30)),
        "no text": "PW2:",
    }.get(how) or answer(rig, challenge)
    if how == "revoked":
        rig.hear(facts.Revoked(grant=GRANT, station=NAME))
    if how == "stale":
        rig.now.advance(61)
    wrote, brake, began = rig.wrote(), rig.memory.brake("bare"), rig.now.mono()
    showing = await kiosk.scanned(text)
    assert (showing.screen, showing.refusal, showing.courier) == ("courier-in", "wrong_code", None)
    assert round(rig.now.mono() - began, 6) == REFUSED_AFTER_S
    assert (rig.wrote(), rig.memory.brake("bare")) == (wrote, brake), "a signature is not guessed: it counts nothing"


async def test_a_grant_that_is_taken_back_ends_what_was_delegated(rig: Rig) -> None:
    rig.promise("PW-1")
    challenge = rig.station.kiosk.by_phone.challenge
    challenge.admit(answer(rig, challenge.shown()))
    rig.hear(facts.Revoked(grant=GRANT, station=NAME))
    with pytest.raises(Refusal, match="no_right"):
        rig.desk.deposit_by_label("PW-1", COURIER)


async def test_the_code_on_the_screen_changes_and_a_slow_phone_is_still_heard(rig: Rig) -> None:
    challenge = rig.station.kiosk.by_phone.challenge
    first = challenge.shown()
    assert challenge.shown() == first
    rig.now.advance(35)
    assert challenge.shown() != first
    assert challenge.admit(answer(rig, first)) == COURIER


async def test_a_round_at_a_dark_station_ends_with_what_the_phone_carries(rig: Rig) -> None:
    rig.promise("PW-1")
    rig.desk.online, kiosk = False, rig.station.kiosk
    await kiosk.sign_in(rig.courier_code())
    await kiosk.scanned("PW-1")
    await rig.shut(kiosk.showing.door or 0)
    await kiosk.act("finish", kiosk.showing.number)
    assert kiosk.showing.screen == "courier-sync"
    assert kiosk.by_phone.road.unsent == rig.wrote()
    assert kiosk.by_phone.road.sheets
    with pytest.raises(Refusal, match="stale_screen"):
        await kiosk.act("next-part", kiosk.showing.number)
    await kiosk.act("finish", kiosk.showing.number)
    assert kiosk.showing.screen == "courier-bye"


async def test_with_a_line_nothing_is_carried(rig: Rig) -> None:
    rig.desk.online, kiosk = True, rig.station.kiosk
    await kiosk.sign_in(rig.courier_code())
    await kiosk.act("finish", kiosk.showing.number)
    assert kiosk.showing.screen == "courier-bye"


def welcomed(rig: Rig, has: int, epoch: int = 1) -> None:
    """A line comes up: the hub says, signed, how far it has this station's book."""
    end, now = rig.station.line_end("hub"), clock.text(rig.now.now())
    [hello] = end.hear(frames.encode(frames.Challenge(hub="hub", nonce="00" * 32, at=now)))
    nonce = bytes.fromhex(msgspec.json.decode(msgspec.json.decode(hello)["body"])["nonce"])
    [last] = rig.memory.since(NAME, has - 1, 1)
    present, here = f"hub:{epoch}/{NAME}", rig.memory.has()
    wrote = {present: (here.number, here.hash.hex()) if epoch == 1 else (0, "")}
    body = msgspec.json.encode(WelcomeBody(at=now, has={NAME: (has, last.hash.hex())}, wrote=wrote)).decode()
    end.hear(frames.encode(frames.Welcome(body, HUB.sign(welcome_bytes(NAME, nonce, body)))))


async def test_what_a_restored_hub_has_lost_can_be_carried_again(rig: Rig) -> None:
    """The hub had all, and was restored to where it had one entry; the line that says so breaks at once."""
    await rig.inside("PW-1")
    wrote = rig.wrote()
    welcomed(rig, has=wrote)
    assert rig.memory.unsent() == 0
    welcomed(rig, has=1, epoch=2)
    rig.desk.online = False
    by_phone = rig.station.kiosk.by_phone
    assert (rig.memory.unsent(), by_phone.is_needed()) == (wrote - 1, True)
    by_phone.begin()
    phone = paper.Gathering()
    [bundle] = [whole for text in by_phone.road.sheets if (whole := phone.take(text)) is not None]
    assert [(frame.after, frame.through) for frame in road.read(bundle).entries] == [(1, wrote)]
    rig.memory.acknowledged(wrote)
    rig.memory.acknowledged(2)  # a late word over an old connection
    assert rig.memory.unsent() == 0

"""The QR at a station that has no line: it opens its own door once, and whatever is not it opens none."""

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parcelwall.errors import Refusal
from parcelwall.link.identity import Signer
from parcelwall.rules import facts, token
from parcelwall.rules.life import Stage
from parcelwall.station.showing import REFUSED_AFTER_S
from station.rig import NAME, Rig

GRANT = UUID(int=9)


def refused(rig: Rig, text: str, reason: str = "wrong_code") -> None:
    wrote, brake = rig.wrote(), rig.memory.brake("bare")
    with pytest.raises(Refusal) as no:
        rig.desk.collect_by_token(text)
    assert (no.value.reason, no.value.details) == (reason, {}), "one answer for every cause"
    assert (rig.wrote(), rig.memory.brake("bare")) == (wrote, brake), "a QR that fails counts nothing"


@pytest.mark.parametrize("online", [True, False])
async def test_the_reader_delivers_it_and_the_door_opens(rig: Rig, online: bool) -> None:
    parcel = await rig.inside("PW-1")
    rig.desk.online = online
    shown = rig.token(parcel)
    began, pulses = rig.now.mono(), rig.pulses()
    showing = await rig.station.kiosk.scanned(shown)
    assert (showing.screen, showing.door) == ("open", rig.parcel(parcel).compartment)
    assert rig.now.mono() - began < 1.5
    await rig.shut(showing.door or 0)
    assert rig.parcel(parcel).stage == Stage.COLLECTED
    refused(rig, shown)
    assert rig.pulses() == pulses + 1


async def test_a_pause_of_codes_does_not_concern_it(rig: Rig) -> None:
    parcel, kiosk = await rig.inside("PW-1"), rig.station.kiosk
    for _ in range(5):
        await kiosk.type_code("00000000")
    assert (await kiosk.type_code(rig.code(parcel))).screen == "paused"
    assert (await kiosk.scanned(rig.token(parcel))).screen == "open"


async def test_a_wrong_one_has_the_words_and_the_moment_of_a_wrong_code(rig: Rig) -> None:
    await rig.inside("PW-1")
    began = rig.now.mono()
    showing = await rig.station.kiosk.scanned("PW1:NOT OURS")
    assert (showing.screen, showing.tries_left) == ("wrong", None)
    assert round(rig.now.mono() - began, 6) == REFUSED_AFTER_S


async def test_a_parcel_that_asks_for_it_opens_by_nothing_else(rig: Rig) -> None:
    parcel = rig.promise("PW-7F3-2917", proof="token")
    await rig.deposit("PW-7F3-2917")
    for selector in (None, "2917"):
        with pytest.raises(Refusal) as no:
            rig.desk.collect_by_code(rig.code(parcel), selector)
        assert no.value.reason == "wrong_code"
    await rig.through(rig.desk.collect_by_token(rig.token(parcel)))
    assert rig.parcel(parcel).stage == Stage.COLLECTED


async def test_one_that_asks_for_a_verified_person_does_not_open_by_it(rig: Rig) -> None:
    parcel = rig.promise("PW-1", proof="verified")
    await rig.deposit("PW-1")
    refused(rig, rig.token(parcel), "proof_missing")


@pytest.mark.parametrize("online", [True, False])
async def test_a_verified_person_shows_a_qr_of_some_minutes(rig: Rig, online: bool) -> None:
    parcel = rig.promise("PW-1", proof="verified")
    await rig.deposit("PW-1")
    rig.desk.online = online
    now = rig.now.now()
    early = now - token.VERIFIED_LASTS - token.SLACK - timedelta(seconds=1)
    refused(rig, rig.token(parcel, not_before=early, expires=early + token.VERIFIED_LASTS, verified=True))
    shown = rig.token(parcel, expires=now + token.VERIFIED_LASTS, verified=True)
    await rig.through(rig.desk.collect_by_token(shown))
    assert rig.parcel(parcel).stage == Stage.COLLECTED
    refused(rig, shown)


async def test_one_for_a_verified_person_cannot_be_made_of_another(rig: Rig) -> None:
    """Its kind is among the bytes that are signed."""
    parcel = rig.promise("PW-1", proof="verified")
    await rig.deposit("PW-1")
    data = token.from_base45(rig.token(parcel).removeprefix(token.PREFIX)) or b""
    refused(rig, token.PREFIX + token.base45(data[:1] + bytes([token.OF_VERIFIED]) + data[2:]))


async def test_what_does_not_fit(rig: Rig) -> None:
    parcel = await rig.inside("PW-1")
    now = rig.now.now()
    refused(rig, rig.token(parcel, signer=Signer(bytes(32))))
    refused(rig, rig.token(parcel, station="S-0002"))
    refused(rig, rig.token(parcel, reservation=UUID(int=1)))
    refused(rig, rig.token(parcel, expires=now - timedelta(minutes=6)))
    refused(rig, rig.token(parcel, not_before=now + timedelta(minutes=6)))
    rig.hear(facts.CodeRenewed(parcel=parcel, reservation=rig.parcel(parcel).reservation, generation=3))
    for older in range(3):
        refused(rig, rig.token(parcel, generation=older))
    await rig.through(rig.desk.collect_by_token(rig.token(parcel)))


async def test_a_newer_one_than_the_station_has_heard_of(rig: Rig) -> None:
    """The hub's signature says that it is newer; it is spent like any other, and so is the parcel's code."""
    parcel = await rig.inside("PW-1")
    rig.desk.online = False
    await rig.through(rig.desk.collect_by_token(rig.token(parcel, generation=2)))
    assert rig.parcel(parcel).stage == Stage.COLLECTED


@pytest.mark.parametrize("code_first", [True, False])
async def test_code_and_qr_are_one_right(rig: Rig, code_first: bool) -> None:
    parcel = await rig.inside("PW-1")
    code, shown = rig.code(parcel), rig.token(parcel)
    visit = rig.desk.collect_by_code(code) if code_first else rig.desk.collect_by_token(shown)
    visit = await rig.keeper.serve(visit)
    rig.desk.failed(visit, "unclear")  # open, and then nobody can say: the parcel counts as inside
    assert rig.parcel(parcel).stage == Stage.READY
    refused(rig, shown)
    with pytest.raises(Refusal):
        rig.desk.collect_by_code(code)


async def test_a_qr_that_opened_nothing_stays_good(rig: Rig) -> None:
    parcel = await rig.inside("PW-1")
    shown = rig.token(parcel)
    rig.desk.void(rig.desk.collect_by_token(shown))
    await rig.through(rig.desk.collect_by_token(shown))
    assert rig.parcel(parcel).stage == Stage.COLLECTED


async def test_spent_is_spent_after_a_restart(rig: Rig) -> None:
    parcel = await rig.inside("PW-1")
    shown = rig.token(parcel)
    visit = await rig.keeper.serve(rig.desk.collect_by_token(shown))
    await rig.restart()
    await rig.shut(visit.compartment)
    assert rig.parcel(parcel).stage == Stage.COLLECTED
    refused(rig, shown)


async def test_a_delegate(rig: Rig) -> None:
    first, second = await rig.inside("PW-1"), await rig.inside("PW-2")
    await rig.through(rig.desk.collect_by_token(rig.token(first, grant=GRANT)))
    assert facts.read("Collected", rig.memory.journal.since(NAME, rig.wrote() - 1)[0].body).by == "delegate"
    rig.hear(facts.Revoked(grant=GRANT, station=NAME))
    refused(rig, rig.token(second, grant=GRANT))
    await rig.restart()
    refused(rig, rig.token(second, grant=GRANT))
    await rig.through(rig.desk.collect_by_token(rig.token(second)))


async def test_while_a_door_is_open(rig: Rig) -> None:
    first, second = await rig.inside("PW-1"), await rig.inside("PW-2")
    showing = await rig.station.kiosk.scanned(rig.token(first))
    assert (await rig.station.kiosk.scanned(rig.token(second))).door == showing.door, "one moment"
    assert rig.parcel(second).stage == Stage.READY


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(data=st.data())
async def test_any_changed_byte_is_refused(rig: Rig, data: st.DataObject) -> None:
    parcels = list(rig.memory.parcels())
    parcel = parcels[0].id if parcels else await rig.inside("PW-1")
    good = token.from_base45(rig.token(parcel).removeprefix(token.PREFIX)) or b""
    place, bits = data.draw(st.integers(0, len(good) - 1)), data.draw(st.integers(1, 255))
    changed = good[:place] + bytes([good[place] ^ bits]) + good[place + 1 :]
    refused(rig, token.PREFIX + token.base45(changed))

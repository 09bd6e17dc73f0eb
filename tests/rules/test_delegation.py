"""A courier's answer: the vector of docs/codes.md, and that only what was signed can be read out of a text."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parcelwall.link.identity import Signer, signed_by
from parcelwall.rules import delegation, token
from parcelwall.rules.delegation import Delegation

HUB = Signer(bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))  # RFC 8032, test 1
PHONE = Signer(bytes.fromhex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7"))  # and test 3
COURIER = UUID("0198f000-0000-7000-8000-000000000001")
GRANT = UUID("0198f000-0000-7000-8000-0000000000aa")
SINCE = datetime(2026, 11, 22, 5, tzinfo=UTC)
FIRST = Delegation("S-0012", COURIER, GRANT, PHONE.public, ("deposit", "take_back"), SINCE, SINCE + timedelta(hours=24))
NONCE = bytes(range(16))
PAYLOAD = (
    "010201060198f0000000700080000000000000010198f0000000700080000000000000aa"
    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb9115489080250000000c6b0276d06b03c850"
)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))
GIVEN = st.builds(
    Delegation, st.from_regex(r"S-[0-9]{4}", fullmatch=True), st.uuids(), st.uuids(),
    st.binary(min_size=32, max_size=32),
    st.sampled_from([(), ("deposit",), ("take_back",), ("deposit", "take_back")]), MOMENTS, MOMENTS,
)  # fmt: skip


def shown_by(phone: Signer, nonce: bytes, given: Delegation = FIRST) -> str:
    signed = delegation.payload(given)
    whole = signed + bytes.fromhex(HUB.sign(token.to_sign(signed)))
    return delegation.text(whole, bytes.fromhex(phone.sign(delegation.to_answer(given.station, nonce, whole))))


def test_vector() -> None:
    assert delegation.payload(FIRST).hex() == PAYLOAD
    assert delegation.challenge("S-0012", NONCE) == "PWC:000C00100KB0*M0DY0W016C1PN1:Y1"
    text = shown_by(PHONE, NONCE)
    assert len(text) == 4 + 312, "a QR of version 11 at level M holds it"
    read = delegation.read(text)
    assert read is not None
    assert (read.station_number, read.courier, read.grant, read.may) == (12, COURIER, GRANT, FIRST.may)
    assert read.phone_key == PHONE.public
    assert signed_by(HUB.public, read.signature.hex(), token.to_sign(read.payload))
    told = delegation.to_answer("S-0012", NONCE, read.delegation)
    assert signed_by(PHONE.public, read.answer.hex(), told)
    other = delegation.to_answer("S-0012", bytes(16), read.delegation)
    assert not signed_by(PHONE.public, read.answer.hex(), other), "a film of it answers no other challenge"


@given(GIVEN, st.binary(min_size=64, max_size=64), st.binary(min_size=64, max_size=64))
def test_what_was_written_is_read(given: Delegation, signature: bytes, answer: bytes) -> None:
    read = delegation.read(delegation.text(delegation.payload(given) + signature, answer))
    assert read is not None
    assert (read.courier, read.grant, read.phone_key) == (given.courier, given.grant, given.phone_key)
    assert read.may == given.may
    assert (read.signature, read.answer) == (signature, answer)
    assert read.expires == given.expires.replace(microsecond=0)


@given(st.text(max_size=300) | st.binary(max_size=200).map(lambda data: "PW2:" + token.base45(data)))
def test_no_text_does_harm(text: str) -> None:
    read = delegation.read(text)
    assert read is None or delegation.text(read.delegation, read.answer) == text


@pytest.mark.parametrize("place", [0, 1, 2])
def test_another_version_kind_or_key_is_not_read(place: int) -> None:
    changed = bytearray(delegation.payload(FIRST))
    changed[place] += 1
    assert delegation.read(delegation.text(bytes(changed) + bytes(64), bytes(64))) is None


@pytest.mark.parametrize("may", [1, 8, 16, 7, 255])
def test_bits_that_are_not_a_couriers_are_not_read(may: int) -> None:
    changed = bytearray(delegation.payload(FIRST))
    changed[3] = may
    assert delegation.read(delegation.text(bytes(changed) + bytes(64), bytes(64))) is None


def test_times() -> None:
    read = delegation.read(shown_by(PHONE, NONCE))
    assert read is not None
    hour = timedelta(hours=1)
    moments = [SINCE - hour, SINCE, SINCE + 23 * hour, SINCE + 25 * hour]
    assert [delegation.in_time(read, at) for at in moments] == [False, True, True, False]
    endless = FIRST._replace(expires=SINCE + timedelta(days=30))
    told = delegation.read(shown_by(PHONE, NONCE, endless))
    assert told is not None and not delegation.in_time(told, SINCE + hour), "nothing lasts longer than a day"

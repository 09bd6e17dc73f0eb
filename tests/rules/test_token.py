"""The QR's bytes: the vector of docs/codes.md, and that nothing but what was signed can be read out of a text."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from parcelwall.rules import token
from parcelwall.rules.token import Token

RESERVATION = UUID("0198f000-0000-7000-8000-000000000001")
FIRST = Token("S-0012", RESERVATION, 0, datetime(2025, 12, 1, tzinfo=UTC), datetime(2025, 12, 8, tzinfo=UTC))
PAYLOAD = "010101010000000c0198f00000007000800000000000000100692cda8069361500"
SIGNATURE = (
    "f08fe211d837c499ace0d1da90d787c3ec2055fd1826ac7fe00d2b65e6cea491"
    "c904f3ffaeef0a004dcf4fa322c37ee7a5ad391d390e84366b41eff5a0416702"
)
TEXT = (
    "PW1:W50W50000C00390FFU00077E88G000000100F207U5NAGU$6F50O8INB2B27AJJ/ISHSR5BRQYO.34$:V0+4L7G-T1V*CP5QGJI7S0OEW*9UW10"
    "G9Q2SK6WO CTK+LBV3Q$1Q*64F8F2V3C820"
)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))
TOKENS = st.builds(
    Token, st.from_regex(r"S-[0-9]{4}", fullmatch=True), st.uuids(), st.integers(0, 255), MOMENTS, MOMENTS,
    st.none() | st.uuids(), st.just(False),
)  # fmt: skip
TOKENS |= TOKENS.map(lambda made: made._replace(grant=None, verified=True))


def test_vector() -> None:
    assert token.payload(FIRST).hex() == PAYLOAD
    assert token.text(bytes.fromhex(PAYLOAD), bytes.fromhex(SIGNATURE)) == TEXT
    read = token.read(TEXT)
    assert read is not None
    assert (read.station_number, read.reservation, read.generation, read.grant) == (12, RESERVATION, 0, None)
    assert (read.payload.hex(), read.signature.hex()) == (PAYLOAD, SIGNATURE)


@pytest.mark.parametrize(
    ("data", "written"), [(b"AB", "BB8"), (b"Hello!!", "%69 VD92EX0"), (b"base-45", "UJCLQE7W581"), (b"", "")]
)
def test_base45_as_rfc_9285_has_it(data: bytes, written: str) -> None:
    assert token.base45(data) == written
    assert token.from_base45(written) == data


@pytest.mark.parametrize("wrong", ["GGW", ":::", "A", "BB8B", "bb8", "B B\u00e9", "::"])
def test_what_is_no_base45(wrong: str) -> None:
    assert token.from_base45(wrong) is None


@given(st.binary(max_size=200))
def test_bytes_come_back(data: bytes) -> None:
    assert token.from_base45(token.base45(data)) == data


@given(TOKENS, st.binary(min_size=64, max_size=64))
def test_what_was_written_is_read(made: Token, signature: bytes) -> None:
    text = token.text(token.payload(made), signature)
    read = token.read(text)
    assert read is not None
    assert (read.payload, read.signature) == (token.payload(made), signature)
    assert (read.reservation, read.generation, read.grant) == (made.reservation, made.generation, made.grant)
    assert read.expires == made.expires.replace(microsecond=0)
    assert not text.endswith(" "), "a reader that trims must not hurt it"
    assert read.verified == made.verified


@given(st.text(max_size=200) | st.binary(max_size=140).map(lambda data: token.PREFIX + token.base45(data)))
@example(token.PREFIX + token.base45(b"\x01\x38" + b"\xff" * 62))  # a kind that is none, and just a signature long
def test_no_text_does_harm(text: str) -> None:
    read = token.read(text)
    assert read is None or token.text(read.payload, read.signature) == text


@given(st.integers(0, len(TEXT) - 1), st.sampled_from("09AZ $%*+-./:"))
def test_another_letter_is_another_token_or_none(place: int, letter: str) -> None:
    changed = TEXT[:place] + letter + TEXT[place + 1 :]
    read = token.read(changed)
    same = read is not None and (read.payload.hex(), read.signature.hex()) == (PAYLOAD, SIGNATURE)
    assert same is (changed == TEXT), "one token has one text"


def test_stations_have_numbers() -> None:
    assert token.station_number("S-0012") == 12
    assert token.station_number("Kluuvi") >> 31 == 1
    assert token.station_number("Kluuvi") != token.station_number("Kallio")


@pytest.mark.parametrize(("minutes", "good"), [(-6, False), (-5, True), (0, True), (7 * 24 * 60, True),
                                               (7 * 24 * 60 + 5, True), (7 * 24 * 60 + 6, False)])  # fmt: skip
def test_times_have_five_minutes_of_slack(minutes: int, good: bool) -> None:
    read = token.read(TEXT)
    assert read is not None
    assert token.in_time(read, FIRST.not_before + timedelta(minutes=minutes)) is good

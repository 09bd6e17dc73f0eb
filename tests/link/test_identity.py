"""Who is who: the vector of hardware.md 8, and signatures that fit one use only."""

import pytest

from link.books import HUB_KEY, OTHER_KEY, STATION_KEY
from parcelwall.journal.chain import Head
from parcelwall.link import backoff
from parcelwall.link.identity import (
    Signer,
    enrol_bytes,
    fingerprint,
    head_bytes,
    hello_bytes,
    lp,
    signed_by,
    welcome_bytes,
)

BODY = '{"station":"S-0012","boot":"b1","mono":1000}'
SIGNATURE = (
    "e568c8e6f13af429eb4e98de6c714215a1b7ea98aff6c7cef82d8393c181b004"
    "6956b8920d83749238b2cda728e744cc7bcc9f339d88688ddb20743997bb480d"
)
STATION, STRANGER = Signer(STATION_KEY), Signer(OTHER_KEY)


def test_hello_vector() -> None:
    signed = hello_bytes("hub.example", bytes(range(32)), BODY)
    assert len(signed) == 118
    assert STATION.sign(signed) == SIGNATURE
    assert signed_by(STATION.public, SIGNATURE, signed)


def test_keys_of_rfc_8032() -> None:
    assert Signer(HUB_KEY).public.hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert STATION.public.hex() == "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"


def test_a_signature_is_for_one_use() -> None:
    nonce = bytes(32)
    uses = [
        hello_bytes("S-0012", nonce, BODY), welcome_bytes("S-0012", nonce, BODY),
        enrol_bytes("S-0012", BODY, nonce, nonce), head_bytes("S-0012", Head(1, nonce)),
    ]  # fmt: skip
    assert len(set(uses)) == 4
    for use in uses:
        sig = STATION.sign(use)
        assert [signed_by(STATION.public, sig, other) for other in uses].count(True) == 1


def test_parts_do_not_run_into_each_other() -> None:
    assert lp(b"ab") == b"\x00\x00\x00\x02ab"
    assert hello_bytes("hub.example", b"", "x") != hello_bytes("hub.exampl", b"", "ex")
    assert head_bytes("S-1", Head(23, bytes(32))) != head_bytes("S-12", Head(3, bytes(32)))


@pytest.mark.parametrize("sig", ["", "zz", "00" * 64, SIGNATURE[:-2], SIGNATURE + "00", "\u00e9" * 128])
def test_what_is_no_signature(sig: str) -> None:
    assert not signed_by(STATION.public, sig, hello_bytes("hub.example", bytes(range(32)), BODY))


def test_another_key_and_no_key() -> None:
    data = hello_bytes("hub.example", bytes(range(32)), BODY)
    assert not signed_by(STATION.public, STRANGER.sign(data), data)
    assert not signed_by(b"short", SIGNATURE, data)
    assert not signed_by(bytes(32), SIGNATURE, data)


def test_fingerprints_are_short_and_differ() -> None:
    assert fingerprint(STATION.public) != fingerprint(STRANGER.public)
    assert len(fingerprint(STATION.public)) == 9
    assert fingerprint(STATION.public)[4] == "-"


def test_waits_double_to_five_minutes_and_spread() -> None:
    assert [backoff.wait_s(tries, 1.0) for tries in range(5)] == [2, 4, 8, 16, 32]
    assert [backoff.wait_s(tries, 0.0) for tries in range(3)] == [1, 2, 4]
    assert backoff.wait_s(10_000, 1.0) == 300

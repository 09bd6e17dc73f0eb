"""Who is who on the wire: Ed25519 signatures over tagged, length-framed bytes. Vectors in tests/link.

`lp(x)` is the length of x as 4 bytes big-endian, then x. Every tag ends in one zero byte, so that a signature for
one use never fits another.
"""

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from parcelwall.journal.chain import Head


def lp(part: bytes) -> bytes:
    return len(part).to_bytes(4, "big") + part


def _tagged(tag: str, *parts: str | bytes) -> bytes:
    framed = (lp(part.encode() if isinstance(part, str) else part) for part in parts)
    return f"parcelwall/{tag}/1".encode() + b"\x00" + b"".join(framed)


def hello_bytes(hub: str, nonce: bytes, body: str) -> bytes:
    return _tagged("hello", hub, nonce, body)


def welcome_bytes(station: str, nonce: bytes, body: str) -> bytes:
    return _tagged("welcome", station, nonce, body)


def head_bytes(writer: str, head: Head) -> bytes:
    return _tagged("head", writer) + head.number.to_bytes(8, "big") + head.hash


def enrol_bytes(hub: str, claim: str, public_key: bytes, nonce: bytes) -> bytes:
    return _tagged("enrol", hub, claim, public_key, nonce)


def order_bytes(station: str, body: str) -> bytes:
    return _tagged("order", station, body)


def told_bytes(station: str, body: str) -> bytes:
    return _tagged("told", station, body)


def bundle_bytes(body: bytes) -> bytes:
    return _tagged("bundle", body)


def beat_back_bytes(station: str, nonce: bytes, at: str, mono: int) -> bytes:
    """`nonce` is the station's, of this connection."""
    return _tagged("beat-back", station, nonce, at, str(mono))


def rekeyed_bytes(station: str, nonce: bytes, key: str) -> bytes:
    return _tagged("rekeyed", station, nonce, key)


def rekey_bytes(hub: str, nonce: bytes, station: str, key: bytes) -> bytes:
    return _tagged("rekey", hub, nonce, station, key)


class Signer:
    """A private key that never leaves the machine it was made on."""

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def sign(self, data: bytes) -> str:
        return self._key.sign(data).hex()


def signed_by(public_key: bytes, sig: str, data: bytes) -> bool:
    """Whether `sig` (hex) is this key's over these bytes. False also for a signature that is not hex at all."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(bytes.fromhex(sig), data)
    except (InvalidSignature, ValueError):
        return False
    return True


def map_bytes(wiring: str) -> bytes:
    """What a station signs once somebody has walked along its doors: the hash of their wiring, in hex."""
    return b"parcelwall/door-map/1\x00" + bytes.fromhex(wiring)


def fingerprint(public_key: bytes) -> str:
    """What a technician compares on two screens: 8 characters."""
    digest = hashlib.sha256(b"parcelwall/fingerprint/1\x00" + public_key).hexdigest().upper()
    return f"{digest[:4]}-{digest[4:8]}"

"""The same entries by another road: a bundle that a courier's phone carries between a station without a line and the
hub. The phone is blind and is not trusted.

A bundle is sig(64), then raw deflate of lines of JSON: a header, and frames of entries as the line ships them, each
with the writer's own signature over its head. So what arrives is judged as on the line: signature, chain, numbers
without a gap, once. What the phone loses or holds back is kept by its writer until the other side has said, signed,
that it has it. Orders never travel here. Source: hardware.md 6.7.
"""

import zlib
from collections.abc import Sequence

import msgspec

from parcelwall.clock import parse
from parcelwall.link import frames
from parcelwall.link.frames import BadFrame, Entries
from parcelwall.link.identity import Signer, bundle_bytes, signed_by

SIG_BYTES = 64
MOST_INFLATED_BYTES = 4 * 1024 * 1024
MOST_BYTES = 40_000  # of a bundle: 200 frames of 200 bytes, for the reader
MOST_LINES = 100
HUB = "hub"


class Header(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """Who tells whom, when by the teller's clock, how far the teller has the other's stream ([number, hash]) and how
    far it has written its own. `has` is an acknowledgement: stored for good through this number."""

    from_: str
    to: str
    made: str
    has: dict[str, tuple[frames.Number, str]]
    wrote: frames.Number


class Bundle(msgspec.Struct, frozen=True):
    """A bundle as it was read. Believe nothing in it before `is_by` holds."""

    header: Header
    entries: tuple[Entries, ...]
    body: bytes
    sig: bytes

    def is_by(self, key: bytes) -> bool:
        return signed_by(key, self.sig.hex(), bundle_bytes(self.body))


def pack(header: Header, entries: Sequence[Entries], signer: Signer, most_bytes: int = MOST_BYTES) -> bytes:
    """The bundle with as many of the frames, from the first on, as there is room for."""
    fitting = list(entries[: MOST_LINES - 1])
    while True:
        body = _deflated([header, *fitting])
        if len(body) + SIG_BYTES <= most_bytes or not fitting:
            return bytes.fromhex(signer.sign(bundle_bytes(body))) + body
        fitting.pop()


def read(data: bytes) -> Bundle:
    """What a bundle says, whoever signed it. Raises BadFrame for what is none."""
    sig, body = data[:SIG_BYTES], data[SIG_BYTES:]
    try:
        inflating = zlib.decompressobj(-15)
        text = inflating.decompress(body, MOST_INFLATED_BYTES)
        if not inflating.eof or inflating.unused_data:
            raise BadFrame("a bundle is one whole stream, at most 4 MiB when inflated")
        first, *rest = text.decode().split("\n")
        header = msgspec.json.decode(first, type=Header)
        parse(header.made)
    except (zlib.error, UnicodeError, ValueError, OverflowError, msgspec.DecodeError, RecursionError) as no:
        raise BadFrame(f"unreadable bundle: {no}") from no
    if len(rest) >= MOST_LINES:
        raise BadFrame(f"a bundle has at most {MOST_LINES} lines")
    return Bundle(header, tuple(_entries(line) for line in rest), body, sig)


def _entries(line: str) -> Entries:
    frame = frames.decode(line)
    if not isinstance(frame, Entries):
        raise BadFrame("a bundle carries entries, and nothing else")
    return frame


def _deflated(lines: Sequence[msgspec.Struct]) -> bytes:
    deflating = zlib.compressobj(9, wbits=-15)
    return deflating.compress(b"\n".join(map(msgspec.json.encode, lines))) + deflating.flush()

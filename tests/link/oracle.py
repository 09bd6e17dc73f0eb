"""Readers of what comes from outside, each held against what it may say: a whole thing that writes back to the same, or
its own word for no. Nothing else, no other exception, and no hang.

Used by the hypothesis tests and by fuzz_readers.py.
"""

from collections.abc import Callable

import msgspec

from parcelwall import clock
from parcelwall.drivers.power import seen
from parcelwall.drivers.scanner import ALLOWED, LONGEST, Collector
from parcelwall.link import frames, orders, paper, road
from parcelwall.link.frames import BadFrame
from parcelwall.link.identity import Signer
from parcelwall.rules import delegation, facts, token

HUB = Signer(bytes(range(32)))


def a_frame(data: bytes) -> None:
    """A frame of the link: known, unknown or bad; its entries in one piece, or bad."""
    text = data.decode("utf-8", "surrogatepass") if data.isascii() else data.decode("latin-1")
    try:
        frame = frames.decode(text)
        if frame is None:
            return
        assert frames.decode(frames.encode(frame)) == frame
        if isinstance(frame, frames.Entries):
            entries = frames.entries_of(frame)
            assert [each.number for each in entries] == list(range(frame.after + 1, frame.through + 1))
            assert all(clock.text(clock.parse(each.happened_at)) == each.happened_at for each in entries)
        if isinstance(frame, frames.Order):
            orders.read(frame, HUB.public)
            raise AssertionError("nobody but the hub signs an order")
    except BadFrame:
        return


def a_qr(data: bytes) -> None:
    """A collector's token, a courier's answer: as they were written, or None."""
    text = data.decode("latin-1")
    for prefix, read in ((token.PREFIX, token.read), (delegation.ANSWER_PREFIX, delegation.read)):
        for shown in (text, prefix + text, prefix + token.base45(data)):
            found = read(shown)
            if isinstance(found, token.Signed):
                assert token.text(found.payload, found.signature) == shown
            elif found is not None:
                assert delegation.text(found.delegation, found.answer) == shown


def a_scan(data: bytes) -> None:
    """Bytes of the reader, in pieces of up to 64, some of them late."""
    collector, now = Collector(), 0.0
    for at in range(0, len(data), 64):
        piece = data[at : at + 64]
        now += 0.2 if piece[0] % 7 == 0 else 0.01
        for text in collector.feed(piece, now):
            assert 0 < len(text) <= LONGEST
            assert text == text.strip()
            assert ALLOWED.issuperset(text)
    assert len(collector._buffer) <= LONGEST + 1, "a reader that never ends costs no memory"


def a_bundle(data: bytes) -> None:
    """What a courier's phone carries, and the sheets it is read from."""
    try:
        bundle = road.read(data)
    except BadFrame:
        pass
    else:
        assert not bundle.is_by(HUB.public), "nobody but the hub signs for it"
    gathering = paper.Gathering()
    for at in range(0, min(len(data), 4000), 100):
        piece = data[at : at + 100]
        for text in (piece.decode("latin-1"), paper.PREFIX + token.base45(piece)):
            whole = gathering.take(text)
            assert whole is None or len(whole) <= len(data)


def a_fact(data: bytes) -> None:
    """The body of an entry: a fact that is written as it was understood, unknown, or what msgspec calls wrong."""
    kinds = [*facts.KINDS, "Teleported"]
    kind, text = kinds[data[0] % len(kinds)] if data else "Deposited", data[1:].decode("latin-1")
    try:
        fact = facts.read(kind, text)
    except (msgspec.DecodeError, UnicodeError):
        return
    if fact is not None:
        assert facts.read(kind, facts.body(fact)) == fact


def a_supply(data: bytes) -> None:
    """What `upsd` says of the power: a state, or ValueError for a charge that is no number."""
    words = data.decode("latin-1").split("\n")
    try:
        told = seen({"ups.status": words[0], "battery.charge": words[-1]})
    except ValueError:
        return
    assert told.status in ("mains", "battery", "low", "unknown")
    assert told.charge_ratio is None or 0.0 <= told.charge_ratio <= 1.0


READERS: dict[str, Callable[[bytes], None]] = {
    "frame": a_frame, "qr": a_qr, "scan": a_scan, "bundle": a_bundle, "fact": a_fact, "supply": a_supply,
}  # fmt: skip

"""Bundles: who signed them, and that a courier can neither change, invent nor hide what is in them."""

import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from link.books import HUB_KEY, HUB_WRITER, NOW, OTHER_KEY, STATION, STATION_KEY, StationShelf
from parcelwall import clock
from parcelwall.clock import VirtualClock
from parcelwall.journal.chain import Broken
from parcelwall.journal.sqlite import SqliteJournal, connect
from parcelwall.link import frames, road
from parcelwall.link.frames import BadFrame, Entries
from parcelwall.link.identity import Signer
from parcelwall.link.road import Header
from parcelwall.link.shipping import Shipper, checked

OWN = Signer(STATION_KEY)
HEADER = Header(from_=STATION, to=road.HUB, made=clock.text(NOW), has={HUB_WRITER: (4, "00" * 32)}, wrote=3)


def shipped(words: list[str]) -> list[Entries]:
    shelf = StationShelf(VirtualClock(NOW))
    shelf.write(*words)
    told = Shipper(STATION, OWN).ship(shelf.since(STATION, 0, 10_000))
    return [frame for frame in told if isinstance(frame, Entries)]


@given(st.lists(st.from_regex(r"[a-z]{0,30}", fullmatch=True), max_size=250))
def test_what_was_packed_is_read(words: list[str]) -> None:
    told = shipped(words) if words else []
    bundle = road.read(road.pack(HEADER, told, OWN))
    assert bundle.is_by(OWN.public) and not bundle.is_by(Signer(OTHER_KEY).public)
    assert (bundle.header, list(bundle.entries)) == (HEADER, told)
    if words:
        assert len(checked(bundle.entries, OWN.public, STATION)) == len(words)


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_byte_is_noticed(place: int, by: int) -> None:
    data = bytearray(road.pack(HEADER, shipped(["one", "two", "three"]), OWN))
    data[place % len(data)] ^= by
    try:
        assert not road.read(bytes(data)).is_by(OWN.public)
    except BadFrame:
        pass


def test_the_tag_of_another_use_does_not_fit() -> None:
    data = road.pack(HEADER, [], OWN)
    forged = bytes.fromhex(OWN.sign(data[64:])) + data[64:]
    assert not road.read(forged).is_by(OWN.public)


def test_an_entry_that_is_left_out_or_moved_breaks_the_head() -> None:
    """Numbered anew by the courier, they bear the writer's signature over a head that no longer fits."""
    [frame] = shipped(["one", "two", "three"])
    one, two, three = frame.items
    for items in ((one, three), (two, one, three), (one, two)):
        renumbered = tuple(frames.Item(at, i.kind, i.happened_at, i.body) for at, i in enumerate(items, 1))
        told = frames.Entries(frame.writer, 0, len(items), renumbered, frame.head, frame.sig)
        there = SqliteJournal(connect(":memory:", durable=False))
        with pytest.raises((BadFrame, Broken)):
            there.receive(STATION, checked([told], OWN.public, STATION), clock.text(NOW))


def test_as_much_as_fits_is_carried_from_the_first_on() -> None:
    chance = random.Random(1)
    told = shipped([chance.randbytes(60).hex() for _ in range(900)])
    data = road.pack(HEADER, told, OWN)
    carried = road.read(data).entries
    assert len(data) <= road.MOST_BYTES
    assert 0 < len(carried) < len(told)
    assert list(carried) == told[: len(carried)]


def test_a_bomb_is_not_inflated() -> None:
    deflating = zlib.compressobj(9, wbits=-15)
    body = deflating.compress(bytes(50_000_000)) + deflating.flush()
    with pytest.raises(BadFrame):
        road.read(bytes(64) + body)


@given(st.binary(max_size=300))
def test_no_bytes_do_harm(data: bytes) -> None:
    with pytest.raises(BadFrame):
        road.read(data)


def test_nothing_but_entries_travels() -> None:
    order = frames.Order("{}", Signer(HUB_KEY).sign(b""))
    with pytest.raises(BadFrame, match="nothing else"):
        road.read(road.pack(HEADER, [order], OWN))  # type: ignore[list-item]

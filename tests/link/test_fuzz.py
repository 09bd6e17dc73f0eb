"""Whatever comes down the line, off a screen or out of the reader: no crash, no hang, nothing stored unsigned."""

import asyncio

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from link.books import HUB_WRITER, STATION, Pair
from link.oracle import READERS
from parcelwall.clock import parse, text
from parcelwall.errors import Trouble
from parcelwall.link import frames
from parcelwall.link.frames import BadFrame, Item
from rules.test_facts import FILES

NAMES = st.sampled_from(
    [STATION, HUB_WRITER, "hub:0/S-0012", "hub:2/S-0012", "S-0012:1795707783", "S-0013", "", "\x00"]
)
NUMBERS = st.one_of(st.integers(0, 6), st.sampled_from([-1, 99, 2**31, 2**63 - 1, 2**63, 10**30]))
WORDS = st.one_of(st.text(max_size=20), st.sampled_from(["ab" * 32, "00", "{}", "[]", "2026-11-22T08:00:00.000000Z"]))
HEADS = st.dictionaries(NAMES, st.tuples(NUMBERS, WORDS), max_size=3)
TOLD = st.fixed_dictionaries({
    "station": NAMES, "nonce": WORDS, "boot": WORDS, "mono": NUMBERS, "at": WORDS, "wrote": HEADS, "has": HEADS,
})  # fmt: skip
BODY = st.one_of(WORDS, TOLD.map(lambda body: msgspec.json.encode(body).decode()))
ITEM = st.fixed_dictionaries({"number": NUMBERS, "kind": WORDS, "happened_at": WORDS, "body": WORDS})
FIELDS = {
    "hub": NAMES, "nonce": WORDS, "at": WORDS, "versions": st.lists(NUMBERS, max_size=2), "body": BODY, "sig": WORDS,
    "reason": WORDS, "retry_s": st.floats(), "writer": NAMES, "after": NUMBERS, "through": NUMBERS, "head": WORDS,
    "items": st.lists(ITEM, max_size=3), "have": NUMBERS, "key": WORDS, "proof": WORDS, "boot": WORDS, "mono": NUMBERS,
    "wrote": NUMBERS, "clock": WORDS, "why": WORDS, "spread_s": st.floats(),
}  # fmt: skip
KINDS = {each.__struct_config__.tag: [field.name for field in msgspec.structs.fields(each)]
         for each in frames.Known.__args__}  # fmt: skip


@st.composite
def messages(draw: st.DrawFn) -> str:
    """A frame with any content that has its shape, or nearly; or something else."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.text(max_size=60))
    kind = draw(st.sampled_from(sorted(KINDS)))
    fields = {name: draw(FIELDS[name]) for name in KINDS[kind] if draw(st.integers(0, 19))}
    return msgspec.json.encode({"k": kind, **fields}).decode()


def books(pair: Pair) -> list[tuple[str, int, bytes]]:
    return [(each.writer, each.number, each.hash) for shelf in (pair.station, pair.hub) for each in shelf.entries()]


async def spoken_to(said: list[str], to_hub: bool, welcomed: bool) -> None:
    pair = Pair()
    pair.station.write("one", "two")
    pair.hub.write("three")
    station, hub = await pair.connected() if welcomed else pair.ends()
    before = books(pair)
    for message in said:
        try:
            answers = await hub.hear(message) if to_hub else station.hear(message)
        except (BadFrame, Trouble):
            break  # the line is closed
        assert all(frames.decode(each) is not None for each in answers)
    assert books(pair) == before, "nothing is stored that its writer has not signed"
    assert welcomed or (not station.welcomed and hub.station == "")


@settings(max_examples=120, deadline=None)
@given(st.lists(messages(), max_size=6), st.booleans(), st.booleans())
def test_no_frame_crashes_an_end_or_is_stored_unsigned(said: list[str], to_hub: bool, welcomed: bool) -> None:
    asyncio.run(spoken_to(said, to_hub, welcomed))


AT = "2026-11-22T08:00:00.000000Z"
SEEDS = [frames.encode(frames.Entries(STATION, 0, 1, (Item(1, "Said", AT, "{}"),), "ab" * 32, "00")).encode(),
         *(path.read_bytes() for path in FILES[:3])]  # fmt: skip


@pytest.mark.parametrize("reader", READERS)
@settings(max_examples=100, deadline=None)
@given(data=st.one_of(
    st.binary(max_size=400), st.text(max_size=200).map(str.encode), messages().map(str.encode),
    st.builds(lambda seed, at, byte: seed[:at] + bytes([byte]) + seed[at + 1 :], st.sampled_from(SEEDS),
              st.integers(0, 400), st.integers(0, 255)),
))  # fmt: skip
@example(data=b"")
@example(data=b"OL\nnan")
@example(data=b"OL\n-inf")
def test_no_reader_crashes_or_says_what_was_not_written(reader: str, data: bytes) -> None:
    READERS[reader](data)


def test_a_time_is_still_read_as_it_is_written() -> None:
    """The seeds above are good ones: what is held against them could be said at all."""
    frame = frames.decode(SEEDS[0].decode())
    assert isinstance(frame, frames.Entries)
    assert text(parse(frames.entries_of(frame)[0].happened_at)) == AT

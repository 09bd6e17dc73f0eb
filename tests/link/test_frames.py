"""Frames: what is read, what is ignored, what closes the line."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parcelwall.journal import chain
from parcelwall.journal.chain import Draft, Entry
from parcelwall.link import frames
from parcelwall.link.frames import LIMIT_BYTES, BadFrame, Entries, Item, bundle, decode, encode, entries_of

AT = "2026-11-22T08:00:00.000000Z"
ITEM = Item(1, "Said", AT, "{}")
ALL = [
    frames.Challenge("hub.example", "00", AT), frames.Hello("{}", "00"), frames.Welcome("{}", "00"),
    frames.Refuse("revoked", 60), Entries("S-0012", 0, 1, (ITEM,), "00", "00"), frames.Ack("S-0012", 7),
    frames.Gap("S-0012", 3), frames.Rekey("00", "01", "02"), frames.Rekeyed("00"),
    frames.Beat("b1", 1000, AT, 7), frames.Beat_Back(AT, 1000), frames.Goodbye("upgrade"), frames.Order("{}", "00"),
    frames.Ask("{}"), frames.Told("{}", "00"),
]  # fmt: skip


@pytest.mark.parametrize("frame", ALL, ids=lambda frame: type(frame).__name__)
def test_what_is_written_is_read(frame: frames.Frame) -> None:
    text = encode(frame)
    assert decode(text) == frame
    assert msgspec.json.decode(text)["k"] == type(frame).__name__.lower()
    assert len(ALL) == len(frames.Known.__args__)  # type: ignore[attr-defined]


@pytest.mark.parametrize("frame", ALL, ids=lambda frame: type(frame).__name__)
def test_every_half_of_a_frame_is_bad(frame: frames.Frame) -> None:
    text = encode(frame)
    for end in range(0, len(text), 7):
        with pytest.raises(BadFrame):
            decode(text[:end])


@pytest.mark.parametrize("text", ['{"k":"urgent","item":{}}', '{"k":"list"}', '{"x":[1,{}],"k":"order_state"}'])
def test_kinds_of_newer_versions_are_ignored(text: str) -> None:
    assert decode(text) is None


def test_fields_of_newer_versions_are_ignored() -> None:
    assert decode('{"k":"ack","writer":"S-0012","through":7,"mood":"glad"}') == frames.Ack("S-0012", 7)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "null", "7", "[]", "{}", '"k"', '{"k":7}', '{"k":null}', '{"k":"ack"}', "\x00", "{'k':'ack'}",
        '{"k":"ack","writer":7,"through":1}', '{"k":"ack","writer":"S","through":"1"}', "\ud800",
        '{"k":"ack","writer":"S","through":-1}', '{"k":"ack","writer":"S","through":9223372036854775808}',
        '{"k":"gap","writer":"S","have":-5}', '{"k":"ack","writer":"S","through":1e99}', "[" * 50_000,
        '{"k":"new","deep":' + "[" * 50_000, '{"k":"ack","writer":"\ud800","through":1}',
        '{"k":"beat","boot":"b","mono":1,"at":"x","wrote":-1}',
    ],
    ids=lambda text: ascii(text[:30]),
)  # fmt: skip
def test_garbage_is_bad(text: str) -> None:
    with pytest.raises(BadFrame) as bad:
        decode(text)
    assert bad.value.code == 4400


@settings(max_examples=200, deadline=None)
@given(st.text() | st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(
    st.sampled_from(["k", "writer", "through", "items", "after", "ack", "entries"]), inner)).map(
        lambda value: msgspec.json.encode(value).decode()))  # fmt: skip
def test_nothing_but_a_frame_an_unknown_kind_or_bad_frame(text: str) -> None:
    try:
        frame = decode(text)
    except BadFrame:
        return
    assert frame is None or isinstance(frame, frames.Frame)


def test_256_kib_and_not_a_byte_more() -> None:
    def padded(size: int) -> str:
        empty = '{"k":"new","pad":""}'
        return empty.replace('""', f'"{"x" * (size - len(empty))}"')

    assert decode(padded(LIMIT_BYTES)) is None
    for text in (padded(LIMIT_BYTES + 1), padded(257 * 1024), '{"k":"new","pad":"' + "\u00e9" * (LIMIT_BYTES // 2)):
        with pytest.raises(BadFrame, match="at most 262144 bytes"):
            decode(text)


# entries


def entries(count: int, size: int = 10) -> list[Entry]:
    drafts = [Draft("Said", AT, "x" * size) for _ in range(count)]
    return chain.extend("S-0012", chain.start("S-0012"), drafts)


def test_bundles_have_at_most_100_items_and_64_kib() -> None:
    assert [len(group) for group in bundle(entries(250))] == [100, 100, 50]
    assert all(sum(len(e.body) for e in group) <= 64 * 1024 for group in bundle(entries(99, 10_000)))
    assert [len(group) for group in bundle(entries(3, 70_000))] == [1, 1, 1]
    assert bundle([]) == []


def a_frame(items: tuple[Item, ...] = (ITEM,), **changed: object) -> Entries:
    known = {"writer": "S-0012", "after": 0, "through": len(items), "items": items, "head": "ab" * 32, "sig": ""}
    return Entries(**{**known, **changed})  # type: ignore[arg-type]


def test_only_the_last_entry_carries_the_head() -> None:
    read = entries_of(a_frame((ITEM, Item(2, "Said", AT, "{}"))))
    assert [entry.hash.hex() for entry in read] == ["", "ab" * 32]


@pytest.mark.parametrize(
    "frame",
    [
        a_frame(()), a_frame(after=1, through=1, items=()), a_frame(through=2), a_frame(after=1, through=2),
        a_frame((ITEM, ITEM)), a_frame((Item(2, "Said", AT, "{}"), ITEM)), a_frame(after=5, through=4),
        a_frame(through=2**63 - 1), a_frame(after=2**62, through=2**63 - 1), a_frame(head="xyz"), a_frame(head="abc"),
    ],
    ids=lambda frame: f"{frame.after}-{frame.through}-{len(frame.items)}",
)  # fmt: skip
def test_numbers_and_heads_that_contradict_are_bad(frame: Entries) -> None:
    """Also a frame that claims nine quintillion entries: it costs no memory to refuse it."""
    with pytest.raises(BadFrame):
        entries_of(frame)


@pytest.mark.parametrize(
    "at",
    [
        "2026-11-22T08:00:00Z", "2026-11-22T08:00:00.000Z", "2026-11-22T10:00:00.000000+02:00", "2026-11-22",
        "2026-11-22T08:00:00.000000", "2026-11-22T08:00:00.000000+00:00", "2026-11-22 08:00:00.000000Z", "", "now",
        "0001-01-01T00:00:00.000000+14:00", "9999-12-31T23:59:59.999999-14:00", "2026-13-01T00:00:00.000000Z",
        "2026-11-22t08:00:00.000000z", "20261122T080000.000000Z", "2026-11-22T08:00:00.000000Z ",
    ],
)  # fmt: skip
def test_only_the_form_of_time_that_is_hashed_is_taken(at: str) -> None:
    with pytest.raises(BadFrame, match="number 1"):
        entries_of(a_frame((Item(1, "Said", at, "{}"),)))


@pytest.mark.parametrize("item", [Item(1, "Said", AT, '"\x00"'), Item(1, "S\x00", AT, ""), Item(1, "S" * 65, AT, "")])
def test_what_a_database_cannot_keep_is_bad(item: Item) -> None:
    with pytest.raises(BadFrame):
        entries_of(a_frame((item,)))


def test_bodies_travel_byte_for_byte() -> None:
    body = '{"b":1, "a":"\u00e4\U0001f4e6\\u00e4\\n\t"}'
    [entry] = entries_of(decode(encode(a_frame((Item(1, "Said", AT, body),)))))  # type: ignore[arg-type]
    assert entry.body == body

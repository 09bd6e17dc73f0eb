"""The chain: the vectors of trust.md 1.4, and any change to any entry is found at its number."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parcelwall.journal.chain import Broken, Draft, Entry, Head, chained, extend, follow, frame, link, start

WRITER = "S-0012"
BODY = '{"compartment":7,"parcel":"P1"}'
DRAFTS = [
    Draft("Deposited", "2026-11-22T08:00:00.000000Z", BODY),
    Draft("Collected", "2026-11-22T17:30:00.000000Z", BODY),
]
H0 = "2d61b062c792e950e871e5007d88109c0873ce7696a37703470c469bc5231e38"
H1 = "5860c168520bfca5eef23dcb796a6899f41a064a7831d59064aafa742ede567b"
H2 = "e9095458204feed0cc8c31effdb21256c719bbea0c24af568f60fd63efb2f948"

drafts = st.lists(
    st.builds(Draft, st.sampled_from(["Deposited", "Power"]), st.just("2026-11-22T08:00:00.000000Z"), st.text()),
    min_size=1, max_size=6,
)  # fmt: skip


def test_vectors() -> None:
    assert start(WRITER) == Head(0, bytes.fromhex(H0))
    first, second = extend(WRITER, start(WRITER), DRAFTS)
    assert (first.number, first.hash.hex()) == (1, H1)
    assert (second.number, second.hash.hex()) == (2, H2)


def test_parts_are_framed_so_that_none_runs_into_the_next() -> None:
    assert frame(b"ab") == b"\x00\x00\x00\x02ab"
    nothing = bytes(32)
    assert link(nothing, 1, "a", "", "") != link(nothing, 1, "", "a", "")
    assert link(nothing, 1, "ab", "c", "") != link(nothing, 1, "a", "bc", "")


def test_each_writer_begins_elsewhere() -> None:
    assert start("S-0012") != start("S-0013")
    assert start("") != start("S-0012")


@settings(max_examples=60, deadline=None)
@given(drafts)
def test_what_was_extended_can_be_followed(drafts: list[Draft]) -> None:
    entries = extend(WRITER, start(WRITER), drafts)
    assert [entry.number for entry in entries] == list(range(1, len(drafts) + 1))
    assert follow(start(WRITER), entries) == Head(len(drafts), entries[-1].hash)
    assert chained(start(WRITER), [msgspec.structs.replace(entry, hash=b"") for entry in entries]) == entries


@settings(max_examples=100, deadline=None)
@given(drafts, st.data())
def test_one_changed_dropped_or_swapped_entry_is_found(drafts: list[Draft], data: st.DataObject) -> None:
    entries = extend(WRITER, start(WRITER), [*drafts, *DRAFTS])
    bad = data.draw(st.integers(0, len(entries) - 2))
    how = data.draw(st.sampled_from(["kind", "happened_at", "body", "drop", "swap", "add"]))
    with pytest.raises(Broken) as broken:
        follow(start(WRITER), spoilt(entries, bad, how))
    assert broken.value.number == bad + 1
    assert broken.value.writer == WRITER


def spoilt(entries: list[Entry], bad: int, how: str) -> list[Entry]:
    if how == "drop":
        return entries[:bad] + entries[bad + 1 :]
    if how == "swap":
        return [*entries[:bad], entries[bad + 1], entries[bad], *entries[bad + 2 :]]
    if how == "add":
        return entries[:bad] + entries[bad - 1 : bad] + entries[bad:] if bad else entries[1:]
    changed = msgspec.structs.replace(entries[bad], **{how: getattr(entries[bad], how) + "x"})
    return [*entries[:bad], changed, *entries[bad + 1 :]]


def test_only_the_last_hash_is_needed_to_find_a_change_before_it() -> None:
    """As on the link: items without hashes, and the head of the last one."""
    first, second = extend(WRITER, start(WRITER), DRAFTS)
    bare = msgspec.structs.replace(first, hash=b"", body=BODY + " ")
    with pytest.raises(Broken):
        chained(start(WRITER), [bare, second])
    with pytest.raises(Broken):
        follow(start(WRITER), [bare, second])


def test_a_hole_is_named_by_its_first_number() -> None:
    _, second = extend(WRITER, start(WRITER), DRAFTS)
    for check in (follow, chained):
        with pytest.raises(Broken) as broken:
            check(start(WRITER), [second])
        assert broken.value.number == 1


def test_a_hole_in_the_middle() -> None:
    entries = extend(WRITER, start(WRITER), [*DRAFTS, *DRAFTS])
    with pytest.raises(Broken) as broken:
        chained(start(WRITER), [entries[0], entries[2]])
    assert broken.value.number == 2


def test_nothing_follows_from_nothing() -> None:
    assert follow(start(WRITER), []) == start(WRITER)
    assert chained(start(WRITER), []) == []
    assert extend(WRITER, start(WRITER), []) == []

"""Entries and the chain that holds them together. SHA-256, every part framed by its length, each use with its tag.

    h(0) = SHA256( frame("parcelwall/journal/1") + frame(writer) )
    h(n) = SHA256( frame("parcelwall/entry/1") + h(n-1) + number as 8 bytes big-endian
                   + frame(kind) + frame(happened_at) + frame(body) )

`frame(x)` is the length of x as 4 bytes big-endian, then x. `body` is the exact text that the writer wrote.
"""

import hashlib
from collections.abc import Iterable, Sequence

import msgspec

from parcelwall.errors import ParcelwallError


class Entry(msgspec.Struct, frozen=True):
    """One row of a journal. `happened_at` is UTC text with six decimals and Z (clock.text); `hash` is 32 bytes."""

    writer: str
    number: int
    kind: str
    happened_at: str
    body: str
    hash: bytes = b""


class Head(msgspec.Struct, frozen=True):
    """The last number and hash of one writer; (0, h(0)) before the first entry."""

    number: int
    hash: bytes


class Draft(msgspec.Struct, frozen=True):
    """What is to become an entry."""

    kind: str
    happened_at: str
    body: str


class Broken(ParcelwallError):
    """Entries that cannot follow what is here. `number` is the first bad one."""

    def __init__(self, writer: str, number: int, why: str) -> None:
        self.writer, self.number, self.why = writer, number, why
        super().__init__(f"{writer} number {number}: {why}")


class Fork(Broken):
    """A known number with other content: two books with one writer's name. Nothing is overwritten."""


def frame(part: bytes) -> bytes:
    return len(part).to_bytes(4, "big") + part


def start(writer: str) -> Head:
    return Head(0, hashlib.sha256(frame(b"parcelwall/journal/1") + frame(writer.encode())).digest())


_TAG = frame(b"parcelwall/entry/1")


def link(previous: bytes, number: int, kind: str, happened_at: str, body: str) -> bytes:
    """h(n) from h(n-1) and the n-th entry."""
    what, when, text = kind.encode(), happened_at.encode(), body.encode()
    framed = (
        _TAG, previous, number.to_bytes(8, "big"), len(what).to_bytes(4, "big"), what,
        len(when).to_bytes(4, "big"), when, len(text).to_bytes(4, "big"), text,
    )  # fmt: skip
    return hashlib.sha256(b"".join(framed)).digest()


def extend(writer: str, head: Head, drafts: Iterable[Draft]) -> list[Entry]:
    """The drafts as the next entries of the writer: gapless numbers, chained."""
    entries: list[Entry] = []
    number, last = head.number, head.hash
    for draft in drafts:
        number += 1
        last = link(last, number, draft.kind, draft.happened_at, draft.body)
        entries.append(Entry(writer, number, draft.kind, draft.happened_at, draft.body, last))
    return entries


def follow(head: Head, entries: Sequence[Entry]) -> Head:
    """The head after entries that must follow it without a hole. Raises Broken at the first that does not."""
    for entry in entries:
        if entry.number != head.number + 1:
            raise Broken(entry.writer, head.number + 1, f"missing: the next entry here is number {entry.number}")
        expected = link(head.hash, entry.number, entry.kind, entry.happened_at, entry.body)
        if entry.hash and entry.hash != expected:
            raise Broken(entry.writer, entry.number, "its hash does not follow from the entry before and its content")
        head = Head(entry.number, expected)
    return head


def chained(head: Head, entries: Sequence[Entry]) -> list[Entry]:
    """The same entries with the hashes they must have after `head`; Broken where numbers have a hole."""
    made: list[Entry] = []
    number, last = head.number, head.hash
    for given in entries:
        number += 1
        if given.number != number:
            raise Broken(given.writer, number, f"missing: the next entry here is number {given.number}")
        last = link(last, number, given.kind, given.happened_at, given.body)
        if given.hash and given.hash != last:
            raise Broken(given.writer, number, "its hash does not follow from the entry before and its content")
        made.append(Entry(given.writer, number, given.kind, given.happened_at, given.body, last))
    return made

"""`verify` learns what a restored hub was given back in the order in which the hub has learnt it."""

from datetime import UTC, datetime
from uuid import UUID

from parcelwall.hub.verify import _fold
from parcelwall.hub.verify_reading import Kept, Reading
from parcelwall.journal.chain import Entry
from parcelwall.rules import facts
from parcelwall.rules.facts import Fact
from rules.samples import deposited

PARCEL, RESTORED = UUID(int=3), datetime(2026, 3, 6, 4, 30, tzinfo=UTC)
OLD, NEW = "hub:1/S-0001", "hub:2/S-0001"


class Noted(Reading):
    def __init__(self) -> None:
        super().__init__()
        self.order: list[int] = []

    def note(self, kept: Kept, fact: Fact, station: str | None) -> None:
        self.order.append(kept.tx)


def row(writer: str, number: int, fact: Fact, tx: int, revision: int | None = None) -> Kept:
    entry = Entry(writer, number, fact.kind, "2026-03-05T12:00:00Z", facts.body(fact), b"")
    return Kept(entry, PARCEL if revision else None, revision, RESTORED, tx)


def test_a_new_epoch_begins_where_the_backup_ended_not_where_the_lost_part_was_given_back() -> None:
    """One station gave back late what another's entries stood before: two parcels seemed to lie in one compartment."""
    expired, moved = facts.Expired(parcel=PARCEL), facts.DoorOpened(compartment=1)
    kept = {
        OLD: [row(OLD, 1, facts.Lapsed(parcel=PARCEL, reservation=UUID(int=1)), 1, 1), row(OLD, 2, expired, 30, 4)],
        NEW: [row(NEW, 1, facts.EpochBegan(station="S-0001", epoch=2, before=OLD, number=1), 10),
              row(NEW, 2, expired, 11, 2)],
        "S-0002": [row("S-0002", 1, deposited(parcel=PARCEL, station="S-0002"), 12, 3),
                   row("S-0002", 2, moved, 13)],
        "S-0003": [row("S-0003", 1, moved, 20)],
    }  # fmt: skip
    reading = Noted()
    reading.note_epochs(kept)
    list(_fold(kept, reading))
    assert reading.order == [1, 10, 11, 12, 13, 20, 30]

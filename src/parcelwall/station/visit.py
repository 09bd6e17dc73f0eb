"""One person at one door, seconds. Written and synced before any byte goes to the bus; the station's small machine.

begun -> opened -> ended. A visit names its right (which reservation and generation, or which courier), so that every
door pulse can be traced to one, and after a power cut the keeper knows what was meant.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal
from uuid import UUID

import apsw
import msgspec

from parcelwall.rules.facts import By

Purpose = Literal["collect", "deposit", "take_back", "reopen", "put_right", "inspect"]
Step = Literal["begun", "opened", "ended"]
Outcome = Literal["", "done", "void", "failed", "unclear", "left_open"]


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """`screen` is the place it occupies: "kiosk", or "aside/7" once a door is left open and others are served."""

    id: UUID
    screen: str
    purpose: Purpose
    parcel: UUID | None  # None: an operator looks into an empty compartment
    reservation: UUID | None
    compartment: int
    begun_at: datetime
    generation: int = 0
    courier: UUID | None = None
    hold_hours: int = 0
    step: Step = "begun"
    opened_at: datetime | None = None
    pulses: int = 0
    outcome: Outcome = ""
    case: UUID | None = None  # what was opened about it
    by: By = "unknown"  # who opens it, where a token or an order says so
    spoiled: bool = False  # a deposit into a compartment that was not empty: nothing is put in
    unfit: bool = False  # a deposit into one that was too small: nothing is put in
    taken_out: bool = False  # what was put in a moment ago is taken out again, by whoever put it in
    why: str = ""  # what somebody without a parcel opens it for
    first_opened_at: datetime | None = None  # of the visit that is opened once more: its time counts from there
    shut_at: datetime | None = None  # when its door was seen shut
    stood_open: bool = False  # before the visit began: that it stands open later says nothing
    until_mono_s: float | None = None  # of an order: no byte goes to the boards after this second of this boot


SCHEMA = """
CREATE TABLE IF NOT EXISTS visit (
  id TEXT PRIMARY KEY, screen TEXT NOT NULL, purpose TEXT NOT NULL, reservation TEXT NOT NULL,
  generation INTEGER NOT NULL, opened INTEGER NOT NULL, ended INTEGER NOT NULL, record TEXT NOT NULL);
-- INV-06: at most one open visit per screen
CREATE UNIQUE INDEX IF NOT EXISTS one_visit_per_screen ON visit (screen) WHERE NOT ended;
-- INV-05: one code opens at most one visit, ever. A courier who fetches a return shows none
DROP INDEX IF EXISTS one_opening_per_code;
CREATE UNIQUE INDEX IF NOT EXISTS one_opening_per_code_shown ON visit (reservation, generation)
  WHERE opened AND purpose = 'collect' AND record ->> 'courier' IS NULL;
"""

_WRITE = """
INSERT INTO visit VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET screen = excluded.screen,
  opened = excluded.opened, ended = excluded.ended, record = excluded.record"""

# The index by name: to have the rows in order SQLite would rather read every visit there ever was, twice a second.
_UNFINISHED = "SELECT record FROM visit INDEXED BY one_visit_per_screen WHERE NOT ended ORDER BY id"
_SPENT = """
SELECT 1 FROM visit WHERE reservation = ? AND generation = ?
  AND opened AND purpose = 'collect' AND record ->> 'courier' IS NULL"""
_DECODER = msgspec.json.Decoder(Visit)


def write(connection: apsw.Connection, visit: Visit) -> None:
    connection.execute(
        _WRITE,
        (str(visit.id), visit.screen, visit.purpose, str(visit.reservation or ""), visit.generation,
         visit.opened_at is not None, visit.step == "ended", msgspec.json.encode(visit).decode()),
    )  # fmt: skip


def unfinished(connection: apsw.Connection) -> list[Visit]:
    """Visits that have not ended, oldest first."""
    return [_DECODER.decode(record) for (record,) in connection.execute(_UNFINISHED)]


def told_until(under_way: Iterable[Visit], now: datetime) -> datetime:
    """Until when all that was begun here is in the journal: a deposit whose door is open may come to a parcel inside,
    under a promise whose time ends meanwhile. The hub gives no room back beyond that."""
    return min([now, *(visit.begun_at for visit in under_way if visit.purpose == "deposit")])


def known(connection: apsw.Connection, visit: UUID) -> bool:
    """Whether there has been a visit of this id."""
    return connection.execute("SELECT 1 FROM visit WHERE id = ?", (str(visit),)).fetchone() is not None


def spent(connection: apsw.Connection, reservation: UUID, generation: int) -> bool:
    """Whether this code has opened its door already."""
    return connection.execute(_SPENT, (str(reservation), generation)).fetchone() is not None


def last_used(connection: apsw.Connection) -> dict[int, str]:
    """When each compartment was last opened, as text; without those that never were."""
    rows = connection.execute(
        "SELECT record ->> 'compartment', max(record ->> 'begun_at') FROM visit WHERE opened GROUP BY 1"
    )
    return {int(compartment): begun for compartment, begun in rows}

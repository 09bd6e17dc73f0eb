"""What the operator's people do to doors and to many parcels at once: one of them, or two where the policy says so.

Each act is a row. A third door in ten minutes, an area kept longer, a station written off, or all that is late in one
taken out, waits until a second person agrees; one who asked can never agree to it (a CHECK says so), and must still
have the right to it when it is agreed to and when it is carried out. What is only written down of many parcels is
written a minute after it was agreed to, so that it can be withdrawn (`hub/acts_due.py`). What came of an act stands in
its row; what happened stands in the journal.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import structlog

from parcelwall.errors import Refusal
from parcelwall.hub.commands import Answer
from parcelwall.hub.house import Hub
from parcelwall.hub.orders import OpenDoor, Outlets, open_now
from parcelwall.hub.staff import Person, is_new, person_of
from parcelwall.rules.life import INSIDE
from parcelwall.rules.personal import refuse_personal
from parcelwall.rules.rights import Right

WINDOW = timedelta(minutes=10)  # in which doors are counted, and in which a second person may agree
UNDO = timedelta(minutes=1)
SUMMED = timedelta(days=1)  # in which what one person keeps longer alone is summed
LONGEST_HOURS = 14 * 24
LONGEST_REASON = 200
STUCK = "stuck"

log = structlog.get_logger()

LOCK = "SELECT pg_advisory_xact_lock(hashtext('parcelwall act ' || $1))"
# Doors that opened or may have, and codes that were drawn to open one. An order that was refused before anything moved
# counts for nothing.
_DOORS = """
SELECT count(*) FROM act WHERE asked_by = $1 AND asked_at > $2
  AND kind IN ('open_door', 'draw_code', 'take_out') AND state IN ('agreed', 'done')
  AND outcome IN ('', 'opened', 'unanswered', 'door_failed', 'drawn', 'out', 'left_open')"""
INSERT = """
INSERT INTO act (id, kind, station, body, asked_by, asked_at, until, state, due_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"""
_AGREE = """
UPDATE act SET state = 'agreed', agreed_by = $2, due_at = $3
WHERE id = $1 AND state = 'waiting' AND until > $4 RETURNING *"""
_WITHDRAW = """
UPDATE act SET state = 'withdrawn'
WHERE id = $1 AND state IN ('waiting', 'agreed') AND kind = $2
  AND (due_at IS NULL OR due_at > $3 OR outcome = 'stuck' OR kind = 'take_out')"""
OVER = "UPDATE act SET state = 'withdrawn', outcome = $2 WHERE id = $1 AND state IN ('waiting', 'agreed')"
_LONGER_ALONE = """
SELECT state, body, agreed_by FROM act WHERE asked_by = $1 AND kind = 'keep_longer'
  AND (state = 'waiting' AND until > $2 OR state = 'agreed'
    OR state = 'done' AND agreed_by IS NULL AND asked_at > $3)"""
DONE = "UPDATE act SET state = 'done', outcome = $2 WHERE id = $1"
# What a key has brought about stands, and counts: a repeat, or the same key for another door, takes nothing of it away.
_TOLD = DONE + " AND outcome IN ('', 'unanswered')"
_WRITES_OFF = """
SELECT 1 FROM act
WHERE kind = 'write_off' AND station = $1 AND (state = 'agreed' OR state = 'waiting' AND until > $2)"""
INSIDE_OF = """
SELECT id FROM parcel WHERE station = ANY($1::text[]) AND due IS NOT NULL AND stage = ANY($2::text[]) ORDER BY id"""
SHOWN = """
SELECT act.*, asker.name AS asker, second.name AS second FROM act JOIN carrier AS asker ON asker.id = asked_by
LEFT JOIN carrier AS second ON second.id = agreed_by"""
_LATELY = SHOWN + """
WHERE station = $1 AND asked_at > $2 AND kind NOT IN ('write_off', 'take_out') ORDER BY asked_at DESC"""


class OneDoor(msgspec.Struct, frozen=True):
    """The body of an act that opens one door."""

    compartment: int
    reason: str


class Longer(msgspec.Struct, frozen=True):
    """The body of an act that keeps what lies inside some stations longer."""

    stations: tuple[str, ...]
    hours: int
    reason: str


class Gone(msgspec.Struct, frozen=True):
    """The body of an act that writes off what lies in one station: these parcels, as they were counted."""

    parcels: tuple[UUID, ...]
    reason: str


class Out(msgspec.Struct, frozen=True):
    """The body of an act that takes expired parcels out of one station, door after door (`hub/taking_out.py`).
    `became`: of each parcel whose turn has come, by its id: "opened", "out", or why not."""

    parcels: tuple[UUID, ...]
    doors: tuple[int, ...]  # of each
    reason: str
    became: dict[str, str] = {}


What = OneDoor | Longer | Gone | Out


class Act(msgspec.Struct, frozen=True):
    """One act as it stands. `what` is its body; names are of people, for the console only."""

    id: UUID
    kind: str
    station: str | None
    what: What
    asked_by: str
    asker: str
    asked_at: datetime
    until: datetime
    state: str
    second: str = ""
    due_at: datetime | None = None
    outcome: str = ""

    @property
    def stuck(self) -> bool:
        """Whether it was agreed to, is due, and does not go through."""
        return self.state == "agreed" and self.outcome == STUCK

    @property
    def stations(self) -> tuple[str, ...]:
        return self.what.stations if isinstance(self.what, Longer) else (self.station or "",)


BODY: dict[str, Any] = {"open_door": OneDoor, "draw_code": OneDoor, "keep_longer": Longer, "write_off": Gone,
                        "take_out": Out}  # fmt: skip
RIGHT: dict[str, Right] = {"open_door": "open", "draw_code": "codes", "keep_longer": "extend", "write_off": "end",
                           "take_out": "end"}  # fmt: skip


async def ask_for_door(hub: Hub, who: Person, station: str, door: OneDoor) -> Act:
    """Notes that somebody means to open a door. It waits for a second person, or may be carried out at once.

    Raises Refusal for no right, an unknown station or door, and a reason that is missing or tells of a person.
    """
    refuse_stranger(hub, who, "open", station)
    if not hub.stations.known[station].plan.bit(door.compartment):
        raise Refusal("bad_field", "This station has no such compartment.", field="compartment")
    refuse_bad_reason(door.reason)
    act, now = hub.ids.new(), hub.clock.now()
    async with hub.pool.acquire() as connection, connection.transaction():
        alone = await may_alone(connection, who.id, now, hub.policy.doors_alone)
        await connection.execute(
            INSERT, act, "open_door", station, text_of(door), who.id, now, now + WINDOW,
            "agreed" if alone else "waiting", now if alone else None,
        )  # fmt: skip
    return await find(hub, act)


async def open_alone(hub: Hub, outlets: Outlets, who: Person, command: OpenDoor) -> tuple[Answer, str]:
    """Opens a door for somebody who has no console to wait at. Raises Refusal where a second person is needed.

    A repeat under its Idempotency-Key counts as the one act that it is.
    """
    assert command.asked is not None and command.compartment is not None, "an operator's order names its door"
    refuse_bad_reason(command.reason)
    act = UUID(bytes=hashlib.sha256(f"{command.asked.actor}\0{command.asked.key}".encode()).digest()[:16], version=5)
    now = hub.clock.now()
    async with hub.pool.acquire() as connection, connection.transaction():
        await connection.execute(LOCK, who.id)  # a repeat at the same moment waits here, and then finds the act
        if not await connection.fetchval("SELECT 1 FROM act WHERE id = $1", act):
            if not await may_alone(connection, who.id, now, hub.policy.doors_alone):
                raise Refusal("second_person_needed", station=command.station)
            door = OneDoor(command.compartment, command.reason)
            known = command.station if command.station in hub.stations.known else None
            await connection.execute(
                INSERT, act, "open_door", known, text_of(door), who.id, now, now + WINDOW, "done", now
            )
    try:
        answer, outcome = await open_now(hub, outlets, command)
    except Refusal as no:
        if no.reason != "idempotency_key_reused":
            await hub.pool.execute(_TOLD, act, no.reason)
        raise
    await hub.pool.execute(_TOLD, act, outcome)
    return answer, outcome


async def may_alone(connection: asyncpg.Connection, who: str, now: datetime, doors: int) -> bool:
    """Whether one person may open one more door. Asked under a lock, so that two requests cannot both be the last."""
    await connection.execute(LOCK, who)
    return bool(await connection.fetchval(_DOORS, who, now - WINDOW) < doors)


async def carry_out_door(hub: Hub, outlets: Outlets, act: Act) -> str:
    """Sends the order of an act that is agreed, and notes what the station says: "opened", "unanswered", or why not."""
    assert isinstance(act.what, OneDoor) and act.station and act.state == "agreed"
    if not await still_may(hub, act.asked_by, act.kind, act.stations):
        await hub.pool.execute(OVER, act.id, "no_right")
        return "no_right"
    asker, second = await actors(hub, act.id)
    command = OpenDoor(
        station=act.station, compartment=act.what.compartment, reason=act.what.reason, by="operator",
        actor=asker, second=second,
    )  # fmt: skip
    try:
        _, outcome = await open_now(hub, outlets, command)
    except Refusal as no:
        outcome = no.reason
    await hub.pool.execute(DONE, act.id, outcome)
    hub.bells.ring([f"by/{act.station}"])
    return outcome


async def actors(hub: Hub, act: UUID) -> tuple[UUID, UUID | None]:
    row = await hub.pool.fetchrow(
        "SELECT asker.actor, second.actor AS second FROM act JOIN carrier AS asker ON asker.id = asked_by "
        "LEFT JOIN carrier AS second ON second.id = agreed_by WHERE act.id = $1", act,
    )  # fmt: skip
    return row["actor"], row["second"]


async def inside(hub: Hub, stations: Sequence[str]) -> int:
    """How many parcels lie in these stations now: as many would be kept longer."""
    return await _count(hub.pool, stations)


async def ask_to_keep_longer(hub: Hub, who: Person, longer: Longer) -> Act:
    """Notes that somebody means to keep an area longer. Raises Refusal as `ask_for_door` does, and for bad hours."""
    if not longer.stations:
        raise Refusal("bad_field", "Choose at least one station.", field="station")
    for station in longer.stations:
        refuse_stranger(hub, who, "extend", station)
    if not 1 <= longer.hours <= LONGEST_HOURS:
        raise Refusal("bad_field", f"Between 1 and {LONGEST_HOURS} hours.", field="hours")
    refuse_bad_reason(longer.reason)
    act, now = hub.ids.new(), hub.clock.now()
    async with hub.pool.acquire() as connection, connection.transaction():
        alone = await _longer_alone(hub, connection, who.id, longer.stations, now)
        await connection.execute(
            INSERT, act, "keep_longer", None, text_of(longer), who.id, now, now + WINDOW * 6,
            "agreed" if alone else "waiting", now + UNDO if alone else None,
        )  # fmt: skip
    return await find(hub, act)


async def ask_to_write_off(hub: Hub, who: Person, station: str, counted: int, reason: str) -> Act:
    """Notes that somebody means to write off all that lies in a station, of which they were shown how many parcels that
    is. Raises Refusal as `ask_for_door` does, where it is another number by now, and while such an act is under way."""
    refuse_stranger(hub, who, "end", station)
    refuse_bad_reason(reason)
    act, now = hub.ids.new(), hub.clock.now()
    async with hub.pool.acquire() as connection, connection.transaction():
        await connection.execute(LOCK, station)
        found = tuple(row["id"] for row in await connection.fetch(INSIDE_OF, [station], list(INSIDE)))
        if not found or len(found) != counted or await connection.fetchval(_WRITES_OFF, station, now):
            raise Refusal("stale_screen")
        alone = len(found) <= hub.policy.parcels_alone
        await connection.execute(
            INSERT, act, "write_off", station, text_of(Gone(found, reason)), who.id, now, now + WINDOW * 6,
            "agreed" if alone else "waiting", now + UNDO if alone else None,
        )  # fmt: skip
    return await find(hub, act)


async def _longer_alone(
    hub: Hub, connection: asyncpg.Connection, who: str, stations: Sequence[str], now: datetime
) -> bool:
    """Whether one person may keep these longer alone: with what they asked for alone within a day, station by station,
    it is no more than the policy allows. Asked under a lock. Refuses a station that they asked for already and that is
    not through yet."""
    await connection.execute(LOCK, who)
    total = await _count(connection, stations)
    for row in await connection.fetch(_LONGER_ALONE, who, now, now - SUMMED):
        before = msgspec.json.decode(row["body"], type=Longer).stations
        if row["state"] != "done" and set(before) & set(stations):
            raise Refusal("asked_already")
        if row["state"] != "waiting" and row["agreed_by"] is None:
            total += await _count(connection, before)
    return total <= hub.policy.parcels_alone


async def _count(connection: asyncpg.Connection | asyncpg.Pool, stations: Sequence[str]) -> int:
    return len(await connection.fetch(INSIDE_OF, list(stations), list(INSIDE)))


async def agree(hub: Hub, who: Person, act_id: UUID) -> Act:
    """The second person agrees. Raises Refusal for the one who asked, for no right, and when it is over; so it is once
    whoever asked has no right to it any more."""
    act, now = await find(hub, act_id), hub.clock.now()
    refuse_agreeing(act, who)
    if await is_new(hub, who):
        raise Refusal("too_new_to_agree")
    if not await still_may(hub, act.asked_by, act.kind, act.stations):
        await hub.pool.execute(OVER, act_id, "no_right")
        raise Refusal("stale_screen")
    due = now if act.kind in ("open_door", "take_out") else now + UNDO
    if await hub.pool.fetchrow(_AGREE, act_id, who.id, due, now) is None:
        raise Refusal("stale_screen")
    return await find(hub, act_id)


def refuse_agreeing(act: Act, who: Person) -> None:
    """Raises Refusal for whoever may not agree to this act: without the right, and the one who asked."""
    if not all(who.may("agree", station) for station in act.stations):
        raise Refusal("no_right")
    if act.asked_by == who.id:
        raise Refusal("second_person_needed")


async def still_may(hub: Hub, who: str, kind: str, stations: Sequence[str]) -> bool:
    """Whether somebody is still one of the operator's people and may still do this, at all of these stations."""
    row = await hub.pool.fetchrow("SELECT * FROM carrier WHERE id = $1 AND key_hash IS NOT NULL", who)
    return row is not None and all(person_of(row).may(RIGHT[kind], station) for station in stations)


async def withdraw(hub: Hub, who: Person, act_id: UUID) -> None:
    """Takes back what is not carried out yet: whoever asked, or may agree. Raises Refusal when it is too late."""
    act = await find(hub, act_id)
    if act.asked_by != who.id and not all(who.may("agree", station) for station in act.stations):
        raise Refusal("no_right")
    if act.kind == "open_door" and act.state == "agreed":
        raise Refusal("stale_screen")
    done = await hub.pool.execute(_WITHDRAW, act_id, act.kind, hub.clock.now())
    if not done.endswith(" 1"):
        raise Refusal("stale_screen")


async def find(hub: Hub, act: UUID) -> Act:
    """Raises Refusal for an unknown one."""
    row = await hub.pool.fetchrow(f"{SHOWN} WHERE act.id = $1", act)
    if row is None:
        raise Refusal("not_found")
    return read_act(row)


async def under_way(hub: Hub, who: Person) -> list[Act]:
    """What waits for a second person, or may still be withdrawn, as far as this person's area goes; oldest first."""
    rows = await hub.pool.fetch(
        f"{SHOWN} WHERE state IN ('waiting', 'agreed') AND (until > $1 OR (state = 'agreed' AND outcome = 'stuck')) "
        "ORDER BY asked_at", hub.clock.now(),
    )  # fmt: skip
    return [act for act in map(read_act, rows) if all(who.sees(station) for station in act.stations)]


async def lately_at(hub: Hub, station: str, within: timedelta = WINDOW) -> list[Act]:
    """What was asked of single doors of this station lately, newest first."""
    since = hub.clock.now() - within
    rows = await hub.pool.fetch(_LATELY, station, since)
    return [read_act(row) for row in rows]


def read_act(row: asyncpg.Record) -> Act:
    what: Any = msgspec.json.decode(row["body"], type=BODY[row["kind"]])
    return Act(
        row["id"], row["kind"], row["station"], what, row["asked_by"], row["asker"] or row["asked_by"],
        row["asked_at"], row["until"], row["state"], row["second"] or "", row["due_at"], row["outcome"],
    )  # fmt: skip


def text_of(body: What) -> str:
    return msgspec.json.encode(body).decode()


def refuse_stranger(hub: Hub, who: Person, right: Right, station: str) -> None:
    """Raises Refusal for a station that there is not, and for whoever has no such right there."""
    if station not in hub.stations.known:
        raise Refusal("station_unknown", station=station)
    if not who.may(right, station):
        raise Refusal("no_right")


def refuse_bad_reason(reason: str) -> None:
    """The reason stands in the journal for good."""
    if not reason.strip() or len(reason) > LONGEST_REASON or not reason.isprintable():
        raise Refusal("reason_missing")
    refuse_personal(reason, "reason")

"""The approval step: which tables of a plan file an operator is asked about, in words."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import msgspec

from parcelwall.errors import Trouble
from parcelwall.rules.offers import STALE, RoomTable
from parcelwall.rules.tables import AdmissionRow, VisitCalendar, fresh, of_no_use

Table = VisitCalendar | RoomTable | AdmissionRow
_IN_USE = "SELECT body FROM learnt WHERE kind IN ('RoomTable', 'VisitCalendar') AND split_part(key, '/', 1) = ANY($1)"


class PlanFile(msgspec.Struct):
    """Of a plan file, what can be adopted."""

    calendars: list[VisitCalendar] = []
    rows: list[AdmissionRow] = []


def read_tables(file: Path, stations: Sequence[str], now: datetime) -> tuple[list[Table], str]:
    """The tables of a plan file, of these stations or of all, and the file's digest. It is a `plan.json`, or a file of
    one table a line as `plan room` writes it.

    Raises Trouble for a file that is no plan, that has no table, or one of whose tables nobody would use: too old, from
    the future, or with a chance that is none.
    """
    try:
        raw = file.read_bytes()
        every = _of_lines(raw) if _is_lines(raw) else _of_plan(raw)
    except OSError as no:
        raise Trouble(f"{file} cannot be read: {no.strerror}.") from no
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as no:
        raise Trouble(f"{file} is no plan of `parcelwall plan`: {no}.") from no
    tables = [each for each in every if not stations or each.station in stations]
    if not tables:
        raise Trouble(f"{file} has no table to adopt{' of these stations' if stations else ''}.")
    if whys := [why for each in tables if (why := _no_use(each, now))]:
        raise Trouble(f"{len(whys)} of {len(tables)} tables cannot be used: {whys[0]}. Plan anew.")
    return tables, hashlib.sha256(raw).hexdigest()


def _no_use(table: Table, now: datetime) -> str:
    """Why nobody would use it; empty if somebody would."""
    if isinstance(table, AdmissionRow):
        over = table.good_until is not None and table.good_until < now
        return f"{table.name} was good until {table.good_until:%Y-%m-%d %H:%M} and is too old" if over else ""
    if isinstance(table, RoomTable):
        return _no_room(table, now)
    if not fresh(table.fit, now.date()):
        return f"one was fitted on {table.fit.fitted_on} and is too old"
    odd = of_no_use(table)
    return f"of the calendar of {table.carrier} at {table.station}, {odd}" if odd else ""


def _no_room(table: RoomTable, now: datetime) -> str:
    if not timedelta(0) <= now - table.made_at <= STALE:
        odd = "is too old" if table.made_at < now else "lies in the future"
        return f"chances of room at {table.station} were made at {table.made_at:%Y-%m-%d %H:%M}, which {odd}"
    every = [table.chance, *table.by_carrier.values()]
    if any(not 0 <= chance <= 1 for rows in every for row in rows.values() for chance in row):
        return f"chances of room at {table.station} are not all between 0 and 1"
    return ""


def _is_lines(raw: bytes) -> bool:
    """Whether it is one table a line: then the first line is whole by itself, and says which kind of table it is."""
    try:
        first = msgspec.json.decode(raw.strip().partition(b"\n")[0])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return isinstance(first, dict) and "type" in first


def _of_lines(raw: bytes) -> list[Table]:
    return [msgspec.json.decode(line, type=Table) for line in raw.splitlines() if line.strip()]


def _of_plan(raw: bytes) -> list[Table]:
    plan = msgspec.json.decode(raw, type=PlanFile)
    return [*plan.calendars, *plan.rows]


def sum_up(tables: Sequence[Table]) -> str:
    """What an operator reads before approving. What cannot be seen is written out: a name could hide its own line."""
    calendars = [each for each in tables if isinstance(each, VisitCalendar)]
    rows = [each for each in tables if isinstance(each, AdmissionRow)]
    rooms = sum(isinstance(each, RoomTable) for each in tables)
    lines = [f"{len(calendars)} visit calendars, {rooms} tables of room and {len(rows)} rows of admission, "
             f"of {len({each.station for each in tables} - {''})} stations."]  # fmt: skip
    lines += [f"{row.name}: {row.rule}{f' at {row.station}' if row.station else ' in the network'}." for row in rows]
    for one in calendars:
        days = " ".join(f"{share:.0%}" for share in one.visit_share)
        lines.append(
            f"{one.station}, {one.carrier}: comes on {days} of Mondays to Sundays; from {one.fit.count} parcels."
        )
    return "\n".join(map(_to_be_seen, lines))


async def newer_in_use(connection: asyncpg.Connection, tables: Sequence[Table]) -> str:
    """Which of them would take the place of one that was made later; empty if none would."""
    learnt = [each for each in tables if not isinstance(each, AdmissionRow)]
    rows = await connection.fetch(_IN_USE, sorted({each.station for each in learnt}))
    now = {_name(each): _made(each) for row in rows for each in [msgspec.json.decode(row["body"], type=Table)]}
    newer = {name: now[name] for each in learnt if (name := _name(each)) in now and now[name] > _made(each)}
    if not newer:
        return ""
    first = min(newer)
    return _to_be_seen(
        f"For {len(newer)} of them, what is in use was made LATER: of {first}, {newer[first]}. The older replaces it."
    )


def _name(table: VisitCalendar | RoomTable) -> str:
    return f"{table.station}, {table.carrier}" if isinstance(table, VisitCalendar) else table.station


def _made(table: VisitCalendar | RoomTable) -> str:
    when = table.fit.fitted_on if isinstance(table, VisitCalendar) else table.made_at.astimezone(UTC)
    return f"{when:%Y-%m-%d}" if isinstance(table, VisitCalendar) else f"{when:%Y-%m-%d %H:%M} UTC"


def _to_be_seen(text: str) -> str:
    return "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text)

"""The approval step: which tables of a plan file an operator is asked about, in words."""

import hashlib
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import msgspec

from parcelwall.errors import Trouble
from parcelwall.rules.offers import RoomTable
from parcelwall.rules.tables import AdmissionRow, DwellCurve, VisitCalendar, fresh

Table = DwellCurve | VisitCalendar | RoomTable | AdmissionRow


class PlanFile(msgspec.Struct):
    """Of a plan file, what can be adopted."""

    curves: list[DwellCurve] = []
    calendars: list[VisitCalendar] = []
    rows: list[AdmissionRow] = []


def read_tables(file: Path, stations: Sequence[str], today: date) -> tuple[list[Table], str]:
    """The tables of a plan file, of these stations or of all, and the file's digest. It is a `plan.json`, or a file of
    one table a line as `plan room` writes it.

    Raises Trouble for a file that is no plan, that has no table, or whose tables are too old to be used.
    """
    try:
        raw = file.read_bytes()
        every = _of_lines(raw) if _is_lines(raw) else _of_plan(raw)
    except OSError as no:
        raise Trouble(f"{file} cannot be read: {no.strerror}.") from no
    except msgspec.DecodeError as no:
        raise Trouble(f"{file} is no plan of `parcelwall plan`: {no}.") from no
    tables = [each for each in every if not stations or _of(each) in stations]
    if not tables:
        raise Trouble(f"{file} has no table to adopt{' of these stations' if stations else ''}.")
    fits = [each.fit for each in tables if isinstance(each, DwellCurve | VisitCalendar)]
    if old := [fit for fit in fits if not fresh(fit, today)]:
        raise Trouble(f"{len(old)} tables were fitted on {old[0].fitted_on} and are too old. Plan anew.")
    return tables, hashlib.sha256(raw).hexdigest()


def _is_lines(raw: bytes) -> bool:
    """Whether it is one table a line: then the first line is whole by itself, and says which kind of table it is."""
    try:
        first = msgspec.json.decode(raw.strip().partition(b"\n")[0])
    except msgspec.DecodeError:
        return False
    return isinstance(first, dict) and "type" in first


def _of_lines(raw: bytes) -> list[Table]:
    return [msgspec.json.decode(line, type=Table) for line in raw.splitlines() if line.strip()]


def _of_plan(raw: bytes) -> list[Table]:
    plan = msgspec.json.decode(raw, type=PlanFile)
    return [*plan.curves, *plan.calendars, *plan.rows]


def _of(table: Table) -> str:
    return table.stratum.partition("/")[0] if isinstance(table, DwellCurve) else table.station


def sum_up(tables: Sequence[Table]) -> str:
    """What an operator reads before approving."""
    curves = [each for each in tables if isinstance(each, DwellCurve)]
    calendars = [each for each in tables if isinstance(each, VisitCalendar)]
    rows = [each for each in tables if isinstance(each, AdmissionRow)]
    rooms = sum(isinstance(each, RoomTable) for each in tables)
    lines = [f"{len(curves)} dwell curves, {len(calendars)} visit calendars, {rooms} tables of room and {len(rows)} "
             f"rows of admission, of {len({_of(each) for each in tables} - {'all', ''})} stations."]  # fmt: skip
    lines += [f"{row.name}: {row.rule}{f' at {row.station}' if row.station else ' in the network'}." for row in rows]
    for each in curves:
        if "/" not in each.stratum:
            day = each.there[each.hours.index(24.0)] if 24.0 in each.hours else each.there[-1]
            lines.append(f"{each.stratum}: {day:.0%} lie longer than a day; from {each.fit.count} parcels, "
                         f"{each.fit.since} to {each.fit.until}.")  # fmt: skip
    for one in calendars:
        days = " ".join(f"{share:.0%}" for share in one.visit_share)
        lines.append(
            f"{one.station}, {one.carrier}: comes on {days} of Mondays to Sundays; from {one.fit.count} parcels."
        )
    return "\n".join(lines)

"""The approval step: which tables of a plan file an operator is asked about, in words."""

import hashlib
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import msgspec

from parcelwall.errors import Trouble
from parcelwall.rules.tables import DwellCurve, VisitCalendar, fresh

Table = DwellCurve | VisitCalendar


class PlanFile(msgspec.Struct):
    """Of a plan file, what can be adopted."""

    curves: list[DwellCurve] = []
    calendars: list[VisitCalendar] = []


def read_tables(file: Path, stations: Sequence[str], today: date) -> tuple[list[Table], str]:
    """The tables of a plan file, of these stations or of all, and the file's digest.

    Raises Trouble for a file that is no plan, that has no table, or whose tables are too old to be used.
    """
    try:
        raw = file.read_bytes()
        plan = msgspec.json.decode(raw, type=PlanFile)
    except OSError as no:
        raise Trouble(f"{file} cannot be read: {no.strerror}.") from no
    except msgspec.DecodeError as no:
        raise Trouble(f"{file} is no plan of `parcelwall plan forecast`: {no}.") from no
    every: list[Table] = [*plan.curves, *plan.calendars]
    tables = [each for each in every if not stations or _of(each) in stations]
    if not tables:
        raise Trouble(f"{file} has no table to adopt{' of these stations' if stations else ''}.")
    if old := [each for each in tables if not fresh(each.fit, today)]:
        raise Trouble(f"{len(old)} tables were fitted on {old[0].fit.fitted_on} and are too old. Plan anew.")
    return tables, hashlib.sha256(raw).hexdigest()


def _of(table: Table) -> str:
    return table.station if isinstance(table, VisitCalendar) else table.stratum.partition("/")[0]


def sum_up(tables: Sequence[Table]) -> str:
    """What an operator reads before approving."""
    curves = [each for each in tables if isinstance(each, DwellCurve)]
    calendars = [each for each in tables if isinstance(each, VisitCalendar)]
    lines = [f"{len(curves)} dwell curves and {len(calendars)} visit calendars of "
             f"{len({_of(each) for each in tables} - {'all'})} stations."]  # fmt: skip
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

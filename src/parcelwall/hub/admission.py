"""Rows of admission at the hub: adopted into the journal by an admin, and what a desk looks at to evaluate them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from parcelwall.errors import Refusal, Trouble
from parcelwall.hub.sitting import Sitting, read_parcel
from parcelwall.hub.stations import OF_HUB, Station, Stations
from parcelwall.journal import postgres
from parcelwall.rules import admission, decide, facts
from parcelwall.rules.life import INSIDE, Parcel, Stage
from parcelwall.rules.tables import AdmissionRow

MOST_ROWS = 1_000  # in one request; a night's plan may have more, and is adopted whole
MOST_SHOWN = 30
LONGEST_NAME = 100
HERE = (Stage.RESERVED, *INSIDE)

_HEADS = """
SELECT station, record FROM parcel WHERE station = ANY($1::text[]) AND due IS NOT NULL AND stage = ANY($2::text[])"""
_HISTORY = f"""
SELECT body, happened_at FROM entry WHERE kind = 'AdmissionAdopted' AND {OF_HUB}
ORDER BY recorded_at DESC, writer DESC, number DESC LIMIT $1"""  # noqa: S608 - a text of our own

_LOCK = "SELECT pg_advisory_xact_lock(hashtext('parcelwall admission'))"
_MEANWHILE = ("rows of admission were adopted while this was planned, by another run or by somebody: none of this plan "
              "come into force by themselves. Run it again")  # fmt: skip


class Changed(msgspec.Struct, frozen=True):
    """One row as it was adopted, by whom (nobody: `by_row` had it adopted by itself), and when."""

    row: AdmissionRow
    at: datetime
    who: str
    by_row: str


def refuse_odd(row: AdmissionRow, stations: Stations, now: datetime) -> None:
    """Refuses a row that could never say anything: of a station or sizes that there are not, for no lead time at all,
    keeping more of a size than the station has, or that is over; and a name that is a text."""
    if len(row.name) > LONGEST_NAME:
        raise Refusal("bad_field", f"A row's name has at most {LONGEST_NAME} characters.", field="name")
    if row.rule != "ended" and not row.name.isprintable():  # it would hide itself where somebody is asked about it
        raise Refusal("bad_field", "A row's name is one line of characters that can be seen.", field="name")
    if row.lead_h[0] >= row.lead_h[1]:
        raise Refusal("bad_field", "`lead_h` is from, below: the second is larger.", field="lead_h", row=row.name)
    if row.rule != "ended" and row.good_until is not None and row.good_until < now:
        raise Refusal("bad_field", "`good_until` is past: nobody would use this row.", field="good_until", row=row.name)
    days = len(row.levels or row.prices)
    if row.rule in ("threshold", "price") and row.first_day and (now.date() - row.first_day).days > days:
        raise Refusal("bad_field", "Its last day is past: nobody would use this row.", field="first_day", row=row.name)
    if not row.station:
        return
    if row.station not in stations.known:
        raise Refusal("station_unknown", station=row.station)
    plan = stations.known[row.station].plan
    if unknown := [size for size in row.sizes if size not in plan.sizes]:
        sentence = f"{row.station} has no size {', '.join(unknown)}. It has {', '.join(plan.sizes)}."
        raise Refusal("bad_field", sentence, field="sizes", row=row.name)
    for size, count in row.keep.items():
        there = plan.of_kinds(plan.need_of_size(size)).bit_count()
        if count > there:
            sentence = f"{row.station} has {there} compartments of {size} or larger: {count} cannot be kept free."
            raise Refusal("bad_field", sentence, field="keep", row=row.name)


async def record(
    at: Sitting, rows: Sequence[AdmissionRow], plan: str, actor: UUID | None, by_row: str = "", after: int | None = None
) -> None:
    """Writes them into the journal, in this process's own stream: no station needs them. Refuses odd ones. Raises
    Trouble if others were adopted since there were `after` in the journal: what was planned then may be over."""
    await at.connection.execute(_LOCK)
    if after is not None and after != await postgres.count(at.connection, "AdmissionAdopted"):
        raise Trouble(_MEANWHILE)
    for row in rows:
        refuse_odd(row, at.stations, at.now)
        at.record(facts.AdmissionAdopted(row=row, plan=plan, actor=actor, by_row=by_row), at.streams.slot)


async def history(pool: asyncpg.Pool, names: dict[UUID, str]) -> list[Changed]:
    """What was adopted, newest first."""
    rows = await pool.fetch(_HISTORY, MOST_SHOWN)
    read = [(msgspec.json.decode(row["body"], type=facts.AdmissionAdopted), row["happened_at"]) for row in rows]
    return [Changed(fact.row, when, names.get(fact.actor, "") if fact.actor else "", fact.by_row)
            for fact, when in read]  # fmt: skip


def _heads(parcels: Iterable[Parcel], station: Station) -> tuple[admission.Kind, ...]:
    zone = ZoneInfo(station.about.zone)
    found = []
    for parcel in parcels:
        need = station.plan.need(parcel)
        if need and parcel.announced_at is not None:
            found.append(admission.kind_of(parcel, station.plan, need, parcel.announced_at, zone))
    return tuple(found)


def admits(at: Sitting, station: Station, parcel: Parcel) -> decide.Admission:
    """What `decide.reserve` needs of this station, without the parcel itself."""
    heads: tuple[admission.Kind, ...] = ()
    if admission.counts_heads(at.rows, station.id):
        others = (each for each in at.book.parcels.values()
                  if each.station == station.id and each.stage in HERE and each.id != parcel.id)  # fmt: skip
        heads = _heads(others, station)
    return decide.Admission(at.rows, heads, ZoneInfo(station.about.zone)) if at.rows else decide.EVERYBODY


async def heads_at(connection: Any, stations: Stations, names: Sequence[str]) -> dict[str, tuple[admission.Kind, ...]]:
    """What is promised or lies at these stations, as last recorded: good for advice, not for promises."""
    found: dict[str, list[Parcel]] = {name: [] for name in names}
    for row in await connection.fetch(_HEADS, list(names), list(HERE)) if names else ():
        found[row["station"]].append(read_parcel(row["record"]))
    return {name: _heads(parcels, stations.known[name]) for name, parcels in found.items()}

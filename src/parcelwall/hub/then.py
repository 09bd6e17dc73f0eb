"""All stations at another hour: what lay behind their doors, from the journal; and what was forecast.

What was, is told backwards from what lies inside now, as `hub/numbers.py` does for doors in use. What will be, is what
`plan forecast --keep` wrote down for that hour of a station's own clock; for an hour without one there is nothing.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from parcelwall.hub.house import Hub
from parcelwall.hub.numbers import SINCE
from parcelwall.hub.stations import OF_HUB
from parcelwall.hub.watching import AtAGlance

BACK_H, AHEAD_H = 7 * 24, 48

# Texts of our own are put together here; what comes from outside is an argument always.
# ruff: noqa: S608
_INSIDE = """
SELECT station, count(*)::int AS n FROM parcel
WHERE due IS NOT NULL AND compartment IS NOT NULL AND station = ANY($1) GROUP BY 1"""
_HEARD = "SELECT station, coalesce(heard_until, last_seen) AS until FROM station_presence WHERE station = ANY($1)"
_MOVED = f"""
WITH moved AS (
  SELECT CASE WHEN kind = 'WrittenOff' AND {OF_HUB} THEN body::jsonb->>'station' ELSE split_part(writer, ':', 1) END
      AS station,
    kind = 'Deposited' AS came, lag(kind = 'Deposited') OVER (PARTITION BY parcel ORDER BY revision) AS before
  FROM entry WHERE kind IN ('Deposited', 'Collected', 'TakenBack', 'WrittenOff')
    AND parcel IS NOT NULL AND recorded_at >= $1 AND happened_at >= $1)
SELECT station, sum(CASE WHEN came THEN 1 ELSE -1 END)::int AS change FROM moved
WHERE before IS DISTINCT FROM came AND station = ANY($2) GROUP BY 1"""
_FORECAST = """
SELECT DISTINCT ON (station) station, told, low, high, made_at
FROM forecast JOIN unnest($1::text[], $2::date[], $3::int[]) AS asked (station, day, hour) USING (station, day, hour)
ORDER BY station, ahead"""
_TOLD_FOR = """
SELECT DISTINCT day, hour FROM forecast
WHERE came IS NULL AND day >= $1::date AND day <= $2::date AND station = ANY($3)"""


class Known(msgspec.Struct, frozen=True):
    """What is known of one station at an hour. `in_use`: parcels behind doors; None when nobody knows, and `why`. Of a
    forecast also from where to where it goes (80 %), and when it was made."""

    in_use: int | None
    why: Literal["", "silent", "absent", "no_forecast"] = ""
    low: int = 0
    high: int = 0
    made_at: datetime | None = None


async def were(hub: Hub, stations: Sequence[AtAGlance], when: datetime) -> dict[str, Known]:
    """By station, as its own journal has told by now. One that has not been heard since is not known."""
    ids = [each.id for each in stations]
    async with hub.pool.acquire() as connection:
        inside = {row["station"]: row["n"] for row in await connection.fetch(_INSIDE, ids)}
        changed = {row["station"]: row["change"] for row in await connection.fetch(_MOVED, when, ids)}
        heard = {row["station"]: row["until"] for row in await connection.fetch(_HEARD, ids)}
        since = {row["id"]: row["since"] for row in await connection.fetch(SINCE, ids)}
    return {
        each.id: Known(None, "absent") if each.id not in since or since[each.id] > when
        else Known(None, "silent") if each.id not in heard or heard[each.id] < when
        else Known(max(0, inside.get(each.id, 0) - changed.get(each.id, 0)))
        for each in stations
    }  # fmt: skip


async def will_be(hub: Hub, stations: Sequence[AtAGlance], when: datetime) -> dict[str, Known]:
    """By station, from the newest forecast that was kept for this hour of its clock."""
    clocks = [when.astimezone(ZoneInfo(hub.stations.known[each.id].about.zone)) for each in stations]
    rows = await hub.pool.fetch(
        _FORECAST, [each.id for each in stations], [each.date() for each in clocks], [each.hour for each in clocks]
    )
    told = {
        row["station"]: Known(round(row["told"]), "", round(row["low"]), round(row["high"]), row["made_at"])
        for row in rows
    }
    return {each.id: told.get(each.id, Known(None, "no_forecast")) for each in stations}


async def told_for(hub: Hub, stations: Sequence[AtAGlance], now: datetime, zone: str) -> list[datetime]:
    """The hours to come, on the clocks of a zone, for which some station has a forecast; the next first."""
    until = now + timedelta(hours=AHEAD_H)
    days = now.astimezone(ZoneInfo(zone)).date(), until.astimezone(ZoneInfo(zone)).date()
    rows = await hub.pool.fetch(_TOLD_FOR, *days, [each.id for each in stations])
    hours = (
        datetime(row["day"].year, row["day"].month, row["day"].day, row["hour"], tzinfo=ZoneInfo(zone)) for row in rows
    )
    return sorted(each for each in hours if now < each <= until)

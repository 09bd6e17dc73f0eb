"""Forecasts that were told are kept in the hub's database, and scored once their day has come.

Windows in which a parcel was said to be ready are not kept: they follow from the journal alone (what was known of the
parcel, and the calendar that was adopted then), so they are told again from it and held against the deposit.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from itertools import zip_longest

import asyncpg
import msgspec
import numpy as np

from parcelwall.planning import scores, told
from parcelwall.planning.forecast import load_by_day
from parcelwall.planning.forecast_plan import Load
from parcelwall.planning.history import History, columns, zone_of
from parcelwall.planning.records import day_number
from parcelwall.planning.told import Chances
from parcelwall.rules.tables import VisitCalendar, ready_window

_STORE = """
INSERT INTO forecast (station, hour, day, ahead, made_at, model, reason, told, low, high)
SELECT * FROM unnest($1::text[], $2::int[], $3::date[], $4::int[], $5::timestamptz[], $6::text[], $7::text[],
  $8::real[], $9::real[], $10::real[])
ON CONFLICT DO NOTHING"""
_OPEN = """
SELECT station, hour, day, ahead, came FROM forecast WHERE (came IS NULL OR day > $1::date - $2::int) AND day <= $1
ORDER BY station, hour, day"""
LATE_DAYS = 21  # a station that was cut off tells later what happened then, so its scores are put right
_SCORE = """
UPDATE forecast SET came = new.came
FROM unnest($1::text[], $2::int[], $3::date[], $4::int[], $5::real[]) AS new (station, hour, day, ahead, came)
WHERE (forecast.station, forecast.hour, forecast.day, forecast.ahead) = (new.station, new.hour, new.day, new.ahead)"""
_SCORED = """
SELECT station, hour, ahead, told, low, high, came FROM forecast WHERE came IS NOT NULL AND day > $1::date - 365
ORDER BY station, hour, ahead, day"""


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """How the stored forecasts of a year did, by station, hour and days ahead."""

    station: str
    hour: int
    ahead: int
    forecasts: int
    mean_absolute_error: float
    bias: float
    band_covers: float
    mean_pinball: float


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """How the ready windows of adopted calendars were kept, by station, carrier and what was known."""

    station: str
    carrier: str
    known: str
    told: int
    kept: float  # deposited before the end of the window
    inside: float  # and not before its beginning either
    mean_slack_h: float


class Scores(msgspec.Struct):
    """What `plan forecast --score` tells."""

    newly_scored: int
    loads: list[Score]
    promises: list[Promise]
    told: Chances


async def store(connection: asyncpg.Connection, loads: Sequence[Load], made_at: datetime) -> int:
    """Keeps what was told; of two forecasts from one day the first stands. Answers how many are new."""
    rows = [(each.station, each.hour, each.day, each.ahead, made_at, each.model, each.reason, each.told, each.low,
             each.high) for each in loads]  # fmt: skip
    done: str = await connection.execute(_STORE, *(list(column) for column in zip(*rows, strict=True))) if rows else "0"
    return int(done.rpartition(" ")[2])


async def score(connection: asyncpg.Connection, history: History, now: datetime) -> Scores:
    """Puts beside each forecast whose hour is past what came, and sums up those of the last year. What came is looked
    at again for LATE_DAYS."""
    newly = await _score_open(connection, history, now)
    rows = await connection.fetch(_SCORED, now.date())
    groups: dict[tuple[str, int, int], list[asyncpg.Record]] = defaultdict(list)
    for row in rows:
        groups[row["station"], row["hour"], row["ahead"]].append(row)
    return Scores(newly, [_sum_up(*key, of) for key, of in groups.items()], promises(history),
                  told.score(history, now))  # fmt: skip


async def _score_open(connection: asyncpg.Connection, history: History, now: datetime) -> int:
    """Answers how many were scored for the first time."""
    records = columns(history).records
    rows, nothing = records.by_station(), np.zeros(0, np.int64)
    found, newly = [], 0
    for row in await connection.fetch(_OPEN, now.date(), LATE_DAYS):
        clock = now.astimezone(zone_of(row["station"], history.zones))
        if (row["day"], row["hour"]) >= (clock.date(), clock.hour):
            continue
        name, day = row["station"], day_number(row["day"])
        here = records.only(rows.get(name, nothing))
        came = float(load_by_day(here, row["hour"], day, day)[0])
        newly += row["came"] is None
        if came != row["came"]:
            found.append((row["station"], row["hour"], row["day"], row["ahead"], came))
    if found:
        await connection.execute(_SCORE, *(list(column) for column in zip(*found, strict=True)))
    return newly


def _sum_up(station: str, hour: int, ahead: int, rows: Sequence[asyncpg.Record]) -> Score:
    told, low, high, came = (np.array([row[name] for row in rows], float) for name in ("told", "low", "high", "came"))
    losses = [scores.pinball(each, came, level) for each, level in ((low, 0.1), (told, 0.5), (high, 0.9))]
    return Score(
        station=station, hour=hour, ahead=ahead, forecasts=len(rows), bias=round(float((told - came).mean()), 3),
        mean_absolute_error=round(float(np.abs(told - came).mean()), 3),
        band_covers=round(scores.covers(low, high, came), 3), mean_pinball=round(float(np.mean(losses)), 3),
    )  # fmt: skip


def promises(history: History) -> list[Promise]:
    """Each window that was told under an adopted calendar, held against the deposit."""
    kept: dict[tuple[str, str, str], list[tuple[bool, bool, float]]] = defaultdict(list)
    in_force: dict[tuple[str, str], list[tuple[datetime, VisitCalendar]]] = defaultdict(list)
    for when, each in sorted(history.adopted, key=lambda pair: pair[0]):
        in_force[each.station, each.carrier].append((when, each))
    for story in history.stories.values():
        if story.deposited is None:
            continue
        for (known, at), expected in zip_longest(story.known, story.expected_then[: len(story.known)]):
            calendar = _calendar_then(in_force.get((story.station, story.carrier), ()), at)
            window = (ready_window(calendar, known, at, at.date(), expected_at=expected)
                      if calendar and at <= story.deposited else None)  # fmt: skip
            if window:
                late = story.deposited > window.until
                slack = (window.until - story.deposited).total_seconds() / 3600
                key = (story.station, story.carrier, known)
                kept[key].append((not late, not late and story.deposited >= window.since, slack))
    return [_promise(key, of) for key, of in sorted(kept.items())]


def _calendar_then(in_force: Sequence[tuple[datetime, VisitCalendar]], at: datetime) -> VisitCalendar | None:
    """Of one station and carrier, in the order of their adoption."""
    place = bisect_right(in_force, at, key=lambda pair: pair[0])
    return in_force[place - 1][1] if place else None


def _promise(key: tuple[str, str, str], of: Sequence[tuple[bool, bool, float]]) -> Promise:
    kept, inside, slack = (float(np.mean([each[i] for each in of])) for i in range(3))
    return Promise(station=key[0], carrier=key[1], known=key[2], told=len(of), kept=round(kept, 3),
                   inside=round(inside, 3), mean_slack_h=round(slack, 2))  # fmt: skip

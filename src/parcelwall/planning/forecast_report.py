"""`parcelwall plan forecast`: from a file or the hub's journal to a page for people and a file for machines."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from zoneinfo import available_timezones

import asyncpg
import numpy as np
from matplotlib.figure import Figure as Chart

from parcelwall.errors import Trouble
from parcelwall.planning import history, stored
from parcelwall.planning.forecast_plan import Load, Network, Plan, Tick, last_day, make
from parcelwall.planning.holidays import FIXED
from parcelwall.planning.records import day_number, read_pickups
from parcelwall.planning.report import INK, LIGHT, Report, a_chart
from parcelwall.planning.scores import Tenth
from parcelwall.planning.stored import Scores

MOST_CHARTS = 24  # stations shown with a picture; the plan file has all
REASONS = {
    "no_history": "too few parcels or days yet: the network's mean of the same weekday, or nothing where there is none",
    "silent": "nothing heard for 30 days: the network's mean of the same weekday, or nothing",
    "gap": "nothing was heard for 30 days, and too little since: the network's mean of the same weekday, or nothing",
    "demand_drift": "the demand of the last week is more than three times, or less than a third, of that before: "
    "the band is twice as wide",
}


def from_file(path: Path, country: str, made_at: datetime, tick: Tick, zone: str = "") -> tuple[Report, Plan]:
    """A plan from a pick-up point's file, as of the day of its last deposit, with what lies there and is on its way
    then. Without the `zone` of its clock there are no calendars: nobody could say at which moment they mean.

    Raises Trouble for no such file, and for a zone that there is not."""
    if zone not in ("", *available_timezones()):
        raise Trouble(f"{zone!r} is no time zone, such as Europe/Paris")
    records = read_pickups([path], with_open=True)
    zones = dict.fromkeys(records.stations, zone) if zone else {}
    last = cache(partial(last_day, records))
    network = Network(records=records, person=np.full(len(records), -1), zones=zones, country=country,
                      origin=lambda station, hour: last(hour))  # fmt: skip
    plan = make(network, made_at, path.name, tick)
    plan.calendars = plan.calendars if zone else []
    return page(plan), plan


async def from_journal(connection: asyncpg.Connection, country: str, now: datetime, keep: bool,
                       tick: Tick) -> tuple[Report, Plan]:  # fmt: skip
    """A plan from the hub's journal, as of now; kept for scoring if so wished."""
    tick("Reading the journal …")
    told = await history.read(connection, now)
    found = history.columns(told)

    def origin(station: str, hour: int) -> int:
        clock = now.astimezone(history.zone_of(station, told.zones))
        return day_number(clock.date()) - (clock.hour < hour)

    network = Network(records=found.records, person=found.person, zones=told.zones, origin=origin, leads=found.leads,
                      country=country)  # fmt: skip
    plan = make(network, now, "the hub's journal", tick)
    if keep:
        await stored.store(connection, plan.loads, now)
    return page(plan), plan


async def scored(connection: asyncpg.Connection, now: datetime) -> tuple[Report, Scores]:
    """Scores what is due, and a page of how forecasts and ready windows did."""
    found = await stored.score(connection, await history.read(connection, now), now)
    return score_page(found), found


def score_page(found: Scores) -> Report:
    """How forecasts, ready windows and chances of room did."""
    report = Report("How forecasts did")
    report.say(f"{found.newly_scored} forecasts were scored just now; {sum(s.forecasts for s in found.loads)} of the "
               f"last year are summed up here.")  # fmt: skip
    report.table("Load", ["Station, hour, days ahead", "forecasts", "mean absolute error", "bias", "80 % band covers",
                          "mean pinball"],
                 [[f"{s.station}, {s.hour}:00, {s.ahead}", s.forecasts, s.mean_absolute_error, s.bias, s.band_covers,
                   s.mean_pinball] for s in found.loads])  # fmt: skip
    report.table("Ready windows of adopted calendars (told: .1 to .9)",
                 ["Station, carrier, known", "told", "ready by its end", "inside", "mean slack, h"],
                 [[f"{p.station}, {p.carrier}, {p.known}", p.told, p.kept, p.inside, p.mean_slack_h]
                  for p in found.promises])  # fmt: skip
    chances = found.told
    report.table("What offers had told with a promise",
                 ["", "told", "came true", "Brier", "Brier of the past share", "windows", "ready in time"],
                 [["all", chances.told, chances.came_true, chances.brier, chances.brier_of_share, chances.windows,
                   chances.ready_in_time]])  # fmt: skip
    if chances.reliability:
        report.chart(_diagram(chances.reliability), "Chances of room that were told, by tenths, and the share of these "
                     "promises that came true. On the line both are the same; bars are two standard errors")
        report.table("The same in numbers", ["told from", "promises", "told, mean", "came true", "standard error"],
                     [[each.low, each.count, each.told, each.came, each.error] for each in chances.reliability])
        report.say("A chance is of one more parcel that nobody promised room; the promise that followed held room for "
                   "its own. So more may come true than was told, and that is no fault; fewer is one.")  # fmt: skip
    return report


def _diagram(tenths: Sequence[Tenth]) -> Chart:
    chart = a_chart(5, 5)
    axes = chart.add_subplot()
    axes.plot([0, 1], [0, 1], color="#888", linewidth=1)
    axes.errorbar([each.told for each in tenths], [each.came for each in tenths],
                  yerr=[2 * each.error for each in tenths], color=INK, marker="o", linestyle="none")  # fmt: skip
    axes.set(xlabel="told", ylabel="came true", xlim=(0, 1), ylim=(0, 1.02))
    return chart


def page(plan: Plan) -> Report:
    """The page of a plan: per station a picture with its band, the numbers, and how such forecasts did before."""
    report = Report("Load forecast")
    report.say(f"{len(plan.loads)} loads of {len({each.station for each in plan.loads})} stations from {plan.source}, "
               f"made {plan.made_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC; {len(plan.curves)} dwell curves, "
               f"{len(plan.calendars)} visit calendars. {_unlike(plan)}Nothing is used until an operator adopts "
               "it.")  # fmt: skip
    if plan.bad_rows:
        report.say("Rows left out: " + ", ".join(f"{why} {count}" for why, count in plan.bad_rows.items()) + ".")
    if plan.without_holidays:
        report.say(f"No holidays are known for {', '.join(plan.without_holidays)}: Sundays alone are learnt, and a "
                   f"holiday is told as its weekday. --country knows {', '.join(FIXED)}.")  # fmt: skip
    for station, reason in plan.reasons.items():
        report.say(f"{station}: {reason}. {REASONS[reason]}.")
    stations = sorted({each.station for each in plan.loads})
    for station in stations[:MOST_CHARTS]:
        loads = [each for each in plan.loads if each.station == station]
        report.head(station)
        report.chart(_chart(loads), f"Parcels expected in {station} at noon and at 20:00, with the 80 % band")
        report.table("Parcels expected", ["Day", *(f"{hour}:00, 80 % band" for hour in _hours(loads))], _rows(loads))
        past = [each for each in plan.past if each.station == station]
        report.table("How such forecasts would have done", ["Hour, days ahead", "origins", "mean absolute error",
                                                            "best baseline", "its error", "80 % band covers"],
                     [[f"{p.hour}:00, {p.ahead}", p.origins, p.mean_absolute_error, p.best_baseline,
                       p.error_of_baseline, p.band_covers] for p in past])  # fmt: skip
    if len(stations) > MOST_CHARTS:
        report.say(f"{len(stations) - MOST_CHARTS} more stations are in the plan file.")
    report.then("There is no calendar to adopt. From a file they are made with --zone, the zone of its clock; loads "
                "and dwell curves are for people, and used by nothing." if not plan.calendars else
                "If the calendars look right: parcelwall plan adopt plan.json. They are told to recipients and used by "
                "offers then. Loads and dwell curves are for people, and used by nothing: parcelwall plan forecast "
                "--score says how near loads were.")  # fmt: skip
    return report


def _unlike(plan: Plan) -> str:
    """How many stations are not told from their own history as usual, by reason; nothing where all are."""
    counts = Counter(plan.reasons.values())
    told = ", ".join(f"{reason} {count}" for reason, count in sorted(counts.items()))
    return f"Stations that are not told as usual: {told}. " if told else ""


def _hours(loads: Sequence[Load]) -> list[int]:
    return sorted({each.hour for each in loads})


def _rows(loads: Sequence[Load]) -> list[list[str]]:
    told = {(each.day, each.hour): f"{each.told:.0f} ({each.low:.0f} to {each.high:.0f})" for each in loads}
    return [[f"{day:%a %d %b}", *(told.get((day, hour), "") for hour in _hours(loads))]
            for day in sorted({each.day for each in loads})]  # fmt: skip


def _chart(loads: Sequence[Load]) -> Chart:
    chart = Chart(figsize=(8, 3), layout="tight")
    axes = chart.add_subplot()
    for hour, colour in zip(_hours(loads), (LIGHT, INK), strict=False):
        mine = [each for each in loads if each.hour == hour]
        days = [f"{each.day:%a %d}" for each in mine]
        axes.fill_between(days, [each.low for each in mine], [each.high for each in mine], color=colour, alpha=0.18)
        axes.plot(days, [each.told for each in mine], color=colour, marker="o", label=f"{hour}:00")
    axes.set_ylim(bottom=0)
    axes.set_ylabel("parcels")
    axes.legend(frameon=False)
    return chart

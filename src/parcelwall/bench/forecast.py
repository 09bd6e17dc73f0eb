"""`parcelwall bench forecast FILE ...`: how well load, dwell, ready-by and ready windows are told, on a rolling origin.

Files of a pick-up point (columns DateR, DateE, DateD, DateP, Carrier) are judged on each whole year after the first;
files of orders (purchased_at, delivered_at, estimated_date) on their last two whole months and, where the file is
longer, on each that has ORDER_MONTHS before it. Several files of one form are one history. Everything told on a day was
learnt from what was known on that day; every setting was chosen on 2017 and is written in the code.
"""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from parcelwall.bench.figure import Figure, Tick, rounded
from parcelwall.errors import Trouble
from parcelwall.planning import dwell_past, purchase, ready, scores, window_past
from parcelwall.planning.forecast import BASELINES, CANDIDATES, Rolling, load_by_day, names_of, roll
from parcelwall.planning.holidays import holidays
from parcelwall.planning.purchase import Orders, read_orders
from parcelwall.planning.records import (
    PICKUP_COLUMNS,
    Floats,
    Ints,
    Records,
    day_number,
    day_of,
    read_pickups,
    read_table,
)

COUNTRY = "FR"  # the pick-up point of the public file lies in France
HOURS = (20, 12)
HORIZONS = 4
DWELL_H = (6.0, 12.0, 24.0, 48.0, 72.0, 120.0)
READY_LEVELS = (0.5, 0.9)
WINDOW_LEVELS = (0.1, 0.9)
ORDER_LEVELS = (0.9, 0.95)
ORDER_MONTHS = 9
RUN_OUT_DAYS = 5  # no origin in the last days of a year: what came must be known
LEAST_DAYS = 120
# Of allocation's section 9 and 4, hazard + pipeline and the best column: on the year 2018 alone.
LOAD_TARGET = {20: (4.15, 5.23, 5.96, 6.46), 12: (4.96, 6.11, 7.09, 7.89)}
DWELL_TARGET = {12.0: 0.2448, 24.0: 0.2472, 48.0: 0.2026, 72.0: 0.1542, 120.0: 0.0746}
READY_SLACK_H = 21.6
ORDER_SLACK_D = 9.7

Period = tuple[str, int, int]  # its name, its first and its last day


def judge(files: Sequence[Path], seeds: int, quick: bool, tick: Tick) -> list[Figure]:
    """All figures of these files. `seeds` is not used: nothing here is drawn. Raises Trouble for files of no known
    form, or with too little history to judge."""
    pickups, orders = forms(files)
    figures: list[Figure] = []
    if pickups:
        records = read_pickups(pickups)
        if len(records.stations) > 1:
            tick(f"{len(records.stations)} stations are judged together, as if they were one")
        closed = off_days(records)
        for period in periods(records):
            figures += [*load(records, closed, period, quick, tick), *dwells(records, period, quick, tick),
                        *readies(records, closed, period, tick), *windows(records, closed, period, tick)]  # fmt: skip
    if orders:
        figures += at_purchase(read_orders(orders), tick)
    return figures


def forms(files: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Which files are of a pick-up point, and which of orders. Raises Trouble for others, and for none."""
    found: dict[str, list[Path]] = {"pickups": [], "orders": []}
    paths = [each for path in files for each in (sorted(path.glob("*.csv*")) if path.is_dir() else [path])]
    for path in paths:
        for form, needed in (("pickups", PICKUP_COLUMNS), ("orders", purchase.ORDER_COLUMNS)):
            if _has(path, needed):
                found[form].append(path)
                break
        else:
            if not any(path.is_dir() for path in files):
                raise Trouble(f"{path} is neither of a pick-up point ({', '.join(PICKUP_COLUMNS)}) nor of orders "
                              f"({', '.join(purchase.ORDER_COLUMNS)}).")  # fmt: skip
    if not any(found.values()):
        raise Trouble("Name a file: parcelwall bench forecast FILE.csv.gz")
    return found["pickups"], found["orders"]


def _has(path: Path, needed: Sequence[str]) -> bool:
    try:
        next(read_table(path, needed), None)
    except Trouble as no:
        if "lacks the columns" not in str(no):
            raise
        return False
    return True


def off_days(records: Records) -> frozenset[int]:
    first, last = (day_of(int(each)).year for each in (records.ready.min(), records.collected.max()))
    return frozenset(map(day_number, holidays(COUNTRY, range(first, last + 2))))


def periods(records: Records) -> list[Period]:
    """Each whole year after the first with deposits; of a shorter file what follows after its first 120 days.

    Raises Trouble for a file too short to judge anything.
    """
    first, last = (int(each) for each in (records.deposited.min(), records.deposited.max()))
    found = [
        (str(year), day_number(date(year, 1, 1)), min(day_number(date(year, 12, 31)), last) - RUN_OUT_DAYS)
        for year in range(day_of(first).year + 1, day_of(last).year + 1)
        if last >= day_number(date(year, 12, 1)) and first <= day_number(date(year, 1, 1)) - LEAST_DAYS
    ]
    if found:
        return found
    if last - first < LEAST_DAYS + 30 + RUN_OUT_DAYS:
        raise Trouble(f"{len(records)} parcels of {last - first} days are too few to judge a forecast: give at least "
                      f"{LEAST_DAYS + 30 + RUN_OUT_DAYS} days.")  # fmt: skip
    return [(f"after_{LEAST_DAYS}_days", first + LEAST_DAYS, last - RUN_OUT_DAYS)]


def load(records: Records, closed: frozenset[int], period: Period, quick: bool, tick: Tick) -> list[Figure]:
    """Load at noon and at 20:00, one to four days ahead."""
    name, first, last = period
    figures = []
    for hour in HOURS:
        tick(f"Load of {name} at {hour}:00 …")
        rolling = roll(records, hour, last, HORIZONS, closed=closed, known_until=last + HORIZONS,
                       every_days=28 if quick else 7).since(first, last)  # fmt: skip
        mean = float(load_by_day(records, hour, first, last).mean())
        target = LOAD_TARGET[hour] if name == "2018" else (None,) * HORIZONS
        figures += [_load_figure(rolling, h, f"{name}_{hour}h", mean, target[h]) for h in range(HORIZONS)]
    return figures


def _load_figure(rolling: Rolling, h: int, name: str, mean: float, target: float | None) -> Figure:
    came = rolling.came[:, h]
    error = {each: float(np.abs(rolling.candidates[each][:, h] - came).mean()) for each in CANDIDATES}
    told = float(np.abs(rolling.told[:, h] - came).mean())
    quantiles = zip((rolling.low, rolling.told, rolling.high), (0.1, 0.5, 0.9), strict=True)
    losses = [scores.pinball(each[:, h], came, level) for each, level in quantiles]
    baseline = min(BASELINES, key=lambda each: error[each])
    covered = scores.covers(rolling.low[:, h], rolling.high[:, h], came)
    return _figure(
        f"load_{name}_{h + 1}d", "parcels, mean absolute error", told, error[baseline], baseline, target=target,
        mean_load=mean, origins=len(came), mean_pinball=float(np.mean(losses)), band_covers=covered,
        band_width=float((rolling.high - rolling.low)[:, h].mean()), bias=float((rolling.told[:, h] - came).mean()),
        error_of=error, adopted_days=names_of(rolling.adopted, h),
    )  # fmt: skip


def dwells(records: Records, period: Period, quick: bool, tick: Tick) -> list[Figure]:
    """P(dwell > h) told at each deposit, beside the columns of the table of methods: those that told a number."""
    name, first, last = period
    last += RUN_OUT_DAYS
    tick(f"Dwell of {name} …")
    nobody = np.full(len(records), -1)
    told = dwell_past.roll(records, nobody, first, last, DWELL_H, 28 if quick else 7)
    now = np.flatnonzero(
        (records.deposited >= first) & (records.deposited < last + 1) & np.isfinite(told["adopted"][:, 0])
    )
    if not len(now):
        return []
    past = np.flatnonzero(records.deposited < first)
    columns = {each: told[each][now] for each in ("adopted", *dwell_past.MODELS)}
    if len(past) >= 200:
        tick(f"Dwell of {name}, Cox and log-normal …")
        columns["aft"], columns["cox"] = (
            each(records, past, now, DWELL_H) for each in (dwell_past.aft, dwell_past.cox)
        )
    columns = {each: told for each, told in columns.items() if np.isfinite(told).all()}
    return [_dwell_figure(name, h, k, columns, (records.dwell_h[now] > h).astype(float)) for k, h in enumerate(DWELL_H)]


def _dwell_figure(name: str, h: float, k: int, columns: dict[str, Floats], came: Floats) -> Figure:
    brier = {each: scores.brier(told[:, k], came) for each, told in columns.items()}
    error = {each: scores.calibration_error(told[:, k], came) for each, told in columns.items()}
    others = [each for each in columns if each not in ("adopted", "logit")]
    baseline = min(others, key=lambda each: brier[each])
    return _figure(
        f"dwell_{name}_{h:g}h", "Brier score", brier["adopted"], brier[baseline], baseline,
        target=DWELL_TARGET.get(h) if name == "2018" else None, parcels=len(came), base_rate=float(came.mean()),
        calibration_error=error["adopted"], brier_of=brier, calibration_error_of=error,
    )  # fmt: skip


def readies(records: Records, closed: frozenset[int], period: Period, tick: Tick) -> list[Figure]:
    """Until when a parcel is ready, told at its hand-over."""
    name, first, last = period
    lead, figures = ready.lead_h(records), []
    for level in READY_LEVELS:
        tick(f"Ready by of {name} at {level} …")
        ours = ready.roll(records, level, first, last + RUN_OUT_DAYS, closed)
        theirs = ready.baseline(records, level, first, last + RUN_OUT_DAYS)
        now = np.flatnonzero(np.isfinite(ours) & np.isfinite(theirs) & np.isfinite(lead))
        if not len(now):
            continue
        figures.append(_ready_figure(f"ready_{name}_{level}", "h", level, ours[now], theirs[now], lead[now],
                                     READY_SLACK_H if level == 0.9 else None))  # fmt: skip
    return figures


def windows(records: Records, closed: frozenset[int], period: Period, tick: Tick) -> list[Figure]:
    """Between when a parcel is ready, as people are told from its hand-over on: by visit calendars, of which 8 in 10
    should hold. Beside it the .1 and .9 quantile of the weekday."""
    name, first, last = period
    tick(f"Ready windows of {name} …")
    lead, days = ready.lead_h(records), (first, last + RUN_OUT_DAYS)
    ours = window_past.roll(records, *days, closed)
    theirs = [ready.baseline(records, level, *days) for level in WINDOW_LEVELS]
    now = np.flatnonzero(np.isfinite(lead) & np.isfinite(theirs[0]))
    told = now[np.isfinite(ours[0][now])]
    if not len(told):
        return []
    came, (low, high), (early, late) = lead[told], [each[told] for each in ours], [each[told] for each in theirs]
    losses = [_band_loss(low, high, came), _band_loss(early, late, came)]
    return [_figure(
        f"window_{name}", "h wide", float((high - low).mean()), float((late - early).mean()),
        "weekday quantiles at .1 and .9; the ratio is of pinball losses", target=None, of=(losses[0], losses[1]),
        parcels=len(told), no_window=len(now) - len(told), covers=scores.covers(low, high, came),
        reference_covers=scores.covers(early, late, came), kept=float((came <= high).mean()),
        slack_h=float((high - came).mean()), covers_of={
            carrier: scores.covers(low[mine], high[mine], came[mine])
            for each, carrier in enumerate(records.carriers) if (mine := records.carrier[told] == each).any()
        },
    )]  # fmt: skip


def _band_loss(low: Floats, high: Floats, came: Floats) -> float:
    first, last = WINDOW_LEVELS
    return (scores.pinball(low, came, first) + scores.pinball(high, came, last)) / 2


def at_purchase(orders: Orders, tick: Tick) -> list[Figure]:
    """By which day an order is delivered, told at its purchase, beside the shop's own estimate. Slack is in days of the
    calendar, and so are losses; `slack_by_the_clock` is to the end of the day told, hours that are left of the day of
    delivery and all. Orders that are not delivered by the end of the file are not judged: `undelivered` says how many,
    `kept_at_least` takes all for late.

    Raises Trouble for orders that fill no whole month, or of which none can be judged.
    """
    months = purchase.whole_months(orders)
    if not months:
        raise Trouble("These orders do not fill one whole month: give a longer file.")
    two, rolling = months[-2:], months[ORDER_MONTHS:]
    periods = rolling if len(rolling) > 2 else two
    tick(f"Orders of {len(periods)} months told at purchase …")
    now, told = purchase.roll(orders, periods, ORDER_LEVELS)
    judged = {"ready_at_purchase": two} | ({"ready_at_purchase_rolling": rolling} if periods is rolling else {})
    return [_at_purchase(orders, name, these, level, now, told[i])
            for name, these in judged.items() for i, level in enumerate(ORDER_LEVELS)]  # fmt: skip


def _at_purchase(orders: Orders, name: str, periods: Sequence[tuple[int, int]], level: float,
                 now: Ints, told: Floats) -> Figure:  # fmt: skip
    """Of the orders `now`, and what they were told, those of these months."""
    known = np.isfinite(told) & np.isfinite(orders.estimate[now]) & (orders.bought[now] >= periods[0][0])
    now, told = now[known], told[known]
    shop, came, day = orders.estimate[now] - orders.bought[now], orders.days[now], _days_to_delivery(orders, now)
    in_time = day <= _day_of(orders, now, told)
    months = {f"{day_of(first):%Y-%m}": (orders.bought[now] >= first) & (orders.bought[now] < before)
              for first, before in periods}  # fmt: skip
    if not len(now):
        raise Trouble(f"No order of {' and '.join(months)} can be judged: that takes orders that were delivered, "
                      "with an estimated_date, and others before that month to learn from. Give a longer file.")
    return _ready_figure(
        f"{name}_{level}", "days", level, _day_of(orders, now, told), _day_of(orders, now, shop), day,
        ORDER_SLACK_D if level == 0.95 and name == "ready_at_purchase" else None,
        months={month: int(these.sum()) for month, these in months.items()},
        kept_of_month={month: float(in_time[these].mean()) for month, these in months.items() if these.any()},
        undelivered=_undelivered(orders, periods), slack_by_the_clock=float((told - came).mean()),
        reference_slack_by_the_clock=float((shop - came).mean()),
    )  # fmt: skip


def _days_to_delivery(orders: Orders, now: Ints) -> Floats:
    found: Floats = np.floor(orders.delivered[now]) - np.floor(orders.bought[now])
    return found


def _day_of(orders: Orders, now: Ints, until: Floats) -> Floats:
    """How many days of the calendar after its purchase is the day that ends so many days after it."""
    bought = orders.bought[now]
    found: Floats = np.round(bought + until) - 1 - np.floor(bought)
    return found


def _undelivered(orders: Orders, periods: Sequence[tuple[int, int]]) -> int:
    bought = (orders.bought >= periods[0][0]) & (orders.bought < periods[-1][1])
    return int((bought & ~np.isfinite(orders.delivered)).sum())


def _ready_figure(name: str, unit: str, level: float, told: Floats, other: Floats, came: Floats,
                  target: float | None, **more: Any) -> Figure:  # fmt: skip
    losses = [scores.pinball(each, came, level) for each in (told, other)]
    kept = [float((came <= each).mean()) for each in (told, other)]
    slack = [float((each - came).mean()) for each in (told, other)]
    more["kept_error"] = float(np.sqrt(kept[0] * (1 - kept[0]) / len(came)))
    if "undelivered" in more:
        more["kept_at_least"] = kept[0] * len(came) / (len(came) + more["undelivered"])
    return _figure(name, f"{unit} of slack", slack[0], slack[1],
                   "weekday quantile, or the shop's estimate; the ratio is of pinball losses", target=target,
                   of=(losses[0], losses[1]), parcels=len(came), kept=kept[0], reference_kept=kept[1],
                   pinball=losses[0], reference_pinball=losses[1], **more)  # fmt: skip


def _figure(name: str, unit: str, value: float, reference: float, reference_is: str, target: float | None,
            of: tuple[float, float] | None = None, **more: Any) -> Figure:  # fmt: skip
    """`of`: ours and theirs, of which the ratio is, if not of value and reference: less slack alone is no better."""
    ours, theirs = of or (value, reference)
    ratio = round(theirs / ours, 3) if ours > 0 else None
    return Figure(
        name=name, value=rounded(value), unit=unit, reference=rounded(reference), ratio=ratio, runs=1, spread=None,
        reference_is=reference_is, more=_rounded(more | ({"target": target} if target else {})),
    )  # fmt: skip


def _rounded(table: Any) -> Any:
    if isinstance(table, dict):
        return {name: _rounded(each) for name, each in table.items()}
    return rounded(table) if isinstance(table, float) else table

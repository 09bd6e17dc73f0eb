"""Ready by, told at the purchase: from the place of buyer and seller, the past of the seller and of its state, and the
shop's own estimate.

Trees (LightGBM) tell the .8 quantile of the logarithm of the days from purchase to delivery, and of how many times what
the shop estimated that is; four fits each, the mean of all. The mean is held to the shop's own estimate as by
LIKE_ORDERS, so that a shop with few orders begins with its own word. To it is added the quantile of what was wrong, out
of fold in time, over the last CALIBRATE_DAYS, whichever level is told: far out there are too few late orders to grow
trees by. Trees are grown from who was bought for LAG_DAYS and more before the refit, one that is not delivered by then
counting LOST_DAYS. Errors are of all orders: one still on its way tells that it took longer than so far (Kaplan,
Meier 1958). Whoever waits for longer than LOST_DAYS, and than LOST_MEDIANS times the median, was cancelled or lost: no
day that is told helps there, so levels are of those that come. Trees are grown each month; errors are those
known on the day of the purchase, so that what has become slow in the second week is told later in the third.

What is told is a day of the calendar, as a shop tells one, and kept by who is delivered before that day is over. The
quantile is the one that keeps the level with probability SURE, whatever orders it was taken from (Vovk 2012): a plain
one keeps it on average over such draws, so less than it in nearly every other. Where the newer half of those days asks
for a later one, that half is believed: carriers that have become slow stay so for a while.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import lightgbm
import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.stats import CensoredData, binom, ecdf

from parcelwall.errors import Trouble
from parcelwall.planning.records import (
    EPOCH,
    Bad,
    Floats,
    Ints,
    day_number,
    day_of,
    far_from_others,
    moment,
    read_table,
)

ORDER_COLUMNS = ("parcel_id", "purchased_at", "delivered_at", "estimated_date", "seller_state", "lat", "lon")
CALIBRATE_DAYS = 240
SURE = 0.9
LAG_DAYS = 25
HALF_DAYS = 180.0
FOLDS = 5
LOST_DAYS, LOST_MEDIANS = 60.0, 4.0  # who waits for longer than both never comes; trees take the first for who waits
LIKE_ORDERS = 200.0  # so many orders weigh as much as the shop's own estimate
FARTHEST_DAYS = 400.0  # a delivery or an estimate that is later has a wrong date
AN_HOUR, A_BLINK = 1 / 24, 1e-6  # days
LEAST = 200
RECENT_DAYS = 21
STATE_DAYS, STATE_LEAST = 45, 8
OPTIONS = {
    "objective": "quantile", "alpha": 0.8, "learning_rate": 0.05, "num_leaves": 7, "min_data_in_leaf": 30,
    "feature_fraction": 0.7, "bagging_fraction": 0.8, "bagging_freq": 1, "num_threads": 1, "deterministic": True,
    "verbose": -1,
}  # fmt: skip
ROUNDS = 100
SEEDS = (1, 2, 3, 4)
KM_PER_DEGREE = 111.0
FEW_IN_MONTH = 0.1  # of the usual month: a tail of so few orders is not what a method is judged by
Flags = NDArray[np.bool_]
Timed = tuple[float, float, float, Mapping[str, str]]  # bought, delivered, estimated; the row


class Orders(msgspec.Struct):
    """Orders by time of purchase: days since 1970 (delivered: infinity where it was not), features, and bad rows."""

    bought: Floats
    delivered: Floats
    estimate: Floats
    x: Floats
    bad: Counter[str]

    @property
    def days(self) -> Floats:
        return self.delivered - self.bought

    def until_the_end_of_day(self, these: Ints, days: Floats) -> Floats:
        """From the purchase of these orders to the end of the day into which so many days lead; midnight begins one."""
        bought = self.bought[these]
        found: Floats = np.floor(bought + days + A_BLINK) + 1 - bought
        return found


def read_orders(paths: Sequence[Path]) -> Orders:
    """The orders of CSV files. Raises Trouble for a file that cannot be read or has no row that can be used."""
    rows: dict[str, Timed] = {}
    bad: Counter[str] = Counter()
    for path in paths:
        for row in read_table(path, ORDER_COLUMNS):
            try:
                name = row["parcel_id"] or f"row {len(rows)}"  # rows without one are no one order
                bad["double"] += name in rows
                rows[name] = _times(row)
            except Bad as why:
                bad[str(why)] += 1
    if not rows:
        raise Trouble(f"{', '.join(map(str, paths))} has no row that can be used: {dict(bad) or 'it is empty'}.")
    by_time = [row for _, row in sorted(rows.items(), key=lambda each: (each[1][0], each[0]))]
    inorder = _without_wrong_years(by_time, bad)
    bought, delivered, estimate = (np.array([row[i] for row in inorder], float) for i in range(3))
    return Orders(bought, delivered, estimate, _features(bought, delivered, estimate, [r[3] for r in inorder]), +bad)


def _without_wrong_years(rows: list[Timed], bad: Counter[str]) -> list[Timed]:
    """Those that were bought near others: one of 2081 would make the months that are judged."""
    far = far_from_others([EPOCH + timedelta(days=row[0]) for row in rows])
    bad["far_from_all_others"] += len(far)
    return [row for place, row in enumerate(rows) if place not in far]


def _times(row: Mapping[str, str]) -> Timed:
    bought, delivered, estimate = (_days(row[name]) for name in ("purchased_at", "delivered_at", "estimated_date"))
    if not np.isfinite(bought):
        raise Bad("no_purchase_time")
    if delivered <= bought:
        raise Bad("delivered_before_purchase")
    if FARTHEST_DAYS < delivered - bought < np.inf:
        raise Bad("times_too_far_apart")
    until = np.floor(estimate) + 1  # the shop means the end of that day
    return bought, delivered, until if 0 < until - bought <= FARTHEST_DAYS else np.inf, row


def _days(text: str) -> float:
    when = moment(text)
    return np.inf if when is None else (when - EPOCH).total_seconds() / 86400


def _features(bought: Floats, delivered: Floats, estimate: Floats, rows: Sequence[Mapping[str, str]]) -> Floats:
    states = sorted({row["seller_state"] for row in rows})
    place = [[_degrees(row.get(name, "")) for name in ("lat", "lon", "seller_lat", "seller_lon")] for row in rows]
    lat, lon, seller_lat, seller_lon = np.array(place, float).T
    far = np.hypot(lat - seller_lat, (lon - seller_lon) * np.cos(np.radians(lat))) * KM_PER_DEGREE
    state = [states.index(row["seller_state"]) for row in rows]
    sellers = [row.get("seller_zip_prefix", "") + row["seller_state"] for row in rows]
    ahead = np.where(np.isfinite(estimate), estimate - bought, np.nan)
    seller = _sellers_past(bought, delivered, sellers)
    share = _share_of_late(bought, delivered, ahead, np.array(state))
    return np.column_stack([state, far, ahead, seller, _of_late(bought, delivered), lat, lon, share])


def _degrees(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        return np.nan
    return found if abs(found) <= 360 else np.nan


def _sellers_past(bought: Floats, delivered: Floats, sellers: Sequence[str]) -> Floats:
    """[order, 2]: the median days of the seller's last 30 deliveries before, and how many there were."""
    found = np.full((len(bought), 2), np.nan)
    before: dict[str, list[int]] = defaultdict(list)
    for i, seller in enumerate(sellers):
        past = [delivered[j] - bought[j] for j in before[seller] if delivered[j] < bought[i]][-30:]
        if past:
            found[i] = float(np.median(past)), len(past)
        before[seller].append(i)
    return found


def _of_late(bought: Floats, delivered: Floats) -> Floats:
    """The median days of what was delivered in the three weeks before each purchase; NaN for fewer than six."""
    found = np.full(len(bought), np.nan)
    for i, now in enumerate(bought):
        late = (delivered < now) & (delivered > now - RECENT_DAYS)
        if late.sum() > 5:
            found[i] = float(np.median((delivered - bought)[late]))
    return found


def _share_of_late(bought: Floats, delivered: Floats, ahead: Floats, state: Ints) -> Floats:
    """How much of the time that the shop had told was used by most of what came from the seller's state in the
    STATE_DAYS before each purchase (.8 quantile); NaN for fewer than STATE_LEAST."""
    found, share = np.full(len(bought), np.nan), (delivered - bought) / np.where(ahead > 0, ahead, np.nan)
    for i, now in enumerate(bought):
        late = (state == state[i]) & (delivered < now) & (delivered > now - STATE_DAYS) & np.isfinite(share)
        if late.sum() >= STATE_LEAST:
            found[i] = float(np.quantile(share[late], 0.8))
    return found


def told_at(orders: Orders, day: int, now: Ints, level: float) -> Floats:
    """Days from the purchase to the end of the day by which these orders are delivered with this probability: learnt
    from what was known on `day`, asked with what was known at each purchase (what came of late is in `orders.x`).

    By the shop's own estimate alone, shifted, where there are too few orders to learn from; where it has none, by the
    quantile of all. NaN before anything was delivered.
    """
    found: Floats = levels_at(orders, day, now, (level,))[0]
    return found


def levels_at(orders: Orders, day: int, now: Ints, levels: Sequence[float]) -> Floats:
    """The same at several levels, learnt once. [level, order]"""
    guess, found = _guesses(orders, day), np.full((len(levels), len(now)), np.nan)
    bought_on = np.maximum(day, np.floor(orders.bought[now]))
    for each in np.unique(bought_on):
        these = np.flatnonzero(bought_on == each)
        days = np.exp(guess[now[these]] + _added(orders, each, guess, levels)[:, None])
        found[:, these] = [orders.until_the_end_of_day(now[these], level) for level in days]
    return found


def _added(orders: Orders, day: float, guess: Floats, levels: Sequence[float]) -> Floats:
    """[level]: what is added to a guess, from the errors known when that day began. NaN before anything came."""
    past = np.flatnonzero(orders.bought < day)
    came, lost, comes = _how_they_stand(orders, day, past)
    if not came.any():
        return np.full(len(levels), np.nan)
    so_far = np.where(came, np.floor(orders.delivered[past]), day) - orders.bought[past]  # the same day would be told
    wrong = np.log(np.maximum(so_far, AN_HOUR)) - guess[past]
    age = day - orders.bought[past]
    return np.array([to_add(wrong, came, lost, age, level * comes) for level in levels])


def _how_they_stand(orders: Orders, day: float, past: Ints) -> tuple[Flags, Flags, float]:
    """Of orders bought before that day, as it begins: which came, which are lost, and what share comes."""
    came, age = orders.delivered[past] < day, day - orders.bought[past]
    usual = float(np.median(orders.days[past[came]])) if came.any() else np.inf
    waited_long = age > max(LOST_DAYS, LOST_MEDIANS * usual)
    lost = waited_long & ~came
    return came, lost, float(1 - lost.sum() / max(1, waited_long.sum()))


def _guesses(orders: Orders, day: int) -> Floats:
    """[order]: logarithms of days, learnt from what was known as that day began; out of fold of the orders from which
    trees were grown, and asked with what was known at its purchase of each one that was bought later."""
    past = np.flatnonzero(orders.bought < day)
    _, lost, _ = _how_they_stand(orders, day, past)
    shop, old = _of_the_shop(orders, past), past[(orders.bought[past] < day - LAG_DAYS) & ~lost]
    if len(old) < LEAST:
        return shop
    days = np.log(np.where(orders.delivered[old] < day, orders.days[old], LOST_DAYS))
    weight = 0.5 ** ((day - orders.bought[old]) / HALF_DAYS)
    plain, share = (_grown(orders.x, old, days - each[old], weight) + each for each in (np.zeros_like(shop), shop))
    trees_weigh = len(old) / (len(old) + LIKE_ORDERS)
    return trees_weigh * (plain + share) / 2 + (1 - trees_weigh) * shop


def _of_the_shop(orders: Orders, past: Ints) -> Floats:
    """Logarithm of the days that the shop estimated; the past median where it said nothing, 0 if it seldom did."""
    ahead = orders.estimate - orders.bought
    logs = np.log(np.where(np.isfinite(ahead), ahead, np.nan))
    known = logs[past][np.isfinite(logs[past])]
    if not len(known) or len(known) < len(past) / 2:
        return np.zeros(len(logs))
    return np.asarray(np.where(np.isfinite(logs), logs, np.median(known)))


def _grown(x: Floats, old: Ints, y: Floats, weight: Floats) -> Floats:
    """What trees tell of each row of x: of the `old` ones, from which they are grown, out of fold."""
    told = _trees(x[old], y, weight, x)
    fold = np.arange(len(old)) * FOLDS // len(old)
    for each in range(FOLDS):
        kept = fold != each
        told[old[~kept]] = _trees(x[old[kept]], y[kept], weight[kept], x[old[~kept]])
    return told


def to_add(wrong: Floats, came: Flags, lost: Flags, age_days: Floats, level: float) -> float:
    """What keeps the level of the errors of the last CALIBRATE_DAYS, and of the newer half of these days where that
    half has LEAST of them; of all errors where none is so new. `came`: the order was delivered; else it is wrong by
    that much or more, and `lost` if it never comes."""

    def of(these: Flags) -> float:
        return surely(wrong[these], came[these], lost[these], level)

    late = age_days <= CALIBRATE_DAYS
    newer = age_days <= CALIBRATE_DAYS / 2
    whole = of(late if came[late].any() else late | True)
    enough = newer.sum() >= LEAST and came[newer].any()
    return max(whole, of(newer)) if enough else whole


def surely(wrong: Floats, came: Flags, lost: Flags, level: float) -> float:
    """What a share `level` of all errors lies below, with probability SURE over draws such as this one: as many of n
    lie below that level's quantile in SURE of the draws. Where too few are there, or came, the largest: of those that
    came if some are lost, as then whoever comes has been seen to come."""
    place = (binom.ppf(SURE, len(wrong), level) + 1) / len(wrong)
    below = ecdf(CensoredData.right_censored(wrong, ~came)).cdf
    found = np.flatnonzero(below.probabilities >= place - 1e-9)
    return float(below.quantiles[found[0]] if len(found) else wrong[came | ~lost.any()].max())


def _trees(x: Floats, y: Floats, weight: Floats, now: Floats) -> Floats:
    """Of the orders `now`: the mean of several fits, each from other draws, which is steadier than any of them."""
    table = lightgbm.Dataset(x, y, weight=weight, params=OPTIONS, free_raw_data=False)
    several = [lightgbm.train(OPTIONS | {"seed": seed}, table, ROUNDS) for seed in SEEDS]
    return np.asarray(np.mean([each.predict(now, num_threads=1) for each in several], axis=0))


def months(first: date, last: date) -> list[tuple[int, int]]:
    """The whole months between two days as day numbers (from, to before)."""
    starts, at = [], date(first.year, first.month, 1)
    while at <= last:
        starts.append(day_number(at))
        at = date(at.year + at.month // 12, at.month % 12 + 1, 1)
    starts.append(day_number(at))
    return [(a, b) for a, b in pairwise(starts) if a >= day_number(first) and b <= day_number(last) + 1]


def roll(orders: Orders, periods: Sequence[tuple[int, int]], levels: Sequence[float]) -> tuple[Ints, Floats]:
    """The orders of these months that were delivered, and what each was told at its purchase: [level, order] days."""
    kept, told = [], []
    for first, before in periods:
        now = np.flatnonzero((orders.bought >= first) & (orders.bought < before) & np.isfinite(orders.delivered))
        kept.append(now)
        told.append(levels_at(orders, first, now, levels))
    return np.concatenate(kept), np.concatenate(told, axis=1)


def whole_months(orders: Orders) -> list[tuple[int, int]]:
    """The whole months of purchases in the file, but for a tail of months with few; its last day is taken as the end of
    its month from the 28th on."""
    first, last = day_of(int(orders.bought.min())), day_of(int(orders.bought.max()))
    found = months(first, last if last.day < 28 else day_of(day_number(last) + 3))
    counts = [((orders.bought >= a) & (orders.bought < b)).sum() for a, b in found]
    full = [place for place, count in enumerate(counts) if count >= FEW_IN_MONTH * np.median(counts)]
    return found[: full[-1] + 1] if full else []

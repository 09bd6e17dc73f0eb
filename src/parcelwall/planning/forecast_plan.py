"""The plan of `parcelwall plan forecast`: loads one to seven days ahead, dwell curves and visit calendars by station.

Each station is told from its own history, leaning on the network's where that is short. Where there is too little, or
nothing of late, the network's mean of the same weekday is told with a band as wide as its stations differ, and the
reason stands beside it; where there is no network either, nothing is told. A reason is never left out.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from functools import cached_property

import msgspec
import numpy as np

from parcelwall.planning import dwell, dwell_past, scores, visits
from parcelwall.planning.forecast import BASELINES, Rolling, loads_by_station, roll
from parcelwall.planning.holidays import FIXED, OF_ZONE, holidays
from parcelwall.planning.pipeline import Everyone
from parcelwall.planning.records import DAYS_BACK, Floats, Ints, Records, day_number, day_of, weekday, whole
from parcelwall.rules.tables import DAYS, DwellCurve, Fit, VisitCalendar

HORIZONS = 7
HOURS = (12, 20)
LEAST = 50  # parcels of a station below which the network speaks for it
LEAST_DAYS = 14  # of its history, likewise: two of each weekday
NOT_ITS_OWN = ("no_history", "silent", "gap")  # reasons for which the network speaks for a station
SILENT_DAYS = 30  # without a fact: what was learnt is not believed any more
DRIFT = 3.0  # times the arrivals of the eight weeks before
LEANS_BELOW = 500  # parcels of a station below which its shares lean on the network's
OWN_SLOTS = 15  # parcels of a stratum below which it has no curve of its own
MISSED = 3.0  # collections that a file lacks to the hour: then its last day is not over
MODELS = {"logit": "logit by hour, mean of the stratum", "rolling": "share by weekday and three hours",
          "constant": "share of all before"}  # fmt: skip

Tick = Callable[[str], None]


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """Parcels in a station at an hour of its clock on a day. `low`..`high` is the 80 % band, `reason` why it is not
    told from the station's own history as usual."""

    station: str
    made_on: date
    day: date
    ahead: int
    hour: int
    model: str
    told: float
    low: float
    high: float
    reason: str = ""


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """How such forecasts would have done over the last half year, on what was known then."""

    station: str
    hour: int
    ahead: int
    origins: int
    mean_absolute_error: float
    best_baseline: str
    error_of_baseline: float
    band_covers: float
    mean_pinball: float


class Plan(msgspec.Struct, kw_only=True):
    """What the plan file holds. Only rows that an operator adopts enter operations."""

    made_at: datetime
    source: str
    loads: list[Load]
    past: list[Past]
    curves: list[DwellCurve]
    calendars: list[VisitCalendar]
    reasons: dict[str, str]
    bad_rows: dict[str, int]
    without_holidays: list[str]  # stations of whose country none are known: Sundays alone are learnt


class Network(msgspec.Struct, kw_only=True, dict=True):
    """What is planned from: records, who received them, each station's zone, and its last whole day by hour.

    What all stations ask of it is found once: a plan takes time by the number of stations, not by its square.
    """

    records: Records
    person: Ints
    zones: Mapping[str, str]
    origin: Callable[[str, int], int]
    leads: visits.Leads | None = None
    country: str = ""

    @cached_property
    def rows(self) -> dict[str, Ints]:
        """Those of the records that are of each station."""
        return self.records.by_station()

    @cached_property
    def everyone(self) -> Everyone:
        """What stations with few parcels lean on."""
        return Everyone(self.records)

    @cached_property
    def usual(self) -> tuple[str, ...]:
        """The stations of which enough is known: they speak for others."""
        return tuple(each for each in self.records.stations if not why_not(self, each))

    @cached_property
    def of_usual(self) -> dict[tuple[int, int], Floats]:
        """What `like_these` has found, by hour and day."""
        return {}

    def of_station(self, station: str) -> Records:
        """The parcels of one station; none for one that is not known."""
        return self.records.only(self.rows.get(station, np.zeros(0, np.int64)))

    def country_of(self, station: str) -> str:
        """Whose holidays a station keeps; nothing where nobody knows."""
        return self.country or OF_ZONE.get(self.zones.get(station, ""), "")

    def closed(self, station: str) -> frozenset[int]:
        """Day numbers of holidays at a station."""
        last = day_of(self.origin(station, 12)).year
        return frozenset(map(day_number, holidays(self.country_of(station), range(last - 3, last + 2))))


def make(network: Network, made_at: datetime, source: str, tick: Tick) -> Plan:
    """Everything `plan forecast` tells. Nothing is raised for a strange history: the reason is in the plan."""
    stations = sorted({*network.records.stations, *network.zones})
    plan = Plan(made_at=made_at, source=source, loads=[], past=[], curves=[], calendars=[], reasons={},
                bad_rows=dict(network.records.bad),
                without_holidays=[each for each in stations if network.country_of(each) not in FIXED])  # fmt: skip
    plan.reasons = {station: why_not(network, station) for station in stations}
    for station in stations:
        tick(f"Load of {station} …")
        reason = plan.reasons[station]
        if reason in NOT_ITS_OWN:
            plan.loads += from_network(network, station, reason)
        else:
            for hour in HOURS:
                _tell_load(network, station, hour, reason, plan)
    tick("Dwell and visits …")
    plan.curves = curves(network)
    plan.calendars = list(_calendars(network))
    plan.reasons = {station: reason for station, reason in plan.reasons.items() if reason}
    return plan


def why_not(network: Network, station: str) -> str:
    """Why a station is not told as usual: `no_history`, `silent` for SILENT_DAYS or not long back after that (`gap`),
    `demand_drift`; or nothing."""
    here, origin = network.of_station(station), network.origin(station, max(HOURS))
    return unlike(np.sort(whole(here.ready[here.ready < origin + 1])), origin)


def unlike(every: Ints, origin: int) -> str:
    """The same of the days of its parcels, in their order, as of the end of day `origin`."""
    days = every[every >= back_since(every)]
    if len(every) >= LEAST and origin - int(days[-1]) > SILENT_DAYS:
        return "silent"
    if len(days) < LEAST or origin - int(days[0]) < LEAST_DAYS:
        return "gap" if len(every) >= LEAST and len(days) < len(every) else "no_history"
    known = min(56, origin - 7 - int(days[0]) + 1)  # days before the last week of which the past tells
    week, before = ((days > origin - 7).sum() / 7, ((days <= origin - 7) & (days > origin - 63)).sum() / known)
    return "demand_drift" if week > DRIFT * before or before > DRIFT * max(week, 1e-9) else ""


def back_since(days: Ints) -> int:
    """The first of these days, in their order, after the last SILENT_DAYS without one. On days on which nothing could
    be wrong errors are none, and bands that learn of them would be as narrow."""
    gaps = np.flatnonzero(np.diff(days) > SILENT_DAYS)
    return int(days[gaps[-1] + 1]) if len(gaps) else 0


def _tell_load(network: Network, station: str, hour: int, reason: str, plan: Plan) -> None:
    here, origin = network.of_station(station), network.origin(station, hour)
    here = here.only(here.ready >= back_since(np.sort(whole(here.ready))))
    lean = network.everyone if len(here) < LEANS_BELOW and len(network.records.stations) > 1 else None
    rolling = roll(here, hour, origin, HORIZONS, closed=network.closed(station), known_until=origin, network=lean,
                   back_days=DAYS_BACK)  # fmt: skip
    wider = 2.0 if reason == "demand_drift" else 1.0
    for h in range(HORIZONS):
        told, low, high = (float(each[-1, h]) for each in (rolling.told, rolling.low, rolling.high))
        plan.loads.append(
            Load(station=station, made_on=day_of(origin), day=day_of(origin + h + 1), ahead=h + 1, hour=hour,
                 model=rolling.adopted[-1][h], told=round(told, 2), low=round(max(0.0, told - wider * (told - low)), 2),
                 high=round(told + wider * (high - told), 2), reason=reason)
        )  # fmt: skip
        plan.past += _past(rolling, station, hour, h)


def _past(rolling: Rolling, station: str, hour: int, h: int) -> list[Past]:
    known = np.flatnonzero(np.isfinite(rolling.came[:, h]))[-180:]
    if len(known) == 0:
        return []
    came = rolling.came[known, h]
    errors = {name: float(np.abs(rolling.candidates[name][known, h] - came).mean()) for name in BASELINES}
    best = min(BASELINES, key=lambda name: errors[name])
    parts = zip((rolling.low, rolling.told, rolling.high), (0.1, 0.5, 0.9), strict=True)
    return [
        Past(station=station, hour=hour, ahead=h + 1, origins=len(known),
             mean_absolute_error=round(float(np.abs(rolling.told[known, h] - came).mean()), 3), best_baseline=best,
             error_of_baseline=round(errors[best], 3),
             band_covers=round(scores.covers(rolling.low[known, h], rolling.high[known, h], came), 3),
             mean_pinball=round(float(np.mean([scores.pinball(q[known, h], came, level) for q, level in parts])), 3))
    ]  # fmt: skip


def from_network(network: Network, station: str, reason: str) -> list[Load]:
    """The mean of the stations of which enough is known on the same weekday of the last four weeks, with the band of
    their .1 and .9 quantiles; nothing where there are none."""
    told = []
    for hour in HOURS if network.usual else ():
        origin = network.origin(station, hour)
        for ahead, (mean, low, high) in enumerate(like_these(network, hour, origin).tolist(), 1):
            told.append(
                Load(station=station, made_on=day_of(origin), day=day_of(origin + ahead), ahead=ahead, hour=hour,
                     model="network_mean", told=round(mean, 2), low=round(min(low, mean), 2),
                     high=round(max(high, mean), 2), reason=reason)
            )  # fmt: skip
    return told


def like_these(network: Network, hour: int, origin: int) -> Floats:
    """[days ahead - 1, (mean, .1 and .9 quantile)] of the loads of usual stations on the same weekdays of the four
    weeks that end on a day: looked up once, whichever station is told of it."""
    if (found := network.of_usual.get((hour, origin))) is None:
        days, names = np.arange(origin - 27, origin + 1), network.records.stations
        usual = np.isin(names, network.usual)
        past = loads_by_station(network.records, hour, origin - 27, origin)[usual]
        ahead = [past[:, weekday(days) == weekday(np.array(origin + h))].ravel() for h in range(1, HORIZONS + 1)]
        found = network.of_usual[hour, origin] = np.array(
            [(like.mean(), *np.quantile(like, (0.1, 0.9))) for like in ahead]
        )
    return found


def curves(network: Network) -> list[DwellCurve]:
    """Of all parcels, of each station, and of its weekdays and hours, where there are enough parcels to learn from."""
    records = network.records
    day = 1 + max((network.origin(station, max(HOURS)) for station in records.stations), default=0)
    found = _curves_of(records, network.person, day, "")[:1]
    for station, rows in network.rows.items():
        found += _curves_of(records.only(rows), network.person[rows], day, station)
    return found


def _curves_of(records: Records, person: Ints, day: int, station: str) -> list[DwellCurve]:
    stayed = np.flatnonzero((records.deposited < day) & (records.dwell_h > 0))
    records, person = records.only(stayed), person[stayed]
    rows = dwell.features(records)
    fitted = dwell.fit(records, rows, person, day)
    if fitted is None:
        return []
    late = np.flatnonzero(records.deposited >= day - dwell.WINDOW_DAYS)
    slots, model = dwell.slots(records)[late], dwell_past.chosen(records, day)
    if model == "logit":
        there = fitted.there(rows[late], np.zeros((len(late), len(fitted.hours))))
    elif model == "rolling":
        there = dwell.by_slot(records, day, dwell.HOURS, dwell.WINDOW_DAYS)[slots]
    else:
        there = np.tile(dwell.constant(records, day, dwell.HOURS), (len(late), 1))
    since = day_of(int(records.deposited[late].min()))
    found = [_curve(station or "all", MODELS[model], there, since, day)]
    for slot in np.unique(slots) if station else ():
        if (slots == slot).sum() >= OWN_SLOTS:
            name = f"{station}/{DAYS[slot // 8]}/{slot % 8 * 3:02}"
            found.append(_curve(name, MODELS[model], there[slots == slot], since, day))
    return found


def _curve(stratum: str, model: str, there: Floats, since: date, day: int) -> DwellCurve:
    shares = np.minimum.accumulate(np.round(there.mean(0), 4)).tolist()
    fit = Fit(model=model, fitted_on=day_of(day), since=since, until=day_of(day - 1), count=len(there))
    return DwellCurve(stratum=stratum, hours=(0.0, *dwell.HOURS), there=(1.0, *shares), fit=fit)


def _calendars(network: Network) -> Sequence[VisitCalendar]:
    came = network.records.only(network.records.dwell_h > 0)
    days = {station: network.origin(station, max(HOURS)) + 1 for station in came.stations}
    zones = {station: network.zones.get(station, "UTC") for station in came.stations}
    closed = {station: network.closed(station) for station in came.stations}
    return visits.calendars(came, max(days.values(), default=0), zones, closed, network.leads)


def last_day(records: Records, hour: float) -> int:
    """The last day of a file at whose hour it knows what lay there: the day of its last deposit. It is the day before
    where parcels lie there still, and so many are usually collected between the file's last time and the hour that none
    would be rare: MISSED on average, none on one day in twenty.
    """
    deposited, collected = (each[np.isfinite(each)] for each in (records.deposited, records.collected))
    if not len(deposited):
        return int(whole(records.ready).max())
    day, until = int(whole(deposited).max()), float(max(deposited.max(), collected.max(initial=0)))
    if len(collected) in (0, len(records)) or until >= day + hour / 24:
        return day
    missing = (collected % 1 > until % 1) & (collected % 1 <= hour / 24)
    return day - int(missing.sum() >= MISSED * (1 + np.ptp(whole(collected))))

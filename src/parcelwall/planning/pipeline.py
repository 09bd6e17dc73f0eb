"""The load of a station some days ahead, from where each parcel is now: stored, on the way, ready, or not known yet.

    F(k+h) = sum over stored      P(there at k+h | stored now, weekday of deposit, days since)
           + sum over on the way  P(deposited and not collected by k+h | carrier, weekday of hand-over, days since)
           + sum over ready       the same | carrier, weekday on which it was ready, days since
           + sum over q = 1..h    m(k+q) P(there h-q days after it was ready)

A probability is a share among past parcels, of which the younger count more: half as much after HALF_DAYS, and shrunk
by SHRINK parcels to the share of all weekdays. m is such a mean of the parcels that became ready on the same weekday,
half as much after HALF_ARRIVALS_DAYS, holidays left out. Days are counted at one hour of the station's clock, and end
at it: what becomes ready in the afternoon is not known at noon, and is of the next day. Only facts before the day of
the refit are learnt from: what a parcel did later counts as not known.
"""

import msgspec
import numpy as np

from parcelwall.planning.records import Floats, Ints, Records, weekday, whole

AGES = 45  # days that a parcel is followed in one state
HALF_DAYS = 90.0
SHRINK = 5.0
HALF_ARRIVALS_DAYS = 56.0
WINDOW_DAYS = 400
AT_ONCE = 50_000  # parcels added up at a time: those of a whole network would take gigabytes
PARTS = ("stored", "on_the_way", "ready", "new")


class Spell(msgspec.Struct):
    """One state of every parcel, in whole days at the hour: it begins on `start`, holds from `begins` to before
    `leaves` days later; the parcel lies in the station from `lies` to before `gone` days later."""

    start: Ints
    group: Ints
    begins: Ints
    leaves: Ints
    lies: Ints
    gone: Ints

    @property
    def first(self) -> Ints:
        """The first day at whose hour the state had begun."""
        return self.start + self.begins


class Seen(msgspec.Struct):
    """All that a forecast at one hour of day reads of the records."""

    hour: float
    carriers: int
    stored: Spell
    on_the_way: Spell
    ready: Spell

    @property
    def spells(self) -> tuple[Spell, Spell, Spell]:
        return self.stored, self.on_the_way, self.ready


class Shares(msgspec.Struct):
    """What was learnt: P[group, days since, h - 1] by state, and of new parcels P[weekday, days after]."""

    stored: Floats
    on_the_way: Floats
    ready: Floats
    new: Floats
    seen: int  # parcels learnt from

    @property
    def by_state(self) -> tuple[Floats, Floats, Floats]:
        return self.stored, self.on_the_way, self.ready


def see(records: Records, hour: float) -> Seen:
    """The records as days at this hour (0 to 24) of the station's clock."""
    first = [_first_day(getattr(records, name), hour) for name in ("ready", "handed", "deposited", "collected")]
    ready, handed, deposited, collected = first
    by_carrier = records.carrier * 7
    return Seen(
        hour=hour, carriers=len(records.carriers),
        stored=_spell(whole(records.deposited), 0, deposited, collected, deposited, collected),
        on_the_way=_spell(whole(records.handed), by_carrier, handed, deposited, deposited, collected),
        ready=_spell(whole(records.ready), by_carrier, ready, handed, deposited, collected),
    )  # fmt: skip


def _first_day(times: Floats, hour: float) -> Ints:
    """The first day at whose hour this has happened."""
    return whole(np.ceil(times - hour / 24 - 1e-9))


def _spell(start: Ints, by_carrier: Ints | int, begins: Ints, leaves: Ints, lies: Ints, gone: Ints) -> Spell:
    relative = [days - start for days in (begins, leaves, lies, gone)]
    return Spell(start, by_carrier + weekday(start), *relative)


def learn(seen: Seen, day: int, horizons: int, prior: Shares | None = None) -> Shares:
    """Shares as they were known at the beginning of `day`; shrunk to `prior`, of all stations, where there is one."""
    groups = (7, 7 * seen.carriers, 7 * seen.carriers)
    of_prior = prior.by_state if prior else (None, None, None)
    stored, on_the_way, ready = (
        _shares(spell, count, day, horizons, before)
        for spell, count, before in zip(seen.spells, groups, of_prior, strict=True)
    )
    new, count = _new(seen.ready, day, horizons, prior.new if prior else None)
    return Shares(stored, on_the_way, ready, new, count)


class Everyone:
    """What the parcels of all stations together teach: for each hour and day once, whichever station leans on it."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self._seen: dict[float, Seen] = {}
        self._learnt: dict[tuple[float, int, int], Shares] = {}

    def learnt(self, hour: float, day: int, horizons: int) -> Shares:
        """As it was known at the beginning of `day`."""
        if (found := self._learnt.get((hour, day, horizons))) is None:
            seen = self._seen.get(hour) or self._seen.setdefault(hour, see(self.records, hour))
            found = self._learnt[hour, day, horizons] = learn(seen, day, horizons)
        return found


def _shares(spell: Spell, groups: int, day: int, horizons: int, prior: Floats | None) -> Floats:
    age = day - spell.start
    rows = np.flatnonzero((age > 0) & (age <= WINDOW_DAYS))
    days = np.arange(AGES)
    there, known = np.zeros((2, horizons, groups, AGES))
    for first in range(0, len(rows), AT_ONCE):
        part = rows[first : first + AT_ONCE]
        of_part = age[part, None]
        held = (spell.begins[part, None] <= days) & (days < spell.leaves[part, None])
        member = np.zeros((groups, len(part)))
        member[spell.group[part], np.arange(len(part))] = 0.5 ** (age[part] / HALF_DAYS)
        for h in range(1, horizons + 1):
            seen = held & (days + h < of_part)
            there[h - 1] += member @ (
                seen & (spell.lies[part, None] <= days + h) & (days + h < spell.gone[part, None])
            )
            known[h - 1] += member @ seen
    told = [_shrunk(there[h], known[h], None if prior is None else prior[:, :, h]) for h in range(horizons)]
    return np.stack(told, axis=2)


def _shrunk(there: Floats, known: Floats, prior: Floats | None) -> Floats:
    """Shares by group and age: shrunk to those of all weekdays, and these to those of all ages."""
    if prior is None:
        of_week = there.reshape(-1, 7, AGES).sum(1), known.reshape(-1, 7, AGES).sum(1)
        overall = (there.sum() + 0.2) / (known.sum() + 1)
        prior = np.repeat((of_week[0] + 3 * overall) / (of_week[1] + 3), 7, axis=0)
    return (there + SHRINK * prior) / (known + SHRINK)


def _new(spell: Spell, day: int, horizons: int, prior: Floats | None) -> tuple[Floats, int]:
    age = day - spell.first
    rows = np.flatnonzero((age >= horizons) & (age <= WINDOW_DAYS))
    days = np.arange(horizons)
    lies, gone = ((each - spell.begins)[rows, None] for each in (spell.lies, spell.gone))
    there = (lies <= days) & (days < gone)
    weight = 0.5 ** (age[rows] / HALF_DAYS)
    member = np.zeros((7, len(rows)))
    member[weekday(spell.first[rows]), np.arange(len(rows))] = weight
    total = member.sum(1, keepdims=True)
    if prior is None:
        prior = np.tile((weight @ there + 0.2) / (weight.sum() + 1), (7, 1))
    return (member @ there + SHRINK * prior) / (total + SHRINK), len(rows)


class Parts(msgspec.Struct):
    """Expected parcels by where they are now, [h - 1, part of PARTS], and the variance of their sum."""

    expected: Floats
    variance: Floats

    @property
    def total(self) -> Floats:
        total: Floats = self.expected.sum(1)
        return total


def expect(seen: Seen, shares: Shares, day: int, arrivals: Floats) -> Parts:
    """The load at the hour of the days after `day`. `arrivals[q - 1]`: parcels that become ready on day + q."""
    horizons = shares.new.shape[1]
    expected, variance = np.zeros((horizons, len(PARTS))), np.zeros(horizons)
    for part, (spell, table) in enumerate(zip(seen.spells, shares.by_state, strict=True)):
        since = day - spell.start
        here = (spell.begins <= since) & (since < spell.leaves) & (since >= 0)
        chances = table[spell.group[here], np.minimum(since[here], AGES - 1 - horizons)]
        expected[:, part] = chances.sum(0)
        variance += (chances * (1 - chances)).sum(0)
    for h in range(1, horizons + 1):
        after = np.arange(1, h + 1)
        expected[h - 1, 3] = arrivals[:h] @ shares.new[weekday(day + after), h - after]
    return Parts(expected, variance + expected[:, 3])


def arrivals_ahead(ready: Ints, day: int, horizons: int, closed: frozenset[int], since: int) -> Floats:
    """Parcels that become ready on the days after `day`: `ready` are counts by day, of days from `since` on.

    A mean of the same weekday, holidays left out, the younger counting more; on a holiday that of Sundays.
    """
    return np.array([_usual(ready, day, day + q, closed, since) for q in range(1, horizons + 1)])


def _usual(ready: Ints, day: int, target: int, closed: frozenset[int], since: int) -> float:
    like = target - (target + 4) % 7 if target in closed else target  # the Sunday before
    back = np.arange(like - 7 * ((like - day + 6) // 7 if like > day else 0), max(since - 1, day - WINDOW_DAYS), -7)
    back = np.array([each for each in back if each not in closed], np.int64)
    if not len(back):
        return float(ready[max(0, day - 27 - since) : day + 1 - since].mean()) if len(ready) and day >= since else 0.0
    weight = 0.5 ** ((day - back) / HALF_ARRIVALS_DAYS)
    return float(weight @ ready[back - since] / weight.sum())

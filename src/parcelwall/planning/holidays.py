"""Public holidays on which couriers do not come, by country: fixed days, days counted from Easter, and in Finland
weekdays on or after a day.

Laws read on 2026-11-26, as far as FIXED and AFTER_EASTER go; WEEKDAY_FROM and SINCE are from general knowledge and held
against no law yet. Of federal countries only what holds in all of them. A country that is not here has none: the
forecast then learns Sundays only, and the plan says so.
"""

from collections.abc import Iterable
from datetime import date, timedelta

# (month, day); days after Easter Sunday; (month, day, weekday): the first such weekday from then on, 0 is Monday
FIXED: dict[str, tuple[tuple[int, int], ...]] = {
    "FR": ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25)),
    "FI": ((1, 1), (1, 6), (5, 1), (12, 6), (12, 24), (12, 25), (12, 26)),
    "DE": ((1, 1), (5, 1), (10, 3), (12, 25), (12, 26)),
    "PL": ((1, 1), (1, 6), (5, 1), (5, 3), (8, 15), (11, 1), (11, 11), (12, 25), (12, 26)),
    "EE": ((1, 1), (2, 24), (5, 1), (6, 23), (6, 24), (8, 20), (12, 24), (12, 25), (12, 26)),
    "PT": ((1, 1), (4, 25), (5, 1), (6, 10), (8, 15), (10, 5), (11, 1), (12, 1), (12, 8), (12, 25)),
    "BR": ((1, 1), (4, 21), (5, 1), (9, 7), (10, 12), (11, 2), (11, 15), (12, 25)),
}
AFTER_EASTER: dict[str, tuple[int, ...]] = {
    "FR": (1, 39, 50), "FI": (-2, 1, 39), "DE": (-2, 1, 39, 50), "PL": (1, 60), "EE": (-2,), "PT": (-2, 60),
    "BR": (-2,),
}  # fmt: skip
WEEKDAY_FROM: dict[str, tuple[tuple[int, int, int], ...]] = {"FI": ((6, 19, 4), (6, 20, 5), (10, 31, 5))}
SINCE: dict[str, tuple[tuple[int, int, int], ...]] = {"PL": ((2025, 12, 24),), "BR": ((2024, 11, 20),)}  # every year
# By the first part of an IANA zone's city, for stations that say no country.
OF_ZONE = {
    "Europe/Paris": "FR", "Europe/Helsinki": "FI", "Europe/Berlin": "DE", "Europe/Warsaw": "PL",
    "Europe/Tallinn": "EE", "Europe/Lisbon": "PT", "America/Sao_Paulo": "BR",
    "Atlantic/Madeira": "PT", "Atlantic/Azores": "PT", "Europe/Mariehamn": "FI", "Europe/Busingen": "DE",
}  # fmt: skip


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (anonymous, Nature 1876; Meeus, Astronomical Algorithms)."""
    century, rest = divmod(year, 100)
    epact = (19 * (year % 19) + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    shift = (32 + 2 * (century % 4) + 2 * (rest // 4) - epact - rest % 4) % 7
    late = (year % 19 + 11 * epact + 22 * shift) // 451
    month, day = divmod(epact + shift - 7 * late + 114, 31)
    return date(year, month, day + 1)


def holidays(country: str, years: Iterable[int]) -> frozenset[date]:
    """The holidays of a country in these years; none for a country that is not known here."""
    found: set[date] = set()
    for year in years:
        found.update(date(year, month, day) for month, day in FIXED.get(country, ()))
        found.update(easter(year) + timedelta(days=after) for after in AFTER_EASTER.get(country, ()))
        found.update(date(year, month, day) for first, month, day in SINCE.get(country, ()) if year >= first)
        found.update(_on_or_after(date(year, month, day), of_week)
                     for month, day, of_week in WEEKDAY_FROM.get(country, ()))  # fmt: skip
    return frozenset(found)


def _on_or_after(day: date, of_week: int) -> date:
    return day + timedelta(days=(of_week - day.weekday()) % 7)

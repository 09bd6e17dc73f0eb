"""Times, durations and distances as people read them: in the reader's language and the station's zone."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_datetime, format_time, format_timedelta, get_timezone_gmt
from babel.units import format_unit

from parcelwall.notices.language import Words


def moment(when: datetime, zone: str, words: Words) -> str:
    """`Tue 24 Nov, 10:30`. `when` is aware; in the hour that autumn repeats, the offset is added: `GMT+02:00`."""
    return _joined(_day(when, zone, words, "EEE"), hour(when, zone, words), words)


def long_moment(when: datetime, zone: str, words: Words) -> str:
    """`Tuesday 24 November, 10:30`, otherwise as `moment`."""
    return _joined(_day(when, zone, words, "EEEE"), hour(when, zone, words), words)


def day(when: datetime, zone: str, words: Words) -> str:
    """`Tue 24 Nov`"""
    return _day(when, zone, words, "EEE")


def hour(when: datetime, zone: str, words: Words) -> str:
    """`10:30`, or `10:30 AM` where the region says so."""
    local = when.astimezone(ZoneInfo(zone))
    shown = format_time(local, "short", tzinfo=ZoneInfo(zone), locale=words.locale)
    shown = words.upright(shown.replace("\u202f", " "))  # a space that our fonts and text messages do not have
    return f"{shown} {words.upright(get_timezone_gmt(local, locale=words.locale))}" if is_repeated(local) else shown


def duration(seconds: float, words: Words) -> str:
    """`41 hours`: the largest unit of which there are two or more, rounded."""
    return format_timedelta(timedelta(seconds=max(1, round(seconds))), threshold=2, locale=words.locale)


def distance(metres: float, words: Words) -> str:
    """`350 m` to the next 50 m, from 1 km on `1.2 km`."""
    if metres < 975:
        return format_unit(max(50, 50 * round(metres / 50)), "length-meter", "short", locale=words.locale)
    return format_unit(round(metres / 1000, 1), "length-kilometer", "short", locale=words.locale)


def _day(when: datetime, zone: str, words: Words, weekday: str) -> str:
    """CLDR has few forms without a year. The best there is, its weekday then written as long as wanted."""
    names = ("MMMMEEEEd", "MMMMEd", "MMMEd") if weekday == "EEEE" else ("MMMEd",)
    forms = words.locale.datetime_skeletons
    pattern = next(str(forms[name].pattern) for name in names if name in forms)
    pattern = re.sub(r"E+|c{3,}", weekday, pattern)
    if weekday == "EEEE":
        pattern = re.sub(r"(?<!M)MMM(?!M)", "MMMM", pattern)
    return format_datetime(when, pattern, tzinfo=ZoneInfo(zone), locale=words.locale)


def _joined(day: str, hour: str, words: Words) -> str:
    return str(words.locale.datetime_formats["short"]).format(hour, day)


def is_repeated(local: datetime) -> bool:
    """Whether the clocks go back over this wall time, so that it comes twice in one night."""
    twin = local.replace(fold=1 - local.fold)
    earlier, later = sorted((local.utcoffset() or timedelta(), twin.utcoffset() or timedelta()))
    return earlier != later and local.replace(fold=0).utcoffset() == later

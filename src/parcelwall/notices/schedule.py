"""When a notice goes out, and when it is tried again. Pure: times and chance come in."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

FIRST_S, LONGEST_S = 30, 3600
SELDOM_S = 12 * 3600  # the longest wait where each try may be a message more
GIVE_UP = timedelta(hours=72)
PATIENT = frozenset({"reminder", "overdue", "diverted", "gone_back", "lost"})  # these wait for the morning
PATIENT_UNASKED = frozenset({"kept_longer"})  # these, too, unless the recipient has just asked for it
AT_ANY_HOUR = frozenset({"opened_by_us", "code_drawn"})  # somebody was at the parcel
LAST_CALL = timedelta(hours=1)  # a reminder later than this before the deadline would help nobody


def next_try(tries: int, random01: float, seldom: bool = False) -> float:
    """Seconds to wait after `tries` failed tries (from 1): 30 s doubling to 1 h, spread over its upper half; `seldom`:
    four times as long each time, to 12 h.

    `random01` in [0, 1) spreads the tries of many notices that failed in the same moment.
    """
    assert tries >= 1, "before the first try nothing is waited for"
    steps = min(tries - 1, 16)
    longest = min(SELDOM_S, FIRST_S * 4**steps) if seldom else min(LONGEST_S, FIRST_S * 2**steps)
    return longest * (0.5 + random01 / 2)


def gave_up(first_tried: datetime, now: datetime) -> bool:
    """Whether it has been tried for 72 hours: then it becomes a case instead of a next try."""
    return now - first_tried >= GIVE_UP


def send_at(
    purpose: str, due: datetime, zone: str, quiet_from: int = 21, quiet_until: int = 8, asked: bool = True,
    own_quiet: tuple[int, int] | None = None,
) -> datetime:  # fmt: skip
    """When a notice that is due goes out: at once, or a patient one at the end of the quiet hours it falls into. In
    the recipient's own (`own_quiet`, instead of the policy's) all wait but what was just asked for or is an alarm.

    Quiet hours are whole hours in the station's `zone`; equal ones mean none. `asked`: the recipient has just asked for
    what is told, and is awake. Returns an aware time in UTC.
    """
    is_asked_for = asked and purpose in PATIENT_UNASKED
    waits = purpose in PATIENT or (purpose in PATIENT_UNASKED and not asked)
    if own_quiet is not None:
        quiet_from, quiet_until = own_quiet
        waits = purpose not in AT_ANY_HOUR and not is_asked_for
    quiet = _quiet(due, zone, quiet_from, quiet_until) if waits else None
    return quiet[1] if quiet else due.astimezone(UTC)


def remind_at(
    collect_by: datetime, hours_before: int, zone: str, quiet_from: int = 21, quiet_until: int = 8
) -> datetime:
    """When to remind: `hours_before` the deadline, after the quiet hours; before them, if after would be too late."""
    due = collect_by - timedelta(hours=hours_before)
    quiet = _quiet(due, zone, quiet_from, quiet_until)
    if quiet is None:
        return due.astimezone(UTC)
    begins, ends = quiet
    return ends if ends <= collect_by - LAST_CALL else begins


def _quiet(when: datetime, zone: str, begins: int, ends: int) -> tuple[datetime, datetime] | None:
    """The quiet hours around `when`, None if it is not in any."""
    if begins == ends:
        return None
    today = when.astimezone(ZoneInfo(zone)).date()
    for first in (today - timedelta(days=1), today):
        last = first + timedelta(days=1) if ends < begins else first
        span = _at(first, begins, zone), _at(last, ends, zone)
        if span[0] <= when < span[1]:
            return span
    return None


def _at(day: date, hour: int, zone: str) -> datetime:
    return datetime.combine(day, time(hour), tzinfo=ZoneInfo(zone)).astimezone(UTC)

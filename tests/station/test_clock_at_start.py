"""A computer that starts without a line: a small jump is believed, a clock that is years ahead is not, nor one that is
behind what is known."""

from datetime import UTC, datetime, timedelta

import pytest

from parcelwall import clock
from parcelwall.clock import VirtualClock
from parcelwall.station.timekeeper import STRANGE, TOLD_FOR, Timekeeper
from station.rig import Rig
from station.towns import NOW

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
YEARS = 10 * 365 * 24 * 3600.0


def started(after: timedelta) -> tuple[Timekeeper, VirtualClock]:
    """A computer that comes up so long after its newest entry, by its own clock."""
    now = VirtualClock(NOW + after)
    return Timekeeper(now, clock.text(NOW)), now


def at(keeper: Timekeeper) -> timedelta:
    return clock.parse(keeper.text()) - NOW


@pytest.mark.parametrize("days", [0, 1, 30, 399])
def test_it_was_switched_off_for_so_long(days: int) -> None:
    keeper, now = started(timedelta(days=days))
    now.advance(3600)
    assert at(keeper) == timedelta(days=days, hours=1)


def test_a_clock_that_is_years_ahead_is_not_believed_and_time_goes_on() -> None:
    keeper, now = started(STRANGE + timedelta(days=1))
    assert at(keeper) == timedelta(0)
    now.advance(3600)
    assert at(keeper) == timedelta(hours=1)
    keeper.told(NOW + timedelta(days=2))
    assert at(keeper) == timedelta(days=2)


def test_nor_is_it_believed_once_the_hub_was_long_not_heard() -> None:
    keeper, now = started(timedelta(0))
    keeper.told(NOW)
    now.advance(TOLD_FOR.total_seconds() + 60)
    assert at(keeper) == TOLD_FOR + timedelta(minutes=1)
    now._now += timedelta(seconds=YEARS)  # its battery fails
    now.advance(60)
    assert at(keeper) == TOLD_FOR + timedelta(minutes=2)


@pytest.mark.parametrize("behind", [timedelta(seconds=1), timedelta(hours=1), timedelta(days=1), NOW - EPOCH])
def test_a_clock_that_is_behind_what_is_known_does_not_stop_time(behind: timedelta) -> None:
    keeper, now = started(-behind)
    assert at(keeper) == timedelta(0)
    for hours in range(1, 40):
        now.advance(3600)
        assert at(keeper) == timedelta(hours=hours)
    now._now = NOW + timedelta(days=2)  # it finds the right time
    assert at(keeper) == timedelta(days=2)


def test_nor_does_one_that_is_put_right_after_it_was_ahead() -> None:
    keeper, now = started(timedelta(hours=3))
    assert at(keeper) == timedelta(hours=3)
    now._now -= timedelta(hours=3)
    now.advance(60)
    assert at(keeper) == timedelta(hours=3, minutes=1)
    keeper.mark = "" if keeper.told(NOW + timedelta(minutes=1)) else keeper.mark  # as `Memory.told_time` does
    assert at(keeper) == timedelta(minutes=1)


def test_nor_does_one_whose_battery_fails_once_the_hub_was_long_not_heard() -> None:
    keeper, now = started(timedelta(0))
    keeper.told(NOW)
    now.advance(TOLD_FOR.total_seconds() + 60)
    assert at(keeper) == TOLD_FOR + timedelta(minutes=1)
    now._now = EPOCH
    for minutes in range(2, 100):
        now.advance(60)
        assert at(keeper) == TOLD_FOR + timedelta(minutes=minutes)


async def test_pauses_screens_and_sign_ins_end_while_the_clock_is_behind(rig: Rig) -> None:
    parcel = await rig.inside("PW-1")
    await rig.stop()
    rig.now._now -= timedelta(hours=20)
    await rig.resume()
    kiosk = rig.station.kiosk
    assert (await kiosk.sign_in(rig.courier_code())).screen == "courier-scan"
    for _ in range(8):
        rig.now.advance(60)
        kiosk.tick()
    assert (kiosk.showing.screen, kiosk.showing.courier) in (("home", None), ("asleep", None))
    kiosk.home()
    for wrong in range(5):
        await kiosk.type_code(f"{wrong:08d}")
    assert (await kiosk.type_code(rig.code(parcel))).screen == "paused"
    rig.now.advance(3600)
    assert (await kiosk.type_code(rig.code(parcel))).screen == "open"
    await rig.shut(kiosk.showing.door or 0)


async def test_a_screen_that_comes_after_the_clock_was_put_right_ends_by_its_own_seconds(rig: Rig) -> None:
    """And not an hour later, though nobody has looked since the clock was put on by one."""
    kiosk = rig.station.kiosk
    kiosk.tick()
    rig.now._now += timedelta(hours=1)
    kiosk.show("thanks", 10)
    rig.now.advance(15)
    kiosk.tick()
    assert kiosk.showing.screen == "home"


def test_a_new_computer_has_nothing_else_to_believe() -> None:
    now = VirtualClock(NOW + timedelta(seconds=YEARS))
    assert Timekeeper(now, "").text() == clock.text(now.now())


async def test_what_is_put_in_then_is_held_for_two_days_and_not_for_years(rig: Rig) -> None:
    rig.promise("PW-1")
    await rig.stop()
    rig.now.advance(YEARS)
    await rig.resume()
    parcel = next(iter(rig.memory.parcels())).id
    await rig.deposit("PW-1")
    collect_by = rig.parcel(parcel).collect_by
    assert collect_by is not None
    assert timedelta(hours=48) <= collect_by - NOW < timedelta(hours=49)
    rig.memory.told_time(NOW + timedelta(hours=3), "b2")
    assert abs(rig.desk.now() - NOW - timedelta(hours=3)) < timedelta(minutes=1)
    assert rig.told().count("ClockSet") == 0, "nothing was written with a time that lay ahead"
    await rig.collect(rig.code(parcel))


async def test_after_a_quiet_night_it_counts_on_from_when_it_worked_last(rig: Rig) -> None:
    """A computer without a battery for its clock, without a line: nothing was written since the evening, and the code
    of the day is the morning's."""
    rig.now.advance(12 * 3600)
    rig.station.outage.look()
    await rig.stop()
    rig.now._now = EPOCH
    await rig.resume()
    assert rig.desk.now() - NOW >= timedelta(hours=12)


async def test_a_note_of_a_time_that_lay_ahead_goes_back_with_the_clock(rig: Rig) -> None:
    rig.now._now += timedelta(days=300)
    rig.station.outage.look()
    assert (rig.memory.identity("alive") or "") > clock.text(NOW + timedelta(days=299))
    rig.memory.told_time(NOW + timedelta(hours=1), "b2")
    assert rig.told().count("ClockSet") == 1
    await rig.stop()
    rig.now._now = NOW + timedelta(hours=2)
    await rig.resume()
    assert abs(rig.desk.now() - NOW - timedelta(hours=2)) < timedelta(minutes=1)

"""What `plan room` learns of a station's past: told only where it told better, kept for a week."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import msgspec
import numpy as np
import pytest

from parcelwall.errors import Trouble
from parcelwall.planning import offers, room_mending, room_past, room_report
from parcelwall.planning.dice import dice
from parcelwall.planning.history import History, note
from parcelwall.planning.learnt_room import COLUMNS
from parcelwall.planning.looking import NEVER_H
from parcelwall.planning.room import brier
from parcelwall.planning.room_past import Pasts
from parcelwall.rules import facts
from parcelwall.rules.layout import plain_layout
from planning.test_offers import ABOUT, NOW, collected, deposited, entry, reserved

FIRST = NOW - timedelta(days=30)


def a_history(days: int = 30, changed: bool = False) -> History:
    """Four parcels a day at eleven, promised the day before, for a station of four; each stays a day or two."""
    history, rng, taken = History({}, {}), dice(5), dict[int, datetime]()
    note(history, *entry(ABOUT, FIRST - timedelta(days=90)))
    for number in range(4 * days):
        came = FIRST.replace(hour=11) + timedelta(days=number // 4, minutes=number % 4)
        door = next((door for door in (1, 2, 3, 4) if taken.get(door, FIRST) <= came), 0)
        note(history, *reserved(number + 1, came - timedelta(hours=20)))
        if door and came < NOW:
            taken[door] = came + timedelta(hours=float(rng.uniform(12, 40)))
            note(history, *deposited(number + 1, came, door))
            if taken[door] < NOW:
                note(history, *collected(number + 1, taken[door], door))
    if changed:
        note(history, *entry(msgspec.structs.replace(ABOUT, layout=plain_layout("SSMLL")), NOW - timedelta(days=2)))
    return history


def pasts(n: int, seed: int, wrong: float) -> Pasts:
    """A look every four hours in which the formula says `free` out of ten, and that is true to the power `wrong`."""
    rng = dice(seed)
    free = rng.uniform(0, 1, n)
    rows = np.zeros((n, len(COLUMNS)))
    rows[:, list(COLUMNS).index("usual")] = free * 10
    at = np.arange(n) * 4.0
    return Pasts(at, at + 1, free, rows, (rng.random(n) < free**wrong).astype(float), np.ones(n))


def mended(past: Pasts) -> room_mending.Mend:
    return room_mending.learnt("S-0001", NOW, (2, 1, 1), past, float(past.known_h[-1]) + 1)


def test_a_chance_that_is_told_too_high_is_mended_and_one_without_meaning_is_not_told() -> None:
    past, new = pasts(1_500, 1, wrong=3.0), pasts(1_500, 2, wrong=3.0)
    mend = mended(past)
    assert mend.way in ("trees", "moved") and mend.scores["formula"] > mend.scores[mend.way]
    told = room_mending.tell(mend, new.raw, new.rows)
    assert brier(told, new.fitted) < brier(new.raw, new.fitted) - 0.05
    again = msgspec.json.decode(msgspec.json.encode(mend), type=room_mending.Mend)
    assert np.allclose(room_mending.tell(again, new.raw, new.rows), told)
    noise = msgspec.structs.replace(past, raw=dice(3).random(1_500), rows=np.zeros_like(past.rows))
    assert mended(noise).scores["formula"] > mended(noise).scores["share"]
    assert np.ptp(room_mending.tell(mended(noise), noise.raw, noise.rows)) < 0.1, "it tells nearly the share then"


def test_a_carrier_for_whom_the_formula_is_wrong_is_told_otherwise_than_the_others() -> None:
    """Whose parcels come early in the visit finds more room than whose come last: the formula knows no such thing."""
    past, whose = pasts(470, 1, wrong=1.0), np.arange(470) % 2
    past.raw[:], past.rows[:, room_mending.CARRIER] = 0.7, whose
    past.fitted[:] = dice(4).random(470) < np.where(whose, 0.9, 0.5)
    mend = mended(past)
    assert mend.way == "moved"
    rows = np.zeros((3, len(COLUMNS)))
    rows[:, room_mending.CARRIER] = 0, 1, room_past.NOBODY
    first, last, nobody = room_mending.tell(mend, np.full(3, 0.7), rows)
    assert 0.5 < first < 0.69 and 0.72 < last < 0.9 and first < nobody < last
    again = msgspec.json.decode(msgspec.json.encode(mend), type=room_mending.Mend)
    assert np.allclose(room_mending.tell(again, np.full(3, 0.7), rows), (first, last, nobody))


def test_with_a_short_past_the_formula_is_moved_as_far_as_it_carries() -> None:
    few = pasts(40, 1, wrong=3.0)
    mend = mended(few)
    assert mend.way == "moved" and not mend.scores and abs(mend.shift) < 0.5
    nothing = room_mending.learnt("S-0001", NOW, (2, 1, 1), few, 0.0)
    assert (nothing.shift, nothing.stretch) == (0.0, 0.0)
    assert room_mending.tell(nothing, np.array([0.3]), few.rows[:1]) == pytest.approx([0.3])


def test_a_look_at_the_past_sees_nothing_that_came_later() -> None:
    whole = offers.places(a_history())["S-0001"]
    p, put = whole.point, whole.put
    until = offers._hours(NOW - timedelta(days=10), whole.zone)
    early = room_past.pasts(p, put, whole.compartments, until - 240, until)
    came_by = p.came_h < until
    came_h, left_h = np.where(came_by, p.came_h, NEVER_H), np.where(p.left_h < until, p.left_h, NEVER_H)
    blind = msgspec.structs.replace(p, came_h=came_h, left_h=left_h)
    same = room_past.pasts(blind, np.where(came_by, put, -1), whole.compartments, until - 240, until)
    assert len(early.raw) > 50 and 0 < early.fitted.mean() < 1
    for name in Pasts.__struct_fields__:
        assert np.array_equal(getattr(early, name), getattr(same, name)), name


def test_what_was_learnt_is_kept_for_a_week_and_for_the_station_as_it_is_built(tmp_path: Path) -> None:
    kept, told = tmp_path / "learnt.gz", list[str]()
    made, ways = room_report.make(a_history(), NOW, kept, False, told.append)
    assert len(made) == 1 and made[0].model == "room-3/moved" and "1 by the formula moved" in ways
    first = room_report.read(kept)["S-0001"]
    assert first.shift != 0.0
    room_report.make(a_history(), NOW + timedelta(days=6), kept, False, told.append)
    assert room_report.read(kept)["S-0001"] == first
    room_report.make(a_history(), NOW + timedelta(days=8), kept, False, told.append)
    assert room_report.read(kept)["S-0001"].learnt_at == NOW + timedelta(days=8)
    room_report.make(a_history(changed=True), NOW + timedelta(days=8), kept, False, told.append)
    rebuilt = room_report.read(kept)["S-0001"]
    assert rebuilt.compartments == (2, 1, 2)
    again = offers.places(a_history(changed=True))["S-0001"]
    assert again.since_h == offers._hours(NOW - timedelta(days=2), again.zone), "what was before teaches nothing"
    whole = kept.read_bytes()
    for spoilt in (b"a picture", whole[:20] + bytes(20) + whole[40:]):
        kept.write_bytes(spoilt)
        with pytest.raises(Trouble, match="remove it"):
            room_report.make(a_history(), NOW, kept, False, told.append)


def test_a_promise_that_lapsed_is_on_its_way_until_then_and_a_clock_change_moves_no_hour() -> None:
    lapsed = entry(facts.Lapsed(parcel=UUID(int=1), reservation=UUID(int=1)), NOW)
    history = History({}, {})
    for each in (entry(ABOUT, FIRST), reserved(1, FIRST), lapsed):
        note(history, *each)
    place = offers.places(history)["S-0001"]
    assert place.point.gone_h[0] == offers._hours(NOW, place.zone) and place.point.came_h[0] == NEVER_H
    note(history, *reserved(1, NOW))
    assert offers.places(history)["S-0001"].point.gone_h[0] == NEVER_H
    berlin = offers.zone_of("S-1", {"S-1": "Europe/Berlin"})
    before, after = (datetime(2026, 10, day, 9, tzinfo=berlin).astimezone(UTC) for day in (24, 26))
    assert offers._hours(after, berlin) - offers._hours(before, berlin) == 48

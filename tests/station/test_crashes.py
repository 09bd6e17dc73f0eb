"""The process dies at every single write, and the boards live on: no second pulse, nothing lost, nothing invented."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from parcelwall import clock
from parcelwall.drivers.seen import DoorState
from parcelwall.errors import Refusal
from parcelwall.journal import chain
from parcelwall.journal.chain import Broken, Draft
from parcelwall.rules import facts
from parcelwall.rules.life import Stage
from station.rig import NAME, WRITER, Crash, Rig, fail_at, never_fail

DONE = {"deposit": Stage.READY, "collect": Stage.COLLECTED, "take_back": Stage.TAKEN_BACK}
MOST_WRITES = 60


async def act(rig: Rig, purpose: str, parcel: UUID) -> None:
    if purpose == "deposit":
        await rig.deposit(f"PW-{parcel}")
    elif purpose == "collect":
        await rig.collect(rig.code(parcel))
    else:
        await rig.take_back(parcel)


async def made_ready(rig: Rig, purpose: str) -> UUID:
    """A parcel about to be deposited, collected or taken back."""
    fact = rig.a_promise("PW")
    parcel = fact.parcel
    again = rig.a_promise(f"PW-{parcel}", parcel=parcel)
    rig.hear(again)
    if purpose != "deposit":
        await rig.deposit(f"PW-{parcel}")
    if purpose == "take_back":
        rig.now.advance(48 * 3600.0)
        rig.hear(facts.Expired(parcel=parcel))
    return parcel


@pytest.mark.parametrize("purpose", DONE)
async def test_a_crash_at_every_write(tmp_path: Path, purpose: str) -> None:
    """Dies at the n-th write, for every n until all goes through; after each, everything is put right and compared
    with what the door really did."""
    rig = await Rig(tmp_path, "SSSSSSSS").start()
    crashes = 0
    for write in range(1, MOST_WRITES):
        parcel = await made_ready(rig, purpose)
        door = rig.parcel(parcel).compartment
        rig.crash_at(write)
        try:
            await act(rig, purpose, parcel)
        except Crash:
            crashes += 1
        else:
            break
        await recover_and_judge(rig, purpose, parcel, door)
        rig.clean()
        await tidy_up(rig, parcel)
    assert crashes > 8, "the crashes were real"
    assert crashes < MOST_WRITES - 2, "and at last it went through"
    assert rig.parcel(parcel).stage == DONE[purpose]
    await rig.stop()


async def recover_and_judge(rig: Rig, purpose: str, parcel: UUID, door: int | None) -> None:
    pulses, wrote = rig.pulses(), rig.wrote()
    opened = [each for each, state in rig.boards.states().items() if state == DoorState.OPEN]
    await rig.restart()
    for each in opened:
        await rig.shut(each)
    await rig.look(3)
    assert rig.pulses() == pulses, "after a crash no door is pulsed again by itself"
    assert rig.desk.unfinished() == []
    stage, told = rig.parcel(parcel).stage, rig.told(wrote)
    moved = bool(opened) or "DoorOpened" in rig.told()[-6:]
    if stage == DONE[purpose]:
        assert moved, "nothing is said to be in or out whose door never opened"
    else:
        assert not opened or "CaseOpened" in told, "an opening that was seen is told of"
    if purpose == "deposit" and stage == Stage.RESERVED:
        assert not opened, "the parcel lies behind that door, and the book would not know it"
    assert door is None or rig.parcel(parcel).compartment in (door, None)


async def tidy_up(rig: Rig, parcel: UUID) -> None:
    """Somebody looks at the cases, and the parcel goes out, so that the station is empty for the next crash."""
    for case in [each.id for each in rig.memory.book.cases.values() if each.closed_at is None]:
        rig.hear(facts.CaseClosed(case=case, station=NAME, outcome="looked"))
    if rig.parcel(parcel).stage in (Stage.READY, Stage.OVERDUE):
        await rig.collect(rig.code(parcel))
    elif rig.parcel(parcel).stage == Stage.RESERVED:
        rig.hear(facts.Cancelled(parcel=parcel))
    assert rig.memory.room().taken == 0


async def test_a_crash_while_the_hubs_news_come_in(rig: Rig) -> None:
    """All of a frame or nothing of it; what was not acknowledged comes again."""
    for write in range(1, 20):
        news = [rig.a_promise(f"PW-{write}-{n}") for n in range(2)]
        before, head = rig.memory.has(), rig._head
        rig.crash_at(write)
        try:
            rig.hear(*news)
        except Crash:
            rig._head = head
            await rig.restart()
            assert rig.memory.has() == before
            assert not [each for each in news if rig.memory.parcel(each.parcel)]
            rig.clean()
        else:
            assert write > 5
            break
    assert len([each for each in news if rig.memory.parcel(each.parcel)]) == 2


class DiskFull(Exception):
    """One write fails and the process lives on."""


async def test_a_write_that_fails_is_not_remembered_either(rig: Rig) -> None:
    """The file refuses once: memory and file go on saying the same, and the next try is whole."""
    parcel = await rig.inside("PW-1")
    promise = rig.a_promise("PW-2")
    head = rig._head
    for write in range(1, 8):
        fail_at(rig.memory.connection, write, DiskFull)
        with pytest.raises(DiskFull):
            rig.memory.tell(*[facts.CompartmentHealth(compartment=3, usable=False)] * 3)
        assert rig.memory.room().broken == 0
        rig.clean()
        fail_at(rig.memory.connection, write, DiskFull)
        with pytest.raises(DiskFull):
            rig.hear(promise, facts.Expired(parcel=parcel), facts.Cancelled(parcel=promise.parcel))
        rig._head = head
        assert rig.memory.parcel(promise.parcel) is None
        assert rig.parcel(parcel).stage == Stage.READY
        assert rig.memory.policy.version == 1
        assert len(rig.memory.grants) == 1
    never_fail(rig.memory.connection)
    rig.hear(promise)
    assert rig.desk.by_label("PW-2").id == promise.parcel


# what a start finds


async def test_a_restart_remembers_everything(rig: Rig) -> None:
    inside, promised, gone = await rig.inside("PW-1"), rig.promise("PW-2"), await rig.inside("PW-3")
    await rig.collect(rig.code(gone))
    rig.memory.tell(rig.desk.case("door_failed", None, 7, holds=True))
    room, parcels = rig.memory.room(), dict(rig.memory.book.parcels)
    await rig.restart()
    assert rig.memory.room() == room
    assert rig.memory.book.parcels == parcels
    assert set(parcels) == {inside, promised}, "what is over is not kept in memory"
    assert rig.parcel(gone).stage == Stage.COLLECTED
    assert rig.desk.about is not None
    assert rig.desk.about.name == "Kluuvi"
    await rig.deposit("PW-2")


async def test_the_room_of_a_parcel_that_was_over_and_comes_back(rig: Rig) -> None:
    """A parcel that was collected here is announced anew by its id: recalled from the file, and counted once."""
    parcel = await rig.inside("PW-1")
    await rig.collect(rig.code(parcel))
    withdrawn = rig.promise("PW-2")
    reservation = rig.parcel(withdrawn).reservation
    assert reservation is not None
    rig.hear(facts.Withdrawn(parcel=withdrawn, reservation=reservation, station=NAME))
    assert rig.memory.book.parcels == {}
    await rig.restart()
    assert rig.memory.book.parcels == {}
    rig.hear(rig.a_promise("PW-2", parcel=withdrawn))
    await rig.deposit("PW-2")
    late = facts.Extended(parcel=parcel, collect_by=rig.now.now())
    rig.hear(late)
    assert rig.parcel(parcel).stage == Stage.COLLECTED
    assert rig.memory.room().taken.bit_count() == 1


async def test_time_in_a_journal_never_runs_back(rig: Rig, tmp_path: Path) -> None:
    """The clock was set back over a restart: entries go on from the newest there is."""
    await rig.inside("PW-1")
    newest = rig.memory.journal.since(NAME, 0)[-1].happened_at
    rig.now._now -= rig.now.now() - rig.now.now().replace(hour=1)
    await rig.restart()
    assert rig.desk.now() >= rig.now.now()
    rig.memory.tell(facts.Power(status="mains"))
    assert rig.memory.journal.since(NAME, 0)[-1].happened_at >= newest


YEARS = timedelta(days=3650)


@pytest.mark.parametrize("restarts", [False, True])
async def test_a_clock_that_was_years_ahead_for_a_moment_does_not_stay_so(rig: Rig, restarts: bool) -> None:
    """Wrong codes are typed meanwhile: as soon as the hub has told its time the courier's code of the day fits again,
    and no pause lasts for years."""
    await rig.inside("PW-1")
    right = rig.now.now()
    rig.now._now += YEARS
    for _ in range(5):
        with pytest.raises(Refusal):
            rig.desk.collect_by_code("00000000")
    assert rig.desk.now() > right + timedelta(days=3000), "nobody could know better"
    rig.now._now = right + timedelta(minutes=5)
    if restarts:
        await rig.restart()
    rig.memory.told_time(rig.now.now(), "boot")
    assert rig.told()[-1] == "ClockSet"
    rig.memory.told_time(rig.now.now(), "boot")
    assert rig.told().count("ClockSet") == 1
    if restarts:
        await rig.restart()
    with pytest.raises(Refusal) as paused:
        rig.desk.courier_by_code(rig.courier_code_on(rig.now.now()))
    assert paused.value.reason == "wrong_code" or paused.value.details["wait_s"] < 3600, "as long as it was"
    rig.now.advance(3600)
    rig.promise("PW-2")
    assert rig.desk.courier_by_code(rig.courier_code_on(rig.now.now())) == rig.courier
    await rig.deposit("PW-2")
    rig.clean()


async def test_a_clock_that_jumps_after_the_hub_has_told_the_time_is_not_believed(rig: Rig) -> None:
    """Ahead or back, for days and with the line cut: our own count of seconds goes on from what the hub has said."""
    rig.memory.told_time(rig.now.now(), "boot")
    right = rig.now.now()
    for wrong in (YEARS, -YEARS, timedelta(hours=1)):
        rig.now._now = right + wrong
        assert abs(rig.desk.now() - right) < timedelta(minutes=1)
    rig.now.advance(3 * 86_400)
    assert abs(rig.desk.now() - (right + timedelta(days=3))) < timedelta(minutes=1)
    rig.now._now = right + timedelta(days=3)
    rig.now.advance(5 * 86_400)
    rig.now._now += timedelta(minutes=30)
    assert rig.desk.now() == rig.now.now(), "after a week without the hub its own clock is as good"
    rig.clean()


async def test_a_clock_that_goes_back_over_midnight_allows_no_more_guesses(rig: Rig) -> None:
    right = rig.now.now()
    rig.now._now = right + timedelta(days=1)
    for _ in range(5):
        with pytest.raises(Refusal):
            rig.desk.collect_by_code("00000000")
    before = rig.memory.brake("bare")
    rig.now._now = right
    rig.memory.told_time(right, "boot")
    after = rig.memory.brake("bare")
    assert (after.day, after.today) == (rig.desk.today, before.today)
    assert after.paused_until is not None
    assert before.paused_until is not None
    assert timedelta(0) < after.paused_until - right <= timedelta(minutes=1)


async def test_a_small_difference_to_the_hub_changes_nothing(rig: Rig) -> None:
    rig.memory.tell(facts.Power(status="mains"))
    rig.memory.told_time(rig.now.now() - timedelta(minutes=4), "boot")
    assert "ClockSet" not in rig.told()
    assert rig.desk.now() == rig.now.now()


async def test_a_screen_and_an_open_door_outlive_a_clock_that_goes_back(rig: Rig) -> None:
    parcel = await rig.inside("PW-1")
    right = rig.now.now()
    rig.now._now += YEARS
    visit = await rig.keeper.serve(rig.desk.collect_by_code(rig.code(parcel)))
    rig.station.kiosk.show("wrong", 30)
    rig.memory.told_time(right, "boot")
    rig.now._now = right
    await rig.look()
    assert [each.screen for each in rig.desk.unfinished()] == ["kiosk"], "its door is before somebody, and stays so"
    rig.now.advance(121)
    await rig.look()
    assert [each.screen for each in rig.desk.unfinished()] == [f"aside/{visit.compartment}"]
    rig.station.kiosk.tick()
    assert rig.station.kiosk.showing.screen == "more-time"
    rig.now.advance(21)
    rig.station.kiosk.tick()
    assert rig.station.kiosk.showing.screen == "home"
    await rig.shut(visit.compartment)
    assert rig.parcel(parcel).stage == Stage.COLLECTED
    rig.clean()


async def test_news_of_the_hub_that_cannot_be_read_do_not_block_the_rest(tmp_path: Path) -> None:
    rig = await Rig(tmp_path).start()
    at = clock.text(rig.now.now())
    promise = rig.a_promise("PW-1")
    drafts = [Draft("Reserved", at, "{}"), Draft("Reserved", at, "not json"), Draft("Foretold", at, "{}"),
              Draft("Reserved", at, facts.body(promise))]  # fmt: skip
    entries = chain.extend(WRITER, rig.memory.has(), drafts)
    assert rig.memory.receive(entries) == 6
    assert rig.memory.receive(entries) == 6
    await rig.restart()
    await rig.deposit("PW-1")
    with pytest.raises(Broken):
        rig.memory.receive(chain.extend(WRITER, chain.start(WRITER), drafts[::-1]))
    await rig.stop()


async def test_a_clock_that_goes_back_while_a_door_stands_open_leaves_no_lie_in_the_book(rig: Rig) -> None:
    """The visit seems to begin after the case that it brought about: entries tell what came first, not times."""
    parcel = rig.promise("PW-1")
    await rig.now.sleep(3 * 3600.0)
    visit = rig.desk.deposit_by_label("PW-1", rig.courier)
    rig.boards.push_open(visit.compartment)
    rig.now._now -= timedelta(hours=3)
    await rig.restart()
    await rig.now.sleep(200.0)
    await rig.look()
    assert rig.cases() == ["door_left_open"]
    await rig.shut(visit.compartment)
    assert rig.parcel(parcel).stage == Stage.READY
    rig.clean()


async def test_a_compartment_stays_held_by_its_other_case_after_a_restart(rig: Rig) -> None:
    first, second = (rig.desk.case("door_failed", None, 7, holds=True) for _ in range(2))
    rig.memory.tell(first, second)
    await rig.restart()
    held = rig.memory.room().held
    rig.hear(facts.CaseClosed(case=first.case, station=NAME))
    assert held and rig.memory.room().held == held
    rig.hear(facts.CaseClosed(case=second.case, station=NAME))
    assert not rig.memory.room().held

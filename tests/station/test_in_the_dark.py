"""The power goes while a door is open, and the boards are up later than the computer: nothing is judged too soon, and
what ended unclear keeps nobody from the parcel."""

from datetime import timedelta
from uuid import UUID

import msgspec

from parcelwall.rules.life import Stage
from parcelwall.station import taking
from parcelwall.station import visit as visits
from station.rig import NAME, Rig


async def sent(rig: Rig, reference: str) -> UUID:
    """A return that somebody has put in."""
    parcel = await rig.inside(reference, direction="return")
    rig.now.advance(60)
    return parcel


def fetched(rig: Rig, parcel: UUID) -> visits.Visit:
    return taking.take_out(rig.desk, parcel, rig.courier)


async def ends_unclear(rig: Rig, parcel: UUID) -> int:
    """A courier opens it, and the power goes with the door open. Nobody ever learns what became of that."""
    opened = await rig.keeper.serve(fetched(rig, parcel))
    await rig.stop()
    rig.boards.push_closed(opened.compartment)
    await rig._open()
    rig.desk.failed(opened, "unclear")
    rig.now.advance(60)
    return opened.compartment


async def test_a_return_whose_first_fetching_ended_unclear_is_fetched_after_all(rig: Rig) -> None:
    parcel = await sent(rig, "PW-1")
    await ends_unclear(rig, parcel)
    assert rig.parcel(parcel).stage == Stage.READY
    assert (await rig.keeper.serve(fetched(rig, parcel))).step == "opened"
    await rig.shut(rig.parcel(parcel).compartment or 0)
    assert rig.parcel(parcel).stage == Stage.COLLECTED
    assert rig.told().count("DoorOpened") == 3


async def test_a_file_of_before_that_holds_its_index_serves_too(rig: Rig) -> None:
    """The index once counted a courier's fetching as the use of a code."""
    parcel = await sent(rig, "PW-1")
    rig.memory.connection.execute(
        "CREATE UNIQUE INDEX one_opening_per_code ON visit (reservation, generation) WHERE opened AND purpose='collect'"
    )
    await ends_unclear(rig, parcel)
    await rig.through(fetched(rig, parcel))
    assert rig.parcel(parcel).stage == Stage.COLLECTED


async def test_a_row_that_the_file_refuses_ends_unclear_and_no_process(rig: Rig) -> None:
    """Whatever made it so: the door was opened and may not be recorded as such. A case, and the next start is well."""
    parcel = await rig.inside("PW-1")
    rig.now.advance(60)
    visit = rig.desk.collect_by_code(rig.code(parcel))
    other = msgspec.structs.replace(visit, id=rig.ids.new(), screen="aside/1", step="ended", opened_at=rig.now.now())
    visits.write(rig.memory.connection, other)
    assert (await rig.keeper.serve(visit)).outcome == "unclear"
    assert rig.cases() == ["door_failed"]
    await rig.look(3)
    await rig.restart()
    assert rig.desk.unfinished() == []
    rig.memory.connection.execute("DELETE FROM visit WHERE id = ?", (str(other.id),))


async def test_a_start_that_meets_such_a_row_goes_on(rig: Rig) -> None:
    parcel = await rig.inside("PW-1")
    rig.now.advance(60)
    visit = rig.desk.collect_by_code(rig.code(parcel))
    other = msgspec.structs.replace(visit, id=rig.ids.new(), screen="aside/1", step="ended", opened_at=rig.now.now())
    visits.write(rig.memory.connection, other)
    rig.boards.push_open(visit.compartment)
    await rig.restart()
    assert (rig.desk.unfinished(), rig.cases()) == ([], ["door_failed"])
    rig.memory.connection.execute("DELETE FROM visit WHERE id = ?", (str(other.id),))


async def test_the_index_of_codes_answers_whether_one_is_spent(rig: Rig) -> None:
    [(*_, how)] = rig.memory.connection.execute("EXPLAIN QUERY PLAN " + visits._SPENT, ("", 0))
    assert "one_opening_per_code_shown" in how


# boards that are up later than the computer


async def cut_with_the_door_open(rig: Rig, off_s: float = 5 * 3600.0) -> tuple[UUID, int]:
    """Somebody collects, and the power goes; at the next start the boards say nothing yet."""
    parcel = await rig.inside("PW-1")
    rig.now.advance(60)
    visit = await rig.keeper.serve(rig.desk.collect_by_code(rig.code(parcel)))
    await rig.stop()
    rig.now.advance(off_s)
    rig.boards.unplug()
    await rig._open()
    await rig.keeper.recover()
    await rig.look()
    return parcel, visit.compartment


async def boards_up(rig: Rig) -> None:
    rig.boards.replug()
    await rig.now.sleep(40.0)
    await rig.look(2)


async def test_a_door_that_says_nothing_at_the_start_is_judged_once_it_speaks(rig: Rig) -> None:
    """Taken out and pushed shut in the dark: that is a collection like any, and nobody has to look."""
    parcel, door = await cut_with_the_door_open(rig)
    rig.boards.push_closed(door)
    assert rig.parcel(parcel).stage == Stage.READY
    await boards_up(rig)
    assert (rig.parcel(parcel).stage, rig.cases(), rig.desk.unfinished()) == (Stage.COLLECTED, [], [])
    assert '"recovered":true' in rig.memory.journal.since(NAME, 0)[-2].body


async def test_a_door_that_stands_open_then_is_watched_until_it_is_shut(rig: Rig) -> None:
    parcel, door = await cut_with_the_door_open(rig)
    await boards_up(rig)
    assert (rig.parcel(parcel).stage, rig.cases()) == (Stage.READY, []), "who stands there has time from now on"
    await rig.shut(door)
    assert (rig.parcel(parcel).stage, rig.cases()) == (Stage.COLLECTED, [])


async def test_a_door_that_goes_on_saying_nothing_is_a_case_and_frees_the_screen(rig: Rig) -> None:
    parcel, door = await cut_with_the_door_open(rig)
    assert rig.cases() == []
    await rig.now.sleep(121.0)
    await rig.look()
    assert rig.cases() == ["door_left_open"]
    assert [each.screen for each in rig.desk.unfinished()] == [f"aside/{door}"]
    await rig.restart()
    assert (rig.cases(), len(rig.desk.unfinished())) == (["door_left_open"], 1), "nothing new at the next start"
    rig.boards.push_closed(door)
    await boards_up(rig)
    assert (rig.parcel(parcel).stage, rig.desk.unfinished()) == (Stage.COLLECTED, [])


async def test_a_clock_that_is_put_right_sends_nobody_away_from_an_open_door(rig: Rig) -> None:
    parcel = await rig.inside("PW-1")
    visit = await rig.keeper.serve(rig.desk.collect_by_code(rig.code(parcel)))
    rig.memory.told_time(rig.now.now() + timedelta(hours=5), "boot")
    await rig.look(3)
    assert (rig.cases(), [each.screen for each in rig.desk.unfinished()]) == ([], ["kiosk"])
    await rig.shut(visit.compartment)


async def pulsed_and_cut(rig: Rig) -> tuple[UUID, int]:
    """The pulse has left, and the power goes before anything was seen; the boards are up later than the computer."""
    parcel = await rig.inside("PW-1")
    rig.now.advance(700)
    visit = rig.desk.collect_by_code(rig.code(parcel))
    await rig.doors.open(visit.compartment, rig.now.mono() + 5)
    await rig.stop()
    rig.boards.unplug()
    await rig._open()
    await rig.keeper.recover()
    return parcel, visit.compartment


async def test_whether_a_pulsed_door_opened_is_seen_once_its_board_speaks(rig: Rig) -> None:
    parcel, door = await pulsed_and_cut(rig)
    await rig.look()
    assert (rig.cases(), rig.told()[-1]) == ([], "Deposited"), "nobody knows yet"
    await boards_up(rig)
    assert (rig.cases(), rig.told()[-1]) == ([], "DoorOpened")
    await rig.now.sleep(100.0)
    await rig.look()
    assert rig.cases() == [], "who stands there has time from when it was seen open"
    await rig.shut(door)
    assert (rig.parcel(parcel).stage, rig.cases(), rig.desk.unfinished()) == (Stage.COLLECTED, [], [])
    rig.clean()


async def test_a_pulsed_door_that_goes_on_saying_nothing_is_a_case(rig: Rig) -> None:
    parcel, _ = await pulsed_and_cut(rig)
    await rig.now.sleep(121.0)
    await rig.look()
    assert (rig.cases(), rig.told()[-2:]) == (["door_failed"], ["DoorFailed", "CaseOpened"])
    assert (rig.parcel(parcel).stage, rig.desk.unfinished()) == (Stage.READY, [])

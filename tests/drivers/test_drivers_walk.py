"""The commissioning walk: wrong wiring is found, a right profile comes out, and what hands must mend is said.

The pretend boards are wired as they truly are; the driver is given what the file says.
"""


import msgspec
import pytest

from drivers.person import Person
from drivers.walking import Stand, other, whats
from drivers.wired import wired_profile
from parcelwall.drivers import DoorState
from parcelwall.drivers.judge import Report
from parcelwall.errors import Trouble

OPEN, CLOSED = DoorState.OPEN, DoorState.CLOSED


async def test_what_is_wired_right_is_left_as_it_is(driver):
    file = wired_profile(driver)
    stand = Stand(file)
    person = Person(stand.boards)
    report = await stand.walk(file, person)
    assert report == Report([], file)
    assert report.whole
    assert [pulse.door for pulse in stand.core.pulses] == [1, 2, 3, 4], "each lock is pulsed once"
    assert not stand.core.overlaps()
    assert person.count("begin") == 1
    assert person.count("moved") == person.count("shut") == 4


async def test_swapped_cables_are_found(driver):
    file = wired_profile(driver)
    one, two, *rest = msgspec.to_builtins(file.doors)
    swapped = wired_profile(driver, doors=[one | {"door": 2}, two | {"door": 1}, *rest])
    stand = Stand(swapped)
    report = await stand.walk(file)
    assert whats(report) == ["swapped", "swapped"]
    assert "lock 1 is door 2; the file calls it door 1" in report.findings[0].words
    assert report.whole
    assert report.profile is not None
    assert sorted(report.profile.doors, key=lambda line: line.lock) == sorted(swapped.doors, key=lambda line: line.lock)
    await stand.works(report.profile)


async def test_crossed_coils_are_found(driver):
    file = wired_profile(driver)
    stand = Stand(file)
    stand.core.swap(1, 3)
    report = await stand.walk(file)
    assert sorted(whats(report)) == ["swapped", "swapped", "wires", "wires"]
    assert report.whole
    await stand.works(report.profile)


async def test_a_contact_on_another_board_than_its_lock_is_named(driver):
    file = wired_profile(driver)
    stand = Stand(file)
    stand.core.swap(1, 4)
    report = await stand.walk(file)
    assert whats(report) == ["another_board", "another_board"]
    assert "Board 1 lock 1 moved door 4, whose contact is input 8 of board 2." in report.findings[0].words
    assert report.profile == file
    assert not report.whole


async def test_wrong_polarity_is_found(driver):
    truth = wired_profile(driver, closed_value=0)
    stand = Stand(truth)
    report = await stand.walk(wired_profile(driver, closed_value=1))
    assert whats(report) == ["polarity"]
    assert "Contacts read 0 while doors are shut; the file says 1." in report.findings[0].words
    assert report.profile == truth
    await stand.works(report.profile)


async def test_one_lock_of_another_polarity_is_found(driver):
    file = wired_profile(driver)
    doors = [msgspec.to_builtins(line) for line in file.doors]
    stand = Stand(wired_profile(driver, doors=[*doors[:3], doors[3] | {"closed_value": other(file.closed_value)}]))
    report = await stand.walk(file)
    assert whats(report) == ["polarity"]
    assert report.findings[0].door == 4
    assert report.profile == stand.truth
    await stand.works(report.profile)


@pytest.mark.parametrize("driver", ["xor8a", "kerong16"])
@pytest.mark.parametrize("true_order", ["low_last", "low_first"])
async def test_the_wrong_order_of_bytes_is_found(driver, true_order):
    file = wired_profile(driver, status_order={"low_last": "low_first", "low_first": "low_last"}[true_order])
    stand = Stand(wired_profile(driver, status_order=true_order))
    report = await stand.walk(file)
    assert whats(report) == ["order"]
    assert report.profile == stand.truth
    await stand.works(report.profile)


async def test_coils_crossed_so_that_it_looks_like_the_order_of_bytes():
    """Lock 1 moves the contact of lock 17, which is what a wrong order would show. Asked for one at a time, a board
    tells them apart.
    """
    doors = [{"door": 1, "board": 1, "lock": 1}, {"door": 2, "board": 1, "lock": 17}]
    file = wired_profile("xor8a", doors=doors)
    stand = Stand(file)
    stand.core.swap(1, 2)
    report = await stand.walk(file)
    assert sorted(whats(report)) == ["swapped", "swapped", "wires", "wires"]
    await stand.works(report.profile)


async def test_a_dead_lock_is_named_and_its_line_kept(driver):
    file = wired_profile(driver)
    stand = Stand(file)
    stand.core.jam(2)
    report = await stand.walk(file)
    assert whats(report) == ["dead_lock"]
    assert (report.findings[0].door, report.findings[0].mended) == (2, False)
    assert report.profile == file
    assert not report.whole


async def test_a_lock_that_only_acks_is_dead_too(driver):
    file = wired_profile(driver)
    stand = Stand(file)
    stand.core.lie(1)
    report = await stand.walk(file)
    assert whats(report) == ["dead_lock"] * 3


async def test_a_dead_contact_is_named(driver):
    file = wired_profile(driver)
    stand = Stand(file)
    stand.core.stick(3, file.closed_value)
    report = await stand.walk(file)
    assert whats(report) == ["dead_contact"]
    assert "Door 3 moved, and no contact changed" in report.findings[0].words


async def test_a_silent_board_does_not_stop_the_walk(driver):
    file = wired_profile(driver)
    stand = Stand(file)
    stand.core.die(2)
    person = Person(stand.boards)
    report = await stand.walk(file, person)
    assert whats(report) == ["silent_board"]
    assert "Board 2 is silent" in person.asked[0].words, "it is said before anything is opened"
    assert "This opens 3 doors" in person.asked[0].words
    assert "Board 2 is silent" in report.findings[0].words
    assert [pulse.door for pulse in stand.core.pulses] == [1, 2, 3]
    assert report.profile == file


async def test_a_board_at_another_address_is_found(driver):
    file = wired_profile(driver)
    line = {"door": 4, "board": 3, "lock": 8}
    boards = [msgspec.to_builtins(file.boards[0]), {"address": 3, "channels": 8}]
    stand = Stand(wired_profile(driver, boards=boards, doors=[*msgspec.to_builtins(file.doors[:3]), line]))
    report = await stand.walk(file)
    assert whats(report) == ["silent_board", "unlisted_board"]
    assert report.findings[1].board == 3


async def test_two_boards_of_one_address_cannot_be_read(driver):
    file = wired_profile(driver)
    stand = Stand(file)
    stand.core.twin(1)
    report = await stand.walk(file)
    assert whats(report) == ["silent_board"]
    assert "whether two boards have this address" in report.findings[0].words


async def test_no_board_at_all_is_trouble_and_nothing_is_asked(driver):
    file = wired_profile(driver)
    stand = Stand(file)
    stand.core.lose_power(0.0, 1e9)
    person = Person(stand.boards)
    with pytest.raises(Trouble, match=r"Board 1 is silent.*Board 2 is silent.*No board answers"):
        await stand.walk(file, person)
    assert not person.asked


async def test_a_port_that_is_not_there_is_trouble(driver):
    file = wired_profile(driver)
    stand = Stand(file)
    stand.boards.unplug()
    with pytest.raises(Trouble, match="Plug the adapter in"):
        await stand.walk(file)


async def test_a_port_that_goes_away_is_trouble(driver):
    file = wired_profile(driver)
    stand = Stand(file)

    class Clumsy(Person):
        async def __call__(self, question):
            if question.ask == "shut":
                stand.boards.unplug()
            return await super().__call__(question)

    with pytest.raises(Trouble, match="Plug the adapter in"):
        await stand.walk(file, Clumsy(stand.boards))


async def test_an_echoing_adapter_is_found(driver):
    file = wired_profile(driver)
    stand = Stand(file)
    stand.core.echo()
    report = await stand.walk(file)
    assert whats(report) == ["echo"]
    assert report.profile == msgspec.structs.replace(file, echo="drop")


async def test_nothing_is_pulsed_before_the_person_says_so(driver):
    file = wired_profile(driver)
    stand = Stand(file)
    with pytest.raises(Trouble, match="not begun"):
        await stand.walk(file, Person(stand.boards, begin="no"))
    assert not [request for request in stand.core.requests if request.asked.what == "open"]


async def test_a_door_that_will_not_shut_is_asked_for_three_times_and_named():
    file = wired_profile("xor8a")
    stand = Stand(file)
    stand.core.blocked(2)

    class Attentive(Person):
        """Two doors stand open by then; the one that moved is the one pulsed last."""

        async def __call__(self, question):
            answer = await super().__call__(question)
            return str(stand.core.pulses[-1].door) if question.ask == "moved" else answer

    person = Attentive(stand.boards)
    report = await stand.walk(file, person)
    assert whats(report) == ["unshut"]
    assert person.count("shut") == 3 + 3
    assert report.profile == file


async def test_a_number_that_is_no_door_is_asked_for_again_and_so_is_one_named_before():
    file = wired_profile("xor8a")
    stand = Stand(file)

    class Mumbler(Person):
        async def __call__(self, question):
            told = await super().__call__(question)
            words = [each.words for each in self.asked]
            if question.ask == "moved" and "was pulsed" in words[-1]:
                return ["77", "1", "", "x"][question.door - 1]
            return told

    person = Mumbler(stand.boards)
    report = await stand.walk(file, person)
    assert report == Report([], file)
    assert person.count("moved") == 4 + 4
    assert "Door 1 moved before, at another lock. Which door moved now?" in [each.words for each in person.asked]


async def test_one_door_named_for_two_locks_gives_no_profile():
    file = wired_profile("xor8a")
    stand = Stand(file)
    report = await stand.walk(file, Person(stand.boards, moved="1"))
    assert "twice" in whats(report)
    assert report.profile is None
    assert not report.whole


async def test_a_door_whose_place_is_taken_gives_no_profile():
    """Lock 2 moves door 1 and lock 1 moves nothing: where door 2 is, nobody can say."""
    file = wired_profile("xor8a")
    one, two, *rest = msgspec.to_builtins(file.doors)
    stand = Stand(wired_profile("xor8a", doors=[one | {"lock": 2}, two | {"lock": 1}, *rest]))
    stand.core.jam(2)
    report = await stand.walk(file)
    assert whats(report) == ["dead_lock", "swapped", "unplaced"]
    assert report.profile is None


@pytest.mark.parametrize("true_base", [0, 1])
async def test_channels_counted_from_another_number_leave_a_door_over(true_base):
    doors = [{"door": lock, "board": 1, "lock": lock} for lock in range(1, 17)]
    stand = Stand(wired_profile("wkly", doors=doors, lock_base=true_base))
    report = await stand.walk(wired_profile("wkly", doors=doors, lock_base=other(true_base)))
    assert whats(report).count("swapped") == 15
    assert {"refused", "unplaced"} <= set(whats(report))
    assert report.profile is None


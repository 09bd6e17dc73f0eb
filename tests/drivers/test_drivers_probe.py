"""Boards are found before the walk: another baud, another address, slow and lossy lines. Nothing is opened by it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from drivers.person import Person
from drivers.wired import wired_profile
from parcelwall.clock import SystemClock, VirtualClock
from parcelwall.drivers import Profile, connect, open_serial
from parcelwall.drivers.pretend.board import PretendBoards
from parcelwall.drivers.pretend.memory import MemoryBoards
from parcelwall.drivers.pretend.pty import PtyBoards
from parcelwall.drivers.probe import Probed, moved, probe
from parcelwall.drivers.walk import Walk
from parcelwall.ids import seeded

FOUR_TIMES = {"timeout_ms": 400}  # four times the slowest answer of the slowest of these boards, and not much more


class Stand:
    def __init__(self, truth: Profile) -> None:
        self.clock = VirtualClock(datetime(2026, 11, 22, tzinfo=UTC))
        self.core = PretendBoards(truth, seeded(self.clock, 1).chance)
        self.boards = MemoryBoards(self.core, self.clock)

    async def probe(self, file: Profile, **how: Any) -> Probed:
        found = await probe(file, self.clock, self.boards.open_port, **how)
        assert not self.core.pulses, "nothing is opened"
        assert not {"open", "forbidden"} & {request.asked.what for request in self.core.requests}
        return found


def whats(found: Probed) -> list[str]:
    return [finding.what for finding in found.findings]


def other_baud(driver: str) -> int:
    return 57600 if wired_profile(driver).baud != 57600 else 9600


async def test_what_is_as_the_file_says_is_left_so(driver):
    file = wired_profile(driver, **FOUR_TIMES)
    assert await Stand(file).probe(file) == (file, [])


async def test_another_baud_is_found(driver):
    truth = wired_profile(driver, **FOUR_TIMES)
    found = await Stand(truth).probe(wired_profile(driver, baud=other_baud(driver), **FOUR_TIMES))
    assert whats(found) == ["baud"]
    assert found.profile == truth


async def test_a_board_at_another_address_is_found_with_its_doors(driver):
    truth = wired_profile(driver, **FOUR_TIMES)
    file = moved(truth, 2, 7)
    found = await Stand(truth).probe(file)
    assert whats(found) == ["address"]
    assert found.profile == truth
    assert [line.board for line in file.doors] != [line.board for line in truth.doors]


async def test_both_at_once_with_no_board_where_the_file_has_it(driver):
    boards, doors = [{"address": 1, "channels": 8}], [{"door": 1, "board": 1, "lock": 1}]
    truth = wired_profile(driver, boards=boards, doors=doors, **FOUR_TIMES)
    file = moved(wired_profile(driver, boards=boards, doors=doors, baud=other_baud(driver), **FOUR_TIMES), 1, 5)
    found = await Stand(truth).probe(file)
    assert whats(found) == ["baud", "address"]
    assert found.profile == truth


async def test_which_of_two_silent_boards_answers_elsewhere_nobody_can_say(driver):
    truth = wired_profile(driver, **FOUR_TIMES)
    found = await Stand(truth).probe(moved(moved(truth, 1, 5), 2, 6))
    assert whats(found) == []
    assert [board.address for board in found.profile.boards] == [5, 6]


async def test_a_slow_board_is_given_its_time(driver):
    truth = wired_profile(driver, timeout_ms=3000)
    stand = Stand(truth)
    stand.core.answer_late(300)
    found = await stand.probe(wired_profile(driver, timeout_ms=1000))
    assert whats(found) == ["timing"]
    assert 1200 < found.profile.timeout_ms <= 1500
    assert await stand.probe(found.profile) == (found.profile, [])


async def test_a_quick_board_is_not_waited_for_too_long(driver):
    file = wired_profile(driver, timeout_ms=5000)
    found = await Stand(file).probe(file)
    assert whats(found) == ["timing"]
    assert 100 <= found.profile.timeout_ms <= 400
    assert whats(await Stand(file).probe(file, timed=False)) == []


async def test_answers_that_are_lost_are_named(driver):
    truth = wired_profile(driver, **FOUR_TIMES)
    stand = Stand(truth)
    stand.core.flip(0.05, keep_checksum=False)
    found = await stand.probe(truth)
    assert whats(found) == ["lossy"]
    assert not found.findings[0].mended
    assert found.profile == truth


async def test_nothing_there_leaves_the_file_as_it_is(driver):
    truth = wired_profile(driver, **FOUR_TIMES)
    stand = Stand(truth)
    for board in (1, 2):
        stand.core.die(board)
    assert await stand.probe(truth) == (truth, [])


async def test_the_walk_goes_on_with_what_was_found(driver):
    truth = wired_profile(driver, **FOUR_TIMES)
    stand = Stand(truth)
    file = moved(wired_profile(driver, baud=other_baud(driver), **FOUR_TIMES), 2, 7)
    found = await stand.probe(file)
    doors = connect(found.profile, stand.clock, stand.boards.open_port)
    await doors.start()
    report = await Walk(doors, stand.clock, Person(stand.boards), (), found.findings).run()
    await doors.close()
    assert [finding.what for finding in report.findings] == ["baud", "address"]
    assert report.whole
    assert report.profile == truth


async def test_on_a_terminal_too(tmp_path: Path) -> None:
    """A pseudo-terminal carries bytes at any baud, but tells which one was set."""
    clock, port = SystemClock(), str(tmp_path / "adapter")
    boards = [{"address": 1, "channels": 8}]
    wiring: dict[str, Any] = {"port": port, "boards": boards, "doors": [{"door": 1, "board": 1, "lock": 1}]}
    truth = wired_profile("kerong16", baud=19200, **wiring)
    pretend = PtyBoards(PretendBoards(truth), clock, Path(port))
    await pretend.start()
    file = wired_profile("kerong16", baud=9600, **wiring)
    found = await probe(file, clock, open_serial, timed=False)
    await pretend.close()
    assert (whats(found), found.profile) == (["baud"], truth)

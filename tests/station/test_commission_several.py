"""Commissioning several serial ports: each bus is walked and corrected in its own table, a dead one is named."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from drivers.person import Person
from drivers.wired import wired_profile
from parcelwall.clock import Clock, VirtualClock
from parcelwall.drivers import Port, PortGone, Profile
from parcelwall.drivers.pretend.board import PretendBoards
from parcelwall.drivers.pretend.memory import MemoryBoards
from parcelwall.drivers.walk import Question
from parcelwall.errors import Trouble
from parcelwall.station.commission import Outcome, commission
from parcelwall.station.profile_file import rewritten
from parcelwall.station.running import read_settings

TOP = '# a wall of two cabinets\nhub_url = "http://127.0.0.1:8600"\ndata_dir = "DATA"\n'
BUS = """
[[bus]]  # {port}
driver = "{driver}"
port = "{port}"
{learned}
pulse_ms = 100
supply_gap_ms = 150
timeout_ms = 200
open_timeout_ms = 300
boards = [{{ address = 1, channels = 16 }}]
doors = [
  {{ door = {first}, board = 1, lock = 1 }},  # the lowest
  {{ door = {second}, board = 1, lock = 2 }},
]
"""
XOR = 'status_bytes = 3\nstatus_order = "low_last"\nclosed_value = 1'


def station_file(folder: Path) -> Path:
    path = folder / "station.toml"
    left = BUS.format(driver="xor8a", port="left", learned=XOR, first=1, second=2)
    right = BUS.format(driver="kerong16", port="right", learned="", first=3, second=4)
    path.write_text(TOP.replace("DATA", str(folder / "data")) + left + right, encoding="utf-8")
    return path


def truth(driver: str, port: str, *doors: int, **changed: Any) -> Profile:
    lines = [{"door": door, "board": 1, "lock": lock} for lock, door in enumerate(doors, 1)]
    boards = [{"address": 1, "channels": 16}]
    return wired_profile(driver, port=port, boards=boards, doors=lines, **changed)


class Wall:
    """Two cabinets, each on its own port, and one person before both."""

    def __init__(self, *truths: Profile) -> None:
        self.clock = VirtualClock(datetime(2026, 11, 22, 8, tzinfo=UTC))
        self.boards = {each.port: MemoryBoards(PretendBoards(each), self.clock) for each in truths}
        self.people = [Person(boards) for boards in self.boards.values()]
        self.asked: list[Question] = []
        self.told: list[list[str]] = []

    async def open_port(self, profile: Profile, clock: Clock) -> Port:
        if profile.port not in self.boards:
            raise PortGone(f"The port {profile.port} is not there")
        return await self.boards[profile.port].open_port(profile, clock)

    async def ask(self, question: Question) -> str:
        """Whoever stands where a door has moved answers."""
        self.asked.append(question)
        said = [await person(question) for person in self.people]
        return next((each for each in said if each not in ("none", "yes")), said[0])

    async def commission(self, file: Path) -> Outcome:
        tell = lambda report: self.told.append([finding.what for finding in report.findings])  # noqa: E731
        return await commission(file, self.ask, self.clock, tell, self.open_port)


async def test_each_bus_is_corrected_in_its_own_table(tmp_path):
    file = station_file(tmp_path)
    wall = Wall(truth("xor8a", "left", 1, 2, closed_value=0), truth("kerong16", "right", 4, 3))
    outcome = await wall.commission(file)
    assert wall.told == [["polarity"], ["swapped", "swapped"]]
    assert (outcome.written, outcome.whole) == (True, True)
    [first, second] = read_settings(file)[1]
    assert first.closed_value == 0
    assert [(line.door, line.lock) for line in second.doors] == [(3, 2), (4, 1)]
    text = file.read_text()
    for kept in ("# a wall of two cabinets", "[[bus]]  # left", "[[bus]]  # right"):
        assert kept in text
    assert [question.ask for question in wall.asked].count("write") == 1
    assert (await wall.commission(file)) == Outcome([], [{}, {}], False, True)


async def test_a_dead_bus_stops_the_other_not(tmp_path):
    file = station_file(tmp_path)
    wall = Wall(truth("kerong16", "right", 4, 3))
    outcome = await wall.commission(file)
    assert wall.told == [["dead_bus"], ["swapped", "swapped"]]
    assert (outcome.written, outcome.whole) == (True, False), "what was walked is written, the rest is still to do"
    assert [list(keys) for keys in outcome.corrections] == [[], ["doors"]]


async def test_a_bus_whose_boards_are_all_silent_is_named_too(tmp_path):
    wall = Wall(truth("xor8a", "left", 1, 2), truth("kerong16", "right", 3, 4))
    wall.boards["left"].core.die(1)
    outcome = await wall.commission(station_file(tmp_path))
    [finding] = outcome.findings
    assert finding.what == "dead_bus"
    assert "left" in finding.words
    assert "Board 1 is silent" in finding.words


async def test_a_door_of_the_other_bus_is_told_as_such(tmp_path):
    """Somebody has put the cable of door 3 into the left cabinet's board."""
    wall = Wall(truth("xor8a", "left", 1, 3), truth("kerong16", "right", 2, 4))
    moved, heard = iter(["1", "3", "0", "0", "4"]), []

    async def ask(question: Question) -> str:
        heard.append(question.words)
        for boards in wall.boards.values() if question.ask == "shut" else ():
            for door, state in boards.states().items():
                boards.push_closed(door) if state == "open" else None
        return next(moved) if question.ask == "moved" else "no" if question.ask == "write" else "yes"

    outcome = await commission(station_file(tmp_path), ask, wall.clock, lambda _: None, wall.open_port)
    assert any("Door 3 is on another bus in the file" in words for words in heard)
    assert not outcome.whole


async def test_who_does_not_begin_ends_it_for_all(tmp_path):
    wall = Wall(truth("xor8a", "left", 1, 2), truth("kerong16", "right", 3, 4))
    with pytest.raises(Trouble, match="not begun"):
        await commission(station_file(tmp_path), _no, wall.clock, lambda _: None, wall.open_port)
    assert not any(boards.core.pulses for boards in wall.boards.values())


async def _no(question: Question) -> str:
    return "no"


def test_the_nth_table_alone_is_changed(tmp_path):
    text = station_file(tmp_path).read_text()
    now = tomllib.loads(rewritten(text, {"closed_value": 0}, 1))
    was = tomllib.loads(text)
    assert now["bus"][1].pop("closed_value") == 0
    assert now == was
    with pytest.raises(Trouble, match="by hand"):
        rewritten("bus = [{ port = 'a' }]", {"closed_value": 0})


def test_what_is_wrong_names_which_bus(tmp_path):
    file = station_file(tmp_path)
    file.write_text(file.read_text().replace('port = "right"', 'port = "left"'))
    with pytest.raises(Trouble, match="two buses have the port left"):
        read_settings(file)

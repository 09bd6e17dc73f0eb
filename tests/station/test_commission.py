"""`parcelwall station commission`: the station's file is corrected, as it was it is kept, and the rest of it stays."""

import asyncio
import json
import re
import stat
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from drivers.person import Person
from drivers.wired import wired_profile
from parcelwall.clock import SystemClock, VirtualClock
from parcelwall.drivers import Profile, connect
from parcelwall.drivers.pretend.board import PretendBoards
from parcelwall.drivers.pretend.memory import MemoryBoards
from parcelwall.drivers.pretend.pty import PtyBoards
from parcelwall.drivers.walk import Question
from parcelwall.errors import Trouble
from parcelwall.station.commission import Outcome, commission
from parcelwall.station.profile_file import as_toml, corrections, rewritten, write_profile
from parcelwall.station.running import read_settings

FILE = """# of the station at the market
data_dir = "DATA"
hub_url = "http://127.0.0.1:8600"
claim = "NHVK4Q8JVKC6"  # [bus] comes below

[bus]
driver = "xor8a"  # the grey ones
port = "PORT"
status_bytes = 3
status_order = "low_last"   # low_first?
closed_value = 1
pulse_ms = 100
supply_gap_ms = 150
timeout_ms = 200
open_timeout_ms = 300
boards = [{ address = 1, channels = 24 }, { address = 2, channels = 8 }]
doors = [
  { door = 1, board = 1, lock = 1 },  # ] the lowest
  { door = 2, board = 1, lock = 2 },
  { door = 3, board = 1, lock = 24 },
  { door = 4, board = 2, lock = 8 },
]
# the end
"""


def station_file(folder: Path, port: str = "pretend", text: str = FILE) -> Path:
    path = folder / "station.toml"
    path.write_text(text.replace("PORT", port).replace("DATA", str(folder / "data")), encoding="utf-8")
    path.chmod(0o640)
    return path


def swapped(port: str = "pretend", **changed: Any) -> Profile:
    """The cables of doors 1 and 2 are swapped."""
    doors = msgspec.to_builtins(wired_profile("xor8a").doors)
    doors[0]["lock"], doors[1]["lock"] = 2, 1
    return wired_profile("xor8a", port=port, doors=doors, **changed)


class Stand:
    """Pretend boards, and the command's heart run against them on a virtual clock."""

    def __init__(self, truth: Profile) -> None:
        self.clock = VirtualClock(datetime(2026, 11, 22, 8, tzinfo=UTC))
        self.core = PretendBoards(truth)
        self.boards = MemoryBoards(self.core, self.clock)
        self.told: list[str] = []

    async def commission(self, file: Path, **instead: str) -> Outcome:
        self.person = Person(self.boards, **instead)

        def tell(report):
            self.told = [finding.what for finding in report.findings]

        return await commission(file, self.person, self.clock, tell, self.boards.open_port)


async def test_the_file_is_corrected_and_the_rest_of_it_stays(tmp_path):
    file = station_file(tmp_path)
    before = file.read_text()
    stand = Stand(swapped(closed_value=0))
    outcome = await stand.commission(file)
    assert stand.told == ["polarity", "swapped", "swapped"]
    assert outcome.written
    assert outcome.whole
    _, [profile] = read_settings(file)
    assert profile.closed_value == 0
    assert [(line.door, line.lock) for line in profile.doors] == [(1, 2), (2, 1), (3, 24), (4, 8)]
    text = file.read_text()
    for kept in ("# of the station at the market", '"xor8a"  # the grey ones', "# low_first?", "# the end"):
        assert kept in text
    assert Path(outcome.kept).read_text() == before
    assert re.fullmatch(r"station\.toml\.20261122T0800\d\dZ", Path(outcome.kept).name)
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir() if path.is_file()} == {0o640}
    again = await stand.commission(file)
    assert again == Outcome([], [{}], False, True)


async def test_the_corrected_file_opens_the_right_doors(tmp_path):
    file = station_file(tmp_path)
    stand = Stand(swapped(closed_value=0, status_order="low_first"))
    await stand.commission(file)
    doors = connect(read_settings(file)[1][0], stand.clock, stand.boards.open_port)
    await doors.start()
    await stand.clock.sleep(60)
    await doors.open(1, stand.clock.mono() + 5)
    await stand.clock.sleep(1)
    assert {door: seen.state for door, seen in (await doors.sweep()).items()} == stand.boards.states()
    assert [door for door, state in stand.boards.states().items() if state == "open"] == [1]
    await doors.close()


async def test_nothing_is_written_without_a_yes(tmp_path):
    file = station_file(tmp_path)
    outcome = await Stand(swapped()).commission(file, write="no")
    assert (outcome.written, outcome.whole) == (False, False)
    assert [list(keys) for keys in outcome.corrections] == [["doors"]]
    assert [path.name for path in tmp_path.iterdir()] == ["station.toml"]
    assert file.read_text() == FILE.replace("PORT", "pretend").replace("DATA", str(tmp_path / "data"))


async def test_wiring_that_hands_must_mend_is_not_whole(tmp_path):
    stand = Stand(swapped())
    stand.core.jam(3)
    outcome = await stand.commission(station_file(tmp_path))
    assert stand.told == ["dead_lock", "swapped", "swapped"]
    assert (outcome.written, outcome.whole) == (True, False)


async def test_what_cannot_be_right_is_not_offered(tmp_path):
    file = station_file(tmp_path)
    stand = Stand(swapped())
    stand.core.jam(2)
    outcome = await stand.commission(file)
    assert outcome.corrections == [{}]
    assert (outcome.written, outcome.whole) == (False, False)
    assert stand.person.count("write") == 0


async def test_a_port_that_somebody_holds_is_said_before_anything_is_asked(tmp_path):
    stand = Stand(swapped())
    held = await stand.boards.open_port(swapped(), stand.clock)
    with pytest.raises(Trouble, match="taken"):
        await stand.commission(station_file(tmp_path))
    assert not stand.person.asked
    await held.close()


# the file

BEFORE = wired_profile("xor8a")
CHANGED = {
    "closed_value": 0,
    "status_order": "low_first",
    "echo": "drop",
    "doors": [{"door": 1, "board": 1, "lock": 2}],
}


@pytest.mark.parametrize(
    "bus",
    [
        "[bus]\nclosed_value = 1\nstatus_order = 'low_last'\ndoors = [{ door = 1, board = 1, lock = 1 }]",
        "[bus]  # here\n  closed_value=1# one\n  doors = [\n [1,\n2],\n]",
        '[bus]\nport = "a ] [bus] # b"\ndoors = []',
        "[bus]\ndoors = [ # ]\n]\n[other]\ndoors = 1\nclosed_value = 7",
        "[first]\ndoors = 2\n[bus]",
    ],
)
def test_only_the_keys_of_the_bus_change(bus):
    was = tomllib.loads(bus)
    now = tomllib.loads(rewritten(bus, CHANGED))
    assert now.pop("bus") == was.pop("bus") | CHANGED
    assert now == was


@pytest.mark.parametrize(
    "text",
    ["[[bus.doors]]\ndoor = 1\n[bus]\necho = 'no'", "bus.echo = 'no'", 'bus = { echo = "no" }', "[ bus ]\necho = 1"],
)
def test_a_file_that_cannot_be_changed_so_says_what_to_write(text):
    with pytest.raises(Trouble, match="by hand:\nclosed_value = 0"):
        rewritten(text, CHANGED)


def test_what_differs_is_written_as_toml():
    after = msgspec.structs.replace(BEFORE, closed_value=0)
    assert corrections(BEFORE, after) == {"closed_value": 0}
    assert tomllib.loads(as_toml(CHANGED)) == CHANGED


def test_a_file_that_cannot_be_written_is_trouble_with_what_to_write(tmp_path):
    after = msgspec.structs.replace(BEFORE, closed_value=0)
    with pytest.raises(Trouble, match=r"cannot be written: No such file.*\nclosed_value = 0"):
        write_profile(tmp_path / "gone.toml", {0: corrections(BEFORE, after)}, SystemClock())


# mistakes in the file are told with file, key and remedy


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        ('claim = "NHVK4Q8JVKC6"', "clame = 1", "`clame` is not known. Did you mean `claim`?"),
        ('claim = "NHVK4Q8JVKC6"', 'port = "high"', "`port` does not fit: expected `int`, got `str`. docs/settings.md"),
        ('"low_last"', '"any"', "`status_order` does not fit: invalid enum value 'any'. Write low_last or low_first"),
        ("closed_value = 1", "", "`closed_value` is missing, and xor8a boards do not agree on it. Write 0"),
        ("closed_value = 1", "closed_vale = 1", "`closed_vale` is not known. Did you mean `closed_value`?"),
        ("pulse_ms = 100", "puls_ms = 100", "`puls_ms` is not known. Did you mean `pulse_ms`?"),
        ("lock = 24 }", "lock = 25 }", "`doors[2]`: door 3 is on lock 25, but board 1 has fewer channels"),
        ("address = 2", "adress = 2", "`boards[1].adress` is not known. Did you mean `address`?"),
        ("address = 2, ", "", "`boards[1].address` is missing. Write the number that the board's switches"),
        ('driver = "xor8a"', 'driver = "xor8"', "`driver` is 'xor8'. Write one of xor8a, kerong16, modbus_relay, wkly"),
        ('driver = "xor8a"', 'driver = "wkly"', "`baud` is missing, and wkly boards do not agree on it. Write 9600"),
        ("[bus]\n", "[buss]\n", "has no [bus]"),
        ("[bus]\n", "[bus\n", "is not TOML"),
    ],
)
def test_mistakes_name_file_key_and_remedy(tmp_path, was, now, told):
    file = station_file(tmp_path, text=FILE.replace(was, now))
    with pytest.raises(Trouble, match=re.escape(told)) as trouble:
        read_settings(file)
    assert str(file) in str(trouble.value)
    assert re.search(r"Write|Did you mean|shows (one|a whole file)|docs/", str(trouble.value)), "what to do about it"


# the command as people and machines run it


class Process:
    """The command in a process of its own, the boards in this one."""

    def __init__(self, folder: Path, truth: Profile) -> None:
        self.folder, self.clock = folder, SystemClock()
        self.boards = PtyBoards(PretendBoards(truth), self.clock, folder / "adapter")
        self.person = Person(self.boards)

    async def run(self, *words: str) -> asyncio.subprocess.Process:
        await self.boards.start()
        pipe = asyncio.subprocess.PIPE
        untimed = ("--untimed",) if words[-1] == "commission" or "commission" in words[:1] else ()
        command = (sys.executable, "-m", "parcelwall", "station", *words, *untimed)
        return await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe)


async def test_a_machine_may_lead_the_walk(tmp_path):
    port = str(tmp_path / "adapter")
    file = station_file(tmp_path, port)
    at = Process(tmp_path, swapped(port, closed_value=0))
    process = await at.run("commission", "--config", str(file), "--json")
    assert process.stdin and process.stdout
    said: dict[str, Any] = {}
    while "findings" not in (said := json.loads(await process.stdout.readline())):
        answer = await at.person(msgspec.convert(said, Question))
        process.stdin.write(answer.encode() + b"\n")
    assert await process.wait() == 0
    await at.boards.close()
    assert (said["written"], said["whole"]) == (True, True)
    assert sorted(said["corrections"][0]) == ["closed_value", "doors"]
    assert read_settings(file)[1][0].closed_value == 0
    assert [pulse.door for pulse in at.boards.core.pulses] == [2, 1, 3, 4]


async def test_a_person_reads_sentences(tmp_path):
    """The file and the command may come in either order; doors that are right are left so."""
    port = str(tmp_path / "adapter")
    file = station_file(tmp_path, port)
    at = Process(tmp_path, wired_profile("xor8a", port=port))
    process = await at.run("--config", str(file), "commission")
    assert process.stdin and process.stdout
    heard = ""
    while piece := await process.stdout.read(200):
        heard += piece.decode()
        if heard.endswith("Begin? "):
            process.stdin.write(b"perhaps\nyes\n")
        elif heard.endswith("if none did. "):
            opened = [door for door, state in at.boards.states().items() if state == "open"]
            process.stdin.write(f"{opened[0]}\n".encode())
        elif heard.endswith("until it catches. "):
            at.boards.push_closed(at.boards.core.pulses[-1].door)
            process.stdin.write(b"\n")
    assert await process.wait() == 0
    await at.boards.close()
    assert "This opens 4 doors, one after another." in heard
    assert "Please answer yes or no." in heard
    assert "Board 1 lock 24 was pulsed. Which door moved?" in heard
    assert heard.endswith("All doors are wired as the file says.\n")


async def test_nobody_there_is_trouble_and_nothing_is_opened(tmp_path):
    port = str(tmp_path / "adapter")
    at = Process(tmp_path, wired_profile("xor8a", port=port))
    process = await at.run("commission", "--config", str(station_file(tmp_path, port)))
    _, complained = await process.communicate(b"")
    await at.boards.close()
    assert process.returncode == 1
    assert b"Nobody answers any more" in complained
    assert b"Traceback" not in complained
    assert not at.boards.core.pulses


async def test_the_file_must_be_named(tmp_path):
    for words in ((), ("commission",)):
        command = (sys.executable, "-m", "parcelwall", "station", *words)
        process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
        _, complained = await process.communicate()
        assert process.returncode == 2
        assert b"--config" in complained

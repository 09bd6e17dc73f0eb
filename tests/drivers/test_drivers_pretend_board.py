"""examples/pretend_board.py beside the real driver: the bytes go over a real terminal, the hands over its input."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from parcelwall.clock import SystemClock
from parcelwall.drivers import DoorState, connect
from parcelwall.station.running import read_settings

ROOT = Path(__file__).parents[2]
BOARD = ROOT / "examples" / "pretend_board.py"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The file that docs/station.md shows, with a port of this test's."""
    [text] = [each for each in re.findall(r"```toml\n(.*?)```", (ROOT / "docs/station.md").read_text(), re.DOTALL)
              if "try-board" in each]  # fmt: skip
    made = tmp_path / "try.toml"
    made.write_text(text.replace("/var/tmp", str(tmp_path)))
    return made


class Board:
    """The example in a process of its own."""

    def __init__(self, file: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(BOARD), str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.until("doors     how each door is")

    def until(self, line: str) -> None:
        """Reads on; fails at the end of what it says."""
        assert self._process.stdout
        for said in self._process.stdout:
            if said.strip() == line:
                return
            if said.startswith("Not shut"):  # the lock's coil was still driven, as it tells a person too
                self.type("push")
        raise AssertionError(f"it never said {line!r}")

    def type(self, words: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(words + "\n")
        self._process.stdin.flush()

    def stop(self) -> None:
        self._process.terminate()
        self._process.communicate(timeout=10)


@pytest.fixture
def board(file: Path) -> Iterator[Board]:
    running = Board(file)
    yield running
    running.stop()


async def test_a_station_opens_its_doors_and_hands_shut_them(board: Board, file: Path) -> None:
    [profile] = read_settings(file)[1]
    doors = connect(profile, clock := SystemClock())
    await doors.start()
    try:
        await doors.open(3, clock.mono() + 5)
        board.until("Door 3 is open.")
        assert (await doors.state(3)).state is DoorState.OPEN
        board.type("pull 4")
        board.until("It does not come: it is locked.")
        board.type("push")
        board.until("Door 3 is closed.")
        assert (await doors.state(3)).state is DoorState.CLOSED
        board.type("jam 2")
        board.type("force 5")
        board.until("Door 5 is open.")
        await doors.open(2, clock.mono() + 5)
        board.type("doors")
        board.until("1 closed  2 closed  3 closed  4 closed  5 open  6 closed  7 closed  8 closed")
        board.type("unplug")
        board.type("push 5")
        board.until("Door 5 is closed.")
        assert (await doors.state(5)).state is DoorState.UNKNOWN
        for nonsense in ("push 99", "pull", "sing 3"):
            board.type(nonsense)
            board.until("doors     how each door is")
    finally:
        await doors.close()


def test_a_port_that_is_a_real_one_is_left_alone(file: Path, tmp_path: Path) -> None:
    (tmp_path / "try-board").write_text("an adapter")
    done = subprocess.run([sys.executable, str(BOARD), str(file)], capture_output=True, text=True, timeout=50)
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert "no port of ours: write a free name" in done.stderr
    assert (tmp_path / "try-board").read_text() == "an adapter"

"""A lock board in software, to try a station without hardware: it speaks the bytes of the boards that a file names.

    .venv/bin/python examples/pretend_board.py station.toml

It makes the serial ports of the file, so they must be names that are free, such as /var/tmp/try-board. Run
`parcelwall station --config station.toml` beside it: doors that the station opens are told here, and your hands are
words that you type. docs/station.md has a whole try. Give it another file than the station's, with doors swapped, and
`parcelwall station commission` has something to find.
"""

import asyncio
import contextlib
import sys
import threading
from pathlib import Path

from parcelwall.clock import SystemClock
from parcelwall.drivers.pretend.board import PretendBoards
from parcelwall.drivers.pretend.pty import PtyBoards
from parcelwall.errors import Trouble
from parcelwall.ids import Ids
from parcelwall.station.running import read_settings

LOOK_EVERY_S = 0.05
FREE = "write a free name into `port`, such as /var/tmp/try-board"
HELP = """push 3    push door 3 shut; without a number every door
pull 3    pull at door 3: it comes if its lock has let go
jam 3     the lock of door 3 lets go no more; free 3 mends it
force 3   door 3 is opened with a crowbar
unplug    the adapter is drawn out; plug puts it in again
doors     how each door is"""


def boards_of(file: Path) -> list[PtyBoards]:
    """Pretend boards for each port of a station's file. Raises Trouble for a port that is a real one."""
    clock = SystemClock()
    profiles = read_settings(file)[1]
    for port in (Path(each.port) for each in profiles):
        if port.exists() and port.resolve().parent != Path("/dev/pts"):
            raise Trouble(f"{port} is there already, and no port of ours: {FREE}")
        if not port.parent.is_dir():
            raise Trouble(f"there is no folder {port.parent}: {FREE}")
    chance = Ids(clock).chance
    return [PtyBoards(PretendBoards(each, chance), clock, Path(each.port)) for each in profiles]


class Hands:
    """What somebody before the wall can do, in words."""

    def __init__(self, all_boards: list[PtyBoards]) -> None:
        self._all = all_boards
        self._of = {line.door: boards for boards in all_boards for line in boards.core.profile.doors}
        self._seen = self.states()

    def states(self) -> dict[int, str]:
        return {door: str(state.value) for boards in self._all for door, state in boards.states().items()}

    def news(self) -> list[str]:
        """What has moved since it was asked last."""
        before, self._seen = self._seen, self.states()
        return [f"Door {door} is {state}." for door, state in self._seen.items() if state != before[door]]

    def do(self, words: list[str]) -> str:
        """One line that was typed. What is not understood is answered with what is."""
        match words:
            case []:
                return ""
            case ["doors"]:
                return "  ".join(f"{door} {state}" for door, state in self.states().items())
            case ["unplug" | "plug" as what]:
                for boards in self._all:
                    boards.unplug() if what == "unplug" else boards.replug()
                return ""
            case ["push"]:
                return self._all_shut()
            case [what, number] if number.isdecimal() and int(number) in self._of:
                return self._at(what, int(number))
        return HELP

    def _all_shut(self) -> str:
        stay = [door for door, boards in self._of.items() if not boards.push_closed(door)]
        return f"Not shut: {stay}. Push again." if stay else ""

    def _at(self, what: str, door: int) -> str:
        boards = self._of[door]
        match what:
            case "push":
                return "" if boards.push_closed(door) else "Its lock is still driven. Push again."
            case "pull":
                return "" if boards.pull(door) else "It does not come: it is locked."
            case "force":
                boards.push_open(door)
            case "jam" | "free":
                boards.core.jam(door, what == "jam")
            case _:
                return HELP
        return ""


async def run(file: Path) -> None:
    """Boards and hands until Ctrl-C."""
    async with contextlib.AsyncExitStack() as stack:
        for boards in (everything := boards_of(file)):
            await boards.start()
            stack.push_async_callback(boards.close)
        hands, typed = Hands(everything), asyncio.Queue[str]()
        listen_to(typed)
        ports = ", ".join(str(each.link) for each in everything)
        print(f"{len(hands.states())} doors, all shut, at {ports}.\n{HELP}", flush=True)
        while True:
            while not typed.empty():
                if answer := hands.do(typed.get_nowait().split()):
                    print(answer, flush=True)
            for each in hands.news():
                print(each, flush=True)
            await asyncio.sleep(LOOK_EVERY_S)


def listen_to(typed: "asyncio.Queue[str]") -> None:
    """Lines of standard input, in a thread that ends with the process: reading cannot be broken off."""
    loop = asyncio.get_running_loop()

    def read() -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(typed.put_nowait, line)

    threading.Thread(target=read, daemon=True).start()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Name the station's file: examples/pretend_board.py station.toml")
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(run(Path(sys.argv[1])))
    except Trouble as no:
        sys.exit(str(no))

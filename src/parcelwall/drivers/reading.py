"""Reads bus profiles. What is wrong is told with the file, the key and what may be written there instead."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec

from parcelwall.drivers.driver import Driver
from parcelwall.drivers.makers import DRIVERS, driver_of
from parcelwall.drivers.profile import BoardLine, DoorLine, Profile
from parcelwall.errors import Trouble

# What may stand under each key; docs/station.md and docs/drivers.md say more.
REMEDIES = {
    "driver": f"Write one of {', '.join(DRIVERS)}",
    "port": "Write the name of the serial adapter below /dev/serial/by-path",
    "status_bytes": "Write how many status bytes a board answers with, as commissioning finds it: 1 to 8",
    "status_order": "Write low_last or low_first: which status byte holds locks 1 to 8, as commissioning finds it",
    "closed_value": "Write 0 or 1: what the contact reads while a door is shut, as commissioning finds it",
    "boards": "Write a list with a line for each board: { address = 1, channels = 24 }",
    "doors": "Write a list with a line for each door: { door = 1, board = 1, lock = 1 }",
    "address": "Write the number that the board's switches are set to",
    "channels": "Write how many locks the board has sockets for",
    "door": "Write the number of the compartment in the hub's layout, from 1",
    "board": "Write the address of one of the boards",
    "lock": "Write the number of the lock's socket on its board, from 1",
    "input": "Write the number of the contact's socket on its board, from 1, or leave it out where it is the lock's",
    "lock_base": "Write 0 or 1: the number that the first lock has on the wire",
    "baud": "Write 9600, 19200, 38400, 57600 or 115200, as the boards are set",
    "parity": "Write N, E or O, as the boards are set",
    "contact": "Write door, hook or both: what the contact measures",
    "pulse_ms": "Write how many milliseconds the board drives a coil",
    "pulse_owner": "Write board, or leave it out: the board times the pulse",
    "open_reply": "Write required, optional or none: whether a board answers to an opening",
    "timeout_ms": "Write how many milliseconds an answer may take, 20 to 5000",
    "open_timeout_ms": "Write how many milliseconds the answer to an opening may take, 20 to 5000",
    "turnaround_ms": "Write how many milliseconds pass after our frame, 0 to 60000",
    "gap_ms": "Write how many milliseconds pass between frames, 0 to 60000",
    "poll_ms": "Write how many milliseconds pass between looks at all doors, 10 to 2000",
    "watch_ms": "Write how many milliseconds pass between looks at a door just pulsed, 10 to 2000",
    "echo": "Write no, or drop for an adapter that echoes what is sent",
    "supply": "Write a name for the power supply; buses that share one name share one pulse at a time",
    "supply_gap_ms": "Write how many milliseconds a supply rests after a pulse, 0 to 60000",
}
MOVES = re.compile(r"/dev/tty(USB|ACM)\d+")  # names that are given in the order in which adapters are found
SAID = re.compile(r"(?P<what>.*?)(?: - at `\$\.?(?P<where>.*)`)?$", re.DOTALL)
FIELD = re.compile(r"Object (?P<what>missing required|contains unknown) field `(?P<name>\w+)`")
INDEX = re.compile(r"\[.*?\]")
PLAIN = {"missing required": "is missing", "contains unknown": "is not known"}


def read_profile(path: Path) -> Profile:
    """The profile in a TOML file. Raises Trouble that names the file, the key, what is wrong with it and a remedy."""
    try:
        written = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise Trouble(f"The bus profile {path} cannot be read: {problem.strerror}.") from problem
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise Trouble(f"The bus profile {path} is not TOML: {problem}.") from problem
    return parse_profile(written, where=str(path))


def parse_profile(written: Mapping[str, Any], where: str = "the settings") -> Profile:
    """The profile in a table of settings. Raises Trouble like `read_profile`."""
    name = written.get("driver")
    if name not in DRIVERS:
        raise _wrong(where, [f"`driver` is {'missing' if name is None else repr(name)}. {REMEDIES['driver']}"])
    driver, known = driver_of(str(name)), [field.name for field in msgspec.structs.fields(Profile)]
    if unknown := [key for key in written if key not in known]:
        raise _wrong(where, [f"`{key}` is not known. {_remedy(key)}" for key in unknown])
    if missing := [key for key in driver.learned if key not in written]:
        raise _wrong(where, [f"`{key}` is missing, and {name} boards do not agree on it. {REMEDIES[key]}"
                             for key in missing])  # fmt: skip
    try:
        profile = msgspec.convert({**driver.usual, **written}, Profile)
    except msgspec.ValidationError as problem:
        raise _wrong(where, [plainly(str(problem))]) from problem
    if problems := [*map_problems(profile, driver), *driver.problems(profile)]:
        raise _wrong(where, problems)
    return profile


def parse_profiles(written: Any, where: str = "the settings") -> list[Profile]:
    """The profiles of a station: one table, or a list of them, one for each serial port. Raises Trouble."""
    if isinstance(written, Mapping):
        return [parse_profile(written, where=f"{where} under [bus]")]
    if not isinstance(written, list) or not written or not all(isinstance(each, Mapping) for each in written):
        raise Trouble(f"{where} has no [bus]: the lock boards and the map of their doors. docs/station.md shows one.")
    profiles = [parse_profile(each, f"{where} under [[bus]] number {n}") for n, each in enumerate(written, 1)]
    problems = [f"`door`: door {door} is mapped on two buses. Leave it on the one that it is wired to"
                for door in _twice(line.door for profile in profiles for line in profile.doors)]  # fmt: skip
    problems += [f"`port`: two buses have the port {port}. {REMEDIES['port']} of each"
                 for port in _twice(profile.port for profile in profiles)]  # fmt: skip
    if len(profiles) > 1:
        problems += [f"`port`: {profile.port} may be the other bus after a start, and its doors would open. "
                     f"{REMEDIES['port']}" for profile in profiles if MOVES.fullmatch(profile.port)]  # fmt: skip
    if problems:
        raise _wrong(f"{where} under [[bus]]", problems)
    return profiles


def _wrong(where: str, problems: list[str]) -> Trouble:
    told = " ".join(problem if problem.endswith("?") else f"{problem}." for problem in problems)
    return Trouble(f"The bus profile in {where} is wrong: {told} See docs/station.md.")


def plainly(said: str) -> str:
    """What msgspec says of a table, as key, fault and remedy: `boards[0].address` expected `int`. Write the ..."""
    found = SAID.match(said)
    assert found, "the pattern matches any text"
    what, where = found["what"], found["where"] or ""
    if field := FIELD.match(what):
        key, fault = ".".join(filter(None, (where, field["name"]))), PLAIN[field["what"]]
    else:
        key, fault = where or "the table", f"does not fit: {what[:1].lower()}{what[1:]}"
    return f"`{key}` {fault}. {_remedy(INDEX.sub('', key).rpartition('.')[2])}"


def _remedy(name: str) -> str:
    if name in REMEDIES:
        return REMEDIES[name]
    near = get_close_matches(name, REMEDIES, 1)
    return f"Did you mean `{near[0]}`?" if near else "Take it out"


def map_problems(profile: Profile, driver: Driver) -> list[str]:
    """What cannot be true of the boards and doors together; empty when all is well."""
    boards = {board.address: board for board in profile.boards}
    problems = [f"`doors`: door {door} is mapped twice" for door in _twice(line.door for line in profile.doors)]
    places = _twice((line.board, line.lock) for line in profile.doors)
    problems += [f"`doors`: two doors share board {board} lock {lock}" for board, lock in places]
    inputs = _twice((line.board, line.contact) for line in profile.doors)
    problems += [f"`doors`: two doors share board {b} input {n}" for b, n in inputs if (b, n) not in places]
    addresses = _twice(board.address for board in profile.boards)
    problems += [f"`boards`: two boards have the same address {address}" for address in addresses]
    for place, board in enumerate(profile.boards):
        problems += _board_problems(f"`boards[{place}]`", board, profile, driver)
    for place, line in enumerate(profile.doors):
        problems += _door_problems(f"`doors[{place}]`", line, boards.get(line.board), profile, driver)
    return problems


def _twice(things: Iterable[Any]) -> list[Any]:
    return [thing for thing, count in Counter(things).items() if count > 1]


def _board_problems(key: str, board: BoardLine, profile: Profile, driver: Driver) -> Iterator[str]:
    if board.address not in driver.boards:
        yield (f"{key}: address {board.address} cannot be addressed: {profile.driver} boards are "
               f"{driver.boards[0]} to {driver.boards[-1]}")  # fmt: skip
    if board.channels > 8 * profile.status_bytes_of(board):
        yield f"{key}: board {board.address} has more channels than its status bytes can tell"


def _door_problems(
    key: str, line: DoorLine, board: BoardLine | None, profile: Profile, driver: Driver
) -> Iterator[str]:
    if board is None:
        yield f"{key}: door {line.door} is on board {line.board}, which is not among the boards"
        return
    if line.lock > board.channels:
        yield f"{key}: door {line.door} is on lock {line.lock}, but board {line.board} has fewer channels"
    if line.lock not in driver.locks:
        yield f"{key}: lock {line.lock} cannot be addressed: {profile.driver} locks are 1 to {driver.locks[-1]}"
    if line.contact > 8 * profile.status_bytes_of(board):
        yield f"{key}: input {line.contact} of board {line.board} is beyond what its status bytes can tell"

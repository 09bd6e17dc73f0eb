"""One profile per bus, TOML, part of the station's settings. Source: hardware.md 2.9."""

import hashlib
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from parcelwall.errors import Trouble

Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=60_000)]
Positive = Annotated[int, msgspec.Meta(ge=1)]


class BoardLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    address: Annotated[int, msgspec.Meta(ge=1, le=99)]
    channels: Annotated[int, msgspec.Meta(ge=1, le=50)]
    status_bytes: Annotated[int, msgspec.Meta(ge=1, le=7)] | None = None  # where one board differs from the bus


class DoorLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    door: Positive
    board: Positive
    lock: Positive


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How one bus is wired and timed. Fields without a default are learned at commissioning, never guessed."""

    driver: Literal["xor8a"]
    port: Annotated[str, msgspec.Meta(min_length=1)]  # the adapter's by-path name: ttyUSB numbers move
    status_bytes: Annotated[int, msgspec.Meta(ge=1, le=7)]
    status_order: Literal["low_last", "low_first"]  # which status byte holds locks 1 to 8
    closed_value: Literal[0, 1]  # what the contact reads when the door is closed
    boards: Annotated[list[BoardLine], msgspec.Meta(min_length=1, max_length=32)]
    doors: Annotated[list[DoorLine], msgspec.Meta(min_length=1)]
    baud: Literal[9600, 19200, 38400, 57600, 115200] = 9600
    parity: Literal["N", "E", "O"] = "N"
    contact: Literal["door", "hook", "both"] = "door"
    pulse_ms: Annotated[int, msgspec.Meta(ge=10, le=9000)] = 300
    pulse_owner: Literal["board"] = "board"
    open_reply: Literal["required", "optional", "none"] = "optional"
    timeout_ms: Annotated[int, msgspec.Meta(ge=20, le=5000)] = 400
    open_timeout_ms: Annotated[int, msgspec.Meta(ge=20, le=5000)] = 1200
    turnaround_ms: Milliseconds = 5
    gap_ms: Milliseconds = 20
    poll_ms: Annotated[int, msgspec.Meta(ge=10, le=2000)] = 500
    watch_ms: Annotated[int, msgspec.Meta(ge=10, le=2000)] = 100
    echo: Literal["no", "drop"] = "no"
    supply: Annotated[str, msgspec.Meta(min_length=1)] = "A"
    supply_gap_ms: Milliseconds = 500

    def status_bytes_of(self, board: BoardLine) -> int:
        return board.status_bytes or self.status_bytes

    def fingerprint(self) -> str:
        """SHA-256 in hex of the whole profile; a changed map is a changed fingerprint."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()

    @property
    def stale_after_s(self) -> float:
        """A read older than 3 poll periods or 5 s, whichever is shorter, says nothing. Source: hardware.md 2.3."""
        return min(3 * self.poll_ms / 1000, 5.0)


def read_profile(path: Path) -> Profile:
    """The profile in a TOML file. Raises Trouble that names the file, the field and what is wrong with it."""
    try:
        written = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise Trouble(f"The bus profile {path} cannot be read: {problem.strerror}.") from problem
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise Trouble(f"The bus profile {path} is not TOML: {problem}.") from problem
    return parse_profile(written, where=str(path))


def parse_profile(written: dict[str, Any], where: str = "the settings") -> Profile:
    """The profile in a table of settings. Raises Trouble like `read_profile`."""
    try:
        profile = msgspec.convert(written, Profile)
    except msgspec.ValidationError as problem:
        raise Trouble(f"The bus profile in {where} is wrong: {problem}.") from problem
    if problems := map_problems(profile):
        raise Trouble(f"The bus profile in {where} is wrong: {'; '.join(problems)}.")
    return profile


def map_problems(profile: Profile) -> list[str]:
    """What cannot be true of the boards and doors together; empty when all is well."""
    channels = {board.address: board.channels for board in profile.boards}
    places = [(line.board, line.lock) for line in profile.doors]
    twice = [line.door for line in profile.doors if [other.door for other in profile.doors].count(line.door) > 1]
    problems = [f"door {door} is mapped twice" for door in dict.fromkeys(twice)]
    problems += [f"two doors share board {b} lock {k}" for b, k in dict.fromkeys(places) if places.count((b, k)) > 1]
    if len(channels) < len(profile.boards):
        problems.append("two boards have the same address")
    for line in profile.doors:
        if line.board not in channels:
            problems.append(f"door {line.door} is on board {line.board}, which is not among the boards")
        elif line.lock > channels[line.board]:
            problems.append(f"door {line.door} is on lock {line.lock}, but board {line.board} has fewer channels")
    for board in profile.boards:
        if board.channels > 8 * profile.status_bytes_of(board):
            problems.append(f"board {board.address} has more channels than its status bytes can tell")
    return problems

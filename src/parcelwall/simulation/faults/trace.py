"""What happened in a town, line by line: hashed, so that a seed is known to replay; told when something is wrong."""

import hashlib
import re
from collections import deque
from datetime import datetime
from uuid import UUID

import msgspec

KEPT_LINES = 20_000
TOLD_LINES, WIDE_LINES = 20, 8  # of the parcel and the door, and of the whole station


class Line(msgspec.Struct, frozen=True):
    """One thing that happened: when by the true clock, at which station, to which parcel if any."""

    at: datetime
    station: str
    parcel: str
    text: str

    def __str__(self) -> str:
        return f"{self.at:%d.%m. %H:%M:%S}  {self.station:<7} {self.parcel:<14} {self.text}"


class Violation(msgspec.Struct, frozen=True):
    """An invariant that does not hold: where, of which parcel, and in words."""

    at: datetime
    station: str
    parcel: str
    text: str


class Notebook:
    """The lines of one place in a town. Places are written down one after another, whoever was quicker."""

    def __init__(self, station: str) -> None:
        self.station = station
        self.lines: list[Line] = []
        self.violations: list[Violation] = []

    def note(self, at: datetime, text: str, parcel: str = "") -> None:
        self.lines.append(Line(at, self.station, parcel, text))

    def violated(self, at: datetime, text: str, parcel: str = "") -> None:
        self.note(at, f"VIOLATION {text}", parcel)
        self.violations.append(Violation(at, self.station, parcel, text))


class Trace:
    """All lines, in one order."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._kept: deque[Line] = deque(maxlen=KEPT_LINES)
        self.steps = 0

    def take(self, notebook: Notebook) -> list[Violation]:
        """Writes down what a notebook holds, and empties it. Answers its violations."""
        for line in notebook.lines:
            self._hash.update(f"{line.at.isoformat()}|{line.station}|{line.parcel}|{line.text}\n".encode())
            self._kept.append(line)
        self.steps += len(notebook.lines)
        violations = notebook.violations
        notebook.lines, notebook.violations = [], []
        return violations

    def add(self, text: str) -> None:
        """Something that belongs to no place, such as the heads of all journals at midnight."""
        self._hash.update(f"{text}\n".encode())

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()

    def story(self, violation: Violation) -> list[str]:
        """The last lines that touch the parcel or the station of a violation, oldest first."""
        mine = [line for line in self._kept if violation.parcel and line.parcel == violation.parcel]
        places = {line.station for line in mine} - {"hub"} or {violation.station}
        doors = {door for line in mine for door in _doors(line.text)} | set(_doors(violation.text))
        there = [line for line in self._kept if line.station in places]
        close = [
            line for line in self._kept
            if (violation.parcel and line.parcel == violation.parcel)
            or (line.station in places and doors & set(_doors(line.text)))
        ]  # fmt: skip
        wide = [line for line in there if not line.parcel and not _doors(line.text)]
        told = sorted({*close[-TOLD_LINES:], *wide[-WIDE_LINES:]}, key=lambda line: line.at)
        return [str(line) for line in told]


def _doors(text: str) -> list[str]:
    return re.findall(r"\bdoor (\d+)", text)


def short(parcel: UUID | None) -> str:
    return parcel.hex[-6:] if parcel else ""

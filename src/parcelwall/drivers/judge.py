"""What a commissioning walk shows: how the boards are wired, against how the file says they are. Pure.

Each lock was pulsed once. A person named the door that moved, the boards said which contact changed, and how. Which
contact gives the order of the bytes and the wires, its direction the polarity. Source: hardware.md 2.10.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from parcelwall.drivers.profile import Bit, BoardLine, DoorLine, Profile
from parcelwall.drivers.seen import Pulse

What = Literal[
    "silent_board", "unlisted_board", "echo", "order", "polarity", "swapped", "wires", "dead_lock", "dead_contact",
    "several", "another_board", "unmoved", "unshut", "refused", "twice", "unplaced", "dead_bus", "baud", "address",
    "timing", "lossy", "unwired",
]  # fmt: skip


class Change(msgspec.Struct, frozen=True):
    """One contact that reads otherwise than while all doors were shut. `number`: the input, counted from 1."""

    board: int
    number: int
    value: int


class Tried(msgspec.Struct, frozen=True):
    """One lock pulsed, and what came of it."""

    line: DoorLine  # as the file has it
    pulse: Pulse
    moved: int | None  # the door that the person named
    changed: tuple[Change, ...] = ()
    told: int | None = None  # the input that changed by the board's own count, where it answers for one at a time
    came_back: bool = True  # whether the contact read as before when the door was shut again

    @property
    def clear(self) -> Change | None:
        """The one contact on the lock's own board that changed with the door that moved."""
        alone = self.changed[0] if len(self.changed) == 1 else None
        return alone if self.moved is not None and alone is not None and alone.board == self.line.board else None


class Finding(msgspec.Struct, frozen=True):
    """One thing that is otherwise than the file says. `mended`: the corrected profile takes care of it."""

    what: What
    words: str
    mended: bool = False
    door: int | None = None
    board: int | None = None
    lock: int | None = None


class Report(msgspec.Struct, frozen=True):
    """What was found, and the profile as it should be. None if no profile can be right before the wiring is mended."""

    findings: list[Finding]
    profile: Profile | None

    @property
    def whole(self) -> bool:
        """Whether a corrected profile leaves nothing to be done at the boards."""
        return self.profile is not None and all(finding.mended for finding in self.findings)


def mirrored(number: int, status_bytes: int) -> int:
    """The input that a contact is taken for if the order of the status bytes is taken the wrong way round."""
    byte, bit = divmod(number - 1, 8)
    return 8 * (status_bytes - 1 - byte) + bit + 1


def judge(profile: Profile, tried: Sequence[Tried], before: Sequence[Finding] = ()) -> Report:
    """The report of a walk. `before`: what was found before the first pulse."""
    turned = _is_turned(profile, tried)
    closed = _usual_closed_value(profile, tried)
    findings = [*before, *(found for each in tried if (found := _trouble(each)) is not None)]
    findings += [_order(profile)] if turned else []
    findings += [_polarity(closed)] if closed != profile.closed_value else []
    lines: dict[int, DoorLine] = {}
    for each in tried:
        if each.clear is None or each.moved is None:
            continue
        line = _line(each, closed, _number(profile, each, turned))
        findings += _corrections(profile, each, line, closed)
        findings += [_twice(each, lines[each.moved])] if each.moved in lines else []
        lines.setdefault(each.moved, line)
    findings += _lost(profile, lines)
    if any(finding.what in ("twice", "unplaced") for finding in findings):
        return Report(findings, None)
    return Report(findings, _corrected(profile, lines, closed, turned, findings))


def _corrected(
    profile: Profile, lines: dict[int, DoorLine], closed: Bit, turned: bool, findings: list[Finding]
) -> Profile:
    echoes = any(finding.what == "echo" for finding in findings)
    return msgspec.structs.replace(
        profile, closed_value=closed, doors=[lines.get(line.door, line) for line in profile.doors],
        status_order=_other_order(profile) if turned else profile.status_order,
        echo="drop" if echoes else profile.echo,
    )  # fmt: skip


def _trouble(each: Tried) -> Finding | None:
    """What only hands and tools can mend."""
    told = _without_a_door(each) if each.moved is None else _with_a_door(each, each.moved)
    if told is None:
        return None
    return Finding(*told, door=each.moved or each.line.door, board=each.line.board, lock=each.line.lock)


def _without_a_door(each: Tried) -> tuple[What, str]:
    place, door = _place(each.line), each.line.door
    if each.pulse is Pulse.REFUSED:
        return "refused", f"{place} says no to being pulsed. See whether the board has such a lock."
    if each.changed:
        return "unmoved", (f"{place} moved no door, and yet {_contacts(each)} changed. Look at the spring of door "
                           f"{door}: its hook may let go while the leaf stays.")  # fmt: skip
    return "dead_lock", (f"{place} moved no door and no contact. Look at the cable to the lock of door {door}, whether "
                         "the lock is jammed, and whether it is in the right socket.")  # fmt: skip


def _with_a_door(each: Tried, door: int) -> tuple[What, str] | None:
    if not each.changed:
        return "dead_contact", f"Door {door} moved, and no contact changed. Look at the cable from its contact."
    if len(each.changed) > 1:
        return "several", (f"Door {door} moved, and {_contacts(each)} changed. Look whether two contacts touch, "
                           "whether another door was moved meanwhile, and whether two boards have one "
                           "address.")  # fmt: skip
    if each.clear is None:
        return "another_board", (f"{_place(each.line)} moved door {door}, whose contact is {_contacts(each)}. Wire "
                                 "lock and contact to one board.")  # fmt: skip
    if not each.came_back:
        return "unshut", (f"Door {door} was shut again, and {_contacts(each)} does not say so. Look at the contact and "
                          "at the latch.")  # fmt: skip
    return None


def _place(line: DoorLine) -> str:
    return f"Board {line.board} lock {line.lock}"


def _contacts(each: Tried) -> str:
    return " and ".join(f"input {change.number} of board {change.board}" for change in each.changed)


def _is_turned(profile: Profile, tried: Sequence[Tried]) -> bool:
    """Whether the status bytes stand the other way round.

    A board that answers for one contact at a time settles it. Else it is so if that alone explains every contact that
    is not its lock's. Locks in the middle byte of three cannot tell.
    """
    clear = [each for each in tried if each.clear is not None]
    settled = [each for each in clear if each.told is not None]
    if settled:
        return any(each.clear is not None and each.told != each.clear.number for each in settled)
    return any(_seen(each) != each.line.contact for each in clear) and all(
        mirrored(_seen(each), _status_bytes(profile, each.line.board)) == each.line.contact for each in clear
    )


def _seen(each: Tried) -> int:
    assert each.clear is not None
    return each.clear.number


def _status_bytes(profile: Profile, board: int) -> int:
    lines: dict[int, BoardLine] = {line.address: line for line in profile.boards}
    return profile.status_bytes_of(lines[board])


def _number(profile: Profile, each: Tried, turned: bool) -> int:
    return mirrored(_seen(each), _status_bytes(profile, each.line.board)) if turned else _seen(each)


def _closed_value(each: Tried) -> Bit:
    """The contact read the other value before the door moved."""
    assert each.clear is not None
    return 0 if each.clear.value else 1


def _usual_closed_value(profile: Profile, tried: Sequence[Tried]) -> Bit:
    """What most contacts read of a shut door; what the file says, if they are even."""
    counted = Counter(_closed_value(each) for each in tried if each.clear is not None)
    if counted[0] == counted[1]:
        return profile.closed_value
    return 1 if counted[1] > counted[0] else 0


def _line(each: Tried, closed: Bit, number: int) -> DoorLine:
    assert each.moved is not None
    value = _closed_value(each)
    return DoorLine(
        door=each.moved, board=each.line.board, lock=each.line.lock,
        input=None if number == each.line.lock else number, closed_value=None if value == closed else value,
    )  # fmt: skip


def _corrections(profile: Profile, each: Tried, line: DoorLine, closed: Bit) -> Iterator[Finding]:
    """What the corrected profile takes care of, of one door."""
    where = (line.door, line.board, line.lock)
    if line.door != each.line.door:
        yield Finding("swapped", f"{_place(line)} is door {line.door}; the file calls it door {each.line.door}.", True,
                      *where)  # fmt: skip
    if line.contact != each.line.contact:
        yield Finding("wires", f"The contact of door {line.door} is input {line.contact} of board {line.board}, not "
                      f"{each.line.contact}.", True, *where)  # fmt: skip
    was = next(known for known in profile.doors if known.door == line.door)
    value = _closed_value(each)
    if value != (closed if was.closed_value is None else was.closed_value):
        yield Finding("polarity", f"The contact of door {line.door} reads {value} while the door is shut, against the "
                      "file.", True, *where)  # fmt: skip


def _polarity(closed: Bit) -> Finding:
    return Finding("polarity", f"Contacts read {closed} while doors are shut; the file says {1 - closed}.", True)


def _order(profile: Profile) -> Finding:
    words = f"The status bytes stand the other way round: {_other_order(profile)}, not {profile.status_order}."
    return Finding("order", words, True)


def _other_order(profile: Profile) -> Literal["low_last", "low_first"]:
    return "low_first" if profile.status_order == "low_last" else "low_last"


def _twice(each: Tried, known: DoorLine) -> Finding:
    words = (f"{_place(each.line)} and {_place(known).lower()} both moved door {each.moved}. Walk again, or look "
             "whether two locks are wired together.")  # fmt: skip
    return Finding("twice", words, False, each.moved, each.line.board, each.line.lock)


def _lost(profile: Profile, lines: dict[int, DoorLine]) -> list[Finding]:
    """Doors that nothing moved, while what the file calls their lock or contact is another door's."""
    locks = {(line.board, line.lock) for line in lines.values()}
    inputs = {(line.board, line.contact) for line in lines.values()}
    return [
        Finding("unplaced", f"No lock moved door {line.door}, and what the file gives it is another door's.", False,
                line.door, line.board, line.lock)
        for line in profile.doors
        if line.door not in lines and ((line.board, line.lock) in locks or (line.board, line.contact) in inputs)
    ]  # fmt: skip

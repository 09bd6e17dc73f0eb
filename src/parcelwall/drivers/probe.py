"""Before the commissioning walk: at which baud and address the boards of a bus answer, and how long they take.

Only questions are asked; no coil is driven. Source: hardware.md 2.9, 2.10.
"""

from collections.abc import Sequence
from math import ceil
from typing import NamedTuple

import msgspec

from parcelwall.clock import Clock
from parcelwall.drivers.bus import How
from parcelwall.drivers.doors import BoardDoors
from parcelwall.drivers.judge import Finding
from parcelwall.drivers.makers import driver_of
from parcelwall.drivers.port import OpenPort
from parcelwall.drivers.profile import Profile

BAUDS = (9600, 19200, 38400, 57600, 115200)
ADDRESSES_TRIED = 32
ASKED = 2  # times, before a board is called silent
TIMED_READS = 100
AT_LEAST_MS, TIMES = 100, 4  # `timeout_ms` is four times the slowest answer, in tens
LOOSE = 4  # how many times what is needed may stand in the file


class Probed(NamedTuple):
    """The profile as the boards answer, and in what it differs from the file."""

    profile: Profile
    findings: list[Finding]


async def probe(profile: Profile, clock: Clock, open_port: OpenPort, timed: bool = True) -> Probed:
    """Finds the boards and times them. Where nothing answers at all, the profile is as it was: the walk says so."""
    findings: list[Finding] = []
    listed = [board.address for board in profile.boards]
    others = [each for each in driver_of(profile.driver).boards[:ADDRESSES_TRIED] if each not in listed]
    for addresses in (listed, others):
        for baud in (profile.baud, *(each for each in BAUDS if each != profile.baud)):
            tried = msgspec.structs.replace(profile, baud=baud)
            if answering := await _answering(tried, addresses, clock, open_port):
                return await _found(profile, tried, answering, clock, open_port, timed)
    return Probed(profile, findings)


async def _found(
    file: Profile, profile: Profile, answering: list[int], clock: Clock, open_port: OpenPort, timed: bool
) -> Probed:
    findings = []
    if profile.baud != file.baud:
        words = f"The boards answer at {profile.baud} baud; the file says {file.baud}."
        findings.append(Finding("baud", words, True))
    listed = [board.address for board in profile.boards]
    silent = [each for each in listed if each not in answering]
    if silent:
        known = driver_of(profile.driver).boards[:ADDRESSES_TRIED]
        more = await _answering(profile, [each for each in known if each not in listed], clock, open_port)
        if len(silent) == len(more) == 1:
            words = f"The board that the file has at address {silent[0]} answers at {more[0]}."
            findings.append(Finding("address", words, True, board=silent[0]))
            profile = moved(profile, silent[0], more[0])
            answering = [*answering, *more]
    if timed:
        needed, found = await _timed(profile, [each for each in answering if each in _addresses(profile)], clock,
                                     open_port)  # fmt: skip
        findings += found
        profile = msgspec.structs.replace(profile, timeout_ms=needed)
    return Probed(profile, findings)


def _addresses(profile: Profile) -> list[int]:
    return [board.address for board in profile.boards]


def moved(profile: Profile, was: int, now: int) -> Profile:
    """The same wiring, with one board at another address."""
    boards = [msgspec.structs.replace(each, address=now) if each.address == was else each for each in profile.boards]
    doors = [msgspec.structs.replace(each, board=now) if each.board == was else each for each in profile.doors]
    return msgspec.structs.replace(profile, boards=boards, doors=doors)


async def _answering(profile: Profile, addresses: Sequence[int], clock: Clock, open_port: OpenPort) -> list[int]:
    doors = _connected(profile, clock, open_port)
    await doors.start()
    try:
        return [address for address in addresses if await _answers(doors, address)]
    finally:
        await doors.close()


async def _answers(doors: BoardDoors, address: int) -> bool:
    for _ in range(ASKED):
        if (await doors.read_all(address)).how is How.ANSWERED:
            return True
    return False


async def _timed(
    profile: Profile, boards: Sequence[int], clock: Clock, open_port: OpenPort
) -> tuple[int, list[Finding]]:
    """What `timeout_ms` should be, and what to say of it and of questions that had no answer."""
    doors = _connected(profile, clock, open_port)
    await doors.start()
    took_ms, lost, waits = [], 0, set[int]()  # boards asked after a loss wait for what may still come
    try:
        for nth in range(TIMED_READS if boards else 0):
            await clock.sleep(profile.gap_ms / 1000)
            begun = clock.mono()
            board = boards[nth % len(boards)]
            outcome = await doors.read_all(board)
            if outcome.how is not How.ANSWERED:
                lost += 1
                waits.add(board)
            elif board in waits:
                waits.discard(board)
            else:
                took_ms.append((outcome.at - begun) * 1000)
    finally:
        await doors.close()
    findings = []
    if lost:
        words = f"{lost} of {TIMED_READS} questions had no answer. Look at the cable, its ends and its shield."
        findings.append(Finding("lossy", words))
    needed = max(AT_LEAST_MS, 10 * ceil(TIMES * max(took_ms) / 10)) if took_ms else profile.timeout_ms
    if needed <= profile.timeout_ms <= LOOSE * needed:
        return profile.timeout_ms, findings
    words = (f"The slowest of {len(took_ms)} answers took {max(took_ms):.0f} ms: `timeout_ms` should be {needed}, and "
             f"is {profile.timeout_ms}.")  # fmt: skip
    return needed, [*findings, Finding("timing", words, True)]


def _connected(profile: Profile, clock: Clock, open_port: OpenPort) -> BoardDoors:
    return BoardDoors(profile, clock, driver_of(profile.driver).codec(profile), open_port)

"""`parcelwall station commission`: walks along the doors with a person, and corrects the station's file if asked to."""

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console

from parcelwall.clock import Clock
from parcelwall.drivers import OpenPort, PortGone, Profile, connect, open_serial
from parcelwall.drivers.judge import Finding, Report
from parcelwall.drivers.probe import probe
from parcelwall.drivers.walk import Ask, NoBoards, Question, Walk, said_yes
from parcelwall.errors import Trouble
from parcelwall.station.doormap import confirm, unwired_in, words_for
from parcelwall.station.profile_file import as_toml, corrections, write_profile
from parcelwall.station.running import read_settings

STDIN = 0


class Outcome(msgspec.Struct, frozen=True):
    """What a walk found and did. `whole`: nothing is left to be mended or written."""

    findings: list[Finding]
    corrections: list[dict[str, Any]]  # for each bus keys as they should be; none if its wiring must be mended first
    written: bool
    whole: bool
    kept: str = ""  # the file as it was


async def commission(
    config: Path, ask: Ask, clock: Clock, tell: Callable[[Report], None], open_port: OpenPort = open_serial,
    timed: bool = True,
) -> Outcome:  # fmt: skip
    """Walks bus by bus, tells the reports, and writes the corrected profiles if the person says so. Raises Trouble."""
    settings, profiles = read_settings(config)
    reports = [await _walk_one_of(profiles, profile, ask, clock, open_port, timed) for profile in profiles]
    for report in reports:
        tell(report)
    missing = _missing(unwired_in(settings.data_dir, profiles, clock))
    tell(Report(missing, None)) if missing else None
    findings = [finding for report in reports for finding in report.findings] + missing
    pairs = zip(profiles, reports, strict=True)
    wanted = [corrections(before, report.profile) if report.profile else {} for before, report in pairs]
    changed = {nth: keys for nth, keys in enumerate(wanted) if keys}
    whole = all(report.whole for report in reports) and not missing
    if not changed:
        confirm(settings.data_dir, profiles, clock) if whole else None
        return Outcome(findings, wanted, False, whole)
    if not await said_yes(ask, Question("write", _offer(config, profiles, changed))):
        return Outcome(findings, wanted, False, False)
    kept = write_profile(config, changed, clock)
    confirm(settings.data_dir, read_settings(config)[1], clock) if whole else None
    return Outcome(findings, wanted, True, whole, str(kept))


def _missing(doors: Sequence[int]) -> list[Finding]:
    """A file that leaves out compartments of the hub's layout is not whole, however right its lines are."""
    return [Finding("unwired", words_for(doors))] if doors else []


def _offer(config: Path, profiles: Sequence[Profile], changed: Mapping[int, Mapping[str, Any]]) -> str:
    """What the file should say, bus by bus."""
    lines = []
    for nth, keys in changed.items():
        table = f"the [[bus]] of {profiles[nth].port}" if len(profiles) > 1 else "[bus]"
        lines += [f"{config} should say below {table}:", as_toml(keys)]
    return "\n".join([*lines, "Write it? The file as it is now is kept."])


async def _walk_one_of(
    profiles: Sequence[Profile], profile: Profile, ask: Ask, clock: Clock, open_port: OpenPort, timed: bool
) -> Report:
    """The walk along one bus. Of several, one that is dead holds up none of the others."""
    elsewhere = [line.door for other in profiles if other is not profile for line in other.doors]
    try:
        return await _walk(profile, ask, clock, open_port, elsewhere, timed)
    except (PortGone, NoBoards) as dead:
        if len(profiles) == 1:
            raise
        return Report([Finding("dead_bus", f"The bus of {profile.port} was not walked. {dead}")], None)


async def _walk(
    profile: Profile, ask: Ask, clock: Clock, open_port: OpenPort, elsewhere: Collection[int], timed: bool
) -> Report:
    await (await open_port(profile, clock)).close()  # what keeps the port from opening is said before anything else
    probed = await probe(profile, clock, open_port, timed)
    doors = connect(probed.profile, clock, open_port)
    await doors.start()
    try:
        return await Walk(doors, clock, ask, elsewhere, probed.findings).run()
    finally:
        await doors.close()


# the command line


class Lines:
    """What is typed, line by line, without keeping the loop or the end of the process waiting."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        left = b""
        with contextlib.suppress(OSError, RuntimeError):  # the terminal or the loop is gone: nobody asks any more
            while data := os.read(STDIN, 4096):
                *lines, left = (left + data).split(b"\n")
                for line in lines:
                    self._loop.call_soon_threadsafe(self._lines.put_nowait, line.decode(errors="replace"))
            self._loop.call_soon_threadsafe(self._lines.put_nowait, None)

    async def next(self) -> str:
        """The next line. Raises Trouble when no more will come."""
        line = await self._lines.get()
        if line is None:
            self._lines.put_nowait(None)
            raise Trouble("Nobody answers any more: the walk was broken off, and nothing was written.")
        return line


async def run_commission(config: Path, clock: Clock, as_json: bool = False, timed: bool = True) -> int:
    """The command. Answers 0 if doors and file agree at the end, else 1."""
    lines, out = Lines(), Console(soft_wrap=True, highlight=False, markup=False)

    async def ask(question: Question) -> str:
        if as_json:
            _say_json(question)
        else:
            out.print(question.words, end=" " if question.ask != "write" else "\n")
        return await lines.next()

    tell: Callable[[Report], None] = (lambda _: None) if as_json else lambda report: _show(report, out)
    outcome = await commission(config, ask, clock, tell, timed=timed)
    if as_json:
        _say_json(outcome)
    else:
        out.print(_ending(outcome))
    return 0 if outcome.whole else 1


def _say_json(said: Any) -> None:
    sys.stdout.write(msgspec.json.encode(said).decode() + "\n")
    sys.stdout.flush()


def _show(report: Report, out: Console) -> None:
    for finding in report.findings:
        out.print(f"{'  to be corrected ' if finding.mended else '  TO BE MENDED    '} {finding.words}")


def _ending(outcome: Outcome) -> str:
    left = sum(not finding.mended for finding in outcome.findings)
    if not outcome.findings:
        return "All doors are wired as the file says."
    written = f"The file is corrected; as it was, it is kept in {outcome.kept}. " if outcome.written else ""
    if outcome.whole:
        return f"{written}All doors are wired as it says now."
    if left:
        return f"{written}{left} to be mended at the boards, as said above. Walk again afterwards."
    return "The file was left as it is, and it is wrong."

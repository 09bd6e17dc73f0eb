"""`plan mix`: which compartment sizes to build, from a file of past parcels or the generator's, and a report of it."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from pathlib import Path

import msgspec
import numpy as np

from parcelwall.errors import Trouble
from parcelwall.planning import past as records
from parcelwall.planning.demand import Requests, generated, stays_of
from parcelwall.planning.mix import Found, Judged, Mix, Room, check, height, judge, proportional, search
from parcelwall.planning.report import INK, LIGHT, Chart, Report, a_chart

PAST_SEEDS, UNSEEN_SEEDS = range(100, 105), range(10)
NAMES = ("S", "M", "L")


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked; numbers for the smallest size first. `load`: rho of the generator, without a file."""

    start: Mix = (24, 20, 8)
    height_mm: tuple[int, ...] = (80, 190, 410)
    total_mm: int | None = None
    least: tuple[int, ...] = (0, 0, 0)
    worth: tuple[float, ...] = (1.0, 1.0, 1.0)
    floor: float = 0.6
    load: float = 0.9
    seed: int = 1


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """The plan file. Shares are of requests, 0 to 1, judged on periods that the search did not see."""

    kind: str = "mix"
    of: str
    wish: Wish
    mix: Mix
    served: float
    served_before: float
    served_by_size: tuple[float | None, ...]
    kept_start: bool
    told: list[str] = []


def plan(
    file: Path | None, wish: Wish, tick: Callable[[str], None], pool: Executor | None = None
) -> tuple[Report, Planned]:
    """The report and the plan; the start, if what was found is no better on unseen periods. `pool` judges mixes.

    Raises Trouble that says what of the file or the wish cannot be.
    """
    if len({len(NAMES), *map(len, (wish.start, wish.height_mm, wish.least, wish.worth))}) > 1:
        raise Trouble("give three numbers each, for S, M and L, such as --start 24/20/8")
    takes = sum(n * each for n, each in zip(wish.start, wish.height_mm, strict=True))
    total = takes if wish.total_mm is None else wish.total_mm
    room = Room(height_mm=wish.height_mm, total_mm=total, least=wish.least, worth=wish.worth, floor=wish.floor)
    check(wish.start, room)
    past, unseen, told = _of_file(file, wish.seed) if file else _of_generator(wish)
    found = search(wish.start, room, past, unseen, tick, pool)
    kept = found.unseen.value <= found.start_unseen.value
    mix, then = (wish.start, found.start_unseen) if kept else (found.mix, found.unseen)
    report = _report(file, wish, room, found, kept, _rivals(room, past, unseen))
    told += _below(wish.floor, then, found.start_unseen)
    for text in told:
        report.say(text)
    return report, Planned(
        of=file.name if file else "generator", wish=wish, mix=mix, served=round(then.value, 4), kept_start=kept,
        served_before=round(found.start_unseen.value, 4), told=told,
        served_by_size=tuple(None if np.isnan(each) else round(each, 4) for each in then.served),
    )  # fmt: skip


def _below(floor: float, then: Judged, start: Judged) -> list[str]:
    """Sizes that get less than was asked for, of what was asked on unseen periods."""
    short = [f"{name} {now:.0%} (with the start {before:.0%})"
             for name, now, before in zip(NAMES, then.served, start.served, strict=True) if now < floor]  # fmt: skip
    return [f"The floor of {floor:.0%} is not kept, on unseen periods, for {', '.join(short)}."] if short else []


Periods = list[Requests]


def _of_generator(wish: Wish) -> tuple[Periods, Periods, list[str]]:
    made = [[generated(seed, wish.load, wish.start) for seed in seeds] for seeds in (PAST_SEEDS, UNSEEN_SEEDS)]
    return made[0], made[1], [f"Demand is made up: the reference generator at a load of {wish.load} for the start mix. "
                              "Give a file of your own parcels for a plan to build by."]  # fmt: skip


def _of_file(file: Path, seed: int) -> tuple[Periods, Periods, list[str]]:
    record = records.read([file])
    told = [f"{count} rows were left out: {why}." for why, count in sorted(record.dropped.items())]
    told += records.odd(record.stays)
    if any(stay.size is None for stay in record.stays):
        told.append("The file tells no sizes: they are drawn 45/40/15 %.")
    if any(stay.left is None for stay in record.stays):
        told.append("The file tells no collections: stays are drawn from the reference generator's.")
    stays = records.drawn(record.stays, seed, stays_of(seed))
    earlier, later = records.split(msgspec.structs.replace(record, stays=stays))
    if not earlier or not later:
        raise Trouble(f"{file.name} has too few rows to search on some and judge by others")
    return records.months(earlier, earlier), records.months(later, earlier), told


def _rivals(room: Room, past: Sequence[Requests], unseen: Sequence[Requests]) -> list[tuple[str, Mix, float]]:
    mix = proportional(room, past)
    return [("as requests are shared", mix, judge(mix, unseen, room.worth).value)]


def _report(file: Path | None, wish: Wish, room: Room, found: Found, kept: bool,
            rivals: Sequence[tuple[str, Mix, float]]) -> Report:  # fmt: skip
    report = Report("Which sizes to build" + (f": {file.name}" if file else ""))
    start, mix = "/".join(map(str, wish.start)), "/".join(map(str, found.mix))
    if kept:
        report.say(f"Keep {start}: on periods that the search did not see, {mix} is no better.")
    else:
        report.say(f"Build {mix} (S/M/L) instead of {start}: {found.unseen.value:.1%} are served instead of "
                   f"{found.start_unseen.value:.1%}, on periods that the search did not see.")  # fmt: skip
    report.table("Served, on unseen periods", ["mix", "all", *NAMES, "compartments", "mm of column"], [
        ["start " + start, *_row(found.start_unseen.value, found.start_unseen.served, wish.start, room)],
        ["found " + mix, *_row(found.unseen.value, found.unseen.served, found.mix, room)],
        *([f"{name} {'/'.join(map(str, each))}", f"{value:.1%}", "", "", "", sum(each), height(each, room)]
          for name, each, value in rivals),
    ])  # fmt: skip
    report.chart(_chart(found), "Share of each size served before and after")
    report.say(f"{found.tried} mixes were tried on past periods; no size may fall below {wish.floor:.0%} served, or "
               "below what the start serves of it. Without a floor, high loads give up large parcels.")  # fmt: skip
    worse = [f"{name} {now:.1%} instead of {before:.1%}" for name, now, before
             in zip(NAMES, found.unseen.served, found.start_unseen.served, strict=True) if now < before]  # fmt: skip
    if worse and not kept:
        report.say(f"What it costs, on the unseen periods: {', '.join(worse)}.")
    report.then("Nothing is built by this. Try other floors (--floor) and worths (--worth); order columns of the mix "
                "that you chose, and describe them in the station's layout (parcelwall configure).")  # fmt: skip
    return report


def _row(value: float, served: Sequence[float], mix: Mix, room: Room) -> list[object]:
    shares = ["-" if np.isnan(each) else f"{each:.1%}" for each in served]
    return [f"{value:.1%}", *shares, sum(mix), height(mix, room)]


def _chart(found: Found) -> Chart:
    chart = a_chart(6, 3)
    axes = chart.add_subplot()
    places = np.arange(len(NAMES))
    for shift, judged, colour, word in ((-0.2, found.start_unseen, LIGHT, "start"), (0.2, found.unseen, INK, "found")):
        served = np.array(judged.served)
        asked = np.isfinite(served)
        axes.bar(places[asked] + shift, served[asked], width=0.4, color=colour, label=word)
    axes.set_xticks(places, [name if each else f"{name}: none asked" for name, each in zip(NAMES, asked, strict=True)])
    axes.set(ylabel="share served", ylim=(0, 1), xlim=(-0.5, len(NAMES) - 0.5))
    axes.legend()
    return chart

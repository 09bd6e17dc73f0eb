"""How well the chance of room is told: at a real pick-up point or in a simulated year, on past facts only
(docs/planning/offers.md).
"""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

import msgspec
import numpy as np

from parcelwall.bench import simulated_year
from parcelwall.bench.figure import Figure, Tick, skipped
from parcelwall.errors import Trouble
from parcelwall.planning import past, promises, room, room_judged, scores
from parcelwall.planning.demand import Array
from parcelwall.planning.promises import Told
from parcelwall.planning.room_judged import Tables

STATIONS = ((14, 12, 5), (18, 16, 6), (22, 18, 9))
WORKERS = 2
SKILL, ERROR = 0.14, 0.02  # targets of docs/planning/offers.md
QUICK = 600  # parcels judged
SEED = 1  # of the simulated year
LEAST, LEAST_MISSED = 200, 10  # judged, and of those that did not fit: with fewer a skill says nothing


def judge(files: Sequence[Path], seeds: int, quick: bool, tick: Tick) -> list[Figure]:
    """Brier score of the learnt chance against that of the past share by size, for stations of three sizes. Without a
    file of a simulated year.

    Raises Trouble for a file that does not tell when parcels were handed over.
    """
    if not files:
        tick("promises: no file is named, so of a simulated year, after one to learn from …")
        with TemporaryDirectory() as folder:
            return judge([simulated_year.write(Path(folder) / "simulated.csv", SEED)], seeds, quick, tick)
    files = past.files_of(files)
    past.read(files)  # what cannot be read is told before any worker begins
    jobs = [(list(files), station, quick) for station in (STATIONS[1:2] if quick else STATIONS)]
    tick(f"promises: {len(jobs)} stations, {WORKERS} at a time; some minutes each for a year of 6,000 parcels …")
    figures = []
    with ProcessPoolExecutor(WORKERS, get_context("spawn")) as workers:
        for done in workers.map(_of_station, jobs):
            figures.append(done)
            said = done.skipped or f"skill {done.value}, calibration error {done.more['calibration_error']}"
            tick(f"{done.name}: {said}; {len(figures)} of {len(jobs)} done")
    return figures


def _of_station(job: tuple[list[Path], tuple[int, ...], bool]) -> Figure:
    files, station, quick = job
    began = monotonic()
    record = past.read(files)
    before, _ = past.split(record)
    point = promises.point(past.drawn(record.stays, 1))
    cut = (before[-1].came - point.start).total_seconds() / 3600
    judged = np.flatnonzero(point.handed_h > cut)
    if not np.isfinite(point.handed_h).any():
        raise Trouble("the file does not tell when parcels were handed over: its column DateE is missing or empty")
    judged = judged[-QUICK:] if quick else judged
    if len(judged) < LEAST:
        raise Trouble(f"{len(judged)} parcels of the last year can be judged, {LEAST} are needed: give a longer file")
    told = promises.tell(point, station, judged)
    tables = room_judged.tables(point, station, judged)
    return _figure(f"promises_{'/'.join(map(str, station))}", told, tables, round(monotonic() - began, 1))


def _figure(name: str, told: Told, tables: Tables, seconds: float) -> Figure:
    missed = int((told.fitted == 0).sum())
    if missed < LEAST_MISSED:
        return skipped(name, "Brier skill", f"{missed} of {len(told.fitted)} parcels found no room: too few")
    ours, share = room.brier(told.learnt, told.fitted), room.brier(told.share, told.fitted)
    return Figure(
        name=name, value=round(1 - ours / share, 4), unit="Brier skill",
        reference=round(share, 4), ratio=round(share / ours, 3), runs=1, spread=None, floor=SKILL,
        reference_is="Brier score of the past share by size",
        more={
            "parcels": len(told.fitted), "fitted": round(float(told.fitted.mean()), 4), "brier_share": round(share, 4),
            "brier_formula": round(room.brier(told.raw, told.fitted), 4),
            "brier_formula_calibrated": round(room.brier(told.calibrated, told.fitted), 4),
            "brier_learnt": round(ours, 4), "auc": round(room.auc(told.learnt, told.fitted), 3),
            "calibration_error_formula": round(room.calibration_error(told.raw, told.fitted), 4),
            "calibration_error_formula_calibrated": round(room.calibration_error(told.calibrated, told.fitted), 4),
            "calibration_error": round(room.calibration_error(told.learnt, told.fitted), 4),
            "calibration_error_target": ERROR, "seconds": seconds,
            "reliability": _by_tenths(told.learnt, told.fitted),
        } | _of_tables(tables, share),
    )  # fmt: skip


def _of_tables(tables: Tables, share: float) -> dict[str, object]:
    """What `plan room` would have told, beside its formula. A parcel without a likely day has no row in a table."""
    known = np.isfinite(tables.told)
    told, raw, fitted = tables.told[known], tables.raw[known], tables.fitted[known]
    ways = tables.ways
    return {
        "tables_brier": round(room.brier(told, fitted), 4),
        "tables_skill": round(1 - room.brier(told, fitted) / share, 4),
        "tables_calibration_error": round(room.calibration_error(told, fitted), 4),
        "tables_formula_brier": round(room.brier(raw, fitted), 4),
        "tables_formula_calibration_error": round(room.calibration_error(raw, fitted), 4),
        "tables_reliability": _by_tenths(told, fitted),
        "tables_of": int(known.sum()), "tables_ways": {way: ways.count(way) for way in sorted(set(ways))},
    }  # fmt: skip


def _by_tenths(told: Array, fitted: Array) -> list[dict[str, float]]:
    return [msgspec.structs.asdict(each) for each in scores.reliability(told, fitted)]

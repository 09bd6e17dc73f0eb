"""How one station's raw chances are mended: by some numbers, unless something else told clearly better.

Two numbers move and stretch the formula on the logistic scale (Cox 1958, Platt 1999), and one more for each carrier
moves what is told of its parcels; all are held to no change, and outcomes of 400 days count alike. Else it is left as
it is, or the trees of `learnt_room` tell, or the past share by size: each is fitted on what was known before the last
120 days and judged on them, and taken if its Brier score is lower by two standard errors. Then it is fitted anew.
"""

from datetime import datetime
from typing import Literal

import lightgbm
import msgspec
import numpy as np

from parcelwall.planning.demand import Array
from parcelwall.planning.learnt_room import CALIBRATED_ON_H, COLUMNS, WINDOW_H, learn, moved, needed_move, predict
from parcelwall.planning.room import LEAST, MOST
from parcelwall.planning.room_past import Pasts

Way = Literal["formula", "moved", "trees", "share"]
SIZE, CARRIER = (list(COLUMNS).index(name) for name in ("size", "carrier"))
LOOKS = 240  # past looks on each side of the line, to choose by; some two and a half months
MISSED = 10  # outcomes without room on each side: with fewer there is nothing to learn from
ALIKE = 3.0  # rows of one look (three sizes) share their outcome nearly: they count as one
SHRUNK = 30.0  # how strongly these numbers are held to no change, in outcomes
CLEAR = 2.0  # standard errors, over weeks


class Mend(msgspec.Struct, frozen=True, kw_only=True):
    """What was learnt of one station. `carriers`: by number, as they were then; `trees` are LightGBM's own text,
    `share` by size; `scores` are those by which it was chosen, of `judged` outcomes."""

    station: str
    learnt_at: datetime
    compartments: tuple[int, ...]
    carriers: tuple[str, ...] = ()
    way: Way = "formula"
    shift: float = 0.0
    stretch: float = 0.0
    of_carrier: tuple[float, ...] = ()  # what the formula is shifted by for each, besides
    trees: tuple[str, ...] = ()
    share: tuple[float, ...] = ()
    scores: dict[str, float] = {}
    judged: int = 0


def learnt(station: str, at: datetime, compartments: tuple[int, ...], past: Pasts, now_h: float) -> Mend:
    """From looks whose outcome was there by `now_h`. With too few of them the formula, moved as far as they carry."""
    past = past.only((past.known_h < now_h) & (past.asked_h > now_h - WINDOW_H) & np.isfinite(past.raw))
    line = now_h - CALIBRATED_ON_H
    before, after = past.only(past.known_h < line), past.only(past.asked_h >= line)
    blank = _moved(Mend(station=station, learnt_at=at, compartments=compartments), past)
    if not (_enough(before) and _enough(after)):
        return blank
    trees = predict(learn(before.rows, before.fitted, before.weight), after.rows)
    told = {
        "formula": np.clip(after.raw, LEAST, MOST), "trees": np.clip(trees, LEAST, MOST),
        "moved": tell(_moved(blank, before), after.raw, after.rows),
        "share": np.array(_shares(before, len(compartments)))[after.rows[:, SIZE].astype(int)],
    }  # fmt: skip
    scores = {way: round(_brier(chances, after), 5) for way, chances in told.items()}
    clear = [way for way in told if _clearly_better(told[way], told["moved"], after)]
    blank = msgspec.structs.replace(blank, scores=scores, judged=len(after.fitted))
    best = min(clear, key=lambda way: scores[way], default="moved")
    if best == "trees":
        shift, stretch = needed_move(trees, after.fitted, after.weight / ALIKE)
        every = tuple(each.model_to_string() for each in learn(past.rows, past.fitted, past.weight))
        return msgspec.structs.replace(blank, way="trees", trees=every, shift=shift, stretch=stretch,
                                       of_carrier=())  # fmt: skip
    if best == "moved":
        return blank
    share = _shares(past, len(compartments)) if best == "share" else ()
    return msgspec.structs.replace(blank, way=best, share=share, shift=0.0, stretch=0.0, of_carrier=())


def tell(mend: Mend, raw: Array, rows: Array) -> Array:
    """Chances, from the formula's and what it is made of: LEAST..MOST."""
    chances = raw
    if mend.way == "share":
        chances = np.array(mend.share)[rows[:, SIZE].astype(int)]
    elif mend.way == "trees":
        chances = predict([lightgbm.Booster(model_str=each) for each in mend.trees], rows)
    shift = mend.shift + _whose(rows, len(mend.of_carrier)) @ np.array(mend.of_carrier)
    return moved(np.clip(chances, LEAST, MOST), shift, mend.stretch)


def _moved(blank: Mend, past: Pasts) -> Mend:
    whose = _whose(past.rows, int(past.rows[:, CARRIER].max(initial=-1)) + 1)
    shift, stretch, *of_carrier = needed_move(past.raw, past.fitted, past.weight / ALIKE, whose, SHRUNK)
    return msgspec.structs.replace(blank, way="moved", shift=shift, stretch=stretch, of_carrier=tuple(of_carrier))


def _whose(rows: Array, carriers: int) -> Array:
    """(n, carriers): 1 in the column of the carrier; nowhere for nobody's and for one that is new since."""
    return (rows[:, [CARRIER]] == np.arange(carriers)).astype(float)


def _clearly_better(told: Array, than: Array, came: Pasts) -> bool:
    """Whether squared errors are lower by CLEAR standard errors, weeks taken for independent of each other."""
    gain = came.weight * ((than - came.fitted) ** 2 - (told - came.fitted) ** 2)
    _, week = np.unique(came.known_h // 168, return_inverse=True)
    weekly = np.bincount(week, gain)
    return bool(weekly.mean() > CLEAR * weekly.std(ddof=1) / len(weekly) ** 0.5) if len(weekly) > 1 else False


def _brier(told: Array, came: Pasts) -> float:
    return float(np.average((told - came.fitted) ** 2, weights=came.weight))


def _enough(past: Pasts) -> bool:
    return len(np.unique(past.asked_h)) >= LOOKS and (past.fitted == 0).sum() >= MISSED


def _shares(past: Pasts, sizes: int) -> tuple[float, ...]:
    of = past.rows[:, SIZE]
    return tuple(float(past.fitted[of == size].mean()) if (of == size).any() else 0.5 for size in range(sizes))

"""What offers had told with a promise, held against what came: the chance of room, and the time by which it is ready.

A chance is of one more parcel that nobody promised room; the promise that followed held the room for its own. So
promises are kept at least as often as chances say: that more were kept is no fault of theirs, that fewer were is one.
Chances that promised more than came and score worse than the plain share of past promises are not to be told: `plan
room` makes no tables then, and the hub goes by counts. Worse scores for telling too little are said, and stop nothing.
"""

from collections import defaultdict
from datetime import datetime, timedelta

import msgspec
import numpy as np

from parcelwall.planning.history import History, Story
from parcelwall.planning.scores import Tenth, reliability
from parcelwall.planning.wanted import OF_COUNTS

LOOK_BACK = 120  # days: a model that was worse gets another chance
ENOUGH = 100  # outcomes, to say that a model is worse
FIRST_SHARE = 0.95  # before anything has come
BY_CHANCE = 2.0  # standard errors by which fewer may come than was told


class Chances(msgspec.Struct, frozen=True, kw_only=True):
    """How what was told did. Brier scores of the chance and of the past share at that station, size and time; the share
    of windows whose end was kept; and the chances by tenths. None where nothing was told."""

    told: int
    came_true: float | None = None
    mean_told: float | None = None
    error_of_mean: float = 0.0  # the standard error of `came_true`, if all chances were true
    brier: float | None = None
    brier_of_share: float | None = None
    windows: int = 0
    ready_in_time: float | None = None
    reliability: list[Tenth] = []

    @property
    def is_worse(self) -> bool:
        """Whether enough was told to see that the past share would have been better."""
        return self.told >= ENOUGH and (self.brier or 0.0) > (self.brier_of_share or 0.0)

    @property
    def promises_too_much(self) -> bool:
        """Whether they are worse, and fewer promises were kept than they said, by more than chance explains."""
        excess = (self.mean_told or 0.0) - (self.came_true or 0.0)
        return self.is_worse and excess > BY_CHANCE * self.error_of_mean


def outcome(story: Story) -> bool | None:
    """Whether the promised room was there: it was brought there, or it went elsewhere for want of room. None: nobody
    can say (it was cancelled, never came, or is still on its way)."""
    if story.deposited is not None:
        return story.station == story.told_at
    return False if story.why in OF_COUNTS else None


def score(history: History, now: datetime) -> Chances:
    """All promises of the last LOOK_BACK days that followed an offer, in the order in which they were made."""
    since = now - timedelta(days=LOOK_BACK)
    stories = [each for each in history.stories.values() if each.told and each.reserved and each.reserved >= since]
    stories.sort(key=lambda each: str(each.reserved))
    judged = [(each, hit) for each in stories if (hit := outcome(each)) is not None]
    chances = [(each.told.chance, hit, share) for (each, hit), share in zip(judged, _shares(judged), strict=True)
               if each.told is not None and each.told.chance is not None]  # fmt: skip
    windows = [each.deposited <= each.told.by for each in stories
               if each.deposited and each.told and each.told.by and each.station == each.told_at]  # fmt: skip
    kept = round(float(np.mean(windows)), 4) if windows else None
    if not chances:
        return Chances(told=0, windows=len(windows), ready_in_time=kept)
    told, came, share = (np.array(column, float) for column in zip(*chances, strict=True))
    return Chances(
        told=len(chances), came_true=round(float(came.mean()), 4), mean_told=round(float(told.mean()), 4),
        error_of_mean=round(float(np.sqrt((told * (1 - told)).sum()) / len(told)), 4),
        brier=round(float(((told - came) ** 2).mean()), 4),
        brier_of_share=round(float(((share - came) ** 2).mean()), 4), windows=len(windows), ready_in_time=kept,
        reliability=reliability(told, came),
    )  # fmt: skip


def _shares(judged: list[tuple[Story, bool]]) -> list[float]:
    """For each, the share of promises before it that came true: of its station and size, else of all."""
    own: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])  # how many came true, of how many
    every, found = [0, 0], []
    for story, hit in judged:
        mine = own[story.told_at, story.size]
        true, of = mine if mine[1] >= 10 else every
        found.append(true / of if of else FIRST_SHARE)
        for each in (mine, every):
            each[0] += hit
            each[1] += 1
    return found


def no_tables(found: Chances) -> str:
    """Why there are none; nothing if there are."""
    if not found.promises_too_much:
        return ""
    return f"{_worse(found)} and promised too much: no tables are made, the hub goes by counts."


def doubt(found: Chances) -> str:
    """What to know of tables that are made all the same; nothing if there is nothing."""
    if not found.is_worse or found.promises_too_much:
        return ""
    return (f"{_worse(found)}. They did not promise too much: {found.mean_told:.1%} were told to find room, "
            f"{found.came_true:.1%} did, as a promise holds the room that it is told with.")  # fmt: skip


def _worse(found: Chances) -> str:
    return (f"Chances of room told with {found.told} promises score worse (Brier {found.brier}) than the share of past "
            f"promises ({found.brier_of_share})")  # fmt: skip

"""The nightly plan is judged by the rows that it proposes, as the hub would evaluate them."""

from datetime import timedelta

import numpy as np

from parcelwall.planning import nightly, wanted
from parcelwall.planning.demand import Requests
from parcelwall.planning.each_night import EachNight
from parcelwall.planning.history import Story
from parcelwall.planning.trial import BestFit, Inside, replay
from planning.test_nightly import MIDNIGHT, S, lives, of, planned


def two_visits(days: int, a_day: float) -> list[Story]:
    """Every other parcel comes at half past seven, the others at ten."""
    found = lives(days, a_day)
    for story in found[1::2]:
        early = timedelta(hours=-2.5)
        story.deposited = story.deposited + early if story.deposited else None
        story.ended = story.ended + early if story.ended else None
    return found


def test_levels_are_judged_a_day_at_a_time_however_often_a_courier_comes() -> None:
    found = planned(of(two_visits(56, 14)))
    assert found.reason == "" and found.served_levels is not None and found.served_best_fit is not None
    assert found.served_levels > found.served_best_fit


class Watched(EachNight):
    looks: list[float]

    def visit(self, now_h: float, inside: Inside) -> None:
        super().visit(now_h, inside)
        self.looks = [*getattr(self, "looks", []), now_h]


def test_one_level_holds_for_a_day_and_counts_who_came_that_day_and_is_there_still() -> None:
    known = of(two_visits(56, 24))
    point = nightly.point_of(known, wanted.gather(known, [], [], MIDNIGHT), S, MIDNIGHT)
    cut = point.now.date() - timedelta(days=7)
    expected = nightly.model(point, cut)
    requests = nightly.as_requests(point, [each for each in point.asked if each.at.date() >= cut], expected, 1)
    rule = Watched(expected, 1, np.ones(expected.mean.shape[1:]))
    served = replay(rule, requests, point.counts, looks_h=[24.0 * day for day in range(7)]).served
    assert rule.looks == [24.0 * day for day in range(7)]
    slow = point.services.index("slow")
    last = requests.comes_h >= 144
    level = rule.level[slow, 0]
    asked, taken = (int((last & (requests.stratum == slow) & which).sum()) for which in (True, served))
    assert level < rule.expects[slow, 0] and taken == min(asked, level), "nobody who stays long is gone the same day"


class Looking(BestFit):
    def __init__(self) -> None:
        self.free: list[int] = []

    def visit(self, now_h: float, inside: Inside) -> None:
        self.free.append(inside.free[0])


def test_a_look_ahead_sees_who_is_there_at_its_hour_and_not_at_the_next_arrival() -> None:
    made = Requests(np.array([10.0, 11.0, 40.0]), np.array([20.0, 30.0, 50.0]), *np.zeros((3, 3), dtype=int), ("all",),
                    np.ones((1, 8)))  # fmt: skip
    rule = Looking()
    replay(rule, made, (2,), looks_h=[0.0, 12.0, 24.0])
    assert rule.free == [2, 0, 1], "the one who left at 30 was there at 24"

"""The reliability diagram: what was told, by tenths, and the share of it that came true."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from parcelwall.planning import told
from parcelwall.planning.dice import dice
from parcelwall.planning.forecast_report import score_page
from parcelwall.planning.history import History, Story
from parcelwall.planning.scores import reliability
from parcelwall.planning.stored import Scores
from parcelwall.rules.tables import Told

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def test_chances_that_are_true_come_true_in_each_tenth() -> None:
    rng = dice(1)
    chances = rng.random(20_000)
    found = reliability(chances, (rng.random(20_000) < chances).astype(float))
    assert [each.low for each in found] == pytest.approx([n / 10 for n in range(10)])
    assert all(abs(each.came - each.told) < 3 * each.error for each in found)
    assert sum(each.count for each in found) == 20_000


def test_chances_that_promise_too_much_are_seen_where_they_do() -> None:
    told_, came = np.repeat([0.35, 0.95], 400), np.repeat([0.35, 0.7], 400)
    low, high = reliability(told_, (np.tile(np.arange(400) / 400, 2) < came).astype(float))
    assert abs(low.came - low.told) < low.error and high.told - high.came > 10 * high.error


def test_the_ends_and_edges_belong_to_one_tenth_each() -> None:
    found = reliability(np.array([0.0, 0.1, 0.3, 0.7, 1.0]), np.zeros(5))
    assert [(round(each.low, 1), each.count) for each in found] == [(0, 1), (0.1, 1), (0.3, 1), (0.7, 1), (0.9, 1)]
    assert found[-1].error == 0 and reliability(np.zeros(0), np.zeros(0)) == []


def test_the_page_of_scores_shows_the_diagram_and_its_numbers(tmp_path: Path) -> None:
    def story(number: int) -> Story:
        when = NOW - timedelta(days=2, minutes=number)
        kept = number % 4 > 0
        return Story(carrier="acme", station="S-0001" if kept else "S-0002", first="S-0001", announced=when,
                     reserved=when, deposited=when + timedelta(days=1), told=Told(chance=0.8), told_at="S-0001",
                     size="S")  # fmt: skip

    chances = told.score(History({UUID(int=n): story(n) for n in range(200)}, {}), NOW)
    [tenth] = chances.reliability
    assert (tenth.count, tenth.told, tenth.came) == (200, 0.8, 0.75)
    page, _ = score_page(Scores(newly_scored=0, loads=[], promises=[], told=chances)).write(tmp_path, chances)
    text = page.read_text()
    assert "<svg" in text and "0.75" in text and "The same in numbers" in text
    nothing, _ = score_page(Scores(newly_scored=0, loads=[], promises=[], told=told.Chances(told=0))).write(tmp_path, 0)
    assert "<svg" not in nothing.read_text()

"""How figures come of measurements."""

import pytest
from typer.testing import CliRunner

from parcelwall.__main__ import app
from parcelwall.bench.commands import ALL
from parcelwall.bench.figure import Once, alone, cpu_figure, from_pairs, medians, ratio, rounded, skipped, spread
from parcelwall.bench.files import NAMES
from parcelwall.bench.memory import _toml
from parcelwall.bench.meters import memory_mib, seconds, tree_cpu_s
from parcelwall.bench.pretend_station import profile_table


def pair(ours: float, theirs: float) -> tuple[Once, Once]:
    mine = Once(ours, {"hub": 100.0, "postgres": 50.0, "load": 900.0})
    return mine, Once(theirs, {"postgres": 250.0, "pgbench": 50.0})


def test_a_figure_is_the_median_of_its_pairs_not_of_its_parts() -> None:
    figure = from_pairs("x", "parcels/s", [pair(100, 50), pair(300, 100), pair(90, 60)], floor=2.0)
    assert (figure.value, figure.reference, figure.ratio, figure.runs) == (100, 60, 2.0, 3)
    assert figure.spread == round((3.0 - 1.5) / 2.0, 2)


def test_less_is_better_where_it_is_time() -> None:
    assert ratio(5.0, 10.0, "less") == 2.0
    assert ratio(5.0, 10.0, "more") == 0.5


def test_cpu_leaves_the_load_out_on_our_side_and_nothing_on_the_other() -> None:
    pairs = [pair(1, 1)]
    cpu = cpu_figure(from_pairs("x", "parcels/s", pairs), pairs, floor=2.0)
    assert (cpu.name, cpu.value, cpu.reference, cpu.ratio) == ("x_cpu", 150.0, 300.0, 2.0)


def test_cpu_has_a_spread_of_its_own() -> None:
    pairs = [pair(1, 1), (Once(9, {"hub": 100.0}), Once(1, {"postgres": 300.0})), pair(1, 1)]
    wall = from_pairs("x", "parcels/s", pairs)
    cpu = cpu_figure(wall, pairs, floor=2.0)
    assert (wall.spread, cpu.ratio, cpu.spread) == (8.0, 2.0, 0.5)


def test_one_run_has_no_spread() -> None:
    assert spread([3.0]) is None
    assert alone("x", "MiB", [Once(80.0)]).spread is None
    assert skipped("x", "MiB", "no such program").value is None


@pytest.mark.parametrize(("value", "shown"), [(1234.5, 1234.0), (0.123456, 0.1235), (12.3456, 12.35)])
def test_four_digits_are_enough(value: float, shown: float) -> None:
    assert rounded(value) == pytest.approx(shown, abs=1)


def test_medians_keep_what_is_no_number() -> None:
    assert medians([{"a": 1.0, "b": "x"}, {"a": 3.0, "b": "y"}, {"a": 2.0}]) == {"a": 2.0, "b": "y"}


def test_meters_see_this_process() -> None:
    import os

    began, before = seconds(), tree_cpu_s([os.getpid()])
    while seconds() - began < 0.1:
        pass
    assert tree_cpu_s([os.getpid()]) > before
    assert memory_mib(os.getpid())["rss"] > 10


def test_the_pretend_station_file_is_toml() -> None:
    import tomllib

    table = profile_table("/dev/x")
    text = "\n".join(f"{name} = {_toml(value)}" for name, value in table.items())
    assert tomllib.loads(text) == table


def test_the_help_names_all_that_can_be_measured() -> None:
    said = CliRunner().invoke(app, ["bench", "--help"]).output
    assert [name for name in (*ALL, *NAMES) if name not in said] == []

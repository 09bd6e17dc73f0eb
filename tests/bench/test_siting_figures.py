"""A folder of problems: what one of them lacks costs the others nothing."""

from pathlib import Path

import pytest

from parcelwall.bench.figure import Figure
from parcelwall.bench.siting import measure
from parcelwall.errors import Trouble
from parcelwall.planning.solver import Limits

MEDIAN = "4 4 2\n1 2 3\n2 3 4\n3 4 5\n1 2 1\n"
ROOM_FOR_ONE = "2 2\n 1 5.\n 1 7\n 4\n 1 9\n 6\n 9 2\n"  # demand of 10, capacities of 1 each


def city(*sets: str) -> str:
    rows = ["set,kind,node,lat,lon", *(f"{sets[0]},parcelpoint,{i},60.{i:02},25.0" for i in range(12))]
    rows += [f"{name},demand,{i},60.{i:02},25.0{k}" for k, name in enumerate(sets) for i in range(12)]
    return "\n".join(rows)


def measured(folder: Path, **files: str) -> tuple[dict[str, Figure], list[str]]:
    for name, text in files.items():
        (folder / f"{name}.{'csv' if 'lat' in text else 'txt'}").write_text(text, encoding="utf-8")
    told: list[str] = []
    return {each.name: each for each in measure([folder], 1, False, told.append)}, told


def test_a_table_without_days_to_judge_on_is_told_at_once_and_left_out(tmp_path: Path) -> None:
    figures, told = measured(tmp_path, pmed1=MEDIAN, zcity=city("0"))
    assert list(figures) == ["pmed1"] and figures["pmed1"].value == 5
    assert told[0].startswith("zcity.csv is left out") and "1 sets" in told[0]
    with pytest.raises(Trouble, match="1 sets"):
        measure([tmp_path / "zcity.csv"], 1, False, lambda _: None)


def test_sets_of_other_names_are_halved_in_their_order(tmp_path: Path) -> None:
    figures, _ = measured(tmp_path, as_known=city("0", "1", "2", "3"), later=city("9", "10", "11", "12"))
    assert figures["as_known_10"].value == figures["later_10"].value
    assert figures["later_10"].value is not None


def test_capacities_below_the_demand_are_said_beside_the_figure(tmp_path: Path) -> None:
    figures, _ = measured(tmp_path, cap1=ROOM_FOR_ONE, pmed1=MEDIAN)
    assert figures["cap1"].value == 15 and "can serve 2 parcels" in figures["cap1"].more["with_capacity"]
    assert figures["pmed1"].value == 5


def test_what_is_not_solved_in_time_is_skipped_in_its_place(tmp_path: Path) -> None:
    for name, text in (("cap1", ROOM_FOR_ONE), ("pmed1", MEDIAN)):
        (tmp_path / f"{name}.txt").write_text(text, encoding="utf-8")
    late, solved = measure([tmp_path], 1, False, lambda _: None, Limits(seconds=0.0))
    assert late.value is None and "no plan was found" in late.skipped
    assert solved.value == 5

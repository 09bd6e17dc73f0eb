"""One more column: told where it surely saves refusals, how many a week, and a reason everywhere else."""

import asyncio
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import asyncpg
import msgspec
import numpy as np
import pytest
from typer.testing import CliRunner

from parcelwall.errors import Trouble
from parcelwall.planning import at_hub, commands, one_column, one_column_report, typed
from parcelwall.planning.demand import generated
from parcelwall.planning.history import History
from parcelwall.planning.nightly import Point
from parcelwall.planning.one_column import Column, Saved, of_station, standing
from parcelwall.planning.trial import BestFit, replay
from parcelwall.planning.wanted import Asked, Wanted
from parcelwall.rules.layout import plain_layout
from parcelwall.rules.places import Plan
from station.towns import a_hub, a_small_town, told

LAYOUT = plain_layout("SSSSSSSS SSSSSSSS SSSSSSSS MMMMMMMMMM MMMMMMMMMM LLLLLLLL")
COUNTS = [24, 20, 8]
BEGAN, DAYS = datetime(2026, 1, 5), 56  # a Monday
TODAY = BEGAN + timedelta(days=DAYS)
COLUMNS: list[Column] = [{"S": 12}, {"M": 8}, {"S": 4, "M": 3, "L": 1}]


def asked(seed: int, load: float) -> list[Asked]:
    """Of a station of COUNTS at this load, as it serves them; how long the refused would have stayed nobody saw."""
    made = generated(seed, load, COUNTS, days=DAYS)
    served = replay(BestFit(), made, COUNTS).served
    found = [
        Asked(BEGAN + timedelta(hours=came), "SML"[size], "", "acme", "unknown", bool(ok), left - came if ok else None)
        for came, left, size, ok in zip(made.comes_h, made.leaves_h, made.size, served, strict=True)
    ]  # fmt: skip
    return [each for each in found if each.at < TODAY]


def point(wanted: list[Asked], station: str = "S-0001") -> Point:
    return Point(station, TODAY.replace(tzinfo=UTC), ZoneInfo("UTC"), Plan(LAYOUT), ["S", "M", "L"], [""], wanted, {},
                 [], [], [], date(2026, 1, 5))  # fmt: skip


def in_truth(load: float, column: Column) -> float:
    """Refusals a week fewer, over many weeks that nobody has seen, all stays known."""
    more, fewer, weeks = [n + column.get(size, 0) for n, size in zip(COUNTS, "SML", strict=True)], 0, 0
    for seed in range(1000, 1012):
        made = generated(seed, load, COUNTS, days=DAYS)
        now = (made.comes_h >= 168) & (made.comes_h < 168 * 8)
        fewer += int((replay(BestFit(), made, more).served & now).sum())
        fewer -= int((replay(BestFit(), made, COUNTS).served & now).sum())
        weeks += 7
    return fewer / weeks


def test_a_busy_station_is_told_the_column_that_saves_most_and_how_much_that_is() -> None:
    found = [of_station(point(asked(seed, 1.1)), COLUMNS, 1) for seed in range(8)]
    assert all(each.reason == "" and each.column == {"S": 12} and each.weeks == 7 for each in found)
    truth = in_truth(1.1, {"S": 12})
    assert truth > 30
    assert np.mean([each.fewer for each in found]) == pytest.approx(truth, rel=0.06)
    inside = sum(each.low <= truth <= each.high for each in found)
    assert 4 <= inside <= 8 and all(0 < each.low < each.fewer < each.high for each in found)
    for each in found:
        assert each.refused_replayed == pytest.approx(each.refused, rel=0.05), "it refused those that it was asked for"
        assert max(each.others, key=lambda pair: pair[1])[0] == each.column
        assert each.refused_replayed > each.fewer > 0.3 * each.refused_replayed


def test_where_nobody_is_refused_no_column_is_told() -> None:
    quiet = of_station(point(asked(1, 0.3)), COLUMNS, 1)
    assert (quiet.reason, quiet.column, quiet.fewer) == ("nothing_refused", {}, 0)


def test_where_a_few_refusals_came_by_chance_nothing_sure_is_said() -> None:
    told = {of_station(point(asked(seed, load)), COLUMNS, 1).reason for seed in range(6) for load in (0.45, 0.5)}
    assert "not_sure" in told and told <= {"not_sure", "nothing_refused", ""}


@pytest.mark.parametrize(("of", "reason"), [
    (lambda every: [], "no_history"), (lambda every: every[-300:], "no_history"),
    (lambda every: [each for each in every if each.at < TODAY - timedelta(days=20)], "silent"),
    (lambda every: [msgspec.structs.replace(each, size="XXL") for each in every], "sizes_changed"),
], ids=["nobody asked", "a few days", "silent", "other sizes"])  # fmt: skip
def test_a_station_of_which_too_little_is_known_is_said_to_be_one(of: object, reason: str) -> None:
    assert callable(of)
    assert of_station(point(of(asked(1, 1.1))), COLUMNS, 1) == Saved(station="S-0001", reason=reason)


def test_a_column_of_sizes_that_do_not_stand_there_is_not_told() -> None:
    assert of_station(point(asked(1, 1.1)), [{"XL": 2}], 1).reason == "no_column"


def test_columns_that_stand_in_the_network_are_tried_the_most_frequent_first() -> None:
    assert standing({"A": LAYOUT, "B": plain_layout("SM SM")}) == [{"S": 8}, {"M": 10}, {"M": 1, "S": 1}, {"L": 8}]


def test_the_report_ranks_stations_and_says_why_not(tmp_path: Path) -> None:
    history = History({}, dict.fromkeys(("S-0001", "S-0002", "S-0003", "S-0004"), "UTC"),
                      layouts=dict.fromkeys(("S-0001", "S-0002", "S-0003", "S-0004"), LAYOUT))  # fmt: skip
    wanted = Wanted({"S-0001": asked(1, 0.3), "S-0002": asked(1, 0.9), "S-0003": asked(1, 1.2)}, {}, {})
    page, found = one_column_report.made(history, wanted, TODAY.replace(tzinfo=UTC), COLUMNS, 1, lambda text: None)
    assert [each.station for each in found.stations] == ["S-0003", "S-0002", "S-0001", "S-0004"]
    best = found.stations[0]
    assert page.summary.startswith(f"Add 12 S at S-0003: {best.fewer:.1f} refusals a week fewer (8 in 10 between")
    report, plan = page.write(tmp_path, found)
    text = report.read_text()
    assert "nobody is refused with the compartments that are there. (1: S-0001)" in text
    assert "fewer than four weeks, or fewer than 50 stays, are known. (1: S-0004)" in text and "<svg" in text
    assert json.loads(plan.read_text())["stations"][0]["column"] == {"S": 12}
    only = Wanted({"S-0001": asked(1, 0.3)}, {}, {})
    page, _ = one_column_report.made(history, only, TODAY.replace(tzinfo=UTC), [], 1, lambda text: None)
    assert page.summary == "One more column would have saved no refusals at any of 4 stations, as far as is known."
    with pytest.raises(Trouble, match="no station has a size XL; there are L, M, S"):
        one_column_report.made(history, only, TODAY.replace(tzinfo=UTC), [{"XL": 1}], 1, lambda text: None)


def test_names_of_sizes_are_shown_as_they_are(tmp_path: Path) -> None:
    found = Saved(station="S-0001", reason="", column={"$\\frac": 3, "<b>$": 4}, weeks=7, fewer=2.0, low=1.0, high=3.0)
    columns = one_column_report.Columns(made_at=TODAY.replace(tzinfo=UTC), columns=[found.column], stations=[found])
    report, _ = one_column_report.report(columns).write(tmp_path, columns)
    assert "Add 3 $\\frac + 4 &lt;b&gt;$ at S-0001" in report.read_text()


def test_a_fault_at_one_station_holds_up_no_other() -> None:
    broken = [msgspec.structs.replace(each, dwell_h="long") for each in asked(2, 1.1)]  # no such thing can be
    history = History({}, {"S-0001": "UTC", "S-0002": "UTC"}, layouts={"S-0001": LAYOUT, "S-0002": LAYOUT})
    wanted = Wanted({"S-0001": broken, "S-0002": asked(1, 1.1)}, {}, {})
    said: list[str] = []
    found = one_column.plan_all(history, wanted, TODAY.replace(tzinfo=UTC), COLUMNS, 1, said.append)
    assert [(each.station, each.reason) for each in found] == [("S-0002", ""), ("S-0001", "failed")]
    assert len(said) == 2


def test_a_reason_has_its_words() -> None:
    point_reasons = {"no_compartment", "sizes_are_no_ladder", "no_history", "sizes_changed", "silent"}
    assert set(one_column_report.NONE) == point_reasons | {"nothing_refused", "not_sure", "no_column", "failed"}
    assert one_column.LEVEL == 0.9, "the report says 8 in 10"


@pytest.mark.parametrize("text", ["", "S", "S=", "=3", "S=0", "S=-1", "S=1.5", "S=1000", "S=1,S=2", "S=1,,M=2"])
def test_what_is_no_column_is_refused(text: str) -> None:
    with pytest.raises(Trouble, match=r"S=6,M=3|twice"):
        typed.column(text)


def test_a_column_as_it_is_typed() -> None:
    assert typed.column("S=6, M=3") == {"S": 6, "M": 3}


def test_a_file_and_a_journal_are_not_looked_at_together(tmp_path: Path) -> None:
    said = CliRunner().invoke(commands.app, ["mix", "a.csv", "--column", "S=1"])
    assert isinstance(said.exception, Trouble) and "leave out the file" in str(said.exception)


async def test_the_command_line_looks_into_a_hubs_journal(database: str, tmp_path: Path) -> None:
    class Reached:
        dsn = database

    at_hub.reach_hubs_by(lambda data, url, act: asyncio.run(act(Reached())))  # type: ignore[arg-type]
    given = ["mix", "--data", str(tmp_path), "--out", str(tmp_path / "plan"), "--column", "S=2,M=1"]
    async with a_small_town(database, tmp_path / "hub") as town:
        await told(town, "PW-0")
        done = await asyncio.to_thread(CliRunner().invoke, commands.app, given)
    assert done.exit_code == 0, done.output
    assert "no refusals at any of 1 stations" in done.output
    plan = json.loads((tmp_path / "plan" / "plan.json").read_text())
    assert plan["columns"] == [{"S": 2, "M": 1}]
    assert [(each["station"], each["reason"]) for each in plan["stations"]] == [("S-0001", "no_history")]


async def test_a_hub_without_a_station_is_said_to_be_one(database: str, tmp_path: Path) -> None:
    async with a_hub(database, tmp_path):
        connection = await asyncpg.connect(database)
        with pytest.raises(Trouble, match="no station yet"):
            await one_column_report.read(connection, TODAY.replace(tzinfo=UTC))
        await connection.close()

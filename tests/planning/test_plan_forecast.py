"""`plan forecast` and `plan adopt`: a page, a file, reasons that are told, and tables that an operator approves."""

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from typer.testing import CliRunner

from parcelwall.errors import Trouble
from parcelwall.planning import forecast_plan, forecast_report, records, visits
from parcelwall.planning.adoption import read_tables, sum_up
from parcelwall.planning.commands import app
from parcelwall.planning.forecast import load_by_day, loads_by_station
from parcelwall.planning.forecast_plan import Network, why_not
from parcelwall.planning.records import Row, from_rows, weekday, whole
from parcelwall.rules.offers import RoomTable
from parcelwall.rules.tables import AdmissionRow, VisitCalendar
from planning.pretend_point import START, rows, write
from rules.samples import CALENDAR

FIRST = records.day_number(START.date())
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def at(station: str, made: list[Row]) -> list[Row]:
    return [msgspec.structs.replace(row, station=station) for row in made]


def network(*of: Row, day: int = FIRST + 150) -> Network:
    parcels = from_rows(of)
    zones = dict.fromkeys(parcels.stations, "Europe/Helsinki")
    return Network(records=parcels, person=np.full(len(parcels), -1), zones=zones, origin=lambda station, hour: day)


def back(made: list[Row], days: int) -> list[Row]:
    """The same so many days later."""
    later = timedelta(days=days)
    times = ("ready", "handed", "deposited", "collected")
    return [msgspec.structs.replace(row, **{name: getattr(row, name) + later for name in times}) for row in made]


def as_known(now: datetime, made: list[Row]) -> list[Row]:
    """A live export: what has not happened by now is blank."""
    return [Row(row.ready, *(at if at and at <= now else None for at in (row.handed, row.deposited, row.collected)),
                row.carrier) for row in made if row.ready <= now]  # fmt: skip


@pytest.mark.parametrize(("at_h", "noon", "evening"), [(20, 0, 0), (13, 0, -1), (10, -1, -1)])
def test_a_file_that_ends_in_the_middle_of_a_day_tells_from_the_day_before(
    at_h: int, noon: int, evening: int, tmp_path: Path
) -> None:
    now = START + timedelta(days=94, hours=at_h)
    found = records.read_pickups([write(tmp_path / "live.csv", as_known(now, rows(100, 60)))], with_open=True)
    told = [forecast_plan.last_day(found, hour) - records.day_number(now.date()) for hour in (12, 20)]
    assert told == [noon, evening]
    whole_file = from_rows(rows(95, 8))
    assert forecast_plan.last_day(whole_file, 20) == int(whole_file.deposited.max())


def test_a_file_without_a_zone_makes_no_calendar_and_says_so(tmp_path: Path) -> None:
    point = write(tmp_path / "point.csv", rows(60, 8))
    page, plan = forecast_report.from_file(point, "FI", datetime(2024, 3, 1, tzinfo=UTC), lambda _: None)
    assert plan.calendars == [] and plan.loads
    made, _ = page.write(tmp_path / "plan", plan)
    assert "made with --zone" in made.read_text()
    with pytest.raises(Trouble, match="no time zone, such as"):
        forecast_report.from_file(point, "", datetime(2024, 3, 1, tzinfo=UTC), lambda _: None, "Mars/North")


def test_a_short_past_of_even_days_is_no_drift() -> None:
    even = [Row(START + timedelta(days=d, hours=h), START + timedelta(days=d, hours=h + 2),
                START + timedelta(days=d + 1, hours=9), START + timedelta(days=d + 1, hours=19), "A")
            for d in range(20) for h in (6, 8, 10, 12)]  # fmt: skip
    found = from_rows(even)
    short = Network(records=found, person=np.full(len(found), -1), zones={},
                    origin=lambda station, hour: forecast_plan.last_day(found, hour))  # fmt: skip
    assert why_not(short, "station") == ""


def test_the_command_writes_a_page_and_a_file_whose_tables_can_be_adopted(tmp_path: Path) -> None:
    now = START + timedelta(days=94, hours=20)
    point = write(tmp_path / "point.csv", as_known(now, rows(100, 8)))
    done = CliRunner().invoke(app, ["forecast", str(point), "--out", str(tmp_path / "plan"),
                                    "--zone", "Europe/Helsinki"])  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "14 loads of 1 stations" in done.output
    told = (tmp_path / "plan/report.html").read_text()
    assert "<svg" in told and "best baseline" in told
    plan = msgspec.json.decode((tmp_path / "plan/plan.json").read_bytes(), type=forecast_plan.Plan)
    assert all(0 <= load.low <= load.told <= load.high for load in plan.loads)
    assert {load.ahead for load in plan.loads} == set(range(1, 8)) and not plan.reasons
    lying = sum(row.deposited <= now < row.collected for row in rows(100, 8))  # type: ignore[operator]
    next_evening = next(load for load in plan.loads if load.hour == 20)
    assert lying > 5 and next_evening.told > 0.6 * lying and next_evening.made_on == now.date()
    assert plan.calendars[0].zone == "Europe/Helsinki" and plan.without_holidays == []
    today = plan.calendars[0].fit.fitted_on
    now = datetime.combine(today, time(12), UTC)
    tables, digest = read_tables(tmp_path / "plan/plan.json", (), now)
    assert plan.curves and {type(each) for each in tables} == {VisitCalendar} and len(digest) == 64
    assert "dwell curves are for people, and used by nothing" in told
    assert "2 visit calendars" in sum_up(tables)
    with pytest.raises(Trouble, match="too old"):
        read_tables(tmp_path / "plan/plan.json", (), now + timedelta(days=60))
    with pytest.raises(Trouble, match="no table to adopt of these stations"):
        read_tables(tmp_path / "plan/plan.json", ["S-9999"], now)


def test_a_country_of_which_no_holidays_are_known_is_told(tmp_path: Path) -> None:
    """It was promised in words and told by nobody: a typing error made every holiday a working day."""
    point = write(tmp_path / "point.csv", rows(8, 4))
    for country, known in (("fi", True), ("XX", False), ("", False)):
        ran = ["forecast", str(point), "--country", country, "--out", str(tmp_path / "plan")]
        assert CliRunner().invoke(app, ran).exit_code == 0
        plan = msgspec.json.decode((tmp_path / "plan/plan.json").read_bytes(), type=forecast_plan.Plan)
        assert plan.without_holidays == ([] if known else ["station"]), country
        assert ("No holidays are known for station" in (tmp_path / "plan/report.html").read_text()) != known


@pytest.mark.parametrize("flags", [("--keep",), ("--score",)])
def test_flags_of_the_journal_are_not_passed_over_with_a_file(flags: tuple[str, ...], tmp_path: Path) -> None:
    point = write(tmp_path / "point.csv", rows(5))
    done = CliRunner().invoke(app, ["forecast", str(point), *flags, "--out", str(tmp_path / "plan")])
    assert done.exit_code == 1 and "leave out the file" in str(done.exception)
    assert not (tmp_path / "plan").exists()


def test_tables_of_each_kind_are_read_from_a_plan_and_from_lines(tmp_path: Path) -> None:
    row = AdmissionRow(name="S-0001/L", rule="protect", station="S-0001", keep={"L": 1})
    room = RoomTable(station="S-0002", made_at=datetime(2026, 11, 22, 8, tzinfo=UTC), chance={"S": (0.9,)})
    (tmp_path / "plan.json").write_bytes(msgspec.json.encode({"kind": "admission", "rows": [row]}))
    assert read_tables(tmp_path / "plan.json", (), NOON)[0] == [row]
    (tmp_path / "room.jsonl").write_bytes(msgspec.json.encode(room) + b"\n\n" + msgspec.json.encode(row) + b"\n")
    assert read_tables(tmp_path / "room.jsonl", (), NOON)[0] == [room, row]
    tables, _ = read_tables(tmp_path / "room.jsonl", ["S-0001"], NOON)
    assert tables == [row] and "S-0001/L: protect at S-0001" in sum_up(tables)
    names = "a\x1b[2K\x1b[1A", "b\rc", "d\u202ee", "f\ng", "é 你"
    hidden = [msgspec.structs.replace(row, name=name) for name in names]
    seen = r"a\u001b[2K\u001b[1A", r"b\u000dc", r"d\u202ee", r"f\u000ag", "é 你"
    assert sum_up(hidden).splitlines()[1:] == [f"{name}: protect at S-0001." for name in seen]
    (tmp_path / "room.jsonl").write_bytes(msgspec.json.encode(room) + b"\nnonsense\n")
    with pytest.raises(Trouble, match="is no plan"):
        read_tables(tmp_path / "room.jsonl", (), NOON)


@pytest.mark.parametrize(("changed", "why"), [
    ({"made_at": NOON - timedelta(hours=6, minutes=1)}, "S-0002 were made at .* too old"),
    ({"made_at": datetime(2020, 1, 1, tzinfo=UTC)}, "too old"),
    ({"made_at": NOON + timedelta(hours=1)}, "lies in the future"),
    ({"chance": {"S": (0.9, 7.5)}}, "not all between 0 and 1"),
    ({"chance": {"S": (0.9,), "M": (-1.0,)}}, "not all between 0 and 1"),
    ({"by_carrier": {"acme": {"S": (0.9,), "M": (-1.0,)}}}, "not all between 0 and 1"),
])  # fmt: skip
def test_chances_that_no_hub_would_use_are_not_adopted(tmp_path: Path, changed: dict[str, Any], why: str) -> None:
    room = RoomTable(station="S-0002", made_at=NOON - timedelta(hours=1), chance={"S": (0.0, 1.0)})
    path = tmp_path / "room.jsonl"
    path.write_bytes(msgspec.json.encode(room) + b"\n")
    assert read_tables(path, (), NOON)[0] == [room]
    path.write_bytes(msgspec.json.encode(room) + b"\n" + msgspec.json.encode(msgspec.structs.replace(room, **changed)))
    with pytest.raises(Trouble, match=f"1 of 2 tables cannot be used: .*{why}"):
        read_tables(path, (), NOON)


def test_a_row_of_admission_that_is_over_is_not_adopted(tmp_path: Path) -> None:
    row = AdmissionRow(name="S-0001/L", rule="protect", station="S-0001", keep={"L": 1}, good_until=NOON)
    path = tmp_path / "plan.json"
    path.write_bytes(msgspec.json.encode({"rows": [row]}))
    assert read_tables(path, (), NOON)[0] == [row]
    with pytest.raises(Trouble, match="S-0001/L was good until 2026-11-22 12:00 and is too old"):
        read_tables(path, (), NOON + timedelta(days=300))


def test_what_is_no_plan_is_not_adopted(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    with pytest.raises(Trouble, match="cannot be read"):
        read_tables(path, (), NOON)
    naive = '{"type": "RoomTable", "station": "S-0001", "made_at": "2026-11-22T12:00:00", "chance": {}}'
    for text in ('{"calendars": [{"type": "VisitCalendar", "station": "S-0001"}]}', "[" * 100_000, naive):
        path.write_text(text)
        with pytest.raises(Trouble, match="is no plan"):
            read_tables(path, (), NOON)
    path.write_bytes(msgspec.json.encode(msgspec.structs.replace(CALENDAR, zone="Mars/Olympus")))
    with pytest.raises(Trouble, match="no time zone that this machine knows"):
        read_tables(path, (), NOON)


def test_each_strange_station_has_its_reason_and_the_networks_word() -> None:
    old, new = at("S-OLD", rows(151)), at("S-NEW", rows(151, seed=3)[-20:])
    silent = at("S-SILENT", rows(90, seed=4))
    flood = at("S-FLOOD", [*rows(151, 8, seed=5), *(row for row in rows(151, 100, seed=6)
                                                      if row.ready >= START + timedelta(days=144))])  # fmt: skip
    found = network(*old, *new, *silent, *flood)
    reasons = {name: why_not(found, name) for name in ("S-OLD", "S-NEW", "S-SILENT", "S-FLOOD", "S-NEVER")}
    assert reasons == {"S-OLD": "", "S-NEW": "no_history", "S-SILENT": "silent", "S-FLOOD": "demand_drift",
                       "S-NEVER": "no_history"}  # fmt: skip
    week, after_gap = rows(8, 40), back(rows(8, 40), 100)
    for reason, made in (("no_history", week), ("gap", [*rows(60), *after_gap]), ("gap", [*rows(60), *after_gap[:2]])):
        odd = network(*at("S-ODD", made), day=max(records.day_number(row.ready.date()) for row in made))
        assert why_not(odd, "S-ODD") == reason, "a day or a week tells no weekdays"
    whole_again = network(*at("S-ODD", [*rows(60), *back(rows(60), 100)]), day=FIRST + 159)
    assert why_not(whole_again, "S-ODD") == ""
    told = forecast_plan.from_network(found, "S-NEW", "no_history")
    assert len(told) == 14 and {load.model for load in told} == {"network_mean"}
    assert all(0 <= load.low <= load.told <= load.high for load in told)
    assert {load.reason for load in told} == {"no_history"}
    alone = network(*new)
    assert forecast_plan.from_network(alone, "S-NEW", "no_history") == []


class Counted(records.Records):
    """Records that tell how many rows of them were asked for."""

    def only(self, keep: Any) -> records.Records:
        found = super().only(keep)
        ROWS.append(len(found))
        return found


ROWS: list[int] = []


def test_what_the_network_says_is_looked_up_once_for_all_stations_that_ask() -> None:
    new = [row for n in range(20) for row in at(f"S-N{n:02}", rows(151, seed=n)[-20:])]
    found = network(*at("S-OLD", rows(151)), *at("S-TOO", rows(151, seed=2)), *new)
    found.records = Counted(**msgspec.structs.asdict(found.records))
    first = forecast_plan.from_network(found, "S-N00", "no_history")
    ROWS.clear()
    others = [forecast_plan.from_network(found, f"S-N{n:02}", "no_history") for n in range(1, 20)]
    assert sum(ROWS) == 0, "60,000 stations would look at 60,000 others each"
    assert all([msgspec.structs.replace(load, station="S-N00") for load in told] == first for told in others)
    old, origin = found.of_station("S-OLD"), FIRST + 150
    by_station = loads_by_station(found.records, 12, origin - 27, origin)
    own = by_station[found.records.stations.index("S-OLD")]
    assert own.tolist() == load_by_day(old, 12, origin - 27, origin).tolist()
    of_all = found.everyone.learnt(12, origin, 4)
    assert of_all is found.everyone.learnt(12, origin, 4) is not found.everyone.learnt(20, origin, 4)


def test_curves_fall_and_are_of_enough_parcels() -> None:
    found = network(*at("S-0001", rows(80)), *at("S-0002", rows(3, seed=2)), day=FIRST + 85)
    curves = forecast_plan.curves(found)
    names = [curve.stratum for curve in curves]
    assert names[:2] == ["all", "S-0001"] and "S-0002" not in names
    assert any(name.startswith("S-0001/tue/09") for name in names)
    day = curves[0].there[curves[0].hours.index(24.0)]
    assert day == pytest.approx(np.exp(-24 / 30), abs=0.07)


@pytest.mark.parametrize(("hours", "model"), [((30, 30), "share of all before"), ((5, 60), "logit by hour")])
def test_of_three_models_of_dwell_the_one_that_scored_best_is_told(hours: tuple[float, float], model: str) -> None:
    """Nothing tells dwells apart, and a share does best; or the carrier does, of which only the regression knows."""
    dice = np.random.default_rng(1)
    made = [msgspec.structs.replace(row, collected=row.deposited + timedelta(hours=dice.exponential(
            hours["AB".index(row.carrier)]))) for row in at("S-0001", rows(100, 16)) if row.deposited]  # fmt: skip
    found = {curve.stratum: curve for curve in forecast_plan.curves(network(*made, day=FIRST + 105))}
    assert {curve.fit.model.partition(",")[0] for curve in found.values()} == {model}
    if model != "logit by hour":
        assert found["S-0001/tue/09"].there == found["S-0001"].there


def test_visits_are_read_off_deposits_and_the_calendar_knows_sundays() -> None:
    parcels = from_rows(row for row in rows(160) if row.carrier == "A")
    day = FIRST + 150
    first, last = visits.visits(parcels.deposited)
    assert (first <= last).all() and len(first) > 100
    told = visits.learn(parcels, day, station="S-0001", carrier="A", zone="UTC")
    assert told.visit_share[6] == 0 and min(told.visit_share[1:6]) > 0.9
    assert all(8.9 < low <= middle <= high < 9.6 for low, middle, high in told.first_h[1:6])
    assert told.lead_h["on_the_way"][0][0] < told.lead_h["on_the_way"][0][2] < 72
    few = visits.learn(parcels.only(np.arange(10)), day, station="S-0001", carrier="A", zone="UTC")
    assert few.lead_h["on_the_way"] == ((),) * 7 and few.first_h == ((),) * 7
    none = visits.learn(parcels.only(np.arange(0)), day, station="S-0001", carrier="A", zone="UTC")
    assert none.visit_share == (0.0,) * 7


def test_a_calendar_knows_nothing_of_what_comes_later() -> None:
    parcels, day = from_rows(row for row in rows(160) if row.carrier == "A"), FIRST + 100
    before = visits.learn(parcels, day, station="S-0001", carrier="A", zone="UTC")
    parcels.deposited[parcels.deposited >= day] += 3.3
    assert before == visits.learn(parcels, day, station="S-0001", carrier="A", zone="UTC")


@pytest.mark.parametrize("differs", [True, False])
def test_weekdays_are_told_apart_only_where_that_foretold_better(differs: bool) -> None:
    """Mondays take four days in the first half; in the second they do, or they are like other days."""
    at = FIRST + np.arange(140) + 0.5
    monday = weekday(whole(at)) == 0
    slow = monday & (differs | (np.arange(140) < 70))
    hours = np.where(slow, 96.0, 24.0) + np.tile([-2.0, 0.0, 2.0, 1.0], 35)
    parcels = from_rows(row for row in rows(160) if row.carrier == "A")
    leads = {"on_the_way": (at, hours)}
    told = visits.learn(parcels, FIRST + 150, station="S-0001", carrier="A", zone="UTC", leads=leads)
    of_monday, of_tuesday = told.lead_h["on_the_way"][:2]
    assert (of_monday[1] > 90) == differs and of_tuesday[1] < 30
    assert differs or of_monday == of_tuesday


@pytest.mark.parametrize("zone", ["Europe/Lisbon", "Atlantic/Madeira", "Atlantic/Azores"])
def test_islands_keep_the_holidays_of_their_country(tmp_path: Path, zone: str) -> None:
    point = write(tmp_path / "point.csv", rows(8, 4))
    done = CliRunner().invoke(app, ["forecast", str(point), "--zone", zone, "--out", str(tmp_path / "plan")])
    assert done.exit_code == 0, done.output
    plan = msgspec.json.decode((tmp_path / "plan/plan.json").read_bytes(), type=forecast_plan.Plan)
    assert plan.without_holidays == []

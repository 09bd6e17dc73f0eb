"""Strange pasts and files: each plan says what it left out or doubts; what was told badly is told no more."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from typer.testing import CliRunner

from parcelwall.bench import promises
from parcelwall.errors import Trouble
from parcelwall.planning import past, told
from parcelwall.planning.commands import app
from parcelwall.planning.history import History, Story, note
from parcelwall.planning.offers import places, tables
from parcelwall.rules import facts, offers
from parcelwall.rules.life import Stage
from parcelwall.rules.offers import RoomTable, Standing, rank_offers
from parcelwall.rules.places import Plan, Room
from parcelwall.rules.policy import DEFAULT
from parcelwall.rules.tables import Told
from rules import samples
from rules.samples import CALENDAR, LAYOUT, NOW, PLAN, parcel

HEAD = "Id_parcel,DateR,DateE,DateD,DateP,Carrier"
BEGAN = datetime(2023, 1, 2, 10)


def line(name: str, came: datetime, hours: float = 20) -> str:
    handed, left = came - timedelta(days=1), came + timedelta(hours=hours)
    return f"{name},{(came - timedelta(days=2)).date()},{handed},{came},{left},A"


def usual(days: int = 60, a_day: int = 5, began: datetime = BEGAN) -> list[str]:
    return [line(f"{began:%m}-{d}-{k}", began + timedelta(days=d, minutes=7 * k, hours=k % 2))
            for d in range(days) for k in range(a_day)]  # fmt: skip


ODD: dict[str, tuple[list[str], str]] = {
    "a gap": ([*usual(40), *usual(40, began=BEGAN + timedelta(days=300))], "gap: nothing came for 26"),
    "ten times the demand": (
        [*usual(60), *(line(f"f{k}", BEGAN + timedelta(days=57, minutes=3 * k)) for k in range(350))],
        "demand_drift: ",
    ),
    "a negative dwell": ([*usual(), line("x", BEGAN, -5)], "1 rows were left out: collected before it was deposited"),
    "NaN": ([*usual(), "x,nan,NaN,NaN,nan,A"], "1 rows were left out: no deposit time"),
    "a night that a clock changes": ([*usual(90), line("x", datetime(2023, 3, 26, 2, 30), 0.7)], ""),
}  # fmt: skip


@pytest.mark.parametrize("what", ODD)
@pytest.mark.parametrize("command", ["admission", "mix"])
def test_what_is_odd_about_a_file_is_told(command: str, what: str, tmp_path: Path) -> None:
    rows, words = ODD[what]
    (tmp_path / "point.csv").write_text("\n".join([HEAD, *rows]) + "\n")
    record = past.read([tmp_path / "point.csv"])
    said = [f"{n} rows were left out: {why}." for why, n in record.dropped.items()] + past.odd(record.stays)
    assert any(each.startswith(words) for each in said) if words else said == []
    if (command, what) in {("admission", "a gap"), ("mix", "ten times the demand")}:  # seconds each: two of ten
        done = CliRunner().invoke(app, [command, str(tmp_path / "point.csv"), "--out", str(tmp_path / "plan")])
        assert done.exit_code == 0, done.output
        plan = msgspec.json.decode((tmp_path / "plan/plan.json").read_bytes())
        assert any(each.startswith(words) for each in plan["told"])
        assert words in (tmp_path / "plan/report.html").read_text()


def test_what_a_file_told_already_counts_once(tmp_path: Path) -> None:
    whole, part, other = tmp_path / "whole.csv", tmp_path / "part.csv", tmp_path / "other.csv"
    rows = usual(20)
    nameless = [row.split(",", 1)[1] for row in usual(20)]
    whole.write_text("\n".join([HEAD, *rows]))
    part.write_text("\n".join([HEAD, *rows[:30]]))
    other.write_text("\n".join([HEAD.split(",", 1)[1], *nameless, *nameless[:5]]))
    alone = past.read([whole])
    assert alone.dropped == {} and len(alone.stays) == len(rows)
    for several in ([whole, whole], [part, whole], [whole, part, part]):
        found = past.read(several)
        assert len(found.stays) == len(rows)
        assert found.dropped["the same parcel again"] == sum(len(past.read([each]).stays) for each in several) - 100
    assert len(past.read([other]).stays) == 105, "without names, two that are alike may be two"
    assert len(past.read([other, other]).stays) == 105


def test_a_clock_that_changes_makes_no_stay_longer_nor_ends_one_before_it_began(tmp_path: Path) -> None:
    """With their zone written, 40 minutes are 40 minutes in the night in October whose hour comes twice."""
    nights = ["x,2023-10-28,2023-10-28 15:00+02:00,2023-10-29 02:50+02:00,2023-10-29 02:30+01:00,A",
              "y,2023-03-25,2023-03-25 15:00+01:00,2023-03-26 01:30+01:00,2023-03-26 03:10+02:00,A"]  # fmt: skip
    (tmp_path / "point.csv").write_text("\n".join([HEAD, *usual(20), *nights]))
    found = past.read([tmp_path / "point.csv"])
    assert found.dropped == {}
    stays = [each.left - each.came for each in found.stays[-2:] if each.left]
    assert stays == [timedelta(minutes=40)] * 2


def test_several_stations_in_one_file_are_not_one(tmp_path: Path) -> None:
    file = tmp_path / "point.csv"
    file.write_text("\n".join([HEAD + ",Station", *(f"{row},{'AB'[n % 2]}" for n, row in enumerate(usual(20)))]))
    with pytest.raises(Trouble, match=r"2 stations \(A, B\)"):
        past.read([file])


def test_a_folder_stands_for_the_files_of_a_pick_up_point_in_it(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("\n".join([HEAD, *usual(20)]))
    (tmp_path / "b.csv.gz").write_text("\n".join([HEAD, *usual(20, began=BEGAN + timedelta(days=40))]))
    (tmp_path / "c.csv").write_text("lat,lon\n60,25\n")
    assert past.files_of([tmp_path]) == [tmp_path / "a.csv", tmp_path / "b.csv.gz"]
    with pytest.raises(Trouble, match="parcels of the last year can be judged, 200 are needed"):
        promises.judge([tmp_path], 1, True, lambda _: None)
    (tmp_path / "empty").mkdir()
    with pytest.raises(Trouble, match="holds no CSV"):
        past.files_of([tmp_path / "a.csv", tmp_path / "empty"])


def each_two_hours(began: datetime, until: datetime) -> past.Record:
    hours = int((until - began).total_seconds()) // 3600
    stays = [past.Stay(began + timedelta(hours=h), began + timedelta(hours=h + 20), None, "A", h)
             for h in range(0, hours, 2)]  # fmt: skip
    return past.Record(stays, Counter(), "pick-up point")


@pytest.mark.parametrize(("began", "until", "judged_from"), [
    (datetime(2017, 1, 1), datetime(2018, 12, 28), datetime(2018, 1, 1)),
    (datetime(2017, 1, 1), datetime(2019, 1, 3), datetime(2018, 1, 1)),
    (datetime(2017, 1, 1), datetime(2019, 4, 3), datetime(2019, 1, 1)),
    (datetime(2019, 1, 1), datetime(2020, 1, 1, 14), datetime(2019, 5, 2)),
    (datetime(2018, 7, 1), datetime(2019, 1, 2), datetime(2018, 8, 31)),
    (datetime(2018, 1, 1), datetime(2018, 12, 30), datetime(2018, 5, 2)),
], ids=["two years", "two and three days", "two and a quarter", "one, and one night", "half a one", "one"])  # fmt: skip
def test_a_few_days_of_a_new_year_are_not_all_that_is_judged(
    began: datetime, until: datetime, judged_from: datetime
) -> None:
    record = each_two_hours(began, until)
    before, judged = past.split(record)
    assert len(before) + len(judged) == len(record.stays)
    assert abs(judged[0].came - judged_from) < timedelta(days=1)


def test_a_file_without_a_row_says_so(tmp_path: Path) -> None:
    (tmp_path / "point.csv").write_text(HEAD + "\n")
    for command in ("admission", "mix", "forecast"):
        done = CliRunner().invoke(app, [command, str(tmp_path / "point.csv"), "--out", str(tmp_path / "plan")])
        assert done.exit_code == 1 and ("no row" in str(done.exception)), command


@pytest.mark.parametrize("asked", [
    "site --radius-m nan", "site --radius-m -5", "site --budget nan", "site --budget -1", "site --logit-per-km -3",
    "site --logit-per-km 1e300",
    "site --growth -2", "site --per-km inf", "site --seconds nan", "rounds --walk-m nan", "rounds --walk-m -5",
    "rounds --seconds inf", "rounds --capacity 99999999999999999999", "rounds --speed-kmh 1e308",
    "rounds --seed -1", "rounds --seed 99999999999", "mix --seed -1", "admission --seed -1", "rounds --walk-m 1e308",
    "site --radius-m 1e308", "site --budget 1e308", "site --growth 1e308", "site --per-km 1e308",
    "mix --floor nan", "mix --load nan", "admission --load inf", "admission --risk nan",
])  # fmt: skip
def test_an_option_that_is_no_number_of_its_kind_is_refused(asked: str, tmp_path: Path) -> None:
    command, *option = asked.split()
    (tmp_path / "demand.csv").write_text("lat,lon\n60,25\n60.1,25\n")
    done = CliRunner().invoke(app, [command, str(tmp_path / "demand.csv"), *option, "--out", str(tmp_path / "plan")])
    assert done.exit_code == 2 and option[0] in done.output, done.output


def test_demand_that_is_no_number_is_no_demand_of_one_parcel(tmp_path: Path) -> None:
    (tmp_path / "site.csv").write_text("lat,lon,parcels_per_day\n60.17,24.94,NaN\n60.18,24.95,10\nnan,24.9,3\n"
                                       "60.19,24.96,-4\n60.2,24.9,7\n60.2,24.91,\n")  # fmt: skip
    done = CliRunner().invoke(app, ["site", str(tmp_path / "site.csv"), "--open", "1", "--out", str(tmp_path / "plan")])
    assert done.exit_code == 0, done.output
    plan = msgspec.json.decode((tmp_path / "plan/plan.json").read_bytes())
    assert plan["told"] == ["site.csv: 1 rows without a place were left out",
                            "site.csv: 2 rows whose parcels_per_day is no number above zero were left out"]  # fmt: skip
    assert sum(site["parcels_per_day"] for site in plan["sites"]) == 18.0


def test_orders_without_a_place_are_left_out_of_rounds_and_no_order_is_refused(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("kind,lat,lon\ndepot,60.17,24.94\ndemand,nan,24.95\n")
    done = CliRunner().invoke(app, ["rounds", str(tmp_path / "orders.csv"), "--out", str(tmp_path / "plan")])
    assert done.exit_code == 1 and "rows of kind demand" in str(done.exception)


# offers


def offered(table: RoomTable | None, at: datetime = NOW, arrival: datetime | None = None) -> offers.Offer:
    here = Standing("S-0001", (60.17, 24.94), 100.0, PLAN, Room(), table=table)
    made, _ = rank_offers(parcel(Stage.ANNOUNCED), [here], arrival or at, at, DEFAULT)
    return made[0]


@pytest.mark.parametrize(("table", "why"), [
    (None, "no_table"),
    (RoomTable(station="S-0001", made_at=NOW - timedelta(days=365), chance={"S": (0.9,)}), "table_too_old"),
    (RoomTable(station="S-0001", made_at=NOW + timedelta(hours=1), chance={"S": (0.9,)}), "table_too_old"),
    (RoomTable(station="S-0001", made_at=NOW, chance={}), "table_does_not_reach"),
    (RoomTable(station="S-0001", made_at=NOW, chance={"S": ()}), "table_does_not_reach"),
    (RoomTable(station="S-0001", made_at=NOW, chance={"S": (float("nan"),)}), "table_does_not_reach"),
    (RoomTable(station="S-0001", made_at=NOW, chance={"S": (-0.5,)}), "table_does_not_reach"),
    (RoomTable(station="S-0001", made_at=NOW, chance={"S": (float("inf"),)}), "table_does_not_reach"),
], ids=["no history", "a year old", "of the future", "no size", "no day", "NaN", "negative", "infinite"])  # fmt: skip
def test_an_offer_from_a_strange_table_goes_by_counts_and_says_why(table: RoomTable | None, why: str) -> None:
    made = offered(table)
    assert (made.offered, made.probability, made.basis, made.why) == (True, None, "counts", why)


def test_a_chance_that_a_strange_past_tells_says_so_in_the_offer() -> None:
    made = offered(RoomTable(station="S-0001", made_at=NOW, chance={"S": (0.9,)}, why="gap"))
    assert (made.offered, made.probability, made.basis, made.why) == (True, 0.9, "table", "gap")


def days_of(first: int, last: int, a_day: int = 1) -> list[tuple[str, datetime, UUID | None, str]]:
    """The entries of parcels that were brought on these days before NOW, and lay there for twenty hours."""
    found = []
    for back in range(first, last, -1):
        for n in range(a_day):
            came = NOW - timedelta(days=back, minutes=n)
            found += life(back * 1000 + n, came)
    return found


def life(number: int, came: datetime) -> list[tuple[str, datetime, UUID | None, str]]:
    told = (samples.reserved(parcel=UUID(int=number), reservation=UUID(int=number), deposit_by=came),
            samples.deposited(parcel=UUID(int=number), reservation=UUID(int=number)),
            samples.collected(parcel=UUID(int=number), reservation=UUID(int=number)))  # fmt: skip
    hours = (-20, 0, 20)
    return [(fact.kind, came + timedelta(hours=h), fact.parcel, facts.body(fact))
            for fact, h in zip(told, hours, strict=True)]  # fmt: skip


@pytest.mark.parametrize(("brought", "why"), [
    ([], "no_history"), (days_of(30, 0), "no_history"), (days_of(200, 0), ""), (days_of(200, 60), "silent"),
    ([*days_of(500, 300), *days_of(10, 0)], "gap"), ([*days_of(200, 8), *days_of(8, 0, 10)], "demand_drift"),
], ids=["nothing", "thirty days", "usual", "two months of nothing", "a gap", "ten times"])  # fmt: skip
def test_a_table_of_room_says_what_its_past_is_unlike(
    brought: list[tuple[str, datetime, UUID | None, str]], why: str
) -> None:
    known = History({}, {}, layouts={"S-0001": LAYOUT})
    for each in brought:
        note(known, *each)
    [made] = tables(places(known), NOW, {})
    assert (made.why, set(made.chance)) == (why, {"S", "M", "L"})


def test_a_full_station_of_which_ten_times_as_much_is_asked_says_so_in_its_table() -> None:
    known = History({}, {}, layouts={"S-0001": LAYOUT})
    for each in days_of(200, 0):
        note(known, *each)
    refused = [NOW.replace(tzinfo=None) - timedelta(days=back, minutes=n) for back in (1, 2, 3) for n in range(9)]
    whys = [made.why for each in ({}, {"S-0001": refused}, {"S-0001": refused[:3]}, {"S-0002": refused})
            for made in tables(places(known), NOW, {}, each)]  # fmt: skip
    assert whys == ["", "demand_drift", "", ""]


def test_an_offer_over_a_clock_change_counts_true_days() -> None:
    eve = datetime(2026, 10, 24, 21, 30, tzinfo=UTC)  # Helsinki's clocks go back at one in the morning, UTC
    table = RoomTable(station="S-0001", made_at=eve, chance={"S": (0.9, 0.91, 0.92)})
    assert offered(table, eve, eve + timedelta(hours=24)).probability == 0.91
    assert offered(table, eve, eve + timedelta(hours=23, minutes=59)).probability == 0.9


def test_a_full_station_is_offered_to_nobody_whatever_ten_times_the_demand_made_of_its_table() -> None:
    hopeful = RoomTable(station="S-0001", made_at=NOW, chance={"S": (0.99,)})
    here = Standing("S-0001", (60.17, 24.94), 100.0, PLAN, Room(taken=PLAN.everything), table=hopeful)
    made, _ = rank_offers(parcel(Stage.ANNOUNCED), [here], NOW, NOW, DEFAULT)
    assert (made[0].offered, made[0].reason) == (False, "station_full")


def test_a_calendar_whose_quantiles_fall_or_that_tells_no_number_is_none() -> None:
    body = msgspec.json.encode(CALENDAR)
    for old, new in ((b"[8.5,9.0,9.5]", b"[9.5,9.0,8.5]"), (b"[8.5,9.0,9.5]", b"[8.5,null,9.5]"),
                     (b"0.75,1.0", b"1.75,1.0")):  # fmt: skip
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(body.replace(old, new, 1), type=type(CALENDAR))


# what was told, held against what came


def told_with(chance: float, came: list[bool]) -> History:
    """Promises after an offer; those that did not come true went elsewhere for want of room."""
    stories = {}
    for n, good in enumerate(came):
        at = NOW - timedelta(days=50) + timedelta(hours=n)
        stories[UUID(int=n)] = Story(
            carrier="acme", station="S-0001", first="S-0001", size="S", reserved=at, told_at="S-0001",
            told=Told(chance=chance, by=at + timedelta(hours=20 if n % 4 else 5)),
            deposited=at + timedelta(hours=10) if good else None, why="" if good else "station_full",
        )  # fmt: skip
    return History(stories, {})


def test_chances_that_were_told_are_scored_and_a_model_that_promised_too_much_tells_no_more() -> None:
    came = [n % 10 > 2 for n in range(200)]
    good, bad = told.score(told_with(0.7, came), NOW), told.score(told_with(0.99, came), NOW)
    assert (good.told, good.came_true, good.brier) == (200, 0.7, 0.21)
    assert not good.is_worse and told.no_tables(good) == told.doubt(good) == ""
    assert bad.is_worse and "the hub goes by counts" in told.no_tables(bad) and told.doubt(bad) == ""
    assert not told.score(told_with(0.99, came[:99]), NOW).is_worse, "too few to say"
    assert not told.score(told_with(0.99, came), NOW + timedelta(days=180)).is_worse, "another chance after a while"


def test_promises_that_are_kept_because_they_were_made_switch_no_chances_off() -> None:
    known = told_with(0.9, [n != 170 for n in range(400)])
    for n, story in enumerate(known.stories.values()):
        assert story.told is not None
        story.told = msgspec.structs.replace(story.told, chance=0.85 + 0.145 * (n % 30) / 29)
    found = told.score(known, NOW)
    assert found.is_worse and (found.brier or 0) > 3 * (found.brier_of_share or 0)
    assert told.no_tables(found) == "", "one of 400 is fewer than 400 such chances let fail"
    assert "did not promise too much: 92.1% were told to find room, 99.8% did" in told.doubt(found)


def test_ready_by_is_held_against_the_deposit_and_what_nobody_can_judge_is_not() -> None:
    known = told_with(0.9, [True] * 40)
    assert told.score(known, NOW).ready_in_time == 0.75
    for story in known.stories.values():
        story.deposited = None
    assert told.score(known, NOW) == told.Chances(told=0)


def test_a_promise_that_was_brought_elsewhere_did_not_come_true() -> None:
    known = told_with(0.9, [True])
    known.stories[UUID(int=0)].station = "S-0002"
    assert told.score(known, NOW).came_true == 0.0


def test_a_plan_of_no_compartment_offers_nothing() -> None:
    nothing = Plan(msgspec.structs.replace(PLAN.layout, compartments=(), sizes=()))
    here = Standing("S-0001", (60.17, 24.94), 100.0, nothing, Room())
    made, other = rank_offers(parcel(Stage.ANNOUNCED), [here], NOW, NOW, DEFAULT)
    assert not made[0].offered and other is not None

"""The nightly plan from a hub's journal: thresholds where they serve more, and a stated reason everywhere else."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import msgspec
import pytest
import pytest_asyncio
from typer.testing import CliRunner

from parcelwall.errors import Refusal
from parcelwall.hub.commands import Cancel, Destination, Reserve
from parcelwall.planning import commands, history, nightly, nightly_report, wanted
from parcelwall.planning.dice import dice
from parcelwall.planning.history import History, Story
from parcelwall.planning.nightly import DRIFT_P, Night, plan_station
from parcelwall.planning.wanted import Wanted, by_group
from parcelwall.rules import admission
from parcelwall.rules.layout import plain_layout
from parcelwall.rules.life import Stage
from parcelwall.rules.tables import AdmissionRow
from parcelwall.simulation.town import Town
from rules.samples import PLAN, parcel
from station.towns import NOW, a_small_town, announced, only, told

MIDNIGHT = datetime(2026, 11, 23, 1, tzinfo=UTC)  # a Monday
S = "S-0001"


def lives(days: int, a_day: float, hours: tuple[float, float] = (9.0, 60.0), until: datetime = MIDNIGHT,
          seed: int = 1) -> list[Story]:  # fmt: skip
    """Parcels of two services, `fast` and `slow` to be collected, brought at ten in the morning, Helsinki's time."""
    rng, found = dice(seed), []
    for back in range(days, 0, -1):
        for _ in range(rng.poisson(a_day)):
            slow = rng.random() < 0.5
            came = until - timedelta(days=back) + timedelta(hours=7 + rng.random())
            left = came + timedelta(hours=hours[slow] * (0.7 + 0.6 * rng.random()))
            found.append(Story(
                carrier="acme", station=S, first=S, announced=came - timedelta(days=1), size="S",
                reserved=came - timedelta(days=1), expected=came, deposited=came, ended=left if left < until else None,
                service="slow" if slow else "fast", compartment=1,
            ))  # fmt: skip
    return found


def of(*stories: list[Story], rows: tuple[AdmissionRow, ...] = ()) -> History:
    every = [each for some in stories for each in some]
    return History({UUID(int=n): each for n, each in enumerate(every)}, {S: "Europe/Helsinki"},
                   layouts={S: plain_layout("SSSSSSSSSSSS SSSSSSSSSSSS")},
                   rows={row.name: row for row in rows})  # fmt: skip


def planned(known: History, worth: dict[str, float] | None = None) -> Night:
    return plan_station(known, wanted.gather(known, [], [], MIDNIGHT), S, MIDNIGHT, worth or {}, 1)


def test_a_crowded_station_gets_thresholds_for_its_slow_service_and_serves_more() -> None:
    found = planned(of(lives(56, 24)))
    assert found.reason == "" and found.served_levels is not None and found.served_best_fit is not None
    assert found.served_levels > found.served_best_fit + 0.02
    row = next(each for each in found.rows if each.name == "night/S-0001/S/slow")
    assert (row.rule, row.services, row.sizes, row.station) == ("threshold", ("slow",), ("S",), S)
    fast = next((each for each in found.rows if each.services == ("fast",)), None)
    assert fast is None or sum(row.levels) < sum(fast.levels), "who stays long is held back first"
    assert row.first_day is not None and row.first_day.isoformat() == "2026-11-23" and len(row.levels) == 7
    assert all(level == int(level) for level, most in zip(row.levels, row.expected, strict=True) if level < most)
    assert row.good_until == MIDNIGHT + timedelta(hours=36)


def test_a_station_full_of_forgotten_parcels_is_no_empty_one() -> None:
    forgotten = [Story(carrier="acme", station=S, first=S, announced=MIDNIGHT - timedelta(days=31), size="S",
                       reserved=MIDNIGHT - timedelta(days=31), deposited=MIDNIGHT - timedelta(days=30),
                       service="slow", compartment=n + 1) for n in range(20)]  # fmt: skip
    known = of(lives(56, 10))
    row = only_row(known)
    assert row is None, "of 24 compartments that are free, enough for all"
    row = only_row(of(lives(56, 10), forgotten))
    assert row is not None and row.levels[0] <= 4 < row.expected[0]


def slow_promised(count: int, expected: datetime | None, announced: datetime) -> list[Story]:
    return [Story(carrier="acme", station=S, first=S, announced=announced, reserved=announced, expected=expected,
                  size="S", service="slow", open=True) for _ in range(count)]  # fmt: skip


@pytest.mark.parametrize("expected", [None, MIDNIGHT - timedelta(days=1)], ids=["no time told", "yesterday"])
def test_promises_that_are_overdue_count_on_no_coming_day_as_the_hub_counts_them(expected: datetime | None) -> None:
    base, announced = lives(56, 24), MIDNIGHT - timedelta(hours=40)
    without, late = only_row(of(base)), only_row(of(base, slow_promised(8, expected, announced)))
    assert without is not None and late is not None
    mine = parcel(Stage.RESERVED, service="slow", announced_at=announced, expected_at=expected)
    kind = admission.kind_of(mine, PLAN, PLAN.need(mine), announced, ZoneInfo("Europe/Helsinki"))
    assert late.first_day is not None and kind.day < late.first_day, "so the hub counts none of them today"
    assert late.levels[0] <= without.levels[0], "their room is taken, and nobody is let in on top of them"
    coming = only_row(of(base, slow_promised(8, MIDNIGHT + timedelta(hours=7), announced)))
    assert coming is not None and coming.levels[0] >= 8, "those of today are heads of today"


def test_in_the_day_what_was_brought_counts_as_the_hub_counts_it() -> None:
    came = MIDNIGHT + timedelta(hours=7)
    today = [msgspec.structs.replace(each, deposited=came, expected=came, open=False, compartment=n + 1,
                                     ended=came + timedelta(minutes=5) if n >= 6 else None)
             for n, each in enumerate(slow_promised(8, came, MIDNIGHT - timedelta(days=1)))]  # fmt: skip
    now = came + timedelta(minutes=20)
    known = of(lives(56, 24), today)
    point = nightly.point_of(known, wanted.gather(known, [], [], now), S, now)
    row = next(each for each in nightly.rows_of(point, {}, now, 1) if each.services == ("slow",))
    slow = point.services.index("slow")
    usual = nightly.model(point, now.date()).mean[0, slow, 0]
    assert row.first_day == now.date() and usual > 8
    assert row.expected[0] == pytest.approx(6 + usual - 8, abs=0.001), "two are gone, and nobody counts them"
    assert row.levels[0] >= 6
    already, gone = nightly.heads(point, now.date())
    assert (already[0, slow, 0], gone[0, slow, 0]) == (6, 2)


def only_row(known: History) -> AdmissionRow | None:
    point = nightly.point_of(known, wanted.gather(known, [], [], MIDNIGHT), S, MIDNIGHT)
    return next((row for row in nightly.rows_of(point, {}, MIDNIGHT, 1) if row.services == ("slow",)), None)


def test_a_quiet_station_keeps_the_default() -> None:
    found = planned(of(lives(56, 4)))
    assert (found.reason, found.rows) == ("nothing_binds", [])
    assert found.served_best_fit == found.served_levels == 1.0


def test_a_service_that_is_worth_more_is_the_last_to_be_held_back() -> None:
    found = planned(of(lives(56, 40)), {"slow": 50.0})
    by_service = {row.services: sum(row.levels) for row in found.rows}
    assert found.reason == "" and by_service["fast",] < by_service["slow",]


@pytest.mark.parametrize(("stories", "reason"), [
    ([], "no_history"),
    (lives(20, 24), "no_history"),
    (lives(56, 0.5), "no_history"),
    (lives(30, 24, until=MIDNIGHT - timedelta(days=16)), "silent"),
    (lives(400, 6, until=MIDNIGHT - timedelta(days=365)), "no_history"),
], ids=["never used", "too short", "too few stays", "silent", "a year's gap"])  # fmt: skip
def test_a_strange_past_means_the_default_and_says_why(stories: list[Story], reason: str) -> None:
    found = planned(of(stories))
    assert (found.reason, found.rows) == (reason, [])


def test_a_years_gap_and_a_new_beginning_are_learnt_from_the_new_beginning_alone() -> None:
    old = lives(60, 200, until=MIDNIGHT - timedelta(days=365), seed=2)
    for story in old:  # all of them were fetched: what was not would lie there to this day
        story.ended = story.ended or MIDNIGHT - timedelta(days=360)
    assert planned(of(old, lives(56, 4))) == planned(of(lives(56, 4)))


def test_stays_that_end_before_they_begin_are_dropped_and_counted() -> None:
    odd = lives(56, 24)
    for story in odd[::10]:
        assert story.deposited is not None
        story.ended = story.deposited - timedelta(hours=5)
    found = planned(of(odd))
    assert found.odd_stays == len(odd[::10]) and found.asked == len(odd)
    assert found.reason in ("", "worse_than_best_fit")


def test_ten_times_the_demand_is_noticed_and_learnt_from_the_last_week_alone() -> None:
    before, flood = lives(53, 3, until=MIDNIGHT - timedelta(days=3)), lives(3, 30, seed=3)
    found = planned(of(before, flood))
    assert (found.drift_p < DRIFT_P and any("demand_drift" in each for each in found.told)) or found.reason
    usual = planned(of(lives(56, 24)))
    assert usual.drift_p >= DRIFT_P


def test_the_night_that_a_clock_changes_breaks_nothing() -> None:
    for change in (datetime(2026, 10, 25, 23, tzinfo=UTC), datetime(2026, 3, 29, 23, tzinfo=UTC)):
        stories = lives(56, 24, until=change)
        known = of(stories)
        found = plan_station(known, wanted.gather(known, [], [], change), S, change, {}, 1)
        assert found.odd_stays == 0 and found.served_levels is not None


def test_a_station_built_anew_in_other_sizes_is_left_alone_and_holds_up_no_other() -> None:
    known = of(lives(56, 24))
    known.layouts |= {S: plain_layout("MMMMMM LLLLLL"), "S-0002": plain_layout("SS")}
    found = nightly.plan_all(known, wanted.gather(known, [], [], MIDNIGHT), MIDNIGHT, {}, 1, False, lambda _: None)
    assert [(each.station, each.reason) for each in found] == [(S, "sizes_changed"), ("S-0002", "no_history")]


def test_a_fault_at_one_station_holds_up_no_other_and_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    known = of(lives(56, 24), rows=(row_of_last_night(),))
    known.layouts["S-0002"] = plain_layout("SS")
    told = wanted.gather(known, [], [], MIDNIGHT)
    told.asked[S] = [msgspec.structs.replace(each, at=None) for each in told.asked[S]]
    found = nightly_report.made(known, told, MIDNIGHT, {}, 1, False, lambda _: None)
    assert [(each.station, each.reason) for each in found.stations] == [(S, "failed"), ("S-0002", "no_history")]
    assert found.rows == [], "as a night that is missed: last night's rows hold until they end by themselves"
    fault = "AttributeError in nightly.py, line"
    assert fault in capsys.readouterr().out and any(fault in each for each in found.stations[0].told)


def row_of_last_night(service: str = "slow") -> AdmissionRow:
    return AdmissionRow(name=f"night/{S}/S/{service}", rule="threshold", station=S, sizes=("S",), services=(service,),
                        levels=(2.0,) * 7, expected=(9.0,) * 7, good_until=MIDNIGHT + timedelta(hours=12))  # fmt: skip


@pytest.mark.parametrize("stories", [lives(56, 4), lives(20, 24), []], ids=["nothing binds", "no history", "unused"])
def test_where_nothing_binds_last_nights_thresholds_end(stories: list[Story]) -> None:
    other = AdmissionRow(name="night/S-00010/S/slow", rule="always", station="S-00010")
    gone = msgspec.structs.replace(row_of_last_night("gone"), good_until=MIDNIGHT - timedelta(hours=1))
    known = of(stories, rows=(row_of_last_night(), gone, other, AdmissionRow(name="all", rule="nightly")))
    found = nightly_report.made(known, wanted.gather(known, [], [], MIDNIGHT), MIDNIGHT, {}, 1, False, lambda _: None)
    assert [(row.name, row.rule) for row in found.rows] == [(f"night/{S}/S/slow", "ended")]
    assert found.by_itself == {S: "all"}
    page = nightly_report.report(found)
    assert "1 of earlier nights to be ended" in page.summary


def test_a_service_that_binds_no_more_loses_its_row_while_the_others_are_renewed() -> None:
    known = of(lives(56, 24), rows=(row_of_last_night(), row_of_last_night("gone")))
    found = nightly_report.made(known, wanted.gather(known, [], [], MIDNIGHT), MIDNIGHT, {}, 1, False, lambda _: None)
    rules = {row.name: row.rule for row in found.rows}
    assert rules[f"night/{S}/S/slow"] == "threshold" and rules[f"night/{S}/S/gone"] == "ended"
    assert found.by_itself == {}, "no row lets them come into force by themselves: an admin is asked"


def test_a_station_without_a_ladder_of_sizes_and_one_without_doors_are_left_alone() -> None:
    bare = of(lives(56, 24))
    bare.layouts[S] = msgspec.structs.replace(bare.layouts[S], compartments=())
    assert planned(bare).reason == "no_compartment"
    flat = of(lives(56, 24))
    sizes = tuple(msgspec.structs.replace(size, climate="chilled") if size.name == "M" else size
                  for size in plain_layout("SML").sizes)  # fmt: skip
    flat.layouts[S] = msgspec.structs.replace(plain_layout("SML"), sizes=sizes)
    assert planned(flat).reason == "sizes_are_no_ladder"


def test_what_is_refused_and_what_is_not_even_offered_counts_as_demand() -> None:
    known = of(lives(56, 10))
    refused = [{"parcel": UUID(int=10**6 + n), "station": S, "arrival": MIDNIGHT - timedelta(days=n % 50 + 1),
                "refused_at": MIDNIGHT - timedelta(days=55), "size": "S", "service": "slow", "carrier": "other"}
               for n in range(40)]  # fmt: skip
    day = MIDNIGHT.date() - timedelta(days=2)
    offers = [{"station": S, "size": "S", "day": day, "reason": "", "offers": 100, "chosen": 25},
              {"station": S, "size": "S", "day": day, "reason": "station_full", "offers": 8, "chosen": 0}]  # fmt: skip
    found: Wanted = wanted.gather(known, refused, offers, MIDNIGHT)  # type: ignore[arg-type]
    assert found.hidden == {S: {(day, "S"): 2.0}}
    asked = found.asked[S]
    assert len(asked) == len(known.stories) + 40
    assert by_group(asked)["carrier other"] == (40, 40) and by_group(asked)["carrier acme"][1] == 0
    night = plan_station(known, found, S, MIDNIGHT, {}, 1)
    assert (night.refused, night.hidden) == (40, 2.0)


def no_room(parcel: int, station: str, minute: int) -> dict[str, object]:
    at = MIDNIGHT - timedelta(days=60, minutes=-minute)
    return {"parcel": UUID(int=parcel), "station": station, "arrival": MIDNIGHT - timedelta(days=2), "size": "S",
            "service": "fast", "carrier": "acme", "refused_at": at}  # fmt: skip


def test_a_refused_parcel_counts_once_where_it_asked_first_and_again_only_where_it_then_lies() -> None:
    known = of(lives(10, 3))
    parcels = len(known.stories)
    came_back = [no_room(0, S, 1), no_room(0, "S-0002", 2), no_room(0, "S-0003", 3)]
    went_on = [no_room(1, "S-0003", 2), no_room(1, "S-0002", 1)]
    nowhere = [no_room(10**6, "S-0002", 5), no_room(10**6, "S-0003", 9)]
    later = [no_room(2, "S-0002", 70 * 24 * 60)]  # it had been promised room long before: nothing to count
    found = wanted.gather(known, [*came_back, *went_on, *nowhere, *later], [], MIDNIGHT)  # type: ignore[list-item]
    assert {name: len(of) for name, of in found.asked.items()} == {S: parcels, "S-0002": 2}
    mine = found.asked[S]
    assert sum(not each.served for each in mine) == 1 and sum(each.again for each in mine) == 1
    assert [each.dwell_h is not None for each in mine if not each.served] == [True], "its own stay is known"
    page = nightly_report.made(known, found, MIDNIGHT, {}, 1, False, lambda _: None)
    assert page.groups["the network"]["carrier acme"] == (parcels + 1, 3)


def test_a_door_that_is_broken_or_held_is_no_room_to_plan_with() -> None:
    known = of(lives(56, 4))
    assert planned(known).reason == "nothing_binds"
    known.unusable[S] = frozenset(range(5, 25))
    point = nightly.point_of(known, wanted.gather(known, [], [], MIDNIGHT), S, MIDNIGHT)
    assert point.counts == [4]
    assert planned(known).served_best_fit != 1.0
    known.unusable[S] = frozenset({1})
    point = nightly.point_of(known, wanted.gather(known, [], [], MIDNIGHT), S, MIDNIGHT)
    assert point.lying and not nightly._stored(point, MIDNIGHT.replace(tzinfo=None)), "all of it lies behind door 1"


def test_collectors_are_told_apart_by_their_own_past_for_the_report_alone() -> None:
    known = of(lives(56, 10))
    for story in known.stories.values():
        story.person = UUID(int=7 if story.service == "slow" else 8)
    speed = wanted.speeds(known)
    assert speed == {UUID(int=7): "slow", UUID(int=8): "quick"}
    groups = by_group(wanted.gather(known, [], [], MIDNIGHT).asked[S])
    assert groups["collector slow"][0] + groups["collector quick"][0] == len(known.stories)


def test_only_a_row_that_says_so_adopts_by_itself() -> None:
    network = AdmissionRow(name="all", rule="nightly")
    own = AdmissionRow(name="own", rule="nightly", station=S)
    assert nightly.adopts_itself({}, S, MIDNIGHT) == ""
    assert nightly.adopts_itself({"all": network}, S, MIDNIGHT) == "all"
    assert nightly.adopts_itself({"all": network, "own": own}, S, MIDNIGHT) == "own"
    assert nightly.adopts_itself({"own": own}, "S-0002", MIDNIGHT) == ""
    assert nightly.adopts_itself({"own": AdmissionRow(name="own", rule="ended", station=S)}, S, MIDNIGHT) == ""
    past = AdmissionRow(name="all", rule="nightly", good_until=MIDNIGHT - timedelta(seconds=1))
    assert nightly.adopts_itself({"all": past}, S, MIDNIGHT) == "", "what it allowed is over"


def test_drift_alone_leaves_the_others_out() -> None:
    known = of(lives(56, 10))
    found = wanted.gather(known, [], [], MIDNIGHT)
    assert nightly.plan_all(known, found, MIDNIGHT, {}, 1, True, lambda _: None) == []
    assert len(nightly.plan_all(known, found, MIDNIGHT, {}, 1, False, lambda _: None)) == 1


@pytest_asyncio.fixture
async def town(database: str, tmp_path: Path) -> AsyncIterator[Town]:
    async with a_small_town(database, tmp_path) as town:
        yield town


async def test_from_a_real_journal_with_refusals_and_a_row_adopted_by_itself(
    town: Town, database: str, tmp_path: Path
) -> None:
    *_, gone = [await told(town, f"PW-{number}") for number in range(8)]
    await only(town).deposit("PW-1")
    await only(town).carry()
    late = await announced(town.hub, "PW-9")
    with pytest.raises(Refusal):
        await town.hub.desk.ask(Reserve(carrier="acme", parcel=late, destination=Destination(station_id=S)))
    await town.hub.desk.ask(Cancel(carrier="acme", parcel=gone))
    await town.hub.adopt_rows([AdmissionRow(name="all", rule="nightly")])
    connection = await asyncpg.connect(database)
    try:
        now = town.clock.now() + timedelta(hours=1)
        page, found = await nightly_report.from_journal(connection, now, {}, 1, False, lambda _: None)
        known = await history.read(connection, now)
    finally:
        await connection.close()
    assert known.rows["all"].rule == "nightly" and nightly.adopts_itself(known.rows, S, now) == "all"
    [night] = found.stations
    assert (night.reason, found.rows) == ("no_history", [])
    assert (night.settled, night.never_came) == (2, 1), "one was put in, one cancelled; of the others nobody knows yet"
    assert found.groups[S]["carrier acme"] == (9, 1) and found.groups[S]["size S"] == (9, 1)
    row = AdmissionRow(name="night/S-0001/S/-", rule="threshold", levels=(1.0,) * 7, expected=(9.0,) * 7)
    await commands.adopt_by_itself(town.hub, rows=[row], plan="ab" * 32, by_row="all", after=found.adopted)
    body = await town.hub.pool.fetchval("SELECT body FROM entry WHERE kind = 'AdmissionAdopted' ORDER BY number DESC")
    assert '"by_row":"all"' in body and row in town.hub.desk.rows
    over = [AdmissionRow(name=row.name, rule="ended", station=S)]
    many = [msgspec.structs.replace(row, name=f"{row.name}{n}") for n in range(1_001)]  # more than a hub takes at once
    await commands.adopt_by_itself(town.hub, rows=[*over, *many], plan="ab" * 32, by_row="all", after=2)
    assert row not in town.hub.desk.rows and many[-1] in town.hub.desk.rows
    odd = msgspec.structs.replace(row, name="odd", station="S-0099")
    with pytest.raises(Refusal):
        await commands.adopt_by_itself(town.hub, rows=[*over, *many, odd], plan="cd" * 32, by_row="all", after=1_004)
    assert not await town.hub.pool.fetchval("SELECT count(*) FROM entry WHERE strpos(body, $1) > 0", "cd" * 32)
    later = await read_at(database, now + timedelta(days=history.WINDOW_DAYS + 1))
    assert (later.zones, later.rows["all"].rule, later.stories) == ({S: "Europe/Helsinki"}, "nightly", {})
    assert later.layouts == known.layouts, "a layout and a row last, however old they are"
    page.write(tmp_path / "plan", found)
    assert "no_history" in (tmp_path / "plan/report.html").read_text()
    assert now > NOW


async def read_at(database: str, now: datetime) -> History:
    connection = await asyncpg.connect(database)
    try:
        return await history.read(connection, now)
    finally:
        await connection.close()


async def test_an_offer_that_was_not_made_counts_on_the_stations_day(town: Town, database: str) -> None:
    """Half past midnight in Helsinki is the day before in UTC."""
    arrival = datetime(2026, 11, 20, 22, 30, tzinfo=UTC)
    connection = await asyncpg.connect(database)
    try:
        for number, (chosen, reason) in enumerate([(S, ""), (None, "station_full")]):
            await connection.execute(
                "INSERT INTO offer VALUES ($1, $2, $2, 'acme', $3, '{S}', '{NULL}', $4, $5)",
                UUID(int=number), arrival, [S], [reason], chosen,
            )  # fmt: skip
        known = await history.read(connection, MIDNIGHT)
        found = await wanted.read(connection, known, MIDNIGHT)
        known.zones[S] = "Nowhere/At_All"
        other = await wanted.read(connection, known, MIDNIGHT)
    finally:
        await connection.close()
    assert found.hidden == {S: {(arrival.date() + timedelta(days=1), "S"): 1.0}}
    assert other.hidden == {S: {(arrival.date(), "S"): 1.0}}, "as everywhere: UTC where nobody knows the zone"


def test_what_a_service_is_worth_is_a_number_above_zero() -> None:
    for bad in ("express", "express=", "express=nan", "=2", "express=-1", "express=inf"):
        done = CliRunner().invoke(commands.app, ["nightly", "--worth", bad])
        assert done.exit_code == 1 and "express=2" in str(done.exception), bad

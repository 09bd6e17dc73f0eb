"""Ready by: what was told is kept as often as it was told, from what was known that day."""

from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np
import pytest

from parcelwall.bench import forecast as bench
from parcelwall.errors import Trouble
from parcelwall.planning import purchase, ready, records
from parcelwall.planning.holidays import easter, holidays
from parcelwall.planning.records import Floats, Ints
from planning.pretend_point import START, point, rows, write

FIRST = records.day_number(START.date())


def test_nine_of_ten_are_ready_by_what_was_told() -> None:
    parcels = point()
    told = ready.roll(parcels, 0.9, FIRST + 120, FIRST + 190)
    now = np.isfinite(told)
    assert now.sum() > 500
    assert (ready.lead_h(parcels)[now] <= told[now]).mean() == pytest.approx(0.9, abs=0.05)
    half = ready.roll(parcels, 0.5, FIRST + 120, FIRST + 190)
    assert half[now].mean() < told[now].mean()
    plain = ready.baseline(parcels, 0.9, FIRST + 120, FIRST + 190)
    assert (ready.lead_h(parcels)[now] <= plain[now]).mean() == pytest.approx(0.9, abs=0.05)


def test_what_happens_later_changes_nothing() -> None:
    parcels, day = point(), FIRST + 150
    told = ready.roll(parcels, 0.9, day - 5, day)
    parcels.deposited[parcels.deposited >= day + 1] += 50
    assert np.array_equal(told, ready.roll(parcels, 0.9, day - 5, day), equal_nan=True)


def test_nothing_is_told_where_nothing_was_learnt() -> None:
    few = records.from_rows(rows(1)[:3])
    assert np.isnan(ready.roll(few, 0.9, FIRST, FIRST + 3)).all()


@pytest.mark.parametrize("sunday", [date(2018, 4, 1), date(2019, 4, 21), date(2026, 4, 5), date(2038, 4, 25)], ids=str)
def test_easter(sunday: date) -> None:
    assert easter(sunday.year) == sunday


def test_holidays_are_of_the_country() -> None:
    assert date(2018, 5, 21) in holidays("FR", [2018])
    assert date(2018, 7, 14) not in holidays("FI", [2018])
    assert holidays("XX", [2018]) == frozenset()


def test_holidays_that_move_with_the_weekday_or_came_by_a_later_law() -> None:
    found = holidays("FI", [2025, 2026])
    assert {date(2025, 6, 20), date(2025, 6, 21), date(2026, 6, 19), date(2026, 6, 20)} <= found, "Midsummer"
    assert {date(2025, 11, 1), date(2026, 10, 31)} <= found, "All Saints' Day"
    assert len(found) == 2 * (7 + 3 + 3)
    for country, since in (("PL", date(2025, 12, 24)), ("BR", date(2024, 11, 20))):
        years = holidays(country, [since.year - 1, since.year, since.year + 1])
        assert {since, since.replace(year=since.year + 1)} <= years
        assert since.replace(year=since.year - 1) not in years


def test_the_years_to_judge_are_the_whole_ones_after_the_first(tmp_path: Path) -> None:
    three = records.from_rows(rows(3 * 366, 1))
    assert [name for name, _, _ in bench.periods(three)] == ["2025", "2026"]
    _, first, last = bench.periods(three)[0]
    assert (records.day_of(first), records.day_of(last)) == (date(2025, 1, 1), date(2025, 12, 26))
    [(name, first, _)] = bench.periods(records.from_rows(rows(300, 1)))
    assert name.startswith("after") and first >= FIRST + bench.LEAST_DAYS
    with pytest.raises(Trouble, match="too few"):
        bench.periods(records.from_rows(rows(1)[:1]))


def test_files_of_another_form_are_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n")
    with pytest.raises(Trouble, match="neither of a pick-up point"):
        bench.forms([other])
    with pytest.raises(Trouble, match="Name a file"):
        bench.forms([])
    assert bench.forms([write(tmp_path / "point.csv", rows(5))]) == ([tmp_path / "point.csv"], [])


def orders(path: Path, count: int, bad: str = "", every_h: int = 12) -> Path:
    """Orders of two sellers: one near and quick, one far and slow."""
    dice = np.random.default_rng(5)
    lines = [
        "parcel_id,purchased_at,delivered_at,estimated_date,seller_state,lat,lon,seller_lat,seller_lon,seller_zip_prefix"
    ]
    for i in range(count):
        bought = START + timedelta(hours=every_h * i + 5 * dice.random())
        far = bool(dice.random() < 0.5)
        delivered = bought + timedelta(days=float((9 if far else 3) * np.exp(0.2 * dice.standard_normal())))
        place = "-8.0,-35.0,2" if far else "-23.5,-46.7,1"
        told = (bought + timedelta(days=25)).date()
        lines.append(f"{i},{bought},{delivered},{told},{'PE' if far else 'SP'},-23.4,-46.6,{place}")
    path.write_text("\n".join([*lines, bad]) + "\n")
    return path


def test_what_is_told_at_the_purchase_is_kept_and_nearer_than_the_shops_word(tmp_path: Path) -> None:
    found = purchase.read_orders([orders(tmp_path / "orders.csv", 500, "x,NaN,,,SP,,,,,")])
    assert found.bad == {"no_purchase_time": 1}
    [late, told_late] = bench.at_purchase(found, lambda text: None)
    assert late.more["kept"] == pytest.approx(0.9, abs=0.06)
    assert told_late.more["kept"] == pytest.approx(0.95, abs=0.05)
    assert 0 < late.value < told_late.value < told_late.reference  # type: ignore[operator]
    for each in (late, told_late):
        assert each.ratio == pytest.approx(each.more["reference_pinball"] / each.more["pinball"], rel=0.01)


def test_the_level_is_kept_by_four_of_five_draws_of_what_it_was_learnt_from() -> None:
    rng = np.random.default_rng(1)
    kept = [surely(rng.random(200), 0.9) for _ in range(1_000)]  # of 0..1 so much lies below what is told
    assert 0.78 < np.mean(np.array(kept) >= 0.9) < 0.9 and np.mean(kept) < 0.93
    assert surely(np.arange(10.0), 0.95) == 9.0, "the largest of too few"


def surely(wrong: Floats, level: float) -> float:
    return purchase.surely(wrong, np.isfinite(wrong), np.isnan(wrong), level)


def to_add(wrong: Floats, age_days: Floats, level: float) -> float:
    return purchase.to_add(wrong, np.isfinite(wrong), np.isnan(wrong), age_days, level)


def test_an_order_on_its_way_tells_that_it_took_longer_than_so_far() -> None:
    """Left out, or taken for as late as it is today, the newest orders make what is told too early."""
    rng = np.random.default_rng(3)
    took, so_far = rng.gamma(4, 2, 3_000), rng.uniform(0, 60, 3_000)
    came = took <= so_far
    told = purchase.surely(np.minimum(took, so_far), came, ~came & (so_far > 60), 0.9)
    usual = float(np.quantile(rng.gamma(4, 2, 100_000), 0.9))
    assert usual <= told < usual * 1.06
    assert surely(np.minimum(took, so_far), 0.9) < surely(took[came], 0.9) < usual


def test_a_level_holds_for_the_newer_half_as_well_when_deliveries_have_become_slower() -> None:
    age, rng = np.arange(600.0) * 0.4, np.random.default_rng(2)  # 240 days, the newest first
    wrong = rng.random(600)
    slower = wrong + 0.5 * (age <= 120)
    alike, late, few = (to_add(each, age, 0.9) for each in (wrong, slower, slower - (age <= 120)))
    assert (slower[age <= 120] <= late).mean() > 0.9 and late > surely(slower, 0.9)
    assert few == surely(slower - (age <= 120), 0.9), "that it has become quicker is not believed so soon"
    assert abs(alike - 0.9) < 0.05
    assert to_add(slower, age + 100, 0.9) == surely(slower[age <= 140], 0.9), "too few are so new"


def test_a_promise_of_a_day_is_kept_until_that_day_is_over_and_its_slack_is_in_days() -> None:
    bought, came = np.array([0.4, 0.4, 0.4]), np.array([5.6, 6.9, 7.1])
    shops = purchase.Orders(bought, came, bought + 20, np.zeros((3, 1)), Counter())
    now = np.arange(3)
    told = shops.until_the_end_of_day(now, np.full(3, 6.0))
    assert told == pytest.approx([6.6] * 3) and ((shops.days <= told) == [True, True, False]).all()
    assert (bench._day_of(shops, now, told) - (np.floor(came) - np.floor(bought)) == [1, 0, -1]).all()


def test_how_late_a_sellers_state_was_is_known_at_the_purchase_and_from_the_past_alone(tmp_path: Path) -> None:
    plain = orders(tmp_path / "orders.csv", 500)
    usual = purchase.read_orders([plain])
    now = int(np.searchsorted(usual.bought, usual.bought[0] + 150))
    slow = []  # from day 100 on PE takes three times as long, and after `now` everything does
    for i, line in enumerate(plain.read_text().strip().splitlines()):
        cells = line.split(",")
        if i and ((cells[4] == "PE" and i > 200) or i > now + 1):
            bought, delivered = (datetime.fromisoformat(cell) for cell in cells[1:3])
            cells[2] = str(bought + 3 * (delivered - bought))
        slow.append(",".join(cells))
    (tmp_path / "slow.csv").write_text("\n".join(slow))
    found = purchase.read_orders([tmp_path / "slow.csv"])
    share, before, pe = found.x[:, -1], usual.x[:, -1], found.x[:, 0] == 0
    assert np.isnan(before[0]) and np.isfinite(before[100:]).all()
    assert np.array_equal(share[:200], before[:200], equal_nan=True)
    late = np.arange(now - 20, now)
    assert (share[late][pe[late]] > 2 * before[late][pe[late]]).all()
    assert np.array_equal(share[late][~pe[late]], before[late][~pe[late]])


def open_from(path: Path, first: str, columns: tuple[int, ...]) -> Path:
    """The file with these cells of all orders bought from a day on blank."""
    head, *lines = path.read_text().splitlines()
    cells = [line.split(",") for line in lines if line]
    told = [",".join("" if i in columns and row[1] >= first else cell for i, cell in enumerate(row)) for row in cells]
    path.write_text("\n".join([head, *told]) + "\n")
    return path


def test_the_months_judged_are_named_with_what_was_not_delivered_in_them(tmp_path: Path) -> None:
    found = purchase.read_orders([open_from(orders(tmp_path / "orders.csv", 420), "2024-07-15", (2,))])
    figure = bench.at_purchase(found, lambda text: None)[0].more
    assert figure["months"] == {"2024-06": 60, "2024-07": 28} and figure["undelivered"] == 28
    assert figure["kept_at_least"] == pytest.approx(figure["kept"] * 88 / (88 + 28), abs=1e-3)
    kept = figure["kept_of_month"]
    assert figure["kept"] == pytest.approx((60 * kept["2024-06"] + 28 * kept["2024-07"]) / 88, abs=1e-3)


def test_of_a_longer_file_each_month_after_the_ninth_is_judged_too(tmp_path: Path) -> None:
    found = purchase.read_orders([orders(tmp_path / "orders.csv", 185, every_h=48)])
    names = {each.name: each for each in bench.at_purchase(found, lambda text: None)}
    two, three = (names[f"ready_at_purchase{more}_0.95"].more for more in ("", "_rolling"))
    assert list(two["months"]) == list(three["months"])[1:] and len(three["months"]) == 3
    assert {month: three["kept_of_month"][month] for month in two["months"]} == two["kept_of_month"]
    assert "target" in two and "target" not in three


def test_a_wrong_year_a_thin_tail_and_blank_ids_make_no_other_months_and_no_other_orders(tmp_path: Path) -> None:
    plain = orders(tmp_path / "orders.csv", 420)
    usual = purchase.read_orders([plain])
    odd = ["y,2081-03-05 10:00:00,2081-03-09 10:00:00,2081-03-20,SP,-23.4,-46.6,-23.5,-46.7,1",
           "u,2024-09-01 10:00:00,2024-09-03 10:00:00,2024-09-20,SP,-23.4,-46.6,-23.5,-46.7,1",
           "v,2024-09-30 10:00:00,2024-10-03 10:00:00,2024-10-20,SP,-23.4,-46.6,-23.5,-46.7,1"]  # fmt: skip
    found = purchase.read_orders([orders(tmp_path / "odd.csv", 420, "\n".join(odd))])
    assert found.bad == {"far_from_all_others": 1} and len(found.bought) == 422
    assert purchase.whole_months(found)[-2:] == purchase.whole_months(usual)[-2:]
    head, *lines = plain.read_text().strip().splitlines()
    plain.write_text("\n".join([head, *("," + line.split(",", 1)[1] for line in lines)]))
    assert len(purchase.read_orders([plain]).bought) == 420
    assert purchase.read_orders([plain, tmp_path / "odd.csv", tmp_path / "odd.csv"]).bad["double"] == 423


@pytest.mark.parametrize(("first", "column"), [("2024-04-01", 2), ("2024-01-01", 3)], ids=["never brought", "no date"])
def test_orders_of_which_none_can_be_judged_end_in_a_sentence(first: str, column: int, tmp_path: Path) -> None:
    """They ended with a traceback of NaN that is no integer."""
    found = purchase.read_orders([open_from(orders(tmp_path / "orders.csv", 320), first, (column,))])
    with pytest.raises(Trouble, match=r"No order of 2024-\d\d and 2024-\d\d can be judged"):
        bench.at_purchase(found, lambda text: None)


def test_a_shop_of_few_orders_is_told_its_own_estimate_moved_and_else_the_quantile_of_all(tmp_path: Path) -> None:
    few = purchase.read_orders([orders(tmp_path / "orders.csv", 120)])
    day, now = int(few.bought[100]), np.array([100, 101])
    told = purchase.told_at(few, day, now, 0.9)
    usual = float(np.quantile(few.days[few.delivered < day], 0.9))
    assert (np.abs(told - usual) < 0.3 * usual + 1).all()
    ends = few.bought[now] + told
    assert ends == pytest.approx(np.round(ends), abs=1e-6), "of a day"
    later = msgspec.structs.replace(few, estimate=few.estimate + 25 * (np.arange(120) >= 100))
    twice = purchase.told_at(later, day, now, 0.9)
    assert (twice > 1.6 * told).all(), "of the shop's 50 days as much as of its 25"
    silent = purchase.told_at(msgspec.structs.replace(few, estimate=np.full(120, np.nan)), day, now, 0.9)
    assert (np.abs(silent - usual) < 0.3 * usual + 1).all()
    assert np.isnan(purchase.told_at(few, int(few.bought[0]), np.array([0]), 0.9)).all()


def test_where_little_was_learnt_the_shops_own_estimate_counts(tmp_path: Path) -> None:
    """With 210 orders trees weigh half: two orders alike but for what the shop says are not told the same."""
    found = purchase.read_orders([orders(tmp_path / "orders.csv", 320)])
    day, now = int(found.bought[270]), np.arange(270, 290)
    later = msgspec.structs.replace(found, estimate=found.estimate + 25 * (np.arange(320) >= 270))
    moved = purchase.told_at(later, day, now, 0.9) / purchase.told_at(found, day, now, 0.9)
    assert (moved > 1.15).all() and (moved < 1.9).all()


def test_an_order_that_never_came_and_an_estimate_of_another_century_move_nobody(tmp_path: Path) -> None:
    """Each order that was cancelled told everybody a later day; one estimate of 2099 made all of these days longer."""
    plain = orders(tmp_path / "orders.csv", 420)
    found = purchase.read_orders([plain])
    day, now = int(found.bought[380]), np.arange(380, 400)
    usual = purchase.told_at(found, day, now, 0.95)
    never = msgspec.structs.replace(found, delivered=np.where(np.arange(420) % 8, found.delivered, np.inf))
    longer = np.log(purchase.told_at(never, day, now, 0.95) / usual)
    assert longer.max() < np.log(2), "on no day twice as long"
    first = [purchase.told_at(on_one_day(each, day, now), day, now, 0.95) for each in (never, found)]
    assert (np.abs(np.log(first[0] / first[1])) < 0.35).all(), "twenty that are all bought on the first of these days"
    new = msgspec.structs.replace(found, estimate=np.where(np.arange(420) < 350, np.inf, found.estimate))
    assert (np.abs(np.log(purchase.told_at(new, day, now, 0.95) / usual)) < 0.35).all(), "it has begun to tell one"
    odd = wrong_estimates(plain)
    assert np.isinf(odd.estimate[::5]).all() and np.isfinite(odd.estimate[1::5]).all()
    assert (np.abs(np.log(purchase.told_at(odd, day, now, 0.95) / usual)) < 0.3).all()


def test_a_level_that_too_few_have_reached_is_not_answered_by_how_long_ago_an_order_was_lost(tmp_path: Path) -> None:
    """On one day in ten or so 222 days were told where 7 were usual."""
    found = purchase.read_orders([orders(tmp_path / "orders.csv", 420)])
    never = msgspec.structs.replace(found, delivered=np.where(np.arange(420) % 8, found.delivered, np.inf))
    now = np.arange(300, 306)
    usual, told = (purchase.told_at(each, int(found.bought[300]), now, 0.95) for each in (found, never))
    assert (np.log(told / usual) < np.log(2)).all()


def test_what_has_become_slow_in_the_middle_of_a_month_is_told_later_before_it_ends(tmp_path: Path) -> None:
    """Learnt at the month's beginning; until 2026-11-28 errors were those known at its beginning, too."""
    found = purchase.read_orders([orders(tmp_path / "orders.csv", 600, every_h=6)])
    day = int(found.bought[480])
    since = found.bought >= day - 3
    slow = msgspec.structs.replace(found, delivered=found.delivered + 8 * since)
    begin, end = (np.flatnonzero((found.bought >= a) & (found.bought < a + 2)) for a in (day, day + 28))
    later = [purchase.told_at(slow, day, now, 0.9) - purchase.told_at(found, day, now, 0.9) for now in (begin, end)]
    assert (later[0] < 3).all() and (later[1] > 4).all()


def on_one_day(orders: purchase.Orders, day: int, now: Ints) -> purchase.Orders:
    """The same orders, but these bought that day, at their hours."""
    earlier = np.zeros(len(orders.bought))
    earlier[now] = np.floor(orders.bought[now]) - day
    moved = {name: getattr(orders, name) - earlier for name in ("bought", "delivered", "estimate")}
    return msgspec.structs.replace(orders, **moved)


def wrong_estimates(path: Path) -> purchase.Orders:
    """Every tenth is of 2099, every tenth before its purchase."""
    head, *lines = path.read_text().strip().splitlines()
    columns = [line.split(",") for line in lines]
    for place, row in enumerate(columns):
        row[3] = {0: "2099-12-31", 5: "2001-01-01"}.get(place % 10, row[3])
    path.write_text("\n".join([head, *(",".join(row) for row in columns)]))
    return purchase.read_orders([path])


def test_dates_without_hours_are_kept_on_the_day_and_rows_may_stand_in_any_order(tmp_path: Path) -> None:
    """Delivered three days after, all at midnight: the end of the second day was told, and never kept."""
    head = "parcel_id,purchased_at,delivered_at,estimated_date,seller_state,lat,lon,seller_lat,seller_lon"
    days = [START + timedelta(days=place) for place in range(130)]
    lines = [f"{day:%m%d}-{each},{day:%Y-%m-%d},{day + timedelta(days=3):%Y-%m-%d},{day + timedelta(days=10):%Y-%m-%d}"
             f",SP,inf,1e308,-23.5,-46.7" for day in days for each in range(3)]  # fmt: skip
    (tmp_path / "dates.csv").write_text("\n".join([head, *lines]))
    (tmp_path / "other.csv").write_text("\n".join([head, *reversed(lines)]))
    found, other = (purchase.read_orders([tmp_path / name]) for name in ("dates.csv", "other.csv"))
    for few, day in ((90, 31), (360, 121)):  # without and with trees
        now = np.arange(few, few + 9)
        told = purchase.told_at(found, int(found.bought[0]) + day, now, 0.9)
        assert told == pytest.approx(np.full(9, 4.0)), "to the end of the third day after"
        assert (told == purchase.told_at(other, int(found.bought[0]) + day, now, 0.9)).all()
    assert np.isnan(found.x[:, 1]).all(), "how far it is nobody knows"
    two = [f"{name},2024-01-05 10:00:00,2024-01-1{day} 12:00:00,2024-02-01,SP,,,," for name, day in ("a5", "b7")]
    for each in (two, two[::-1]):
        (tmp_path / "two.csv").write_text("\n".join([head, *each]))
        assert (np.diff(purchase.read_orders([tmp_path / "two.csv"]).delivered) == [2]).all(), "by name at one moment"

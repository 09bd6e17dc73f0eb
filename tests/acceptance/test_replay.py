"""`parcelwall replay`: whole towns through the real desks. Made-up orders; the real files are measured elsewhere."""

import gzip
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from acceptance.planted import BUSY
from parcelwall.errors import Trouble
from parcelwall.simulation.check import verify_data
from parcelwall.simulation.replay import replay
from parcelwall.simulation.rows import read_orders
from parcelwall.simulation.tally import Report
from simulation.orders import COLUMNS, made_up, write

CALM: dict[str, Any] = {"stations": 3, "compartments": 12, "seed": 3}


def adds_up(report: Report) -> None:
    assert report.rows == sum(report.bad.values()) + report.offered
    assert report.offered == report.accepted + sum(report.refused.values()) + sum(report.diverted.values())
    gone_home = report.not_brought + report.lapsed + sum(report.turned_away.values())
    assert report.accepted == report.deposited + gone_home
    assert report.deposited == report.collected + report.taken_back + report.still_inside
    assert report.violations == 0, report.first_violation


@pytest_asyncio.fixture
async def orders(tmp_path: Path) -> Path:
    return write(tmp_path / "orders.csv", made_up(110, days=8))


async def test_all_sums_hold_every_end_occurs_and_one_seed_is_one_town(
    orders: Path, tmp_path: Path, database: str
) -> None:
    """Twice the same, on other folders and databases."""
    report = await replay(orders, data=tmp_path / "a", database_url=database, realism=BUSY, **CALM)
    adds_up(report)
    assert report.rows == 110
    assert report.collected
    assert report.taken_back
    assert report.refused
    assert {name for name, count in report.events.items() if count} >= {"cuts", "offline_deposits", "wrong_codes"}
    assert await verify_data(tmp_path / "a", database) == []
    again = await replay(orders, data=tmp_path / "b", realism=BUSY, **CALM)
    assert msgspec.structs.replace(again, seconds=0.0, data="") == msgspec.structs.replace(report, seconds=0.0, data="")
    assert await verify_data(tmp_path / "b") == [], "and the books on our own server are whole"


async def test_more_arrivals_than_rows(orders: Path, tmp_path: Path, database: str) -> None:
    report = await replay(orders, data=tmp_path / "data", database_url=database, scale=2.5, **CALM)
    adds_up(report)
    assert 250 < report.rows < 300
    assert report.load["mean"] > report.utilisation["mean"]
    assert report.refused["station_full"]


@pytest.mark.parametrize("policy", ["short-hold", "late-overbook"])
async def test_policies(orders: Path, tmp_path: Path, database: str, policy: str) -> None:
    report = await replay(orders, data=tmp_path / "data", database_url=database, policy=policy, **CALM)
    adds_up(report)
    assert report.policy == policy


DIRT: dict[str, dict[str, str]] = {
    "no_sizes": {"length_cm": ""}, "zero_sizes": {"height_cm": "0"}, "no_weight": {"weight_g": "heavy"},
    "zero_weight": {"weight_g": "0.0"}, "impossible_sizes": {"width_cm": "-4"}, "no_place": {"lat": ""},
    "impossible_place": {"lon": "500"}, "no_purchase_time": {"purchased_at": ""}, "no_id": {"parcel_id": ""},
    "unreadable_delivered_at": {"delivered_at": "soon"},
    "carrier_before_purchase": {"carrier_at": "2017-01-01 10:00:00"},
    "delivered_before_carrier": {"carrier_at": "2018-06-01 10:00:00"},
    "expected_before_purchase": {"estimated_date": "2017-02-03"},
    "delivered_before_purchase": {"carrier_at": "", "delivered_at": "2017-03-01 00:00:00"},
    "times_too_far_apart": {"estimated_date": "2028-01-01"},
}  # fmt: skip


async def test_bad_rows_are_counted_by_reason(tmp_path: Path, database: str) -> None:
    good, *rest = made_up(len(DIRT) + 3, days=2)
    bad = [row | dirt for row, dirt in zip(rest, DIRT.values(), strict=False)]
    path = write(tmp_path / "dirty.csv", [good, *bad, good, *rest[-2:]])
    text = path.read_bytes().replace(b"sao paulo", b"s\xe3o paulo") + b"torn,row\r\n"
    path.write_bytes(gzip.compress(b"\xef\xbb\xbf" + text))
    report = await replay(path, data=tmp_path / "data", database_url=database, **CALM)
    adds_up(report)
    assert report.offered == 3
    assert report.bad == dict.fromkeys(DIRT, 1) | {"double_id": 1, "no_sizes": 2}


async def test_columns_that_are_not_needed_may_be_missing(tmp_path: Path, database: str) -> None:
    needed = tuple(name for name in COLUMNS if name not in ("status", "carrier_at", "city"))
    path = write(tmp_path / "lean.csv", made_up(12, days=1), needed)
    adds_up(await replay(path, data=tmp_path / "data", database_url=database, **CALM))


def test_a_needed_column_that_is_missing_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "short.csv", made_up(3, days=1), tuple(n for n in COLUMNS if n not in ("lat", "weight_g")))
    with pytest.raises(Trouble, match="lacks the columns lat, weight_g"):
        read_orders(path)


@pytest.mark.parametrize("text", [b"", b"\x1f\x8b broken", b"parcel_id\n1\n"])
def test_what_is_no_table_of_orders_is_a_trouble(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(text)
    with pytest.raises(Trouble):
        read_orders(path)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"stations": 0}, "--stations"), ({"compartments": -1}, "--compartments"), ({"scale": 0.0}, "--scale"),
        ({"policy": "generous"}, "standard, short-hold"),
    ],
)  # fmt: skip
async def test_wrong_options_are_named(orders: Path, tmp_path: Path, options: dict[str, Any], says: str) -> None:
    with pytest.raises(Trouble, match=says):
        await replay(orders, data=tmp_path / "data", **options)


async def test_a_folder_with_something_in_it_is_not_used(orders: Path, tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="holds something already"):
        await replay(orders, data=tmp_path)


def test_rubbish_never_breaks_the_reader(tmp_path: Path) -> None:
    """Cells of every kind anywhere: each row is either an offer or counted with a reason."""
    chance = random.Random(11)
    odd = ["", "0", "-1", "nan", "inf", "1e400", "x", "2018-02-30 00:00:00", "2018-03-01", "9999-12-31 23:59:59",
           "2018-03-01T10:00:00+05:00", "1_0", "\u0661\u0662", "0000-00-00", '"', "a,b"]  # fmt: skip
    rows = [dict(row) for row in made_up(300, days=3)]
    for row in rows:
        for name in chance.sample(COLUMNS, 2):
            row[name] = chance.choice(odd)
    found = read_orders(write(tmp_path / "odd.csv", rows))
    assert found.rows == 300


async def test_years_in_which_nobody_orders_take_no_time(tmp_path: Path, database: str) -> None:
    """One row of another century in a file: the town sleeps until then."""
    rows = list(made_up(12, days=1))
    times = ("purchased_at", "carrier_at", "delivered_at", "estimated_date")
    later = {name: "2088" + rows[0][name][4:] for name in times if rows[0][name]}
    path = write(tmp_path / "odd.csv", [*rows, rows[0] | later | {"parcel_id": "late-1"}])
    report = await replay(path, data=tmp_path / "data", database_url=database, **CALM)
    adds_up(report)
    assert (report.offered, report.events["cuts"] < 100) == (13, True)

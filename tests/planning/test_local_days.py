"""Days of stations' own clocks: of offers that were not made, also where clocks are moved or the database knows no such
zone."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from parcelwall.planning import wanted
from parcelwall.planning.history import History
from station.zones import add_zone, other_zones

S = "S-0001"


async def day_of(connection: asyncpg.Connection, arrival: datetime, zone: str) -> date:
    """On which day a parcel that was to come then is counted as turned away."""
    await connection.execute("DELETE FROM offer")
    for number, (chosen, reason) in enumerate([(S, ""), (None, "station_full")]):
        await connection.execute(
            "INSERT INTO offer VALUES ($1, $2, $2, 'acme', $3, '{S}', '{NULL}', $4, $5)",
            UUID(int=number), arrival, [S], [reason], chosen,
        )  # fmt: skip
    found = await wanted.read(connection, History({}, {S: zone}), arrival + timedelta(days=1))
    [(day, _)] = found.hidden[S]
    return day


@pytest.mark.parametrize(("zone", "arrival", "day"), [
    ("Europe/Helsinki", datetime(2026, 10, 24, 21, 30, tzinfo=UTC), date(2026, 10, 25)),
    ("Europe/Helsinki", datetime(2026, 10, 25, 21, 30, tzinfo=UTC), date(2026, 10, 25)),  # it is that of 25 hours
    ("Europe/Helsinki", datetime(2026, 10, 25, 22, 30, tzinfo=UTC), date(2026, 10, 26)),
    ("Atlantic/Azores", datetime(2027, 3, 28, 0, 30, tzinfo=UTC), date(2027, 3, 27)),
    ("Atlantic/Azores", datetime(2027, 3, 28, 1, 0, tzinfo=UTC), date(2027, 3, 28)),
    ("Moon/Base", datetime(2026, 10, 24, 18, 29, tzinfo=UTC), date(2026, 10, 24)),
    ("Moon/Base", datetime(2026, 10, 24, 18, 30, tzinfo=UTC), date(2026, 10, 25)),
])  # fmt: skip
async def test_an_offer_that_was_not_made_is_of_that_day(
    database: str, tmp_path: Path, zone: str, arrival: datetime, day: date
) -> None:
    add_zone(tmp_path, "Moon/Base", like="Asia/Kolkata")
    connection = await asyncpg.connect(database)
    try:
        with other_zones(tmp_path):
            assert await day_of(connection, arrival, zone) == day
    finally:
        await connection.close()

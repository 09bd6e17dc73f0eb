"""Time that an outage gives back is told when it has added up, not each time the power fails."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest_asyncio

from hub.letters import Office, an_office
from parcelwall.hub.cases import CloseCase, OpenCase
from parcelwall.rules import facts


@pytest_asyncio.fixture
async def office(database: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with an_office(database, tmp_path) as office:
        yield office


async def stands_still(office: Office, minutes: int) -> None:
    """The station's computer was off for so long, until now."""
    since = office.now.now()
    office.now.advance(minutes * 60)
    await office.hub.receive("S-0001", office.pen.write(facts.StoodStill(since=since, until=office.now.now())))


async def told(office: Office) -> list[str]:
    """What mails were for, in order."""
    await office.tell()
    rows = await office.hub.pool.fetch("SELECT purpose FROM notice WHERE channel = 'email' AND state = 'sent' "
                                       "ORDER BY sent_at")  # fmt: skip
    return [row["purpose"] for row in rows]


async def test_small_outages_are_told_once_they_add_up_to_an_hour(office: Office) -> None:
    parcel = await office.inside()
    until = parcel.collect_by
    await office.tell()
    for _ in range(5):
        await stands_still(office, 11)
    assert await told(office) == ["ready"]
    await stands_still(office, 11)
    assert await told(office) == ["ready", "kept_longer"]
    for _ in range(8):
        await stands_still(office, 20)
    assert await told(office) == ["ready", "kept_longer"], "not twice in twelve hours for so little"
    kept = await office.hub.pool.fetchval("SELECT due FROM parcel WHERE id = $1", parcel.id)
    assert until is not None and kept - until == timedelta(minutes=6 * 11 + 8 * 20), "what was not told counts"


async def test_a_long_outage_is_told_at_once(office: Office) -> None:
    await office.inside()
    await office.tell()
    await stands_still(office, 60)
    assert await told(office) == ["ready", "kept_longer"]
    await stands_still(office, 6 * 60)
    assert await told(office) == ["ready", "kept_longer", "kept_longer"]


async def test_of_what_is_read_at_once_the_newest_is_told(office: Office) -> None:
    await office.inside()
    await office.tell()
    for _ in range(3):
        await stands_still(office, 70)
    assert await told(office) == ["ready", "kept_longer"]


async def test_who_stood_before_a_door_that_failed_hears_that_it_was_seen_to(office: Office) -> None:
    parcel = await office.inside()
    await office.tell()
    await office.hub.desk.ask(OpenCase(parcel=parcel.id, about="door_failed", station="S-0001", compartment=1))
    office.now.advance(20 * 60)
    case = await office.hub.pool.fetchval("SELECT id FROM case_file")
    await office.hub.desk.ask(CloseCase(case=case, station="S-0001", outcome="mended"))
    assert await told(office) == ["ready", "kept_longer"]


async def test_a_reminder_is_not_said_again_for_a_little_more_time(office: Office) -> None:
    await office.inside()
    await office.tell()
    office.now.advance(25 * 3600)
    assert await office.remind() == 1
    assert await told(office) == ["ready", "reminder"]
    await stands_still(office, 20)
    assert await office.remind() == 0
    await stands_still(office, 13 * 60)
    office.now.advance(11 * 3600)
    assert await told(office) == ["ready", "reminder", "kept_longer"]
    assert await office.remind() == 1
    assert await told(office) == ["ready", "reminder", "kept_longer", "reminder"]

"""Reminders: one for each holding time, by day, and in time."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from hub.letters import Office, an_office
from parcelwall.hub.commands import Extend
from parcelwall.hub.sweeps import sweep
from parcelwall.rules.facts import By


@pytest_asyncio.fixture
async def office(database: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with an_office(database, tmp_path) as office:
        yield office


async def test_one_reminder_per_holding_time(office: Office) -> None:
    parcel = await office.inside()
    assert await office.remind() == 0, "48 hours left"
    office.now.advance(25 * 3600)
    assert await office.remind() == 1
    assert await office.remind() == 0
    await office.tell()
    assert [purpose for purpose, channel, _ in await office.notices() if channel == "email"] == ["ready", "reminder"]
    await office.hub.desk.ask(Extend(carrier=None, parcel=parcel.id, by="recipient"))
    assert await office.remind() == 0
    office.now.advance(24 * 3600)
    assert await office.remind() == 1
    await office.tell()
    assert len(office.mail.got) == 4


async def test_those_without_an_address_do_not_keep_others_from_being_reminded(office: Office) -> None:
    for number in range(3):
        await office.inside(f"PW-{number}", None)
    office.now.advance(25 * 3600)
    assert await office.remind() == 3
    assert await office.remind() == 0
    await office.hand_over()
    assert office.mail.got == []


@pytest.mark.parametrize(
    ("brought", "told"),
    [
        (datetime(2026, 11, 22, 20, tzinfo=UTC), datetime(2026, 11, 24, 6, tzinfo=UTC)),  # 22:00 there: in the morning
        (datetime(2026, 11, 22, 12, tzinfo=UTC), datetime(2026, 11, 23, 12, tzinfo=UTC)),  # by day: at once
    ],
)
async def test_reminders_keep_quiet_hours(office: Office, brought: datetime, told: datetime) -> None:
    office.now.move_to(brought)
    await office.inside()
    office.now.move_to(brought + timedelta(hours=24))
    await office.remind()
    rows = await office.hub.pool.fetch("SELECT next_try FROM notice WHERE purpose = 'reminder'")
    assert [row["next_try"] for row in rows] == [told, told]


async def test_a_reminder_that_would_come_too_late_in_the_morning_comes_now(office: Office) -> None:
    parcel = await office.inside()
    night = datetime(2026, 11, 24, 0, tzinfo=UTC)  # 02:00 there; it must be collected by 04:00
    until = night + timedelta(hours=2)
    await office.hub.receive("S-0001", office.pen.write(office.pen.deposited(parcel, 1, collect_by=until)))
    office.now.move_to(night)
    await office.remind()
    assert await office.hub.pool.fetchval("SELECT max(next_try) FROM notice WHERE purpose = 'reminder'") == night


async def test_that_it_is_late_can_wait_for_the_morning(office: Office) -> None:
    """Brought at 03:00 in the night: told at once that it is there, and not before 08:00 that its time is over."""
    night = datetime(2026, 11, 23, 1, tzinfo=UTC)
    office.now.move_to(night)
    await office.inside()
    await office.tell()
    assert len(office.mail.got) == 1
    office.now.move_to(night + timedelta(hours=48))
    assert await sweep(office.hub) == 1
    await office.tell()
    assert len(office.mail.got) == 1
    office.now.move_to(datetime(2026, 11, 25, 6, tzinfo=UTC))
    await office.tell()
    assert len(office.mail.got) == 2


# what is not true any more


async def purposes(office: Office) -> list[str]:
    rows = await office.hub.pool.fetch("SELECT purpose FROM notice WHERE state = 'sent' AND channel = 'email' "
                                       "ORDER BY sent_at, number")  # fmt: skip
    return [row["purpose"] for row in rows]


async def test_who_kept_it_longer_in_the_night_is_not_told_in_the_morning_that_it_goes_back(office: Office) -> None:
    """Its time ends at 22:30; that is told at 08:00. At 22:40 its recipient keeps it longer."""
    office.now.move_to(datetime(2026, 11, 22, 20, 30, tzinfo=UTC))
    parcel = await office.inside()
    office.now.move_to(datetime(2026, 11, 24, 20, 30, tzinfo=UTC))
    assert await sweep(office.hub) == 1
    await office.tell()
    office.now.advance(600)
    await office.hub.desk.ask(Extend(carrier=None, parcel=parcel.id, by="recipient"))
    await office.tell()
    office.now.move_to(datetime(2026, 11, 25, 6, tzinfo=UTC))
    await office.tell()
    assert await purposes(office) == ["ready", "kept_longer"]
    office.now.move_to(datetime(2026, 11, 26, 6, tzinfo=UTC))
    await sweep(office.hub)
    await office.tell()
    assert await purposes(office) == ["ready", "kept_longer", "overdue"], "when it is true again, once"


@pytest.mark.parametrize("then", ["kept longer", "late"])
async def test_a_reminder_that_came_too_late_is_not_sent(office: Office, then: str) -> None:
    """The mail server was down: meanwhile it was kept longer, or its time is over."""
    parcel = await office.inside()
    office.now.advance(25 * 3600)
    await office.tell()
    await office.remind()
    if then == "kept longer":
        await office.hub.desk.ask(Extend(carrier=None, parcel=parcel.id, by="recipient"))
        assert await office.remind() == 0
    else:
        office.now.advance(24 * 3600)
        await sweep(office.hub)
    await office.tell()
    assert await purposes(office) == ["ready", "kept_longer" if then == "kept longer" else "overdue"]


@pytest.mark.parametrize(("by", "at_night"), [("recipient", 2), ("operator", 1), ("hub", 1)])
async def test_kept_longer_by_somebody_else_is_told_in_the_morning(office: Office, by: By, at_night: int) -> None:
    """An area is given more time at 03:00: nobody's telephone rings."""
    parcel = await office.inside()
    await office.tell()
    office.now.move_to(datetime(2026, 11, 23, 1, tzinfo=UTC))
    await office.hub.desk.ask(Extend(carrier=None, parcel=parcel.id, by=by))
    await office.tell()
    assert len(office.sms.got) == at_night
    office.now.move_to(datetime(2026, 11, 23, 6, tzinfo=UTC))
    await office.tell()
    assert await purposes(office) == ["ready", "kept_longer"]

"""How people like to be told: by which ways, and when not. It counts for what is shown to be theirs."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
import pytest_asyncio

from hub.letters import Office, an_office
from parcelwall.hub import accounts
from parcelwall.hub.preferred import Wishes
from parcelwall.notices.failures import Undeliverable
from parcelwall.notices.schedule import LAST_CALL, send_at
from parcelwall.rules.life import Parcel
from station.towns import NOW, cases, parcel_at

NIGHT = NOW.replace(hour=21, minute=0)  # 23:00 at the station
MORNING = NIGHT + timedelta(hours=6)


@pytest_asyncio.fixture
async def office(database: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with an_office(database, tmp_path) as office:
        yield office


async def wished(office: Office, wishes: Wishes, parcel: UUID, how: accounts.How = "contact") -> None:
    """A parcel is in a list whose owner likes it so."""
    hub = office.hub
    account = await accounts.open_account(hub)
    await accounts.prefer(hub, account, "", False, wishes)
    await accounts.join(hub, account, parcel)
    if how == "contact":
        async with hub.pool.acquire() as connection:
            await accounts.join_by_contact(connection, account, parcel, hub.clock.now())


async def brought(office: Office, wishes: Wishes, how: accounts.How = "contact") -> Parcel:
    """Put in after its owner has said so."""
    promised = await office.promised()
    await wished(office, wishes, promised, how)
    parcel = await office.put_in(await parcel_at(office.hub, promised))
    await office.tell()
    return parcel


async def next_tries(office: Office) -> set[datetime]:
    return {row["next_try"] for row in await office.hub.pool.fetch("SELECT next_try FROM notice")}


async def test_they_are_told_by_the_way_that_they_chose(office: Office) -> None:
    await brought(office, Wishes(("sms",)))
    assert (len(office.mail.got), len(office.sms.got)) == (0, 1)


async def test_whoever_has_only_the_link_changes_nothing_for_anybody(office: Office) -> None:
    office.now.move_to(NIGHT)
    await brought(office, Wishes(("sms",), (22, 5)), "link")
    assert (len(office.mail.got), len(office.sms.got)) == (1, 1)


async def test_a_way_that_leads_nowhere_gives_way_to_the_other(office: Office) -> None:
    office.sms.moods = [Undeliverable("number_unreadable")]
    await brought(office, Wishes(("sms",)))
    await office.tell()
    assert (len(office.mail.got), await cases(office.hub)) == (1, [])


async def test_where_no_way_leads_anywhere_a_person_looks_at_it(office: Office) -> None:
    office.sms.moods, office.mail.moods = [Undeliverable("number_unreadable")], [Undeliverable("address_unknown")]
    await brought(office, Wishes(("sms",)))
    await office.tell()
    assert (len(office.mail.got), await cases(office.hub)) == (0, ["notice_given_up"])


async def test_in_their_own_quiet_hours_even_a_parcel_that_is_there_waits(office: Office) -> None:
    office.now.move_to(NIGHT)
    await brought(office, Wishes((), (22, 5)))
    assert (office.mail.got, await next_tries(office)) == ([], {MORNING})
    office.now.move_to(MORNING)
    await office.hand_over()
    assert (len(office.mail.got), len(office.sms.got)) == (1, 1)


async def test_but_never_until_it_would_come_too_late(office: Office) -> None:
    office.now.move_to(NIGHT)
    promised = await office.promised()
    await wished(office, Wishes((), (22, 5)), promised)
    parcel = await parcel_at(office.hub, promised)
    until = MORNING + LAST_CALL - timedelta(minutes=1)
    await office.hub.receive("S-0001", office.pen.write(office.pen.deposited(parcel, 1, collect_by=until)))
    await office.tell()
    assert len(office.mail.got) == 1


@pytest.mark.parametrize(
    ("purpose", "asked", "waits"),
    [("ready", True, True), ("reminder", True, True), ("kept_longer", False, True), ("kept_longer", True, False),
     ("opened_by_us", True, False), ("code_drawn", True, False)],
)  # fmt: skip
def test_alarms_and_answers_come_at_any_hour(purpose: str, asked: bool, waits: bool) -> None:
    at = send_at(purpose, NIGHT, "Europe/Helsinki", asked=asked, own_quiet=(22, 5))
    assert at == (MORNING if waits else NIGHT)


def test_own_quiet_hours_take_the_place_of_the_policys() -> None:
    assert send_at("reminder", NIGHT, "Europe/Helsinki") > NIGHT
    assert send_at("reminder", NIGHT, "Europe/Helsinki", own_quiet=(9, 15)) == NIGHT

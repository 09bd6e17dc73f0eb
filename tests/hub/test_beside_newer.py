"""A hub process runs beside one of a later version: what that one has set is not lost by what this one changes."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from parcelwall.errors import Trouble
from parcelwall.hub import sites
from parcelwall.hub.commands import Cancel
from parcelwall.hub.house import Hub
from parcelwall.hub.verify import verify_hub
from parcelwall.rules import facts
from parcelwall.rules.policy import Policy
from station.towns import a_hub, about, announcing

_KEPT_BY_LATER = "UPDATE parcel SET record = left(record, -1) || $2 WHERE reference = $1"
_WRAPPED = "SELECT stage, record::jsonb->'wrapped' #>> '{in,0}' FROM parcel ORDER BY 2"


class LaterPolicy(Policy, frozen=True, kw_only=True):
    """Of a later version."""

    a_knob: str = ""


class SiteNoted(facts.SiteNoted, frozen=True, kw_only=True):
    """Of a later version, under the name of the fact."""

    a_plan: str = ""


@pytest_asyncio.fixture
async def hub(database: str, tmp_path: Path) -> AsyncIterator[Hub]:
    async with a_hub(database, tmp_path, stations=(about("S-0001"),)) as hub:
        yield hub


async def adopted(hub: Hub, version: int) -> None:
    await hub.adopt(msgspec.structs.replace(hub.policy, version=version, hold_hours=24))


async def test_knobs_that_only_a_later_version_knows_are_not_taken_back_by_this_one(hub: Hub) -> None:
    await hub.adopt(LaterPolicy(version=2, hold_hours=72, a_knob="later"))
    assert hub.policy.hold_hours == 72, "what is known of it is in force"
    with pytest.raises(Trouble, match="has set a_knob, which this process would lose"):
        await adopted(hub, 3)
    with pytest.raises(Trouble, match="has set a_knob"):
        await hub.configure(about("S-0002", lat=60.2), joined=True)
    assert await hub.pool.fetchval("SELECT count(*) FROM station") == 1


async def test_a_policy_that_is_known_whole_is_changed_as_ever(hub: Hub) -> None:
    await hub.adopt(Policy(version=2, order_warned="*", help_phone="+358 9 123 456"))
    await adopted(hub, 3)
    assert (hub.policy.version, hub.policy.order_warned) == (3, "*")


async def test_what_is_on_paper_of_a_site_is_not_written_anew_without_a_part(hub: Hub) -> None:
    await sites.note(hub, SiteNoted(station="S-0001", host="K-Market", a_plan="later"))
    assert [each.host for each in await sites.newest(hub)] == ["K-Market"]
    with pytest.raises(Trouble, match="has set a_plan"):
        async with sites.changing(hub, "S-0001"):
            pytest.fail("nothing is changed")


async def test_a_process_that_a_later_version_has_overtaken_says_so_once(hub: Hub) -> None:
    with capture_logs() as logs:
        await hub.refresh()
        await hub.pool.execute("INSERT INTO migration (number, name, sha256) VALUES (9999, '9999_later', '')")
        await hub.refresh()
        await hub.refresh()
    assert [each["event"] for each in logs] == ["older_than_database"]


async def test_what_a_later_version_keeps_of_a_parcel_is_there_after_this_one_has_changed_it(hub: Hub) -> None:
    """And it is the same parcel to this one, also with a reference that looks like a name."""
    for reference in ("PW-1", 'P"":":":"W'):
        await hub.desk.ask(announcing(reference, "S-0001"))
    await hub.pool.execute(_KEPT_BY_LATER, "PW-1", ',"wrapped":{"in":["paper"]}}')
    for parcel in await hub.pool.fetch("SELECT id FROM parcel"):
        await hub.desk.ask(Cancel(carrier="acme", parcel=parcel["id"]))
    assert [tuple(row) for row in await hub.pool.fetch(_WRAPPED)] == [("CANCELLED", "paper"), ("CANCELLED", None)]
    assert await verify_hub(hub.pool) == []

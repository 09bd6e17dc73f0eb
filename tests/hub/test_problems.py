"""What couriers report: one case for one thing while it is open, and no more than one courier can mean."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import msgspec
import pytest_asyncio

from hub.test_couriers import COURIER, OTHER, admit, an_entry
from parcelwall.hub import courier_outbox, reading
from parcelwall.hub.cases import CloseCase
from parcelwall.hub.courier_outbox import MOST_PROBLEMS
from parcelwall.hub.house import Hub
from station.towns import a_hub, about, announced


@pytest_asyncio.fixture
async def hub(database: str, tmp_path: Path) -> AsyncIterator[Hub]:
    async with a_hub(database, tmp_path, stations=(about("S-0001"), about("S-0002", lat=60.17))) as hub:
        for courier in (COURIER, OTHER):
            for station in ("S-0001", "S-0002"):
                await admit(hub, station, courier)
        yield hub


async def reported(hub: Hub, number: int, courier: UUID = COURIER, **changed: object) -> courier_outbox.Done:
    [done] = await courier_outbox.take(hub, courier, [an_entry(number, **changed)])
    return done


async def test_what_is_reported_again_while_it_is_open_is_the_same_case(hub: Hub) -> None:
    first = await reported(hub, 1, what="dirty")
    assert (await reported(hub, 2, OTHER, what="dirty")).case == first.case
    others = [await reported(hub, 3, what="dirty", station="S-0002"), await reported(hub, 4, what="door")]
    assert len({each.case for each in (first, *others)}) == 3, "another station, another thing"
    [case] = [each for each in await reading.open_cases(hub) if each["name"] == first.case]
    await hub.desk.ask(CloseCase(case=case["id"], station="S-0001", outcome="swept"))
    assert (await reported(hub, 5, what="dirty")).case not in (first.case, ""), "dirty once more"


async def test_each_parcel_has_a_case_of_its_own(hub: Hub) -> None:
    for reference in ("PW-1", "PW-2"):
        await announced(hub, reference, "S-0001")
    told = [await reported(hub, number, label=label) for number, label in enumerate(("PW-1", "PW-2", "PW-1", ""), 1)]
    assert told[0].case == told[2].case and len({each.case for each in told}) == 3


async def test_more_than_a_courier_can_mean_wait_on_the_phone(hub: Hub) -> None:
    told = [await reported(hub, number, what="dirty") for number in range(1, MOST_PROBLEMS + 2)]
    assert [each.state for each in told] == ["done"] * MOST_PROBLEMS + ["later"]
    assert (await reported(hub, 900, OTHER, what="dirty")).state == "done", "another courier's count"
    hub.clock.advance(601)  # type: ignore[attr-defined]
    assert (await reported(hub, MOST_PROBLEMS + 1, what="dirty")).state == "done"
    assert await hub.pool.fetchval("SELECT count(*) FROM entry WHERE kind = 'CaseOpened'") == 1


class Newer(courier_outbox.Entry, frozen=True, kw_only=True):
    """An entry as a later version has it, with a field more."""

    heard_at: str = ""


def test_what_was_sent_before_an_update_is_the_same_after_it() -> None:
    """A field more at its default is no other report, and a phone sends again what it had no answer to."""
    sent = an_entry(1)
    fields = {name: getattr(sent, name) for name in sent.__struct_fields__}
    at_first = ("id", "kind", "station", "what", "label", "photo", "bundle")  # as version 0.1 had it
    before = hashlib.sha256(msgspec.json.encode({name: fields[name] for name in at_first})).digest()
    assert courier_outbox.fingerprint(sent) == courier_outbox.fingerprint(Newer(**fields)) == before
    assert courier_outbox.fingerprint(Newer(**fields, heard_at="noon")) != before

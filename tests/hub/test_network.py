"""Stations come into the network: configured, claimed once, proven by their own key; and new layouts count anew."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from parcelwall.clock import VirtualClock
from parcelwall.errors import Refusal, Trouble
from parcelwall.hub.commands import Answer, Destination, Reserve
from parcelwall.hub.house import Hub
from parcelwall.hub.offers import Wanted
from parcelwall.hub.stations import rooms
from parcelwall.hub.verify import verify_hub
from parcelwall.link.hub_end import Known
from parcelwall.rules import facts
from parcelwall.rules.places import Room
from station.towns import NOW, Pen, a_hub, about, announced, announcing, kinds_in, order, parcel_at

KEY, NEWER = bytes([1]) * 32, bytes([2]) * 32


@pytest_asyncio.fixture
async def hub(database: str, tmp_path: Path) -> AsyncIterator[Hub]:
    async with a_hub(database, tmp_path, stations=(about(),)) as hub:
        yield hub
        assert await verify_hub(hub.pool) == []


async def room(hub: Hub, station: str = "S-0001") -> Room:
    async with hub.pool.acquire() as connection:
        return (await rooms(connection, [station]))[station]


async def refused(hub: Hub, claim: str, key: bytes = KEY) -> str:
    with pytest.raises(Refusal) as no:
        await hub.enrol(claim, key)
    return no.value.reason


async def test_a_claim_serves_one_computer(hub: Hub) -> None:
    claim = await hub.claim("S-0001")
    given = await hub.enrol(claim, KEY)
    assert (given.station, given.hub_writer, given.epoch) == ("S-0001", "hub:1/S-0001", 0)
    assert len(bytes.fromhex(given.secret)) == 32
    assert bytes.fromhex(given.hub_key) == hub.signer.public
    assert await hub.known("S-0001") == Known(KEY, "S-0001")
    assert await hub.enrol(claim, KEY) == given, "the answer was lost: the same computer asks again"
    assert await refused(hub, claim, NEWER) == "claim_unknown"
    assert await kinds_in(hub, "hub:1/S-0001") == ["StationConfigured", "StationEnrolled"]


async def test_a_new_computer_whose_answer_was_lost_has_the_same_answer_for_a_day(hub: Hub) -> None:
    assert isinstance(hub.clock, VirtualClock)
    await hub.enrol(await hub.claim("S-0001"), KEY)
    claim = await hub.claim("S-0001")
    given = await hub.enrol(claim, NEWER)
    assert given.fetches and given.writer != "S-0001"
    assert await hub.enrol(claim, NEWER) == given, "no life more"
    assert await refused(hub, claim, KEY) == "claim_unknown", "the one before"
    hub.clock.advance(timedelta(hours=24).total_seconds())
    assert await refused(hub, claim, NEWER) == "claim_unknown"


async def test_a_claim_gives_a_revoked_computer_nothing(hub: Hub) -> None:
    claim = await hub.claim("S-0001")
    await hub.enrol(claim, KEY)
    await hub.revoke_station("S-0001", "stolen")
    assert await refused(hub, claim, KEY) == "claim_unknown"


async def test_room_is_promised_once_a_computer_has_joined(hub: Hub) -> None:
    new = msgspec.structs.replace(about("S-0002"), lat=61.5, lon=23.8)
    wanted = Wanted(order("A-0"), (61.5, 23.8))
    await hub.configure(new)
    with pytest.raises(Refusal, match="No computer has joined this station yet") as no:
        await hub.desk.ask(Reserve(carrier="acme", parcel=await announced(hub, "A-1"),
                                   destination=Destination(station_id="S-0002")))  # fmt: skip
    assert no.value.reason == "station_out_of_service"
    assert [each.reason for each in (await hub.offers.offer(wanted)).offers] == ["station_out_of_service"]
    diverted = await hub.desk.ask(announcing("A-2", "S-0002"))
    assert (diverted.body["stage"], diverted.body["reason"]) == ("DIVERTED", "station_out_of_service")
    await hub.configure(msgspec.structs.replace(new, name="Another name"))
    assert not hub.stations.known["S-0002"].in_service, "a new layout is no computer"

    await hub.enrol(await hub.claim("S-0002"), KEY)
    assert (await hub.desk.ask(announcing("A-3", "S-0002"))).body["stage"] == "RESERVED"
    hub.offers.rooms.forget(["S-0002"])
    assert [each.reason for each in (await hub.offers.offer(wanted)).offers] == [None]
    await hub.configure(msgspec.structs.replace(new, name="A third name"))
    assert hub.stations.known["S-0002"].in_service


async def test_a_claim_is_read_as_people_write_it(hub: Hub) -> None:
    claim = await hub.claim("S-0001")
    assert len(claim) == 12
    assert not set(claim) & set("ILOU")
    written = f"{claim[:4].lower()}-{claim[4:8]} {claim[8:]}".replace("0", "o").replace("1", "l")
    assert (await hub.enrol(written, KEY)).station == "S-0001"


async def test_a_claim_is_good_for_a_day(hub: Hub) -> None:
    assert isinstance(hub.clock, VirtualClock)
    claim = await hub.claim("S-0001")
    hub.clock.advance(timedelta(hours=24).total_seconds())
    assert await refused(hub, claim) == "claim_unknown"
    assert await refused(hub, "") == "claim_unknown"
    assert await refused(hub, "0123456789AB") == "claim_unknown"
    assert await hub.known("S-0001") is None


async def test_claims_are_kept_as_hashes_and_only_for_stations_that_are_there(hub: Hub) -> None:
    claim = await hub.claim("S-0001")
    assert claim.encode() not in await hub.pool.fetchval("SELECT code_hash FROM claim")
    with pytest.raises(Refusal) as no:
        await hub.claim("S-0404")
    assert no.value.reason == "station_unknown"


async def test_a_new_computer_ends_the_old_ones_key_and_has_the_same_secret(hub: Hub) -> None:
    first = await hub.enrol(await hub.claim("S-0001"), KEY)
    second = await hub.enrol(await hub.claim("S-0001"), NEWER)
    known = await hub.known("S-0001")
    assert known == Known(NEWER, f"S-0001:{int(NOW.timestamp())}")
    assert second.secret == first.secret, "codes that people hold stay good"


async def test_two_computers_and_one_claim(hub: Hub) -> None:
    claim = await hub.claim("S-0001")
    both = await asyncio.gather(hub.enrol(claim, KEY), hub.enrol(claim, NEWER), return_exceptions=True)
    assert sorted(type(each).__name__ for each in both) == ["Enrolment", "Refusal"]


async def test_stations_have_secrets_of_their_own(hub: Hub) -> None:
    await hub.configure(about("S-0002"))
    first = await hub.enrol(await hub.claim("S-0001"), KEY)
    second = await hub.enrol(await hub.claim("S-0002"), NEWER)
    assert first.secret != second.secret
    row = await hub.pool.fetchrow("SELECT sealed FROM station_secret WHERE station = 'S-0001'")
    assert bytes.fromhex(first.secret) not in row["sealed"]


async def test_a_new_layout_counts_what_is_there(hub: Hub) -> None:
    assert isinstance(hub.clock, VirtualClock)
    pen = Pen("S-0001", hub.clock)
    inside = await parcel_at(hub, await announced(hub, "PW-1", "S-0001"))
    await announced(hub, "PW-2", "S-0001")
    health = facts.CompartmentHealth(compartment=4, usable=False)
    await hub.receive("S-0001", pen.write(pen.deposited(inside, 2), health))
    await hub.configure(about("S-0001", "LLLL SS"))
    plan = hub.stations.known["S-0001"].plan
    need = plan.need(await parcel_at(hub, inside.id))
    assert await room(hub) == Room(taken=plan.bit(2), broken=plan.bit(4), promised={need: 1})
    assert (await hub.desk.ask(announcing("PW-3", "S-0001"))).body["size"] == "S"


async def test_a_new_layout_while_promises_are_being_made(hub: Hub) -> None:
    """Whatever comes first: no promise is left out of the count."""

    async def change(turn: int) -> None:
        for _ in range(4):
            await hub.configure(about("S-0001", "SSSSSSSSSSSS" if turn % 2 else "SSSSSSSSSSSSM"))

    await hub.configure(about("S-0001", "SSSSSSSSSSSSM"))  # room for ten from the first moment on
    done = await asyncio.gather(
        *(change(turn) for turn in range(2)), *(hub.desk.ask(announcing(f"PW-{n}", "S-0001")) for n in range(10))
    )
    stages = [each.body["stage"] for each in done if isinstance(each, Answer)]
    assert stages == ["RESERVED"] * 10
    assert sum((await room(hub)).promised.values()) == 10


async def test_the_desk_knows_a_new_layout_at_once(hub: Hub, database: str, tmp_path: Path) -> None:
    """Also the desk of another process, which has read the old one."""
    async with a_hub(database, tmp_path, slot=2) as other:
        await other.desk.ask(announcing("PW-1", "S-0001"))
        await hub.configure(about("S-0001", "L"))
        assert (await other.desk.ask(announcing("PW-2", "S-0001"))).body["reason"] == "station_full"
        await hub.configure(about("S-0001", "LL"))
        assert (await other.desk.ask(announcing("PW-3", "S-0001"))).body["size"] == "L"


async def test_grants_reach_the_stations_stream(hub: Hub) -> None:
    grant = facts.Granted(grant=hub.ids.new(), station="S-0001", may=("deposit",), courier=hub.ids.new())
    await hub.grant(grant)
    assert (await kinds_in(hub, "hub:1/S-0001"))[-1] == "Granted"


async def test_heard_only_rises(hub: Hub) -> None:
    assert isinstance(hub.clock, VirtualClock)
    now = hub.clock.now()
    for until in (now, None, now - timedelta(hours=1)):
        await hub.heard("S-0001", until, "1.0" if until else "")
    row = await hub.pool.fetchrow("SELECT * FROM station_presence")
    assert (row["heard_until"], row["last_seen"], row["software"]) == (now, now, "1.0")


async def test_a_change_that_commits_late_is_found(hub: Hub) -> None:
    """Another process began to take the station out of service before this one looked, and committed after."""
    async with hub.pool.acquire() as other:
        slow = other.transaction()
        await slow.start()
        await other.execute("UPDATE station SET in_service = false, changed = DEFAULT WHERE id = 'S-0001'")
        await hub.configure(msgspec.structs.replace(hub.stations.known["S-0001"].about, station="S-0002"))
        await hub.refresh()
        assert hub.stations.known["S-0001"].in_service
        await slow.commit()
    await hub.refresh()
    assert not hub.stations.known["S-0001"].in_service


async def test_a_station_without_a_secret_is_trouble_not_a_guess(hub: Hub) -> None:
    await hub.pool.execute(
        "INSERT INTO station (id, name, lat, lon, record, room) "
        "SELECT 'S-0009', name, lat, lon, record, room FROM station"
    )
    with pytest.raises(Trouble, match="enrol it again"):
        await hub.refresh()
    await hub.pool.execute("DELETE FROM station WHERE id = 'S-0009'")

"""People live apart: the vault, its erasure, the wall between carriers, and not one trace of a person elsewhere."""

import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from parcelwall.clock import VirtualClock
from parcelwall.errors import Refusal, Trouble
from parcelwall.hub import keys as hub_keys
from parcelwall.hub import people
from parcelwall.hub.followers import number_feed, ring, turn
from parcelwall.hub.house import Hub
from parcelwall.hub.keys import Keys
from parcelwall.hub.outbox import Nowhere
from parcelwall.hub.people import Person
from parcelwall.hub.sweeps import sweep
from parcelwall.hub.tell import Teller
from parcelwall.hub.verify import verify_hub
from parcelwall.ids import seeded
from station.towns import ADA, NOW, a_hub, a_small_town, about, announced, only, parcel_at

CANARY = Person(name="Zyxwvut Canaryson", email="canary7391@zyxwvut.example", phone="+358409917391")
MARKERS = [b"Zyxwvut", b"zyxwvut", b"Canaryson", b"canary7391", b"409917391"]


@pytest_asyncio.fixture
async def hub(database: str, tmp_path: Path) -> AsyncIterator[Hub]:
    async with a_hub(database, tmp_path, stations=(about(),)) as hub:
        yield hub
        assert await verify_hub(hub.pool) == []


async def found(hub: Hub, who: UUID | None) -> Person | None:
    async with hub.pool.acquire() as connection:
        return await people.find(connection, who, hub.keys)


async def person_of(hub: Hub, reference: str, person: Person = ADA, carrier: str = "acme") -> UUID:
    parcel = await parcel_at(hub, await announced(hub, reference, "S-0001", person=person, carrier=carrier))
    assert parcel.person is not None
    return parcel.person


async def test_a_person_is_read_with_the_key_and_never_stored_as_text(hub: Hub) -> None:
    who = await person_of(hub, "PW-1", CANARY)
    assert await found(hub, who) == CANARY
    assert await found(hub, None) is None
    assert await found(hub, UUID(int=1)) is None
    row = await hub.pool.fetchrow("SELECT person.sealed || person_key.sealed AS kept FROM person, person_key")
    assert not [marker for marker in MARKERS if marker in row["kept"]]


async def test_who_is_erased_cannot_be_read_and_the_books_stay_clean(hub: Hub) -> None:
    who, other = await person_of(hub, "PW-1"), await person_of(hub, "PW-2")
    async with hub.pool.acquire() as connection:
        assert await people.erase(connection, who)
        assert not await people.erase(connection, who)
    assert await found(hub, who) is None
    assert await found(hub, other) == ADA
    assert await verify_hub(hub.pool) == []


async def test_each_person_has_a_key_of_their_own(hub: Hub) -> None:
    """The key of one, put in the place of another's, opens nothing."""
    who, other = await person_of(hub, "PW-1"), await person_of(hub, "PW-2")
    async with hub.pool.acquire() as connection:
        stolen = await connection.fetchval("SELECT sealed FROM person_key WHERE person = $1", other)
        await connection.execute("UPDATE person_key SET sealed = $2 WHERE person = $1", who, stolen)
        with pytest.raises(Trouble, match="cannot open"):
            await people.find(connection, who, hub.keys)


async def test_another_master_key_opens_nothing(hub: Hub) -> None:
    who = await person_of(hub, "PW-1")
    stranger = Keys(bytes(31) + b"\x01", hub.ids)
    async with hub.pool.acquire() as connection:
        with pytest.raises(Trouble, match="master key"):
            await people.find(connection, who, stranger)


def test_the_master_key_is_made_once_and_is_nobody_elses_to_read(tmp_path: Path) -> None:
    ids = seeded(VirtualClock(NOW), 1)
    first, second = hub_keys.load(tmp_path, ids), hub_keys.load(tmp_path, ids)
    sealed = first.seal(b"secret", "purpose")
    assert second.open(sealed, "purpose") == b"secret"
    assert first.seal(b"secret", "purpose") != sealed, "a fresh nonce each time"
    with pytest.raises(Trouble):
        second.open(sealed, "another purpose")
    assert (tmp_path / "master.key").stat().st_mode & 0o777 == 0o600
    (tmp_path / "master.key").write_text("damaged")
    with pytest.raises(Trouble, match="64 hex digits"):
        hub_keys.load(tmp_path, ids)


def test_processes_that_start_together_have_one_master_key(tmp_path: Path) -> None:
    begin = threading.Barrier(8)

    def start(number: int) -> bytes:
        begin.wait()
        return hub_keys.load(tmp_path, seeded(VirtualClock(NOW), number)).link_seed

    for night in range(20):
        (tmp_path / "master.key").unlink(missing_ok=True)
        with ThreadPoolExecutor(8) as several:
            assert len(set(several.map(start, range(8 * night, 8 * night + 8)))) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["master.key"], "nothing is left behind"


def test_links_are_secret_and_each_pages_own() -> None:
    keys, other = (Keys(bytes([n]) * 32, seeded(VirtualClock(NOW), 1)) for n in (1, 2))
    parcel = UUID(int=1)
    tokens = {keys.link_token("track", parcel), keys.link_token("recipient", parcel),
              keys.link_token("track", UUID(int=2)), other.link_token("track", parcel)}  # fmt: skip
    assert len(tokens) == 4
    assert {len(token) for token in tokens} == {24}
    assert keys.link_token("track", parcel) in tokens


async def test_only_hashes_of_links_and_keys_are_kept(hub: Hub) -> None:
    parcel = await announced(hub, "PW-1", "S-0001")
    token, key = hub.keys.link_token("track", parcel), await hub.admit("acme", "Acme")
    assert await hub.pool.fetchval("SELECT hash FROM link WHERE parcel = $1", parcel) == hub_keys.link_hash(token)
    row = await hub.pool.fetchrow("SELECT * FROM carrier")
    assert row["key_hash"] == hub_keys.key_hash(key)
    assert key not in str(dict(row))
    newer = await hub.admit("acme", "Acme")
    assert newer != key
    assert await hub.pool.fetchval("SELECT key_hash FROM carrier") == hub_keys.key_hash(newer)


# the wall between carriers


@asynccontextmanager
async def as_carrier(hub: Hub, carrier: str | None) -> AsyncIterator[asyncpg.Connection]:
    async with hub.pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL ROLE parcelwall_carrier")
        if carrier is not None:
            await connection.execute("SELECT set_config('parcelwall.carrier', $1, true)", carrier)
        yield connection


async def test_a_carrier_sees_its_own_rows_only(hub: Hub) -> None:
    for number in range(4):
        await announced(hub, f"PW-{number}", "S-0001", carrier="acme" if number % 2 else "other")
    while await turn(hub.pool, "feed", number_feed):
        pass
    for carrier in ("acme", "other"):
        async with as_carrier(hub, carrier) as connection:
            assert {row["carrier"] for row in await connection.fetch("SELECT * FROM parcel")} == {carrier}
            assert {row["carrier"] for row in await connection.fetch("SELECT * FROM feed")} == {carrier}
            bodies = [row["body"] for row in await connection.fetch("SELECT * FROM entry WHERE kind = 'Announced'")]
            assert len(bodies) == 2
            assert all(f'"carrier":"{carrier}"' in body for body in bodies)
            assert await connection.fetchval("SELECT count(*) FROM entry") == 4
    for nobody in (None, "", "third"):
        async with as_carrier(hub, nobody) as connection:
            for table in ("parcel", "feed", "entry"):
                assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 0


FORBIDDEN = [
    "SELECT * FROM person", "SELECT * FROM person_key", "SELECT * FROM asked", "SELECT * FROM link",
    "SELECT * FROM notice", "SELECT * FROM carrier", "SELECT * FROM station_secret", "SELECT * FROM claim",
    "SELECT * FROM case_file", "SELECT * FROM dead_letter", "UPDATE parcel SET stage = 'COLLECTED'",
    "DELETE FROM feed", "INSERT INTO feed VALUES ('acme', 9, 'x', 9)", "UPDATE station SET in_service = false",
]  # fmt: skip


async def test_what_a_carrier_may_not_even_ask(hub: Hub) -> None:
    async with as_carrier(hub, "acme") as connection:
        for sql in FORBIDDEN:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                async with connection.transaction():
                    await connection.execute(sql)


# the canary


async def test_not_one_trace_of_a_person_in_journals_or_on_a_stations_disk(database: str, tmp_path: Path) -> None:
    """A whole life, with notices and sweeps; then every table and every file is searched for the person's marks."""
    async with a_small_town(database, tmp_path) as town:
        hub, station = town.hub, only(town)
        teller = Teller(hub, {"email": Nowhere(), "sms": Nowhere()}, "https://parcels.example", "parcels.example")
        for number in range(3):
            await announced(hub, f"PW-{number}", "S-0001", person=CANARY)
        await station.carry()
        for number in range(3):
            await station.deposit(f"PW-{number}")
        with pytest.raises(Refusal):
            await station.collect("00000000")
        await station.carry()
        for name, handle in (("notices", teller.note), ("feed", number_feed), ("live", ring)):
            while await turn(hub.pool, name, handle):
                pass
        while await teller.hand_over_one():
            pass
        assert isinstance(town.clock, VirtualClock)
        town.clock.advance(49 * 3600)
        await sweep(hub)
        await station.carry()
        parcel = await hub.pool.fetchval("SELECT id FROM parcel LIMIT 1")
        await station.collect(station.code_of(parcel))
        await station.carry()
        assert await hub.pool.fetchval("SELECT count(*) FROM notice WHERE state = 'sent'") >= 6
        await nothing_in_the_tables(hub)
    files = [path for path in (tmp_path / "stations").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) > 10_000
    for path in files:
        assert not [marker for marker in MARKERS if marker in path.read_bytes()], path.name


async def nothing_in_the_tables(hub: Hub) -> None:
    tables = await hub.pool.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    assert len(tables) > 15
    for row in tables:
        text = await hub.pool.fetchval(f"SELECT string_agg(t::text, ' ') FROM {row['tablename']} t") or ""
        hexed = [marker.hex() for marker in MARKERS]
        assert not [mark for mark in MARKERS if mark.decode() in text], row["tablename"]
        assert not [mark for mark in hexed if mark in text], row["tablename"]

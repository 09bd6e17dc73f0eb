"""The hub as one thing: what a process of it opens at its start and closes at its end."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import structlog

from parcelwall.clock import Clock
from parcelwall.errors import Refusal, Trouble
from parcelwall.hub import admission, beside_newer, given_back, network, stations, unread
from parcelwall.hub import keys as hub_keys
from parcelwall.hub.answering import Answering
from parcelwall.hub.database import open_pool, take_its_time
from parcelwall.hub.desk import Desk
from parcelwall.hub.embedded import EmbeddedPostgres
from parcelwall.hub.followers import CHANNEL, Bells
from parcelwall.hub.ingest import Ingest
from parcelwall.hub.lanes import MEANWHILE, TRIES
from parcelwall.hub.offers import Offers, adopt
from parcelwall.hub.sitting import Streams
from parcelwall.hub.stations import Stations
from parcelwall.hub.tables import Tables, of_lines
from parcelwall.ids import Ids
from parcelwall.journal import postgres, streams
from parcelwall.journal.chain import Entry, Head
from parcelwall.link.hub_end import Known
from parcelwall.link.identity import Signer
from parcelwall.link.shipping import Run
from parcelwall.rules import facts
from parcelwall.rules.policy import DEFAULT, Policy
from parcelwall.rules.tables import AdmissionRow
from parcelwall.settings import open_folder

LOOK_EVERY_S = 0.5
log = structlog.get_logger()

_WISHES = "SELECT index FROM account_contact JOIN account ON account.id = account_contact.account WHERE reach"
_ADMIT = """
INSERT INTO carrier (id, name, key_hash, role, area, actor) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, key_hash = excluded.key_hash, role = excluded.role,
  area = excluded.area"""
_SITE = "UPDATE station SET site = $2, changed = DEFAULT WHERE id = $1"


class Hub:
    """Pool, keys, stations and desk of one hub process. Make it with `opened`."""

    def __init__(self, pool: asyncpg.Pool, clock: Clock, ids: Ids, keys: hub_keys.Keys, streams: Streams,
                 policy: Policy) -> None:  # fmt: skip
        self.pool, self.clock, self.ids, self.keys, self.streams = pool, clock, ids, keys, streams
        self.stations = Stations(keys)
        self.desk = Desk(pool, clock, ids, keys, self.stations, streams, policy)
        self.tables = Tables()
        self.offers = Offers(pool, clock, ids, self.stations, self.tables, self.desk)
        self.signer = Signer(keys.link_seed)
        self.bells = Bells()
        self.bells.told, self.bells.hears = self.offers.rooms.forget, self.offers.rooms.connected
        self.collected: Callable[[facts.Collected, datetime], None] = lambda *_: None  # hub/next_door.py
        self.dsn, self.answering = "", Answering()
        self.is_outdated = False  # a later version has changed the database since
        self.public_url = "http://127.0.0.1:8600"  # where people's browsers find this hub
        self.channels: dict[str, Any] = {}  # tell.Channel by name: what running() has opened
        self.names: tuple[str, ...] = ()  # host:port by which stations may dial, the public one first

    @property
    def policy(self) -> Policy:
        return self.desk.policy

    async def refresh(self) -> None:
        """Reads stations and policy that changed since; cheap when nothing did."""
        async with self.pool.acquire() as connection:
            if await connection.fetchval("SELECT epoch FROM house") != self.streams.epoch:
                log.error("epoch_over", reason="the hub was restored: start this process anew")
            if not self.is_outdated and await beside_newer.is_older_than(connection):
                self.is_outdated = True
                log.warning("older_than_database", reason="a later version serves beside: update this process")
            await self.stations.refresh(connection)
            self.desk.policy = await _adopted(connection)
            await self.tables.refresh(connection, self.clock.now())
            self.desk.rows = self.tables.rows(self.clock.now())
        await self.refresh_wishes()

    async def refresh_wishes(self) -> None:
        """Whose parcels go behind a door within reach, whatever the carrier has said: as few as there are."""
        self.desk.wishes = frozenset(row["index"] for row in await self.pool.fetch(_WISHES))

    async def wishes_changed(self) -> None:
        """Known here at once, and a moment later in the other processes: no journal tells of it."""
        await self.pool.execute("SELECT pg_notify($1, $2)", CHANNEL, Bells.EVERYTHING)
        await self.refresh_wishes()

    async def configure(self, about: facts.StationConfigured, joined: bool = False) -> None:
        """A new station, or a new layout for one. A new one takes no parcels until a computer has joined it, unless it
        is said to have `joined`: a pretend one that has none."""
        async with self.pool.acquire() as connection, connection.transaction():
            await network.configure(self.desk.sitting(connection), about, joined)
        await self.refresh()

    async def claim(self, station: str) -> str:
        """A one-time claim code with which a computer becomes this station, within 24 hours."""
        async with self.pool.acquire() as connection:
            return await network.make_claim(connection, station, self.ids, self.clock.now())

    async def enrol(self, claim: str, public_key: bytes, writer: str = "") -> network.Enrolment:
        async with self.pool.acquire() as connection, connection.transaction():
            enrolment = await network.enrol(self.desk.sitting(connection), claim, public_key, writer)
        return msgspec.structs.replace(enrolment, hub_key=self.signer.public.hex())

    async def grant(self, grant: facts.Granted) -> None:
        """A person may do something at a station; the station hears of it by its stream. Refuses unknown stations."""
        async with self.pool.acquire() as connection, connection.transaction():
            at = self.desk.sitting(connection)
            await at.load((), [grant.station])
            if grant.station not in at.here:
                raise Refusal("station_unknown", station=grant.station)
            at.record(grant)
            await at.write()

    async def adopt(self, policy: Policy, actor: UUID | None = None) -> None:
        """A new policy: every station hears of it by its stream. Its version must be above the one in force.

        Raises Refusal for one that is not.
        """
        async with self.pool.acquire() as connection, connection.transaction():
            await network.hold_policy(connection)
            before = await network.policy_to_write_anew(connection)  # another process may have adopted one just now
            version = (before.policy if before else DEFAULT).version
            if policy.version <= version:
                raise Refusal("bad_field", f"The version must be above {version}.", field="version")
            await self.stations.refresh(connection)
            at = self.desk.sitting(connection)
            await at.load((), self.stations.known)
            fact = facts.PolicyAdopted(policy=policy, actor=actor)
            for stream in (at.streams.slot, *map(at.streams.station, at.here)):
                at.record(fact, stream)
            await at.write()
        await self.refresh()

    async def take_tables(self, lines: Sequence[bytes], plan: str = "") -> dict[str, int]:
        """The tables of a plan file come into use; answers how many of each kind. Refuses what is no table. Of
        visit calendars and rows of admission the journal tells: what was promised by them can be audited."""
        async with self.pool.acquire() as connection, connection.transaction():
            taken = await adopt(connection, self.stations, lines, self.clock.now())
            at = self.desk.sitting(connection)
            await at.load((), ())
            told = of_lines(lines)
            for table in told:
                if not isinstance(table, AdmissionRow):
                    at.record(facts.TableAdopted(table=table, plan=plan), at.streams.slot)
            await admission.record(at, [each for each in told if isinstance(each, AdmissionRow)], plan, None)
            await at.write()
        await self.refresh()
        return taken

    async def adopt_rows(
        self, rows: Sequence[AdmissionRow], plan: str = "", actor: UUID | None = None, by_row: str = "",
        after: int | None = None,
    ) -> None:  # fmt: skip
        """Rows of admission come into force, all or none. Raises Refusal for one that cannot be, Trouble if others came
        into force since there were `after` in the journal."""
        async with self.pool.acquire() as connection, connection.transaction():
            at = self.desk.sitting(connection)
            await at.load((), ())
            await admission.record(at, rows, plan, actor, by_row, after)
            await at.write()
        await self.refresh()

    async def revoke(self, station: str, grant: UUID, actor: UUID | None = None) -> None:
        """Takes a grant back; the station hears of it when it is reached."""
        async with self.pool.acquire() as connection, connection.transaction():
            at = self.desk.sitting(connection)
            await at.load((), [station])
            at.record(facts.Revoked(grant=grant, station=station, actor=actor))
            await at.write()

    async def note(
        self, fact: facts.Looked | facts.SiteNoted | facts.StaffChanged | facts.Forgotten | facts.CaseNoted
        | facts.RoundOrdered, connection: asyncpg.Connection | None = None,
    ) -> None:  # fmt: skip
        """What the office writes down for itself, in this process's own stream: no station needs it. In the
        transaction of what it tells of, if that is given; else what another process did meanwhile is waited out."""
        for turn in range(TRIES):
            try:
                async with AsyncExitStack() as stack:
                    own: Any = connection or await stack.enter_async_context(self.pool.acquire())
                    await stack.enter_async_context(own.transaction())
                    if isinstance(fact, facts.SiteNoted):  # stations are locked before writers
                        shown = msgspec.structs.replace(fact, access="", actor=None)
                        await own.execute(_SITE, fact.station, facts.body(shown))
                    at = self.desk.sitting(own)
                    at.record(fact, self.streams.slot)
                    await at.write()
            except MEANWHILE:
                if connection or turn + 1 == TRIES:
                    raise
            else:
                return

    async def revoke_station(self, station: str, why: str, actor: UUID | None = None) -> None:
        """A stolen computer: its line is closed, its key and its secret are good for nothing any more. Refuses a
        station that has no computer."""
        async with self.pool.acquire() as connection, connection.transaction():
            await network.revoke(self.desk.sitting(connection), station, why, actor)
        await self.refresh()

    async def restored(self) -> int:
        """The database was restored to an older point: a new epoch begins, which is answered. No other process of
        this hub may run. What was lost since comes back from the stations as they dial."""
        async with self.pool.acquire() as connection, connection.transaction():
            await take_its_time(connection)
            before = await connection.fetchval("SELECT epoch FROM house FOR UPDATE")
            epoch = streams.later(before, self.clock.now())
            await given_back.begin_epoch(connection, epoch, before)
            self.streams = self.desk.streams = Streams(epoch, self.streams.number)
            at = self.desk.sitting(connection)
            await at.load((), self.stations.known)
            await given_back.tell_stations(at, before)
            await at.write()
        return epoch

    async def admit(
        self, carrier: str, name: str, role: str = "carrier", area: Sequence[str] = (),
        connection: asyncpg.Connection | None = None,
    ) -> str:  # fmt: skip
        """A carrier, or one of the operator's people in a role of `rules.rights`, with a new API key, which is shown
        this once and stored only as a hash. `area`: ids of stations, none for all. Nothing is asked: who is admitted
        already is replaced (`staff.give_key` asks)."""
        key = f"pw_{self.ids.secret(32).hex()}"
        row = (carrier, name, hub_keys.key_hash(key), role, list(area), self.ids.new())
        await (connection or self.pool).execute(_ADMIT, *row)
        return key

    # what the hub's end of a link asks (link.hub_end.HubBook)

    async def known(self, station: str) -> Known | None:
        async with self.pool.acquire() as connection:
            return await network.known(connection, station)

    async def next_key(self, station: str, key: bytes) -> None:
        await self.pool.execute(
            "UPDATE station_identity SET next_key = $2 WHERE station = $1 AND revoked_at IS NULL", station, key
        )

    async def use_next_key(self, station: str) -> None:
        async with self.pool.acquire() as connection, connection.transaction():
            await network.use_next_key(self.desk.sitting(connection), station)

    def writer_for(self, station: str) -> str:
        return self.streams.station(station)

    async def head(self, writer: str) -> Head:
        async with self.pool.acquire() as connection:
            return await postgres.head(connection, writer)

    async def since(self, writer: str, after: int, limit: int) -> Sequence[Entry]:
        async with self.pool.acquire() as connection:
            return await postgres.since(connection, writer, after, limit)

    async def past(self, station: str) -> Sequence[str]:
        rows = await self.pool.fetch("SELECT name FROM past_stream WHERE station = $1", station)
        return [row["name"] for row in rows]

    async def learnt(self, after: Mapping[str, int]) -> Sequence[Run]:
        async with self.pool.acquire() as connection:
            return await given_back.learnt(connection, after)

    async def differs(self, station: str, writer: str) -> None:
        async with self.pool.acquire() as connection, connection.transaction():
            await given_back.differs(self.desk.sitting(connection), station, writer)

    async def receive(self, station: str, entries: Sequence[Entry]) -> int:
        news = Ingest(station=station, writer=entries[0].writer, entries=entries)
        through = await self.desk.receive(news)
        if out := news.last_collected():
            self.collected(*out)
        return through

    async def receive_back(self, station: str, entries: Sequence[Entry]) -> int:
        writer = entries[0].writer
        kind = given_back.GivenBack if streams.is_hubs(writer) else given_back.OfAFormerLife
        return await self.desk.receive(kind(station=station, writer=writer, entries=entries))

    async def heard(self, station: str, until: datetime | None, software: str) -> None:
        async with self.pool.acquire() as connection:
            await stations.heard(connection, station, self.clock.now(), until, software)


async def _adopted(connection: asyncpg.Connection) -> Policy:
    fact = await network.policy_in_force(connection)
    return fact.policy if fact else DEFAULT


@asynccontextmanager
async def opened(
    data_dir: Path,
    clock: Clock,
    ids: Ids,
    database_url: str = "",
    slot: int = 1,
    durable: bool = True,
    new: bool = True,
) -> AsyncIterator[Hub]:
    """A hub on `database_url`, or on the embedded PostgreSQL in `data_dir`. `durable=False` is for simulation only.

    Unless it may be `new`, Trouble is raised where there is none: a mistaken folder is not answered with success.
    """
    if not database_url:
        open_folder(data_dir) if new else _refuse_another_folder(data_dir)
    server = None if database_url else EmbeddedPostgres(data_dir / "postgres", durable=durable)
    dsn = await server.start() if server else database_url
    watching = asyncio.create_task(_start_again(server)) if server else None
    try:
        async with serving(dsn, data_dir, clock, ids, slot, new) as hub:
            yield hub
    finally:
        if server and watching:
            watching.cancel()
            await server.stop()


def beginning(data_dir: Path, database_url: str = "") -> str:
    """What a hub does first, for whoever waits for it."""
    if database_url:
        return "Opening the given database …"
    try:
        is_made = (data_dir / "postgres" / "cluster").exists()
    except PermissionError:
        is_made = True  # `opened` says whose it is
    return f"{'Starting' if is_made else 'Making'} the database in {data_dir} …"


def _refuse_another_folder(data_dir: Path) -> None:
    below = data_dir / "hub"
    try:
        if (data_dir / "postgres" / "cluster").exists():
            return
        meant = f" Did you mean {below}?" if (below / "postgres" / "cluster").exists() else ""
    except PermissionError as no:
        raise Trouble(f"{no.filename} is closed to us: run this as the user of the hub, or name another --data") from no
    raise Trouble(f"{data_dir} holds no hub: --data must name the folder of one. Only `parcelwall hub` makes one, at "
                  f"its first start.{meant}")  # fmt: skip


async def _start_again(server: EmbeddedPostgres) -> None:
    """A server that was killed, or that ended with the command that had started it, is started again: it recovers what
    was committed, at the same address."""
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        try:
            if server.has_died:
                log.error("database_died", reason="starting it again")
                await server.start()
        except Exception as no:  # whatever hinders it now may be gone at the next look
            log.error("database_died", reason=str(no))


@asynccontextmanager
async def serving(
    dsn: str, data_dir: Path, clock: Clock, ids: Ids, slot: int = 1, new: bool = True
) -> AsyncIterator[Hub]:
    """A hub on a database that runs already. Raises Trouble for a journal whose master key is not there."""
    answering = Answering()
    pool = await open_pool(dsn, new=new, dials=answering.connect)
    try:
        keys = hub_keys.load(data_dir, ids, new=not await pool.fetchval("SELECT EXISTS (SELECT FROM entry)"))
        async with pool.acquire() as connection:
            epoch = await connection.fetchval("SELECT epoch FROM house")
            policy = await _adopted(connection)
        hub = Hub(pool, clock, ids, keys, Streams(epoch, slot), policy)
        hub.dsn, hub.answering = dsn, answering
        await hub.refresh()
        await unread.learn(pool, hub.desk)
        yield hub
        await hub.desk.close()
        await hub.offers.close()
    finally:
        pool.terminate()


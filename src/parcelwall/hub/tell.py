"""Who is to be told what: a follower turns facts into notices, a sender hands them over. Never in a deposit.

A notice row is keyed by the entry it follows from, so it is there once; it is handed over with a Message-ID made of
that key, so that after a crash in the middle it goes again as the same mail.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import Awaitable, Collection, Sequence
from datetime import timedelta
from typing import Any, NamedTuple, Protocol, TypeVar
from uuid import UUID

import asyncpg
import msgspec
import structlog

from parcelwall.errors import Refusal, Trouble
from parcelwall.hub import kept_longer, people, preferred
from parcelwall.hub.cases import OpenCase
from parcelwall.hub.codes import code_of, token_of
from parcelwall.hub.commands import RenewCode
from parcelwall.hub.followers import Followed, facts_of
from parcelwall.hub.house import Hub
from parcelwall.hub.keys import link_hash
from parcelwall.hub.reading import LOST
from parcelwall.hub.sitting import read_parcel
from parcelwall.journal import streams
from parcelwall.notices import schedule
from parcelwall.notices.failures import RefusedByPolicy, Unanswered, Undeliverable
from parcelwall.notices.language import words
from parcelwall.notices.messages import Message, NoticeFacts, compose
from parcelwall.notices.places import place_sentence
from parcelwall.notices.way import way_there
from parcelwall.rules import access, decide, facts
from parcelwall.rules.life import INSIDE, Parcel, Stage

NAME = "notices"
AT_ONCE = 4  # hand-overs of a channel under way at the same time
IDLE_S = 0.2
LEASE = timedelta(seconds=90)  # longer than any hand-over may take (notices/mail: 60 s)

PURPOSES = {
    "Deposited": "put_in", "CodeRenewed": "ready", "Unblocked": "ready", "Extended": "kept_longer",
    "Expired": "overdue", "Diverted": "diverted", "TakenBack": "gone_back", "WrittenOff": "lost",
}  # fmt: skip

OF_THE_INSIDE = ("ready", "reminder", "overdue", "kept_longer", "looked_after")
TRUE_WHILE = {"reminder": Stage.READY, "kept_longer": Stage.READY, "overdue": Stage.OVERDUE, "lost": Stage.WRITTEN_OFF}
OUTDATED_BY = {"ready": ("CodeRenewed", "Unblocked"), "reminder": ("Extended",), "overdue": ("Extended",)}
"""What is told of what, and what has to come later for it to be told no more: that has a notice of its own."""

_Told = tuple[UUID, str, int, str]  # a parcel, the entry's writer and number, and what is told

log = structlog.get_logger()

_WRITE = """
INSERT INTO notice (writer, number, purpose, channel, parcel, next_try)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::uuid[], $6::timestamptz[])
ON CONFLICT DO NOTHING"""
_BEHIND = "SELECT id FROM parcel WHERE station = $1 AND due IS NOT NULL AND compartment = $2"
_OUTDATED = """
SELECT EXISTS (SELECT FROM entry AS told JOIN entry AS later ON later.parcel = told.parcel
  WHERE told.writer = $1 AND told.number = $2 AND later.revision > told.revision AND later.kind = ANY($3))"""
# A parcel of which a reminder was sent is given little more by outages: who was reminded knows when to come.
_TO_REMIND = """
SELECT id, station, due, e.writer, e.number FROM parcel
JOIN LATERAL (SELECT writer, number, kind, body FROM entry WHERE entry.parcel = parcel.id
  AND kind IN ('Deposited', 'Extended') ORDER BY revision DESC LIMIT 1) e ON true
WHERE stage = 'READY' AND due BETWEEN $1 AND $2 AND NOT EXISTS (SELECT FROM notice
  WHERE notice.parcel = parcel.id AND purpose = 'reminder' AND ((notice.writer, notice.number) = (e.writer, e.number)
    OR (e.kind = 'Extended' AND e.body LIKE '%"by":"hub"%' AND state = 'sent' AND sent_at > due - $4::interval)))
AND NOT EXISTS (SELECT FROM case_file WHERE case_file.parcel = parcel.id
  AND case_file.station = parcel.station AND closed_at IS NULL AND about = ANY($3))
ORDER BY due LIMIT 500"""
_UNREACHABLE = """
INSERT INTO notice (writer, number, purpose, channel, parcel, next_try, state)
VALUES ($1, $2, 'reminder', 'email', $3, $4, 'unneeded') ON CONFLICT DO NOTHING"""
_LEASE = """
WITH due AS (
  SELECT notice.writer, notice.number, purpose, channel, parcel.record, entry.recorded_at FROM notice
    JOIN parcel ON parcel.id = notice.parcel
    JOIN entry ON entry.writer = notice.writer AND entry.number = notice.number
  WHERE state = 'waiting' AND channel = $3 AND next_try <= $1 ORDER BY next_try LIMIT 1
  FOR NO KEY UPDATE OF notice SKIP LOCKED)
UPDATE notice SET next_try = $2 FROM due
WHERE (notice.writer, notice.number) = (due.writer, due.number)
  AND (notice.purpose, notice.channel) = (due.purpose, due.channel)
RETURNING notice.*, due.record, due.recorded_at"""
_DONE = """
UPDATE notice SET state = $5, tries = tries + 1, sent_at = $6, trouble = $7, next_try = coalesce($8, next_try)
WHERE writer = $1 AND number = $2 AND purpose = $3 AND channel = $4"""


_FAILED = "UPDATE notice SET state = 'failed' WHERE writer = $1 AND number = $2 AND purpose = $3 AND channel = $4"
_ELSEWHERE = """
SELECT EXISTS (SELECT FROM notice WHERE writer = $1 AND number = $2 AND purpose = $3 AND channel <> $4
  AND state <> 'failed')"""


class Channel(Protocol):
    """Hands one message over. Raises Trouble (try again) or Undeliverable (never)."""

    async def hand_over(self, person: people.Person, message: Message, message_id: str) -> None: ...


class Addressee(NamedTuple):
    """A parcel and the person who is told of it."""

    parcel: Parcel
    person: people.Person
    wishes: preferred.Wishes = preferred.NONE


class Alike(Trouble):
    """A parcel has the code of another one at its station: nobody is told before it has a new one."""


class Prepared(msgspec.Struct, frozen=True):
    """A notice ready to be handed over."""

    person: people.Person
    told: NoticeFacts
    message: Message
    message_id: str


class Teller:
    """Makes notices of facts, and hands them over by the channels it was given ("email", "sms")."""

    def __init__(self, hub: Hub, channels: dict[str, Channel], public_url: str, mail_domain: str) -> None:
        self._hub, self.channels = hub, channels
        self._public_url, self._mail_domain = public_url.rstrip("/"), mail_domain

    async def note(self, connection: asyncpg.Connection, entries: Sequence[Followed]) -> None:
        """One row per entry, purpose and channel. A follower's handler."""
        by_others = await kept_longer.by_others(connection, entries)
        not_told = await kept_longer.too_little(connection, by_others, self._hub.clock.now())
        told = [
            (entry.parcel, entry.writer, entry.number, PURPOSES[entry.kind]) for entry in entries
            if entry.kind in PURPOSES and entry.parcel and (entry.writer, entry.number) not in not_told
        ]  # fmt: skip
        told += await self._opened_by_us(connection, [entry for entry in entries if entry.kind == "OrderAnswered"])
        told += await self._by_the_office(connection, [e for e in entries if e.kind in ("Granted", "CaseNoted")])
        addressees = await self._addressees(connection, {parcel for parcel, _, _, _ in told})
        rows = [
            row for parcel, writer, number, purpose in told if parcel in addressees
            for row in self._rows(addressees[parcel], writer, number, purpose, (writer, number) not in by_others)
        ]  # fmt: skip
        if rows:
            await connection.execute(_WRITE, *map(list, zip(*rows, strict=True)))

    async def _opened_by_us(self, connection: asyncpg.Connection, entries: Sequence[Followed]) -> list[_Told]:
        """Whoever has a parcel behind a door that an operator had opened is told so (trust.md A-12)."""
        told = []
        for (writer, number), fact in (await facts_of(connection, entries)).items():
            if isinstance(fact, facts.OrderAnswered) and fact.by == "operator" and fact.outcome == "opened":
                if fact.takes_out:
                    continue  # that it has gone back is told once its door is shut
                behind = await connection.fetch(_BEHIND, streams.station_of(writer), fact.compartment)
                told += [(each["id"], writer, number, "opened_by_us") for each in behind]
        return told

    async def _by_the_office(self, connection: asyncpg.Connection, entries: Sequence[Followed]) -> list[_Told]:
        """A code that one of us drew, a case that one of us wants them to know of. What a station tells is forged."""
        told = []
        read = await facts_of(connection, [entry for entry in entries if streams.is_hubs(entry.writer)])
        for (writer, number), fact in read.items():
            if isinstance(fact, facts.Granted) and fact.tag and fact.by == "operator" and fact.parcel:
                told.append((fact.parcel, writer, number, "code_drawn"))
            elif isinstance(fact, facts.CaseNoted) and fact.what == "told" and fact.parcel:
                told.append((fact.parcel, writer, number, "looked_after"))
        return told

    async def _addressees(self, connection: asyncpg.Connection, parcels: Collection[UUID]) -> dict[UUID, Addressee]:
        """Parcels, and who is to be told of them; without those of whom nobody can be told."""
        if not parcels or not self.channels:
            return {}
        records = await connection.fetch("SELECT record FROM parcel WHERE id = ANY($1::uuid[])", list(parcels))
        known = [read_parcel(row["record"]) for row in records]
        persons = [parcel.person for parcel in known if parcel.person]
        found = await people.find_all(connection, persons, self._hub.keys) if persons else {}
        wishes = await preferred.of_parcels(connection, parcels)
        return {
            each.id: Addressee(each, found[each.person], wishes.get(each.id, preferred.NONE))
            for each in known if each.person in found
        }  # fmt: skip

    def _rows(
        self, whom: Addressee, writer: str, number: int, purpose: str, asked: bool = True
    ) -> list[tuple[Any, ...]]:
        if purpose == "put_in":
            purpose = "received" if whom.parcel.direction == "return" else "ready"
        at = preferred.told_at(self._hub, purpose, whom.parcel, whom.wishes, asked)
        ways = preferred.ways_to(whom.person, self.channels, whom.wishes)
        return [(writer, number, purpose, channel, whom.parcel.id, at) for channel in ways]

    async def remind(self, connection: asyncpg.Connection) -> int:
        """Reminder notices for parcels whose holding time ends soon; quiet hours are kept. Answers how many."""
        now, before = self._hub.clock.now(), timedelta(hours=self._hub.policy.remind_hours_before)
        due = await connection.fetch(_TO_REMIND, now, now + before, list(decide.STOPPING), before * 1.5)
        addressees = await self._addressees(connection, {row["id"] for row in due})
        for row in due:
            whom = addressees.get(row["id"])
            rows = self._rows(whom, row["writer"], row["number"], "reminder") if whom else []
            for each in rows:
                at = each[5] if each[5] <= row["due"] - schedule.LAST_CALL else now
                await connection.execute(_WRITE, *([value] for value in (*each[:5], at)))
            if not rows:  # noted, or those whom nobody can tell would be looked at for ever, before all others
                await connection.execute(_UNREACHABLE, row["writer"], row["number"], row["id"], now)
        return len(due)

    async def hand_over_one(self) -> bool:
        """Hands over, of each channel, the notice that is due first. Answers whether there was any."""
        rows = [row for channel in self.channels if (row := await self._lease(channel))]
        for row in rows:
            await self._hand_over(row)
        return bool(rows)

    async def _lease(self, channel: str) -> asyncpg.Record | None:
        """The notice that is due first, nobody else's for the time a hand-over may take: no transaction stays open
        meanwhile (a slow mail server would hold back every follower), and after a crash it is due again when the lease
        ends. One statement, for it is asked all the time."""
        now = self._hub.clock.now()
        return await self._hub.pool.fetchrow(_LEASE, now, now + LEASE, channel)

    async def _hand_over(self, row: asyncpg.Record) -> None:
        state, trouble, wait_s = await self._try(row)
        now = self._hub.clock.now()
        again = now + timedelta(seconds=wait_s) if wait_s else None
        key = (row["writer"], row["number"], row["purpose"], row["channel"])
        await self._hub.pool.execute(_DONE, *key, state, now if state == "sent" else None, trouble, again)

    async def _try(self, row: asyncpg.Record) -> tuple[str, str, float | None]:
        """What became of it. Holds no connection while a server is waited for, nor while the desk is asked."""
        try:
            async with self._hub.pool.acquire() as connection:
                prepared = await self.prepare(connection, row)
            if prepared is None:
                return "unneeded", "", None
            await self.channels[row["channel"]].hand_over(prepared.person, prepared.message, prepared.message_id)
        except Undeliverable as no:
            return await self._for_good(row, str(no))
        except Alike as alike:
            with contextlib.suppress(Refusal):
                await self._hub.desk.ask(RenewCode(parcel=row["parcel"]))
            return await self._later(row, str(alike))
        except (Trouble, Refusal) as later:
            if isinstance(later, RefusedByPolicy):
                log.warning("refused_by_policy", channel=row["channel"], tries=row["tries"], reason=str(later))
            return await self._later(row, str(later)[:200], seldom=isinstance(later, Unanswered))
        except Exception:  # one notice that we cannot make must not keep all others waiting
            log.exception("notice_fails", purpose=row["purpose"], channel=row["channel"])
            return await self._later(row, "it could not be made: see the log")
        return "sent", "", None

    async def _later(self, row: asyncpg.Record, why: str, seldom: bool = False) -> tuple[str, str, float | None]:
        """The next try; after three days of them none."""
        if schedule.gave_up(row["recorded_at"], self._hub.clock.now()):
            return await self._for_good(row, why)
        log.info("notice_waits", purpose=row["purpose"], channel=row["channel"], tries=row["tries"])
        return "waiting", why, schedule.next_try(row["tries"] + 1, self._hub.ids.chance.random(), seldom)

    async def _for_good(self, row: asyncpg.Record, why: str) -> tuple[str, str, float | None]:
        """No more by this channel: a case, if the notice reaches its person by no other one either.

        Two channels that fail in the same moment each see the other as under way: so it is looked at once more when
        this one is known to have failed.
        """
        key = (row["writer"], row["number"], row["purpose"], row["channel"])
        if await self._hub.pool.fetchval(_ELSEWHERE, *key):
            await self._hub.pool.execute(_FAILED, *key)
            if await self._hub.pool.fetchval(_ELSEWHERE, *key):
                return "failed", why, None
        if not await self._by_another_way(row):
            await self._hub.desk.ask(OpenCase(parcel=row["parcel"], about="notice_given_up"))
        return "failed", why, None

    async def _by_another_way(self, row: asyncpg.Record) -> bool:
        """Goes on by a way that the person did not want, where the one that they wanted leads nowhere."""
        async with self._hub.pool.acquire() as connection:
            whom = (await self._addressees(connection, {row["parcel"]})).get(row["parcel"])
            ways = preferred.ways_to(whom.person, self.channels) if whom else []
            made = [await connection.fetchval(
                f"{_WRITE} RETURNING channel", [row["writer"]], [row["number"]], [row["purpose"]], [channel],
                [row["parcel"]], [self._hub.clock.now()],
            ) for channel in ways]  # fmt: skip
        return any(made)

    async def prepare(self, connection: asyncpg.Connection, row: asyncpg.Record) -> Prepared | None:
        """The message of a notice, composed now; None if it has become pointless or there is nobody to tell."""
        parcel = read_parcel(row["record"])
        person = await people.find(connection, parcel.person, self._hub.keys)
        if person is None or row["channel"] not in self.channels or await self._pointless(connection, row, parcel):
            return None
        told = await self._told(connection, parcel, row["purpose"], person.language)
        if row["purpose"] == "received":
            told = msgspec.structs.replace(told, receipt=streams.receipt(row["writer"], row["number"]))
        message = compose(row["purpose"], person.language, told)
        return Prepared(person, told, message, self._message_id(row))

    async def _pointless(self, connection: asyncpg.Connection, row: asyncpg.Record, parcel: Parcel) -> bool:
        """It was collected meanwhile, nobody may collect it now, it is not true any more (kept longer, it does not go
        back soon), or a newer notice tells more. Of a return nobody is told to collect it: a courier does."""
        if parcel.direction == "return" and row["purpose"] in OF_THE_INSIDE:
            return True
        if row["purpose"] in OF_THE_INSIDE and (parcel.stage not in INSIDE or parcel.blocked):
            return True
        if TRUE_WHILE.get(row["purpose"], parcel.stage) != parcel.stage:
            return True
        later = OUTDATED_BY.get(row["purpose"])
        return later is not None and await connection.fetchval(_OUTDATED, row["writer"], row["number"], later)

    def _message_id(self, row: asyncpg.Record) -> str:
        key = f"{row['writer']}\0{row['number']}\0{row['purpose']}\0{row['channel']}"
        return f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@{self._mail_domain}>"

    async def _told(
        self, connection: asyncpg.Connection, parcel: Parcel, purpose: str, language: str
    ) -> NoticeFacts:
        station = self._hub.stations.known.get(parcel.station or "")
        common: dict[str, Any] = {
            "link": await self._link(connection, parcel), "public_url": self._public_url,
            "selector": parcel.selector or access.selector(parcel.reference), "reference_end": parcel.reference[-4:],
            "collect_by": parcel.collect_by,
        }  # fmt: skip
        if station is None or parcel.reservation is None:
            return NoticeFacts(station="", zone="UTC", **common)
        a_couriers = parcel.direction == "return" and purpose == "code_drawn"  # nothing that its sender could collect
        door = parcel.compartment if parcel.stage in INSIDE and not a_couriers else None
        code = await self._code(connection, parcel) if door else ""
        return NoticeFacts(
            station=station.about.name, zone=station.about.zone, address=station.about.address, door=door,
            way=way_there(station.site, words(language)),
            place=place_sentence(station.about.layout, door, words(language)) if door else "",
            code=code if parcel.proof == "code" else "", qr=token_of(self._hub, parcel) if door else "", **common,
        )  # fmt: skip

    async def _code(self, connection: asyncpg.Connection, parcel: Parcel) -> str:
        """The parcel's code. Raises Alike for one that another parcel at this station has too."""
        rows = await connection.fetch(
            "SELECT record FROM parcel WHERE station = $1 AND due IS NOT NULL AND compartment IS NOT NULL AND id < $2",
            parcel.station, parcel.id,
        )  # fmt: skip
        own = code_of(self._hub, parcel)
        if any(access.same(code_of(self._hub, read_parcel(row["record"])), own) for row in rows):
            raise Alike("another parcel here has the same code: it gets a new one first")
        return own

    async def _link(self, connection: asyncpg.Connection, parcel: Parcel) -> str:
        token = self._hub.keys.link_token("recipient", parcel.id)
        await connection.execute(
            "INSERT INTO link VALUES ($1, $2, 'recipient') ON CONFLICT DO NOTHING", link_hash(token), parcel.id
        )
        return f"{self._public_url}/p/{token}"

    async def run(self) -> None:
        """Hands over for ever, each channel by itself: one whose server hangs holds up no other."""
        async with asyncio.TaskGroup() as tasks:
            for channel in self.channels:
                tasks.create_task(self._serve(channel, tasks))
            await asyncio.Event().wait()  # without a channel it does not end either

    async def _serve(self, channel: str, tasks: asyncio.TaskGroup) -> None:
        under_way: set[asyncio.Task[Any]] = set()
        while True:
            row = await _waited_out(self._lease(channel)) if len(under_way) < AT_ONCE else None
            if row:
                under_way.add(tasks.create_task(_waited_out(self._hand_over(row))))
            elif under_way:
                _, under_way = await asyncio.wait(under_way, timeout=IDLE_S, return_when=asyncio.FIRST_COMPLETED)
            else:
                await asyncio.sleep(IDLE_S)
            _end_if_told()


Waited = TypeVar("Waited")


async def _waited_out(work: Awaitable[Waited]) -> Waited | None:
    """What it answers; None, a moment later, if it fails. A notice is leased: it is due again when the lease ends."""
    try:
        return await work
    except Exception as failed:
        log.warning("telling_waits", reason=type(failed).__name__, exc_info=not isinstance(failed, LOST))
        await asyncio.sleep(1.0)
        return None


def _end_if_told() -> None:
    """Early 3.11 loses a cancellation that comes in the moment in which a `wait_for` is done; mail clients wait so."""
    task = asyncio.current_task()
    if task and task.cancelling():
        raise asyncio.CancelledError

"""The hub's desk: what is asked at the same time is loaded, decided and recorded together, in one transaction.

A refusal of one leaves its neighbours alone. A conflict (a reference taken meanwhile) rolls the batch back and it is
decided again with everything looked up. docs/decisions/0003 says why batches, with figures.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import asyncpg
import msgspec

from parcelwall.clock import Clock
from parcelwall.errors import ParcelwallError, Refusal, Trouble
from parcelwall.hub import admission, stations, twins
from parcelwall.hub.cases import CloseCase
from parcelwall.hub.commands import Announce, Answer, Asked, Command, Reserve
from parcelwall.hub.ingest import Ingest
from parcelwall.hub.keys import Keys
from parcelwall.hub.lanes import LATER, Lane, one_by_one_if_need_be
from parcelwall.hub.promising import ADVISED
from parcelwall.hub.sitting import Sitting, Streams, read_parcel
from parcelwall.hub.stations import Stations
from parcelwall.ids import Ids
from parcelwall.rules import offers
from parcelwall.rules.admission import counts_heads, what_to_do
from parcelwall.rules.facts import StoodStill
from parcelwall.rules.life import INSIDE, Parcel
from parcelwall.rules.policy import Policy
from parcelwall.rules.tables import AdmissionRow
from parcelwall.rules.worth import is_proof_weak

Key = tuple[str, str]  # actor and Idempotency-Key
Fresh = tuple[Asked, Answer | ParcelwallError]
MOST_COMMANDS = 256
MOST_ENTRIES = 2_000
LONGEST_NUMBER = 64
PUT_OFF_AT_MOST = 2  # then it waits for its station's lock
GATHER_S = 0.006

_INSIDE = "SELECT id FROM parcel WHERE station = ANY($1::text[]) AND due IS NOT NULL AND stage = ANY($2::text[])"
_OF_CASES = "SELECT parcel FROM case_file WHERE id = ANY($1::uuid[]) AND parcel IS NOT NULL"
_FIND_ASKED = """
SELECT actor, key, request_hash, status, answer FROM asked
JOIN unnest($1::text[], $2::text[]) AS want (a, k) ON actor = a AND key = k"""
_BY_REFERENCE = "SELECT reference, record FROM parcel WHERE reference = ANY($1::text[])"
_WRITE_ASKED = """
INSERT INTO asked SELECT *, $6::timestamptz FROM unnest($1::text[], $2::text[], $3::bytea[], $4::int[], $5::text[])"""


class Desk:
    """Three lanes, one transaction at a time in each: what companies and recipients ask, what doors saw, and what
    anybody looks up by a number."""

    def __init__(
        self, pool: asyncpg.Pool, clock: Clock, ids: Ids, keys: Keys, known: Stations, streams: Streams, policy: Policy
    ) -> None:
        self.pool, self.clock, self.ids, self.keys = pool, clock, ids, keys
        self.stations, self.streams, self.policy = known, streams, policy
        self.wishes: frozenset[bytes] = frozenset()  # contacts of recipients who asked for doors within reach
        self.rows: tuple[AdmissionRow, ...] = ()  # of admission, in force
        self.verifies = True  # whether passkeys can be shown at this hub's address
        self._asking: Lane[Command, Answer] = Lane(self._serve_what_is_free, lambda _: 1, MOST_COMMANDS, GATHER_S)
        self._doors: Lane[Ingest, int] = Lane(self.ingest, lambda each: len(each.entries), MOST_ENTRIES)
        self._finding: Lane[str, Parcel | None] = Lane(self._find, lambda _: 1, MOST_COMMANDS)

    async def ask(self, command: Command) -> Answer:
        """The desk's answer. Raises its Refusal, or Trouble if the database cannot be reached."""
        return await self.put(command)

    def put(self, command: Command) -> asyncio.Future[Answer]:
        """The desk's answer, to be waited for. Raises a Refusal of what cannot be decided at all."""
        command.prepare(self.ids, self.keys)
        return self._asking.put(command)

    async def receive(self, news: Ingest) -> int:
        """Stores what a station's doors saw; answers with the number through which all is stored."""
        return await self._doors.submit(news)

    async def find(self, typed: str) -> Parcel | None:
        """The parcel that anybody means by this number; None if there is none, or if two carriers use it."""
        if not typed or len(typed) > LONGEST_NUMBER or not typed.isprintable():
            return None
        return await self._finding.submit(typed)

    async def _find(self, typed: Sequence[str]) -> list[Parcel | None]:
        forms = [{each, each.strip(), each.strip().upper(), "".join(each.split()).upper()} for each in typed]
        records: dict[str, list[str]] = {}
        for row in await self.pool.fetch(_BY_REFERENCE, list(set().union(*forms))):
            records.setdefault(row["reference"], []).append(row["record"])
        found = ([record for form in each for record in records.get(form, ())] for each in forms)
        return [read_parcel(each[0]) if len(each) == 1 else None for each in found]

    async def close(self) -> None:
        await self._asking.close()
        await self._doors.close()
        await self._finding.close()

    def sitting(self, connection: asyncpg.Connection) -> Sitting:
        at = Sitting(connection, self.clock.now(), self.ids, self.keys, self.stations, self.streams, self.policy)
        at.wishes, at.rows, at.verifies = self.wishes, self.rows, self.verifies
        return at

    async def serve(self, commands: Sequence[Command]) -> list[Answer | Exception]:
        """One batch of commands, each with its answer or its refusal, in one transaction.

        A batch that fails for what one of them holds is served one by one, so that the others have their answers.
        """
        careful = any(not isinstance(each, Announce) or is_proof_weak(each.order, self.policy) for each in commands)
        return await one_by_one_if_need_be(commands, lambda some, turn: self._serve(some, careful or turn > 0))

    async def _serve_what_is_free(self, commands: Sequence[Command]) -> list[Answer | Exception]:
        """As `serve`, but who wants a station that another process is at is told LATER, up to twice."""
        if any(not isinstance(each, Announce) or each.put_off >= PUT_OFF_AT_MOST
               or is_proof_weak(each.order, self.policy) for each in commands):  # fmt: skip
            return await self.serve(commands)
        return await one_by_one_if_need_be(commands, lambda some, turn: self._serve(some, turn > 0, turn == 0))

    async def _serve(
        self, commands: Sequence[Command], careful: bool, free_only: bool = False
    ) -> list[Answer | Exception]:
        answers: list[Answer | ParcelwallError | None] = [None] * len(commands)
        async with self.pool.acquire() as connection, connection.transaction():
            at = self.sitting(connection)
            given = await self._given(connection, commands) if careful else {}
            await self._load(at, commands, answers, careful, free_only)
            if free_only:
                _put_off(at, commands, answers)
            fresh: dict[Key, Fresh] = {}
            for index, command in enumerate(commands):
                answers[index] = answers[index] or _decide(at, command, given, fresh)
            await self._advise(at, commands, answers)
            self._note_answers(at, fresh)
            await at.write()
        return [answer or Trouble("no answer was made") for answer in answers]

    async def _load(
        self, at: Sitting, commands: Sequence[Command], answers: list[Answer | ParcelwallError | None], careful: bool,
        free_only: bool,
    ) -> None:  # fmt: skip
        parcels, wanted, references = [], [], []
        for index, command in enumerate(commands):
            try:
                ids, names = command.wants(self.stations, self.policy.near_km)
            except Refusal as no:
                answers[index] = no
                continue
            parcels += ids
            wanted += names
            if isinstance(command, Announce):
                references.append((command.order.carrier, command.order.reference))
        if careful and references:
            await at.load_references(references)
        closing = [command.case for command in commands if isinstance(command, CloseCase)]
        if closing:
            parcels += [row["parcel"] for row in await at.connection.fetch(_OF_CASES, closing)]
        writers = [self.streams.slot] if references else []  # what is announced is written there
        await at.load(parcels, wanted, writers, free_only=free_only)
        await twins.load(at, _labels(at, commands))
        for station in at.here if at.rows else ():
            if counts_heads(at.rows, station):
                await at.load_present(station)
        if any(command.needs_cases for command in commands):
            await at.load_cases(list(at.here), closing, parcels)

    async def _given(self, connection: asyncpg.Connection, commands: Sequence[Command]) -> dict[Key, Any]:
        asked = [command.asked for command in commands if command.asked]
        rows = await connection.fetch(_FIND_ASKED, [each.actor for each in asked], [each.key for each in asked])
        return {(row["actor"], row["key"]): row for row in rows}

    async def _advise(
        self, at: Sitting, commands: Sequence[Command], answers: list[Answer | ParcelwallError | None]
    ) -> None:
        """A refusal of room names stations that would take the parcel now, nearest first."""
        for command, answer in zip(commands, answers, strict=True):
            if not isinstance(command, Reserve) or not isinstance(answer, Refusal):
                continue
            if answer.reason in ADVISED and "alternatives" not in answer.details:
                parcel = at.book.parcels[command.parcel]
                found = answer.details["alternatives"] = await self._alternatives(at, parcel, command)
                if answer.reason == "held_for_others" and found:
                    answer.sentence = what_to_do(answer.details["another_day"], found[0]["station"])

    async def _alternatives(self, at: Sitting, parcel: Parcel, command: Reserve) -> list[dict[str, Any]]:
        place = command.destination.near or self.stations.known[command.tried[0]].place
        near = self.stations.near(place, self.policy.near_km * 2, 12)
        rooms = await stations.rooms(at.connection, [name for name, _ in near])
        counted = [name for name, _ in near if counts_heads(at.rows, name)]
        heads = await admission.heads_at(at.connection, self.stations, counted)
        good = []
        for name, metres in near:
            station = self.stations.known[name]
            is_open = station.promises(at.now, at.policy)
            here = offers.Standing(name, station.place, metres, station.plan, rooms[name], is_open,
                                   zone=station.about.zone, heads=heads.get(name, ()))  # fmt: skip
            seen = offers.look(parcel, here, station.plan.need(parcel), at.now, at.now, at.policy, at.rows)
            if name not in command.tried and seen.reason is None:
                good.append({"station": name, "name": station.about.name, "metres": round(metres)})
        return good[: self.policy.alternatives]

    def _note_answers(self, at: Sitting, fresh: dict[Key, Fresh]) -> None:
        rows = [(asked, *noted) for asked, answer in fresh.values() if (noted := _noted(answer))]
        if rows:
            at.together.add(
                _WRITE_ASKED, [row[0].actor for row in rows], [row[0].key for row in rows],
                [self.keys.request_mark(row[0].request_hash) for row in rows], [row[1] for row in rows],
                [row[2] for row in rows], at.now,
            )  # fmt: skip

    async def ingest(self, news: Sequence[Ingest]) -> list[int | Exception]:
        """What several stations' doors saw, in one transaction; if one's chain is broken, each by itself."""
        return await one_by_one_if_need_be(news, lambda some, _: self._ingest(some))

    async def _ingest(self, news: Sequence[Ingest]) -> list[int]:
        async with self.pool.acquire() as connection, connection.transaction():
            at = self.sitting(connection)
            names = [each.station for each in news]
            parcels = [p for each in news for p in each.parcels()]
            if stood := [each.station for each in news if each.tells_of(StoodStill)]:
                parcels += [row["id"] for row in await connection.fetch(_INSIDE, stood, list(INSIDE))]
            await at.load(parcels, names, {each.writer for each in news})
            await at.load_cases(names, [case for each in news for case in each.cases()])
            through = [await each.decide(at) for each in news]
            await at.write()
        return through


def _labels(at: Sitting, commands: Sequence[Command]) -> list[twins.Named]:
    """Labels that may be another's of the same carrier; a reference that is no label is looked for when room is asked
    for anew only, for nothing is searched while announcing."""
    new = [(each.order.carrier, each.order.label) for each in commands if isinstance(each, Announce)]
    moved = [at.book.parcels.get(each.parcel) for each in commands if isinstance(each, Reserve)]
    told = [(each.carrier, twins.label_of(each)) for each in moved if each]
    return [(carrier, label) for carrier, label in new if label] + told


def _put_off(at: Sitting, commands: Sequence[Command], answers: list[Answer | ParcelwallError | None]) -> None:
    """Announcements whose stations are not all here wait for the next batch."""
    for index, command in enumerate(commands):
        if answers[index] is None and isinstance(command, Announce) and not at.here.keys() >= set(command.tried):
            command.put_off += 1
            answers[index] = LATER


def _decide(at: Sitting, command: Command, given: dict[Key, Any], fresh: dict[Key, Fresh]) -> Answer | ParcelwallError:
    asked = command.asked
    key = (asked.actor, asked.key) if asked else None
    if asked and key in given:
        return _same_again(asked, given[key], at.keys)
    if asked and key in fresh:
        first, answer = fresh[key]
        return answer if first.request_hash == asked.request_hash else Refusal("idempotency_key_reused")
    try:
        answer = command.decide(at)
    except Refusal as no:
        answer = no
    if asked and key:
        fresh[key] = (asked, answer)
    return answer


def _same_again(asked: Asked, before: Any, keys: Keys) -> Answer | Refusal:
    """The answer that was given; the same key with another request is refused."""
    if before["request_hash"] != keys.request_mark(asked.request_hash):
        return Refusal("idempotency_key_reused")
    body = msgspec.json.decode(before["answer"])
    if before["status"] >= 400:
        return Refusal(body["reason"], body["sentence"], **body["details"])
    return Answer(before["status"], body)


def _noted(answer: Answer | ParcelwallError | None) -> tuple[int, str] | None:
    """Status and text to keep of an answer. Troubles are not kept: the same key may be tried again."""
    if isinstance(answer, Answer):
        return answer.status, answer.text.decode()
    if isinstance(answer, Refusal):
        body = {"reason": answer.reason, "sentence": answer.sentence, "details": answer.details}
        return 400, msgspec.json.encode(body).decode()
    return None

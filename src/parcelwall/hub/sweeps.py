"""What is due: promises that lapse, holding times that end, reminders, answers that may be forgotten.

A sweep only finds candidates; the desk decides each under its lock, so two hub processes may sweep at once.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from parcelwall.clock import Clock
from parcelwall.errors import Refusal, Trouble
from parcelwall.hub import accounts, acts_due, photos, tries
from parcelwall.hub.commands import Answer, Command, view
from parcelwall.hub.house import Hub
from parcelwall.hub.reading import LOST
from parcelwall.hub.sitting import Sitting
from parcelwall.hub.stations import Stations
from parcelwall.hub.tell import Teller
from parcelwall.rules import decide

EVERY_S = 30.0
FORGET_EVERY_S = 3_600.0  # every account and every list is looked through: 0.1 s with 50,000 of them (docs/speed.md)
MOST = 500
ANSWERS_KEPT = timedelta(days=30)

Step = Callable[[], Awaitable[object]]

log = structlog.get_logger()

_LAPSING = """
SELECT id, heard_until FROM parcel LEFT JOIN station_presence USING (station)
WHERE stage = 'RESERVED' AND due < $1 AND (heard_until > due OR due < $2) ORDER BY due LIMIT $3"""
_EXPIRING = """
SELECT id FROM parcel WHERE stage = 'READY' AND due <= $1
  AND NOT EXISTS (SELECT FROM case_file WHERE case_file.parcel = parcel.id AND case_file.station = parcel.station
    AND closed_at IS NULL AND about = ANY($3))
ORDER BY due LIMIT $2"""
_FORGOTTEN = """
SELECT id FROM parcel WHERE stage IN ('ANNOUNCED', 'OVERDUE') AND due <= $1
  AND NOT EXISTS (SELECT FROM case_file WHERE case_file.parcel = parcel.id AND closed_at IS NULL)
  AND NOT EXISTS (SELECT FROM case_file WHERE case_file.parcel = parcel.id AND closed_at > $3
    AND closed_at >= due AND about IN ('never_brought', 'never_taken_back'))
ORDER BY due LIMIT $2"""


class Lapse(Command, kw_only=True):
    """Gives back the room of a parcel that was not brought. `heard_until` is how far its station was heard."""

    parcel: UUID
    heard_until: datetime | None

    def wants(self, stations: Stations, near_km: float) -> tuple[list[UUID], list[str]]:
        return [self.parcel], []

    def decide(self, at: Sitting) -> Answer:
        parcel = at.book.parcels[self.parcel]
        fact = decide.lapse(parcel, self.heard_until, at.now, at.policy)
        if fact is None:
            raise Refusal("wrong_stage")
        at.record(fact)
        if not (self.heard_until and parcel.deposit_by and self.heard_until > parcel.deposit_by):
            at.open_case("lapsed_while_silent", parcel.id, parcel.station, None, False)
        return Answer(200, view(at, self.parcel))


class Expire(Command, kw_only=True):
    """The holding time is over, unless it stands still: somebody could not get at their parcel."""

    needs_cases = True
    parcel: UUID

    def wants(self, stations: Stations, near_km: float) -> tuple[list[UUID], list[str]]:
        return [self.parcel], []

    def decide(self, at: Sitting) -> Answer:
        fact = decide.expire(at.book.parcels[self.parcel], at.now, at.book.cases.values())
        if fact is None:
            raise Refusal("wrong_stage")
        at.record(fact)
        return Answer(200, view(at, self.parcel))


class AskSomebody(Command, kw_only=True):
    """A parcel that nobody brings or takes back: a case, so that it is not forgotten. Another sweep may have been
    quicker, or somebody has just closed one: one is enough for a while."""

    needs_cases = True
    parcel: UUID

    def wants(self, stations: Stations, near_km: float) -> tuple[list[UUID], list[str]]:
        return [self.parcel], []

    def decide(self, at: Sitting) -> Answer:
        parcel = at.book.parcels[self.parcel]
        about = decide.forgotten(parcel, at.book.cases.values(), at.now)
        if about is None:
            raise Refusal("wrong_stage")
        at.open_case(about, parcel.id, parcel.station, parcel.compartment, False)
        return Answer(200, view(at, self.parcel))


async def sweep(hub: Hub) -> int:
    """One round. Answers how many parcels changed."""
    now = hub.clock.now()
    silence = now - timedelta(hours=hub.policy.lapse_silence_hours)
    async with hub.pool.acquire() as connection:
        lapsing = await connection.fetch(_LAPSING, now, silence, MOST)
        expiring = await connection.fetch(_EXPIRING, now, MOST, list(decide.STOPPING))
        forgotten = await connection.fetch(_FORGOTTEN, now, MOST, now - decide.PUT_OFF)
    commands: list[Command] = [Lapse(parcel=row["id"], heard_until=row["heard_until"]) for row in lapsing]
    commands += [Expire(parcel=row["id"]) for row in expiring]
    commands += [AskSomebody(parcel=row["id"]) for row in forgotten]
    done = await asyncio.gather(*map(hub.desk.ask, commands), return_exceptions=True)
    for failed in (each for each in done if isinstance(each, Exception) and not isinstance(each, Refusal)):
        raise failed
    return sum(not isinstance(each, Refusal) for each in done)


async def run(hub: Hub, teller: Teller, every_s: float = EVERY_S) -> None:
    """Sweeps for ever, and reads stations and policy that changed. A step that fails keeps no other from being done."""
    steps: tuple[Step, ...] = (
        lambda: _sweep_all(hub), lambda: acts_due.carry_out_due(hub), hub.refresh, lambda: _remind(hub, teller),
        seldom(hub.clock, FORGET_EVERY_S, lambda: _forget(hub)),
        seldom(hub.clock, FORGET_EVERY_S, lambda: photos.forget(hub)),
    )  # fmt: skip
    while True:
        for step in steps:
            try:
                await step()
            except (*LOST, Trouble) as failed:
                log.warning("sweep_waits", reason=type(failed).__name__)
            except Exception as failed:
                log.exception("sweep_fails", reason=type(failed).__name__)
        await asyncio.sleep(every_s)


def seldom(now: Clock, every_s: float, step: Step) -> Step:
    """The step, but again only after so long; one that failed is tried again the next time."""
    next_s = now.mono()

    async def when_due() -> None:
        nonlocal next_s
        if now.mono() >= next_s:
            await step()
            next_s = now.mono() + every_s

    return when_due


async def _sweep_all(hub: Hub) -> None:
    while await sweep(hub) >= MOST:
        pass


async def _remind(hub: Hub, teller: Teller) -> None:
    async with hub.pool.acquire() as connection, connection.transaction():
        await teller.remind(connection)


async def _forget(hub: Hub) -> None:
    async with hub.pool.acquire() as connection, connection.transaction():
        await accounts.forget_old(connection, hub.clock.now())
        await connection.execute("DELETE FROM asked WHERE at < $1", hub.clock.now() - ANSWERS_KEPT)
        await tries.forget(hub, connection)

"""Taking out from afar what nobody collected in time: one parcel, or all of a station, while somebody stands there.

One door at a time, and each only once the one before was seen shut: a station never opens late, so the hub asks anew
for each, while the line stands. What became of each stands in the act's row as it happens; that a parcel is out is the
station's own fact, `TakenBack`. An act is under way while the process that does it says so again and again: if that
process ends, so does the act, and nobody goes on with it later.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import msgspec

from parcelwall.errors import Refusal
from parcelwall.hub.acts import (
    DONE,
    INSERT,
    LOCK,
    OVER,
    SHOWN,
    WINDOW,
    Act,
    Out,
    actors,
    find,
    may_alone,
    read_act,
    refuse_bad_reason,
    refuse_stranger,
    still_may,
    text_of,
)
from parcelwall.hub.house import Hub
from parcelwall.hub.orders import OpenDoor, Outlets, open_now
from parcelwall.hub.sitting import read_parcel
from parcelwall.hub.staff import Person
from parcelwall.rules import taking_out
from parcelwall.rules.life import Parcel, Stage
from parcelwall.rules.taking_out import LEFT_OPEN, OPENED, OUT

LEASE = timedelta(seconds=30)  # so long an act is under way after its process was heard of last
SHUT_WITHIN_S = 130.0  # the station itself gives an open door 120
BUSY_FOR_S, BUSY_AGAIN_S = 120.0, 5.0  # a recipient who has come at the same time is waited for
LOOK_EVERY_S = 0.5
SHOWN_FOR = timedelta(hours=1)

_EXPIRED = "SELECT id, reference, record FROM parcel WHERE station = $1 AND stage = $2 AND due IS NOT NULL"
_UNDER_WAY = """
SELECT 1 FROM act WHERE kind = 'take_out' AND station = $1 AND state IN ('waiting', 'agreed') AND until > $2"""
_LATELY = SHOWN + " WHERE act.kind = 'take_out' AND act.station = $1 AND asked_at > $2 ORDER BY asked_at DESC LIMIT 3"
_GOES_ON = "UPDATE act SET until = $2 WHERE id = $1 AND state = 'agreed' RETURNING 1"
_BECAME = "UPDATE act SET body = $2 WHERE id = $1"
_OUT_OF = "SELECT id FROM parcel WHERE id = ANY($1::uuid[]) AND stage = $2"
_STAGE = "SELECT stage FROM parcel WHERE id = $1"


class Late(msgspec.Struct, frozen=True):
    """One parcel that nobody collected in time: its number, behind which door, since when it is late."""

    id: UUID
    reference: str
    door: int
    since: datetime | None


async def expired(hub: Hub, station: str) -> list[Late]:
    """What may be taken out of this station now, by door."""
    return _late(await hub.pool.fetch(_EXPIRED, station, Stage.OVERDUE), station)


def _late(rows: Sequence[asyncpg.Record], station: str) -> list[Late]:
    found = [(row["reference"], read_parcel(row["record"])) for row in rows]
    late = [Late(each.id, reference, each.compartment or 0, each.collect_by)
            for reference, each in found if _may_go(each, station)]  # fmt: skip
    return sorted(late, key=lambda each: each.door)


def _may_go(parcel: Parcel, station: str) -> bool:
    try:
        return taking_out.take_out(parcel, station) is parcel
    except Refusal:
        return False


async def lately(hub: Hub, station: str) -> list[Act]:
    """What was asked of this station within the hour, the newest first, three at most. A parcel that its station has
    told of since is out, whatever was known of it then."""
    acts = [read_act(row) for row in await hub.pool.fetch(_LATELY, station, hub.clock.now() - SHOWN_FOR)]
    asked = [parcel for act in acts if isinstance(act.what, Out) for parcel in act.what.parcels]
    out = {str(row["id"]): OUT for row in await hub.pool.fetch(_OUT_OF, asked, Stage.TAKEN_BACK)}
    return [msgspec.structs.replace(act, what=_as_told(act.what, out)) for act in acts if isinstance(act.what, Out)]


def _as_told(what: Out, out: dict[str, str]) -> Out:
    told = {key: out.get(key, word) for key, word in what.became.items()}
    return msgspec.structs.replace(what, became=told)


async def ask(hub: Hub, who: Person, station: str, parcels: tuple[UUID, ...], reason: str) -> Act:
    """Notes that somebody means to have these taken out. More than one waits for a second person, and so does one if it
    is one door too many for one person.

    Raises Refusal for no right, an unknown station, a bad reason; `stale_screen` while another such act is under way
    at the station, or if one of them may not be taken out any more.
    """
    refuse_stranger(hub, who, "end", station)
    refuse_bad_reason(reason)
    act, now = hub.ids.new(), hub.clock.now()
    async with hub.pool.acquire() as connection, connection.transaction():
        await connection.execute(LOCK, station)
        if await connection.fetchval(_UNDER_WAY, station, now):
            raise Refusal("stale_screen")
        rows = await connection.fetch(_EXPIRED, station, Stage.OVERDUE)  # a second connection may never be free
        there = {each.id: each for each in _late(rows, station)}
        if not parcels or not there.keys() >= set(parcels):
            raise Refusal("stale_screen")
        what = Out(parcels, tuple(there[each].door for each in parcels), reason)
        alone = len(parcels) == 1 and await may_alone(connection, who.id, now, hub.policy.doors_alone)
        await connection.execute(
            INSERT, act, "take_out", station, text_of(what), who.id, now,
            now + (LEASE if alone else WINDOW), "agreed" if alone else "waiting", now if alone else None,
        )  # fmt: skip
    return await find(hub, act)


async def carry_out(hub: Hub, outlets: Outlets, act: Act) -> str:
    """Door after door of an act that is agreed. Answers what ended it: "out" once all had their turn, "withdrawn" if
    somebody stopped it, or what no other door opens after."""
    assert isinstance(act.what, Out) and act.station and act.state == "agreed"
    became: dict[str, str] = {}
    ended = OUT

    async def note(parcel: UUID, word: str) -> None:
        became[str(parcel)] = word
        body = msgspec.structs.replace(act.what, became=became)
        await hub.pool.execute(_BECAME, act.id, text_of(body))
        hub.bells.ring([f"by/{act.station}"])

    for parcel in act.what.parcels:
        if not await _stands(hub, act):
            return "withdrawn"
        ended = await _one(hub, outlets, act, parcel, note)
        await note(parcel, ended)
        if not taking_out.goes_on(ended):
            break
    alone = len(act.what.parcels) == 1
    outcome = OPENED if alone and ended == OUT else ended if alone or not taking_out.goes_on(ended) else OUT
    await hub.pool.execute(DONE + " AND state = 'agreed'", act.id, outcome)
    hub.bells.ring([f"by/{act.station}"])
    return outcome


async def _stands(hub: Hub, act: Act) -> bool:
    """Whether it goes on: nobody has stopped it, and who asked still has the right. Says that it is under way."""
    if not await still_may(hub, act.asked_by, act.kind, act.stations):
        await hub.pool.execute(OVER, act.id, "no_right")
    return bool(await hub.pool.fetchval(_GOES_ON, act.id, hub.clock.now() + LEASE))


async def _one(
    hub: Hub, outlets: Outlets, act: Act, parcel: UUID, note: Callable[[UUID, str], Awaitable[None]]
) -> str:  # fmt: skip
    """One parcel: its door opened and shut again, or why not."""
    assert isinstance(act.what, Out) and act.station
    asker, second = await actors(hub, act.id)
    until_s = hub.clock.mono() + BUSY_FOR_S
    while True:
        command = OpenDoor(station=act.station, parcel=parcel, do="take_out", reason=act.what.reason, actor=asker,
                           second=second)  # fmt: skip
        try:
            _, became = await open_now(hub, outlets, command)
            break
        except Refusal as no:
            if no.reason != "door_busy" or hub.clock.mono() > until_s:
                return no.reason
        await note(parcel, "door_busy")
        if not await _wait(hub, act, BUSY_AGAIN_S):
            return "door_busy"
    if became != OPENED:
        return became
    await note(parcel, OPENED)
    return await _shut(hub, act, parcel)


async def _wait(hub: Hub, act: Act, seconds: float) -> bool:
    """Waits, saying that it is under way; False as soon as it is stopped."""
    until_s = hub.clock.mono() + seconds
    while await _stands(hub, act):
        if hub.clock.mono() >= until_s:
            return True
        await asyncio.sleep(LOOK_EVERY_S)
    return False


async def _shut(hub: Hub, act: Act, parcel: UUID) -> str:
    """Waits until the station has written that the parcel is out, which it does once the door is shut."""
    bell, until_s = hub.bells.hang(f"by/{act.station}"), hub.clock.mono() + SHUT_WITHIN_S
    try:
        while True:
            bell.clear()
            if await hub.pool.fetchval(_STAGE, parcel) == Stage.TAKEN_BACK:
                return OUT
            if hub.clock.mono() > until_s:
                return LEFT_OPEN  # or its line was cut: nobody can say
            await _stands(hub, act)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await bell.wait()
    finally:
        hub.bells.take_down(f"by/{act.station}", bell)

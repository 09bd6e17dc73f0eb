"""What was asked for many parcels, carried out a minute after it was agreed to: kept longer, or written off.

An act that fails for what it holds is stuck: the others go on, it is tried again, and it stands in the list until it is
through or withdrawn. Each parcel is acted upon once, however often that is: the act is its Idempotency-Key.
"""

from collections.abc import Sequence
from uuid import UUID

import asyncpg
import msgspec
import structlog

from parcelwall.errors import Refusal, Trouble
from parcelwall.hub.acts import (
    BODY,
    DONE,
    INSIDE_OF,
    OVER,
    STUCK,
    WINDOW,
    Gone,
    Longer,
    actors,
    inside,
    still_may,
)
from parcelwall.hub.commands import Asked, Extend
from parcelwall.hub.ending import WriteOff
from parcelwall.hub.house import Hub
from parcelwall.hub.reading import LOST
from parcelwall.rules.life import INSIDE

_DUE = "SELECT * FROM act WHERE state = 'agreed' AND kind IN ('keep_longer', 'write_off') AND due_at <= $1"
_STUCK = "UPDATE act SET outcome = 'stuck' WHERE id = $1 AND state = 'agreed'"
_WAITS = "UPDATE act SET state = 'waiting', due_at = NULL, until = $2 WHERE id = $1 AND state = 'agreed'"

log = structlog.get_logger()


async def carry_out_due(hub: Hub) -> int:
    """Does what was agreed to a minute ago, and answers how many acts that was. One that fails holds up no other one.

    Raises Trouble when the world fails, not one act.
    """
    done = 0
    for row in await hub.pool.fetch(_DUE, hub.clock.now()):
        try:
            await _carry_out(hub, row)
            done += 1
        except (*LOST, Trouble):
            raise
        except Exception as failed:
            log.exception("act_stuck", act=str(row["id"]), reason=type(failed).__name__)
            await hub.pool.execute(_STUCK, row["id"])
    return done


async def _carry_out(hub: Hub, row: asyncpg.Record) -> None:
    """All of one act, also behind a parcel that fails. Raises what that one failed with, once the others are done.

    One whose asker has lost the right is over. One that was let through alone waits for a second person, if more lies
    there by now than one may keep longer.
    """
    what: Longer | Gone = msgspec.json.decode(row["body"], type=BODY[row["kind"]])
    stations = what.stations if isinstance(what, Longer) else (row["station"],)
    if not await still_may(hub, row["asked_by"], row["kind"], stations):
        await hub.pool.execute(OVER, row["id"], "no_right")
        return
    begun = row["outcome"] == STUCK or isinstance(what, Gone)  # what was counted is what is written off
    if row["agreed_by"] is None and not begun and await inside(hub, stations) > hub.policy.parcels_alone:
        await hub.pool.execute(_WAITS, row["id"], hub.clock.now() + WINDOW * 6)
        return
    actor, _ = await actors(hub, row["id"])
    done, failures = 0, []
    for parcel in await _parcels(hub, what):
        try:
            done += await _act_upon(hub, row["id"], parcel, what, actor)
        except (*LOST, Trouble):
            raise
        except Exception as failed:
            failures.append(failed)
    if failures:
        raise failures[0]
    await hub.pool.execute(DONE, row["id"], str(done))


async def _parcels(hub: Hub, what: Longer | Gone) -> Sequence[UUID]:
    if isinstance(what, Gone):
        return what.parcels
    return [row["id"] for row in await hub.pool.fetch(INSIDE_OF, list(what.stations), list(INSIDE))]


async def _act_upon(hub: Hub, act: UUID, parcel: UUID, what: Longer | Gone, actor: UUID) -> bool:
    """One parcel; False if it was taken out meanwhile."""
    asked = Asked(f"act/{act}", str(parcel), act.bytes)
    try:
        if isinstance(what, Gone):
            await hub.desk.ask(WriteOff(parcel=parcel, why=what.reason, actor=actor, asked=asked))
        else:
            await hub.desk.ask(
                Extend(carrier=None, parcel=parcel, hours=what.hours, by="operator", actor=actor, asked=asked)
            )
    except Refusal:
        return False
    return True

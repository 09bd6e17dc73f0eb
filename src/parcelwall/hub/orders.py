"""Opening a door from afar: granted in the journal, sent as an order while the line stands, and never kept for later.

An order goes by the process that the station's line ends in: this one, or another that hears of it by NOTIFY, which
keeps nothing either. What became of it the station writes into its journal; that entry is waited for.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from parcelwall.errors import REASONS, Refusal
from parcelwall.hub.commands import Answer, Command, own
from parcelwall.hub.followers import CHANNEL, ORDERS
from parcelwall.hub.house import Hub
from parcelwall.hub.keys import Keys
from parcelwall.hub.sitting import Sitting
from parcelwall.hub.stations import WRITTEN_BY, WRITTEN_FOR, Stations
from parcelwall.ids import Ids
from parcelwall.link.orders import LASTS_MS, Asked, By, Do
from parcelwall.rules import decide, facts, taking_out
from parcelwall.rules.life import Parcel
from parcelwall.rules.personal import refuse_personal

LASTS = timedelta(milliseconds=LASTS_MS)
ANSWER_WITHIN_S = 17.0  # of an order that lasts 15: after that nothing will open any more
LINE_WITHIN_S = 1.0  # for another process to say that the line ends there
LOOK_EVERY_S = 0.1
CLOCKS_DIFFER = timedelta(minutes=1)  # of two processes of the hub, at most
STALE = timedelta(seconds=5)  # what another process asked longer ago than this is dropped

Send = Callable[[Asked, int], Awaitable[None]]  # the order, and for how many milliseconds it is good

_NOTIFY = "SELECT pg_notify($1, $2)"
# All streams of the station's own: a new computer may have begun another since.
_HEADS = f"""
SELECT name, coalesce(number, 0) AS number FROM unnest(ARRAY({WRITTEN_BY})) AS name
LEFT JOIN writer USING (name)"""  # noqa: S608 - ours
_THEN = f"""
SELECT name, coalesce((
  SELECT number FROM entry WHERE writer = name AND recorded_at < $2 ORDER BY number DESC LIMIT 1), 0) AS number
FROM unnest(ARRAY({WRITTEN_BY})) AS name"""  # noqa: S608 - ours, too
_GRANTED_AT = f"""
SELECT recorded_at FROM entry WHERE kind = 'Granted' AND writer = ANY(ARRAY({WRITTEN_FOR}))
  AND body LIKE $2"""  # noqa: S608 - and this one
_ANSWERS = """
SELECT body FROM entry JOIN unnest($1::text[], $2::bigint[]) AS since (name, head) ON writer = name AND number > head
WHERE kind = 'OrderAnswered' ORDER BY number"""


class Told(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one process tells the others: does a line to this station end with you, or: send it this order."""

    at: datetime
    station: str
    order: Asked | None = None
    until: datetime | None = None


def left_ms(until: datetime, now: datetime) -> int:
    """How long an order is still good for; 0 or less if it is over."""
    return int((until - now) / timedelta(milliseconds=1))


class Outlets:
    """The ways to stations, as this process knows them."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._here: dict[str, Send] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        hub.bells.ordered = self.hear

    def attach(self, station: str, send: Send) -> None:
        self._here[station] = send

    def detach(self, station: str, send: Send) -> None:
        if self._here.get(station) == send:
            del self._here[station]

    async def reach(self, station: str) -> bool:
        """Whether a line to this station stands now, here or in another process."""
        if station in self._here:
            return True
        bell = self._hub.bells.hang(f"line/{station}")
        try:
            await self._tell(Told(self._hub.clock.now(), station))
            async with asyncio.timeout(LINE_WITHIN_S):
                await bell.wait()
        except TimeoutError:
            return False
        finally:
            self._hub.bells.take_down(f"line/{station}", bell)
        return True

    async def send(self, order: Asked, until: datetime) -> None:
        """Sends it now, or not at all. `until` counts from when it was decided: recording that may have taken long."""
        if order.station in self._here:
            await self._hand(order, until)
        else:
            await self._tell(Told(self._hub.clock.now(), order.station, order, until))

    async def _hand(self, order: Asked, until: datetime) -> None:
        send = self._here.get(order.station)  # None: the line has gone in this moment
        if send and (lasts_ms := left_ms(until, self._hub.clock.now())) > 0:
            await send(order, lasts_ms)

    async def _tell(self, told: Told) -> None:
        await self._hub.pool.execute(_NOTIFY, ORDERS, msgspec.json.encode(told).decode())

    def hear(self, text: str) -> None:
        """Another process asks for a line that may end here."""
        told = msgspec.json.decode(text, type=Told)
        if told.station not in self._here or self._hub.clock.now() - told.at > STALE:
            return
        task = asyncio.create_task(self._do(told))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _do(self, told: Told) -> None:
        if told.order:
            await self._hand(told.order, told.until or told.at + LASTS)
        else:
            await self._hub.pool.execute(_NOTIFY, CHANNEL, f"line/{told.station}")


class OpenDoor(Command, kw_only=True):
    """One door, now. Without a compartment it is the parcel's own, and a right of its recipient; or, to take it out for
    good, of the operator once its holding time is over."""

    station: str
    compartment: int | None = None
    parcel: UUID | None = None
    reason: str = ""
    by: By = "operator"
    do: Do = "open"
    verified: bool = False
    reached: bool = False
    after: UUID | None = None  # the visit after which the door is only offered
    order: UUID | None = None
    granted: Asked | None = None
    until: datetime | None = None
    actor: UUID | None = None
    second: UUID | None = None

    def prepare(self, ids: Ids, keys: Keys) -> None:
        self.order = ids.new()

    def wants(self, stations: Stations, near_km: float) -> tuple[list[UUID], list[str]]:
        self.granted = None  # of a turn that was rolled back: it was never recorded
        if self.station not in stations.known:
            raise Refusal("station_unknown", station=self.station)
        refuse_personal(self.reason, "reason")
        return [self.parcel] if self.parcel else [], [self.station]

    def decide(self, at: Sitting) -> Answer:
        assert self.order is not None, "an order has its id before anything is decided"
        parcel = self._own(at)
        door = parcel.compartment if parcel else self.compartment
        if not door or not at.here[self.station].plan.bit(door):
            raise Refusal("bad_field", "This station has no such compartment.", field="compartment")
        if not self.reached:
            raise Refusal("station_offline", station=self.station)
        self.until = at.now + LASTS
        at.record(facts.Granted(
            grant=self.order, station=self.station, may=(self._right(),), parcel=self.parcel,
            until=self.until, by=self.by, compartment=door, reason=self.reason,
            actor=self.actor, second=self.second,
        ))  # fmt: skip
        self.granted = Asked(
            id=self.order, station=self.station, door=door, by=self.by, reason=self.reason,
            right=parcel.reservation if parcel else None, generation=parcel.generation if parcel else 0,
            verified=self.verified, after=self.after, do=self.do,
        )  # fmt: skip
        return Answer(200, {"order": str(self.order), "station": self.station, "compartment": door})

    def _right(self) -> Literal["take_back", "collect", "service"]:
        if self.do == "take_out":
            return "take_back"
        return "collect" if self.parcel else "service"

    def _own(self, at: Sitting) -> Parcel | None:
        """The recipient's own parcel, inside this station; for a verified person if it asks for one. Or what is to be
        taken out of it."""
        if self.parcel is None:
            return None
        parcel = own(at, self.parcel, None)
        if self.do == "take_out":
            return taking_out.take_out(parcel, self.station)
        decide.refuse_blocked(parcel)
        return decide.collect(parcel, "verified" if self.verified else "token")


async def open_now(hub: Hub, outlets: Outlets, command: OpenDoor, presence: str = "") -> tuple[Answer, str]:
    """Has a door opened, and waits for what the station says: "opened", or "unanswered" if it never did.

    Raises the desk's Refusal or the station's. A repeat under its key sends nothing, and has the first one's answer.
    """
    command.reached = await outlets.reach(command.station)
    heads, within_s = dict(await hub.pool.fetch(_HEADS, [command.station])), ANSWER_WITHIN_S
    answer = await hub.desk.ask(command)
    order = UUID(answer.body["order"])
    if command.granted is not None and command.granted.id == order:
        assert command.until is not None, "what was granted has its end"
        await outlets.send(msgspec.structs.replace(command.granted, presence=presence), command.until)
    else:
        heads, within_s = await as_it_was(hub, command.station, order)
    said = await _answered(hub, command.station, order, heads, within_s)
    if said is None:
        return answer, "unanswered"
    if said.outcome != "opened":
        raise Refusal(said.why if said.why in REASONS else "door_failed", door=said.compartment)
    return answer, said.outcome


async def as_it_was(hub: Hub, station: str, order: UUID) -> tuple[dict[str, int], float]:
    """How far the station's streams were here when an order was granted, and for how many more seconds an answer to it
    may come: what was written before, perhaps years of it, is not searched."""
    at = await hub.pool.fetchval(_GRANTED_AT, [station], f'%"grant":"{order}"%')
    assert at is not None, "an order that was answered for was granted in the same transaction"
    heads = await hub.pool.fetch(_THEN, [station], at - CLOCKS_DIFFER)
    return dict(heads), ANSWER_WITHIN_S - (hub.clock.now() - at).total_seconds()


async def _answered(
    hub: Hub, station: str, order: UUID, heads: dict[str, int], within_s: float
) -> facts.OrderAnswered | None:
    """What the station has written of an order, as soon as it is here; looks once if the time is over."""
    bell, until_s = hub.bells.hang(f"by/{station}"), hub.clock.mono() + within_s
    try:
        while True:
            bell.clear()
            for row in await hub.pool.fetch(_ANSWERS, list(heads), list(heads.values())):
                fact = msgspec.json.decode(row["body"], type=facts.OrderAnswered)
                if fact.order == order:
                    return fact
            if hub.clock.mono() > until_s:
                return None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await bell.wait()
    finally:
        hub.bells.take_down(f"by/{station}", bell)

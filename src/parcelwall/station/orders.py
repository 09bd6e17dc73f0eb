"""Orders from afar: one door, at once or never, at most once; and the number that shows who stands at the screen.

Only what the line delivers moves a door, and what became of it is a fact, also of an order that came late, twice or to
the wrong place. The visit has the order's id, so that each pulse can be traced to what the hub granted.
"""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import structlog

from parcelwall.clock import Clock
from parcelwall.errors import Refusal
from parcelwall.ids import Ids
from parcelwall.link.orders import LASTS_MS, Ordered
from parcelwall.rules import access, facts
from parcelwall.station import taking
from parcelwall.station import visit as visits
from parcelwall.station.desk import StationDesk
from parcelwall.station.reserve import UNWRITTEN
from parcelwall.station.visit import Visit

NEW_EVERY_S = 30.0
PRESENCE_DIGITS = 3

log = structlog.get_logger()

Serve = Callable[[Visit], Awaitable[Visit]]
Offer = Callable[[UUID, int, float, Callable[[], Awaitable[None]]], None]  # kiosk.several.offer


class Presence:
    """Three digits for the screen, new every half minute. The ones before are good as well: reading takes time."""

    def __init__(self, ids: Ids, clock: Clock) -> None:
        self._ids, self._clock = ids, clock
        self._now, self._before, self._since_s = "", "", float("-inf")

    def number(self) -> str:
        """What the screen shows now."""
        age_s = self._clock.mono() - self._since_s
        if age_s >= NEW_EVERY_S:
            self._before = self._now if age_s < 2 * NEW_EVERY_S else ""
            drawn = int.from_bytes(self._ids.secret(8), "big") % 10**PRESENCE_DIGITS
            self._now, self._since_s = f"{drawn:0{PRESENCE_DIGITS}d}", self._clock.mono()
        return self._now

    def fits(self, typed: str) -> bool:
        """Whether somebody has read this off the screen just now."""
        now = access.same(self.number(), typed)
        return (access.same(self._before, typed) and self._before != "") or now


class Orders:
    """Judges orders, and has the doors of good ones opened by `serve` beside the line."""

    def __init__(
        self, desk: StationDesk, serve: Serve, offer: Offer, presence: Presence, clock: Clock, boot: str
    ) -> None:
        self.desk, self._serve, self._offer, self._presence = desk, serve, offer, presence
        self._clock, self._boot = clock, boot
        self._heard: set[UUID] = set()  # of this boot: one of another is refused for that alone
        self._opening: set[asyncio.Task[None]] = set()
        self._untold: list[facts.OrderAnswered] = []

    def obey(self, ordered: Ordered) -> None:
        """Takes one order from the line, which goes on meanwhile."""
        try:
            self._judge(ordered)
            if ordered.after is not None:
                left_s = self._left_ms(ordered) / 1000
                self._offer(ordered.after, ordered.door, left_s, lambda: self._take(ordered))
                return
            visit = self._begin(ordered)
        except Refusal as no:
            self._answer(ordered, "refused", no.reason)
            return
        task = asyncio.create_task(self._open(ordered, visit))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _take(self, ordered: Ordered) -> None:
        """Whoever stands at the screen wants what was offered: a right like an order's, and over when that is."""
        try:
            if self._left_ms(ordered) < 0:
                raise Refusal("order_late")
            visit = self._collect(ordered)
        except Refusal as no:
            self._answer(ordered, "refused", no.reason)
            return
        await self._open(ordered, visit)

    def _left_ms(self, ordered: Ordered) -> int:
        return ordered.not_after - int(self._clock.mono() * 1000)

    def _judge(self, ordered: Ordered) -> None:
        left_ms = self._left_ms(ordered)
        if ordered.station != self.desk.memory.station or ordered.boot != self._boot or left_ms > LASTS_MS:
            raise Refusal("order_unknown")
        if ordered.id in self._heard or visits.known(self.desk.memory.connection, ordered.id):
            raise Refusal("order_repeated")
        self._heard.add(ordered.id)
        if left_ms < 0:
            raise Refusal("order_late")

    def _begin(self, ordered: Ordered) -> Visit:
        if ordered.do == "take_out":
            return taking.by_order(self.desk, ordered.id, ordered.right, ordered.not_after / 1000)
        if ordered.by == "operator":
            return self.desk.inspect(ordered.id, ordered.door, ordered.not_after / 1000)
        if not self._presence.fits(ordered.presence):
            raise Refusal("not_present")
        return self._collect(ordered)

    def _collect(self, ordered: Ordered) -> Visit:
        until_mono_s = ordered.not_after / 1000
        return self.desk.collect_by_order(ordered.id, ordered.right, ordered.generation, until_mono_s,
                                          ordered.verified)  # fmt: skip

    async def _open(self, ordered: Ordered, visit: Visit) -> None:
        visit = await self._serve(visit)
        if visit.opened_at:
            self._answer(ordered, "opened", "")
        elif visit.outcome == "void":
            self._answer(ordered, "refused", "door_rests" if taking.has_rested(visit) else "order_late")
        else:
            self._answer(ordered, "failed", "door_failed")

    def _answer(self, ordered: Ordered, outcome: str, why: str) -> None:
        answer = facts.OrderAnswered(
            order=ordered.id, outcome=outcome, compartment=ordered.door, by=ordered.by, why=why,  # type: ignore[arg-type]
            takes_out=ordered.do == "take_out",
        )  # fmt: skip
        self._untold.append(answer)
        self.tell_later()

    def tell_later(self) -> None:
        """Answers that the disk had no room for, or would not take: the line stands, and the hub hears them once it
        does. They are of this run: after another start the book of visits knows what a door did."""
        while self._untold:
            try:
                self.desk.memory.tell(self._untold[0])
            except UNWRITTEN as no:
                log.error("answer_not_written", station=self.desk.memory.station, reason=str(no))
                return
            del self._untold[0]

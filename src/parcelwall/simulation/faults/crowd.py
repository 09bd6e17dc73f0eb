"""F22: two people at once at one station, and people who go away half way, after whom another comes.

A second person comes while a door is being opened or stands open, with a code, a QR, a phone or a parcel: they are told
to wait, and nothing else happens. Who goes away leaves nothing behind that helps or hinders the next.
"""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import msgspec

from parcelwall.errors import Refusal
from parcelwall.link.orders import LASTS_MS, Ordered
from parcelwall.rules import facts
from parcelwall.rules.life import INSIDE
from parcelwall.simulation.faults.harm import GONE_OPEN, GONE_SHUT
from parcelwall.simulation.faults.ledger import WAYS
from parcelwall.simulation.faults.outpost import Outpost
from parcelwall.simulation.faults.refusals import Refusals
from parcelwall.simulation.faults.things import Behind, Thing
from parcelwall.simulation.faults.watched import WatchedDoors
from parcelwall.station.kiosk import Kiosk
from parcelwall.station.showing import AT_A_DOOR
from parcelwall.station.visit import Visit

MEETINGS = ("written", "pulsed", "open")  # somebody else comes in this state of a visit
SOON_S, LONG_S = 10.0, 90.0  # after which the next comes: the screen waits still; it is as for anybody

Later = Callable[[Outpost, timedelta, str, object], None]  # (where, in how long, what, who)


class Crowd:
    """Whoever comes beside the one who stands at the screen, or after one who has gone away."""

    def __init__(
        self, behind: dict[str, Behind], by_id: dict[UUID, Thing], couriers: dict[str, UUID], refusals: Refusals,
        later: Later,
    ) -> None:  # fmt: skip
        self.behind, self.by_id, self.couriers, self.refusals, self.later = behind, by_id, couriers, refusals, later

    # drawn when a visit begins

    def draw(self, post: Outpost, watched: WatchedDoors, visit: Visit, thing: Thing) -> None:
        """What is to happen in this visit."""
        kind = post.luck.pick((*MEETINGS, GONE_OPEN, GONE_SHUT))
        if kind in MEETINGS:
            watched.comes_in = kind
            watched.meanwhile = lambda state: self.comes(post, visit, thing, state)
        elif visit.purpose != "reopen":
            watched.leaves = kind

    # two at once

    def comes(self, post: Outpost, first: Visit, thing: Thing, state: str) -> None:
        """Somebody else wants a door of their own. They are told to wait; the first one's visit stays as it is."""
        way = post.luck.pick(WAYS if post.link else (*WAYS[:2], WAYS[3]))
        other = self._expected(post, thing) if way == "courier" else self._recipient(post, thing, first.compartment)
        if other is None:
            return
        before = post.up.desk.unfinished()
        post.ledger.struck("F22", (f"{state}, {way}",))
        if first.purpose == "put_right":
            post.ledger.also("F40", "another comes")
        post.note(f"F22: another comes, {way}, while the visit to door {first.compartment} is {state}", other.name)
        if way == "phone":
            self._by_phone(post, first, other)
        else:
            self._at_the_screen(post, first, other, way)
        if [each.id for each in post.up.desk.unfinished()] != [each.id for each in before]:
            post.violated(f"INV-06: while the visit to door {first.compartment} is {state}, another begins", other.name)
        if way != "courier":
            self.later(post, timedelta(minutes=post.luck.between(0.5, 20)), "come", other)

    def _at_the_screen(self, post: Outpost, first: Visit, other: Thing, way: str) -> None:
        desk, courier = post.up.desk, self.couriers.get(post.name)
        begin: dict[str, Callable[[], Visit]] = {
            "code": lambda: desk.collect_by_code(other.code), "QR": lambda: desk.collect_by_token(other.qr),
            "courier": lambda: desk.deposit_by_label(other.reference, courier),  # type: ignore[arg-type]
        }  # fmt: skip
        try:
            begin[way]()
        except Refusal as no:
            self.refusals.judge_second(post, way, other, no.reason, no.details.get("door"), first)
        post.seen_outside()

    def _by_phone(self, post: Outpost, first: Visit, other: Thing) -> None:
        """A tap on the recipient's page, as the line delivers it; they have read the number off the screen."""
        assert other.code_of is not None and other.door is not None, "whoever was told a code has a parcel inside"
        right, generation = other.code_of
        number = post.up.memory.wrote().number
        post.up.orders.obey(Ordered(
            id=post.ids.new(), station=post.name, door=other.door, by="recipient", right=right, generation=generation,
            presence=post.up.presence.number(), boot=post.up.boot, not_after=int(post.clock.mono() * 1000) + LASTS_MS,
        ))  # fmt: skip
        told = [entry.body for entry in post.up.memory.since(post.up.memory.writer, number, 9)
                if entry.kind == "OrderAnswered"]  # fmt: skip
        for body in told:
            answer = msgspec.json.decode(body, type=facts.OrderAnswered)
            self.refusals.judge_second(post, "phone", other, answer.why, first.compartment, first)
        if not told and not (post.disk.full or post.fuse.blown):
            post.violated("INV-08: what became of an order from a phone is not in the book", other.name)

    async def see_the_screen(self, post: Outpost, first: Visit, thing: Thing) -> None:
        """At the open door the same once more by the screen: it goes on showing that door, whatever anybody tries."""
        other, kiosk = self._recipient(post, thing, first.compartment), post.up.kiosk
        if other is None:
            return
        await (kiosk.scanned(other.qr) if post.luck.happens(0.5) and other.qr else kiosk.type_code(other.code))
        if kiosk.showing.screen not in AT_A_DOOR or kiosk.showing.visit != first.id:
            post.violated(f"INV-06: door {first.compartment} is open, and the screen shows {kiosk.showing.screen}",
                          thing.name)  # fmt: skip

    def next_comes(self, post: Outpost, gone: Thing) -> None:
        """Another comes soon after somebody has gone away: they are to be served."""
        other = self._recipient(post, gone, gone.door or 0)
        if other is not None:
            self.later(post, timedelta(seconds=post.luck.between(5, 300)), "come", other)

    # half a code

    async def half_a_code(self, post: Outpost, next_one: Thing) -> None:
        """Somebody types a part of what they have to and goes away; then `next_one` stands there. They type nothing but
        the last digits of the other's number: that opens nothing."""
        first, kiosk = self._recipient(post, next_one, next_one.door or 0), post.up.kiosk
        if first is None or kiosk.open_visit() is not None:
            return
        _tick(kiosk)
        waits = post.luck.happens(0.5) and await self._has_its_code_wait(post, kiosk, first)
        if not waits:
            await kiosk.act("touch", kiosk.showing.number)
        post.ledger.struck("F22", ("half a code" if waits else "first digits",))
        post.note(f"F22: {'half a code' if waits else 'first digits'}, and goes away", first.name)
        await self._time_passes(post, kiosk, post.luck.pick((SOON_S, LONG_S)), first)
        await kiosk.type_code("", first.selector)
        self.refusals.typed_wrong(post)
        if kiosk.open_visit() is not None or post.up.desk.unfinished() != self._aside(post):
            post.violated("INV-05: what somebody typed before they went away opens a door for the next", first.name)
        kiosk.home()
        post.seen_outside()

    async def _has_its_code_wait(self, post: Outpost, kiosk: Kiosk, first: Thing) -> bool:
        """Mistypes until codes are paused; then the right one waits for the last digits of the number."""
        for _time in range(5):
            if kiosk.desk.codes.pause_left_s():
                break
            wrong = f"{post.luck.whole(0, 10**8 - 1):08d}"
            if any(wrong == thing.code for thing in self.behind[post.name].everything()):
                return False
            self.refusals.typed_wrong(post)
            await kiosk.type_code(wrong)
        if not kiosk.desk.codes.pause_left_s():
            return False
        await kiosk.type_code(first.code)
        return kiosk.showing.screen == "paused"

    async def _time_passes(self, post: Outpost, kiosk: Kiosk, seconds: float, first: Thing) -> None:
        """The screen is asked now and then, as it would be all the time. The next one sends away what still stands."""
        for _turn in range(9):
            await post.clock.sleep(seconds / 9)
            kiosk.tick()
        if kiosk.showing.screen not in ("home", "asleep"):
            if seconds >= LONG_S:
                post.violated(f"F22: the screen is {kiosk.showing.screen}, and nobody has stood there for {seconds} s",
                              first.name)  # fmt: skip
            await kiosk.act("leave", kiosk.showing.number)

    @staticmethod
    def _aside(post: Outpost) -> list[Visit]:
        return [each for each in post.up.desk.unfinished() if each.screen.startswith("aside/")]

    # who

    def _recipient(self, post: Outpost, besides: Thing, door: int) -> Thing | None:
        """Somebody with a right to another door."""
        book = post.up.memory
        some = [
            each for each in self.behind[post.name].everything()
            if each is not besides and each.life == "inside" and each.code and each.door != door
            and not (each.muddled or each.unclear or each.used or each.taken_unseen)
            and (known := book.parcel(each.id)) is not None and known.stage in INSIDE
        ]  # fmt: skip
        return post.luck.pick(some) if some else None

    def _expected(self, post: Outpost, besides: Thing) -> Thing | None:
        """A parcel that a courier may put in here."""
        known = (self.by_id.get(parcel.id) for parcel in post.up.desk.expected())
        some = [each for each in known if each is not None and each is not besides and each.door is None]
        return post.luck.pick(some) if some and post.name in self.couriers else None


def _tick(kiosk: Kiosk) -> None:
    """Whatever stood on the screen has had its time."""
    for _turn in range(3):
        kiosk.tick()

"""F40: whoever has just put a parcel in opens its door once more: another lies there, or they take it out again.

What must be so follows from what this simulation knows: who has put it in, when its door was opened and pushed shut,
what was said at the screen, and what lies there now.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from parcelwall.errors import Refusal
from parcelwall.rules.life import INSIDE, Stage
from parcelwall.simulation.faults.harm import SEEN_WITHIN_S
from parcelwall.simulation.faults.outpost import Outpost
from parcelwall.simulation.faults.refusals import Refusals
from parcelwall.simulation.faults.things import Behind, Thing
from parcelwall.simulation.faults.visiting import Dark, Visiting, cases_of
from parcelwall.station import putting_right as station
from parcelwall.station.reserve import UNWRITTEN
from parcelwall.station.visit import Visit

Deed = Literal["exchanges", "looks", "takes out", "leaves it in after all", "says nothing"]
DEEDS: tuple[Deed, ...] = ("looks", "takes out", "leaves it in after all", "says nothing")
COURIER_WITHIN_S, SENDER_WITHIN_S = 60.0, 20.0  # faces.md 1.1: since its door was shut
SOON_S, LATE_S = (0.5, 12.0), (30.0, 150.0)  # how long they think about it; late ones beyond their seconds
SENDERS, LATE, STRANGERS, ONCE_MORE = 0.3, 0.15, 0.15, 0.35
DARK, DARK_STEPS = 0.02, 30
NOTICED = 0.6  # of those who have put another parcel in than they scanned


class Again(msgspec.Struct):
    """Somebody who will come back to the door: who it was that put the parcel in, and what is true of it so far."""

    courier: UUID | None  # None: a sender
    were_muddled: bool  # the parcel, or the other one that was put in instead
    deed: Deed = "looks"
    is_out: bool = False  # so it was said at the screen, whether or not that was heard
    opened_at: tuple[datetime, datetime] | None = None  # at first; and by what the station holds for the time


    @property
    def within_s(self) -> float:
        return COURIER_WITHIN_S if self.courier else SENDER_WITHIN_S


class PuttingRight:
    """What they do at the door, what the station may answer, and what its book must say then."""

    def __init__(self, visiting: Visiting, behind: dict[str, Behind], refusals: Refusals) -> None:
        self.visiting, self.behind, self.refusals = visiting, behind, refusals
        self.weather, self.ledger = visiting.weather, visiting.ledger
        self._now: dict[str, Again] = {}  # station -> who stands at the door there
        visiting.puts_right = self

    def drawn(self, post: Outpost, courier: UUID, thing: Thing, swap: Thing | None) -> Again | None:
        """Whether somebody will come back to the door of what they are about to put in: most of those who err there."""
        on = self.weather.rate("F40") > 0
        if not (on and post.luck.happens(NOTICED) if swap else self.weather.strikes("F40", post.luck)):
            return None
        is_sender = swap is None and post.luck.happens(SENDERS)
        return Again(None if is_sender else courier, thing.muddled or bool(swap and swap.muddled))

    async def after(self, post: Outpost, visit: Visit, thing: Thing, swap: Thing | None, again: Again) -> None:
        """`visit` has put it in, or `swap` instead. Raises Dark if the station stops."""
        again.opened_at = post.opened_at
        last = await self._once(post, visit, thing, swap, again)
        while last and post.luck.happens(ONCE_MORE):
            last = await self._once(post, last, thing, swap, again)

    async def _once(
        self, post: Outpost, before: Visit, thing: Thing, swap: Thing | None, again: Again
    ) -> Visit | None:
        """The visit in which it was done; None: they were refused, or their door did not open or stands open."""
        ended = as_it_ended(post, before)
        if ended is None:
            return None
        late, stranger = post.luck.happens(LATE), post.luck.happens(STRANGERS)
        await post.clock.sleep(again.within_s + post.luck.between(*LATE_S) if late else post.luck.between(*SOON_S))
        asks = again.courier if not stranger else None if again.courier else post.ids.new()
        there = swap is not None and swap.door == ended.compartment
        again.deed = "exchanges" if there and not post.luck.happens(0.2) else post.luck.pick(DEEDS)
        who = [*(["somebody else"] if stranger else []), *([] if again.courier else ["a sender"])]
        self.ledger.struck("F40", ("too late" if late else "right away", post.line, *who))
        return await self.comes(post, ended, thing, swap, again, asks)

    async def comes(
        self, post: Outpost, ended: Visit, thing: Thing, swap: Thing | None, again: Again, asks: UUID | None
    ) -> Visit | None:
        """`asks` wants the door of the visit that has `ended` once more. The visit; None where it did not open. Raises
        Dark if the station stops."""
        why_not = self._must_not(post, again, asks)
        post.note(f"F40: door {ended.compartment} once more ({why_not or again.deed})", thing.name)
        self._now[post.name] = again
        self._may_go_dark(post)
        try:
            return await self.visiting.through(post, self._begin(post, ended, asks, why_not, thing), thing, swap)
        except Refusal as no:
            self._refused(post, ended, thing, again, asks, no)
        except Dark:
            self.ledger.also("F40", "goes dark")
            raise
        finally:
            del self._now[post.name]
        return None

    def _may_go_dark(self, post: Outpost) -> None:
        """Now and then the computer stops at one of the next steps: by chance alone hardly anybody would meet that."""
        stops = [fault for fault in ("F07", "F08") if self.weather.rate(fault)]
        if stops and post.luck.happens(DARK) and not (post.fuse.armed or post.aimed):
            post.arm(post.luck.pick(stops), post.luck.whole(1, DARK_STEPS))

    def _begin(
        self, post: Outpost, before: Visit, asks: UUID | None, why_not: str, thing: Thing
    ) -> Callable[[], Visit]:
        def begin() -> Visit:
            visit = station.begin(post.up.desk, before, asks)
            if why_not:
                post.violated(f"INV-05: door {before.compartment} is opened again {why_not}", thing.name)
            return visit

        return begin

    # what the station may answer

    def _must_not(self, post: Outpost, again: Again, asks: UUID | None) -> str:
        """Why this may not begin, as far as it is sure; empty if it is not."""
        if asks != again.courier:
            return "for somebody else than has put it in"
        if again.is_out:
            return "for what was taken out"
        since_shut_s, since_open_s, jumped = _since(post, again)
        if not jumped and since_shut_s > again.within_s + SEEN_WITHIN_S:
            return f"{since_shut_s:.0f} s after it was shut"
        if not jumped and since_open_s > post.up.memory.policy.reopen_s:
            return f"{since_open_s:.0f} s after it was first opened"
        return ""

    def _refused(
        self, post: Outpost, before: Visit, thing: Thing, again: Again, asks: UUID | None, no: Refusal
    ) -> None:
        post.note(f"not opened again: {no.reason}", thing.name)
        if no.reason == "door_failed":
            self.ledger.also("F40", "did not open")
        if no.reason not in ("stale_screen", "no_right"):
            self.refusals.judge(post, "put_right", thing, no)
            return
        self.refusals.counted[f"put_right, {no.reason}"] += 1
        if not (self._must_not(post, again, asks) or self._may_be_late(post, again) or _is_held(post, before)):
            post.violated(f"INV-05: who has put it in may not open its door again: {no.reason}", thing.name)

    def _may_be_late(self, post: Outpost, again: Again) -> bool:
        """Their seconds are over or nearly so, or a clock jumped."""
        since_shut_s, since_open_s, jumped = _since(post, again)
        longest_s = post.up.memory.policy.reopen_s - SEEN_WITHIN_S
        return since_shut_s > again.within_s or since_open_s > longest_s or jumped

    # at the door

    def at_the_door(self, post: Outpost, visit: Visit, thing: Thing, swap: Thing | None) -> None:
        """What they came for."""
        again, behind, door = self._now[post.name], self.behind[post.name], visit.compartment
        self.ledger.also("F40", again.deed)
        if again.deed == "exchanges" and swap:
            self._exchange(post, door, thing, swap, again.were_muddled)
        elif again.deed in ("takes out", "leaves it in after all"):
            again.is_out = True
            self._say(post, visit, thing, True)
            if again.deed == "takes out":
                behind.take(thing)
                thing.life = "home"
            else:
                self._say(post, visit, thing, False)
                again.is_out = False
        elif again.deed == "says nothing":
            behind.take(thing)
            thing.life = "home"
            self.visiting.muddle(post, thing, door)

    def _exchange(self, post: Outpost, door: int, thing: Thing, swap: Thing, were_muddled: bool) -> None:
        """The right one lies there now, and the book is right again, if nothing else was wrong."""
        behind = self.behind[post.name]
        behind.take(swap)
        behind.put(thing, door)
        if not were_muddled and behind.at(door) == [thing] and not post.in_doubt(door):
            thing.muddled = swap.muddled = False
            behind.muddled.discard(door)

    def _say(self, post: Outpost, visit: Visit, thing: Thing, taken_out: bool) -> None:
        """By a touch. On a full disk the screen says that it is not recorded: it is kept until it is, or forgotten by a
        start."""
        try:
            station.say(post.up.desk, visit, taken_out)
        except UNWRITTEN:
            if post.fuse.blown or not post.disk.full:
                raise
            post.note("F09: what is said is not recorded", thing.name)
            post.harm.ever.add(visit.compartment)
            thing.taken_unseen = taken_out
            if not taken_out:
                self.visiting.muddle(post, thing, visit.compartment)
        post.fuse.step()

    def in_the_dark(self, post: Outpost, visit: Visit, thing: Thing) -> None:
        """The power has gone while its door stands open. Some take it out, and nobody can say so any more: once the
        door is shut a case must tell of it. If it stands open nothing can, as with whoever says nothing."""
        again, door = self._now[post.name], visit.compartment
        takes = thing.door == door and post.luck.happens(0.7 if again.is_out else 0.5)
        if takes:
            self.behind[post.name].take(thing)
            thing.life, thing.taken_unseen = "home", True
            post.note(f"in the dark: taken out at door {door}", thing.name)
        elif again.is_out and thing.door == door:
            self.visiting.muddle(post, thing, door)
        if post.luck.happens(0.8):
            post.boards.push_closed(door)
            return
        if takes:
            self.visiting.muddle(post, thing, door)
        self.visiting.later(post, door, timedelta(minutes=post.luck.between(1, 60)))

    def wanted(self, post: Outpost) -> tuple[Stage, ...]:
        """What the book must say once the door is shut."""
        again = self._now.get(post.name)
        return (Stage.TAKEN_BACK,) if again and again.is_out else INSIDE


def as_it_ended(post: Outpost, visit: Visit) -> Visit | None:
    """The same as it ended, with its door seen shut."""
    [(record,)] = post.up.memory.connection.execute("SELECT record FROM visit WHERE id = ?", (str(visit.id),))
    found = msgspec.json.decode(str(record), type=Visit)
    return found if found.shut_at else None


def _since(post: Outpost, again: Again) -> tuple[float, float, bool]:
    """Seconds since the door was pushed shut, and since it was first opened; and whether a clock that was made wrong
    has jumped meanwhile, or stands still until it has caught up."""
    assert again.opened_at
    true, own = again.opened_at
    since_open_s, by_its_own_s = (post.clock.true - true).total_seconds(), (post.up.desk.now() - own).total_seconds()
    jumped = post.clock.was_wrong and abs(since_open_s - by_its_own_s) > 1
    return (post.clock.true - post.shut_at).total_seconds(), since_open_s, jumped


def _is_held(post: Outpost, before: Visit) -> bool:
    """Whether a case keeps its compartment, at a door at which something was done."""
    door = before.compartment
    done = door in post.harm.ever or post.harm.anywhere
    return done and any(each.closed_at is None for each in cases_of(post, door))

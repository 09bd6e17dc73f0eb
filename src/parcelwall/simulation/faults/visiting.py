"""One person at one door: what they do when it opens, when it does not, and when the power goes in the middle."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from parcelwall.drivers import DoorState
from parcelwall.errors import Refusal
from parcelwall.rules.book import CaseFile
from parcelwall.rules.life import INSIDE, Stage
from parcelwall.simulation.faults.harm import GONE_OPEN
from parcelwall.simulation.faults.kinds import Weather
from parcelwall.simulation.faults.ledger import Ledger
from parcelwall.simulation.faults.outpost import Outpost
from parcelwall.simulation.faults.things import Behind, Thing
from parcelwall.station.visit import Visit

if TYPE_CHECKING:
    from parcelwall.simulation.faults.crowd import Crowd
    from parcelwall.simulation.faults.putting_right import PuttingRight

AT_A_DOOR_S = 6.0  # between an open door and a shut one
LEFT_OPEN_S = 130.0  # after which a station lets the next person in


class Dark(Exception):
    """The screen went dark. Whoever stood there goes away."""


class Visiting:
    """Takes people through doors. `later` is asked to have a door shut by a passer-by, in so long."""

    def __init__(
        self, weather: Weather, ledger: Ledger, behind: dict[str, Behind],
        later: Callable[[Outpost, int, timedelta], None],
    ) -> None:  # fmt: skip
        self.weather, self.ledger, self.behind, self.later = weather, ledger, behind, later
        self.crowd: Crowd | None = None  # who else comes
        self.puts_right: PuttingRight | None = None  # who comes back to what they have put in

    async def through(
        self, post: Outpost, begin: Callable[[], Visit], thing: Thing, swap: Thing | None = None
    ) -> Visit:
        """A visit from its beginning to the shut door. Raises the station's Refusal, or Dark if its computer stops.

        `swap` is put in instead of the parcel that the courier scanned.
        """
        visit: Visit | None = None
        watched = post.watched
        assert watched is not None
        was_low = post.up.memory.reserve.is_low
        try:
            visit = begin()
            watched.begin(visit)
            post.reach("written", 3)
            if was_low and visit.purpose == "deposit":
                post.violated("F09: a deposit begins while the disk is full", thing.name)
            post.put_aside.discard(visit.compartment)
            self._strike(post, visit)
            if self.crowd and self.weather.strikes("F22", post.luck):
                self.crowd.draw(post, watched, visit, thing)
            visit = await post.up.keeper.serve(visit)
            await self._at_its_door(post, visit, thing, swap)
            return visit
        except Refusal as no:
            self._disk_is_full(post, thing, no)
            raise
        except Dark:
            raise
        except BaseException as failed:
            if not post.fuse.blown:
                raise
            post.struck_in = post.visit_state()
            self._in_the_dark(post, visit, thing)
            await post.stop()
            raise Dark from failed
        finally:
            self._pass(post)
            watched.end()

    async def _at_its_door(self, post: Outpost, visit: Visit, thing: Thing, swap: Thing | None) -> None:
        """What becomes of a visit that was served: it was not written, its door did not open, or it did."""
        watched = post.watched
        assert watched is not None
        post.seen_outside()
        if visit.step == "begun":
            self._not_written(post, visit, thing)
            raise Dark
        if visit.outcome:
            await self._did_not_open(post, visit, thing)
            thing.unclear = thing.unclear or visit.purpose == "collect"
            raise Refusal("door_failed", door=visit.compartment)
        watched.opened = True
        if watched.pulses == 0:
            post.violated(f"F18: door {visit.compartment} is said to be opened, and was not pulsed", thing.name)
        await self._at_the_open_door(post, visit, thing, swap)

    # faults of this visit

    def _strike(self, post: Outpost, visit: Visit) -> None:
        """Draws what boards and contacts do to this one visit."""
        core, door, watched = post.boards.core, visit.compartment, post.watched
        assert watched is not None
        post.harm.visit.clear()
        if self.weather.hooks:
            watched.pulled_at = post.luck.whole(1, 5)  # whoever has not pulled at the third pulse goes away
        if post.is_blind:
            post.harm.visit.add("boards without power")
        if not post.is_shut(door):
            post.harm.visit.add("open before")
        for fault in ("F14", "F15", "F16", "F17", "F18", "F19", "F38"):
            if not self.weather.strikes(fault, post.luck):
                continue
            self.ledger.struck(fault, (visit.purpose,))
            post.note(f"{fault} at door {door}")
            post.harm.visit.add(fault)
            post.harm.ever.add(door)
            post.harm.anywhere = post.harm.anywhere or fault in ("F17", "F19")
            if fault in ("F14", "F16"):
                watched.before_pulse.append(fault)
            elif fault == "F15":
                core.jam(door)
                post.harm.lasts(door, "jammed")
            elif fault == "F38":
                core.weaken(door)
                post.harm.lasts(door, "weak")
            elif fault == "F17":
                core.flip(0.03)
                post.harm.flips.add(door)
            elif fault == "F18":
                self._ill_contact(post, door)
            elif post.luck.happens(0.5):
                post.boards.speak(door)
            else:
                core.twin(self._board(post, door))

    def _ill_contact(self, post: Outpost, door: int) -> None:
        if post.luck.happens(0.7):
            post.boards.core.bounce(door, ms=post.luck.between(20, 400), flips=post.luck.whole(2, 9))
            post.harm.lasts(door, "bounces")
        else:
            post.boards.core.stick(door, post.luck.whole(0, 1))
            post.harm.lasts(door, "stuck")
            self.behind[post.name].muddled.add(door)

    def _board(self, post: Outpost, door: int) -> int:
        return next(line.board for line in post.profile.doors if line.door == door)

    def _pass(self, post: Outpost) -> None:
        """What ends with the visit: flips and twins. A jam and a stuck contact wait for somebody who mends them."""
        core = post.boards.core
        if core.line.flip_rate:
            core.flip(0.0)
        core.line.mute_next(0)
        for board in {line.board for line in post.profile.doors}:
            core.twin(board, False)

    # at the door

    async def _at_the_open_door(self, post: Outpost, visit: Visit, thing: Thing, swap: Thing | None) -> None:
        door = visit.compartment
        if post.is_shut(door) and not post.in_doubt(door):
            post.violated(f"INV-06: door {door} is said to be open, it is shut", thing.name)
        post.opened_at = (post.clock.true, post.up.desk.now())
        self._look_inside(post, visit, thing)
        await post.clock.sleep(AT_A_DOOR_S)
        post.reach("open")
        post.fuse.step()
        if self.crowd and post.watched and post.watched.reached("open"):
            await self.crowd.see_the_screen(post, visit, thing)
        kind = self._goes_away(post, visit, thing)
        if kind in ("", "left open"):
            self._use(post, visit, thing, swap)
        elif visit.purpose != "put_right":
            self.muddle(post, thing, door)
        if kind in ("left open", GONE_OPEN):
            await self._leave_open(post, visit, thing, kind)
            return
        post.fuse.step()
        post.boards.push_closed(door)
        post.shut_at = post.clock.true
        post.reach("shut", 6)
        await self._seen_shut(post)
        unclear = any(each.id == visit.id for each in post.up.desk.unfinished())  # the boards gave no clear answer
        if unclear or door in post.harm.flips:
            self._pass(post)
            await self._seen_shut(post)
        post.seen_outside()
        self._judge_end(post, visit, thing)

    def _goes_away(self, post: Outpost, visit: Visit, thing: Thing) -> str:
        """How whoever stands at the open door goes away too soon; empty for those who do what they came for. After
        those of F22 another comes soon."""
        if self.weather.strikes("F20", post.luck):
            kind = post.luck.pick(("left open", "nothing done"))
            known = post.up.memory.parcel(visit.parcel)
            self.ledger.struck("F20", (visit.purpose, *((known.stage.value,) if known else ())))
            self._is_put_right(visit, "goes away")
            post.note(f"F20: {kind} at door {visit.compartment}", thing.name)
            return kind
        kind = post.watched.leaves if post.watched else ""
        if kind and self.crowd:
            self.ledger.struck("F22", (f"{kind}, {visit.purpose}",))
            self._is_put_right(visit, "goes away")
            post.note(f"F22: {kind} at door {visit.compartment}", thing.name)
            self.crowd.next_comes(post, thing)
        return kind

    def _is_put_right(self, visit: Visit, state: str) -> None:
        if visit.purpose == "put_right":
            self.ledger.also("F40", state)

    async def _seen_shut(self, post: Outpost) -> None:
        await post.clock.sleep(1.0)
        await post.look()

    def _look_inside(self, post: Outpost, visit: Visit, thing: Thing) -> None:
        """What the person sees behind the open door: their own parcel and nothing else, or nothing at all."""
        door, behind = visit.compartment, self.behind[post.name]
        if door in behind.muddled or thing.muddled or post.is_shut(door):
            return
        others = [each for each in behind.at(door) if each is not thing]
        if others:
            post.violated(f"INV-01: door {door} opens for a {visit.purpose}, somebody else's parcel lies there",
                          thing.name)  # fmt: skip
        elif visit.purpose not in ("deposit", "reopen") and not self._is_there_or_unclear(post, thing, door):
            post.violated(f"INV-01: door {door} opens for a {visit.purpose}, and nothing lies there", thing.name)

    def _is_there_or_unclear(self, post: Outpost, thing: Thing, door: int) -> bool:
        """Whether it lies there; or nobody may know that it does not, or an open case tells that it is unclear,
        at a door at which something was done."""
        told = door in post.harm.ever and any(each.closed_at is None for each in cases_of(post, door))
        return thing.door == door or thing.taken_unseen or told

    def _use(self, post: Outpost, visit: Visit, thing: Thing, swap: Thing | None = None) -> None:
        """In or out, if the door is really open."""
        behind = self.behind[post.name]
        if visit.purpose == "put_right":
            if self.puts_right and not post.is_shut(visit.compartment):
                self.puts_right.at_the_door(post, visit, thing, swap)
        elif post.is_shut(visit.compartment):
            self.muddle(post, thing, visit.compartment)
        elif visit.purpose == "deposit":
            behind.put(swap or thing, visit.compartment)
            if swap:
                self.muddle(post, swap, visit.compartment)
                self.muddle(post, thing, visit.compartment)
        elif visit.purpose in ("collect", "take_back"):
            behind.take(thing)

    def muddle(self, post: Outpost, thing: Thing, door: int) -> None:
        """From now on no book can know where this parcel is, or what lies behind this door."""
        thing.muddled = True
        post.harm.ever.add(door)
        self.behind[post.name].muddled.add(door)

    async def _leave_open(self, post: Outpost, visit: Visit, thing: Thing, kind: str) -> None:
        """The person has gone; the station waits a while, then lets the next one in."""
        door = visit.compartment
        post.harm.ever.add(door)
        self.later(post, door, timedelta(minutes=post.luck.between(3, 90)))
        await post.look()
        if kind == GONE_OPEN and self.crowd and post.is_well(door):
            self.crowd.comes(post, visit, thing, "left open")
        await post.clock.sleep(LEFT_OPEN_S)
        await post.look()
        if post.is_well(door) and not post.unwritten:
            post.put_aside.add(door)
        post.seen_outside()

    async def _did_not_open(self, post: Outpost, visit: Visit, thing: Thing) -> None:
        """The screen says that the door is stuck. It may stand open all the same; then it is pushed shut, and some
        who came for their parcel take it first."""
        door = visit.compartment
        if post.harm.visit or post.profile.contact == "hook":
            post.harm.ever.add(door)
        if not post.is_shut(door):
            if visit.purpose == "collect" and post.luck.happens(0.5):
                self.behind[post.name].take(thing)
                thing.muddled = True
                thing.life = "out"
            post.boards.push_closed(door)
            await post.clock.sleep(1.0)
        await post.look()

    def _in_the_dark(self, post: Outpost, visit: Visit | None, thing: Thing) -> None:
        """The power has gone. Whoever has an open door before them uses it, mostly, and shuts it, mostly."""
        if visit is None:
            post.cut_at_begin = True
            return
        post.clock.advance(1.0)
        door = visit.compartment
        post.harm.ever.add(door)
        post.interrupted[door] = (visit.purpose, thing)
        thing.unclear = thing.unclear or visit.purpose == "collect"
        if post.in_doubt(door):
            self.muddle(post, thing, door)  # the book will say of it what a contact says that does not tell the truth
        if post.boards.state(door) != DoorState.OPEN:
            self._is_out_unseen(visit, thing)  # it was just pushed shut: perhaps nobody will ever know
            return
        if self.puts_right and visit.purpose == "put_right":
            self.puts_right.in_the_dark(post, visit, thing)
            return
        done = thing.door == door if visit.purpose == "deposit" else thing.door is None
        if not done and post.luck.happens(0.7):
            self._use(post, visit, thing)
            post.note(f"in the dark: {visit.purpose} at door {door}", thing.name)
        elif not done:
            self.muddle(post, thing, door)
        self._is_out_unseen(visit, thing)
        if post.luck.happens(0.8):
            post.boards.push_closed(door)
        else:
            self.later(post, door, timedelta(minutes=post.luck.between(1, 60)))

    def _is_out_unseen(self, visit: Visit, thing: Thing) -> None:
        if visit.purpose in ("collect", "take_back") and thing.door is None:
            thing.life, thing.taken_unseen = ("out" if visit.purpose == "collect" else "home"), True

    def _not_written(self, post: Outpost, visit: Visit, thing: Thing) -> None:
        """What became of the door could not be written: the screen does not say, and the person does as in the dark."""
        post.harm.ever.add(visit.compartment)
        self.ledger.struck(post.disk.fault, ("open" if not post.is_shut(visit.compartment) else "identified",))
        post.note("F09: not written", thing.name)
        self._in_the_dark(post, visit, thing)

    def _disk_is_full(self, post: Outpost, thing: Thing, no: Refusal) -> None:
        """Nothing new comes in; whoever collects is served while there is anything in reserve."""
        if no.reason in ("cannot_record", "station_out_of_service"):
            self.ledger.struck(post.disk.fault, ("identified",))
        if no.reason == "cannot_record" and not post.disk.used_up:
            post.violated("F09: refused, and there is room in reserve", thing.name)

    def judge_interrupted(self, post: Outpost) -> None:
        """INV-06 after a start: what was done in the dark at a door is in the book, or a case tells of the door."""
        for door, (purpose, thing) in list(post.interrupted.items()):
            if any(each.compartment == door for each in post.up.desk.unfinished()):
                continue  # it stands open still
            del post.interrupted[door]
            known = post.up.memory.parcel(thing.id) if thing.id else None
            if known is None or thing.muddled or post.in_doubt(door) or _had_a_case(post, door, thing):
                continue
            inside = known.stage in INSIDE and known.compartment == door
            if inside != (thing.door == door):
                where = "lies behind it" if thing.door == door else "does not"
                post.violated(f"INV-06: after a {purpose} in the dark at door {door} the book says {known.stage}, the "
                              f"parcel {where}, and there is no case", thing.name)  # fmt: skip

    def _judge_end(self, post: Outpost, visit: Visit, thing: Thing) -> None:
        """The door was seen shut: the book says so at once, and nothing is left open at the screen."""
        if post.in_doubt(visit.compartment) or thing.id is None:
            return
        if post.unwritten and any(each.id == visit.id for each in post.up.desk.unfinished()):
            self.ledger.struck(post.disk.fault, ("open",))
            return  # it is written when there is room
        known = post.up.memory.parcel(thing.id)
        stage = known.stage if known else None
        wanted = {"deposit": (Stage.READY, Stage.OVERDUE), "collect": (Stage.COLLECTED,),
                  "take_back": (Stage.TAKEN_BACK,), "reopen": tuple(Stage),
                  "put_right": self.puts_right.wanted(post) if self.puts_right else ()}  # fmt: skip
        if stage not in wanted[visit.purpose]:
            post.violated(f"INV-06: a {visit.purpose} is over at a shut door, and the book says {stage}", thing.name)


def _had_a_case(post: Outpost, door: int, thing: Thing) -> bool:
    """Whether there is a case of this door, or was one of this parcel: who looked may have closed it, and a start
    forgets what is over."""
    return any(each.closed_at is None or each.parcel == thing.id for each in cases_of(post, door))


def cases_of(post: Outpost, door: int) -> list[CaseFile]:
    """All of this door that the station still knows."""
    rows = post.up.memory.connection.execute("SELECT record FROM case_file").fetchall()
    cases = (msgspec.json.decode(str(record), type=CaseFile) for (record,) in rows)
    return [each for each in cases if each.compartment == door]

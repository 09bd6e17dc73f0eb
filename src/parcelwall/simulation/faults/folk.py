"""People at a station: couriers on their rounds, recipients, passers-by, and those who try what is not theirs."""

from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from uuid import UUID
from zoneinfo import ZoneInfo

from parcelwall.errors import Refusal
from parcelwall.rules import access
from parcelwall.rules.life import INSIDE, Stage
from parcelwall.simulation.faults.crowd import Crowd
from parcelwall.simulation.faults.fuse import PowerCut
from parcelwall.simulation.faults.outpost import Outpost
from parcelwall.simulation.faults.phone import Phones, Reply
from parcelwall.simulation.faults.putting_right import PuttingRight
from parcelwall.simulation.faults.refusals import Refusals, is_for_want_of_disk, is_written_off
from parcelwall.simulation.faults.things import Behind, Thing
from parcelwall.simulation.faults.visiting import Dark, Visiting
from parcelwall.station.keeper import UNASKED
from parcelwall.station.visit import Visit

AGAIN = timedelta(hours=5)
MOST_TRIES, TRIES = 5, {"not_for_this_station": 2}
PATIENCE = timedelta(hours=20)  # of couriers with what is overdue
BARE_TRIES_A_DAY = 60
SHOW_A_QR = 0.4  # share of those who collect; the others type

Later = Callable[[Outpost, timedelta, str, object], None]  # (where, in how long, what, who)


class Folk:
    """What people do at the doors of a town, with the answers they get there. `later` puts something on the plan."""

    def __init__(
        self, visiting: Visiting, behind: dict[str, Behind], by_id: dict[UUID, Thing], phones: Phones, later: Later
    ) -> None:
        self.visiting, self.behind, self.by_id, self.later = visiting, behind, by_id, later
        self.phones = phones
        self.weather, self.ledger = visiting.weather, visiting.ledger
        self.courier_keys: dict[str, bytes] = {}
        self.code_keys: dict[str, bytes] = {}
        self.couriers: dict[str, UUID] = {}
        self._stops: dict[str, int] = {}
        self._guessed: Counter[tuple[str, date]] = Counter()
        self.refusals = Refusals(behind, self.weather.is_calm)
        self.crowd = visiting.crowd = Crowd(behind, by_id, self.couriers, self.refusals, later)
        self.putting_right = PuttingRight(visiting, behind, self.refusals)
        self.deposits = self.collections = self.taken_back = 0

    async def act(self, post: Outpost, what: str, who: object) -> None:
        """One thing that somebody came to do. A screen that goes dark sends them away."""
        post.acting = what
        try:
            if post.restless or post.up.desk.unfinished():
                await post.look()
            post.reach("identified", 4)
            await getattr(self, f"_{what}")(post, who)
            if post.interrupted:
                self.visiting.judge_interrupted(post)
            if post.up.memory.unsent() > 0:
                post.strike_in("recorded")
            if post.aimed == "recorded" and post.up.memory.unsent() > 0:
                post.acting = ""
                await post.stop()
        except Dark:
            self._once_more(post, what, who)
        except (Exception, PowerCut) as failed:
            if not post.fuse.blown:
                post.violated(f"the station failed: {type(failed).__name__}: {failed}")
            await post.stop()
            self._once_more(post, what, who)
        finally:
            post.acting = ""

    def _once_more(self, post: Outpost, what: str, who: object) -> None:
        """They come back when there is light again."""
        if what in ("round", "come", "hold", "shut"):
            self.later(post, timedelta(minutes=post.luck.between(20, 240)), what, who)

    # couriers

    async def _round(self, post: Outpost, brought: list[Thing]) -> None:
        """A courier signs in, takes back what has been overdue for long, and puts in what is on the van."""
        if not self._signed_in(post):
            self.later(post, timedelta(hours=2), "round", brought)
            return
        for late in post.up.desk.overdue():
            thing = self.by_id.get(late.id)
            if thing and late.collect_by and post.clock.now() - late.collect_by > PATIENCE:
                await self._take_back(post, thing)
        for thing in brought:
            self._notice(post, thing)
        left = [each for each in brought if each.life in ("announced", "promised") and each.door is None]
        while left:
            thing = left.pop(0)
            swap = left[0] if left and self._errs(post, "F23", "wrong door", 0.2) else None
            await self._put_in(post, thing, swap)
            if swap and swap.door is not None:
                left.remove(swap)
        self.phones.scan(post)

    async def _hold(self, post: Outpost, reply: Reply) -> None:
        """A courier comes by with the hub's answer on their phone."""
        await self.phones.hold(post, reply)

    def _notice(self, post: Outpost, thing: Thing) -> None:
        """A parcel that was put in when the screen went dark: it is in, if the book says so since."""
        known = post.up.memory.parcel(thing.id) if thing.id else None
        if thing.door is not None and thing.life == "promised" and known and known.stage == Stage.READY:
            self._is_in(post, thing)

    def _signed_in(self, post: Outpost) -> bool:
        """Types the code of the day, as the courier's page shows it. Refused only by a wrong clock, or while codes
        are paused."""
        paused = self._is_paused(post)
        try:
            post.up.desk.courier_by_code(self._courier_code(post))
        except Refusal as no:
            self.refusals.judge_courier(post, no, paused, is_today=post.up.desk.today == _date(post))
            post.note(f"courier refused: {no.reason}")
            return False
        finally:
            post.seen_outside()
        return True

    def _courier_code(self, post: Outpost) -> str:
        return access.courier_code(self.courier_keys[post.name], post.name, self.couriers[post.name], _date(post))

    def _is_paused(self, post: Outpost) -> bool:
        desk = post.up.desk
        return access.pause_left_s(desk.memory.brake("bare"), desk.now(), desk.today) > 0

    def _errs(self, post: Outpost, fault: str, how: str, share: float) -> bool:
        """Whether a person errs in this one of the ways that a fault has."""
        if not (self.weather.strikes(fault, post.luck) and post.luck.happens(share)):
            return False
        self.ledger.struck(fault, (how,))
        post.note(f"{fault}: {how}")
        return True

    async def _put_in(self, post: Outpost, thing: Thing, swap: Thing | None) -> None:
        thing.tries += 1
        courier = self.couriers[post.name]
        again = self.putting_right.drawn(post, courier, thing, swap)
        who = again.courier if again else courier
        try:
            visit = await self.visiting.through(post, lambda: self._scan(post, thing, who), thing, swap)
        except Refusal as no:
            self._not_taken(post, thing, no)
            return
        post.note(f"deposited behind door {visit.compartment}", thing.name)
        self._is_in(post, thing)
        if again:
            await self.putting_right.after(post, visit, thing, swap, again)
        if swap and swap.door is not None:
            self._is_in(post, swap)
        left_open = any(each.parcel == thing.id for each in post.up.desk.unfinished())
        if not (left_open or thing.second_id) and self._errs(post, "F23", "double scan", 0.3):
            self._expect(post, lambda: post.up.desk.deposit_by_label(thing.reference, courier),
                         {"already_deposited", "not_for_this_station", "door_busy"}, thing)  # fmt: skip

    def _scan(self, post: Outpost, thing: Thing, courier: UUID | None) -> Visit:
        """Holds the label to the reader; without a courier, as a sender. A parcel that was announced twice may be taken
        in as either: as the carrier knows, or because a phone has brought a promise that the hub has lost since."""
        desk = post.up.desk
        visit = (desk.deposit_by_label(thing.reference, courier) if courier
                 else desk.begin_deposit(desk.by_label(thing.reference), None))  # fmt: skip
        if visit.parcel and visit.parcel != thing.id:
            known = post.up.memory.parcel(visit.parcel)
            if known is None or known.selector != thing.selector:
                post.violated("INV-05: a label begins the deposit of another parcel", thing.name)
            self.by_id.pop(thing.id, None)  # type: ignore[arg-type]
            thing.id, thing.second_id = visit.parcel, thing.id
            self.by_id[visit.parcel] = thing
        return visit

    def _is_in(self, post: Outpost, thing: Thing) -> None:
        self.deposits += 1
        thing.life = "inside"

    def _not_taken(self, post: Outpost, thing: Thing, no: Refusal) -> None:
        """To the station that was asked for meanwhile, again with the next round, or home."""
        post.note(f"not taken: {no.reason}", thing.name)
        self.refusals.judge(post, "deposit", thing, no)
        if no.reason == "already_deposited" and not thing.muddled:
            self._is_in(post, thing)  # it was put in when the screen went dark, and the book knows
        elif thing.tries >= TRIES.get(no.reason, MOST_TRIES) or no.reason == "deposit_too_late":
            thing.life = "home"
        else:
            if thing.moved_to and no.reason == "not_for_this_station":
                thing.station, thing.moved_to = thing.moved_to, ""
            self.later(post, AGAIN, "hand over", thing)

    async def _take_back(self, post: Outpost, thing: Thing) -> None:
        courier = self.couriers[post.name]
        try:
            await self.visiting.through(post, lambda: post.up.desk.take_back(thing.id, courier), thing)  # type: ignore[arg-type]
        except Refusal as no:
            post.note(f"not taken back: {no.reason}", thing.name)
            self.refusals.judge(post, "take_back", thing, no)
            return
        post.note("taken back", thing.name)
        self._count_unheard(thing)
        if thing.door is None or thing.muddled:
            thing.life = "home"
            self.taken_back += 1

    # recipients

    async def _come(self, post: Outpost, thing: Thing) -> None:
        """Somebody with a code. They come again while it does not open, but not for ever."""
        if thing.life != "inside" or not thing.code:
            return
        if self.weather.strikes("F22", post.luck):
            await self.crowd.half_a_code(post, thing)
        await self._err_with_a_code(post, thing)
        code, shows = thing.code, bool(thing.qr) and post.luck.happens(SHOW_A_QR)
        used, paused = code in thing.used, self._is_paused(post)
        try:
            visit = await self.visiting.through(post, partial(self._ask, post, thing, shows), thing)
        except Refusal as no:
            post.note(f"not collected{' by QR' if shows else ''}: {no.reason}", thing.name)
            self.refusals.judge_code(post, thing, no, used, shows, paused)
            self._count_lost(post, thing, no, shows)
            self._come_again(post, thing)
            return
        if used:
            post.violated(f"INV-05: a code that was used has opened door {visit.compartment} again", thing.name)
        thing.used = thing.used | {code}
        post.note(f"collected from door {visit.compartment}", thing.name)
        self._count_unheard(thing)
        if thing.door is None or thing.muddled:
            thing.life = "out"
            self.collections += 1
            await self._after(post, visit, thing)
        self.ledger.also("F24", "used") if used else None

    def _count_lost(self, post: Outpost, thing: Thing, no: Refusal, shows: bool) -> None:
        """What its station knows to be written off it does not hand out: a code that is typed is a wrong one there."""
        if no.reason == "wrong_code" and is_written_off(post, thing):
            self.ledger.also("F39", "refused")
            if not shows:
                self.refusals.typed_wrong(post)

    def _count_unheard(self, thing: Thing) -> None:
        if thing.written_off:
            self.ledger.also("F39", "out before it was heard")

    def _ask(self, post: Outpost, thing: Thing, shows: bool) -> Visit:
        """Holds the phone to the reader, or types the code: eight digits, or twelve while they are paused."""
        if shows:
            return post.up.desk.collect_by_token(thing.qr)
        return post.up.desk.collect_by_code(thing.code, thing.selector if self._is_paused(post) else None)

    async def _after(self, post: Outpost, visit: object, thing: Thing) -> None:
        """Some forget something and ask for the same door again; some try the code once more."""
        if self._errs(post, "F22", "forgot something", 0.3):
            try:
                await self.visiting.through(post, lambda: post.up.desk.reopen(visit), thing)  # type: ignore[arg-type]
            except Refusal as no:
                post.note(f"not opened again: {no.reason}", thing.name)
        if self._errs(post, "F24", "COLLECTED", 0.5):
            self._expect(post, lambda: post.up.desk.collect_by_code(thing.code, thing.selector),
                         {"wrong_code", "codes_paused", "door_busy", "selector_needed"}, thing)  # fmt: skip
            self._expect(post, lambda: post.up.desk.collect_by_token(thing.qr), {"wrong_code", "door_busy"}, thing)

    def _come_again(self, post: Outpost, thing: Thing) -> None:
        known = post.up.memory.parcel(thing.id) if thing.id else None
        thing.tries += 1
        if thing.tries < 3 * MOST_TRIES and known is not None and known.stage in INSIDE:
            self.later(post, AGAIN, "come", thing)

    async def _err_with_a_code(self, post: Outpost, thing: Thing) -> None:
        """A wrong digit; the code of another station, or of a parcel that is gone; a courier's code."""
        known = post.up.memory.parcel(thing.id) if thing.id else None
        if known is None or not self.weather.strikes("F24", post.luck):
            return
        wrong = f"{(int(thing.code) + post.luck.whole(1, 9)) % 10**8:08d}"
        elsewhere = [each.code for each in self.by_id.values() if each.code and each.station != post.name]
        gone = [each.code for each in self.by_id.values()  # what left unseen is in the book still, with its code
                if each.code and each.life == "home" and not (each.taken_unseen or each.muddled)]  # fmt: skip
        code = post.luck.pick([wrong, self._courier_code(post), *(elsewhere[-1:]), *(gone[-1:])])
        if code == thing.code or any(each.code == code for each in self.behind[post.name].everything()):
            return
        self.ledger.struck("F24", (known.stage.value, *(["TAKEN_BACK"] if code in gone else [])))
        post.note(f"F24: {known.stage.value}")
        self._expect(post, lambda: post.up.desk.collect_by_code(code),
                     {"wrong_code", "codes_paused", "selector_needed", "door_busy"}, thing)  # fmt: skip

    def _expect(self, post: Outpost, begin: Callable[[], object], reasons: set[str], thing: Thing | None) -> bool:
        """Must be refused, for one of these reasons. Whether it was."""
        name = thing.name if thing else ""
        self.refusals.typed_wrong(post)
        try:
            begin()
        except Refusal as no:
            if no.reason not in reasons and not is_for_want_of_disk(post, no):
                post.violated(f"refused as {no.reason}, not as one of {', '.join(sorted(reasons))}", name)
            post.seen_outside()
            return True
        if not (thing and thing.muddled):
            post.violated("INV-05: what must be refused has begun a visit", name)
        return False

    # others

    async def _shut(self, post: Outpost, door: int) -> None:
        """A passer-by pushes a door shut."""
        post.boards.push_closed(door)
        await post.clock.sleep(1.0)
        await post.look()
        post.seen_outside()

    async def _glance(self, post: Outpost, _: object) -> None:
        """Nobody: the keeper's next turn, while a door stands open."""
        await post.look()
        post.seen_outside()

    async def _prise(self, post: Outpost, _: object) -> None:
        """Somebody opens a door by hand; the station has to see it."""
        door = post.luck.pick(post.profile.doors).door
        if post.is_blind:
            return  # nothing can see it yet
        if not post.is_shut(door) or post.up.desk.unfinished() or post.in_doubt(door):
            return
        self.ledger.struck("F20", ("opened by hand",))
        post.note(f"F20: door {door} is opened by hand")
        head, known = post.up.memory.wrote().number, self._is_told_of(post, door)
        post.boards.push_open(door)
        post.harm.ever.add(door)
        for _turn in range(3):
            await post.clock.sleep(1.0)
            await post.look()
        kinds = [entry.kind for entry in post.up.memory.since(post.up.memory.writer, head, 10)]
        if post.unwritten:
            return
        if not self._is_told_of(post, door) or not (known or "DoorOpened" in kinds):
            post.violated(f"INV-04: door {door} stands open unasked, and no case tells of it")
        self.visiting.later(post, door, timedelta(minutes=5))

    def _is_told_of(self, post: Outpost, door: int) -> bool:
        """Whether a case says that it was opened by hand, and nobody has looked yet."""
        cases = post.up.memory.book.cases.values()
        return any(case.about == UNASKED and case.compartment == door and case.closed_at is None for case in cases)

    async def _guess(self, post: Outpost, until: datetime) -> None:
        """Somebody tries codes, as fast as the station lets them, for an hour; then for the next."""
        self.ledger.struck("F37", self._guesser_meets(post))
        end = post.clock.true + timedelta(minutes=55)
        tries = 0
        while post.clock.true < end:
            tries += 1
            self.refusals.typed_wrong(post)
            code = f"{post.luck.whole(0, 10**8 - 1):08d}"
            if any(code == thing.code for thing in self.behind[post.name].everything()):
                continue
            wait_s = 1.0
            try:
                post.up.desk.collect_by_code(code)
                post.violated("INV-05: a guessed code has begun a visit")
            except Refusal as no:
                wait_s = min(3600.0, float(no.details.get("wait_s") or 1.0))
                self._count_guess(post, no)
            await post.clock.sleep(wait_s)
        post.note(f"F37: {tries} guesses")
        post.seen_outside()
        if post.clock.true < until:
            self.later(post, timedelta(minutes=5), "guess", until)

    def _guesser_meets(self, post: Outpost) -> list[str]:
        """The states that somebody who guesses for hours has before them."""
        stops, self._stops[post.name] = self._stops.get(post.name, post.stops), post.stops
        clock = "clock right" if post.clock.is_right else "clock wrong"
        return [post.link_state(), clock, *(["after a stop"] if post.stops > stops else [])]

    def _count_guess(self, post: Outpost, no: Refusal) -> None:
        """A-01: so many codes are tried in one day and no more, whatever the station forgets when its power goes."""
        if no.reason != "wrong_code":
            return
        day = (post.name, post.up.desk.today)
        self._guessed[day] += 1
        allowed = BARE_TRIES_A_DAY * (1 + _set_back(post))
        if self._guessed[day] > allowed:
            post.violated(f"A-01: {self._guessed[day]} codes were tried in one day, {allowed} are allowed")


def _set_back(post: Outpost) -> int:
    """How often the hub has set this clock back: each time a day may come twice."""
    [(times,)] = post.up.memory.connection.execute("SELECT count(*) FROM entry WHERE kind = 'ClockSet'")
    return int(times)


def _date(post: Outpost) -> date:
    """The date at the station, as everybody's watch shows it."""
    return post.clock.true.astimezone(ZoneInfo(post.about.zone)).date()

"""Whether a no at the screen has a cause. Who has a right is refused only for what this simulation itself has done:
whatever the station says of it is no excuse. Every no is counted."""

from collections import Counter
from collections.abc import Iterable

from parcelwall.errors import Refusal
from parcelwall.rules import access, places, token
from parcelwall.rules.life import INSIDE, Parcel, Stage
from parcelwall.simulation.faults.outpost import Outpost
from parcelwall.simulation.faults.things import Behind, Thing
from parcelwall.simulation.faults.watched import MOST_PULSES
from parcelwall.station.desk import KIOSK
from parcelwall.station.visit import Visit


class Refusals:
    """Judges them. `counted` tells how often whoever wanted what was refused why."""

    def __init__(self, behind: dict[str, Behind], is_calm: bool) -> None:
        self.behind, self.is_calm = behind, is_calm
        self.counted: Counter[str] = Counter()
        self._typed_wrong: Counter[str] = Counter()  # by station: only this can have codes paused

    def typed_wrong(self, post: Outpost) -> None:
        """Somebody types, or will type, what is not right."""
        self._typed_wrong[post.name] += 1

    def judge(self, post: Outpost, wanted: str, thing: Thing, no: Refusal) -> None:
        """A no to a courier who brings or takes back what they may."""
        self.counted[f"{wanted}, {no.reason}"] += 1
        if not self._has_cause(post, wanted, thing, no):
            post.violated(f"INV-05: a right {wanted} is refused without a cause: {no.reason}", thing.name)

    def judge_code(self, post: Outpost, thing: Thing, no: Refusal, used: bool, shows: bool, paused: bool) -> None:
        """A no to a recipient who types or shows the right code. `paused`: bare codes were when they came."""
        self.counted[f"collect, {no.reason}"] += 1
        known = post.up.memory.parcel(thing.id) if thing.id else None
        spent = used or thing.unclear or thing.muddled
        if no.reason == "wrong_code":
            older = self._is_older(known, thing) or is_written_off(post, thing)
            cause = spent or older or (_is_lost(post) if shows else self._is_braked(post, thing))
            cause = cause and not (self.is_calm and not used)
        elif no.reason == "codes_paused":
            cause = paused and not shows and self._typed_wrong[post.name] > 0
        else:
            cause = self._has_cause(post, "collect", thing, no)
        if not cause:
            post.violated(f"INV-05: the right {'QR' if shows else 'code'} of a parcel that lies there is refused: "
                          f"{no.reason}", thing.name)  # fmt: skip

    def judge_second(
        self, post: Outpost, way: str, thing: Thing, reason: str, door: object, first: Visit
    ) -> None:
        """A no to somebody who comes while another's door is being opened or stands open: for that alone."""
        self.counted[f"{'deposit' if way == 'courier' else 'collect'}, {reason}"] += 1
        if (reason, door) != ("door_busy", first.compartment):
            post.violated(f"INV-05: who comes ({way}) while door {first.compartment} is another's is told {reason}",
                          thing.name)  # fmt: skip

    def judge_courier(self, post: Outpost, no: Refusal, paused: bool, is_today: bool) -> None:
        """A no to the right code of the day: by a clock that was made wrong, or while wrong codes have it paused."""
        self.counted[f"sign in, {no.reason}"] += 1
        cause = (paused and self._typed_wrong[post.name] > 0) or (not is_today and post.clock.was_wrong)
        if not cause:
            post.violated(f"a courier's right code of the day is refused: {no.reason}")

    def _has_cause(self, post: Outpost, wanted: str, thing: Thing, no: Refusal) -> bool:
        known = post.up.memory.parcel(thing.id) if thing.id else None
        if no.reason == "door_busy":
            return not self.is_calm and self._is_busy(post, no)
        if no.reason == "door_failed":
            return did_rest(post) or (not self.is_calm and did_fail(post, int(no.details["door"])))
        if no.reason in ("cannot_record", "station_out_of_service"):
            return post.disk.full
        if wanted == "take_back":
            return no.reason == "not_for_this_station" and is_out_since(post, thing)
        if wanted != "deposit":
            return False
        if no.reason == "deposit_too_late":
            return known is None or known.deposit_by is None or _is_over(post, known)
        if no.reason == "no_fitting_compartment":
            return not self._fitting(post, thing)
        is_there = known is not None and known.stage in INSIDE
        if no.reason == "already_deposited":
            return is_there and (thing.door is not None or thing.muddled)
        return no.reason == "not_for_this_station" and not self._is_expected(post, thing)

    def _is_expected(self, post: Outpost, thing: Thing) -> bool:
        """Whether the station has its promise, and in calm weather whether it ought to have."""
        if self.is_calm and thing.life == "promised" and not thing.changed:
            return True
        known = [post.up.memory.parcel(each) for each in (thing.id, thing.second_id) if each]
        return any(each is not None and each.stage == Stage.RESERVED for each in known)

    def _is_busy(self, post: Outpost, no: Refusal) -> bool:
        """Whether what is in the way is a visit that something keeps open: its door stands open, or cannot be read, or
        what was seen cannot be written."""
        door = int(no.details["door"])
        in_the_way = [each for each in post.up.desk.unfinished() if each.compartment == door or each.screen == KIOSK]
        return any(_is_held(post, each) for each in in_the_way)

    def _fitting(self, post: Outpost, thing: Thing) -> list[int]:
        """Compartments that would take it: nothing lies there, and no book, promise or case keeps them."""
        plan, room = post.up.desk.plan, post.up.memory.room()
        open_still = {each.compartment for each in post.up.desk.unfinished()}
        return [
            each.number for each in plan.layout.compartments
            if not room.unusable & plan.bit(each.number) and each.number not in open_still
            and not self.behind[post.name].at(each.number)
            and places.fits(thing.sides_mm, thing.weight_g, plan.sizes[each.size])
        ]  # fmt: skip

    @staticmethod
    def _is_older(known: Parcel | None, thing: Thing) -> bool:
        """Whether the code was made for another promise than the station knows, or an older code of it."""
        return known is None or (known.reservation, known.generation) != thing.code_of

    def _is_braked(self, post: Outpost, thing: Thing) -> bool:
        """Whether wrong codes were typed with the last digits of this parcel's number."""
        brake = post.up.memory.brake(f"selector/{thing.selector}")
        paused = access.pause_left_s(brake, post.up.desk.now(), post.up.desk.today, access.WITH_SELECTOR) > 0
        return paused and self._typed_wrong[post.name] > 0


def untold(things: Iterable[Thing], posts: Iterable[Outpost]) -> list[tuple[str, str]]:
    """At the end: whoever has a parcel inside has a code for it."""
    books = [post.up.memory for post in posts]
    return [
        (thing.name, "INV-10: a parcel was put in, and its recipient has no code for it")
        for thing in things
        if thing.life == "inside" and not (thing.code or thing.muddled or thing.unclear)
        and any(known.stage in INSIDE for book in books if thing.id and (known := book.parcel(thing.id)))
    ]  # fmt: skip


def is_written_off(post: Outpost, thing: Thing) -> bool:
    """Whether somebody has written it off, and its station has heard of that."""
    known = post.up.memory.parcel(thing.id) if thing.id else None
    return thing.written_off and known is not None and known.stage == Stage.WRITTEN_OFF


def is_out_since(post: Outpost, thing: Thing) -> bool:
    """Whether the book has it for out since the courier's list was made: it was written off, or a door that could not
    be read was seen shut at last."""
    known = post.up.memory.parcel(thing.id) if thing.id else None
    is_out = known is not None and known.stage not in INSIDE
    return is_out and (thing.muddled or is_written_off(post, thing))


def is_for_want_of_disk(post: Outpost, no: Refusal) -> bool:
    """Whether nothing can be written, or nothing new comes in while the disk is full."""
    if no.reason == "cannot_record":
        return post.disk.used_up
    return no.reason == "station_out_of_service" and post.up.memory.reserve.is_low


def did_fail(post: Outpost, door: int) -> bool:
    """Whether something was done to this door, or to its board during this visit, that can keep it from opening."""
    weak_hook = post.watched is not None and post.watched.pulled_at > MOST_PULSES and post.profile.contact == "hook"
    return bool(post.harm.visit or post.harm.doors.get(door) or door in post.harm.flips or weak_hook)


def did_rest(post: Outpost) -> bool:
    """Whether the coil of this visit's door was driven so often before that it had to rest."""
    return post.watched is not None and post.watched.rested


def _is_held(post: Outpost, visit: Visit) -> bool:
    """Whether something keeps it open. One who has left an open door behind holds the screen for a while only."""
    door = visit.compartment
    if visit.screen == KIOSK and door in post.put_aside:
        return False
    unread = post.looked_blind or door in post.harm.flips or post.harm.may_be_unread(door, post.clock.true)
    return not post.is_shut(door) or unread or post.unwritten or post.disk.full


def _is_over(post: Outpost, known: Parcel) -> bool:
    """Whether its time to be put in is over; or may seem to be, for the clock was made wrong."""
    return post.clock.was_wrong or (known.deposit_by is not None and post.clock.true > known.deposit_by)


def _is_lost(post: Outpost) -> bool:
    """Whether the station's clock was made so wrong that a token may seem to be of another time."""
    return post.clock.was_wrong and abs(post.up.desk.now() - post.clock.true) > token.SLACK

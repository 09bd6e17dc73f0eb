"""The screens of a courier: sign in, scan, door, next; what is taken out; what does not fit."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from parcelwall.errors import Refusal
from parcelwall.rules.life import Parcel, Stage
from parcelwall.station import chosen, taking
from parcelwall.station.showing import COURIER_IDLE_S, IDLE_S, RESULT_S, LastDoor, Screen, Showing, Tap, pause
from parcelwall.station.visit import Visit

if TYPE_CHECKING:
    from parcelwall.station.kiosk import Kiosk


class Bringing:
    """What a courier does at the screen of `kiosk`."""

    def __init__(self, kiosk: "Kiosk") -> None:
        self._kiosk, self._desk = kiosk, kiosk.desk
        self.taps: dict[str, Tap] = {
            "courier": lambda _: kiosk.aside("courier-in"), "courier-home": lambda _: self._screen("courier-home"),
            "label": self._type_label, "take": lambda _: self._screen("courier-out"), "next": self._next,
            "unfit": lambda _: self._unfit(), "size": self._choose,
            "nothing": lambda _: self._nothing(),
            "which": self._which, "another": lambda _: self._another(),
            "no-fit": lambda _: self._fits_nowhere(), "van": lambda _: kiosk.staying.back(),
            "finish": lambda _: self._finish(), "next-part": lambda _: kiosk.by_phone.next_part(),
        }  # fmt: skip

    async def sign_in_by(self, know: Callable[[], UUID]) -> Showing:
        """By a code of the day, or by phone. A technician's leads to the service screen."""
        kiosk = self._kiosk
        began = kiosk.began()
        try:
            who = know()
        except Refusal as no:
            await kiosk.hold_back(began)
            if kiosk.door_is_open():
                return kiosk.showing
            return kiosk.show("courier-in", IDLE_S, refusal=no.reason, tries_left=no.details.get("tries_left"),
                              **pause(no, self._desk.now()))  # fmt: skip
        if kiosk.open_visit():
            return kiosk.still_busy()
        if kiosk.servicing.is_technician(who):
            return kiosk.servicing.begin(who)
        return kiosk.show("courier-home" if taking.waiting(self._desk) else "courier-scan", COURIER_IDLE_S, courier=who)

    async def label(self, text: str) -> Showing:
        """A label, scanned or typed. Without a courier signed in, the way is to sign in first."""
        kiosk, courier = self._kiosk, self._kiosk.showing.courier
        if courier is None:
            return kiosk.aside("courier-in")
        if kiosk.showing.screen == "courier-out":
            return await self._take(text, courier)
        try:
            return await kiosk.serve_here(self._desk.deposit_by_label(text, courier))
        except Refusal as no:
            if no.reason == "label_twice":
                alike = tuple(each.id for each in self._desk.with_label(text))
                return kiosk.show("courier-which", COURIER_IDLE_S, alike=alike)
            left = no.reason == "door_busy" and chosen.aside(self._desk, self._desk.by_label(text).id)
            return self.resume(left) if left else self._refused(no, text)

    def resume(self, visit: Visit) -> Showing:
        """A door that was left open, before whoever has its parcel in their hands: they can say that it is not in."""
        kiosk = self._kiosk
        if kiosk.open_visit() or kiosk.keeper is None:
            return kiosk.still_busy()
        visit = chosen.resume(self._desk, visit)
        kiosk.keeper.give_time(visit)
        return kiosk.show_door(visit)

    async def _which(self, parcel: str) -> Showing:
        """Of several with one label, the one that the courier holds in their hands."""
        kiosk, showing = self._kiosk, self._kiosk.showing
        chosen_one = next((each for each in showing.alike if str(each) == parcel), None)
        if showing.screen != "courier-which" or showing.courier is None or chosen_one is None:
            raise Refusal("stale_screen")
        try:
            return await kiosk.serve_here(chosen.deposit(self._desk, chosen_one, None, showing.courier))
        except Refusal as no:
            return self._refused(no, parcel=chosen_one)

    def _refused(self, no: Refusal, text: str = "", parcel: UUID | None = None) -> Showing:
        kiosk = self._kiosk
        if no.reason == "door_busy" and kiosk.open_visit():
            return kiosk.still_busy()
        screen: Screen = "no-fit" if no.reason == "no_fitting_compartment" else "unknown"
        door = no.details.get("compartment") or no.details.get("door")
        parcel = parcel or (self._desk.by_label(text).id if screen == "no-fit" and text else None)
        label = text if no.reason == "not_for_this_station" else ""
        return kiosk.show(screen, COURIER_IDLE_S, refusal=no.reason, door=door, parcel=parcel, label=label)

    async def _take(self, label: str, courier: UUID) -> Showing:
        """What was just taken out is named by its own label, before the next door opens."""
        try:
            parcel = taking.by_label(self._desk, label)
            return await self._kiosk.serve_here(taking.take_out(self._desk, parcel.id, courier))
        except Refusal as no:
            return self._refused(no, label)

    async def _next(self, door: str) -> Showing:
        """Opens the next door behind which something is to be taken out. `door` is the one that the screen has named:
        if another is next by now, the screen names that first."""
        kiosk, first = self._kiosk, taking.next_out(self._desk)
        if first is None or kiosk.showing.courier is None:
            return self._screen("courier-out" if taking.waiting(self._desk) else "courier-scan")
        if door and door != str(first.compartment):
            return kiosk.redraw()
        try:
            return await kiosk.serve_here(taking.take_out(self._desk, first.id, kiosk.showing.courier))
        except Refusal as no:
            return kiosk.show("unknown", COURIER_IDLE_S, refusal=no.reason)

    async def _type_label(self, text: str) -> Showing:
        return await self._kiosk.label(text) if text else self._screen("courier-label")

    def _screen(self, screen: Screen) -> Showing:
        kiosk = self._kiosk
        if kiosk.showing.courier is None or kiosk.door_is_open():
            return kiosk.showing
        return kiosk.show(screen, RESULT_S if screen == "courier-bye" else COURIER_IDLE_S)

    def _finish(self) -> Showing:
        """The round here is over; where there is no line, the courier's phone carries what the hub has not heard."""
        by_phone = self._kiosk.by_phone
        if by_phone.is_needed() and self._kiosk.showing.screen != "courier-sync":
            by_phone.begin()
            return self._screen("courier-sync")
        return self._screen("courier-bye")

    # what does not fit

    def _fits_nowhere(self) -> Showing:
        """None of the sizes that are free does."""
        kiosk, showing = self._kiosk, self._kiosk.showing
        if showing.courier is None or kiosk.door_is_open():
            return showing
        return kiosk.show("no-fit", COURIER_IDLE_S, parcel=showing.parcel, ending=showing.ending, door=showing.door)

    def _unfit(self) -> Showing:
        """The parcel is larger than the door: nothing will be put in, and the door is to be pushed shut again."""
        return self._kiosk.show_door(chosen.unfit(self._desk, self._open_deposit()))

    def _nothing(self) -> Showing:
        """Nothing is put in after all, and the door is to be pushed shut again."""
        return self._kiosk.show_door(chosen.nothing(self._desk, self._open_deposit()))

    def _open_deposit(self) -> Visit:
        visit = self._kiosk.open_visit()
        if visit is None or visit.purpose != "deposit" or visit.step != "opened":
            raise Refusal("stale_screen")
        return visit

    def put_nothing(self, visit: Visit) -> None:
        """The door is shut again with nothing put in. Was it too small, a larger one is proposed, or none is left."""
        kiosk, parcel = self._kiosk, self._desk.memory.parcel(visit.parcel)
        if visit.purpose == "deposit" and visit.opened_at is None:  # the boards could not be reached
            no = Refusal("station_out_of_service")
            self._refused(no) if kiosk.showing.courier else kiosk.sending.refused(no)
        elif parcel is None or not (visit.unfit or self._is_held(visit.compartment)):
            kiosk.show("courier-scan", COURIER_IDLE_S) if kiosk.showing.courier else kiosk.home()
        elif visit.courier is None:
            kiosk.sending.ask_size(parcel, above=visit.compartment if visit.unfit else None)
        elif not visit.unfit:
            self._ask_for_another(parcel)
        else:
            proposed = chosen.larger_with_room(self._desk.plan, self._desk.room(), parcel, visit.compartment)
            screen: Screen = "courier-size" if proposed else "no-fit"
            kiosk.show(screen, COURIER_IDLE_S, parcel=parcel.id, ending=parcel.selector, found=proposed,
                       door=visit.compartment)  # fmt: skip

    def _is_held(self, compartment: int) -> bool:
        """Whether it is offered to nobody: something lay in it already, or somebody has to look at it."""
        return bool(self._desk.room().held & self._desk.plan.bit(compartment))

    def _ask_for_another(self, parcel: Parcel) -> None:
        """Something lay behind the door: the sizes once more, the smallest with room proposed, and the label need not
        be read again."""
        kiosk = self._kiosk
        try:
            proposed = chosen.smallest(self._desk, parcel.id)
        except Refusal as no:
            self._refused(no, parcel=parcel.id)
            return
        kiosk.show("courier-size", COURIER_IDLE_S, parcel=parcel.id, ending=parcel.selector, found=proposed)

    def offers_another(self) -> bool:
        """Whether a door that does not open stands on the screen, before somebody with a parcel that is to go in, and
        the rules have another for it: of doors that all rest they would give the same once more."""
        failed = self._kiosk._last_visit
        if self._kiosk.showing.screen != "stuck" or failed is None or not self._may_go_in(failed):
            return False
        return not (taking.has_rested(failed) and chosen.is_next(self._desk, failed))

    def _may_go_in(self, failed: Visit) -> bool:
        """Whether whoever that door was for stands here still, and their parcel is still to be put in."""
        parcel = self._desk.memory.parcel(failed.parcel) if failed.purpose == "deposit" else None
        return parcel is not None and parcel.stage == Stage.RESERVED and failed.courier == self._kiosk.showing.courier

    async def _another(self) -> Showing:
        """The next door for what they have in their hands, in place of the one that does not open."""
        failed = self._kiosk._last_visit
        if failed is None or not self.offers_another():
            raise Refusal("stale_screen")
        return await self.once_more(failed)

    async def once_more(self, failed: Visit) -> Showing:
        """A door for the same parcel, by the rules as they stand now: its own where it has rested, if no better one is
        free."""
        kiosk = self._kiosk
        if failed.parcel is None or not self._may_go_in(failed):
            return kiosk.staying.back()
        try:
            return await kiosk.serve_here(chosen.deposit(self._desk, failed.parcel, None, failed.courier))
        except Refusal as no:
            return self._refused(no, parcel=failed.parcel) if failed.courier else kiosk.sending.refused(no)

    async def _choose(self, size: str) -> Showing:
        """The size that the person in front of the screen has chosen for this one."""
        kiosk, showing = self._kiosk, self._kiosk.showing
        if showing.screen not in ("courier-size", "send-size") or showing.parcel is None:
            raise Refusal("stale_screen")
        try:
            return await kiosk.serve_here(chosen.deposit(self._desk, showing.parcel, size, showing.courier))
        except Refusal as no:
            return self._refused(no, parcel=showing.parcel) if showing.courier else kiosk.sending.refused(no)

    # what the door has done

    def is_done(self, visit: Visit) -> None:
        """A courier's door is shut: straight on to the next parcel."""
        kiosk = self._kiosk
        result: Literal["in", "out"] = "in" if visit.purpose == "deposit" else "out"
        last = LastDoor(visit.compartment, kiosk.showing.ending, result)
        brought, taken = kiosk.showing.brought + (result == "in"), kiosk.showing.taken + (result == "out")
        screen: Screen = "courier-out" if result == "out" and taking.waiting(self._desk) else "courier-scan"
        kiosk.show(screen, COURIER_IDLE_S, last=last, brought=brought, taken=taken)

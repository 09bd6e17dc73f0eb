"""The station's desk: who may open which door, decided by the rules, written before anything moves.

Works the same with and without the hub. Each act is one synced transaction; a Refusal leaves nothing behind but the
brake. The keeper turns what doors do into `opened`, `closed`, `failed`.
"""

from collections.abc import Callable, Collection
from datetime import date, datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import apsw
import msgspec

from parcelwall import clock
from parcelwall.errors import Refusal
from parcelwall.ids import Ids
from parcelwall.link.identity import signed_by
from parcelwall.rules import access, decide, delegation, facts, token, twins
from parcelwall.rules.access import BARE
from parcelwall.rules.delegation import Shown
from parcelwall.rules.life import INSIDE, Parcel, Stage
from parcelwall.rules.places import Plan, Room
from parcelwall.station import left_open, lists, outcomes, wear
from parcelwall.station import visit as visits
from parcelwall.station.codes import Codes, reservation_of
from parcelwall.station.memory import Memory
from parcelwall.station.reserve import CannotWrite
from parcelwall.station.untold import Untold
from parcelwall.station.visit import Visit

KIOSK = "kiosk"
ANOTHER = "another_door_opened"  # than the one that was asked for: until somebody has looked, both are a technician's


class StationDesk:
    """Decides, and writes what was decided. `online` is told by the link: cut off, a renewed code may be newer."""

    def __init__(self, memory: Memory, ids: Ids) -> None:
        self.memory, self.ids = memory, ids
        self.online = False
        self.on_battery, self.battery_is_low = False, False
        self.doors_unchecked = False  # nobody has walked along them as they are wired now
        self.doors_changed = False  # they are wired otherwise than they were walked: contacts may be of other doors
        self.standing_open: set[int] = set()  # doors that nobody asked to open; the keeper sees them
        self.rests_s: Callable[[int, int], float] = lambda door, more: 0.0  # as `drivers.Doors.rests_s`
        self._delegated: dict[UUID, Shown] = {}  # by phone, until this process ends or its hours are over
        self.codes, self.untold = Codes(self), Untold(memory)

    def now(self) -> datetime:
        return clock.parse(self.memory.now_text())

    @property
    def plan(self) -> Plan:
        """The layout, made ready for questions. Refuses before the hub's first word."""
        plan = self.memory.book.plans.get(self.memory.station)
        if plan is None:
            raise Refusal("station_out_of_service", "This station has not been told its layout yet.")
        return plan

    @property
    def about(self) -> facts.StationConfigured | None:
        """What the hub has configured this station as; None before the first word from it."""
        return self.memory.about

    @property
    def today(self) -> date:
        return self.now().astimezone(ZoneInfo(self.about.zone if self.about else "UTC")).date()

    def room(self) -> Room:
        """What is taken, broken, held and promised. Held is also what was left open: whoever has looked at its case may
        have closed it before the door."""
        room, standing = self.memory.room(), self.unfinished()
        held = reduce(or_, (self.plan.bit(visit.compartment) for visit in standing), room.held)
        return msgspec.structs.replace(room, held=held) if standing else room

    def inside(self) -> list[Parcel]:
        return [parcel for parcel in self.memory.parcels() if parcel.stage in INSIDE]

    def expected(self) -> list[Parcel]:
        return [parcel for parcel in self.memory.parcels() if parcel.stage == Stage.RESERVED]

    def overdue(self) -> list[Parcel]:
        late = [parcel for parcel in self.inside() if parcel.stage == Stage.OVERDUE]
        return sorted(late, key=lambda parcel: parcel.compartment or 0)

    def drawn(self) -> list[tuple[facts.Granted, Parcel]]:
        """The codes in force that the hub drew for what lies here."""
        return list(lists.codes(self.memory.grants.values(), self.inside(), self.now()))

    # codes

    def collect_by_code(self, digits: str, selector: str | None = None) -> Visit:
        """Begins the visit of whoever knows the code. Every wrong one is refused alike, whatever the cause."""
        self._refuse_busy()
        parcel, generation, by = self.codes.shown(digits, selector)
        return self._begin("collect", parcel, parcel.compartment or 0, generation=generation, by=by)

    def collect_by_token(self, text: str) -> Visit:
        """Begins the visit of whoever shows the hub's signed QR. Each that does not serve is refused alike.

        A pause of typed codes does not concern it, and it counts no wrong try: a signature is not guessed.
        """
        self._refuse_busy()
        shown = token.read(text)
        if shown is None or not self._is_of_our_hub(shown) or not token.in_time(shown, self.now()):
            raise Refusal("wrong_code")
        parcel = next((each for each in self.inside() if each.reservation == shown.reservation), None)
        if parcel is None or shown.generation < parcel.generation or shown.grant in self.memory.revoked:
            raise Refusal("wrong_code")
        if visits.spent(self.memory.connection, shown.reservation, shown.generation):
            raise Refusal("wrong_code")
        found = decide.collect(parcel, "verified" if shown.verified else "token")
        return self._begin("collect", found, found.compartment or 0, generation=shown.generation,
                           by="delegate" if shown.grant else "recipient")  # fmt: skip

    def collect_by_order(
        self, order: UUID, reservation: UUID | None, generation: int, until_mono_s: float, verified: bool = False
    ) -> Visit:
        """Begins the visit of the recipient who stands here and asks by phone: a right like a token of the hub's.

        Refused like a wrong code if it is not inside, or spent, or asks for a person whom the hub has not verified.
        """
        self._refuse_busy()
        parcel = next((each for each in self.inside() if each.reservation == reservation), None)
        if parcel is None or generation < parcel.generation:
            raise Refusal("wrong_code")
        if visits.spent(self.memory.connection, reservation_of(parcel), generation):
            raise Refusal("wrong_code")
        found = decide.collect(parcel, "verified" if verified else "token")
        return self._begin("collect", found, found.compartment or 0, generation=generation, by="recipient",
                           order=order, until_mono_s=until_mono_s)  # fmt: skip

    def inspect(self, order: UUID, compartment: int, until_mono_s: float) -> Visit:
        """Begins the visit of an operator who looks into a compartment from afar: it ends no parcel's life. Refuses
        a compartment that is not here."""
        self._refuse_busy()
        if not self.plan.bit(compartment):
            raise Refusal("order_unknown")
        parcel = next((each for each in self.inside() if each.compartment == compartment), None)
        return self._begin("inspect", parcel, compartment, by="operator", order=order, until_mono_s=until_mono_s)

    def _is_of_our_hub(self, shown: token.Signed) -> bool:
        """Signed by the hub that this station was enrolled at, and for this station."""
        key = bytes.fromhex(self.memory.identity("hub_key") or "")
        here = shown.station_number == token.station_number(self.memory.station)
        return signed_by(key, shown.signature.hex(), token.to_sign(shown.payload)) and here

    # couriers

    def courier_by_code(self, digits: str) -> UUID:
        """The courier whose code of the day this is. Wrong tries count like any other."""
        self.codes.refuse_paused("bare", BARE)
        found = self.codes.of_staff(digits)
        if len(found) != 1:
            self.codes.wrong("bare", BARE)
        return found[0]

    def _refuse_without(self, right: lists.Right, courier: UUID) -> None:
        listed = lists.may(lists.in_use(self.memory), courier, right, self.now())
        if not listed and not self._is_delegated(right, courier):
            raise Refusal("no_right", "This courier may not do that here.")

    def delegate(self, shown: Shown) -> None:
        """A courier has proved the hub's word for them: it counts like an admission that was heard here."""
        self._delegated[shown.courier] = shown

    def _is_delegated(self, right: str, courier: UUID) -> bool:
        shown = self._delegated.get(courier)
        if shown is None or shown.grant in self.memory.revoked:
            return False
        return right in shown.may and delegation.in_time(shown, self.now())

    def deposit_by_label(self, label: str, courier: UUID) -> Visit:
        """Begins the visit that puts a reserved parcel behind the door the rules choose. Refuses while the disk is
        full, or the battery low."""
        self._refuse_without("deposit", courier)
        return self.begin_deposit(self.by_label(label), courier)

    def begin_deposit(self, parcel: Parcel, courier: UUID | None, size: str | None = None) -> Visit:
        """Begins the visit that puts a parcel in, of a courier or of a sender whose right was checked.
        Refuses while the disk is full or the battery low."""
        self._refuse_busy()
        if self.memory.reserve.is_low or self.battery_is_low:
            raise Refusal("station_out_of_service", "Disk full or battery low: parcels only go out until that is over.")
        doors = wear.doors(self, parcel)
        compartment = decide.deposit(parcel, self.plan, self.room(), self.now(), size, doors)
        return self._begin("deposit", parcel, compartment, courier=courier)

    def with_label(self, label: str) -> list[Parcel]:
        """The parcels with this label that are expected here or lie inside, what is due first before the others."""
        tags = self.codes.label_tags(label)
        known = [parcel for parcel in self.memory.parcels() if any(access.same(parcel.label_tag, tag) for tag in tags)]
        here = twins.without_doubles([each for each in known if each.stage in (Stage.RESERVED, *INSIDE)])
        return sorted(here, key=lambda each: (each.stage != Stage.RESERVED, each.deposit_by or self.now(), each.id))

    def by_label(self, label: str) -> Parcel:
        """The parcel with this label. Refuses what is not for here, and where several carriers' have it and one is
        expected: which of them somebody holds in their hands the label does not say."""
        here = self.with_label(label)
        if not here:
            raise Refusal("not_for_this_station")
        if len(here) > 1 and here[0].stage == Stage.RESERVED:
            return twins.meant(here)
        return here[0]

    def take_back(self, parcel: UUID, courier: UUID) -> Visit:
        """Begins the visit that takes out what nobody collected in time."""
        self._refuse_without("take_back", courier)
        self._refuse_busy()
        late = decide.take_back(self.memory.parcel(parcel))
        return self._begin("take_back", late, late.compartment or 0, courier=courier)

    def service(self, compartment: int, technician: UUID, why: str = "") -> Visit:
        """Begins the visit of a technician who looks into an empty compartment. Never one with a parcel: refused like
        one that is not there."""
        self._refuse_without("service", technician)
        self._refuse_busy()
        taken = any(parcel.compartment == compartment for parcel in self.inside())
        if taken or not self.plan.bit(compartment):
            raise Refusal("no_right", "A technician opens empty compartments only.")
        return self._begin("inspect", None, compartment, courier=technician, by="courier", why=why, technician=True)

    def reopen(self, before: Visit) -> Visit:
        """The person forgot something: the same door again, within the policy's seconds, if it is still empty; else
        refused as stale."""
        self._refuse_busy()
        first = before.first_opened_at or before.opened_at or before.begun_at
        age = self.now() - first
        late = age > timedelta(seconds=self.memory.policy.reopen_s)
        if late or before.outcome != "done" or before.purpose == "inspect":
            raise Refusal("stale_screen")
        parcel = self.memory.parcel(before.parcel)
        if self.memory.room().unusable & self.plan.bit(before.compartment) or parcel is None:
            raise Refusal("stale_screen")
        return self._begin("reopen", parcel, before.compartment, generation=before.generation, first_opened_at=first)

    # visits

    def unfinished(self) -> list[Visit]:
        """Visits that have not ended, with what was said of them and could not be written yet."""
        return [self.untold.as_said(visit) for visit in self.memory.unfinished()]

    def _refuse_busy(self) -> None:
        if self.doors_unchecked:
            raise Refusal("station_out_of_service", "Its doors wait for somebody who walks along them.")
        busy = [visit for visit in self.unfinished() if visit.screen == KIOSK]
        if busy:
            raise Refusal("door_busy", door=busy[0].compartment)

    def _refuse_open_door(self, parcel: UUID | None, compartment: int) -> None:
        """A door that was left open is pushed shut first: until then nobody knows what became of its parcel."""
        for visit in self.unfinished():
            if (parcel and parcel == visit.parcel) or compartment == visit.compartment:
                raise Refusal("door_busy", door=visit.compartment)

    def _begin(
        self, purpose: visits.Purpose, parcel: Parcel | None, compartment: int, courier: UUID | None = None,
        generation: int = 0, by: facts.By = "unknown", order: UUID | None = None, until_mono_s: float | None = None,
        why: str = "", technician: bool = False, first_opened_at: datetime | None = None,
    ) -> Visit:  # fmt: skip
        self._refuse_open_door(parcel.id if parcel else None, compartment)
        if compartment in self.in_doubt() and not technician:
            raise Refusal("door_failed", door=compartment)
        visit = Visit(
            id=order or self.ids.new(), screen=KIOSK, purpose=purpose, parcel=parcel.id if parcel else None,
            reservation=reservation_of(parcel) if parcel else None, compartment=compartment, begun_at=self.now(),
            generation=generation, courier=courier, hold_hours=parcel.hold_hours if parcel else 0, by=by,
            until_mono_s=until_mono_s, why=why, first_opened_at=first_opened_at,
            stood_open=compartment in self.standing_open,
        )  # fmt: skip
        try:
            self._write(visit)
        except CannotWrite as no:
            raise Refusal("cannot_record") from no
        return visit

    def _write(self, visit: Visit) -> None:
        try:
            self.memory.keep(visit)
        except apsw.ConstraintError as no:
            raise Refusal("door_busy", door=visit.compartment) from no

    def pulsing(self, visit: Visit) -> Visit:
        """One more pulse is about to be sent. On disk before the first byte, like the visit itself."""
        visit = msgspec.structs.replace(visit, pulses=visit.pulses + 1)
        if visit.pulses > 1:
            self._write(visit)
        return visit

    def opened(self, visit: Visit, recovered: bool = False) -> Visit:
        """The door was seen open: from now on the code is spent."""
        visit = msgspec.structs.replace(visit, step="opened", opened_at=self.now())
        fact = facts.DoorOpened(compartment=visit.compartment, visit=visit.id, recovered=recovered, why=visit.why)
        self.memory.tell(fact, visit_after=visit)
        return visit

    def closed(self, visit: Visit, recovered: bool = False) -> Visit:
        """The door was seen shut: the parcel is in, or out, and the visit ends, in one transaction."""
        visit = self.untold.as_said(visit)
        ended: visits.Outcome = "void" if visit.spoiled or visit.unfit else "done"
        done = msgspec.structs.replace(visit, step="ended", outcome=ended, shut_at=self.now())
        shut = facts.DoorClosed(compartment=visit.compartment, visit=visit.id, recovered=recovered)
        told: list[facts.Fact] = [each for each in (outcomes.fact_of(visit, self.memory.station, self.now()),) if each]
        if recovered and outcomes.is_in_doubt(visit):  # nobody saw whether anything was put in, or left in
            told.append(self.case("deposit_unseen", visit.parcel, visit.compartment, holds=False))
        self.memory.tell(shut, *told, *self.untold.cases(), visit_after=done)
        self.untold.told()
        return done

    def failed(self, visit: Visit, why: str) -> Visit:
        """The door did not open, or nobody can say whether it did: a case, and the compartment is offered to nobody."""
        outcome: visits.Outcome = "failed" if why in ("stuck", "late", "dead") else "unclear"
        parcel = visit.parcel if visit.purpose in ("collect", "take_back", "put_right") else None
        case = self.case("door_failed", parcel, visit.compartment, holds=True)
        ended = msgspec.structs.replace(visit, step="ended", outcome=outcome, case=case.case)
        failed = facts.DoorFailed(compartment=visit.compartment, why=why, visit=visit.id)  # type: ignore[arg-type]
        self.memory.tell(failed, case, visit_after=ended)
        return ended

    def void(self, visit: Visit) -> Visit:
        """Nothing moved: the visit ends, the code stays good."""
        ended = msgspec.structs.replace(visit, step="ended", outcome="void")
        self._write(ended)
        return ended

    def another_opened(self, visit: Visit, others: Collection[int]) -> Visit:
        """Other doors have opened than the visit's: plugs are swapped, or somebody was there. A case for each, and
        nobody but a technician opens any of them until somebody has looked."""
        known, behind = self.in_doubt(), {each.compartment: each.id for each in self.inside()}
        what = {"asked": visit.compartment, "opened": sorted(others), **outcomes.evidence(visit)}
        told: list[facts.Fact] = [facts.DoorFailed(compartment=visit.compartment, why="stuck", visit=visit.id)]
        for door in (visit.compartment, *sorted(others)):
            if door != visit.compartment:
                told.append(facts.DoorOpened(compartment=door))
            if door not in known:
                told.append(case := self.case(ANOTHER, behind.get(door), door, True, what))
                known[door] = case.case
        ended = msgspec.structs.replace(visit, step="ended", outcome="failed", case=known[visit.compartment])
        self.memory.tell(*told, visit_after=ended)
        return ended

    def in_doubt(self) -> dict[int, UUID]:
        """Doors that may open another one, or be opened by another, with their cases: nobody has looked yet."""
        cases = (case for case in self.memory.book.cases.values() if case.about == ANOTHER and case.closed_at is None)
        return {case.compartment: case.id for case in cases if case.compartment is not None}

    def left_open(self, visit: Visit) -> Visit:
        """Open for too long: a case, and the screen goes on with the next person while the door is watched."""
        aside = msgspec.structs.replace(visit, screen=f"aside/{visit.compartment}", outcome="left_open")
        case = self.case(left_open.ABOUT, visit.parcel, visit.compartment, holds=True)
        self.memory.tell(*([] if left_open.is_known(self, visit.compartment) else [case]), visit_after=aside)
        return aside

    def unasked(self, compartment: int) -> None:
        """A door was seen open that nobody was let in by."""
        case = self.case("opened_unasked", None, compartment, holds=True)
        self.memory.tell(facts.DoorOpened(compartment=compartment), case)

    def report(self, about: str, compartment: int, visit: Visit | None) -> facts.CaseOpened:
        """Somebody before a door says what is wrong behind it: a case with their visit as evidence, and the
        compartment is offered to nobody. A courier who finds something in there puts nothing in.

        Raises what the disk raises: then it is told later, and the screen says so."""
        case = self.case(about, visit.parcel if visit else None, compartment, True, outcomes.evidence(visit))
        spoiled = msgspec.structs.replace(visit, spoiled=True) if visit and outcomes.spoils(about, visit) else None
        self.untold.write(case, spoiled)
        return case

    def case(
        self, about: str, parcel: UUID | None, compartment: int | None, holds: bool,
        details: dict[str, Any] | None = None,
    ) -> facts.CaseOpened:  # fmt: skip
        return facts.CaseOpened(
            case=self.ids.new(), about=about, parcel=parcel, station=self.memory.station, compartment=compartment,
            holds=holds, details=details or {},
        )  # fmt: skip

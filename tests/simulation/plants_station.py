"""Bugs to plant in a station: each a small wrong replacement of one function. `plants.py` says how they are run."""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from parcelwall import clock
from parcelwall.drivers import BoardDoors, Pulse, supply
from parcelwall.errors import Refusal
from parcelwall.rules import access, facts, places
from parcelwall.station import keeper, opening, outcomes, putting_right
from parcelwall.station import visit as visits
from parcelwall.station.codes import Codes
from parcelwall.station.collecting import Collecting
from parcelwall.station.desk import StationDesk
from parcelwall.station.fold import Fold
from parcelwall.station.kiosk import Kiosk
from parcelwall.station.memory import Memory
from parcelwall.station.road import Road
from parcelwall.station.timekeeper import Timekeeper
from simulation.planting import plant


@plant("F08")
def p02_station_store_does_not_sync() -> None:
    right = Memory._remember

    def remember(self: Any) -> None:
        if self.connection.getautocommit():  # inside a transaction SQLite takes no other level
            self.connection.pragma("synchronous", "NORMAL")
        right(self)

    Memory._remember = remember  # type: ignore[method-assign]


@plant("F08")
def p03_pulse_before_the_visit_is_written() -> None:
    right = StationDesk._write

    def write(self: Any, visit: visits.Visit) -> None:
        if visit.step != "begun" or visit.pulses:
            right(self, visit)

    StationDesk._write = write  # type: ignore[method-assign]


@plant("F20,F24")
def p05_code_not_spent() -> None:
    right = visits._WRITE
    visits._WRITE = right.replace("opened = excluded.opened, ", "")
    assert right != visits._WRITE


@plant("F24")
def p09_couriers_code_opens_for_collecting() -> None:
    right = Codes.of_parcels

    def of_parcels(self: Any, digits: str, selector: Any, drawn: Any) -> Any:
        if self.of_staff(digits) and self._desk.inside():
            return [(self._desk.inside()[0], 0, "unknown")]
        return right(self, digits, selector, drawn)

    Codes.of_parcels = of_parcels  # type: ignore[method-assign]


@plant("F14")
def p11_missing_reply_answered_by_a_second_pulse() -> None:
    async def open_door(visit: Any, doors: Any, desk: Any, clock: Any, _: Any) -> Any:
        visit = desk.pulsing(visit)
        pulse = await doors.open(visit.compartment, not_after=clock.mono() + 5)
        if pulse == Pulse.SILENT:
            visit = desk.pulsing(visit)
            await doors.open(visit.compartment, not_after=clock.mono() + 5)
        await clock.sleep(0.5)
        seen = await doors.state(visit.compartment)
        return ("opened" if seen.state == "open" else "unclear"), visit

    keeper.open_door = open_door  # type: ignore[assignment]


@plant("F15")
def p12_board_reply_taken_for_a_door_reading() -> None:
    right = opening._watch

    async def watch(visit: Any, doors: Any, clock: Any) -> Any:
        await right(visit, doors, clock)
        return "open", False

    opening._watch = watch  # type: ignore[assignment]


@plant("F08,F20")
def p26_compartment_freed_when_the_door_opens() -> None:
    right_opened, right_closed = StationDesk.opened, StationDesk.closed

    def opened(self: Any, visit: Any, recovered: bool = False) -> Any:
        visit = right_opened(self, visit, recovered)
        collect = visit.purpose == "collect"
        outcome = outcomes.fact_of(visit, self.memory.station, self.now()) if collect else None
        if outcome:
            self.memory.tell(outcome)
        return visit

    def closed(self: Any, visit: Any, recovered: bool = False) -> Any:
        if visit.purpose != "collect":
            return right_closed(self, visit, recovered)
        done = msgspec.structs.replace(visit, step="ended", outcome="done")
        self.memory.tell(facts.DoorClosed(compartment=visit.compartment, visit=visit.id), visit_after=done)
        return done

    StationDesk.opened, StationDesk.closed = opened, closed  # type: ignore[method-assign]


@plant("F08,F14")
def p27_deposit_into_a_compartment_with_an_open_case() -> None:
    right = places.choose_compartment
    places.choose_compartment = lambda plan, room, *more: right(plan, msgspec.structs.replace(room, held=0), *more)


@plant("F01")
def p29_deposited_names_another_reservation() -> None:
    right = outcomes.fact_of

    def fact_of(visit: Any, station: str, now: datetime) -> Any:
        fact = right(visit, station, now)
        wrong = isinstance(fact, facts.Deposited)
        return msgspec.structs.replace(fact, reservation=visit.id) if wrong else fact

    outcomes.fact_of = fact_of


@plant("F01,F07,F21")
def p37_clock_set_back_is_believed() -> None:
    Timekeeper.text = lambda self: clock.text(self._believed())  # type: ignore[method-assign]


@plant("F21")
def p45_hub_time_is_not_believed() -> None:
    Timekeeper.told = lambda self, at: timedelta(0)  # type: ignore[method-assign]


@plant("F07,F08")
def p41_a_start_pulses_the_door_again() -> None:
    right = keeper.Keeper.recover

    async def recover(self: Any) -> None:
        for visit in self.desk.unfinished():
            await self.doors.open(visit.compartment, not_after=self.clock.mono() + 5)
        await right(self)

    keeper.Keeper.recover = recover  # type: ignore[method-assign]


@plant("F07,F08")
def p42_an_unclear_visit_is_forgotten() -> None:
    """Begun, and the door is shut after the start: nothing happened, it is supposed."""
    right = keeper.Keeper._settle

    def settle(self: Any, visit: Any, state: Any) -> None:
        if visit.step == "begun" and state == "closed":
            self.desk.void(visit)
        else:
            right(self, visit, state)

    keeper.Keeper._settle = settle  # type: ignore[method-assign]


@plant("F07,F08,F37")
def p43_wrong_codes_are_counted_in_memory_only() -> None:
    kept: dict[tuple[int, str], Any] = {}
    Memory.brake = lambda self, name: kept.get((id(self), name), access.Brake())  # type: ignore[method-assign]
    Memory.set_brake = lambda self, name, brake: kept.__setitem__((id(self), name), brake)  # type: ignore[method-assign]


@plant("F07,F08")
def p46_what_was_done_in_the_dark_is_void() -> None:
    """Opened, and shut after the start: nobody has come, it is supposed."""
    right = keeper.Keeper._settle

    def settle(self: Any, visit: Any, state: Any) -> None:
        if visit.step == "opened" and state == "closed":
            self.desk.void(visit)
        else:
            right(self, visit, state)

    keeper.Keeper._settle = settle  # type: ignore[method-assign]


@plant("F09")
def p48_a_full_disk_takes_parcels_in() -> None:
    def begin_deposit(self: Any, parcel: Any, courier: Any, size: Any = None) -> Any:
        self._refuse_busy()
        compartment = places.choose_compartment(self.plan, self.memory.room(), parcel)
        return self._begin("deposit", parcel, compartment, courier=courier)

    StationDesk.begin_deposit = begin_deposit  # type: ignore[method-assign]


@plant("F18")
def p49_a_contact_that_reads_open_counts_as_opened() -> None:
    right = opening.open_door

    async def open_door(visit: Any, doors: Any, desk: Any, clock: Any, another: Any) -> Any:
        if (await doors.state(visit.compartment)).state == "open":
            return "opened", visit
        return await right(visit, doors, desk, clock, another)

    keeper.open_door = open_door  # type: ignore[assignment]


@plant("F15")
def p50_no_rest_between_two_pulses() -> None:
    opening.BETWEEN_PULSES_S = 0.1
    opening.WATCH_S = 0.5


@plant("F15")
def p51_a_stuck_door_is_pulsed_on_and_on() -> None:
    opening.MOST_PULSES = 8


@plant("F20")
def p52_a_door_opened_by_hand_is_not_seen() -> None:
    keeper.Keeper._watch_unasked = lambda self, asked: None  # type: ignore[method-assign]


@plant("F01")
def p54_what_a_phone_was_shown_counts_as_heard() -> None:
    right = Road.show

    def show(self: Any, next_part: bool = False) -> None:
        right(self, next_part)
        self._memory.acknowledged(self.shown_through)

    Road.show = show  # type: ignore[method-assign]


@plant("F08")
def p56_a_computer_that_was_off_forgets_how_long() -> None:
    right = Memory.identity
    Memory.identity = lambda self, name: None if name == "alive" else right(self, name)  # type: ignore[method-assign]


@plant("F38")
def p57_a_hook_that_its_coil_holds_is_an_open_door() -> None:
    BoardDoors._is_held = lambda self, door, since: False  # type: ignore[method-assign]


def refused_after_all(name: str, reason: str) -> None:
    """The rules say yes, and the screen says no."""

    def no(self: Any, *asked: Any, **more: Any) -> Any:
        raise Refusal(reason, door=1, wait_s=5.0)

    setattr(StationDesk, name, no)


@plant("storm")
def p60_nobody_ever_collects() -> None:
    refused_after_all("collect_by_code", "codes_paused")
    refused_after_all("collect_by_token", "codes_paused")


@plant("calm")
def p61_a_screen_that_is_always_busy() -> None:
    refused_after_all("collect_by_code", "door_busy")
    refused_after_all("collect_by_token", "door_busy")


@plant("calm")
def p62_nothing_is_ever_taken_back() -> None:
    refused_after_all("take_back", "door_busy")


@plant("calm")
def p63_every_qr_is_a_wrong_one() -> None:
    refused_after_all("collect_by_token", "wrong_code")


@plant("F08")
def p64_a_label_that_is_expected_is_not_for_here() -> None:
    refused_after_all("by_label", "not_for_this_station")


@plant("F15")
def p71_each_shut_door_is_a_case() -> None:
    right = StationDesk.closed

    def closed(self: Any, visit: Any, recovered: bool = False) -> Any:
        done = right(self, visit, recovered)
        self.memory.tell(self.case("door_failed", None, visit.compartment, holds=False))
        return done

    StationDesk.closed = closed  # type: ignore[method-assign]


@plant("F22")
def p80_two_visits_at_one_screen() -> None:
    StationDesk._refuse_busy = lambda self: None  # type: ignore[method-assign]
    right = visits.SCHEMA
    visits.SCHEMA = right.replace("UNIQUE INDEX IF NOT EXISTS one_visit", "INDEX IF NOT EXISTS one_visit")
    assert right != visits.SCHEMA


@plant("F22")
def p81_a_door_left_open_holds_the_screen_for_ever() -> None:
    keeper.LEFT_OPEN_S = 1e9


@plant("F22")
def p82_half_a_code_waits_for_the_next_person() -> None:
    Collecting.forget = lambda self: None  # type: ignore[method-assign]


@plant("F22")
def p83_a_second_person_hides_the_open_door() -> None:
    Kiosk.still_busy = lambda self: self.show("wrong", 30)  # type: ignore[method-assign]


@plant("F22")
def p84_whoever_has_to_wait_has_typed_a_wrong_code() -> None:
    def refuse_busy(self: Any) -> None:
        if any(visit.screen == "kiosk" for visit in self.unfinished()):
            self.codes.wrong("bare", access.BARE)

    StationDesk._refuse_busy = refuse_busy  # type: ignore[method-assign]


@plant("F39")
def p91_a_station_hands_out_what_is_written_off() -> None:
    Fold.kinds = {name: kind for name, kind in facts.KINDS.items() if kind is not facts.WrittenOff}


@plant("F40")
def p93_a_door_is_opened_again_for_whoever_touches_it() -> None:
    right = putting_right.to_put_right
    putting_right.to_put_right = lambda desk, before, courier: right(desk, before, before.courier)


@plant("F40")
def p94_a_door_is_opened_again_for_ever() -> None:
    right = putting_right.rules.in_time
    putting_right.rules.in_time = lambda first, shut, now, *more: right(shut, shut, shut, *more)


@plant("F40")
def p95_what_is_taken_out_again_stays_in_the_book() -> None:
    right = outcomes.fact_of

    def fact_of(visit: Any, station: str, now: datetime) -> Any:
        return None if visit.purpose == "put_right" else right(visit, station, now)

    outcomes.fact_of = fact_of


@plant("F40")
def p96_a_coil_rests_after_every_second_pulse() -> None:
    supply.COIL_LIMITS = ((2, 600.0),)  # type: ignore[assignment]

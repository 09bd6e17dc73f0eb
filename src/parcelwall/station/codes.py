"""Which code is whose at this station, and how guessing is slowed down.

Codes are derived from the station's secret and compared in constant time, all of them whatever was typed; nothing that
was typed is kept.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NoReturn
from uuid import UUID

from parcelwall.errors import Refusal
from parcelwall.rules import access, decide, facts
from parcelwall.rules.access import BARE, WITH_SELECTOR
from parcelwall.rules.life import Parcel
from parcelwall.station import lists
from parcelwall.station import visit as visits
from parcelwall.station.reserve import CannotWrite

if TYPE_CHECKING:
    from parcelwall.station.desk import StationDesk

TELL_WRONG_CODES_EVERY = timedelta(minutes=1)


class Codes:
    """The codes of `desk`: what is inside, what is sent, who is on the staff."""

    def __init__(self, desk: "StationDesk") -> None:
        self._desk, self._memory = desk, desk.memory
        self._derived: dict[tuple[UUID, int], str] = {}  # of what is inside, each once
        self._wrong_untold = 0
        self._told_at: datetime | None = None
        secret = bytes.fromhex(desk.memory.identity("secret") or "")
        self._code_key = access.subkey(secret, "pickup-code")
        self._label_key = access.subkey(secret, "label-tag")
        self._courier_key = access.subkey(secret, "courier-code")
        self._tag_key = access.subkey(secret, "code-tag")

    def label_tags(self, label: str) -> tuple[str, ...]:
        """One of these the hub has told of a parcel with this label."""
        return access.label_tags(self._label_key, label)

    def of_sender(self, parcel: Parcel) -> str:
        """The code with which its sender puts a promised parcel in."""
        return access.send_code(self._code_key, self._memory.station, reservation_of(parcel), parcel.generation)

    def are_many(self, for_collecting: int) -> bool:
        """Whether so many codes open something here that one alone, without the number of its parcel, is too easily
        guessed: those of what is inside, `for_collecting`, and those with which returns are put in."""
        returns = sum(each.direction == "return" for each in self._desk.expected())
        return for_collecting + returns > self._memory.policy.bare_code_parcels

    def of_staff(self, digits: str) -> list[UUID]:
        """Couriers and technicians whose code of the day this is."""
        desk, station = self._desk, self._memory.station
        admitted = lists.staff(lists.in_use(self._memory), desk.now())
        codes = ((access.courier_code(self._courier_key, station, who, desk.today), who) for who in admitted)
        return access.matches(digits, codes)

    def of_parcels(
        self, digits: str, selector: str | None, drawn: Sequence[tuple[facts.Granted, Parcel]]
    ) -> list[tuple[Parcel, int, facts.By]]:
        """Parcels inside that this opens, with the generation it is of and who shows it; `drawn` are codes of grants.
        All candidates are compared, whatever was typed, so that the time tells nothing."""
        known, self._derived, candidates = self._derived, {}, []
        for parcel in self._desk.inside():
            for generation in self._generations(parcel):
                which = reservation_of(parcel), generation
                code = known.get(which) or access.pickup_code(self._code_key, self._memory.station, *which)
                self._derived[which] = code
                candidates.append((access.same(code, digits), parcel, generation))
        hits: list[tuple[Parcel, int, facts.By]] = [(parcel, nth, "unknown") for hit, parcel, nth in candidates if hit]
        hits += [(each, each.generation, "delegate") for each in lists.matching(self._tag_key, digits, drawn)]
        connection = self._memory.connection
        return [
            hit for hit in hits
            if selector in (None, hit[0].selector) and not visits.spent(connection, reservation_of(hit[0]), hit[1])
        ]

    def shown(self, digits: str, selector: str | None) -> tuple[Parcel, int, facts.By]:
        """The one parcel that this code opens, with its generation and who shows it. Every wrong one counts as a try
        and is refused alike, whatever the cause."""
        desk = self._desk
        brake, limits = (f"selector/{selector}", WITH_SELECTOR) if selector else ("bare", BARE)
        self.refuse_paused(brake, limits)
        drawn = desk.drawn()
        if not selector and self.are_many(len(desk.inside()) + len(drawn)):
            raise Refusal("selector_needed")
        found = self.of_parcels(digits, selector, drawn)
        if len(found) > 1 and not selector:
            raise Refusal("selector_needed")
        if len(found) != 1:
            self.wrong(brake, limits)
        try:
            return decide.collect(found[0][0]), *found[0][1:]
        except Refusal as no:
            if no.reason == "wrong_code":  # else the code was right, and no try is counted
                self.wrong(brake, limits)
            raise

    def _generations(self, parcel: Parcel) -> tuple[int, ...]:
        return (parcel.generation,) if self._desk.online else (parcel.generation, parcel.generation + 1)

    def pause_left_s(self, name: str = "bare", limits: access.Limits = BARE) -> float:
        """How long tries under this name are paused; 0 if they are not."""
        desk = self._desk
        return access.pause_left_s(self._memory.brake(name), desk.now(), desk.today, limits)

    def refuse_paused(self, name: str, limits: access.Limits) -> None:
        """Refuses while tries under this name are paused."""
        left = self.pause_left_s(name, limits)
        if left and name == "bare":
            zone = self._desk.about.zone if self._desk.about else "UTC"
            raise Refusal("codes_paused", wait_s=access.pause_in_s(left, self._desk.now(), zone))
        if left:
            raise Refusal("wrong_code", tries_left=None)

    def wrong(self, name: str, limits: access.Limits) -> NoReturn:
        """Counts a wrong try for good, then refuses: the same words for every cause."""
        brake = access.wrong_try(self._memory.brake(name), self._desk.now(), self._desk.today, limits)
        try:
            self._memory.set_brake(name, brake)
            self._tell_wrong_codes(paused=bool(access.pause_left_s(brake, self._desk.now(), self._desk.today, limits)))
        except CannotWrite as no:  # as a right code is answered then
            raise Refusal("cannot_record") from no
        raise Refusal("wrong_code", tries_left=access.tries_left(self._memory.brake("bare"), self._desk.now()))

    def _tell_wrong_codes(self, paused: bool) -> None:
        self._wrong_untold += 1
        if self._told_at is None or abs(self._desk.now() - self._told_at) >= TELL_WRONG_CODES_EVERY or paused:
            self._memory.tell(facts.WrongCode(count=self._wrong_untold, paused=paused))
            self._told_at, self._wrong_untold = self._desk.now(), 0


def reservation_of(parcel: Parcel) -> UUID:
    """The promise under which it lies here or is expected."""
    assert parcel.reservation is not None, "a parcel that is promised or inside has a reservation"
    return parcel.reservation

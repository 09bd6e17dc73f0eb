"""Business knobs as data. `PolicyAdopted` carries one; each promise names the version it was made under."""

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

OrderRule = Literal["free", "warned", "enforced"]
"""What an order of stops is to a carrier, the strictest last."""
PhotoRule = Literal["off", "optional", "required"]
"""What a carrier says of photos with reports of its parcels."""
ALL = "*"


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """How long things are held and how often they may be tried. The defaults are judgements, changed by an operator.

    A knob that came later is unset until somebody sets it, so that older policies are written as ever.
    """

    version: int = 1
    hold_hours: int = 48  # from deposit to collect_by
    deposit_window_hours: int = 72  # from the expected time (or now) to deposit_by
    ahead_days: int = 60  # how far ahead room is promised
    overbook: int = 0  # promises beyond the compartments that are free
    extend_hours: int = 24
    extensions: int = 2
    remind_hours_before: int = 24
    quiet_from_hour: int = 21  # reminders wait, in the station's zone
    quiet_until_hour: int = 8
    lapse_silence_hours: int = 72  # a station not heard of: lapse anyway, with a case
    alternatives: int = 3
    near_km: float = 5.0  # how far from the recipient room is looked for
    reopen_s: int = 180
    bare_code_parcels: int = 100  # above this many inside, the last 4 of the number are asked for too
    courier_idle_s: int = 180
    alone_doors: int | UnsetType = UNSET  # doors that one person may open from afar in ten minutes; unset: 2
    alone_parcels: int | UnsetType = UNSET  # parcels that one person may keep longer, or write off, at once; unset: 1

    offer_from: float | UnsetType = UNSET  # a station is offered if room is at least so likely; unset: 0.85
    keep_reach: int | UnsetType = UNSET  # free compartments in reach of each size for those who need them; unset: 0
    serve_unwalked: bool | UnsetType = UNSET  # doors that nobody has walked along open all the same; unset: yes

    ask_permit: bool | UnsetType = UNSET  # no room is promised where no permit is noted; unset: no
    verified_from: float | UnsetType = UNSET  # a parcel worth so much is for a verified person alone; unset: none is
    verified_currency: str | UnsetType = UNSET  # of that worth: three letters of ISO 4217

    help_phone: str | UnsetType = UNSET  # what a station's screen says to call; unset: it tells nobody to call

    # Carriers for whose parcels an order of stops counts: their ids with spaces between, or * for all. Unset: none.
    order_warned: str | UnsetType = UNSET  # a courier who opens another stop first is asked
    order_enforced: str | UnsetType = UNSET  # a courier says why not before another stop is shown

    # Carriers that want no photo, or one, with each report of a parcel of theirs; named as above. Unset: none does.
    photo_off: str | UnsetType = UNSET
    photo_required: str | UnsetType = UNSET

    # What the operator says things cost, for the figure "cost per parcel". Unset: not counted.
    cost_station_day: float | UnsetType = UNSET  # a station, for a day: site, power, line, service
    cost_compartment_day: float | UnsetType = UNSET  # a compartment, for a day
    cost_stop: float | UnsetType = UNSET  # a courier's stop at a station
    cost_deposit: float | UnsetType = UNSET  # each parcel put in
    cost_diverted: float | UnsetType = UNSET  # each parcel that the hub sent another way
    cost_currency: str | UnsetType = UNSET  # of all of them: three letters of ISO 4217

    @property
    def offered_from(self) -> float:
        """How likely room must be at a station, 0 to 1, for it to be offered."""
        return 0.85 if self.offer_from is UNSET else self.offer_from

    @property
    def serves_unwalked(self) -> bool:
        """Whether a station serves although nobody has walked along its doors (commissioning)."""
        return self.serve_unwalked is UNSET or self.serve_unwalked

    @property
    def asks_permit(self) -> bool:
        """Whether a station must have a permit on paper before room is promised there."""
        return self.ask_permit is not UNSET and self.ask_permit

    @property
    def reach_kept(self) -> int:
        """How many free compartments in reach of each size are kept for those who need them."""
        return 0 if self.keep_reach is UNSET else self.keep_reach

    @property
    def number_to_call(self) -> str:
        """The number that people at a station call for help; "" where none is given."""
        return "" if self.help_phone is UNSET else self.help_phone

    def order_for(self, carrier: str) -> OrderRule:
        """What an order of stops is where parcels of this carrier are to be brought or taken."""
        if _names(self.order_enforced, carrier):
            return "enforced"
        return "warned" if _names(self.order_warned, carrier) else "free"

    def photo_for(self, carrier: str) -> PhotoRule:
        """Of a report of a parcel of this carrier. A carrier that is named for both wants none."""
        if _names(self.photo_off, carrier):
            return "off"
        return "required" if _names(self.photo_required, carrier) else "optional"

    @property
    def doors_alone(self) -> int:
        """Doors that one of the operator's people may open from afar in ten minutes without a second."""
        return 2 if self.alone_doors is UNSET else self.alone_doors

    @property
    def parcels_alone(self) -> int:
        """Parcels that one of the operator's people may keep longer, or write off with their station, at once without a
        second."""
        return 1 if self.alone_parcels is UNSET else self.alone_parcels


def _names(carriers: str | UnsetType, carrier: str) -> bool:
    return carriers is not UNSET and (carriers == ALL or carrier in carriers.split(" "))


DEFAULT = Policy()

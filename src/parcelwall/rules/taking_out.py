"""Taking out from afar what nobody collected in time: which parcel, and what follows for the ones after it."""

from parcelwall.errors import Refusal
from parcelwall.rules import decide
from parcelwall.rules.life import Parcel

OPENED, OUT, LEFT_OPEN = "opened", "out", "left_open"
OF_ITS_OWN = frozenset({OUT, "door_failed", "door_rests", "wrong_stage", "wrong_code", "not_for_this_station"})


def take_out(parcel: Parcel | None, station: str) -> Parcel:
    """The parcel, if the operator may have it taken out at this station. Refused as for a courier; and what a sender
    has put in waits for one."""
    late = decide.take_back(parcel)
    if late.direction == "return" or late.station != station:
        raise Refusal("not_for_this_station")
    return late


def goes_on(became: str) -> bool:
    """Whether the next door may open: one that jams, and a parcel that its recipient has collected meanwhile, hold up
    no other. A door that nobody shuts, or a line that is gone, ends it: nobody may stand there any more."""
    return became in OF_ITS_OWN

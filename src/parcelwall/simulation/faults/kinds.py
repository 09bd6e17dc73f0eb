"""Which faults there are, how often each strikes, and which of a town's faults are switched on (swarm testing)."""

from typing import Literal

import msgspec

from parcelwall.errors import Trouble
from parcelwall.simulation.faults.chance import Luck

Per = Literal["station-day", "visit", "batch", "town-day", "parcel", "town"]


class Fault(msgspec.Struct, frozen=True):
    """One kind of fault: its number in the fault model, what happens, and how often when it is switched on."""

    id: str
    says: str
    rate: float
    per: Per


FAULTS = {
    fault.id: fault
    for fault in (
        Fault("F01", "the line is cut, for minutes to days", 1.0, "station-day"),
        Fault("F02", "the line is dead in one direction", 0.2, "station-day"),
        Fault("F03", "the line is cut between the hub's commit and its acknowledgement", 0.05, "batch"),
        Fault("F04", "a frame comes twice, or late over an old connection", 0.05, "batch"),
        Fault("F05", "the line is slow: frames come a step of time later", 0.02, "batch"),
        Fault("F06", "all stations connect anew at once", 0.5, "town-day"),
        Fault("F07", "the station's process is killed at a write or at a word with the boards", 1.0, "station-day"),
        Fault("F08", "the station's power is cut: unsynced sectors are lost or torn", 3.0, "station-day"),
        Fault("F09", "the station's disk is full", 0.1, "station-day"),
        Fault("F10", "the station's disk is read-only", 0.05, "station-day"),
        Fault("F11", "the station's disk is slow: a sync takes seconds", 0.1, "station-day"),
        Fault("F13", "the power is cut again while the station starts", 0.3, "station-day"),
        Fault("F14", "the board's answer to a pulse is lost", 0.02, "visit"),
        Fault("F15", "the board acknowledges and the door does not move", 0.02, "visit"),
        Fault("F16", "an answer of the board comes late", 0.01, "visit"),
        Fault("F17", "bits of an answer flip and the check sum holds", 0.01, "visit"),
        Fault("F18", "a contact bounces, or reads the same for ever", 0.01, "visit"),
        Fault("F19", "a board speaks unasked, or two have one address", 0.01, "visit"),
        Fault("F20", "a door is left open, shut with nothing done, or opened by hand", 0.02, "visit"),
        Fault("F21", "the station's clock jumps or drifts", 0.1, "station-day"),
        Fault("F22", "two people at once, or one who goes away half way", 0.02, "visit"),
        Fault("F23", "couriers: wrong door, too late, after a cancellation, twice, a copied label", 0.02, "visit"),
        Fault("F24", "recipients: a wrong code, a used one, an old one, another station's", 0.05, "visit"),
        Fault("F25", "a hub process is killed at a statement; the outcome of a commit is unknown", 8.0, "town-day"),
        Fault("F27", "a deadlock in a transaction of the hub", 0.01, "batch"),
        Fault("F28", "the hub's database is lost and restored to an older point", 3.0, "town"),
        Fault("F29", "two hub processes do the same sweep and follow the same journal", 4.0, "town-day"),
        Fault("F30", "a follower dies between what it does and its cursor", 0.5, "town-day"),
        Fault("F31", "a carrier's call is repeated, or comes late", 0.05, "parcel"),
        Fault("F32", "a channel takes a notice and fails, takes none, or none for an address", 0.05, "parcel"),
        Fault("F37", "somebody guesses codes at the screen for a day", 0.02, "station-day"),
        Fault("F38", "a spring is weak; and the town's contacts measure hooks", 0.02, "visit"),
        Fault("F39", "what lies in a station is written off: a parcel, or all of them", 0.5, "town-day"),
        Fault("F40", "the door of what was just put in is opened again, to put it right or take it out", 0.05, "visit"),
    )
}

# What the fault model knows and this simulation does not, each with the reason.
LEFT_OUT = {
    "F12": "a disk that lies about its syncs cannot be survived; that it is found out is in test_lying_disk.py",
    "F26": "killing PostgreSQL itself belongs to tests/acceptance/test_kill_hub.py, on real processes",
    "F33": "two versions of the software do not exist yet",
    "F34": "the same",
    "F35": "the product has no cooled compartments yet",
    "F36": "the same",
}  # fmt: skip

Mode = Literal["all", "calm", "storm"]
MOST = {"visit": 0.25, "batch": 0.25, "parcel": 0.25, "town": 3.0}  # shares, and restores of a town
SWARM = {"all": (0.25, 1.0), "calm": (0.0, 0.0), "storm": (0.6, 4.0)}  # share of faults switched on, rates times
# Announced for one station, so that 20 or more lie behind a door on most days: the others are cancelled, moved,
# refused for want of room, or never brought; in a storm those are many.
PARCELS_A_DAY = {"all": (22, 25), "calm": (22, 24), "storm": (30, 36)}


class Weather:
    """The faults of one town."""

    def __init__(self, rates: dict[str, float], parcels_a_day: tuple[int, int] = PARCELS_A_DAY["all"]) -> None:
        self.rates, self.parcels_a_day = rates, parcels_a_day
        self.is_calm = not rates
        self.is_storm = parcels_a_day == PARCELS_A_DAY["storm"]
        self.hooks = "F38" in rates  # what contacts measure there, else the leaf

    def rate(self, fault: str) -> float:
        """How often, in the fault's own measure; 0 when it is switched off."""
        return self.rates.get(fault, 0.0)

    def strikes(self, fault: str, luck: Luck) -> bool:
        """Draws only when the fault is switched on, from a stream that nothing else depends on."""
        rate = self.rates.get(fault, 0.0)
        return rate > 0 and luck.happens(rate)


def drawn(mode: str, luck: Luck) -> Weather:
    """The weather of one town: of a mode, or just the faults that are named, such as "F08,F24", as in a storm.

    Raises Trouble for a mode or a fault that there is not.
    """
    named = mode.split(",")
    if mode not in SWARM and not all(name in FAULTS for name in named):
        raise Trouble(f"--faults is one of {', '.join(SWARM)}, or some of {', '.join(FAULTS)}; not {mode!r}")
    share, times = SWARM.get(mode, (1.0, SWARM["storm"][1]))
    rates = {}
    for fault in FAULTS.values():
        if luck.happens(share) and (mode in SWARM or fault.id in named):
            rates[fault.id] = min(fault.rate * times, MOST.get(fault.per, 100.0))
    return Weather(rates, PARCELS_A_DAY.get(mode, PARCELS_A_DAY["all"]))

"""What a station says of its own machine: probes, power, clock, and times in which it did not work. `facts.py` has all
other kinds."""

from typing import Literal

from parcelwall.rules.fact import Fact, Moment


class Measured(Fact, frozen=True, kw_only=True):
    """Minimum, mean and maximum of one probe over one interval."""

    probe: str
    unit: str
    low: float
    mean: float
    high: float
    since: Moment


class Power(Fact, frozen=True, kw_only=True):
    status: Literal["mains", "battery", "low", "unknown"]
    charge_ratio: float | None = None


class ClockSet(Fact, frozen=True, kw_only=True):
    boot: str
    mono_ms: int
    utc: Moment


class StoodStill(Fact, frozen=True, kw_only=True):
    """The station's computer was off, or its disk would not be written: nobody could have been let in."""

    since: Moment
    until: Moment


class JournalRestored(Fact, frozen=True, kw_only=True):
    """A new computer has fetched the station's book from the hub. `before` is what the lost one wrote, `number` of it.

    What the lost one wrote and had not shipped is gone.
    """

    before: str
    number: int

"""What one maker's boards are, beside their codec: what can be addressed, how they are timed, what must be learned."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from parcelwall.drivers.frames import Codec
from parcelwall.drivers.profile import Profile


def no_problems(profile: Profile) -> list[str]:
    return []


class Driver(msgspec.Struct, frozen=True, kw_only=True):
    """A driver's file ends with one of these, named DRIVER. `boards` are addresses, `locks` count from 1."""

    codec: Callable[[Profile], Codec]
    boards: range
    locks: range
    usual: Mapping[str, Any] = {}  # what the profile need not say, as this maker's boards come from the factory
    learned: tuple[str, ...] = ()  # what the profile must say, for only the boards can tell
    problems: Callable[[Profile], list[str]] = no_problems  # what else cannot be: "`pulse_ms` is 5: write 100 to 2000"

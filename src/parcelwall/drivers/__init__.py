"""Doors, whoever made them. Knows door numbers; never parcels.

A station reads its profile and asks `connect` for doors:

    doors = connect(read_profile(path), SystemClock(), supplies=supplies)
    await doors.start()
    pulse = await doors.open(7, not_after=clock.mono() + 5.0)
    seen = await doors.state(7)

A driver raises Trouble, never Refusal. A new maker is one codec file and one
constructor in DRIVERS.
"""

from collections.abc import Callable

from parcelwall.clock import Clock
from parcelwall.drivers.doors import BoardDoors
from parcelwall.drivers.port import OpenPort, Port, PortForbidden, PortGone
from parcelwall.drivers.profile import Profile, parse_profile, read_profile
from parcelwall.drivers.seen import DoorChange, Doors, DoorState, Pulse, Seen, Why, changes
from parcelwall.drivers.serial_port import open_serial
from parcelwall.drivers.supply import Supply
from parcelwall.drivers.xor8a import Xor8a

Constructor = Callable[[Profile, Clock, OpenPort, dict[str, Supply] | None], BoardDoors]


def xor8a_doors(profile: Profile, clock: Clock, open_port: OpenPort, supplies: dict[str, Supply] | None) -> BoardDoors:
    """Doors on boards of the 8A kind."""
    return BoardDoors(profile, clock, Xor8a(profile), open_port, supplies)


DRIVERS: dict[str, Constructor] = {"xor8a": xor8a_doors}


def connect(
    profile: Profile,
    clock: Clock,
    open_port: OpenPort = open_serial,
    supplies: dict[str, Supply] | None = None,
) -> BoardDoors:
    """The doors of one bus, not yet started.

    `supplies` is one dict per station, empty at first: buses that name the same supply share its gate.
    """
    return DRIVERS[profile.driver](profile, clock, open_port, supplies)


__all__ = [
    "DRIVERS", "BoardDoors", "DoorChange", "DoorState", "Doors", "OpenPort", "Port", "PortForbidden",
    "PortGone", "Profile", "Pulse", "Seen", "Supply", "Why", "changes", "connect", "open_serial", "parse_profile",
    "read_profile",
]  # fmt: skip

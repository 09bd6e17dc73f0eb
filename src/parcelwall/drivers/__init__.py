"""Doors, whoever made them. Knows door numbers; never parcels.

A station reads its profile and asks `connect` for doors:

    doors = connect(read_profile(path), SystemClock(), supplies=supplies)
    await doors.start()
    pulse = await doors.open(7, not_after=clock.mono() + 5.0)
    seen = await doors.state(7)

A driver raises Trouble, never Refusal. A new maker is one file, and one line in makers.py: docs/drivers.md.
"""

from collections.abc import Sequence

from parcelwall.clock import Clock
from parcelwall.drivers.doors import BoardDoors
from parcelwall.drivers.makers import DRIVERS, driver_of
from parcelwall.drivers.port import OpenPort, Port, PortForbidden, PortGone
from parcelwall.drivers.profile import Profile
from parcelwall.drivers.reading import parse_profile, parse_profiles, read_profile
from parcelwall.drivers.seen import DoorChange, Doors, DoorState, Pulse, Seen, Why, changes
from parcelwall.drivers.serial_port import open_serial
from parcelwall.drivers.several import SeveralBuses
from parcelwall.drivers.supply import Supply


def connect(
    profile: Profile,
    clock: Clock,
    open_port: OpenPort = open_serial,
    supplies: dict[str, Supply] | None = None,
) -> BoardDoors:
    """The doors of one bus, not yet started.

    `supplies` is one dict per station, empty at first: buses that name the same supply share its gate.
    """
    return BoardDoors(profile, clock, driver_of(profile.driver).codec(profile), open_port, supplies)


def connect_all(
    profiles: Sequence[Profile], clock: Clock, open_port: OpenPort = open_serial
) -> BoardDoors | SeveralBuses:
    """The doors of all buses of a station, not yet started. They share the gates of supplies of one name."""
    supplies: dict[str, Supply] = {}
    buses = [connect(profile, clock, open_port, supplies) for profile in profiles]
    return buses[0] if len(buses) == 1 else SeveralBuses(buses, clock)


__all__ = [
    "DRIVERS", "BoardDoors", "DoorChange", "DoorState", "Doors", "OpenPort", "Port", "PortForbidden",
    "PortGone", "Profile", "Pulse", "Seen", "SeveralBuses", "Supply", "Why", "changes", "connect", "connect_all",
    "open_serial", "parse_profile", "parse_profiles", "read_profile",
]  # fmt: skip

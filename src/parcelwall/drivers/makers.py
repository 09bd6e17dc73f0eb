"""The list of drivers. A new one is a file of that name in this folder, and a line here. docs/drivers.md shows how.

A driver is imported when a profile names it, so that a station carries only what it drives.
"""

from importlib import import_module
from typing import cast

from parcelwall.drivers.driver import Driver
from parcelwall.errors import Trouble

DRIVERS = (
    "xor8a",
    "kerong16",
    "modbus_relay",
    "wkly",
)  # fmt: skip


def driver_of(name: str) -> Driver:
    """The driver of that name. Raises Trouble that names those there are."""
    if name not in DRIVERS:
        raise Trouble(f"There is no driver {name!r}. Write one of {', '.join(DRIVERS)}.")
    return cast(Driver, import_module(f"parcelwall.drivers.{name}").DRIVER)

"""Profiles of two boards wired as usual, one for each driver, and quicker than real ones."""

from importlib import import_module
from typing import Any

from parcelwall.drivers import Profile, parse_profile
from parcelwall.drivers.frames import Codec
from parcelwall.drivers.makers import driver_of


def written_for(driver: str) -> dict[str, Any]:
    """[bus] of two boards of that driver."""
    wired = import_module(f"parcelwall.drivers.pretend.dialect_{driver}")
    return {
        "driver": driver, "port": "pretend", **wired.LEARNED, "contact": "door",
        "pulse_ms": 100, "supply_gap_ms": 150, "timeout_ms": 200, "open_timeout_ms": 300, "gap_ms": 20,
        "boards": [{"address": 1, "channels": wired.CHANNELS}, {"address": 2, "channels": 8}],
        "doors": [
            {"door": 1, "board": 1, "lock": 1},
            {"door": 2, "board": 1, "lock": 2},
            {"door": 3, "board": 1, "lock": wired.CHANNELS},
            {"door": 4, "board": 2, "lock": 8},
        ],
    }  # fmt: skip


def wired_profile(driver: str, **changed: Any) -> Profile:
    return parse_profile(written_for(driver) | changed)


def codec_for(driver: str, **changed: Any) -> Codec:
    changed.pop("channels", None)
    return driver_of(driver).codec(wired_profile(driver, **changed))

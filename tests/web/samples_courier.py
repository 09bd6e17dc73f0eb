"""Sample views of the courier's pages."""

from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from parcelwall.rules.layout import Layout
from parcelwall.web import cabinet
from parcelwall.web.map import station_map
from parcelwall.web.render import Words
from parcelwall.web.views_courier import (
    CarryView,
    DayLine,
    DayView,
    DoorDone,
    FirstStop,
    OutboxView,
    ProblemView,
    RoundView,
    ScanView,
    SignInView,
    SizeLine,
    StopLine,
    StopView,
)  # fmt: skip

COURIER = "0198f000-0000-7000-8000-000000000001"
KLUUVI = StopLine(
    "S-0001", "Kluuvi", "Aleksanterinkatu 9, Helsinki", 19, 3,
    (SizeLine("S", 9, 7), SizeLine("M", 10, 9), SizeLine("L", 4, 3), SizeLine("XL", 1, 0)),
)  # fmt: skip
SIMONKATU = StopLine(
    "S-0002", "Simonkatu", "Simonkatu 8, Helsinki", 12, 0,
    (SizeLine("S", 6, 5), SizeLine("M", 4, 4), SizeLine("L", 2, 3, short=1), SizeLine("XL", 0, 0)), else_where="Kluuvi",
)  # fmt: skip
LONG_NAMED = replace(
    SIMONKATU, station="S-0004", name="Kruununhaka", else_where="Donaudampfschifffahrtsgesellschaftsplatz"
)  # "next" has no room beside it at twice the size
LONGER_NAMED = replace(KLUUVI, station="S-0005", name=LONG_NAMED.else_where)
IDLE = StopLine("S-0003", "Kruununhaka", sizes=(SizeLine("S", 12), SizeLine("M", 8), SizeLine("L", 3)))


def dark(now: datetime) -> StopLine:
    return replace(KLUUVI, seen_at=now - timedelta(hours=7), in_service=True)


def courier(words: Words, layout: Layout, now: datetime) -> dict[str, msgspec.Struct]:
    """Name -> view, in the order of a day."""
    door = DoorDone(
        33, "in", cabinet.place_sentence(layout, 33, words), cabinet.draw(layout, words, lit=33), now, "2917"
    )
    stop = StopView(COURIER, KLUUVI, "geo:60.1692,24.9440", station_map(60.1692, 24.9440), endings=("0386", "4471"),
                    events="/courier/stop/S-0001/events", now=now)  # fmt: skip
    return {
        "courier-sign-in": SignInView(),
        "courier-sign-in-wrong": SignInView("That code signs in nobody"),
        "courier-round": RoundView(COURIER, (KLUUVI, SIMONKATU, IDLE), now),
        "courier-round-long": RoundView(COURIER, (LONG_NAMED, LONGER_NAMED), now),
        "courier-round-none": RoundView(COURIER),
        "courier-stop": stop,
        "courier-stop-live": replace(stop, last=door, brought=4),
        "courier-stop-dark": replace(stop, stop=dark(now), map_svg=None, endings=()),
        "courier-round-ordered": RoundView(COURIER, (
            replace(KLUUVI, place=1, behind="unreachable"), replace(SIMONKATU, place=2), replace(IDLE, place=3)), now),
        "courier-stop-first": replace(stop, first=(
            FirstStop("S-0002", "Simonkatu", must=True), FirstStop("S-0003", "Kruununhaka", must=False)),
            day="2026-11-22"),
        "courier-stop-warned": replace(stop, first=(FirstStop("S-0002", "Simonkatu", must=False),), day="2026-11-22"),
        "courier-scan": ScanView(COURIER, "S-0001", "Kluuvi"),
        "courier-scan-first": ScanView(COURIER, "S-0001", "Kluuvi", first=(
            FirstStop("S-0002", "Simonkatu", must=True),), day="2026-11-22"),
        "courier-carry": CarryView(COURIER),
        "courier-problem": ProblemView(COURIER, (("S-0001", "Kluuvi"), ("S-0002", "Simonkatu")), "S-0001"),
        "courier-problem-photo": ProblemView(COURIER, (("S-0001", "Kluuvi"),), "S-0001", "required"),
        "courier-problem-no-photo": ProblemView(COURIER, (("S-0001", "Kluuvi"),), "S-0001", "off"),
        "courier-outbox": OutboxView(COURIER),
        "courier-day": DayView(COURIER, now, (DayLine("Kluuvi", 19, 3, 0), DayLine("Simonkatu", 11, 0, 1)), 2),
    }

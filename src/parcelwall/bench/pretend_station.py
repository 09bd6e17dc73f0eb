"""A station to measure: enrolled without a hub, its layout and parcels in its book, its boards pretend."""

from datetime import timedelta
from pathlib import Path

from parcelwall import clock as clocks
from parcelwall.clock import Clock
from parcelwall.drivers import parse_profile
from parcelwall.drivers.profile import Profile
from parcelwall.ids import Ids
from parcelwall.journal import chain
from parcelwall.journal.chain import Draft
from parcelwall.rules import access, facts
from parcelwall.rules.facts import Fact
from parcelwall.rules.layout import plain_layout
from parcelwall.station.house import key_of
from parcelwall.station.memory import Memory

STATION, HUB_WRITER = "K-0001", "hub:1/K-0001"
SECRET = b"k" * 32
LAYOUT = plain_layout(" ".join(["SSSSSSSSSS"] * 10))  # 100 compartments


def profile_table(port: str) -> dict[str, object]:
    """[bus] of a station file: 24-channel boards, one lock per compartment in the order of the layout."""
    doors = [
        {"door": each.number, "board": place // 24 + 1, "lock": place % 24 + 1}
        for place, each in enumerate(LAYOUT.compartments)
    ]
    boards = [{"address": address, "channels": 24} for address in sorted({door["board"] for door in doors})]
    return {"driver": "xor8a", "port": port, "boards": boards, "doors": doors, "status_bytes": 3,
            "status_order": "low_last", "closed_value": 1}  # fmt: skip


# A line that takes no time, so that what is left is ours.
NO_WIRE: dict[str, object] = {"baud": 115200, "turnaround_ms": 0, "gap_ms": 0, "poll_ms": 2000}


def profile(port: str, wire: bool = True) -> Profile:
    return parse_profile(profile_table(port) | ({} if wire else NO_WIRE))


def fill(path: Path, clock: Clock, ids: Ids, parcels: int, entries: int = 0) -> list[str]:
    """Makes a station's file with so many parcels inside, and at least so many entries; answers their codes."""
    memory = Memory(path, clock)
    key_of(memory, ids)
    memory.know({"station": STATION, "secret": SECRET.hex(), "hub_writer": HUB_WRITER, "hub_key": "00" * 32})
    promised = [_reserved(ids, clock, number) for number in range(parcels)]
    _receive(memory, clock, [_configured(), *promised])
    for number, each in enumerate(promised, start=1):
        memory.tell(_deposited(each, number, ids, clock))
    for number in range(max(0, entries - 1 - 2 * parcels)):
        memory.tell(facts.DoorClosed(compartment=1 + number % len(LAYOUT.compartments)))
    memory.close()
    code_key = access.subkey(SECRET, "pickup-code")
    return [access.pickup_code(code_key, STATION, each.reservation, 0) for each in promised]


def _receive(memory: Memory, clock: Clock, told: list[Fact]) -> None:
    at = clocks.text(clock.now())
    drafts = [Draft(fact.kind, at, facts.body(fact)) for fact in told]
    memory.receive(chain.extend(HUB_WRITER, chain.start(HUB_WRITER), drafts))


def _configured() -> facts.StationConfigured:
    return facts.StationConfigured(station=STATION, name="Bench", address="Bench 1", lat=60.17, lon=24.94,
                                   layout=LAYOUT, zone="Europe/Helsinki")  # fmt: skip


def _reserved(ids: Ids, clock: Clock, number: int) -> facts.Reserved:
    return facts.Reserved(
        parcel=ids.new(), reservation=ids.new(), station=STATION, size="S",
        deposit_by=clock.now() + timedelta(days=3), length_mm=300, width_mm=200, height_mm=40, weight_g=700,
        hold_hours=48, selector=f"{number:04}",
    )  # fmt: skip


def _deposited(promised: facts.Reserved, door: int, ids: Ids, clock: Clock) -> facts.Deposited:
    return facts.Deposited(
        parcel=promised.parcel, reservation=promised.reservation, station=STATION, compartment=door,
        collect_by=clock.now() + timedelta(days=2), visit=ids.new(),
    )  # fmt: skip

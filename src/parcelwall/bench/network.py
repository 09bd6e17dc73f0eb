"""The network that figures are taken on: stations in a grid over Finland, one carrier, parcels promised already."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import msgspec

from parcelwall.clock import SystemClock
from parcelwall.hub import network
from parcelwall.hub.commands import Announce, Asked, Destination
from parcelwall.hub.followers import number_feed, turn
from parcelwall.hub.house import Hub, serving
from parcelwall.hub.people import Person
from parcelwall.hub.tell import NAME, Teller
from parcelwall.ids import Ids
from parcelwall.link.identity import Signer
from parcelwall.rules import facts
from parcelwall.rules.decide import Order
from parcelwall.rules.layout import plain_layout

CARRIER = "bench-post"
COLUMNS = "SSSSSSMMSSSL SSSSMMSSMMSS MMSSSSSSLSSSS SSMMMMSSSL"
ANNOUNCED_AT = COLUMNS + " " + COLUMNS  # 94 compartments: room never runs out in a run
LINKED = " ".join([COLUMNS] * 7)  # 329, because few stations take what many would
AT_ONCE = 200  # stations or parcels in one transaction


class Network(msgspec.Struct, frozen=True, kw_only=True):
    """`stations` S-0001 on, `linked` T-0001 on with promised parcels, `whole` U-0001 on without; a carrier's key."""

    stations: Sequence[str]
    linked: Sequence[str]
    whole: Sequence[str]
    carrier_key: str
    parcels: int


def seed(station: str) -> bytes:
    """Of the Ed25519 key of a station that dials in."""
    return station.encode().ljust(32, b".")


def reference(number: int) -> str:
    """What promised parcels are announced under, from 0 on; number n lies at linked station n modulo their count."""
    return f"L{number:07}"


async def build(dsn: str, data_dir: Path, stations: int, linked: int, parcels: int) -> Network:
    """Fills an empty database by the hub's own code."""
    names = [f"S-{number:04}" for number in range(1, stations + 1)]
    dialling = [f"T-{number:04}" for number in range(1, linked + 1)]
    whole = [f"U-{number:04}" for number in range(1, linked + 1)]
    clock = SystemClock()
    data_dir.mkdir(parents=True, exist_ok=True)
    async with serving(dsn, data_dir, clock, Ids(clock)) as hub:
        key = await hub.admit(CARRIER, "Bench")
        made = Network(stations=names, linked=dialling, whole=whole, parcels=parcels, carrier_key=key)
        await _configure(hub, names, ANNOUNCED_AT)
        await _configure(hub, [*dialling, *whole], LINKED)
        await hub.refresh()
        await _identities(hub, made)
        await _promise(hub, made)
        await _follow_up(hub)
        await hub.pool.execute("VACUUM ANALYZE")
    return made


async def _configure(hub: Hub, names: Sequence[str], columns: str) -> None:
    layout = plain_layout(columns)
    for start in range(0, len(names), AT_ONCE):
        async with hub.pool.acquire() as connection, connection.transaction():
            for place, name in enumerate(names[start : start + AT_ONCE], start=start):
                about = facts.StationConfigured(
                    station=name, name=f"Station {name}", address=f"Street {place}", layout=layout,
                    lat=60.0 + place // 50 * 0.05, lon=22.0 + place % 50 * 0.1, zone="Europe/Helsinki",
                )  # fmt: skip
                await network.configure(hub.desk.sitting(connection), about, joined=True)


async def _identities(hub: Hub, made: Network) -> None:
    names = [*made.linked, *made.whole]
    keys = [Signer(seed(name)).public for name in names]
    await hub.pool.execute(
        "INSERT INTO station_identity (station, public_key, enrolled_at, writer) "
        "SELECT station, key, $3, station FROM unnest($1::text[], $2::bytea[]) AS new (station, key)",
        names, keys, hub.clock.now(),
    )  # fmt: skip


async def _promise(hub: Hub, made: Network) -> None:
    for start in range(0, made.parcels, AT_ONCE):
        numbers = range(start, min(start + AT_ONCE, made.parcels))
        await asyncio.gather(*(hub.desk.ask(_announce(made, number)) for number in numbers))


async def _follow_up(hub: Hub) -> None:
    """Followers read all there is, so that they have nothing old to do while something is measured."""
    note = Teller(hub, {}, "http://127.0.0.1", "example.org").note
    for name, handle in ((NAME, note), ("feed", number_feed)):
        while await turn(hub.pool, name, handle):
            pass


def _announce(made: Network, number: int) -> Announce:
    order = Order(
        carrier=CARRIER, reference=reference(number), length_mm=300 - number % 40, width_mm=200 + number % 30,
        height_mm=40 + number % 25, weight_g=500 + number % 1500,
    )  # fmt: skip
    person = Person(name=f"Recipient {number}", email=f"recipient{number}@example.org", phone="+358401234567")
    where = Destination(station_id=made.linked[number % len(made.linked)])
    asked = Asked(CARRIER, f"prepared-{number}", b"=" * 32)
    return Announce(order=order, person=person, destination=where, asked=asked)

"""One delivery, from the shop's order to the empty compartment, with the line cut in the middle.

On real parts: hub desk on PostgreSQL, station desk on SQLite, link, and the bytes of an 8A lock board. Only the board,
the people and the clock are pretend.
"""

import asyncio
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from parcelwall.clock import VirtualClock
from parcelwall.errors import Refusal
from parcelwall.hub.commands import Announce, Destination, Extend
from parcelwall.hub.outbox import outbox
from parcelwall.hub.people import Person
from parcelwall.hub.verify import verify_hub
from parcelwall.ids import seeded
from parcelwall.rules.decide import Order
from parcelwall.rules.facts import StationConfigured
from parcelwall.rules.layout import plain_layout
from parcelwall.simulation.town import a_town
from parcelwall.station.verify import verify_station

KLUUVI = StationConfigured(
    station="S-0001", name="Kluuvi", address="Aleksanterinkatu 9", lat=60.1692, lon=24.9440,
    layout=plain_layout("SSML SSML"), zone="Europe/Helsinki",
)  # fmt: skip
BOOK = Order(carrier="acme", reference="PW-7F3-2917", length_mm=300, width_mm=200, height_mm=60, weight_g=900)


async def one_delivery(folder: Path) -> None:
    clock = VirtualClock(datetime(2026, 11, 22, 8, tzinfo=UTC))
    async with a_town(folder, clock, seeded(clock, 1), durable=False) as town:
        hub, kluuvi = town.hub, await town.station(KLUUVI)

        ada = Person(name="Ada", email="ada@example.org")
        promised = await hub.desk.ask(Announce(order=BOOK, person=ada, destination=Destination(station_id="S-0001")))
        parcel = UUID(promised.body["id"])
        assert (promised.body["stage"], promised.body["size"]) == ("RESERVED", "S")
        await kluuvi.carry()

        kluuvi.cut()  # from here the station is alone
        deposit = await kluuvi.deposit("PW-7F3-2917")
        assert kluuvi.desk.plan.layout.compartment(deposit.compartment).size == "S", "the smallest that fits"
        try:
            await kluuvi.collect("00000000")
        except Refusal as no:
            assert no.reason == "wrong_code"

        await kluuvi.carry()  # the line is mended: the hub hears of it
        [message] = await outbox(hub)
        assert message.station == "Kluuvi" and message.door == deposit.compartment
        assert message.code == kluuvi.code_of(parcel)

        kept = await hub.desk.ask(Extend(carrier=None, parcel=parcel, by="recipient"))
        assert kept.body["stage"] == "READY"
        await kluuvi.carry()

        await kluuvi.collect(message.code)
        await kluuvi.carry()
        assert kluuvi.is_free(deposit.compartment)
        assert kluuvi.station.memory.parcel(parcel).stage == "COLLECTED"  # type: ignore[union-attr]

        assert await verify_hub(hub.pool) == [], "replay(journal) == tables upstairs"
        assert verify_station(kluuvi.station.memory) == [], "and downstairs"
    print("One delivery: announced, promised, deposited offline, told, kept longer, collected. Both books agree.")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(one_delivery(Path(folder)))

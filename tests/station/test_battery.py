"""What feeds the station: asked of a pretend upsd over TCP, written as `Power`, and no new parcels on a low battery."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from parcelwall.drivers.power import PowerSeen, Ups, seen
from parcelwall.drivers.pretend.upsd import PretendUpsd
from parcelwall.errors import Refusal, Trouble
from parcelwall.rules.life import Stage
from parcelwall.station.battery import Battery
from station.rig import NAME, Rig


@pytest.fixture
async def upsd() -> AsyncIterator[PretendUpsd]:
    upsd = PretendUpsd()
    yield upsd
    await upsd.stop()


@pytest.mark.parametrize(
    ("words", "status"),
    [("OL", "mains"), ("OL CHRG LB", "mains"), ("OB DISCHRG", "battery"), ("OB LB", "low"), ("FSD OL", "low"),
     ("BYPASS", "unknown"), ("", "unknown")],
)  # fmt: skip
def test_what_the_words_mean(words: str, status: str) -> None:
    assert seen({"ups.status": words}).status == status


async def test_what_upsd_says(upsd: PretendUpsd) -> None:
    ups = Ups(await upsd.start())
    assert await ups.look() == PowerSeen("mains", 1.0)
    upsd.variables |= {"ups.status": "OB RB", "battery.charge": "42"}
    assert await ups.look() == PowerSeen("battery", 0.42, ("RB",))
    upsd.error = "DATA-STALE"
    assert await ups.look() == PowerSeen(), "stale is not mains"
    upsd.error, upsd.variables["battery.charge"] = "", "much"
    assert await ups.look() == PowerSeen()
    await upsd.stop()
    assert await ups.look() == PowerSeen()


def test_a_name_that_is_none() -> None:
    for wrong in ("", "a b", "shed@host:door", "shed\nLIST"):
        with pytest.raises(Trouble, match="names no power supply"):
            Ups(wrong)


async def test_a_low_battery_takes_no_parcels_and_gives_them(rig: Rig, upsd: PretendUpsd) -> None:
    inside = await rig.inside("PW-1")
    rig.promise("PW-2")
    battery, before = Battery(rig.desk, Ups(await upsd.start()).look), rig.wrote()
    for words in ("OL", "OL", "OB", "OB LB", "OB LB"):
        upsd.variables["ups.status"] = words
        await battery.watch()
    assert rig.told(before) == ["Power"] * 3, "only changes"
    assert '"low"' in rig.memory.journal.since(NAME, before)[-1].body
    with pytest.raises(Refusal) as refused:
        rig.desk.deposit_by_label("PW-2", rig.courier)
    assert refused.value.reason == "station_out_of_service"
    await rig.collect(rig.code(inside))
    assert rig.parcel(inside).stage == Stage.COLLECTED
    upsd.variables["ups.status"] = "OL CHRG LB"
    await battery.watch()
    await rig.deposit("PW-2")
    rig.clean()


async def test_silence_is_unknown_after_a_while_and_complaints_are_a_case(rig: Rig, upsd: PretendUpsd) -> None:
    battery, before = Battery(rig.desk, Ups(await upsd.start()).look), rig.wrote()
    await battery.watch()
    upsd.error = "DRIVER-NOT-CONNECTED"
    for _ in range(2):
        await battery.watch()
    assert rig.told(before) == ["Power"]
    await battery.watch()
    assert rig.told(before) == ["Power", "Power"]
    upsd.error, upsd.variables["ups.status"] = "", "OL RB"
    running = asyncio.create_task(battery.run(rig.now))
    while "ups_complains" not in rig.cases():
        await asyncio.sleep(0)
    running.cancel()
    assert rig.cases() == ["ups_complains"]

"""Replay: parcels per second of `parcelwall replay` over a made file of orders, as a user would run it."""

import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from parcelwall.bench.figure import Figure, Once, Tick, alone, skipped
from parcelwall.bench.ground import Ground
from parcelwall.bench.meters import reaped_cpu_s, seconds
from parcelwall.bench.plan import Plan

UNIT = "parcels/s"
PARCELS = 2_000
START = datetime(2026, 3, 2, 8)  # noqa: DTZ001 - the file's times are local


async def measure(ground: Ground, plan: Plan, tick: Tick) -> list[Figure]:
    """Parcels a second of a replay of generated orders."""
    file = ground.folder / "orders.csv"
    count = PARCELS if plan.long_s > 5 else PARCELS // 10
    orders(file, count)
    runs = []
    for number in range(plan.runs):
        tick(f"replay of {count} orders, run {number + 1} of {plan.runs}")
        command = [sys.executable, "-m", "parcelwall", "replay", str(file), "--json", "--data",
                   str(ground.folder / f"replay-{number}")]  # fmt: skip
        began, cpu = seconds(), reaped_cpu_s()
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            return [skipped("replay", UNIT, f"parcelwall replay says: {done.stderr.strip()[-200:]}")]
        offered = msgspec.json.decode(done.stdout)["offered"]
        took = seconds() - began
        runs.append(Once(offered / took, {"all": (reaped_cpu_s() - cpu) / offered * 1e6}, {"offered": offered}))
    return [alone("replay", UNIT, runs)]


def orders(file: Path, count: int) -> None:
    """A file of orders in a town of three quarters, one every few minutes; each number makes its own."""
    file.write_text("\n".join([HEADER, *(_order(number) for number in range(count))]) + "\n")


HEADER = "parcel_id,purchased_at,carrier_at,delivered_at,estimated_date,lat,lon,length_cm,width_cm,height_cm,weight_g"


def _order(number: int) -> str:
    bought = START + timedelta(minutes=3 * number)
    carried = bought + timedelta(hours=2 + number * 7 % 20)
    brought = carried + timedelta(hours=6 + number * 11 % 40)
    lat, lon = ((-23.55, -46.63), (-23.50, -46.70), (-23.62, -46.58))[number % 3]
    return (
        f"b{number:06}-1,{bought},{carried},{brought},{brought + timedelta(days=1)},{lat + number % 17 * 0.001:.4f},"
        f"{lon + number % 13 * 0.001:.4f},{12 + number % 20},{10 + number % 15},{4 + number % 12},{200 + number % 5000}"
    )

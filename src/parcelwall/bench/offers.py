"""Offers: the ten nearest of 60,000 stations with the chance of room, against a request that does nothing.

Both are asked of the same hub process, one after the other. The stations stand in a grid of 0.02 degrees. Each has a
table like those of `plan room`: chances by size and day for three carriers, of which one asks, and for all others.
"""

from collections.abc import Iterator
from datetime import datetime

import asyncpg
import msgspec

from parcelwall.bench.figure import Figure, Once, Tick, cpu_figure, from_pairs
from parcelwall.bench.ground import Ground, HubProcesses
from parcelwall.bench.load_http import CONNECTIONS, send
from parcelwall.bench.meters import memory_mib, tree_cpu_s
from parcelwall.bench.network import CARRIER
from parcelwall.bench.plan import Plan
from parcelwall.clock import SystemClock
from parcelwall.hub import keys as hub_keys
from parcelwall.ids import Ids
from parcelwall.rules import facts
from parcelwall.rules.offers import RoomTable

FLOOR = 0.35
STATIONS, STATIONS_QUICK, WIDE, STEP_DEG = 60_000, 6_000, 300, 0.02
STARTS_WITHIN_S = 240.0  # a hub process reads every station before it answers
CARRIERS = (CARRIER, "bench-two", "bench-three")
_ROW = ("id", "config", "name", "lat", "lon", "record", "room", "in_service")


async def measure(ground: Ground, plan: Plan, tick: Tick) -> list[Figure]:
    """Requests a second, and CPU, of offers beside a request that does nothing."""
    stations = STATIONS if plan.runs > 1 else STATIONS_QUICK
    tick(f"offers: making {stations} stations")
    dsn = await ground.fresh("offers")
    await _fill(ground, dsn, stations)
    given = [ground.network.carrier_key, str(stations // WIDE), str(WIDE), str(STEP_DEG)]
    pairs = []
    async with ground.hub(dsn, 1, STARTS_WITHIN_S) as hub:
        send("offers", hub.ports, plan.warm_s, given)
        for number in range(plan.runs):
            tick(f"offers, pair {number + 1} of {plan.runs}")
            pairs.append((_once("offers", ground, hub, plan, given), _once("noop", ground, hub, plan, [])))
        used = round(memory_mib(hub.pids[0])["rss"])
    about = "GET /health/live on the same process"
    wall = from_pairs("offers", "requests/s", pairs, floor=FLOOR, reference_is=about, connections=CONNECTIONS,
                      hub_processes=1, stations=stations, hub_rss_mib=used)  # fmt: skip
    return [wall, cpu_figure(wall, pairs, FLOOR)]


def _once(script: str, ground: Ground, hub: HubProcesses, plan: Plan, given: list[str]) -> Once:
    before = tree_cpu_s(hub.pids), tree_cpu_s([ground.postmaster])
    # Long enough that the first request of each connection, which waits for all to be opened, is no hundredth.
    load = send(script, hub.ports, plan.long_s, given)
    spent = {"hub": tree_cpu_s(hub.pids) - before[0], "postgres": tree_cpu_s([ground.postmaster]) - before[1],
             "load": load.cpu_s}  # fmt: skip
    return Once(
        load.requests / load.duration_us * 1e6, {who: s / load.requests * 1e6 for who, s in spent.items()},
        {"p50_ms": load.p50_ms, "p99_ms": load.p99_ms},
    )  # fmt: skip


async def _fill(ground: Ground, dsn: str, stations: int) -> None:
    """Stations like those of the network, each with a secret and a table of chances, instead of the network's own."""
    clock = SystemClock()
    keys = hub_keys.load(ground.folder / "hub", Ids(clock))
    connection = await asyncpg.connect(dsn)
    try:
        row = await connection.fetchrow("SELECT record, room FROM station WHERE id = $1", ground.network.stations[0])
        about = msgspec.json.decode(row["record"], type=facts.StationConfigured)
        made = list(_stations(about, stations))
        records = [(each.station, 1, each.name, each.lat, each.lon, facts.body(each), row["room"], True)
                   for each in made]  # fmt: skip
        await connection.copy_records_to_table("station", records=records, columns=_ROW)
        secrets = [(each.station, 0, keys.seal(b"s" * 32, f"station/{each.station}")) for each in made]
        await connection.copy_records_to_table("station_secret", records=secrets)
        now = clock.now()
        tables = [("RoomTable", each.station, _table(each.station, place, now), now) for place, each in enumerate(made)]
        await connection.copy_records_to_table("learnt", records=tables)
        await connection.execute("ANALYZE station, learnt, station_secret")
    finally:
        await connection.close()


def _stations(about: facts.StationConfigured, count: int) -> Iterator[facts.StationConfigured]:
    for place in range(count):
        yield msgspec.structs.replace(
            about, station=f"O-{place:05}", name=f"Station {place}", lat=48 + place // WIDE * STEP_DEG,
            lon=14 + place % WIDE * STEP_DEG,
        )  # fmt: skip


def _table(station: str, place: int, now: datetime) -> str:
    """No two rows of it are alike, nor those of two stations, to the four digits that `plan room` tells."""
    of_all, *of_carrier = (_rows(place * 4 + who) for who in range(1 + len(CARRIERS)))
    by_carrier = dict(zip(CARRIERS, of_carrier, strict=True))
    made = RoomTable(station=station, made_at=now, chance=of_all, by_carrier=by_carrier, model="room-3/moved")
    return msgspec.json.encode(made).decode()


def _rows(whose: int) -> dict[str, tuple[float, ...]]:
    """.8 to .995, spread by Knuth's multiplicative hash, another one for each day."""
    return {size: tuple(round(0.8 + ((whose * 3 + place) * (2654435761 + 80_812 * day) % 2**32 >> 12) % 1951 / 1e4, 4)
                        for day in range(8)) for place, size in enumerate("SML")}  # fmt: skip

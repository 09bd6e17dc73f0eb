"""Announce and reserve over HTTP: 128 connections, two hub processes, people and idempotency rows, all durable."""

from collections.abc import Sequence

import asyncpg

from parcelwall.bench import rows
from parcelwall.bench.figure import Figure, Once, Tick, cpu_figure, from_pairs
from parcelwall.bench.ground import Ground, level
from parcelwall.bench.load_http import send
from parcelwall.bench.meters import tree_cpu_s
from parcelwall.bench.plan import Plan
from parcelwall.errors import Trouble

NAME, UNIT = "announce", "parcels/s"
REFERENCE_IS = "pgbench, 16 clients: the same rows one parcel at a time (announce.sql)"


async def measure(ground: Ground, plan: Plan, tick: Tick) -> list[Figure]:
    pairs = []
    for number in range(plan.runs):
        tick(f"announce + reserve, pair {number + 1} of {plan.runs}: hub")
        mine = await ours(ground, plan)
        tick(f"announce + reserve, pair {number + 1} of {plan.runs}: pgbench")
        pairs.append((mine, await reference(ground, plan)))
    wall = from_pairs(NAME, UNIT, pairs, floor=2.0, reference_is=REFERENCE_IS, connections=128, hub_processes=2)
    return [wall, cpu_figure(wall, pairs, 2.0)]


async def ours(ground: Ground, plan: Plan) -> Once:
    """Our side of one pair. Raises Trouble if a request was refused."""
    dsn = await ground.fresh("ours")
    async with ground.hub(dsn) as hub:
        send("announce", hub.ports, plan.warm_s, _arguments(ground, "w"))
        await level(dsn)
        before = await _count(dsn)
        processes = tree_cpu_s(hub.pids), tree_cpu_s([ground.postmaster])
        load = send("announce", hub.ports, plan.long_s, _arguments(ground, "r"))
        behind_s = await level(dsn)
        hub_s, postgres_s = tree_cpu_s(hub.pids) - processes[0], tree_cpu_s([ground.postmaster]) - processes[1]
        written = await _count(dsn) - before
    if written < load.requests:
        raise Trouble(f"{load.requests} answers said yes, but {written} parcels have room")
    took_s = load.duration_us / 1e6 + behind_s
    cpu = {"hub": hub_s, "postgres": postgres_s, "load": load.cpu_s}
    return Once(
        load.requests / took_s, {who: s / load.requests * 1e6 for who, s in cpu.items()},
        {"p50_ms": load.p50_ms, "p99_ms": load.p99_ms, "busy_cores": sum(cpu.values()) / took_s,
         "followers_behind_s": behind_s},
    )  # fmt: skip


def _arguments(ground: Ground, run: str) -> Sequence[str]:
    return [ground.network.carrier_key, run, str(len(ground.network.stations)), "S"]


async def _count(dsn: str) -> int:
    """Parcels with room: none may have been diverted."""
    connection = await asyncpg.connect(dsn)
    try:
        if await connection.fetchval("SELECT count(*) FROM parcel WHERE stage <> 'RESERVED'"):
            raise Trouble("a parcel was not given room: the run would compare other work")
        found: int = await connection.fetchval("SELECT count(*) FROM parcel")
        return found
    finally:
        await connection.close()


async def reference(ground: Ground, plan: Plan) -> Once:
    dsn = await ground.fresh("reference")
    await rows.begin_streams(dsn, ())
    variables = await rows.samples(dsn) | {"n": "0", "stations": str(len(ground.network.stations))}
    ground.pgbench.run("announce", dsn, plan.warm_s, ground.postmaster, variables)
    variables["n"] = "10000000"
    return ground.pgbench.run("announce", dsn, plan.long_s, ground.postmaster, variables)

"""Track by reference: what anybody may ask, over HTTP at 128 connections, against pgbench reading the same row."""

from parcelwall.bench.figure import Figure, Once, Tick, cpu_figure, from_pairs
from parcelwall.bench.ground import Ground, HubProcesses
from parcelwall.bench.load_http import send
from parcelwall.bench.meters import tree_cpu_s
from parcelwall.bench.plan import Plan

FLOOR = 0.20


async def measure(ground: Ground, plan: Plan, tick: Tick) -> list[Figure]:
    """Tracking by number against the same query by pgbench."""
    dsn = await ground.fresh("ours")
    numbers = str(ground.network.parcels)
    pairs = []
    async with ground.hub(dsn) as hub:
        send("track", hub.ports, plan.warm_s, [numbers])
        for number in range(plan.runs):
            tick(f"track, pair {number + 1} of {plan.runs}")
            mine = ours(ground, hub, plan, numbers)
            run = ground.pgbench.run("track", dsn, plan.long_s / 2, ground.postmaster, {"parcels": numbers})
            pairs.append((mine, run))
    about = "pgbench, 16 clients: the same query (track.sql)"
    wall = from_pairs("track", "requests/s", pairs, floor=FLOOR, reference_is=about, connections=128, hub_processes=2)
    return [wall, cpu_figure(wall, pairs, FLOOR)]


def ours(ground: Ground, hub: HubProcesses, plan: Plan, numbers: str) -> Once:
    before = tree_cpu_s(hub.pids), tree_cpu_s([ground.postmaster])
    load = send("track", hub.ports, plan.long_s / 2, [numbers])
    cpu = {"hub": tree_cpu_s(hub.pids) - before[0], "postgres": tree_cpu_s([ground.postmaster]) - before[1],
           "load": load.cpu_s}  # fmt: skip
    return Once(
        load.requests / load.duration_us * 1e6, {who: spent / load.requests * 1e6 for who, spent in cpu.items()},
        {"p50_ms": load.p50_ms, "p99_ms": load.p99_ms},
    )  # fmt: skip

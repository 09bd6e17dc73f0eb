"""The whole life: announced and promised room over HTTP, brought and collected over the link, against pgbench.

The two halves run one after the other at saturation, and their seconds are added: what a hub can carry all day.
"""

from parcelwall.bench import rows
from parcelwall.bench.figure import Figure, Once, Tick, cpu_figure, from_pairs
from parcelwall.bench.ground import Ground, level
from parcelwall.bench.ingest import dialling, refuse_cases, shipped
from parcelwall.bench.link_job import Job
from parcelwall.bench.load_http import send
from parcelwall.bench.meters import tree_cpu_s
from parcelwall.bench.plan import Plan
from parcelwall.errors import Trouble

REFERENCE_IS = "pgbench, 16 clients: the same rows in three transactions a parcel (life.sql)"
FLOOR = 2.0


async def measure(ground: Ground, plan: Plan, tick: Tick) -> list[Figure]:
    pairs = []
    for number in range(plan.runs):
        tick(f"whole life, pair {number + 1} of {plan.runs}: hub")
        mine = await ours(ground, plan)
        tick(f"whole life, pair {number + 1} of {plan.runs}: pgbench")
        pairs.append((mine, await reference(ground, plan)))
    wall = from_pairs("life", "parcels/s", pairs, floor=FLOOR, reference_is=REFERENCE_IS, hub_processes=2)
    return [wall, cpu_figure(wall, pairs, FLOOR)]


async def ours(ground: Ground, plan: Plan) -> Once:
    """Our side of one pair: announced by HTTP, deposited and collected by the link. Raises Trouble for a refusal."""
    dsn = await ground.fresh("ours")
    network = ground.network
    async with ground.hub(dsn) as hub:
        send("announce", hub.ports, plan.warm_s, [network.carrier_key, "w", str(len(network.stations)), "S"])
        await level(dsn)
        before = tree_cpu_s(hub.pids), tree_cpu_s([ground.postmaster])
        told = [network.carrier_key, "r", str(len(network.whole)), "U"]
        load = send("announce", hub.ports, max(1.0, plan.long_s / 2), told)
        http_s = load.duration_us / 1e6 + await level(dsn)
        spent = {"hub": tree_cpu_s(hub.pids) - before[0], "postgres": tree_cpu_s([ground.postmaster]) - before[1],
                 "load": load.cpu_s}  # fmt: skip
        stations = await dialling(dsn, network.whole, hub.ports)
        parcels = sum(len(each.parcels) for each in stations)
        done, cpu = await shipped(ground, hub, dsn, Job(stations=stations, per_frame=100, long_s=0))
        await refuse_cases(dsn)
    if parcels < load.requests:
        raise Trouble(f"{load.requests} parcels were promised room, and {parcels} were brought")
    # wrk counts what was answered in time; a few more were written, and their way to the doors was measured too.
    seconds = http_s / load.requests + done.seconds / parcels
    per = {who: spent[who] / load.requests * 1e6 + cpu[who] / parcels * 1e6 for who in spent}
    return Once(1 / seconds, per, {"http_share": http_s / load.requests / seconds})


async def reference(ground: Ground, plan: Plan) -> Once:
    dsn = await ground.fresh("reference")
    await rows.begin_streams(dsn, ground.network.whole)
    variables = await rows.samples(dsn) | {"n": "0", "stations": str(len(ground.network.whole))}
    return ground.pgbench.run("life", dsn, plan.long_s, ground.postmaster, variables)

"""Link ingest: what 200 stations' doors saw, as signed frames over WebSockets to the real `/link`, until acknowledged.

A parcel here is a deposit or a collection: three entries, one change of the parcel, one of the station's room.
"""

import asyncio
import subprocess
import sys
from collections.abc import Sequence

import asyncpg
import msgspec

from parcelwall.bench import rows
from parcelwall.bench.figure import Figure, Once, Tick, cpu_figure, from_pairs
from parcelwall.bench.ground import Ground, HubProcesses, level
from parcelwall.bench.link_job import Dialling, Job, Shipped, Visitor
from parcelwall.bench.meters import tree_cpu_s
from parcelwall.bench.plan import Plan
from parcelwall.bench.visits import ENTRIES_PER_PARCEL
from parcelwall.errors import Trouble
from parcelwall.journal.chain import start

UNIT = "parcels/s"
REFERENCE_IS = "pgbench, 16 clients: the same rows one deposit or collection at a time (doors.sql)"
FLOORS = {100: 6.0, 10: 4.0}
STARTS_WITHIN_S = 300.0

_PARCELS = """
SELECT station, array_agg(id::text ORDER BY id) AS parcels, array_agg(reservation::text ORDER BY id) AS reservations
FROM parcel WHERE station = ANY($1::text[]) AND stage = 'RESERVED' GROUP BY station ORDER BY station"""
_HEADS = "SELECT name, number, hash FROM writer"
_CASES = "SELECT about || ' of ' || coalesce(station, '') FROM case_file LIMIT 1"


async def measure(ground: Ground, plan: Plan, tick: Tick) -> list[Figure]:
    """Link ingest with frames of 100 and of 10 entries, each against the same rows one by one."""
    pairs: dict[int, list[tuple[Once, Once]]] = {size: [] for size in FLOORS}
    for number in range(plan.runs):
        tick(f"link ingest, pair {number + 1} of {plan.runs}: pgbench")
        theirs = await reference(ground, plan)
        for size, found in pairs.items():
            tick(f"link ingest, pair {number + 1} of {plan.runs}: hub, frames of {size}")
            found.append((await ours(ground, plan, size), theirs))
    figures = []
    for size, found in pairs.items():
        wall = from_pairs(f"ingest_{size}", UNIT, found, floor=FLOORS[size], reference_is=REFERENCE_IS, frame=size,
                          stations=plan.linked, hub_processes=2)  # fmt: skip
        figures += [wall, cpu_figure(wall, found, FLOORS[size])]
    return figures


async def ours(ground: Ground, plan: Plan, per_frame: int) -> Once:
    dsn = await ground.fresh("ours")
    async with ground.hub(dsn) as hub:
        stations = await dialling(dsn, ground.network.linked, hub.ports)
        done, cpu = await shipped(ground, hub, dsn, Job(stations=stations, per_frame=per_frame, long_s=plan.long_s))
        await refuse_cases(dsn)
    parcels = done.entries / ENTRIES_PER_PARCEL
    return Once(
        parcels / done.seconds, {who: spent / parcels * 1e6 for who, spent in cpu.items()},
        {"entries_per_s": done.entries / done.seconds, "ack_p50_ms": done.p50_ms, "ack_p99_ms": done.p99_ms,
         "busy_cores": sum(cpu.values()) / done.seconds},
    )  # fmt: skip


async def dialling(dsn: str, names: Sequence[str], ports: Sequence[int]) -> list[Dialling]:
    """The stations of these names with the parcels that are promised there, shared out over the hub processes."""
    connection = await asyncpg.connect(dsn)
    try:
        heads = {row["name"]: (row["number"], row["hash"].hex()) for row in await connection.fetch(_HEADS)}
        found = await connection.fetch(_PARCELS, list(names))
    finally:
        await connection.close()
    return [_dialling(row, heads, ports[place % len(ports)]) for place, row in enumerate(found)]


def _dialling(row: asyncpg.Record, heads: dict[str, tuple[int, str]], port: int) -> Dialling:
    name, hub_writer = row["station"], f"hub:1/{row['station']}"
    number, digest = heads.get(name, (0, start(name).hash.hex()))
    parcels = [Visitor(*pair) for pair in zip(row["parcels"], row["reservations"], strict=True)]
    return Dialling(station=name, port=port, number=number, hash=digest, hub_writer=hub_writer,
                    hub_number=heads[hub_writer][0], parcels=parcels)  # fmt: skip


async def shipped(ground: Ground, hub: HubProcesses, dsn: str, job: Job) -> tuple[Shipped, dict[str, float]]:
    """Runs the load, until the followers are level; answers what it shipped in how long, and CPU seconds of hub, server
    and load. Raises Trouble if it breaks."""
    file = ground.folder / "job.json"
    file.write_bytes(msgspec.json.encode(job))
    process = subprocess.Popen([sys.executable, "-m", "parcelwall.bench.load_link", str(file)], text=True,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
    try:
        if await asyncio.wait_for(asyncio.to_thread(process.stdout.readline), STARTS_WITHIN_S) != "READY\n":  # type: ignore[union-attr]
            raise Trouble("the load over the link did not come up")
        await level(dsn)
        before = tree_cpu_s(hub.pids), tree_cpu_s([ground.postmaster])
        process.stdin.write("go\n")  # type: ignore[union-attr]
        process.stdin.flush()  # type: ignore[union-attr]
        line = await asyncio.wait_for(asyncio.to_thread(process.stdout.readline), STARTS_WITHIN_S)  # type: ignore[union-attr]
        behind_s = await level(dsn) if line else 0.0
        after = tree_cpu_s(hub.pids), tree_cpu_s([ground.postmaster])
    finally:
        process.kill()
        process.wait()
    if not line:
        raise Trouble("the load over the link broke off")
    done = msgspec.json.decode(line, type=Shipped)
    done = msgspec.structs.replace(done, seconds=done.seconds + behind_s)
    return done, {"hub": after[0] - before[0], "postgres": after[1] - before[1], "load": done.cpu_s}


async def refuse_cases(dsn: str) -> None:
    """Raises Trouble if anything was unexpected: then the run compared other work."""
    connection = await asyncpg.connect(dsn)
    try:
        case = await connection.fetchval(_CASES)
    finally:
        await connection.close()
    if case:
        raise Trouble(f"a case was opened: {case}")


async def reference(ground: Ground, plan: Plan) -> Once:
    dsn = await ground.fresh("reference")
    await rows.begin_streams(dsn, ground.network.linked)
    variables = await rows.samples(dsn) | {"n": "-1"}
    return ground.pgbench.run("doors", dsn, plan.long_s, ground.postmaster, variables, per_transaction=2)

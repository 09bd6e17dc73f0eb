"""Load over HTTP: Debian's wrk with a Lua script that makes every request another one. A process of its own."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import msgspec

from parcelwall.bench.meters import reaped_cpu_s
from parcelwall.errors import Trouble

SCRIPTS = Path(__file__).parent
CONNECTIONS = 128


class Load(msgspec.Struct, frozen=True):
    """What wrk counted. `cpu_s` is its own CPU time."""

    requests: int
    duration_us: int
    wrong: int
    lost: int
    p50_ms: float
    p99_ms: float
    cpu_s: float = 0.0


def send(
    script: str, ports: Sequence[int], seconds_long: float, arguments: Sequence[str], connections: int = CONNECTIONS
) -> Load:
    """Requests at saturation, the connections shared out over the ports. Raises Trouble for answers that are no 2xx."""
    program = shutil.which("wrk")
    if program is None:
        raise Trouble("wrk is missing: on Debian, apt-get install wrk (script/bench does it)")
    threads = max(2, len(ports))
    command = [program, f"-t{threads}", f"-c{connections}", f"-d{max(1, round(seconds_long))}s", "--timeout", "20s",
               "-s", str(SCRIPTS / f"{script}.lua"), f"http://127.0.0.1:{ports[0]}", "--", *arguments]  # fmt: skip
    before = reaped_cpu_s()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=_environment(ports))
    found = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    if done.returncode or not found:
        raise Trouble(f"wrk failed: {done.stderr.strip()[-500:]} {done.stdout.strip()[-500:]}")
    load = msgspec.json.decode(found[0].removeprefix("RESULT "), type=Load)
    if load.wrong or load.lost or not load.requests:
        raise Trouble(f"wrk: {load.wrong} answers of {load.requests} were no success, {load.lost} were lost")
    return msgspec.structs.replace(load, cpu_s=reaped_cpu_s() - before)


def _environment(ports: Sequence[int]) -> dict[str, str]:
    """Where the ports are, and where a script finds common.lua (`?` is Lua's name of what is required)."""
    return os.environ | {"BENCH_PORTS": ",".join(map(str, ports)), "LUA_PATH": f"{SCRIPTS}/?.lua"}

"""The machine that figures were taken on: without it a figure means nothing."""

import os
import platform
import re
from pathlib import Path

import msgspec


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """Cores, processor, memory, kernel and versions; `fsync` as the server says."""

    cores: int
    cpu: str
    ram_gib: float
    kernel: str
    python: str
    postgresql: str
    fsync: str
    pgbench: str
    load_1_min: float


def describe(postgresql: str, fsync: str, pgbench: str) -> Machine:
    model = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())
    return Machine(
        cores=len(os.sched_getaffinity(0)), cpu=model[1] if model else platform.machine(),
        ram_gib=round(int(memory[1]) / 1024**2, 1) if memory else 0.0, kernel=platform.release(),
        python=platform.python_version(), postgresql=postgresql, fsync=fsync, pgbench=pgbench,
        load_1_min=round(os.getloadavg()[0], 2),
    )  # fmt: skip

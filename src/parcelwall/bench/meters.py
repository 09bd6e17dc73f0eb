"""Stopwatch, CPU time and memory of other processes. Linux only, for /proc.

The only place of the house that reads `time.perf_counter`: a benchmark measures real time and decides nothing by it.
"""

import os
import resource
import time
from collections.abc import Iterable
from pathlib import Path

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def seconds() -> float:
    """Seconds since an arbitrary start, to a fraction of a microsecond."""
    return time.perf_counter()


def _stat(pid: int) -> list[str]:
    """Fields of /proc/PID/stat from the state on; utime is [11], stime [12], of reaped children [13] and [14]."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def children(pid: int) -> list[int]:
    """Processes that this one started, not theirs."""
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def tree_cpu_s(pids: Iterable[int]) -> float:
    """CPU seconds of these processes and all they started, ended ones included."""
    total = 0.0
    for pid in pids:
        try:
            fields = _stat(pid)
        except OSError:  # it has ended: its starter counts it from now on
            continue
        total += sum(int(field) for field in fields[11:15]) * _TICK_S + tree_cpu_s(children(pid))
    return total


def reaped_cpu_s() -> float:
    """CPU seconds of this process's own children that have ended and were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def memory_mib(pid: int) -> dict[str, float]:
    """Resident and proportional memory of one process, in MiB. Proportional shares out what several have mapped."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    table = {line.split(":")[0]: line.split()[1] for line in lines[1:]}
    return {"rss": int(table["Rss"]) / 1024, "pss": int(table["Pss"]) / 1024}

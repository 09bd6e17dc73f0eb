"""How much of the machine was used, by this process and by the database it started. Linux only, for /proc."""

import os
from pathlib import Path

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def core_seconds(server: int | None = None) -> float:
    """Seconds of CPU so far: of this process, and of a server with all that it started."""
    return _used(os.getpid()) + (_tree(server) if server else 0.0)


def _tree(pid: int) -> float:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        children = []
    return _used(pid, waited_for=True) + sum(_tree(int(child)) for child in children)


def _used(pid: int, waited_for: bool = False) -> float:
    """Of one process; `waited_for`: with those that it started and that have ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(field) for field in fields[11 : 15 if waited_for else 13]) * _TICK_S

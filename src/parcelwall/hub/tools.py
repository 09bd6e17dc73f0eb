"""PostgreSQL's own programs on the hub's own database: for backups, restores and whoever wants to look."""

import asyncio
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from parcelwall.errors import Trouble
from parcelwall.hub import wheel
from parcelwall.hub.embedded import EmbeddedPostgres

PROGRAMS = ("pg_dump", "pg_restore", "psql")
OWNER_ONLY = 0o077  # what these write is for nobody else: a dump holds people, if sealed


async def run(folder: Path, words: Sequence[str], new: bool) -> int:
    """Runs a program of PostgreSQL's on the database of `folder`, and answers its exit code.

    The server is started if none runs, and stopped again then. With `new` an empty database is made first. Raises
    Trouble for another program, for a database that is not there, and for a new one where there is one.
    """
    if words[0] not in PROGRAMS:
        raise Trouble(f"{words[0]} is none of {', '.join(PROGRAMS)}: write it out with the options that it shall have")
    if not new and not (folder / "cluster").exists():
        raise Trouble(f"{folder} holds no database: --data must name a hub's folder. --new makes an empty one there")
    if new and (folder / "cluster").exists():
        raise Trouble(f"{folder} holds a database already: move that folder away first, or leave --new out")
    server = EmbeddedPostgres(folder)
    try:
        return await _on(await server.start(), words)
    finally:
        await server.stop()


async def _on(dsn: str, words: Sequence[str]) -> int:
    address = urlsplit(dsn)
    known = parse_qs(address.query)
    where = {"PGHOST": known["host"][0], "PGPORT": known["port"][0], "PGUSER": address.username or "",
             "PGDATABASE": address.path.strip("/")}  # fmt: skip
    path = wheel.folder() / "pginstall/bin" / words[0]
    process = subprocess.Popen(  # noqa: ASYNC220 (uvloop has no umask)
        [path, *words[1:]], env=os.environ | where, umask=OWNER_ONLY
    )
    try:
        return await asyncio.to_thread(process.wait)
    except asyncio.CancelledError:
        process.terminate()
        raise

"""A second PostgreSQL server, as another machine has it, and PostgreSQL's own programs to carry a hub there."""

import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from parcelwall.hub import wheel
from parcelwall.hub.embedded import EmbeddedPostgres


@asynccontextmanager
async def another_machine(folder: Path) -> AsyncIterator[str]:
    """DSN of an empty database of a server that has never heard of a hub."""
    server = EmbeddedPostgres(folder, durable=False)
    try:
        yield await server.start()
    finally:
        await server.stop()


def program(dsn: str, name: str, *words: str) -> subprocess.CompletedProcess[bytes]:
    address = urlsplit(dsn)
    where = ("-h", parse_qs(address.query)["host"][0], "-U", "parcelwall", "-d", address.path.strip("/"))
    return subprocess.run([wheel.folder() / "pginstall/bin" / name, *where, *words], capture_output=True)

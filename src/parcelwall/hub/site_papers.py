"""Papers of a station's permit: a PDF or a picture each, byte for byte as they came. People may stand in them, so they
are sealed, with their names; the journal's newest `SiteNoted` names them by their SHA-256 alone."""

import hashlib
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec.structs import replace

from parcelwall.errors import Refusal
from parcelwall.hub import sites
from parcelwall.hub.house import Hub

MOST_BYTES, MOST = 5_000_000, 10
LONGEST_NAME = 80
KINDS = {b"%PDF-": ("application/pdf", ".pdf"), b"\x89PNG\r\n\x1a\n": ("image/png", ".png"),
         b"\xff\xd8\xff": ("image/jpeg", ".jpg")}  # fmt: skip

_KEEP = "INSERT INTO site_paper VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING"
_OF = "SELECT digest, name, size_bytes, came_at FROM site_paper WHERE station = $1 ORDER BY came_at, digest"
_ONE = "SELECT name, sealed FROM site_paper WHERE station = $1 AND digest = $2"


class Paper(msgspec.Struct, frozen=True):
    """One paper, without what is in it."""

    digest: str
    name: str
    size_bytes: int
    came_at: datetime


async def keep(hub: Hub, station: str, name: str, content: bytes, actor: UUID | None) -> None:
    """Keeps a paper; the same again is the same one. Refuses what is no PDF, PNG or JPEG by its content, more than
    MOST_BYTES, more than MOST of one station, and an unknown station."""
    if len(content) > MOST_BYTES:
        raise Refusal("too_large_a_body", f"A paper has at most {MOST_BYTES // 1_000_000} MB.")
    digest, named = hashlib.sha256(content).hexdigest(), file_name(name, content).encode()
    async with sites.changing(hub, station) as (connection, now):
        if digest in now.papers:
            return
        if len(now.papers) >= MOST:
            raise Refusal("too_large_a_body", f"At most {MOST} papers are kept of one station.")
        await sites.note(hub, replace(now, papers=(*now.papers, digest), actor=actor), connection)
        sealed = (hub.keys.seal(each, _purpose(what, station, digest)) for what, each in
                  (("name", named), ("paper", content)))  # fmt: skip
        hidden, inside = sealed
        await connection.execute(_KEEP, station, digest, hidden, len(content), inside, hub.clock.now())
    await hub.refresh()


async def delete(hub: Hub, station: str, digest: str, actor: UUID | None) -> None:
    """The paper is gone at once; the journal goes on naming what it was. Refuses one that is not there."""
    async with sites.changing(hub, station) as (connection, now):
        if digest not in now.papers:
            raise Refusal("not_found")
        papers = tuple(each for each in now.papers if each != digest)
        await sites.note(hub, replace(now, papers=papers, actor=actor), connection)
        await connection.execute("DELETE FROM site_paper WHERE station = $1 AND digest = $2", station, digest)
    await hub.refresh()


async def of(hub: Hub, station: str) -> list[Paper]:
    """The papers of a station, oldest first."""
    return [
        Paper(row["digest"], hub.keys.open(row["name"], _purpose("name", station, row["digest"])).decode(),
              row["size_bytes"], row["came_at"])
        for row in await hub.pool.fetch(_OF, station)
    ]  # fmt: skip


async def find(hub: Hub, station: str, digest: str) -> tuple[str, str, bytes] | None:
    """Name, kind and content of one; None for one that is not there."""
    known = hub.stations.known.get(station)
    if known is None or known.site is None or digest not in known.site.papers:
        return None  # before the database is asked, which takes no name with a NUL in it
    row = await hub.pool.fetchrow(_ONE, station, digest)
    if row is None:
        return None
    name, content = (hub.keys.open(row[column], _purpose(what, station, digest)) for what, column in
                     (("name", "name"), ("paper", "sealed")))  # fmt: skip
    return name.decode(), _kind(content)[0], content


def file_name(name: str, content: bytes) -> str:
    """As it was called, without folders and what is not to be seen, and with the ending of what it is. Refuses what is
    no PDF, PNG or JPEG."""
    ending = _kind(content)[1]
    plain = "".join(each for each in name.replace("\\", "/").rpartition("/")[2] if each.isprintable()).strip()
    known = (ending, ".jpeg") if ending == ".jpg" else (ending,)
    stem = next((plain[: -len(each)] for each in known if plain.lower().endswith(each)), plain)
    return (stem[:LONGEST_NAME].strip(" .") or "paper") + ending


def _kind(content: bytes) -> tuple[str, str]:
    for begins, kind in KINDS.items():
        if content.startswith(begins) and (begins != b"%PDF-" or b"%%EOF" in content[-1024:]):
            return kind
    raise Refusal("bad_field", "A paper is a PDF, a PNG or a JPEG.", field="paper")


def _purpose(what: str, station: str, digest: str) -> str:
    return f"site-{what}/{station}/{digest}"

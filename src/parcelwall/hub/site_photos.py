"""A picture of each station as people come to it. It is for everybody, so it is kept in the clear; the journal's newest
`SiteNoted` names it by its SHA-256, and what that names no longer is deleted."""

import hashlib
import struct
import zlib
from collections.abc import Iterator
from uuid import UUID

from msgspec.structs import replace

from parcelwall.errors import Refusal
from parcelwall.hub import sites
from parcelwall.hub.house import Hub
from parcelwall.hub.photos import MOST_BYTES, stripped

LONGEST_PX = 1600
_PNG = b"\x89PNG\r\n\x1a\n"
_HEAD, _DATA, _END = b"IHDR", b"IDAT", b"IEND"
_DRAWN = frozenset({_HEAD, b"PLTE", b"tRNS", _DATA, _END})  # all else tells of camera, time or owner, or moves

_KEEP = "INSERT INTO site_photo VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
_DROP = "DELETE FROM site_photo WHERE station = $1 AND digest <> $2"


async def put(hub: Hub, station: str, picture: bytes, actor: UUID | None) -> None:
    """The station's picture from now on, b"" for none. Refuses an unknown station, and what is no small JPEG or PNG."""
    shown = cleaned(picture) if picture else b""
    digest = hashlib.sha256(shown).hexdigest() if shown else ""
    async with sites.changing(hub, station) as (connection, now):
        await sites.note(hub, replace(now, photo=digest, actor=actor), connection)
        if shown:
            await connection.execute(_KEEP, station, digest, shown)
        await connection.execute(_DROP, station, digest)
    await hub.refresh()


async def find(hub: Hub, station: str, digest: str) -> tuple[str, bytes] | None:
    """Kind and content of the picture that the station has now; None for any other."""
    known = hub.stations.known.get(station)
    if known is None or known.site is None or not digest or known.site.photo != digest:
        return None
    picture = await hub.pool.fetchval(
        "SELECT picture FROM site_photo WHERE station = $1 AND digest = $2", station, digest
    )
    return None if picture is None else ("image/png" if picture.startswith(_PNG) else "image/jpeg", picture)


def cleaned(picture: bytes) -> bytes:
    """The JPEG or PNG, by its content, without what is written beside the picture. Refuses what is neither, larger than
    MOST_BYTES, or with a side of more than LONGEST_PX."""
    if not picture.startswith(_PNG):
        return stripped(picture, LONGEST_PX)
    if len(picture) > MOST_BYTES:
        raise Refusal("too_large_a_body", f"A photo has at most {MOST_BYTES // 1000} kB.")
    try:
        return _PNG + b"".join(_chunks(picture))
    except (struct.error, ValueError) as no:
        raise Refusal("bad_field", "A photo is one whole JPEG or PNG.", field="photo") from no


def _chunks(picture: bytes) -> Iterator[bytes]:
    """The parts to keep. ValueError or struct.error for what is no PNG. Source: W3C PNG, 5 and 11.2."""
    at, kind, has_data = len(_PNG), b"", False
    while kind != _END:
        length, kind = struct.unpack_from(">I4s", picture, at)
        chunk = picture[at : at + 12 + length]
        if len(chunk) != 12 + length or zlib.crc32(chunk[4:-4]) != int.from_bytes(chunk[-4:], "big"):
            raise ValueError("cut short or damaged")
        if (at == len(_PNG)) != (kind == _HEAD):
            raise ValueError("its head does not stand first, once")
        if kind == _HEAD and not all(1 <= side_px <= LONGEST_PX for side_px in struct.unpack_from(">II", chunk, 8)):
            raise ValueError("too many pixels, or none")
        has_data |= kind == _DATA
        if kind in _DRAWN:
            yield chunk
        at += len(chunk)
    if not has_data:
        raise ValueError("no picture in it")

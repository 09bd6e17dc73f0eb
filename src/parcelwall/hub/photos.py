"""Photos of what went wrong: stripped of everything but the picture, sealed, kept beside the case and not in the
journal, and gone some time after the case was closed.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from uuid import UUID

from asyncpg import Connection

from parcelwall.errors import Refusal
from parcelwall.hub import tries
from parcelwall.hub.house import Hub

MOST_BYTES = 400_000
MOST_A_DAY = 30  # of one courier: a bad day has a dozen, and a lost phone fills the disk with 12 MB a day at most
KEPT_AFTER_CLOSING = timedelta(days=30)
_START, _END, _SCAN = b"\xff\xd8", 0xD9, 0xDA
_BARE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length
_TOLD = frozenset({*range(0xE0, 0xF0), 0xFE})  # APP0 to APP15 (thumbnails, Exif, XMP, makers' notes) and comments
_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # where the picture's size stands
_SHOWN = frozenset({0xC0, 0xC1, 0xC2})  # what browsers show: nothing lossless, arithmetic or of several frames
_LINES_LATER = 0xDC  # says only after a scan how high the picture is
MOST_PIXELS = 25_000_000  # a few hundred bytes can claim 65,535 by 65,535: room for them is needed
MOST_SCANS = 40  # cameras and editors write 1 to 20; a scan of 40 bytes has the reader go over the whole picture again

_KEEP = "INSERT INTO case_photo VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING"
_COUNT = "SELECT case_id, count(*) AS n FROM case_photo WHERE case_id = ANY($1::uuid[]) GROUP BY 1"
_FORGET = """
DELETE FROM case_photo USING case_file WHERE case_file.id = case_id AND closed_at < $1"""

_ERASE = "DELETE FROM case_photo USING case_file WHERE case_file.id = case_id AND parcel = $1"


async def keep(hub: Hub, photo: UUID, case: UUID, picture: bytes, courier: UUID) -> bool:
    """Keeps a picture with a case; False if the courier has sent MOST_A_DAY within a day. The same again is the same
    one. Refuses what is no small JPEG."""
    if await hub.pool.fetchval("SELECT 1 FROM case_photo WHERE id = $1", photo):
        return True
    if not await tries.take(hub, f"photo/{courier}", MOST_A_DAY, timedelta(days=1)):
        return False
    sealed = hub.keys.seal(stripped(picture), f"photo/{photo}")
    await hub.pool.execute(_KEEP, photo, case, sealed, hub.clock.now())
    return True


async def of_case(hub: Hub, case: UUID) -> list[bytes]:
    """The pictures of a case, oldest first."""
    rows = await hub.pool.fetch("SELECT id, sealed FROM case_photo WHERE case_id = $1 ORDER BY came_at, id", case)
    return [hub.keys.open(row["sealed"], f"photo/{row['id']}") for row in rows]


async def counted(hub: Hub, cases: Sequence[UUID]) -> dict[UUID, int]:
    """How many pictures each of these cases has; those without any are not in it."""
    return {row["case_id"]: row["n"] for row in await hub.pool.fetch(_COUNT, list(cases))}


async def forget(hub: Hub) -> None:
    """Pictures whose case was closed long enough ago."""
    await hub.pool.execute(_FORGET, hub.clock.now() - KEPT_AFTER_CLOSING)


async def erase(connection: Connection, parcel: UUID) -> None:
    """Pictures with cases of this parcel: its label may be on them."""
    await connection.execute(_ERASE, parcel)


def stripped(picture: bytes, longest_px: int | None = None) -> bytes:
    """The JPEG without what a camera writes beside the picture: place, time, owner, thumbnails, what follows its end.

    Refuses what is no JPEG, larger than MOST_BYTES, or with a side of more than `longest_px`.
    Source: ITU-T T.81, annex B.
    """
    if len(picture) > MOST_BYTES:
        raise Refusal("too_large_a_body", f"A photo has at most {MOST_BYTES // 1000} kB.")
    try:
        return _START + b"".join(_segments(picture, longest_px or 0xFFFF)) + bytes([0xFF, _END])
    except (IndexError, ValueError) as no:
        raise Refusal("bad_field", "A photo is one whole JPEG.", field="photo") from no


def _segments(picture: bytes, longest_px: int) -> Iterator[bytes]:
    """The parts to keep, without the first and the last marker. ValueError or IndexError for what is no JPEG."""
    if picture[:2] != _START:
        raise ValueError("no JPEG")
    at, scans, frames = 2, 0, 0
    while (marker := picture[at + 1]) != _END or picture[at] != 0xFF:
        if picture[at] != 0xFF:
            raise ValueError("no marker where one must be")
        if marker == 0xFF:  # fill bytes may stand before a marker
            at += 1
            continue
        end = at + 2 if marker in _BARE else at + 2 + int.from_bytes(picture[at + 2 : at + 4], "big")
        if marker == _SCAN:
            end, scans = _end_of_scan(picture, end), scans + 1
        if end > len(picture):
            raise ValueError("cut short")
        if marker in _FRAME:
            _refuse_large(picture[at:end], longest_px)
            frames += 1
        if marker == _LINES_LATER or scans > MOST_SCANS or (scans and frames != 1):
            raise ValueError("not one frame of so many lines, or too many scans")
        if marker not in _TOLD:
            yield picture[at:end]
        at = end
    if not scans:
        raise ValueError("no picture in it")


def _refuse_large(frame: bytes, longest_px: int) -> None:
    """ValueError for the head of a frame that no browser shows, or that is too large, or empty."""
    height_px, width_px = (int.from_bytes(frame[at : at + 2], "big") for at in (5, 7))
    if frame[1] not in _SHOWN or not height_px or not width_px:
        raise ValueError("of a kind that nobody can look at")
    if height_px * width_px > MOST_PIXELS or max(height_px, width_px) > longest_px:
        raise ValueError("too many pixels")


def _end_of_scan(picture: bytes, at: int) -> int:
    """Where the coded picture ends: at the next marker that is neither a stuffed byte nor a restart."""
    while True:
        at = picture.index(b"\xff", at)
        if picture[at + 1] != 0 and not 0xD0 <= picture[at + 1] <= 0xD7:
            return at
        at += 2

"""The street map's tiles: one PMTiles file, of which browsers read ranges. The demo has one of central Helsinki."""

import hashlib
import re
from pathlib import Path
from typing import Any

from litestar import Request, Response, get

from parcelwall.errors import Refusal, Trouble
from parcelwall.web.render import STATIC, STATIC_HEADERS

HELSINKI = STATIC / "street" / "helsinki.pmtiles"
MOST_BYTES = 4 * 2**20  # of one answer; a tile has a few hundred thousand at most
_RANGE = re.compile(r"bytes=(\d{1,15})-(\d{1,15})")


class Tiles:
    """A file of tiles, or none: then the console draws its own streets. Raises Trouble for what is no PMTiles."""

    def __init__(self, path: Path | None = None) -> None:
        self.path, self.url = path, ""
        if path is None:
            return
        try:
            self.size = path.stat().st_size
            head = self.read(0, 126)
        except OSError as no:
            raise Trouble(f"`map_tiles`: cannot read {path}: {no.strerror}") from no
        if not head.startswith(b"PMTiles\x03"):
            raise Trouble(f"`map_tiles`: {path} is no PMTiles file of version 3.")
        self.url = f"/map/{hashlib.sha256(head + str(self.size).encode()).hexdigest()[:12]}.pmtiles"

    def read(self, first: int, last: int) -> bytes:
        """Bytes from `first` to `last`, both of them with it, as far as the file goes."""
        assert self.path is not None
        with self.path.open("rb") as file:
            file.seek(first)
            return file.read(last - first + 1)


@get("/map/{name:str}", include_in_schema=False, sync_to_thread=True)
def tiles_part(request: Request[Any, Any, Any], name: str, tiles: Tiles) -> Response[bytes]:
    """One range of the file, as it is: what is in it is packed already. Raises Refusal for anything but one range."""
    if not tiles.url.endswith(f"/{name}"):
        raise Refusal("not_found")
    asked = _RANGE.fullmatch(request.headers.get("range", ""))
    first, last = (int(asked[1]), min(int(asked[2]), tiles.size - 1)) if asked else (0, -1)
    if not first <= last < first + MOST_BYTES:
        raise Refusal("bad_field", "Ask for one range of at most 4 MiB.", field="Range")
    headers = {**STATIC_HEADERS, "Content-Range": f"bytes {first}-{last}/{tiles.size}", "Accept-Ranges": "bytes"}
    return Response(tiles.read(first, last), status_code=206, media_type="application/vnd.pmtiles", headers=headers)

"""A station's picture: for everybody who comes there, and nothing of whoever took it."""

import hashlib
import io
import struct
import zlib

import httpx
import pytest
from PIL import Image, PngImagePlugin

from parcelwall.errors import Refusal
from parcelwall.hub import reading, site_photos
from parcelwall.web.render import Renderer, no_words
from parcelwall.web.views import Look
from web import samples
from web.test_console_roles import AREA, ELSEWHERE, Office, office  # noqa: F401 - a fixture

COUNT = "SELECT count(*) FROM site_photo"
TOLD = "by a photographer in Helsinki"


def a_picture(kind: str, size: tuple[int, int] = (640, 480)) -> bytes:
    """With words beside the picture, as cameras and editors write them."""
    out, drawn = io.BytesIO(), Image.new("RGB", size, "teal")
    if kind == "PNG":
        beside = PngImagePlugin.PngInfo()
        beside.add_text("Author", TOLD)
        beside.add_itxt("XML:com.adobe.xmp", TOLD)
        drawn.save(out, "PNG", pnginfo=beside, exif=_exif())
    else:
        drawn.save(out, kind, comment=TOLD.encode(), exif=_exif())
    return out.getvalue()


def _exif() -> Image.Exif:
    exif = Image.Exif()
    exif[0x013B] = TOLD  # the artist
    return exif


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_picture_is_kept_and_what_is_written_beside_it_is_not(kind: str) -> None:
    given = a_picture(kind) + TOLD.encode()
    clean = site_photos.cleaned(given)
    assert TOLD.encode() in given and TOLD.encode() not in clean and b"Exif" not in clean and b"eXIf" not in clean
    kept = Image.open(io.BytesIO(clean))
    assert kept.format == kind and kept.tobytes() == Image.open(io.BytesIO(given)).tobytes()


def _png(*chunks: tuple[bytes, bytes]) -> bytes:
    def whole(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return b"\x89PNG\r\n\x1a\n" + b"".join(whole(*each) for each in chunks)


@pytest.mark.parametrize("given", [
    a_picture("JPEG", (1601, 20)), a_picture("PNG", (20, 1601)), a_picture("JPEG")[:-2], a_picture("PNG")[:-20],
    a_picture("PNG")[:60] + b"x" + a_picture("PNG")[61:], a_picture("GIF"), b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    a_picture("PNG")[:8],
    _png((b"IHDR", struct.pack(">IIBBBBB", 0, 9, 8, 2, 0, 0, 0)), (b"IDAT", b"x"), (b"IEND", b"")),
    _png((b"IDAT", b"x"), (b"IHDR", bytes(13)), (b"IEND", b"")), _png((b"IHDR", b"")),
    a_picture("PNG") + bytes(400_000), a_picture("JPEG") + bytes(400_000),
])  # fmt: skip
def test_what_is_too_large_or_no_picture_is_refused(given: bytes) -> None:
    with pytest.raises(Refusal):
        site_photos.cleaned(given)


async def _put(office: Office, who: str, photo: bytes, station: str = AREA, **more: str) -> httpx.Response:  # noqa: F811
    form = {"slip": office.slips[who], "station": station, **more}
    files = {"photo": ("IMG_0001.JPG", photo, "image/jpeg")}
    return await office.browsers[who].post("/console/sites/photo", data=form, files=files)


async def test_a_photo_is_put_shown_to_everybody_replaced_and_removed(office: Office) -> None:  # noqa: F811
    stranger, known = office.browsers["no"], office.hub.stations.known
    assert (await _put(office, "planner", a_picture("JPEG"))).headers["location"].endswith(f"station={AREA}&said=noted")
    first = known[AREA].photo
    shown = await stranger.get(first)
    assert (shown.headers["content-type"], Image.open(io.BytesIO(shown.content)).size) == ("image/jpeg", (640, 480))
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert "script" not in (policy := shown.headers["content-security-policy"]) and policy.endswith("; sandbox")
    assert first.endswith(hashlib.sha256(shown.content).hexdigest())
    [there, other] = await reading.stations(office.hub)
    assert there["way"]["photo"].endswith(first) and other["way"] is None
    await office.post("admin", "/console/sites", {"station": AREA, "host": "Ltd"})
    assert known[AREA].photo == first and known[AREA].site.host == "Ltd", "who notes the host takes no photo away"
    assert first in (await office.browsers["admin"].get(f"/console/sites?station={AREA}")).text

    await _put(office, "admin", a_picture("PNG"))
    assert (known[AREA].photo != first, known[AREA].site.host) == (True, "Ltd")
    assert (await stranger.get(first)).status_code == 404
    assert (await stranger.get(known[AREA].photo)).headers["content-type"] == "image/png"
    second = known[AREA].photo
    await _put(office, "admin", b"", do="remove")
    assert (known[AREA].photo, (await stranger.get(second)).status_code) == ("", 404)
    assert await office.hub.pool.fetchval(COUNT) == 0
    assert await office.hub.pool.fetchval("SELECT count(*) FROM entry WHERE kind = 'SiteNoted'") == 4


async def test_what_is_no_photo_or_not_theirs_changes_nothing(office: Office) -> None:  # noqa: F811
    for photo in (b"", b"GIF89a", a_picture("JPEG", (1700, 20))):
        assert (await _put(office, "admin", photo)).headers["location"].endswith("&no=bad_field")
    assert (await _put(office, "planner", a_picture("JPEG"), ELSEWHERE)).status_code == 403
    assert (await _put(office, "viewer", a_picture("JPEG"))).status_code == 403
    assert await office.hub.pool.fetchval(COUNT) == 0


def test_the_recipients_page_fetches_it_only_where_it_is_unfolded() -> None:
    page = Renderer().page(samples.all_views(no_words("en"))["me-coming"], Look())
    fold = page[page.index('<details class="fold" id="photo">') :]
    fold = fold[: fold.index("</details>")]
    assert '<img src="/photos/S-0012/3f29" alt="Photo of the station Kluuvi" loading="lazy">' in fold
    assert page.count("/photos/") == 1

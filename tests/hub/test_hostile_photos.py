"""Pictures that mean harm: refused, or kept as the picture alone."""

import io
import struct

import pytest
from PIL import Image

from parcelwall.errors import Refusal
from parcelwall.hub import site_photos
from parcelwall.hub.photos import stripped

PAGE = b"<html><script>alert(1)</script></html>"


def a_jpeg(size: tuple[int, int] = (64, 48), **how: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "teal").save(out, "JPEG", **how)
    return out.getvalue()


def claims(height_px: int, width_px: int, marker: int = 0xC0) -> bytes:
    """A picture of a few hundred bytes that says it is so large."""
    given = a_jpeg()
    head = given.index(b"\xff\xc0")
    return given[:head] + bytes([0xFF, marker]) + given[head + 2 : head + 5] + struct.pack(">HH", height_px, width_px) \
        + given[head + 9 :]  # fmt: skip


def scan_of(given: bytes) -> bytes:
    return given[given.index(b"\xff\xda") : -2]


def says_later(height_px: int) -> bytes:
    """A picture whose height stands behind its first scan only, by T.81 B.2.5."""
    given = claims(0, 0xFFFF)
    return given[:-2] + b"\xff\xdc\x00\x04" + struct.pack(">H", height_px) + given[-2:]


def without_a_frame() -> bytes:
    given = a_jpeg()
    head = given.index(b"\xff\xc0")
    return given[:head] + given[head + 2 + int.from_bytes(given[head + 2 : head + 4], "big") :]


def of_many_scans(times: int) -> bytes:
    """Each more has whoever draws it go over the whole picture once more."""
    given = a_jpeg(progressive=True)
    return given[:-2] + scan_of(given) * times + given[-2:]


@pytest.mark.parametrize("given", [
    claims(30_000, 30_000), claims(0, 640), claims(480, 0), says_later(0xFFFF), without_a_frame(),
    claims(48, 64, marker=0xC3), claims(48, 64, marker=0xC9), of_many_scans(40), a_jpeg()[:-40],
    PAGE, b"\xff\xd8" + PAGE, b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", b"%PDF-1.7 %%EOF",
], ids=["huge", "no-line", "no-column", "lines-later", "no-frame", "lossless", "arithmetic", "scans", "cut", "page",
        "page-in-jpeg", "svg", "pdf"])  # fmt: skip
def test_what_harms_whoever_draws_it_is_refused(given: bytes) -> None:
    for read in (stripped, site_photos.cleaned):
        with pytest.raises(Refusal):
            read(given)


@pytest.mark.parametrize("how", [{}, {"progressive": True}, {"subsampling": 2, "optimize": True}], ids=str)
def test_a_page_hidden_in_a_picture_is_not_kept_with_it(how: dict[str, object]) -> None:
    whole = a_jpeg(**how)
    hidden = whole[:2] + b"\xff\xfe" + struct.pack(">H", len(PAGE) + 2) + PAGE + whole[2:] + PAGE
    kept = stripped(hidden)
    assert PAGE in hidden and b"<html" not in kept and b"script" not in kept
    assert Image.open(io.BytesIO(kept)).tobytes() == Image.open(io.BytesIO(whole)).tobytes()


def test_a_png_that_is_called_a_jpeg_is_one_all_the_same() -> None:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(out, "PNG")
    assert site_photos.cleaned(out.getvalue() + PAGE) == out.getvalue(), "by its content, and nothing behind its end"
    with pytest.raises(Refusal):
        stripped(out.getvalue())

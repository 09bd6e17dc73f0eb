"""The street map's tiles: ranges of one file, nothing else; and pins that stand where the tiles have their streets."""

import math
import re
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.di import Provide
from litestar.testing import TestClient

from parcelwall.errors import Refusal, Trouble
from parcelwall.web.map import _conformal, _extract, _metres, station_map, town
from parcelwall.web.problems import on_refusal
from parcelwall.web.tiles import HELSINKI, MOST_BYTES, Tiles, tiles_part


@pytest.fixture
def client() -> TestClient[Litestar]:
    tiles = Tiles(HELSINKI)
    app = Litestar([tiles_part], dependencies={"tiles": Provide(lambda: tiles, sync_to_thread=False)},
                   exception_handlers={Refusal: on_refusal})  # fmt: skip
    return TestClient(app)


def test_a_range_is_answered_byte_for_byte(client: TestClient[Litestar]) -> None:
    whole, url = HELSINKI.read_bytes(), Tiles(HELSINKI).url
    for first, last in ((0, 126), (127, 20_000), (len(whole) - 10, len(whole) + 500)):
        answer = client.get(url, headers={"Range": f"bytes={first}-{last}"})
        assert (answer.status_code, answer.content) == (206, whole[first : last + 1])
        assert answer.headers["content-range"] == f"bytes {first}-{min(last, len(whole) - 1)}/{len(whole)}"
        assert "content-encoding" not in answer.headers and "immutable" in answer.headers["cache-control"]


@pytest.mark.parametrize("asked", ["", "bytes=0-", "bytes=-5", "bytes=9-3", "bytes=0-1,3-4", "lines=0-1",
                                   "bytes=99999999-99999999", f"bytes=0-{10**14}"])  # fmt: skip
def test_anything_but_one_range_is_refused(client: TestClient[Litestar], asked: str) -> None:
    large = asked == f"bytes=0-{10**14}"
    answer = client.get(Tiles(HELSINKI).url, headers={"Range": asked} if asked else {})
    assert answer.status_code == (206 if large and HELSINKI.stat().st_size <= MOST_BYTES else 400)


def test_no_other_file_is_read(client: TestClient[Litestar]) -> None:
    for path in ("/map/..%2f..%2fsettings.py", "/map/other.pmtiles", "/map/"):
        assert client.get(path, headers={"Range": "bytes=0-10"}).status_code == 404


def test_a_file_that_is_no_map_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="cannot read"):
        Tiles(tmp_path / "nothing")
    (tmp_path / "text").write_text("not a map " * 20)
    with pytest.raises(Trouble, match="no PMTiles"):
        Tiles(tmp_path / "text")
    assert Tiles().url == ""


def test_the_map_names_no_machine_and_its_source() -> None:
    import gzip
    import struct

    data = HELSINKI.read_bytes()
    start, length = struct.unpack("<QQ", data[24:40])  # of the metadata, by PMTiles' specification 3
    about = gzip.decompress(data[start : start + length]).decode()
    assert "© OpenStreetMap contributors" in about
    assert "/" not in about.partition("generator_options")[2].partition("https")[0]
    assert len(data) < 2_000_000


def test_pins_stand_where_the_tiles_have_their_streets() -> None:
    origin = _extract()["origin"]
    for lat in (60.1642, 60.1717, 60.1791):
        for lon in (24.9352, 24.9443, 24.9534):
            assert math.dist(_conformal(origin, lat, lon), _metres(origin, lat, lon)) < 7, "less than a ring's line"
    x, y, lon, lat = map(float, town().zero.split())
    assert math.dist(town().place(lat, lon), (x, y)) < 0.01
    assert town().has(x, y) == (0 <= x <= town().sheet.wide and 0 <= y <= town().sheet.high)


def test_the_map_of_a_station_at_the_edge_does_not_end_in_mid_picture() -> None:
    """All four corners of it lie in the extract, and its pin where the station is, off the middle."""
    data = _extract()
    left, bottom, right, top = data["frame"]
    for x, y in ((left + 61, top - 61), (right - 61, bottom + 61), (left + 400, bottom + 200)):
        lat = data["origin"][1] + y / 110_540
        lon = data["origin"][0] + x / (math.cos(math.radians(data["origin"][1])) * 111_320)
        drawn = station_map(lat, lon)
        assert drawn is not None
        start_x, start_y = map(float, re.findall(r'class="map-pin" d="M([\d.-]+) ([\d.-]+)h', drawn)[0])
        west_m, south_m = (start_x + 12) / 440 * 600, (250 - start_y - 43) / 440 * 600  # the tip of the pin
        assert x - west_m >= left - 2 and x - west_m + 600 <= right + 2
        assert y - south_m >= bottom - 2 and y - south_m + 250 / 440 * 600 <= top + 2

"""What a hub is told and cannot be meant is told at its start, in one sentence."""

from pathlib import Path

import pytest

from parcelwall.errors import Trouble
from parcelwall.hub.running import names_of
from parcelwall.settings import HubSettings, open_folder, read

NO_ADDRESS = [
    "parcels.example.org", "parcels.example.org:8600", "//parcels.example.org", "ftp://parcels.example.org", "https://",
    "https:///p", "https://parcels.example.org/parcels", "https://parcels.example.org?x=1", "https://a b", "https://a:b",
    "https://a:99999", "https://a:0", "https://[::1", "", "https://ada@parcels.example.org",
]  # fmt: skip


@pytest.mark.parametrize("url", NO_ADDRESS)
def test_an_address_that_nobody_could_open_is_refused(url: str) -> None:
    with pytest.raises(Trouble, match=r"`public_url` is .* as https://parcels\.example\.org"):
        read(HubSettings, {"public_url": url})


@pytest.mark.parametrize(("url", "name"), [
    ("https://parcels.example.org", "parcels.example.org"), ("https://parcels.example.org/", "parcels.example.org"),
    ("http://127.0.0.1:8600", "127.0.0.1:8600"), ("HTTPS://[::1]:8443", "[::1]:8443"),
])  # fmt: skip
def test_an_address_names_the_host_that_stations_dial(url: str, name: str) -> None:
    assert names_of(read(HubSettings, {"public_url": url})) == (name,)


@pytest.mark.parametrize(("name", "value"), [
    ("slot", 0), ("slot", -1), ("port", 65536), ("port", -1), ("smtp_port", 99999),
])  # fmt: skip
def test_a_number_that_cannot_be_is_refused(name: str, value: int) -> None:
    with pytest.raises(Trouble, match=f"the settings: `{name}` does not fit: expected `int`"):
        read(HubSettings, {name: value})


def test_a_data_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(Trouble, match=r"file.* cannot be the data folder"):
            open_folder(path)
    open_folder(tmp_path / "new" / "one")
    assert (tmp_path / "new" / "one").is_dir()

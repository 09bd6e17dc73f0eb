"""What a hub is told and cannot be meant is told at its start, in one sentence."""

from pathlib import Path

import msgspec
import pytest

from parcelwall.errors import Trouble
from parcelwall.hub.running import names_of
from parcelwall.settings import HubSettings, StationSettings, open_folder, read, refuse_unknown_variables

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


@pytest.mark.parametrize(("name", "meant"), [
    ("PARCELWALL_SMTP_HOTS", "Did you mean `PARCELWALL_SMTP_HOST`?"),
    ("parcelwall_smtp_host", "Did you mean `PARCELWALL_SMTP_HOST`?"),
    ("PARCELWALL_MASTERKEY", "`PARCELWALL_MASTER_KEY`?"), ("PARCELWALL_XYZZY", "Take it out."),
])  # fmt: skip
def test_a_mistyped_variable_is_refused(name: str, meant: str) -> None:
    with pytest.raises(Trouble) as no:
        refuse_unknown_variables({"PATH": "/bin", "PARCELWALL_PORT": "1", name: "x"})
    assert f"the environment: `{name}` is not known." in str(no.value) and meant in str(no.value)


def test_a_station_may_have_what_is_the_hubs_in_its_environment_and_the_other_way_round() -> None:
    fields = (*msgspec.structs.fields(HubSettings), *msgspec.structs.fields(StationSettings))
    names = ("master_key", *(field.name for field in fields))
    refuse_unknown_variables({f"PARCELWALL_{name.upper()}": "" for name in names})

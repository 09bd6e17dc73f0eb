"""A bus profile is read whole or not at all, and says what is wrong with it."""

import pytest

from parcelwall.drivers import parse_profile, read_profile
from parcelwall.errors import Trouble

AS_DOCUMENTED = """
driver = "xor8a"
port = "/dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.0-port0"
baud = 9600
status_bytes = 3
status_order = "low_last"
closed_value = 1
contact = "door"
pulse_ms = 300
pulse_owner = "board"
open_reply = "optional"
timeout_ms = 400
gap_ms = 20
poll_ms = 500
supply = "A"
boards = [{ address = 1, channels = 24 }]
doors = [{ door = 1, board = 1, lock = 1 }, { door = 2, board = 1, lock = 2 }]
"""


def test_the_documented_profile_is_read(tmp_path):
    path = tmp_path / "bus.toml"
    path.write_text(AS_DOCUMENTED)
    profile = read_profile(path)
    assert [line.lock for line in profile.doors] == [1, 2]
    assert (profile.open_timeout_ms, profile.supply_gap_ms, profile.echo) == (1200, 500, "no")
    assert profile.stale_after_s == 1.5


def test_a_missing_or_broken_file_is_trouble(tmp_path):
    with pytest.raises(Trouble, match="cannot be read"):
        read_profile(tmp_path / "none.toml")
    (tmp_path / "bus.toml").write_text("driver = ")
    with pytest.raises(Trouble, match=r"bus\.toml is not TOML"):
        read_profile(tmp_path / "bus.toml")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"driver": "kerong"}, "driver"),
        ({"baud": "9600"}, "`baud`"),
        ({"max_parallel": 2}, "max_parallel"),
        ({"status_order": "any"}, "status_order"),
        ({"closed_value": 2}, "closed_value"),
        ({"poll_ms": 3000}, "poll_ms"),
        ({"boards": []}, "boards"),
        ({"boards": [{"address": 0, "channels": 8}]}, "address"),
        ({"boards": [{"address": 100, "channels": 8}]}, "address"),
        ({"doors": [{"door": 1, "board": 1, "lock": 0}]}, "lock"),
        ({"doors": [{"door": 1, "board": 9, "lock": 1}]}, "not among the boards"),
        ({"doors": [{"door": 1, "board": 2, "lock": 9}]}, "fewer channels"),
        ({"doors": [{"door": 1, "board": 1, "lock": 1}, {"door": 1, "board": 1, "lock": 2}]}, "door 1 is mapped twice"),
        ({"doors": [{"door": 1, "board": 1, "lock": 1}, {"door": 2, "board": 1, "lock": 1}]}, "share board 1 lock 1"),
        ({"boards": [{"address": 1, "channels": 24}] * 2}, "same address"),
        ({"status_bytes": 2}, "status bytes"),
    ],
)
def test_wrong_fields_are_named(written, changed, words):
    with pytest.raises(Trouble, match=words):
        parse_profile({**written, **changed})


@pytest.mark.parametrize("learned", ["status_bytes", "status_order", "closed_value", "port", "doors"])
def test_what_must_be_learned_has_no_default(written, learned):
    del written[learned]
    with pytest.raises(Trouble, match=learned):
        parse_profile(written)


def test_a_changed_map_is_a_changed_fingerprint(written):
    doors = [{"door": 1, "board": 1, "lock": 2}, {"door": 2, "board": 1, "lock": 1}]
    assert parse_profile(written).fingerprint() == parse_profile(written).fingerprint()
    assert parse_profile(written).fingerprint() != parse_profile({**written, "doors": doors}).fingerprint()

"""Facts are read and written byte for byte as ever: one file per kind and version under golden/, never changed.

`Kind-1.json` has every field of version 1, `Kind-1-least.json` only those that must be there. A new field has a
default and gets `Kind-2.json`; the older files stay and must still be read.
"""

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from parcelwall.rules import facts
from rules.samples import FULL, LEAST, NOW, PARCEL, RESERVATION, collected, deposited

GOLDEN = Path(__file__).parent / "golden"
FILES = sorted(GOLDEN.glob("*.json"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_version_is_read_and_written_byte_for_byte(path: Path) -> None:
    text = path.read_text(encoding="utf-8").removesuffix("\n")
    fact = facts.read(path.stem.split("-")[0], text)
    assert fact is not None
    assert facts.body(fact) == text


@pytest.mark.parametrize("kind", facts.KINDS)
def test_the_newest_file_of_each_kind_shows_every_field(kind: str) -> None:
    newest = max((path for path in FILES if path.stem.split("-")[0] == kind and "least" not in path.stem),
                 key=lambda path: int(path.stem.split("-")[1]))  # fmt: skip
    shown = msgspec.json.decode(newest.read_bytes())
    assert list(shown) == [field.name for field in msgspec.structs.fields(facts.KINDS[kind])]


@pytest.mark.parametrize("fact", [*FULL, *LEAST], ids=lambda fact: fact.kind)
def test_today_writes_what_version_1_wrote(fact: facts.Fact) -> None:
    name = f"{fact.kind}-1.json" if fact in FULL else f"{fact.kind}-1-least.json"
    assert facts.body(fact) + "\n" == (GOLDEN / name).read_text(encoding="utf-8")


def test_who_may_write_what() -> None:
    assert {kind.__name__ for kind in (*facts.HUB_KINDS, *facts.STATION_KINDS)} == set(facts.KINDS)
    assert set(facts.HUB_KINDS) & set(facts.STATION_KINDS) == {facts.CaseOpened}
    assert set(facts.DOOR_KINDS) < set(facts.STATION_KINDS)


def test_an_unknown_kind_is_nothing_to_us() -> None:
    assert facts.read("Teleported", '{"parcel": 1}') is None


def test_a_newer_version_with_a_field_more_is_read() -> None:
    text = facts.body(collected())
    assert facts.read("Collected", text[:-1] + ',"mood":"glad"}') == collected()


@pytest.mark.parametrize(
    "changed",
    [
        {"compartment": 0}, {"compartment": -1}, {"compartment": 32_768}, {"compartment": 2**70}, {"compartment": "1"},
        {"collect_by": "2026-11-24T08:00:00"}, {"collect_by": "soon"},
        {"collect_by": "0001-01-01T00:00:00+14:00"}, {"collect_by": "9999-12-31T23:59:59-14:00"},
        {"parcel": "P1"}, {"station": None},
        {"station": "S\x00"}, {"by": "nobody"}, {"visit": 7},
    ],
    ids=str,
)  # fmt: skip
def test_a_body_that_does_not_fit_is_not_read(changed: dict[str, object]) -> None:
    text = msgspec.json.encode(msgspec.json.decode(facts.body(deposited())) | changed).decode()
    with pytest.raises(msgspec.DecodeError):
        facts.read("Deposited", text)


@pytest.mark.parametrize("text", ["", "{", "null", "[]", '"x"', "{}", '{"parcel":'])
def test_half_a_body_is_not_read(text: str) -> None:
    with pytest.raises(msgspec.DecodeError):
        facts.read("Deposited", text)


def test_a_time_in_another_zone_is_the_same_moment() -> None:
    text = facts.body(deposited(collect_by=NOW + timedelta(hours=2)))
    east = text.replace("2026-11-22T10:00:00Z", "2026-11-22T12:00:00+02:00")
    assert east != text
    assert facts.read("Deposited", east) == facts.read("Deposited", text)


def test_ids_and_names_stand_as_text() -> None:
    body = msgspec.json.decode(facts.body(deposited()))
    assert body["parcel"] == str(PARCEL)
    assert body["reservation"] == str(RESERVATION)
    assert body["collect_by"] == "2026-11-24T08:00:00Z"

"""Hub and station of different versions: a conversation of protocol 1, kept byte for byte, and one of a pretend 1.1.

`golden/protocol-1.txt` is never changed: whatever we become, we answer it as it was answered. The pretend 1.1 has
more fields everywhere, offers another protocol beside, sends frames of a kind and writes facts of a kind that nobody
here knows. Keys, nonces and times are those of `books.py`.
"""

from pathlib import Path

import pytest

from link.books import HUB_WRITER, STATION, Pair
from parcelwall.link import frames
from parcelwall.link.frames import BadFrame
from parcelwall.link.hub_end import HubEnd
from parcelwall.link.station_end import StationEnd

GOLDEN = Path(__file__).parent / "golden"


def spoken(version: str, by: str) -> list[str]:
    lines = (GOLDEN / f"protocol-{version}.txt").read_text(encoding="utf-8").splitlines()
    return [line.partition(" ")[2] for line in lines if line.startswith(f"{by} ")]


@pytest.fixture
def pair() -> Pair:
    pair = Pair()
    pair.station.write("a", "b")
    pair.hub.write("c")
    return pair


async def heard_by_hub(hub: HubEnd, said: list[str]) -> list[str]:
    return [hub.challenge(), *[answer for message in said for answer in await hub.hear(message)]]


def heard_by_station(station: StationEnd, said: list[str]) -> list[str]:
    return [answer for message in said for answer in station.hear(message)]


async def test_the_hub_says_what_it_said_in_version_1(pair: Pair) -> None:
    _, hub = pair.ends()
    assert await heard_by_hub(hub, spoken("1", "station")) == spoken("1", "hub")


def test_the_station_says_what_it_said_in_version_1(pair: Pair) -> None:
    station, _ = pair.ends()
    said = heard_by_station(station, spoken("1", "hub"))
    assert sorted(said) == sorted(spoken("1", "station"))


async def test_the_hub_serves_a_newer_station(pair: Pair) -> None:
    """What it does not know of frames it ignores; what it does not know of facts it keeps as it came."""
    _, hub = pair.ends()
    answers = await heard_by_hub(hub, spoken("1.1", "station"))
    assert frames.decode(answers[-1]) == frames.Ack(STATION, 2)
    kept = await pair.hub.since(STATION, 0, 10)
    assert [entry.kind for entry in kept] == ["Said", "Hummed"]
    assert kept[1].body == '{"word":"b","pitch_hz":440}'


def test_the_station_serves_under_a_newer_hub(pair: Pair) -> None:
    station, _ = pair.ends()
    said = heard_by_station(station, spoken("1.1", "hub"))
    assert station.welcomed
    assert frames.encode(frames.Ack(HUB_WRITER, 1)) in said
    [kept] = pair.station.since(HUB_WRITER, 0, 10)
    assert (kept.kind, kept.body) == ("Hummed", '{"word":"c","pitch_hz":440}')


async def test_what_was_not_understood_is_passed_on(pair: Pair) -> None:
    """To a hub that has lost it: with the hub's own signature, whatever the kind."""
    station, _ = pair.ends()
    heard_by_station(station, spoken("1.1", "hub"))
    restored = Pair()
    restored.now, restored.hub.epoch = pair.now, 2
    restored.hub.own = "hub:2/S-0012"
    restored.station = pair.station
    await restored.connected()
    assert [entry.kind for entry in await restored.hub.since(HUB_WRITER, 0, 10)] == ["Hummed"]


def test_a_hub_without_our_protocol_is_no_hub_of_ours(pair: Pair) -> None:
    station, _ = pair.ends()
    challenge = spoken("1.1", "hub")[0]
    with pytest.raises(BadFrame) as bad:
        station.hear(challenge.replace('"versions":[1,2]', '"versions":[2,3]'))
    assert bad.value.code == frames.TOO_OLD

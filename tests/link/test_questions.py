"""A question that a station asks, and the hub's signed answer: neither is kept, and neither moves a count."""

import pytest

from link.books import HUB, HUB_KEY, STATION_KEY, Pair, deliver
from parcelwall.link import frames
from parcelwall.link.frames import BadFrame
from parcelwall.link.hub_end import MOST_QUESTIONS, HubEnd
from parcelwall.link.identity import Signer
from parcelwall.link.station_end import StationEnd


async def connected(pair: Pair, heard: list[str]) -> tuple[StationEnd, HubEnd]:
    station = StationEnd(pair.station, Signer(STATION_KEY), HUB, Signer(HUB_KEY).public, b"n" * 32, "b1", pair.now,
                         told=heard.append)  # fmt: skip
    hub = HubEnd(pair.hub, Signer(HUB_KEY), HUB, b"h" * 32, pair.now)
    await deliver(station, hub, [hub.challenge()])
    return station, hub


async def test_what_is_asked_is_answered_under_the_hubs_signature() -> None:
    heard: list[str] = []
    station, hub = await connected(Pair(), heard)
    assert await hub.hear(station.ask("where?")) == [], "whoever answers does so beside the line"
    assert hub.questions == ["where?"]
    assert station.hear(hub.told("there")) == []
    assert heard == ["there"]
    with pytest.raises(BadFrame, match="signature") as bad:
        station.hear(hub.told("there").replace("there", "nowhere"))
    assert (bad.value.code, heard) == (frames.WRONG_IDENTITY, ["there"])


async def test_a_station_that_only_asks_fills_nothing() -> None:
    station, hub = await connected(Pair(), [])
    for number in range(3 * MOST_QUESTIONS):
        await hub.hear(station.ask(str(number)))
    assert len(hub.questions) == MOST_QUESTIONS
    assert hub.questions[-1] == str(3 * MOST_QUESTIONS - 1), "the newest: a screen has gone on since the others"


async def test_a_stranger_asks_nothing() -> None:
    pair = Pair()
    station, hub = pair.ends()
    with pytest.raises(BadFrame, match="hello"):
        await hub.hear(station.ask("where?"))
    assert hub.questions == []

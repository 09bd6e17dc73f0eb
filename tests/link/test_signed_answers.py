"""The hub's time and "your next key counts" last longer than a line, so they are signed like all else that does."""

from datetime import timedelta

import msgspec
import pytest

from link.books import HUB, HUB_KEY, STATION, STATION_KEY, Pair, deliver
from parcelwall.clock import text
from parcelwall.link import frames
from parcelwall.link.frames import BadFrame
from parcelwall.link.hub_end import HubEnd
from parcelwall.link.identity import Signer
from parcelwall.link.station_end import SIGNED, StationEnd

NEXT = Signer(b"n" * 32)


async def connected(pair: Pair, wants: tuple[str, ...] = (SIGNED,), nonce: int = 7) -> tuple[StationEnd, HubEnd]:
    pinned, drawn = Signer(HUB_KEY).public, nonce.to_bytes(32, "big")
    station = StationEnd(pair.station, Signer(STATION_KEY), HUB, pinned, drawn, "b1", pair.now,
                         next_key=NEXT, wants=wants)  # fmt: skip
    hub = HubEnd(pair.hub, Signer(HUB_KEY), HUB, (1000 + nonce).to_bytes(32, "big"), pair.now)
    await deliver(station, hub, [hub.challenge()])
    assert station.welcomed
    return station, hub


async def test_a_station_that_asks_is_told_the_time_under_the_hubs_signature() -> None:
    pair = Pair()
    station, hub = await connected(pair)
    assert station.rekeyed
    pair.now.advance(20)
    [beat] = station.beat()
    [answer] = await hub.hear(beat)
    station.hear(answer)
    assert pair.station.hub_times[-1] == pair.now.now()
    with pytest.raises(BadFrame, match="signature"):
        station.hear(answer.replace('"at":"2026', '"at":"2025'))


@pytest.mark.parametrize("sig", ["", "00" * 64, "no hex"])
async def test_what_others_say_in_the_hubs_name_sets_no_clock_and_drops_no_key(sig: str) -> None:
    pair = Pair()
    station, _ = await connected(pair)
    station.rekeyed = False
    times = list(pair.station.hub_times)
    long_ago = text(pair.now.now() - timedelta(days=30))
    for frame in (frames.Beat_Back(long_ago, int(pair.now.mono() * 1000), sig), frames.Rekeyed(NEXT.public.hex(), sig)):
        with pytest.raises(BadFrame) as bad:
            station.hear(frames.encode(frame))
        assert bad.value.code == frames.WRONG_IDENTITY
    assert (pair.station.hub_times, station.rekeyed) == (times, False)


async def test_an_answer_of_another_connection_is_none_of_this_one() -> None:
    pair = Pair()
    before, hub = await connected(pair)
    [answer] = await hub.hear(before.beat()[0])
    station, _ = await connected(pair, nonce=8)
    with pytest.raises(BadFrame, match="signature"):
        station.hear(answer)


async def test_a_station_of_before_is_answered_as_before() -> None:
    pair = Pair()
    station, hub = await connected(pair, wants=())
    [answer] = await hub.hear(station.beat()[0])
    assert "sig" not in msgspec.json.decode(answer)
    station.hear(answer)
    assert pair.station.hub_times[-1] == pair.now.now()
    assert station.rekeyed


async def test_a_hub_of_before_is_believed_as_before() -> None:
    """It knows no wishes; its welcome, which nobody can change, promises no signatures."""
    pair = Pair()
    station, hub = await connected(pair, wants=("naps",))
    station.hear((await hub.hear(station.beat()[0]))[0])
    assert pair.station.hub_times[-1] == pair.now.now()
    assert STATION in pair.hub.known_as

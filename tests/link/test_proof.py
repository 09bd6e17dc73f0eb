"""The proof at the start of a connection: who is the station, who is the hub, and which of their books."""


import pytest

from link.books import HUB, OTHER_KEY, STATION, Pair
from parcelwall.errors import Trouble
from parcelwall.link import frames
from parcelwall.link.frames import BadFrame


@pytest.fixture
def pair() -> Pair:
    return Pair()


def decoded(messages: list[str]) -> list[frames.Frame | None]:
    return [frames.decode(message) for message in messages]


async def test_hello_and_welcome_prove_both(pair: Pair) -> None:
    station, hub = pair.ends()
    [hello] = station.hear(hub.challenge())
    answers = await hub.hear(hello)
    assert [type(frame) for frame in decoded(answers)] == [frames.Welcome]
    assert hub.station == STATION
    station.hear(answers[0])
    assert station.welcomed


@pytest.mark.parametrize(
    "wrong", [{"station_key": OTHER_KEY}, {"name": "evil.example", "dialled": "evil.example"}], ids=["key", "relayed"]
)
async def test_the_hub_takes_no_wrong_station(pair: Pair, wrong: dict[str, object]) -> None:
    """A stranger's key; and a hello that was made for another hub and is relayed to this one."""
    station, evil = pair.ends(**wrong)  # type: ignore[arg-type]
    [hello] = station.hear(evil.challenge())
    _, hub = pair.ends()
    with pytest.raises(BadFrame) as bad:
        await hub.hear(hello)
    assert bad.value.code == 4401
    assert hub.station == ""


async def test_a_hello_serves_for_one_challenge(pair: Pair) -> None:
    station, first = pair.ends()
    [hello] = station.hear(first.challenge())
    await first.hear(hello)
    _, second = pair.ends()
    with pytest.raises(BadFrame) as bad:
        await second.hear(hello)
    assert bad.value.code == 4401


async def test_the_station_answers_only_the_hub_it_dialled(pair: Pair) -> None:
    station, hub = pair.ends(dialled="other.example")
    with pytest.raises(BadFrame) as bad:
        station.hear(hub.challenge())
    assert bad.value.code == 4401


async def test_the_station_takes_no_wrong_hub(pair: Pair) -> None:
    station, hub = pair.ends(hub_key=OTHER_KEY)
    [hello] = station.hear(hub.challenge())
    [welcome] = await hub.hear(hello)
    with pytest.raises(BadFrame) as bad:
        station.hear(welcome)
    assert bad.value.code == 4401
    assert not station.welcomed
    assert station.news() == station.beat() == []


async def test_a_welcome_for_an_older_nonce_is_not_taken(pair: Pair) -> None:
    first, hub = pair.ends()
    [welcome] = await hub.hear(first.hear(hub.challenge())[0])
    second, other = pair.ends()
    second.hear(other.challenge())
    with pytest.raises(BadFrame):
        second.hear(welcome)


async def test_a_station_that_is_not_ours(pair: Pair) -> None:
    pair.hub.keys.clear()
    station, hub = pair.ends()
    with pytest.raises(BadFrame, match="no station of ours"):
        await hub.hear(station.hear(hub.challenge())[0])


@pytest.mark.parametrize(
    "frame", [frames.Ack(STATION, 0), frames.Beat("b", 1, "2026-11-22T08:00:00.000000Z", 0), frames.Gap(STATION, 0)]
)
async def test_nothing_is_taken_before_the_proof(pair: Pair, frame: frames.Frame) -> None:
    station, hub = pair.ends()
    with pytest.raises(BadFrame) as bad:
        await hub.hear(frames.encode(frame))
    assert bad.value.code == 4401
    with pytest.raises(BadFrame) as bad:
        station.hear(frames.encode(frame))
    assert bad.value.code == 4401


async def test_kinds_unknown_are_ignored_even_then(pair: Pair) -> None:
    station, hub = pair.ends()
    assert station.hear('{"k":"new"}') == []
    assert await hub.hear('{"k":"new"}') == []


async def test_versions_that_do_not_meet(pair: Pair) -> None:
    station, _ = pair.ends()
    with pytest.raises(BadFrame) as bad:
        station.hear(frames.encode(frames.Challenge(HUB, "00", "", (2, 3))))
    assert bad.value.code == 4426


@pytest.mark.parametrize(
    "body",
    ["", "{}", "null", '{"station":7}',
     '{"station":"S-0012","nonce":"zz","boot":"b","mono":1,"at":"","wrote":{},"has":{}}',
     '{"station":"S-0012","nonce":"00","boot":"b","mono":1,"at":"","wrote":{},"has":{"hub:1/S-0012":[-1,""]}}'],
)  # fmt: skip
async def test_a_hello_that_cannot_be_read(pair: Pair, body: str) -> None:
    _, hub = pair.ends()
    with pytest.raises(BadFrame):
        await hub.hear(frames.encode(frames.Hello(body, "")))


async def test_a_nonce_that_is_none(pair: Pair) -> None:
    station, _ = pair.ends()
    with pytest.raises(BadFrame):
        station.hear(frames.encode(frames.Challenge(HUB, "xyz", "")))


async def test_refused_by_the_hub(pair: Pair) -> None:
    station, _ = pair.ends()
    with pytest.raises(BadFrame, match="revoked"):
        station.hear(frames.encode(frames.Refuse("revoked")))


async def test_a_station_restored_from_an_older_disk_does_not_number_again(pair: Pair) -> None:
    pair.station.write("a", "b", "c")
    await pair.connected()
    old = Pair()
    old.station.write("a", "x")
    old.hub = pair.hub
    station, hub = old.ends()
    [welcome, *_] = await hub.hear(station.hear(hub.challenge())[0])
    with pytest.raises(Trouble, match="older disk"):
        station.hear(welcome)

"""Entries and beats both ways, once both ends have proved themselves; what does not fit closes the line."""


import msgspec
import pytest

from link.books import HUB_KEY, HUB_WRITER, OTHER_KEY, STATION, STATION_KEY, Pair, deliver
from parcelwall.clock import text
from parcelwall.journal import chain
from parcelwall.journal.chain import Draft, Entry, Head
from parcelwall.link import frames
from parcelwall.link.frames import BadFrame
from parcelwall.link.identity import Signer, head_bytes
from parcelwall.link.pump import PretendLine
from parcelwall.link.shipping import Shipper


@pytest.fixture
def pair() -> Pair:
    return Pair()


def decoded(messages: list[str]) -> list[frames.Frame | None]:
    return [frames.decode(message) for message in messages]


# entries


async def test_entries_go_both_ways_and_are_acknowledged(pair: Pair) -> None:
    pair.station.write("a", "b")
    pair.hub.write("c")
    station, hub = await pair.connected()
    assert pair.station.entries() == pair.hub.entries()
    assert pair.station.acked == 2
    pair.hub.write("d", "e")
    pair.station.write("f")
    await deliver(station, hub, await hub.news())
    for message in station.news():
        await deliver(station, hub, await hub.hear(message))
    assert pair.station.entries() == pair.hub.entries()
    assert len(pair.hub.entries()) == 6
    assert pair.station.acked == 3


async def test_the_window_is_500_entries(pair: Pair) -> None:
    pair.station.write(*map(str, range(1_234)))
    station, hub = pair.ends()
    [welcome] = await hub.hear(station.hear(hub.challenge())[0])
    sent = [frame for frame in decoded(station.hear(welcome)) if isinstance(frame, frames.Entries)]
    assert sum(len(frame.items) for frame in sent) == 500
    assert station.news() == []
    await deliver(station, hub, [answer for frame in sent for answer in await hub.hear(frames.encode(frame))])
    assert len(pair.hub.entries()) == 1_234


async def next_frame(pair: Pair, *words: str) -> tuple[object, object, frames.Entries]:
    station, hub = await pair.connected()
    pair.station.write(*words)
    [message] = station.news()
    frame = frames.decode(message)
    assert isinstance(frame, frames.Entries)
    return station, hub, frame


async def test_a_frame_again_changes_nothing(pair: Pair) -> None:
    _, hub, frame = await next_frame(pair, "a", "b")
    for _ in range(3):
        assert decoded(await hub.hear(frames.encode(frame))) == [frames.Ack(STATION, 2)]
    assert len(pair.hub.entries()) == 2


async def test_a_hole_is_told_and_filled(pair: Pair) -> None:
    station, hub, _ = await next_frame(pair, "a", "b")
    pair.station.write("c")
    [late] = station.news()
    [gap] = await hub.hear(late)
    assert frames.decode(gap) == frames.Gap(STATION, 0)
    assert pair.hub.entries() == []
    await deliver(station, hub, [gap])
    assert pair.hub.entries() == pair.station.entries()
    assert len(pair.hub.entries()) == 3


async def test_a_hole_downwards_is_told_and_filled(pair: Pair) -> None:
    station, hub = await pair.connected()
    pair.hub.write("a")
    await hub.news()
    pair.hub.write("b")
    [late] = await hub.news()
    [gap] = station.hear(late)
    assert frames.decode(gap) == frames.Gap(HUB_WRITER, 0)
    await deliver(station, hub, await hub.hear(gap))
    assert pair.station.entries() == pair.hub.entries()


def signed(frame: frames.Entries, entries: list[Entry], key: bytes) -> frames.Entries:
    head = Head(entries[-1].number, entries[-1].hash)
    return frames.Entries(
        frame.writer, entries[0].number - 1, head.number, frames.items(entries), head.hash.hex(),
        Signer(key).sign(head_bytes(frame.writer, head)),
    )  # fmt: skip


@pytest.mark.parametrize("how", ["sig", "head", "body", "writer", "key", "number"])
async def test_a_frame_that_was_touched_closes_the_line(pair: Pair, how: str) -> None:
    _, hub, frame = await next_frame(pair, "a", "b")
    other = msgspec.structs.replace(frame.items[0], body='{"word":"z"}')
    touched = {
        "sig": {"sig": "00" * 64}, "head": {"head": "ab" * 32}, "body": {"items": (other, frame.items[1])},
        "writer": {"writer": "S-0013"}, "number": {"after": 5, "through": 7},
        "key": {"sig": Signer(OTHER_KEY).sign(head_bytes(STATION, Head(2, bytes.fromhex(frame.head))))},
    }  # fmt: skip
    with pytest.raises(BadFrame) as bad:
        await hub.hear(frames.encode(msgspec.structs.replace(frame, **touched[how])))
    assert bad.value.code == 4400
    assert pair.hub.entries() == []


async def test_a_fork_closes_the_line_and_overwrites_nothing(pair: Pair) -> None:
    """The station's own key, another story: a copy of its disk was started elsewhere."""
    _, hub, frame = await next_frame(pair, "a", "b")
    await hub.hear(frames.encode(frame))
    before = pair.hub.entries()
    at = text(pair.now.now())
    lie = chain.extend(STATION, chain.start(STATION), [Draft("Said", at, f'{{"word":"{w}"}}') for w in "axc"])
    for entries in (lie, lie[2:]):
        with pytest.raises(BadFrame):
            await hub.hear(frames.encode(signed(frame, entries, STATION_KEY)))
    assert pair.hub.entries() == before


async def test_a_fork_of_the_hub_closes_the_line_too(pair: Pair) -> None:
    pair.hub.write("a", "b")
    station, _ = await pair.connected()
    before = pair.station.entries()
    other = Shipper(HUB_WRITER, Signer(HUB_KEY))
    lie = chain.extend(HUB_WRITER, chain.start(HUB_WRITER), [Draft("Said", text(pair.now.now()), "{}")] * 2)
    [frame] = other.ship(lie)
    with pytest.raises(BadFrame):
        station.hear(frames.encode(frame))
    assert pair.station.entries() == before


async def test_an_acknowledgement_of_what_was_never_sent(pair: Pair) -> None:
    station, hub = await pair.connected()
    with pytest.raises(BadFrame):
        station.hear(frames.encode(frames.Ack(STATION, 1)))
    with pytest.raises(BadFrame):
        await hub.hear(frames.encode(frames.Ack(HUB_WRITER, 1)))


async def test_words_about_other_writers_are_ignored(pair: Pair) -> None:
    station, hub = await pair.connected()
    for frame in (frames.Ack("S-0099", 5), frames.Gap("S-0099", 5), frames.Goodbye("upgrade")):
        assert station.hear(frames.encode(frame)) == []
        assert await hub.hear(frames.encode(frame)) == []


# beats


async def test_a_beat_tells_how_far_all_is_heard(pair: Pair) -> None:
    station, hub = await pair.connected()
    [beat] = station.beat()
    [answer] = await hub.hear(beat)
    assert isinstance(frames.decode(answer), frames.Beat_Back)
    assert pair.hub.heard_until == pair.now.now()


async def test_a_beat_ahead_of_its_entries_tells_nothing(pair: Pair) -> None:
    """The station wrote something that is not here yet: nobody may conclude that it was silent till now."""
    station, hub = await pair.connected()
    heard = pair.hub.heard_until
    pair.now.advance(3600)
    pair.station.write("a")
    await hub.hear(station.beat()[0])
    assert pair.hub.heard_until == heard
    for message in station.news():
        await hub.hear(message)
    await hub.hear(station.beat()[0])
    assert pair.hub.heard_until == pair.now.now()


@pytest.mark.parametrize("at", ["2999-01-01T00:00:00.000000Z", "2026-11-22T10:00:01+02:00"])
async def test_a_clock_that_is_ahead_does_not_move_ours(pair: Pair, at: str) -> None:
    _, hub = await pair.connected()
    await hub.hear(frames.encode(frames.Beat("b1", 1, at, 0)))
    assert pair.hub.heard_until == pair.now.now()


@pytest.mark.parametrize("at", ["", "soon", "2026-11-22T08:00:00", "0001-01-01T00:00:00+14:00"])
async def test_a_beat_without_a_time_is_bad(pair: Pair, at: str) -> None:
    _, hub = await pair.connected()
    with pytest.raises(BadFrame):
        await hub.hear(frames.encode(frames.Beat("b1", 1, at, 0)))


async def test_the_hubs_time_is_told_if_it_did_not_take_long(pair: Pair) -> None:
    """With the signed welcome, and with each answer to a beat."""
    station, hub = await pair.connected()
    told = list(pair.station.hub_times)
    assert told[0] == pair.now.now()
    [beat] = station.beat()
    answers = await hub.hear(beat)
    pair.now.advance(6)
    station.hear(answers[0])
    assert pair.station.hub_times == told, "an old answer is no time"
    [beat] = station.beat()
    station.hear((await hub.hear(beat))[0])
    assert pair.station.hub_times == [*told, pair.now.now()]
    with pytest.raises(BadFrame, match="time"):
        station.hear(frames.encode(frames.Beat_Back("soon", 0)))


async def test_the_pump_carries_all(pair: Pair) -> None:
    line = PretendLine(*pair.ends())
    await line.connect()
    pair.station.write("a", "b")
    pair.hub.write("c")
    await line.carry()
    assert pair.station.entries() == pair.hub.entries()
    assert pair.hub.heard_until == pair.now.now()

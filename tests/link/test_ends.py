"""Both ends of a connection: proof first, then entries both ways; what does not fit closes the line."""

import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from link.books import HUB, HUB_KEY, HUB_WRITER, OTHER_KEY, STATION, STATION_KEY, Pair, deliver
from parcelwall.clock import text
from parcelwall.errors import Trouble
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


# proof


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


# a line that loses, repeats, reorders and breaks

DEEDS = st.lists(
    st.sampled_from(["station writes", "hub writes", "carry", "carry", "carry", "reconnect"]), min_size=1, max_size=40
)


@settings(max_examples=120, deadline=None)
@given(DEEDS, st.integers(0, 2**32))
async def test_whatever_the_line_does_both_books_end_equal(deeds: list[str], seed: int) -> None:
    pair, chance = Pair(), random.Random(seed)
    line = BadLine(pair, chance)
    for number, deed in enumerate(deeds):
        if deed == "station writes":
            pair.station.write(*(f"s{number}-{n}" for n in range(chance.randint(1, 3))))
        elif deed == "hub writes":
            pair.hub.write(*(f"h{number}-{n}" for n in range(chance.randint(1, 3))))
        elif deed == "reconnect":
            line.reconnect()
        else:
            await line.carry()
    line = BadLine(pair, random.Random(0), bad=0.0)
    await line.carry()
    assert pair.station.entries() == pair.hub.entries()
    numbers = [(entry.writer, entry.number) for entry in pair.hub.entries()]
    assert len(numbers) == len(set(numbers)) == pair.station.wrote().number + pair.station.has().number
    assert pair.station.acked == pair.station.wrote().number


class BadLine:
    """Frames are lost, repeated and overtaken by others with some chance; BadFrame closes, and it is dialled anew."""

    def __init__(self, pair: Pair, chance: random.Random, bad: float = 0.15) -> None:
        self.pair, self.chance, self.bad = pair, chance, bad
        self.reconnect()

    def reconnect(self) -> None:
        self.station, self.hub = self.pair.ends()
        self.down, self.up = [self.hub.challenge()], list[str]()

    async def carry(self) -> None:
        try:
            self.up += self._weather(self.station.news())
            if self.hub.station:
                self.down += self._weather(await self.hub.news())
            for _ in range(60):
                await self._step()
        except BadFrame:
            self.reconnect()

    async def _step(self) -> None:
        if self.down:
            self.up += self._weather(self.station.hear(self.down.pop(0)))
        elif self.up:
            self.down += self._weather(await self.hub.hear(self.up.pop(0)))

    def _weather(self, messages: list[str]) -> list[str]:
        kept = [m for m in messages for _ in range(self.chance.choice((0, 2)) if self._now() else 1)]
        if self._now():
            self.chance.shuffle(kept)
        return kept

    def _now(self) -> bool:
        return self.chance.random() < self.bad


async def test_the_bad_line_is_bad_indeed() -> None:
    line = BadLine(Pair(), random.Random(1))
    out = [len(line._weather(["x"])) for _ in range(500)]
    assert {0, 1, 2} == set(out)
    assert 20 < out.count(0) < 80

"""Whatever a line loses, repeats, reorders and breaks, both books end equal."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from link.books import Pair
from parcelwall.link.frames import BadFrame

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

"""The other road in a town: couriers' phones carry to the hub what a station without a line has written, and carry the
answer back. Screens, codes, bundles and the hub's judgement are the real ones; only the camera's misses are drawn.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import NamedTuple

from parcelwall.errors import Refusal
from parcelwall.hub import road as hub_road
from parcelwall.link import paper, road
from parcelwall.simulation.faults.chance import Luck
from parcelwall.simulation.faults.ledger import Ledger
from parcelwall.simulation.faults.outpost import Outpost
from parcelwall.simulation.faults.upstairs import GONE, Upstairs

NO_PHONE = 0.3  # of couriers: they have none with them, or do not think of it
MISSED = 0.2  # of the codes that pass a camera or a reader
TWICE = 0.1  # of bundles: the phone has not heard the answer
AGAIN = timedelta(minutes=30)  # the phone tries once more
TO_THE_HUB_MIN, BACK_MIN = (2, 240), (2, 600)  # minutes until there is a network, and until a courier comes by again

Later = Callable[[Outpost, timedelta, str, object], None]  # (where, in how long, what, who)


class Letter(NamedTuple):
    """What a phone carries to the hub."""

    post: Outpost
    bundle: bytes


class Reply(NamedTuple):
    """What it carries back, and of which epoch of the hub's."""

    sheets: Sequence[str]
    epoch: int


class Phones:
    """All couriers' phones. `luck` gives a stream by name; `later` puts something on the plan."""

    def __init__(self, upstairs: Upstairs, ledger: Ledger, luck: Callable[[str], Luck], later: Later) -> None:
        self.upstairs, self.ledger, self.later = upstairs, ledger, later
        self._luck_of, self._lucks = luck, dict[str, Luck]()

    def _luck(self, where: str) -> Luck:
        """One stream for each place: stations act at the same time."""
        if where not in self._lucks:
            self._lucks[where] = self._luck_of(f"phone, {where}")
        return self._lucks[where]

    def scan(self, post: Outpost) -> None:
        """A courier reads what the screen shows, part by part, if the hub has no other way to hear of it."""
        screen, luck = post.up.kiosk.by_phone, self._luck(post.name)
        if not screen.is_needed() or luck.happens(NO_PHONE):
            return
        screen.begin()
        bundles = [_read(screen.road.sheets, luck)]
        while screen.road.later:
            screen.road.show(next_part=True)
            bundles.append(_read(screen.road.sheets, luck))
        self.ledger.also("F01", "carried by phone")
        post.note(f"a courier's phone reads {screen.road.unsent} entries")
        wait = timedelta(minutes=luck.between(*TO_THE_HUB_MIN))
        for place, bundle in enumerate(bundles):
            self.later(post, wait + timedelta(seconds=place), "carry", Letter(post, bundle))

    async def hand_in(self, letter: Letter) -> None:
        """The phone gives it to the hub, once or twice; again later if no answer comes."""
        luck = self._luck("hub")
        for _time in range(1 + luck.happens(TWICE)):
            hub = self.upstairs.processes[luck.whole(0, 1)].hub
            try:
                carried = await hub_road.take(hub, letter.bundle)
            except Refusal as no:
                await self._judge_refusal(letter, no)
                return
            except GONE:
                self.later(letter.post, AGAIN, "carry", letter)
                return
            finally:
                await self.upstairs.bury("ingest")
            await self._judge(letter, carried)
        wait = timedelta(minutes=luck.between(*BACK_MIN))
        self.later(letter.post, wait, "hold", Reply(carried.sheets, self.upstairs.epoch))

    async def _head(self, writer: str) -> int:
        """How far the hub has a stream."""
        return await self.upstairs.eye.fetchval("SELECT number FROM writer WHERE name = $1", writer) or 0

    async def _judge(self, letter: Letter, carried: hub_road.Carried) -> None:
        """INV-08: what the hub says to have is there, and all that it was given is."""
        post, told = letter.post, road.read(letter.bundle).entries
        post.note(f"a phone has brought the hub entries through {carried.through}")
        if (head := await self._head(post.name)) < carried.through:
            post.violated(f"INV-08: the hub answers a phone that it has number {carried.through}, it has {head}")
        if told and carried.through < told[-1].through:
            post.violated(f"INV-08: a phone gave the hub entries through {told[-1].through}, it kept {carried.through}")

    async def _judge_refusal(self, letter: Letter, no: Refusal) -> None:
        """A station's own words are refused only by a hub that has lost what came before them, of either's."""
        post, bundle = letter.post, road.read(letter.bundle)
        post.note(f"what a phone brought the hub is refused: {no.reason}")
        lost = [name for name, (number, _) in bundle.header.has.items() if number > await self._head(name)]
        told = bundle.entries
        if not lost and (not told or told[0].after <= await self._head(post.name)):
            post.violated(f"INV-08: what {post.name} has signed and a phone has brought is refused: {no.reason}")

    async def hold(self, post: Outpost, reply: Reply) -> None:
        """A courier holds the answer to the reader, until the screen says that it has it, or will not have it."""
        screen = post.up.kiosk.by_phone
        if reply.epoch != self.upstairs.epoch:  # a hub that was restored since may not have what it says there
            post.healing = True
        screen.outcome = ""
        for text in _passing(reply.sheets, self._luck(post.name)):
            await screen.scanned(text)
            if screen.outcome:
                break
        post.note(f"the hub's answer by phone is {screen.outcome}")
        post.seen_outside()
        self._judge_answer(post, _whole(reply.sheets), screen.outcome)

    def _judge_answer(self, post: Outpost, answer: road.Bundle, outcome: str) -> None:
        """What the hub has written is taken in, unless it is of an epoch that is over, or the disk is full."""
        memory = post.up.memory
        ours = [frame for frame in answer.entries if frame.writer == memory.hub_writer]
        if outcome == "kept" and ours and memory.has().number < ours[-1].through:
            post.violated(f"INV-08: the hub's answer by phone was kept, and its number {ours[-1].through} is not there")
        if outcome == "refused" and len(ours) == len(answer.entries) and not post.disk.full:
            post.violated("F01: the hub's answer by phone is refused")


def _passing(sheets: Sequence[str], luck: Luck) -> Iterator[str]:
    """Codes as they are read: in a loop from anywhere on, some missed, until nobody wants more."""
    place = luck.whole(0, len(sheets) - 1)
    while True:
        if not luck.happens(MISSED):
            yield sheets[place % len(sheets)]
        place += 1


def _read(sheets: Sequence[str], luck: Luck) -> bytes:
    """The bundle that a phone has gathered from the screen."""
    gathering = paper.Gathering()
    return next(whole for text in _passing(sheets, luck) if (whole := gathering.take(text)) is not None)


def _whole(sheets: Sequence[str]) -> road.Bundle:
    gathering = paper.Gathering()
    return road.read(next(whole for text in sheets if (whole := gathering.take(text)) is not None))

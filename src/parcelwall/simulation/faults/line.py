"""Lines between stations and the hub's processes: real ends, real frames; cut, deaf, slow, repeated and late."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from parcelwall.errors import Trouble
from parcelwall.hub.house import Hub
from parcelwall.hub.lanes import LOST
from parcelwall.link.frames import BadFrame
from parcelwall.link.hub_end import HubEnd
from parcelwall.link.station_end import StationEnd
from parcelwall.simulation.faults.chance import Luck
from parcelwall.simulation.faults.kinds import Weather
from parcelwall.simulation.faults.ledger import Ledger
from parcelwall.simulation.faults.timepiece import TrueTime
from parcelwall.simulation.faults.upstairs import Upstairs

if TYPE_CHECKING:
    from parcelwall.simulation.faults.outpost import Outpost

HUB_NAME = "hub.town"


WRONG_AT_MOST = timedelta(minutes=6)


class Dropped(Exception):
    """This connection is at its end."""


class Link:
    """One connection. Frames go through `up` and `down`, where they may meet something."""

    def __init__(self, slot: int, station: StationEnd, hub: HubEnd) -> None:
        self.slot, self.station, self.hub = slot, station, hub
        self.deaf = ""  # "up" or "down": the direction in which nothing arrives any more
        self.fault = ""  # what is to befall the next batch
        self.held: list[str] = []  # frames of a slow line, on their way up
        self.last_up = ""

    async def up(self, messages: Sequence[str]) -> None:
        """From the station to the hub, with all that follows from it."""
        for message in messages:
            if self.deaf == "up":
                continue
            if '"k":"entries"' in message:
                self.last_up = message
            answers = await self.hub.hear(message)
            if self.fault == "F04":
                answers += await self.hub.hear(message)
            if self.fault == "F03":
                raise Dropped
            await self.down(answers)

    async def down(self, messages: Sequence[str]) -> None:
        """From the hub to the station."""
        for message in messages:
            if self.deaf == "down":
                continue
            answers = self.station.hear(message)
            if self.fault == "F04":
                answers += self.station.hear(message)
            await self.up(answers)


class Lines:
    """All lines of a town. What one step of time brings goes through them together, so that the desk serves batches."""

    def __init__(self, upstairs: Upstairs, weather: Weather, luck: Luck, ledger: Ledger) -> None:
        self.upstairs, self.weather, self.luck, self.ledger = upstairs, weather, luck, ledger
        self.old: list[tuple[str, HubEnd, str]] = []  # (station, its end at the hub, the last frame on its way)
        self.one_way = 0

    # connecting

    async def connect(self, post: "Outpost", slot: int) -> bool:
        """Dials. Whether the line is up then. A start that is behind the hub is a lost disk: a violation."""
        process = self.upstairs.process_of(slot)
        hub: Hub = process.hub
        ids = post.ids
        there = HubEnd(hub, hub.signer, HUB_NAME, ids.secret(32), TrueTime(post.clock))
        link = Link(slot, post.up.line_end(HUB_NAME), there)
        cut = self.weather.strikes("F01", self.luck) and self.luck.happens(0.05)
        if cut:
            self.ledger.struck("F01", ("hello",))
            return False
        if not await self._guarded(post, link, link.down([link.hub.challenge()])):
            return False
        post.link = link
        post.up.desk.online = True
        return True

    def cut(self, post: "Outpost") -> None:
        """The line is gone. What was on its way may come yet, over the old connection."""
        link, post.link = post.link, None
        if link and link.last_up:
            self.old = [each for each in self.old if each[0] != post.name]
            self.old.append((post.name, link.hub, link.last_up))
        if post.station:
            post.station.desk.online = False

    async def _guarded(self, post: "Outpost", link: Link, work: "asyncio.Future[None] | object") -> bool:
        """Does it; a line that ends is cut, a station that stops has stopped, and what must not be is written down."""
        try:
            await work  # type: ignore[misc]
        except Dropped:
            self.cut(post)
            return False
        except BadFrame as no:
            post.violated(f"INV-07: the line was closed: {no}")
            self.cut(post)
            return False
        except LOST:
            self.cut(post)
            return False
        except BaseException as failed:
            if post.fuse.blown:
                await post.stop()
                return False
            if not isinstance(failed, Trouble):
                raise
            if "restored from an older disk" in str(failed):
                post.violated(f"INV-08: {failed}")
            self.cut(post)
            return False
        return True

    # carrying

    async def carry(self, posts: Sequence["Outpost"], beats: bool) -> None:
        """News of stations up, then news of the hub down. Lines without a fault share the desk's batches."""
        live = [post for post in posts if post.link and post.station]
        ill = [post for post in live if self._afflict(post)]
        well = [post for post in live if post not in ill]
        await asyncio.gather(*(self._one(post, self._news(post)) for post in well))
        for post in ill:
            await self._one(post, self._news(post))
        await self.upstairs.bury("ingest")
        await self._speak_late(posts)
        await self._down([post for post in live if post.link and post.station], posts)
        if beats:
            await self._beat([post for post in live if post.link and post.station])
        await self.upstairs.bury("ingest")
        for post in live:
            if post.link:
                post.link.fault = ""

    async def _one(self, post: "Outpost", work: object) -> None:
        if post.link is None:
            work.close()  # type: ignore[attr-defined]
            return
        await self._guarded(post, post.link, work)

    def _afflict(self, post: "Outpost") -> bool:
        """Draws what befalls this batch. Answers whether anything does."""
        link = post.link
        assert link is not None
        if link.deaf or link.held:
            return True
        if not post.up.memory.unsent():
            return False
        for fault in ("F03", "F04", "F05"):
            if self.weather.strikes(fault, post.luck):
                link.fault = fault
                self.ledger.struck(fault, (post.link_state() if fault == "F04" else "live",))
                post.note(f"{fault} on the line")
                return True
        return False

    async def _news(self, post: "Outpost") -> None:
        link = post.link
        assert link is not None
        held, link.held = link.held, []
        fresh = link.station.news()
        if link.fault == "F05":
            link.held = fresh
        else:
            held += fresh
        await link.up(held)

    async def _beat(self, posts: Sequence["Outpost"]) -> None:
        """Signs of life; they tell the hub how far it has heard. Of a deaf line the station notices that nothing
        comes back."""
        for post in posts:
            link = post.link
            assert link is not None
            await self._one(post, link.up(link.station.beat()))
            if post.link and not link.deaf:
                _judge_time(post)
            if link.deaf and post.link:
                post.note("F02: nothing comes back, the line is given up")
                self.cut(post)

    async def _speak_late(self, posts: Sequence["Outpost"]) -> None:
        """An old connection says what it had still on its way, after a new one has said it too."""
        names = {post.name: post for post in posts}
        late, self.old = self.old, []
        for name, end, message in late:
            post = names[name]
            if post.link is None or not self.weather.rate("F04"):
                if post.link is None:
                    self.old.append((name, end, message))
                continue
            self.ledger.struck("F04", ("old connection",))
            try:
                await end.hear(message)
            except (BadFrame, Trouble, *LOST) as no:
                if isinstance(no, BadFrame):
                    post.violated(f"INV-07: a late frame of the old connection was refused: {no}")

    async def _down(self, posts: Sequence["Outpost"], everybody: Sequence["Outpost"]) -> None:
        """What the hub wrote for stations; on the way, that nothing was acknowledged which the hub has not (INV-08)."""
        hub = self.upstairs.first
        streams = {hub.writer_for(post.name): post for post in posts}
        rows = await self.upstairs.eye.fetch("SELECT name, number FROM writer")
        heads = {row["name"]: row["number"] for row in rows}
        for post in (each for each in everybody if each.station):
            acknowledged = post.up.memory.journal.cursor("acknowledged")
            post.healing = post.healing and not _healed(post, heads)
            if acknowledged > heads.get(post.name, 0) and not post.healing:
                post.violated(f"INV-08: the hub said that it has number {acknowledged}, it has {heads.get(post.name)}")
        behind = [post for name, post in streams.items() if heads.get(name, 0) > post.up.memory.has().number]
        for post in behind:  # one after another: who is quicker must not decide at whose statement a process dies
            await self._one(post, self._fetch(post))

    async def _fetch(self, post: "Outpost") -> None:
        link = post.link
        assert link is not None
        await link.down(await link.hub.news())


def _healed(post: "Outpost", heads: dict[str, int]) -> bool:
    """Whether a hub that was restored has all again that this station holds of either's streams."""
    memory = post.up.memory
    held = {name: head.number for name, head in memory.heads().items()}
    held[memory.writer] = memory.journal.cursor("acknowledged")
    return post.link is not None and all(heads.get(name, 0) >= number for name, number in held.items())


def _judge_time(post: "Outpost") -> None:
    """A-19: a station that has just heard the hub knows what time it is, whatever its clock says; unless its disk is so
    full that it cannot write that its clock goes back."""
    wrong_by = post.up.desk.now() - post.clock.true
    if abs(wrong_by) > WRONG_AT_MOST and not post.disk.used_up:
        post.violated(f"A-19: the hub has told the time, and the station's is wrong by {wrong_by}")

"""The hub's end of one station's link: challenges, takes in what the station wrote, ships what the hub wrote for it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from parcelwall import clock as clocks
from parcelwall.clock import Clock
from parcelwall.errors import Trouble
from parcelwall.journal import streams
from parcelwall.journal.chain import Broken, Entry, Head
from parcelwall.link import frames, orders
from parcelwall.link.frames import BadFrame, Frame
from parcelwall.link.identity import (
    Signer,
    beat_back_bytes,
    hello_bytes,
    rekey_bytes,
    rekeyed_bytes,
    signed_by,
    told_bytes,
    welcome_bytes,
)
from parcelwall.link.shipping import Returns, Run, Shipper, checked, returned, vouched
from parcelwall.link.station_end import SIGNED, HelloBody, WelcomeBody

MOST_QUESTIONS = 8  # of one station that wait for their answers; a screen asks one at a time
MOST_STREAMS = 200  # of one station, past and present: each was begun by somebody's hand


class Known(msgspec.Struct, frozen=True):
    """The computer that is a station now: its key, the stream it writes, the key it may come with next."""

    key: bytes
    writer: str
    next_key: bytes | None = None
    revoked: bool = False


class HubBook(Protocol):
    """What the hub's end needs of the hub."""

    async def known(self, station: str) -> Known | None:
        """Whose computer may connect; None for a station that has none."""
        ...

    async def next_key(self, station: str, key: bytes) -> None:
        """The station will come with this key some time; the present one is good until then."""
        ...

    async def use_next_key(self, station: str) -> None:
        """It has come with it: the key before dies."""
        ...

    def writer_for(self, station: str) -> str: ...

    async def past(self, station: str) -> Sequence[str]:
        """Streams of this station that nobody writes any more: of past epochs of the hub, of computers before."""
        ...

    async def head(self, writer: str) -> Head: ...
    async def since(self, writer: str, after: int, limit: int) -> Sequence[Entry]: ...

    async def learnt(self, after: Mapping[str, int]) -> Sequence[Run]:
        """What stands in these streams after these numbers, in the order in which the hub learnt it."""
        ...

    async def differs(self, station: str, writer: str) -> None:
        """Station and hub have different books of a past stream. Neither overwrites its own."""
        ...

    async def receive(self, station: str, entries: Sequence[Entry]) -> int:
        """Stores and learns what the station wrote; answers the number through which all is stored."""
        ...

    async def receive_back(self, station: str, entries: Sequence[Entry]) -> int:
        """The same for a past stream, of which the hub has lost the rest."""
        ...

    async def heard(self, station: str, until: datetime | None, software: str) -> None:
        """The station is there; `until` is its clock at a moment whose entries are all here."""
        ...


class HubEnd:
    """One connection's life. Send `challenge()` first; `station` is known after a hello that holds."""

    def __init__(self, book: HubBook, signer: Signer, hub: str, nonce: bytes, clock: Clock) -> None:
        self._book, self._signer, self._hub, self._nonce, self._clock = book, signer, hub, nonce, clock
        self._key = b""
        self._signs_for = b""  # the station's nonce of this connection, if it wants what it is told signed
        self._shipper: Shipper | None = None
        self._returns = Returns()
        self._writer, self._through = "", 0  # the stream of this computer, and how far it is here
        self._beaten = orders.Beaten()
        self._has_more = True  # of ours than was read: nobody will ring for that
        self.questions: list[str] = []  # that came, for whoever answers them
        self.station = ""  # once it has proved itself
        self.claims = ""  # the name that it came with, proved or not, for the log

    def challenge(self) -> str:
        return frames.encode(frames.Challenge(self._hub, self._nonce.hex(), clocks.text(self._clock.now())))

    async def hear(self, *messages: str) -> list[str]:
        """Frames to send in answer to messages that have come so far. Raises BadFrame: close the line with its code.

        Entries that follow each other are stored together and acknowledged once.
        """
        answers: list[Frame] = []
        run: list[frames.Entries] = []
        for message in messages:
            frame = frames.decode(message)
            if run and not (isinstance(frame, frames.Entries) and _follows(run[-1], frame)):
                answers.append(await self._take(run))
                run = []
            if isinstance(frame, frames.Entries) and self.station:
                run.append(frame)
            elif frame is not None:
                answers += await self._answer(frame)
        answers += [await self._take(run)] if run else []
        return [frames.encode(each) for each in answers]

    async def _answer(self, frame: Frame) -> list[Frame]:
        if not self.station and not isinstance(frame, frames.Hello):
            raise BadFrame("say hello first", frames.WRONG_IDENTITY)
        if isinstance(frame, frames.Hello) and not self.station:
            return await self._hello(frame)
        if isinstance(frame, frames.Beat):
            return [await self._beat(frame)]
        if isinstance(frame, frames.Ack):
            return await self._acknowledged(frame)
        if isinstance(frame, frames.Gap):
            return await self._once_more(frame)
        if isinstance(frame, frames.Rekey):
            return await self._rekey(frame)
        if isinstance(frame, frames.Ask):
            self.questions = [*self.questions, frame.body][-MOST_QUESTIONS:]
        return []

    async def _acknowledged(self, frame: frames.Ack) -> list[Frame]:
        own = self._shipper is not None and frame.writer == self._shipper.writer
        if own and self._shipper:
            self._shipper.acknowledged(frame.through, self._through_of_run(frame.writer))
        if self._returns.stored(frame.writer, frame.through):
            return await self._give_back() or await self._news()
        return await self._news() if own and self._has_more else []

    async def _once_more(self, gap: frames.Gap) -> list[Frame]:
        """What the station misses; of a run under way only if it could not store what came."""
        run = self._returns.next
        if run and (run.writer, run.after) == (gap.writer, gap.have):
            return await self._give_back()
        if self._shipper is None or gap.writer != self._shipper.writer:
            return []
        self._shipper.gap(gap.have)
        return await self._news()

    def _through_of_run(self, writer: str) -> int:
        """How far of this writer is under way outside the shipper's count."""
        run = self._returns.next
        return run.through if run and run.writer == writer else 0

    async def _hello(self, frame: frames.Hello) -> list[Frame]:
        try:
            body = msgspec.json.decode(frame.body, type=HelloBody)
            nonce = bytes.fromhex(body.nonce)
        except (msgspec.DecodeError, ValueError) as no:
            raise BadFrame(f"unreadable hello: {no}") from no
        self.claims = body.station[:64]
        known = await self._prove(body.station, frame)
        if body.protocol != frames.PROTOCOL:
            raise BadFrame("the station's protocol is another", frames.TOO_OLD)
        self.station, self._writer = body.station, known.writer
        self._beaten = orders.Beaten(body.boot, body.mono, self._clock.mono())
        welcome = await self._welcome(body, nonce)
        await self._book.heard(self.station, None, body.software)
        return [welcome, *(await self._give_back() or (await self._news() if self._has_more else []))]

    async def _prove(self, station: str, hello: frames.Hello) -> Known:
        """Who it is, by the key it came with. BadFrame for a stranger, and for a computer that was revoked."""
        known, signed = await self._book.known(station), hello_bytes(self._hub, self._nonce, hello.body)
        keys = [key for key in (known.key, known.next_key) if key] if known else []
        self._key = next((key for key in keys if signed_by(key, hello.sig, signed)), b"")
        if known is None or not self._key:
            raise BadFrame("this is no station of ours", frames.WRONG_IDENTITY)
        if known.revoked:
            raise BadFrame("this computer is trusted no longer", frames.REVOKED)
        if self._key == known.next_key:
            await self._book.use_next_key(station)
        return known

    async def _welcome(self, hello: HelloBody, nonce: bytes) -> Frame:
        own = self._book.writer_for(self.station)
        theirs, ours = await self._book.head(self._writer), await self._book.head(own)
        past = {name: await self._book.head(name) for name in await self._past(hello)}
        await self._refuse_another_book(own, ours, hello)
        await self._see_whether_set_back(theirs, hello)
        self._through = theirs.number
        self._shipper = Shipper(own, self._signer)
        has = hello.has.get(own, (0, ""))[0]
        self._shipper.begin(has)
        self._has_more = has < ours.number
        if missing := await self._missing(past, hello):
            self._returns = Returns(await self._book.learnt({**missing, own: has}))
        told = {name: (head.number, head.hash.hex()) for name, head in past.items()}
        body = WelcomeBody(
            at=clocks.text(self._clock.now()), has={self._writer: (theirs.number, theirs.hash.hex()), **told},
            wrote={own: (ours.number, ours.hash.hex()), **told}, signs=self._sees_to_wishes(hello, nonce),
        )  # fmt: skip
        written = msgspec.json.encode(body).decode()
        return frames.Welcome(written, self._signer.sign(welcome_bytes(self.station, nonce, written)))

    async def _past(self, hello: HelloBody) -> set[str]:
        """Past streams of this station that the hub knows of, or that the station knows of."""
        if len(hello.has) > MOST_STREAMS:
            raise BadFrame(f"a station has at most {MOST_STREAMS} streams")
        names = {*await self._book.past(self.station), *hello.has}
        return {name for name in names if self._is_past(name)}

    def _is_past(self, writer: str) -> bool:
        own = self._book.writer_for(self.station)
        if streams.station_of(writer) != self.station or writer in (own, self._writer):
            return False
        if streams.is_hubs(writer):
            return streams.epoch_of(writer) < streams.epoch_of(own)
        return streams.life_of(writer) < streams.life_of(self._writer)

    async def _missing(self, past: Mapping[str, Head], hello: HelloBody) -> dict[str, int]:
        """Past streams of which the station has less than the hub, and how much it has."""
        missing = {}
        for name, head in past.items():
            number, digest = hello.has.get(name, (0, ""))
            if number <= head.number and not await self._same(name, number, digest):
                await self._book.differs(self.station, name)
            elif number < head.number:
                missing[name] = number
        return missing

    async def _refuse_another_book(self, own: str, ours: Head, hello: HelloBody) -> None:
        """The station has what this hub did not write: a restored hub that goes on as if nothing had happened."""
        number, digest = hello.has.get(own, (0, ""))
        later = any(streams.epoch_of(name) > streams.epoch_of(own) for name in hello.has)
        same = number == ours.number and digest == ours.hash.hex()  # mostly: then no entry need be looked up
        if later or number > ours.number or not (same or await self._same(own, number, digest)):
            raise BadFrame("the hub was restored: run `parcelwall hub-restored`", frames.BOOKS_DIFFER)

    async def _see_whether_set_back(self, theirs: Head, hello: HelloBody) -> None:
        """A station that comes with less of its own book than it has shipped, or with another story, was set back: its
        disk lied, or it runs from an old copy. It finds so itself in the welcome and ships nothing; somebody must hear
        of it, as it says hello all the while."""
        number, digest = hello.wrote.get(self._writer, (0, ""))
        if number < theirs.number or (number == theirs.number and digest and digest != theirs.hash.hex()):
            await self._book.differs(self.station, self._writer)

    async def _same(self, writer: str, number: int, digest: str) -> bool:
        """Whether the entry of that number here has the hash that was told. Nothing told, nothing to compare."""
        if not number or not digest:
            return True
        return all(entry.hash.hex() == digest for entry in await self._book.since(writer, number - 1, 1))

    async def _give_back(self) -> list[Frame]:
        run = self._returns.next
        if run is None:
            return []
        entries = await self._book.since(run.writer, run.after, min(run.through - run.after, frames.MOST_ITEMS))
        return [returned(entries, run, self._signer)]

    def _sees_to_wishes(self, hello: HelloBody, nonce: bytes) -> bool | msgspec.UnsetType:
        """Whether what lasts longer than the line is signed from now on; unsaid to a station that does not ask."""
        if hello.wants is msgspec.UNSET or SIGNED not in hello.wants:
            return msgspec.UNSET
        self._signs_for = nonce
        return True

    def _signature(self, signed: bytes) -> str:
        return self._signer.sign(signed) if self._signs_for else ""

    async def _rekey(self, frame: frames.Rekey) -> list[Frame]:
        try:
            key = bytes.fromhex(frame.key)
        except ValueError as no:
            raise BadFrame("a key must be hexadecimal") from no
        told = rekey_bytes(self._hub, self._nonce, self.station, key)
        if not signed_by(self._key, frame.sig, told) or not signed_by(key, frame.proof, told):
            raise BadFrame("a new key is signed by the old one and by itself", frames.WRONG_IDENTITY)
        if key != self._key:
            await self._book.next_key(self.station, key)
        sig = self._signature(rekeyed_bytes(self.station, self._signs_for, frame.key))
        return [frames.Rekeyed(frame.key, sig)]

    async def _take(self, run: Sequence[frames.Entries]) -> Frame:
        """Stores a run. What came before a frame that is not to be believed is stored all the same."""
        try:
            return await self._store(run)
        except BadFrame:
            key = self._signer.public if self._gives_back(run[0].writer) else self._key
            good = next((n for n in range(len(run) - 1, 0, -1) if vouched(run[n - 1], key)), 0)
            if good:
                await self._store(run[:good])
            raise

    def _gives_back(self, writer: str) -> bool:
        """Whether it is a past stream, which came from here: what comes back bears our own signature."""
        return writer != self._writer and self._is_past(writer)

    async def _store(self, run: Sequence[frames.Entries]) -> Frame:
        writer = run[0].writer
        past = self._gives_back(writer)
        entries = checked(run, self._signer.public if past else self._key, writer if past else self._writer)
        if run[0].after > (through := self._through if not past else 0):
            through = (await self._book.head(writer)).number
        if run[0].after > through:
            return frames.Gap(writer, through)
        try:
            store = self._book.receive_back if past else self._book.receive
            through = await store(self.station, entries)
        except Broken as broken:
            if not past:
                raise BadFrame(str(broken)) from broken
            await self._book.differs(self.station, writer)
            return frames.Gap(writer, (await self._book.head(writer)).number)
        except (ValueError, msgspec.ValidationError) as no:
            raise BadFrame(f"unreadable entry: {no}") from no
        self._through = self._through if past else through
        return frames.Ack(writer, through)

    async def _beat(self, frame: frames.Beat) -> Frame:
        try:
            at = clocks.parse(frame.at)
        except (ValueError, OverflowError) as no:
            raise BadFrame(f"unreadable time: {no}") from no
        known = await self._book.known(self.station)
        if known is None or known.revoked or known.writer != self._writer:  # another computer is the station now
            raise BadFrame("this computer is trusted no longer", frames.REVOKED)
        self._beaten = orders.Beaten(frame.boot, frame.mono, self._clock.mono())
        complete = self._through >= frame.wrote
        await self._book.heard(self.station, min(at, self._clock.now()) if complete else None, "")
        now = clocks.text(self._clock.now())
        sig = self._signature(beat_back_bytes(self.station, self._signs_for, now, frame.mono))
        return frames.Beat_Back(now, frame.mono, sig)

    def order(self, asked: orders.Asked, lasts_ms: int = orders.LASTS_MS) -> str:
        """The frame that opens a door of this station within `lasts_ms`, at most 15 s, or never."""
        return frames.encode(orders.order(asked, self._beaten, self._clock.mono(), self._signer, lasts_ms))

    def told(self, body: str) -> str:
        """The frame that answers a question of this station."""
        return frames.encode(frames.Told(body, self._signer.sign(told_bytes(self.station, body))))

    async def news(self) -> list[str]:
        """Frames for what the hub wrote for this station since, as far as the window allows."""
        return [frames.encode(frame) for frame in await self._news()]

    async def _news(self) -> list[Frame]:
        self._has_more = True
        if self._shipper is None or (room := self._shipper.room()) <= 0 or self._returns.next:
            return []
        try:
            entries = await self._book.since(self._shipper.writer, self._shipper.sent, room)
        except Trouble:
            return []
        self._has_more = len(entries) >= room
        return self._shipper.ship(entries)


def _follows(before: frames.Entries, frame: frames.Entries) -> bool:
    return frame.after == before.through and frame.writer == before.writer

"""The hub's end of one station's link: challenges, takes in what the station wrote, ships what the hub wrote for it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from parcelwall import clock as clocks
from parcelwall.clock import Clock
from parcelwall.errors import Trouble
from parcelwall.journal.chain import Broken, Entry, Head
from parcelwall.link import frames, orders
from parcelwall.link.frames import BadFrame, Frame
from parcelwall.link.identity import Signer, hello_bytes, signed_by, welcome_bytes
from parcelwall.link.shipping import Shipper, checked
from parcelwall.link.station_end import HelloBody, WelcomeBody


class HubBook(Protocol):
    """What the hub's end needs of the hub."""

    async def public_key(self, station: str) -> bytes | None:
        """The key of a station that may connect; None for one that may not."""
        ...

    def writer_for(self, station: str) -> str: ...
    async def head(self, writer: str) -> Head: ...
    async def since(self, writer: str, after: int, limit: int) -> Sequence[Entry]: ...
    async def receive(self, station: str, entries: Sequence[Entry]) -> int: ...

    async def heard(self, station: str, until: datetime | None, software: str) -> None:
        """The station is there; `until` is its clock at a moment whose entries are all here."""
        ...


class HubEnd:
    """One connection's life. Send `challenge()` first; `station` is known after a hello that holds."""

    def __init__(self, book: HubBook, signer: Signer, hub: str, nonce: bytes, clock: Clock) -> None:
        self._book, self._signer, self._hub, self._nonce, self._clock = book, signer, hub, nonce, clock
        self._key = b""
        self._shipper: Shipper | None = None
        self._through = 0
        self._beaten = orders.Beaten()
        self.station = ""

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
            if run and not (isinstance(frame, frames.Entries) and frame.after == run[-1].through):
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
        if isinstance(frame, frames.Ack) and self._shipper and frame.writer == self._shipper.writer:
            self._shipper.acknowledged(frame.through, self._shipper.sent)
            return await self._news()
        if isinstance(frame, frames.Gap) and self._shipper and frame.writer == self._shipper.writer:
            self._shipper.gap(frame.have)
            return await self._news()
        return []

    async def _hello(self, frame: frames.Hello) -> list[Frame]:
        try:
            body = msgspec.json.decode(frame.body, type=HelloBody)
            nonce = bytes.fromhex(body.nonce)
        except (msgspec.DecodeError, ValueError) as no:
            raise BadFrame(f"unreadable hello: {no}") from no
        key = await self._book.public_key(body.station)
        if key is None or not signed_by(key, frame.sig, hello_bytes(self._hub, self._nonce, frame.body)):
            raise BadFrame("this is no station of ours", frames.WRONG_IDENTITY)
        if body.protocol != frames.PROTOCOL:
            raise BadFrame("the station's protocol is another", frames.TOO_OLD)
        self.station, self._key = body.station, key
        self._beaten = orders.Beaten(body.boot, body.mono, self._clock.mono())
        welcome = await self._welcome(body, nonce)
        await self._book.heard(self.station, None, body.software)
        return [welcome, *await self._news()]

    async def _welcome(self, hello: HelloBody, nonce: bytes) -> Frame:
        own = self._book.writer_for(self.station)
        theirs, ours = await self._book.head(self.station), await self._book.head(own)
        self._through = theirs.number
        self._shipper = Shipper(own, self._signer)
        self._shipper.begin(min(hello.has.get(own, (0, ""))[0], ours.number))
        body = WelcomeBody(
            at=clocks.text(self._clock.now()), has={self.station: (theirs.number, theirs.hash.hex())},
            wrote={own: (ours.number, ours.hash.hex())},
        )  # fmt: skip
        written = msgspec.json.encode(body).decode()
        return frames.Welcome(written, self._signer.sign(welcome_bytes(self.station, nonce, written)))

    async def _take(self, run: Sequence[frames.Entries]) -> Frame:
        try:
            entries = checked(run, self._key, self.station)
        except BadFrame:
            if len(run) > 1:  # what came before the one that is not to be believed is stored all the same
                await self._take(run[:-1])
            raise
        after = run[0].after
        if after > self._through:
            self._through = (await self._book.head(self.station)).number
        if after > self._through:
            return frames.Gap(self.station, self._through)
        try:
            self._through = await self._book.receive(self.station, entries)
        except Broken as broken:
            raise BadFrame(str(broken)) from broken
        except (ValueError, msgspec.ValidationError) as no:
            raise BadFrame(f"unreadable entry: {no}") from no
        return frames.Ack(self.station, self._through)

    async def _beat(self, frame: frames.Beat) -> Frame:
        try:
            at = clocks.parse(frame.at)
        except (ValueError, OverflowError) as no:
            raise BadFrame(f"unreadable time: {no}") from no
        self._beaten = orders.Beaten(frame.boot, frame.mono, self._clock.mono())
        complete = self._through >= frame.wrote
        await self._book.heard(self.station, min(at, self._clock.now()) if complete else None, "")
        return frames.Beat_Back(clocks.text(self._clock.now()), frame.mono)

    def order(self, asked: orders.Asked) -> str:
        """The frame that opens a door of this station within 15 s, or never."""
        return frames.encode(orders.order(asked, self._beaten, self._clock.mono(), self._signer))

    async def news(self) -> list[str]:
        """Frames for what the hub wrote for this station since, as far as the window allows."""
        return [frames.encode(frame) for frame in await self._news()]

    async def _news(self) -> list[Frame]:
        if self._shipper is None or self._shipper.room() <= 0:
            return []
        try:
            entries = await self._book.since(self._shipper.writer, self._shipper.sent, self._shipper.room())
        except Trouble:
            return []
        return self._shipper.ship(entries)

"""The station's end of the link: dials, proves itself, ships what it wrote, takes in what the hub wrote."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from parcelwall.clock import Clock, parse, text
from parcelwall.errors import Trouble
from parcelwall.journal.chain import Broken, Entry, Head
from parcelwall.link import frames
from parcelwall.link.frames import BadFrame, Frame
from parcelwall.link.identity import Signer, hello_bytes, signed_by, welcome_bytes
from parcelwall.link.shipping import Shipper, checked

NONCE_BYTES = 32
FRESH_MS = 5_000  # from the question to the answer


class StationBook(Protocol):
    """What the station's end needs of the station: its journal and its memory of the hub's."""

    station: str
    hub_writer: str

    def wrote(self) -> Head: ...
    def has(self) -> Head: ...
    def since(self, after: int, limit: int) -> Sequence[Entry]: ...

    def receive(self, entries: Sequence[Entry]) -> int:
        """Stores and learns entries of the hub in one transaction; answers the number through which all is stored."""
        ...

    def acknowledged(self, through: int) -> None:
        """The hub has stored everything through this number of ours."""
        ...

    def told_time(self, at: datetime, boot: str) -> None:
        """The hub's time, a few seconds old at most. `boot` names this run of the computer."""
        ...


class HelloBody(msgspec.Struct, frozen=True, kw_only=True):
    """What a station says of itself. Heads are [number, hash in hex]."""

    station: str
    nonce: str
    boot: str
    mono: int
    at: str
    wrote: dict[str, tuple[frames.Number, str]]
    has: dict[str, tuple[frames.Number, str]]
    key: str = "k1"
    clock: str = "trusted"
    software: str = ""
    protocol: int = frames.PROTOCOL
    facts: int = 1
    map: str = ""


class WelcomeBody(msgspec.Struct, frozen=True, kw_only=True):
    """What the hub answers: its time, what it has of the station's, what it wrote for it."""

    at: str
    has: dict[str, tuple[frames.Number, str]]
    wrote: dict[str, tuple[frames.Number, str]]


class StationEnd:
    """One connection's life, from the hub's challenge on. A new connection needs a new one."""

    def __init__(self, book: StationBook, signer: Signer, hub: str, hub_key: bytes, nonce: bytes, boot: str,
                 clock: Clock, software: str = "") -> None:  # fmt: skip
        self.book, self._signer, self._hub, self._hub_key = book, signer, hub, hub_key
        self._nonce, self._boot, self._clock, self._software = nonce, boot, clock, software
        self._shipper = Shipper(book.station, signer)
        self.welcomed = False
        self._asked_ms = 0  # when the hello went out
        self._missed = False  # the hub's news could not be stored

    def hear(self, message: str) -> list[str]:
        """Frames to send in answer to one that came. Raises BadFrame (close the line) or Trouble."""
        frame = frames.decode(message)
        return [frames.encode(each) for each in self._answer(frame)] if frame else []

    def _answer(self, frame: Frame) -> list[Frame]:
        if isinstance(frame, frames.Challenge):
            return [self._hello(frame)]
        if isinstance(frame, frames.Refuse):
            raise BadFrame(f"the hub refuses this station: {frame.reason}", frames.WRONG_IDENTITY)
        if isinstance(frame, frames.Welcome):
            return self._welcome(frame)
        if not self.welcomed:
            raise BadFrame("nothing is accepted before the hub has proved itself", frames.WRONG_IDENTITY)
        return self._in_service(frame)

    def _in_service(self, frame: Frame) -> list[Frame]:
        if isinstance(frame, frames.Entries):
            return self._take(frame)
        if isinstance(frame, frames.Ack) and frame.writer == self.book.station:
            self._shipper.acknowledged(frame.through, self.book.wrote().number)
            self.book.acknowledged(frame.through)
            return self._news()
        if isinstance(frame, frames.Gap) and frame.writer == self.book.station:
            self._shipper.gap(frame.have)
            return self._news()
        if isinstance(frame, frames.Beat_Back):
            self._time(frame.at, frame.mono)
        return []

    def _time(self, told: str, asked_ms: int) -> None:
        """The hub's time is believed if its answer did not take long."""
        try:
            at = parse(told)
        except (ValueError, OverflowError) as no:
            raise BadFrame(f"unreadable time: {no}") from no
        if 0 <= self._mono() - asked_ms < FRESH_MS:
            self.book.told_time(at, self._boot)

    def _hello(self, challenge: frames.Challenge) -> Frame:
        if frames.PROTOCOL not in challenge.versions:
            raise BadFrame("the hub speaks no version of the protocol that this station knows", frames.TOO_OLD)
        if challenge.hub != self._hub:
            raise BadFrame(f"the challenge is of {challenge.hub}, not of {self._hub}", frames.WRONG_IDENTITY)
        wrote, has = self.book.wrote(), self.book.has()
        self._asked_ms = self._mono()
        body = HelloBody(
            station=self.book.station, nonce=self._nonce.hex(), boot=self._boot, mono=self._asked_ms,
            at=text(self._clock.now()), software=self._software,
            wrote={self.book.station: (wrote.number, wrote.hash.hex())},
            has={self.book.hub_writer: (has.number, has.hash.hex())},
        )  # fmt: skip
        written = msgspec.json.encode(body).decode()
        signed = hello_bytes(challenge.hub, _from_hex(challenge.nonce), written)
        return frames.Hello(written, self._signer.sign(signed))

    def _welcome(self, frame: frames.Welcome) -> list[Frame]:
        if not signed_by(self._hub_key, frame.sig, welcome_bytes(self.book.station, self._nonce, frame.body)):
            raise BadFrame("the hub's signature does not hold", frames.WRONG_IDENTITY)
        try:
            body = msgspec.json.decode(frame.body, type=WelcomeBody)
        except msgspec.DecodeError as no:
            raise BadFrame(f"unreadable welcome: {no}") from no
        theirs = body.has.get(self.book.station, (0, ""))[0]
        if theirs > self.book.wrote().number:
            raise Trouble(
                f"the hub has {theirs} entries of {self.book.station}, this computer only {self.book.wrote().number}: "
                "it was restored from an older disk. Enrol it anew instead of letting it number again."
            )
        self.welcomed = True
        self._time(body.at, self._asked_ms)
        self._shipper.begin(theirs)
        self.book.acknowledged(theirs)
        return [self._beat(), *self._news()]

    def _take(self, frame: frames.Entries) -> list[Frame]:
        """Stored and acknowledged. What cannot be stored is not, and is asked for again with the next beat."""
        entries = checked([frame], self._hub_key, self.book.hub_writer)
        if frame.after > self.book.has().number:
            return [] if self._missed else [frames.Gap(frame.writer, self.book.has().number)]
        try:
            return [frames.Ack(frame.writer, self.book.receive(entries))]
        except Trouble:
            self._missed = True
            return []
        except Broken as broken:
            raise BadFrame(str(broken)) from broken

    def news(self) -> list[str]:
        """Frames for what was written since, as far as the window allows. Nothing before the welcome."""
        return [frames.encode(frame) for frame in self._news()] if self.welcomed else []

    def _news(self) -> list[Frame]:
        room = self._shipper.room()
        return self._shipper.ship(self.book.since(self._shipper.sent, room)) if room > 0 else []

    def beat(self) -> list[str]:
        """A sign of life; it tells how far this station has written, by its own clock."""
        return [frames.encode(each) for each in (self._beat(), *self._asked_again())] if self.welcomed else []

    def _asked_again(self) -> list[Frame]:
        missed, self._missed = self._missed, False
        return [frames.Gap(self.book.hub_writer, self.book.has().number)] if missed else []

    def _beat(self) -> Frame:
        return frames.Beat(self._boot, self._mono(), text(self._clock.now()), self.book.wrote().number)

    def _mono(self) -> int:
        return int(self._clock.mono() * 1000)


def _from_hex(written: str) -> bytes:
    try:
        return bytes.fromhex(written)
    except ValueError as no:
        raise BadFrame("a nonce must be hexadecimal") from no

"""The station's end of the link: dials, proves itself, ships what it wrote, takes in what the hub wrote.

If one side was restored from an older disk, the other gives back what it has of the lost entries before anything else.
"""

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from parcelwall.clock import Clock, parse, text
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
from parcelwall.link.shipping import Returns, Run, Shipper, checked, returned

NONCE_BYTES = 32
FRESH_MS = 5_000  # from the question to the answer
FIRST_YEAR = 2000  # no hub of ours is older, and a replay has the years of its orders


class StationBook(Protocol):
    """What the station's end needs of the station: its journal and its memory of the hub's."""

    station: str
    writer: str  # the stream that this computer writes
    hub_writer: str  # the stream that the hub writes for it now

    def wrote(self) -> Head: ...

    def heads(self) -> Mapping[str, Head]:
        """How far each stream that came by the link is here; the hub's present one always."""
        ...

    def since(self, writer: str, after: int, limit: int) -> Sequence[Entry]: ...

    def receive(self, entries: Sequence[Entry], sig: str) -> int:
        """Stores and learns entries of one stream in one transaction; answers the number through which all is stored.

        `sig` is the hub's, over the last of them: kept, so that a hub that has lost them can be given them back.
        """
        ...

    def acknowledged(self, through: int, welcomed_at: str = "") -> None:
        """The hub has stored everything through this number of ours. `welcomed_at`: it said so in a welcome of that
        time, by its own clock, and may have lost what it had beyond."""
        ...

    def begin_epoch(self, hub_writer: str) -> None:
        """The hub, which has proved itself, writes here from now on."""
        ...

    def lost(self, they_have: Mapping[str, int]) -> Iterable[Run]:
        """What the hub has lost of streams that came from it, with our own entries between, as learnt here."""
        ...

    def restored(self) -> None:
        """Everything that the hub keeps of this station is here. Trouble if that cannot be stored now."""
        ...

    def told_time(self, at: datetime, boot: str) -> None:
        """The hub's time, a few seconds old at most. `boot` names this run of the computer."""
        ...


SIGNED = "signed"  # what a station wants: that `beat_back` and `rekeyed` are signed, which lasts longer than a line
Heads = dict[str, tuple[frames.Number, str]]  # number, hash in hex


class HelloBody(msgspec.Struct, frozen=True, kw_only=True):
    """What a station says of itself. Heads are [number, hash in hex]."""

    station: str
    nonce: str
    boot: str
    mono: int
    at: str
    wrote: Heads
    has: Heads
    key: str = "k1"
    clock: str = "trusted"
    software: str = ""
    protocol: int = frames.PROTOCOL
    facts: int = 1
    map: str = ""
    wants: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET  # of what the hub may not know; see SIGNED


class WelcomeBody(msgspec.Struct, frozen=True, kw_only=True):
    """What the hub answers: its time, what it has of the station's and of past streams, what it can ship."""

    at: str
    has: Heads
    wrote: Heads
    signs: bool | msgspec.UnsetType = msgspec.UNSET  # `beat_back` and `rekeyed`, because the station asked for it


class StationEnd:
    """One connection's life, from the hub's challenge on. A new connection needs a new one."""

    def __init__(self, book: StationBook, signer: Signer, hub: str, hub_key: bytes, nonce: bytes, boot: str,
                 clock: Clock, software: str = "", obey: Callable[[orders.Ordered], None] = lambda _: None,
                 next_key: Signer | None = None, walked: str = "",
                 told_until: Callable[[datetime], datetime] = lambda now: now,
                 wants: tuple[str, ...] = (), told: Callable[[str], None] = lambda _: None) -> None:  # fmt: skip
        self.book, self._signer, self._hub, self._hub_key = book, signer, hub, hub_key
        self._nonce, self._boot, self._clock, self._software = nonce, boot, clock, software
        self._next_key, self._hub_nonce, self._walked = next_key, b"", walked
        self._shipper, self._obey = Shipper(book.writer, signer), obey
        self._wants, self._are_signed, self._told = wants, False, told
        self._told_until = told_until  # of now, until when all that was begun is in the book
        self._returns = Returns()
        self._awaited: dict[str, int] = {}
        self.welcomed = False
        self.rekeyed = False  # the hub takes the next key: dial again with it
        self._asked_ms = 0  # when the hello went out
        self._missed: dict[str, None] = {}  # streams whose news could not be stored

    def ask(self, body: str) -> str:
        """The frame that asks the hub; what it answers comes to `told`, or nothing does."""
        return frames.encode(frames.Ask(body))

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
        if isinstance(frame, frames.Ack):
            return self._acknowledged(frame)
        if isinstance(frame, frames.Gap) and frame.writer == self.book.writer:
            self._shipper.gap(frame.have)
            return self._news()
        if isinstance(frame, frames.Order):
            self._obey(orders.read(frame, self._hub_key))
        if isinstance(frame, frames.Told):
            if not signed_by(self._hub_key, frame.sig, told_bytes(self.book.station, frame.body)):
                raise BadFrame("the signature of the answer does not hold", frames.WRONG_IDENTITY)
            self._told(frame.body)
        if isinstance(frame, frames.Gap) and self._returns.refused(frame.writer):
            return self._give_back() or self._news()
        if isinstance(frame, frames.Rekeyed) and self._next_key and frame.key == self._next_key.public.hex():
            self._believe(frame.sig, rekeyed_bytes(self.book.station, self._nonce, frame.key))
            self.rekeyed = True
        if isinstance(frame, frames.Beat_Back):
            self._believe(frame.sig, beat_back_bytes(self.book.station, self._nonce, frame.at, frame.mono))
            self._time(frame.at, frame.mono)
        return []

    def _believe(self, sig: str, signed: bytes) -> None:
        """What has effects beyond this line must be the hub's own word. Only a hub of before does not sign it, and says
        so: its signed welcome does not promise to."""
        if self._are_signed and not signed_by(self._hub_key, sig, signed):
            raise BadFrame("the hub's signature does not hold", frames.WRONG_IDENTITY)

    def _time(self, told: str, asked_ms: int) -> None:
        """The hub's time is believed if its answer did not take long."""
        try:
            at = parse(told)
        except (ValueError, OverflowError) as no:
            raise BadFrame(f"unreadable time: {no}") from no
        if not FIRST_YEAR <= at.year <= frames.LAST_YEAR:
            raise BadFrame(f"the hub tells a time that is none: {told}")
        if 0 <= self._mono() - asked_ms < FRESH_MS:
            self.book.told_time(at, self._boot)

    # proof

    def _hello(self, challenge: frames.Challenge) -> Frame:
        if frames.PROTOCOL not in challenge.versions:
            raise BadFrame("the hub speaks no version of the protocol that this station knows", frames.TOO_OLD)
        if challenge.hub != self._hub:
            raise BadFrame(f"the challenge is of {challenge.hub}, not of {self._hub}", frames.WRONG_IDENTITY)
        self._hub_nonce = _from_hex(challenge.nonce)
        wrote = self.book.wrote()
        self._asked_ms = self._mono()
        body = HelloBody(
            station=self.book.station, nonce=self._nonce.hex(), boot=self._boot, mono=self._asked_ms,
            at=text(self._clock.now()), software=self._software, map=self._walked,
            wrote={self.book.writer: (wrote.number, wrote.hash.hex())},
            has={name: (head.number, head.hash.hex()) for name, head in self.book.heads().items()},
            wants=self._wants or msgspec.UNSET,
        )  # fmt: skip
        written = msgspec.json.encode(body).decode()
        signed = hello_bytes(challenge.hub, self._hub_nonce, written)
        return frames.Hello(written, self._signer.sign(signed))

    def _welcome(self, frame: frames.Welcome) -> list[Frame]:
        if not signed_by(self._hub_key, frame.sig, welcome_bytes(self.book.station, self._nonce, frame.body)):
            raise BadFrame("the hub's signature does not hold", frames.WRONG_IDENTITY)
        try:
            body = msgspec.json.decode(frame.body, type=WelcomeBody)
        except msgspec.DecodeError as no:
            raise BadFrame(f"unreadable welcome: {no}") from no
        theirs = self._refuse_another_book(body.has)
        self._follow_the_hub(body.wrote)
        self.welcomed, self._are_signed = True, body.signs is True
        self._awaited = {name: number for name, (number, _) in body.wrote.items()}
        self._returns = Returns(self.book.lost({name: number for name, (number, _) in body.has.items()}))
        self._time(body.at, self._asked_ms)
        self._shipper.begin(theirs)
        self.book.acknowledged(theirs, welcomed_at=body.at)  # a hub that was restored has less than it once said
        self._perhaps_restored()
        return [self._beat(), *self._rekey(), *(self._give_back() or self._news())]

    def _refuse_another_book(self, has: Heads) -> int:
        """How far the hub has what this computer wrote. Trouble if it has what this computer did not write."""
        theirs, digest = has.get(self.book.writer, (0, ""))
        if theirs > self.book.wrote().number:
            raise Trouble(
                f"the hub has {theirs} entries of {self.book.writer}, this computer only {self.book.wrote().number}: "
                "it was restored from an older disk. Enrol it anew instead of letting it number again."
            )
        if not self._same(self.book.writer, theirs, digest):
            raise Trouble(f"the hub has another number {theirs} of {self.book.writer}: two computers wrote it")
        return theirs

    def _same(self, writer: str, number: int, digest: str) -> bool:
        """Whether the entry of that number here has the hash that was told. Nothing told, nothing to compare."""
        if not number or not digest:
            return True
        return [entry.hash.hex() for entry in self.book.since(writer, number - 1, 1)] == [digest]

    def _follow_the_hub(self, wrote: Heads) -> None:
        """A later epoch is followed: the welcome is signed by the hub we know. Trouble for a hub that went back."""
        present = max((name for name in wrote if streams.is_hubs(name)), key=streams.epoch_of, default="")
        number, digest = wrote.get(present, (0, ""))
        has = self.book.heads()[self.book.hub_writer]
        if streams.epoch_of(present) > streams.epoch_of(self.book.hub_writer):
            if streams.station_of(present) != self.book.station:
                raise BadFrame(f"{present} is not for this station")
            self.book.begin_epoch(present)
        elif present != self.book.hub_writer or number < has.number:
            raise Trouble(
                f"the hub has lost entries of {self.book.hub_writer}: it was restored from a backup. This station "
                "works on alone until `parcelwall hub-restored` was run there."
            )
        elif number == has.number and digest and digest != has.hash.hex():
            raise Trouble(f"the hub has another number {number} of {present}: its book was written anew")

    def _rekey(self) -> list[Frame]:
        if self._next_key is None:
            return []
        told = rekey_bytes(self._hub, self._hub_nonce, self.book.station, self._next_key.public)
        return [frames.Rekey(self._next_key.public.hex(), self._signer.sign(told), self._next_key.sign(told))]

    # entries

    def _take(self, frame: frames.Entries) -> list[Frame]:
        """Stored and acknowledged. What cannot be stored is not, and is asked for again with the next beat."""
        if frame.writer != self.book.hub_writer and frame.writer not in self._awaited:
            raise BadFrame(f"entries of {frame.writer} are not for this line")
        entries = checked([frame], self._hub_key, frame.writer)
        have = self._have(frame.writer)
        if frame.after > have:
            return [] if frame.writer in self._missed else [frames.Gap(frame.writer, have)]
        try:
            through = self.book.receive(entries, frame.sig)
        except Trouble:
            self._missed[frame.writer] = None
            return []
        except Broken as broken:
            raise BadFrame(str(broken)) from broken
        self._perhaps_restored()
        return [frames.Ack(frame.writer, through)]

    def _have(self, writer: str) -> int:
        head = self.book.heads().get(writer)
        return head.number if head else 0

    def _perhaps_restored(self) -> None:
        if self._awaited:
            heads = {**self.book.heads(), self.book.writer: self.book.wrote()}
            if all(name in heads and heads[name].number >= number for name, number in self._awaited.items() if number):
                with contextlib.suppress(Trouble):  # for want of room: once more with the next beat
                    self.book.restored()
                    self._awaited = {}

    def _acknowledged(self, frame: frames.Ack) -> list[Frame]:
        own = frame.writer == self.book.writer
        if own:
            self._shipper.acknowledged(frame.through, self.book.wrote().number)
            self.book.acknowledged(frame.through)
        if self._returns.stored(frame.writer, frame.through):
            return self._give_back() or self._news()
        return self._news() if own else []

    def _give_back(self) -> list[Frame]:
        run = self._returns.next
        if run is None:
            return []
        return [returned(self.book.since(run.writer, run.after, run.through - run.after), run, self._signer)]

    def news(self) -> list[str]:
        """Frames for what was written since, as far as the window allows. Nothing before the welcome."""
        return [frames.encode(frame) for frame in self._news()] if self.welcomed else []

    def _news(self) -> list[Frame]:
        room = self._shipper.room()
        if room <= 0 or self._returns.next:
            return []
        return self._shipper.ship(self.book.since(self.book.writer, self._shipper.sent, room))

    def beat(self) -> list[str]:
        """A sign of life; it tells how far this station has written, by its own clock."""
        if not self.welcomed:
            return []
        self._perhaps_restored()
        return [frames.encode(each) for each in (self._beat(), *self._asked_again())]

    def _asked_again(self) -> list[Frame]:
        missed, self._missed = self._missed, {}
        return [frames.Gap(writer, self._have(writer)) for writer in missed]

    def _beat(self) -> Frame:
        at = self._told_until(self._clock.now())
        return frames.Beat(self._boot, self._mono(), text(at), self.book.wrote().number)

    def _mono(self) -> int:
        return int(self._clock.mono() * 1000)


def _from_hex(written: str) -> bytes:
    try:
        return bytes.fromhex(written)
    except ValueError as no:
        raise BadFrame("a nonce must be hexadecimal") from no

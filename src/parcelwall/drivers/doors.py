"""The doors of one lock-board bus: mapped doors only, and nothing said of them without two equal reads.

A contact that measures the hook reads not-closed while its coil is driven, whether the leaf moves or not. Until the
hook would have caught again that is UNKNOWN; then it is an open door. Source: hardware.md 2.3.
"""

import asyncio

from parcelwall.clock import Clock
from parcelwall.drivers.bus import Bus, How, Outcome, Rank
from parcelwall.drivers.frames import Codec, Reply, Spoken
from parcelwall.drivers.hearing import Counts
from parcelwall.drivers.port import OpenPort
from parcelwall.drivers.profile import DoorLine, Profile
from parcelwall.drivers.seen import NEVER_LOOKED, DoorState, Pulse, Seen, Why
from parcelwall.drivers.supply import Coil, Supply
from parcelwall.errors import Trouble

READS_NEEDED = 2
READS_AT_MOST = READS_NEEDED + 2  # a read may be retried twice
MISSES_OF_THE_DEAD = 3
HOOK_CATCHES_S = 0.2  # after its coil is let go

WHY = {
    How.ANSWERED: Why.FAULT, How.SILENT: Why.SILENT, How.GARBLED: Why.GARBLED, How.GONE: Why.SILENT,
    How.LATE: Why.SILENT,
}  # fmt: skip


class BoardDoors:
    """`Doors` over a bus owner and a codec.

    `supplies` is shared by all buses of a station, so that one supply never drives two coils at once.
    """

    def __init__(
        self,
        profile: Profile,
        clock: Clock,
        codec: Codec,
        open_port: OpenPort,
        supplies: dict[str, Supply] | None = None,
    ) -> None:
        self.profile = profile
        self._clock = clock
        self._bus = Bus(profile, clock, codec, open_port, self._on_spoken)
        self._supply = (supplies if supplies is not None else {}).setdefault(profile.supply, Supply(clock))
        self._places = {line.door: line for line in profile.doors}
        self._closed_values = {line.door: profile.closed_value_of(line) for line in profile.doors}
        self._boards: dict[int, list[DoorLine]] = {}
        for line in profile.doors:
            self._boards.setdefault(line.board, []).append(line)
        self._misses = dict.fromkeys(self._boards, 0)  # sweeps in a row that a board did not answer
        self._dead_turn = 0
        # Boards whose reply to query-all may be the same bytes as our own frame.
        self._one_by_one = {
            board: codec.ask_door(board, 1).frame != codec.ask_board(board, echo=True).frame for board in self._boards
        }
        self._twins = {board: codec.ask_board(board, echo=True).expect.twin for board in self._boards}
        self._rests = any(codec.rest(board, echo=True) for board in self._boards)
        self._coils = {line.door: Coil() for line in profile.doors}
        self._pulse_s = profile.pulse_ms / 1000
        self._hook_s = 0.0 if profile.contact == "door" else self._pulse_s + HOOK_CATCHES_S
        self._held_until: dict[int, float] = {}  # door -> how long its hook may not be caught for its coil alone
        self._seen: dict[int, Seen] = {}
        self._sweeping = asyncio.Lock()
        self._swept_at = float("-inf")
        self._spoken_since_sweep = False

    @property
    def counts(self) -> Counts:
        """What the line went through; for metrics."""
        return self._bus.counts

    @property
    def up(self) -> bool:
        """Whether the port is open. False while it is unplugged."""
        return self._bus.up

    async def start(self) -> None:
        """Begin. Accepts that the hardware is unplugged."""
        await self._bus.start()
        if self._hook_s:  # whoever was before us may have driven a coil a moment ago
            await self._clock.sleep(self._hook_s)
        for board in self._boards if self._rests else ():
            if (await self._bus.read_board(board)).how is How.ANSWERED:
                await self._bus.rest(board)

    async def close(self) -> None:
        """Let go of the port."""
        await self._bus.close()

    async def open(self, door: int, not_after: float) -> Pulse:
        """One pulse, or none; see `Doors.open`. Raises Trouble when the door is not mapped.

        Answers REFUSED, with nothing written, when the coil had its 3 pulses in 30 s or 6 in 10 min.
        """
        place = self._place(door)
        if not self._bus.line_is_known and self._clock.mono() <= not_after:
            # The echo test: the board's ack may equal our own frame, and only a read tells whether the line echoes.
            await self._bus.read_door(place.board, place.contact, Rank.OPEN)
        async with self._supply as supply:
            if not await supply.rest(not_after):
                return Pulse.LATE
            if not self._coils[door].may_be_driven(self._clock.mono()):
                return Pulse.REFUSED
            outcome = await self._bus.pulse(place.board, place.lock, not_after, lambda at: self._driven(door, at))
            if outcome.how is How.ANSWERED:
                self._pulsed(door, outcome.at)
        return _pulse_of(outcome)

    def rests_s(self, door: int, more: int = 0) -> float:
        """How long this door's coil has to rest; see `Doors.rests_s`."""
        return max(0.0, self._coils[door].rests_until(more) - self._clock.mono()) if door in self._coils else 0.0

    def _driven(self, door: int, at: float) -> None:
        """Told by the bus owner as the bytes leave, so that it holds even if whoever asked has gone away."""
        self._coils[door].driven(at)
        self._pulsed(door, at)

    def _pulsed(self, door: int, at: float) -> None:
        """The pulse began at `at` or before: until it is over nothing else is driven, and its hook says nothing."""
        self._supply.pulsed(at, self._pulse_s, self.profile.supply_gap_ms / 1000)
        if self._hook_s:
            self._held_until[door] = at + self._hook_s

    def _place(self, door: int) -> DoorLine:
        if door not in self._places:
            raise Trouble(f"Door {door!r} is not mapped on {self.profile.port}. Map it by the commissioning walk.")
        return self._places[door]

    async def state(self, door: int) -> Seen:
        """A fresh look at one door; see `Doors.state`."""
        place = self._places.get(door)
        if place is None:
            return Seen(DoorState.UNKNOWN, self._clock.mono(), Why.UNMAPPED)
        self._seen[door] = await self._look_twice(place, None)
        return self._told(door, self._clock.mono() - self.profile.stale_after_s)

    async def follow(self, door: int) -> Seen:
        """A look at a door that is looked at all the time; see `Doors.follow`."""
        place = self._places.get(door)
        if place is None:
            return await self.state(door)
        before = self._seen.get(door, NEVER_LOOKED)
        first = await self._bus.read_door(place.board, place.contact)
        contact = None if first.reply is None else first.reply.contact(place.contact)
        same = self._meaning(place, contact, first.at) is before.state is not DoorState.UNKNOWN
        is_fresh = first.at - before.at <= self.profile.stale_after_s
        self._seen[door] = Seen(before.state, first.at) if same and is_fresh else await self._look_twice(place, first)
        return self._told(door, self._clock.mono() - self.profile.stale_after_s)

    async def _look_twice(self, place: DoorLine, first: Outcome | None) -> Seen:
        """Two equal reads, or UNKNOWN; `first` is one that was made just now."""
        reads: list[tuple[int, float]] = []
        why = Why.SILENT
        for _ in range(READS_AT_MOST):
            outcome, first = first or await self._bus.read_door(place.board, place.contact), None
            contact = None if outcome.reply is None else outcome.reply.contact(place.contact)
            if contact is None:
                why = WHY[outcome.how]
            else:
                reads.append((contact, outcome.at))
            reads = [read for read in reads if outcome.at - read[1] <= self.profile.stale_after_s]
            if len(reads) == READS_NEEDED or outcome.how is How.GONE:
                break
        if len(reads) < READS_NEEDED:
            return Seen(DoorState.UNKNOWN, self._clock.mono(), why)
        return self._judge(place, reads[0][0], reads[1][0], reads[0][1], reads[1][1])

    def _judge(self, place: DoorLine, first: int | None, second: int | None, since: float, at: float) -> Seen:
        """What two reads say; the second was asked after `since`, when the first was answered."""
        if first is None or second is None:
            return Seen(DoorState.UNKNOWN, at, Why.FAULT)
        if first != second:
            return Seen(DoorState.UNKNOWN, at, Why.DISAGREE)
        state = self._meaning(place, second, since)
        return Seen(state, at, Why.HELD if state is DoorState.UNKNOWN else Why.NONE)

    def _meaning(self, place: DoorLine, contact: int | None, since: float) -> DoorState:
        if contact is None:
            return DoorState.UNKNOWN
        if contact == self._closed_values[place.door]:
            return DoorState.CLOSED
        return DoorState.UNKNOWN if self._is_held(place.door, since) else DoorState.OPEN

    def _is_held(self, door: int, since: float) -> bool:
        return since < self._held_until.get(door, since)

    async def sweep(self) -> dict[int, Seen]:
        """A look at every mapped door; see `Doors.sweep`. A frame the board spoke by itself brings it forward."""
        async with self._sweeping:
            due = self._clock.mono() - self._swept_at >= self.profile.poll_ms / 1000
            if due or self._spoken_since_sweep:
                self._swept_at, self._spoken_since_sweep = self._clock.mono(), False
                await self._sweep_boards()
            return self.last()

    async def _sweep_boards(self) -> None:
        for board in self._boards_to_ask():
            heard = await self._sweep_board(board, self._boards[board])
            self._misses[board] = 0 if heard else self._misses[board] + 1
        silent = all(seen.why is Why.SILENT for seen in self._seen.values())
        if silent and self._bus.up and len(self._boards) > 1:
            self._seen = {door: Seen(seen.state, seen.at, Why.NO_POWER) for door, seen in self._seen.items()}

    def _boards_to_ask(self) -> list[int]:
        """Every board that answers, and one in turn of those that do not, lest their silence slow the others."""
        dead = [board for board, misses in self._misses.items() if misses >= MISSES_OF_THE_DEAD]
        self._dead_turn += 1
        in_turn = dead[self._dead_turn % len(dead)] if dead else None
        return [board for board in self._boards if board not in dead or board == in_turn]

    async def _sweep_board(self, board: int, places: list[DoorLine]) -> bool:
        """One read confirms what was said a moment ago; anything else is read twice. Whether the board answered."""
        if not self._bus.line_is_known and self._twins[board]:
            # The echo test again: such a board's reply may equal our own frame.
            await self._bus.read_door(board, places[0].contact, Rank.POLL)
        first = await self._bus.read_board(board, Rank.POLL)
        if first.reply is not None and self._confirms(places, first.reply, first.at):
            for place in places:
                self._seen[place.door] = Seen(self._seen[place.door].state, first.at)
            return True
        second = first if first.reply is None else await self._bus.read_board(board, Rank.POLL)
        self._seen |= self._compared(places, first, second)
        return second.reply is not None

    def _compared(self, places: list[DoorLine], first: Outcome, second: Outcome) -> dict[int, Seen]:
        """What two reads of a board say of its doors: of most the same, which is judged once."""
        if first.reply is None or second.reply is None:
            return dict.fromkeys((place.door for place in places), Seen(DoorState.UNKNOWN, second.at, WHY[second.how]))
        seen, judged = {}, dict[tuple[int | None, int | None, int, bool], Seen]()
        for place in places:
            number = place.contact
            was, now = first.reply.contact(number), second.reply.contact(number)
            read = was, now, self._closed_values[place.door], self._is_held(place.door, first.at)
            if read not in judged:
                judged[read] = self._judge(place, was, now, first.at, second.at)
            seen[place.door] = judged[read]
        return seen

    def _confirms(self, places: list[DoorLine], reply: Reply, at: float) -> bool:
        """Whether a read says of all these doors what was seen of them a moment ago."""
        stale_after_s = self.profile.stale_after_s
        for place in places:
            before = self._seen.get(place.door, NEVER_LOOKED)
            now = self._meaning(place, reply.contact(place.contact), at)
            if now is DoorState.UNKNOWN or before.state is not now or at - before.at > stale_after_s:
                return False
        return True

    def _on_spoken(self, spoken: Spoken) -> None:
        """What a board says by itself is only a hint to look sooner."""
        self._spoken_since_sweep = True

    def last(self) -> dict[int, Seen]:
        """What was seen of every mapped door, without looking again; what is too old is `unknown: stale`."""
        fresh_since = self._clock.mono() - self.profile.stale_after_s
        return {door: self._told(door, fresh_since) for door in self._places}

    def _told(self, door: int, fresh_since: float) -> Seen:
        seen = self._seen.get(door, NEVER_LOOKED)
        if seen.state is not DoorState.UNKNOWN and seen.at < fresh_since:
            return Seen(DoorState.UNKNOWN, seen.at, Why.STALE)
        return seen

    # for commissioning: contacts as they are read, before anybody knows whose they are

    @property
    def echoes(self) -> bool:
        """Whether a read has shown that the line echoes."""
        return self._bus.echoes

    def asks_one_by_one(self, board: int) -> bool:
        """Whether a board is asked for one contact by another frame than for all."""
        return self._one_by_one.get(board, False)

    async def read_all(self, board: int) -> Outcome:
        """One read of all contacts of a board, raw."""
        return await self._bus.read_board(board, Rank.VERIFY)

    async def read_one(self, board: int, number: int) -> Outcome:
        """One read of one contact, raw."""
        return await self._bus.read_door(board, number)


def _pulse_of(outcome: Outcome) -> Pulse:
    if outcome.reply is not None:
        return Pulse.REFUSED if outcome.reply.refused else Pulse.ACKED
    if outcome.written:
        return Pulse.SILENT
    return Pulse.DEAD if outcome.how is How.GONE else Pulse.LATE

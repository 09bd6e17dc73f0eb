"""The one owner of a serial port: who asks waits in a queue, and one transaction runs at a time.

Source: hardware.md 2.2 and 2.11. Frames are made by the codec alone; there is no way to send raw bytes.
"""

import asyncio
import logging
from collections.abc import Callable
from enum import IntEnum

import msgspec

from parcelwall.clock import Clock
from parcelwall.drivers.frames import Codec, Expect, Kind, Reply, Request, Spoken
from parcelwall.drivers.hearing import Counts, Hearing
from parcelwall.drivers.port import OpenPort, Port, PortForbidden, PortGone
from parcelwall.drivers.profile import Profile

log = logging.getLogger(__name__)

FAILURES_BEFORE_REOPENING = 3
FIRST_BACK_OFF_S, LAST_BACK_OFF_S = 0.5, 30.0
DRAINS_AT_MOST = 25  # a line that never falls quiet must not hold the queue for ever


class Rank(IntEnum):
    """Who goes first."""

    OPEN = 0
    VERIFY = 1
    POLL = 2


class How(IntEnum):
    """How a transaction ended."""

    ANSWERED = 0
    SILENT = 1
    GARBLED = 2
    LATE = 3  # nothing was written
    GONE = 4  # the port is down


class Outcome(msgspec.Struct, frozen=True):
    """`at`: monotonic seconds of the end; `written`: whether bytes left."""

    how: How
    at: float
    written: bool
    reply: Reply | None = None


class Job(msgspec.Struct):
    """One transaction asked for. `on_written` is told the moment at which the bytes went out."""

    board: int
    ask: Callable[[], Request]
    not_after: float
    timeout_s: float
    on_written: Callable[[float], None]
    answer: "asyncio.Future[Outcome]"
    written: bool = False


class Bus:
    """Owns one port. Its methods never raise for what a port or a board does; they tell it as an Outcome."""

    def __init__(
        self,
        profile: Profile,
        clock: Clock,
        codec: Codec,
        open_port: OpenPort,
        on_spoken: Callable[[Spoken], None] = lambda _: None,
    ) -> None:
        self.counts = Counts()
        self._profile, self._clock, self._codec = profile, clock, codec
        self._open_port, self._on_spoken = open_port, on_spoken
        self._gap_s, self._byte_s = profile.gap_ms / 1000, 10 / profile.baud
        self._read_s = (profile.turnaround_ms + profile.timeout_ms) / 1000
        open_timeout_ms = 0 if profile.open_reply == "none" else profile.open_timeout_ms
        self._pulse_s = (profile.turnaround_ms + open_timeout_ms) / 1000
        self._queue: asyncio.PriorityQueue[tuple[Rank, int, Job]] = asyncio.PriorityQueue()
        self._asked = 0
        self._owner: asyncio.Task[None] | None = None
        self._port: Port | None = None
        self._quiet_at = float("-inf")  # before it nothing is written: the gap between frames
        self._doubt: dict[int, float] = {}  # board -> until when a late answer of it may still come
        self._line_echoes: bool | None = None
        self._failures = 0  # transactions in a row without an answer
        self._losses = 0  # times in a row that the port was gone
        self._retry_at = float("-inf")

    @property
    def up(self) -> bool:
        """Whether the port is open."""
        return self._port is not None

    async def start(self) -> None:
        """Takes the queue over. The port is opened if it is there, else whenever somebody asks for something."""
        assert self._owner is None, "a bus has one owner"
        self._forget_line()
        self._retry_at = float("-inf")
        await self._open_if_due()
        self._owner = asyncio.get_running_loop().create_task(self._own(), name=f"bus {self._profile.port}")

    async def close(self) -> None:
        """Lets go of the port; whoever still waits is told GONE."""
        owner, self._owner = self._owner, None
        if owner is not None:
            owner.cancel()
            await asyncio.wait([owner])
        while not self._queue.empty():
            self._tell(self._queue.get_nowait()[2], How.GONE)
        await self._close_port()

    async def pulse(self, board: int, lock: int, not_after: float, on_written: Callable[[float], None]) -> Outcome:
        """Drive one coil, once, never again by itself. Nothing is written after `not_after` (monotonic seconds)."""

        def ask() -> Request:  # made at the last moment: whether the line echoes is learned by the reads before
            return self._codec.open_one(board, lock, self._may_echo())

        return await self._enqueue(Rank.OPEN, board, ask, not_after, self._pulse_s, on_written)

    async def read_door(self, board: int, number: int, rank: Rank = Rank.VERIFY) -> Outcome:
        return await self._read(board, lambda: self._codec.ask_door(board, number), rank)

    async def read_board(self, board: int, rank: Rank = Rank.POLL) -> Outcome:
        return await self._read(board, lambda: self._codec.ask_board(board, self._may_echo()), rank)

    async def rest(self, board: int) -> None:
        """Lets go of all coils of a board, once, as best it can; nothing where a board has no such frame."""
        request = self._codec.rest(board, self._may_echo())
        if request is not None:
            made = request
            await self._enqueue(Rank.VERIFY, board, lambda: made, float("inf"), self._read_s, lambda _: None)

    def _may_echo(self) -> bool:
        """Until a read has shown that the line does not echo, a twin of our own frame is no answer."""
        return self._line_echoes is not False

    @property
    def line_is_known(self) -> bool:
        """Whether a read has shown if this line echoes."""
        return self._line_echoes is not None

    @property
    def echoes(self) -> bool:
        """Whether a read has shown that this line echoes."""
        return self._line_echoes is True

    async def _read(self, board: int, ask: Callable[[], Request], rank: Rank) -> Outcome:
        await self._until_no_doubt(board)
        return await self._enqueue(rank, board, ask, float("inf"), self._read_s, lambda _: None)

    async def _until_no_doubt(self, board: int) -> None:
        """A board that did not answer may answer late, and nothing in a frame tells to which question.

        So the same board is not read again before such an answer would have come and been drained away.
        """
        wait_s = self._doubt.get(board, 0.0) - self._clock.mono()
        if wait_s > 0:
            await self._clock.sleep(wait_s)

    async def _enqueue(
        self,
        rank: Rank,
        board: int,
        ask: Callable[[], Request],
        not_after: float,
        timeout_s: float,
        on_written: Callable[[float], None],
    ) -> Outcome:
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        job = Job(board, ask, not_after, timeout_s, on_written, answer)
        if self._owner is None:
            return Outcome(How.GONE, self._clock.mono(), False)
        self._asked += 1
        self._queue.put_nowait((rank, self._asked, job))
        return await answer

    async def _own(self) -> None:
        while True:
            _, _, job = await self._queue.get()
            try:
                await self._serve(job)
            except asyncio.CancelledError:
                self._tell(job, How.GONE)
                raise
            except Exception as wrong:  # ours to mend; whoever asked is told that the port is gone, and life goes on
                log.exception("the owner of %s stumbled", self._profile.port)
                await self._lose(PortGone(f"The port {self._profile.port} was let go of: {wrong}"))
                self._tell(job, How.GONE)

    async def _serve(self, job: Job) -> None:
        if job.answer.done():  # whoever asked has gone away: a pulse nobody waits for is not given
            return
        try:
            how, reply = await self._transact(job)
        except PortGone as gone:
            await self._lose(gone)
            how, reply = How.GONE, None
        self._tell(job, how, reply)
        # Whoever was answered may ask at once for more, and then goes before what has waited behind them: the second
        # look at a door that somebody stands before is not put off by a sweep.
        await asyncio.sleep(0)

    def _tell(self, job: Job, how: How, reply: Reply | None = None) -> None:
        if not job.answer.done():
            job.answer.set_result(Outcome(how, self._clock.mono(), job.written, reply))

    async def _transact(self, job: Job) -> tuple[How, Reply | None]:
        port = self._port or await self._open_if_due()
        if port is None:
            return How.GONE, None
        request = job.ask()
        await self._wait_for_gap(request.expect)
        self._drop_late(await port.read_some(self._clock.mono()))
        # No await between this look at the clock and the write.
        if job.answer.done() or not self._clock.mono() <= job.not_after:
            return How.LATE, None
        port.write(request.frame)
        job.written = True
        job.on_written(self._clock.mono())
        await port.drain(self._clock.mono() + len(request.frame) * self._byte_s + self._read_s)
        how, reply = await self._listen(port, request.expect, self._clock.mono() + job.timeout_s)
        self._note_doubt(request.expect, how)
        await self._remember(port, how)
        return how, reply

    async def _wait_for_gap(self, expect: Expect) -> None:
        """The gap between frames; and before an opening whose ack a late answer to a read could be taken for, that."""
        quiet_at = self._quiet_at
        if expect.kind is Kind.OPEN and self._codec.alike:
            quiet_at = max(quiet_at, self._doubt.get(expect.board, quiet_at))
        wait_s = quiet_at - self._clock.mono()
        if wait_s > 0:
            await self._clock.sleep(wait_s)

    def _note_doubt(self, expect: Expect, how: How) -> None:
        mistakable = expect.kind in (Kind.DOOR, Kind.BOARD) or self._codec.alike
        if mistakable and how in (How.SILENT, How.GARBLED):
            self._doubt[expect.board] = self._clock.mono() + self._read_s

    def _drop_late(self, data: bytes) -> None:
        """What came unasked answers nothing; spoken frames in it are heard."""
        if data:
            self.counts.late_bytes += len(data)
            Hearing(self._codec, None, self.counts, self._on_spoken).take(data)

    async def _listen(self, port: Port, expect: Expect, until: float) -> tuple[How, Reply | None]:
        """Reads until the answer is whole or the time is up."""
        hearing, reply = Hearing(self._codec, expect, self.counts, self._on_spoken), None
        while reply is None and (data := await port.read_some(until)):
            reply = hearing.take(data)
        self._drop_late(hearing.end()) if reply else hearing.end()
        if reply or hearing.echoed:
            self._learn_echo(expect, hearing.echoed)
        if reply:
            return How.ANSWERED, reply
        return (How.GARBLED if hearing.garbled else How.SILENT), None

    def _learn_echo(self, expect: Expect, echoed: bool) -> None:
        """Answers tell whether the line echoes, unless a good one may be the same bytes as an echo, or the file says
        it: one garbled echo must not make the next one a board's answer."""
        if expect.twin or self._profile.echo == "drop":
            return
        if echoed and self._line_echoes is not True and self._profile.echo == "no":
            log.warning("%s echoes what is sent, against its profile; echoes are dropped", self._profile.port)
        self._line_echoes = echoed

    def _forget_line(self) -> None:
        self._line_echoes = True if self._profile.echo == "drop" else None
        self._failures = 0

    async def _remember(self, port: Port, how: How) -> None:
        self._quiet_at = self._clock.mono() + self._gap_s
        if how is How.ANSWERED:
            self._failures = self._losses = 0
            return
        self.counts.unanswered += 1
        self._failures += 1
        if self._failures >= FAILURES_BEFORE_REOPENING:
            await self._reopen()
            return
        for _ in range(DRAINS_AT_MOST):
            data = await port.read_some(self._clock.mono() + self._gap_s)
            if not data:
                break
            self._drop_late(data)
        self._quiet_at = self._clock.mono()

    async def _reopen(self) -> None:
        await self._close_port()
        self.counts.reopened += 1
        self._retry_at = self._clock.mono()
        await self._open_if_due()

    async def _open_if_due(self) -> Port | None:
        """The port, opened if its back-off is over. Nothing runs in between: whoever asks next brings it about."""
        if self._clock.mono() < self._retry_at:
            return None
        try:
            self._port = await self._open_port(self._profile, self._clock)
        except PortForbidden as no:
            # Not for ever: after a replug the right may come a moment later than the port.
            log.error("DOORS ARE DEAD: %s", no)
            self._losses += 1
            self._retry_at = self._clock.mono() + LAST_BACK_OFF_S
        except PortGone as gone:
            self._put_off(gone)
        else:
            self._forget_line()
        return self._port

    async def _lose(self, gone: PortGone) -> None:
        await self._close_port()
        self._put_off(gone)

    def _put_off(self, gone: PortGone) -> None:
        (log.warning if self._losses == 0 else log.debug)("%s", gone)
        wait_s = min(FIRST_BACK_OFF_S * 2 ** min(self._losses, 10), LAST_BACK_OFF_S)
        self._losses += 1
        self._retry_at = self._clock.mono() + wait_s

    async def _close_port(self) -> None:
        port, self._port = self._port, None
        if port is not None:
            await port.close()

"""The commissioning walk: each lock is pulsed once, and a person at the doors says which one moved.

Source: hardware.md 2.10. It knows neither screens nor files: it asks through `ask`, and answers a Report. Nothing is
pulsed before the person has said that all doors are shut. Pulses go the way of all pulses, one at a time per supply.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Literal

import msgspec

from parcelwall.clock import Clock
from parcelwall.drivers.bus import How
from parcelwall.drivers.doors import BoardDoors
from parcelwall.drivers.judge import Change, Finding, Report, Tried, judge, mirrored
from parcelwall.drivers.makers import driver_of
from parcelwall.drivers.profile import DoorLine, Profile
from parcelwall.drivers.seen import Pulse
from parcelwall.errors import Trouble

PULSE_WITHIN_S = 5.0
WATCH_S, LOOK_EVERY_S = 2.0, 0.1  # how long contacts are given to change, and how often they are read
SHUT_WITHIN_S = 3.0
SHUT_ASKED_AT_MOST = 3
READS_NEEDED, READS_AT_MOST = 2, 4
ADDRESSES_TRIED = 32  # at most so many boards share a bus
NONE = ("0", "none")
YES, NO = ("y", "yes"), ("n", "no", "stop")

Contacts = dict[tuple[int, int], int]  # (board, input from 1) -> what it reads


class Question(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the person is asked. `ask`: begin and write want yes or no, moved a number, shut any answer."""

    ask: Literal["begin", "moved", "shut", "write"]
    words: str
    board: int | None = None
    lock: int | None = None
    door: int | None = None


Ask = Callable[[Question], Awaitable[str]]


async def said_yes(ask: Ask, question: Question) -> bool:
    """Asks until the answer is yes or no."""
    while (answer := (await ask(question)).strip().lower()) not in YES + NO:
        question = msgspec.structs.replace(question, words="Please answer yes or no.")
    return answer in YES


class NoBoards(Trouble):
    """Nothing answers on this bus, or its port is gone: none of its doors can be tried."""


class Walk:
    """One walk along the doors of one bus. `doors` are started, and are nobody else's meanwhile.

    `elsewhere` are doors that the file has on other buses, `known` what was found before.
    """

    def __init__(
        self, doors: BoardDoors, clock: Clock, ask: Ask, elsewhere: Collection[int] = (),
        known: Sequence[Finding] = (),
    ) -> None:  # fmt: skip
        self._doors, self._clock, self._ask, self._elsewhere = doors, clock, ask, elsewhere
        self._profile: Profile = doors.profile
        self._found: list[Finding] = list(known)
        self._boards: list[int] = []  # that answer
        self._rest: Contacts = {}  # how contacts read while all doors are shut

    async def run(self) -> Report:
        """Walks. Raises Trouble if no board answers, or if the person does not want to begin."""
        for board in self._profile.boards:
            await self._greet(board.address)
        if not self._boards:
            await self._look_for_others()
            words = [finding.words for finding in self._found]
            raise NoBoards(" ".join([*words, "No board answers: no door can be tried."]))
        if len(self._boards) < len(self._profile.boards):
            await self._look_for_others()
        if self._doors.echoes and self._profile.echo == "no":
            self._found.append(Finding("echo", "The adapter echoes what is sent; the file says it does not.", True))
        await self._begin()
        places = sorted(self._profile.doors, key=lambda line: (line.board, line.lock))
        tried: list[Tried] = []
        for place in (line for line in places if line.board in self._boards):
            tried.append(await self._try(place, {each.moved for each in tried}))
        return judge(self._profile, tried, self._found)

    async def _begin(self) -> None:
        count = sum(line.board in self._boards for line in self._profile.doors)
        words = (f"This opens {count} doors, one after another. The compartments should be empty. Shut all doors. "
                 "Begin?")  # fmt: skip
        known = [finding.words for finding in self._found]
        if not await said_yes(self._ask, Question("begin", " ".join([*known, words]))):
            raise Trouble("The walk was not begun; nothing was opened and nothing was written.")
        for board in self._boards:
            self._rest |= await self._look(board)

    async def _greet(self, board: int) -> None:
        """Whether a board answers; a read of one contact first, for that tells whether the line echoes."""
        await self._doors.read_one(board, 1)
        outcome = None
        for _ in range(READS_AT_MOST):
            outcome = await self._doors.read_all(board)
            if outcome.how is How.GONE:
                raise self._gone()
            if outcome.how is How.ANSWERED:
                self._boards.append(board)
                return
        assert outcome is not None
        words = (f"Board {board} is silent. Look at its power, its address, its cable (A and B may be swapped) and "
                 "whether its baud is the file's. Its doors were not tried.")  # fmt: skip
        if outcome.how is How.GARBLED:
            words = (f"Board {board} answers with what cannot be read. See whether `status_bytes` and `baud` are "
                     "right, and whether two boards have this address. Its doors were not tried.")  # fmt: skip
        self._found.append(Finding("silent_board", words, board=board))

    def _gone(self) -> Trouble:
        return NoBoards(f"The port {self._profile.port} went away. Plug the adapter in and begin again.")

    async def _look_for_others(self) -> None:
        """Asks, never opens, at addresses that the file does not know."""
        listed = {board.address for board in self._profile.boards}
        for address in driver_of(self._profile.driver).boards[:ADDRESSES_TRIED]:
            if address not in listed and (await self._doors.read_all(address)).how is How.ANSWERED:
                words = f"A board answers at address {address}, which the file does not know."
                self._found.append(Finding("unlisted_board", words, board=address))

    # one door

    async def _try(self, line: DoorLine, named: set[int | None]) -> Tried:
        pulse = await self._doors.open(line.door, self._clock.mono() + PULSE_WITHIN_S)
        if pulse is Pulse.DEAD:
            raise self._gone()
        changed = await self._watch(line.board)
        moved = await self._which(line, named)
        tried = Tried(line, pulse, moved, changed)
        if moved is None and not changed:
            return tried
        ones = await self._ones(tried)
        came_back = await self._shut(line if moved is None else self._line_of(moved), changed)
        now = await self._ones(tried)
        turned = [number for number in ones if ones[number] != now[number]]
        told = turned[0] if len(turned) == 1 and self._tells_apart(line.board) else None
        return Tried(line, pulse, moved, changed, told, came_back)

    def _line_of(self, door: int) -> DoorLine:
        return next(line for line in self._profile.doors if line.door == door)

    async def _watch(self, board: int) -> tuple[Change, ...]:
        """What has changed and stays so after the pulse; on the other boards too, unless it is one contact of this."""
        begun = self._clock.mono()
        changed: tuple[Change, ...] = ()
        while self._clock.mono() - begun < WATCH_S:
            await self._clock.sleep(LOOK_EVERY_S)
            before, changed = changed, await self._changed(board)
            settled = self._clock.mono() - begun > self._profile.pulse_ms / 1000 + 2 * LOOK_EVERY_S
            if settled and changed and changed == before:
                break
        if len(changed) != 1:
            for other in self._boards:
                changed += await self._changed(other) if other != board else ()
        return changed

    async def _changed(self, board: int) -> tuple[Change, ...]:
        now = await self._look(board)
        return tuple(Change(*key, value) for key, value in now.items() if self._rest.get(key, value) != value)

    async def _look(self, board: int) -> Contacts:
        """The contacts of a board that read alike twice running."""
        last: Contacts = {}
        for _ in range(READS_AT_MOST):
            before, last = last, await self._read(board)
            if before == last and last:
                return last
        return {key: value for key, value in last.items() if before.get(key) == value}

    async def _read(self, board: int) -> Contacts:
        reply = (await self._doors.read_all(board)).reply
        line = next(line for line in self._profile.boards if line.address == board)
        numbers = range(1, 8 * self._profile.status_bytes_of(line) + 1)
        told = {(board, number): reply.contact(number) for number in numbers} if reply is not None else {}
        return {key: value for key, value in told.items() if value is not None}

    async def _which(self, line: DoorLine, named: set[int | None]) -> int | None:
        """The door that the person saw moving; None for none."""
        words = (f"Board {line.board} lock {line.lock} was pulsed. Which door moved? Type its number, or 0 if none "
                 "did.")  # fmt: skip
        asked_again = False
        while True:
            answer = (await self._ask(Question("moved", words, line.board, line.lock, line.door))).strip().lower()
            if answer in NONE:
                return None
            doors = {str(known.door): known.door for known in self._profile.doors}
            if answer in doors and (asked_again or doors[answer] not in named):
                return doors[answer]
            asked_again = answer in doors
            words = (f"Door {answer} moved before, at another lock. Which door moved now?" if asked_again else
                     f"There is no door {answer!r} in the file. Which door moved? 0 if none did.")  # fmt: skip
            if answer in map(str, self._elsewhere):
                words = (f"Door {answer} is on another bus in the file. Answer 0, and move its cable, or its line to "
                         "this bus. Which door moved?")  # fmt: skip

    async def _shut(self, line: DoorLine, changed: tuple[Change, ...]) -> bool:
        """Asks for the door to be shut until its contact reads as before. Whether it does."""
        words = f"Shut door {line.door} until it catches."
        for _ in range(SHUT_ASKED_AT_MOST):
            await self._ask(Question("shut", words, line.board, line.lock, line.door))
            if await self._is_at_rest({change.board for change in changed} | {line.board}):
                return True
            words = f"Door {line.door} does not read shut yet. Push it again."
        for board in self._boards:  # what follows is held against how things are now
            self._rest |= await self._look(board)
        return False

    async def _is_at_rest(self, boards: set[int]) -> bool:
        until = self._clock.mono() + SHUT_WITHIN_S
        while any([await self._changed(board) for board in boards if board in self._boards]):
            if self._clock.mono() > until:
                return False
            await self._clock.sleep(LOOK_EVERY_S)
        return True

    # which order the status bytes have

    def _tells_apart(self, board: int) -> bool:
        """Whether the board answers for one contact by another question than for all."""
        return self._doors.asks_one_by_one(board)

    async def _ones(self, tried: Tried) -> dict[int, int | None]:
        """The contact that changed, asked for alone; and the one it would be in the other order of bytes."""
        if tried.clear is None or not self._tells_apart(tried.line.board):
            return {}
        board = next(line for line in self._profile.boards if line.address == tried.line.board)
        other = mirrored(tried.clear.number, self._profile.status_bytes_of(board))
        numbers = {tried.clear.number, other} & set(driver_of(self._profile.driver).locks)
        replies = {number: (await self._doors.read_one(board.address, number)).reply for number in sorted(numbers)}
        return {number: reply.contact(number) if reply else None for number, reply in replies.items()}

"""Frames as recorded, for every driver: frames/<driver>.txt holds them, one a line.

    make   <kind> <board> [lock] : frame                 the codec makes it, and pretend boards understand it
    reply  <kind> <board> [lock] : frame : inputs        the codec hears which contacts read 1; pretend boards say it
    heard  <kind> <board> [lock] : frame : inputs        as reply, but no pretend board says it
    refused <kind> <board> [lock] : frame                the board's no; pretend boards say it when told to refuse
    spoken <board> <input> : frame : inputs              the board says it unasked
    never  : frame                                       the codec cannot make it

Kinds are open, door, board and rest. Inputs are like "1-3 5", or "none", or "refused". What differs from the profile
of the tests stands behind a further colon.
"""

from pathlib import Path
from typing import Any, NamedTuple

import pytest

from drivers.wired import codec_for, wired_profile
from parcelwall.drivers import DRIVERS
from parcelwall.drivers.frames import Codec, Kind, Reply, Request, Spoken
from parcelwall.drivers.pretend.dialect import Contacts, dialect_of

FRAMES = Path(__file__).parent / "frames"


class Line(NamedTuple):
    """One line of a file of frames."""

    driver: str
    verb: str
    words: list[str]
    frame: bytes
    told: str
    changed: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.driver} {self.verb} {' '.join(self.words)} {self.frame.hex(' ')}"

    def request(self) -> Request:
        kind, numbers = Kind(self.words[0]), [int(word) for word in self.words[1:]]
        return asked_of(codec_for(self.driver, **self.changed), kind, *numbers)


def asked_of(codec: Codec, kind: Kind, board: int, number: int = 0, echo: bool = False) -> Request:
    if kind is Kind.OPEN:
        return codec.open_one(board, number, echo)
    if kind is Kind.DOOR:
        return codec.ask_door(board, number)
    request = codec.ask_board(board, echo) if kind is Kind.BOARD else codec.rest(board, echo)
    assert request is not None
    return request


def lines(*verbs: str) -> list[Line]:
    found = []
    for driver in DRIVERS:
        written = (FRAMES / f"{driver}.txt").read_text().splitlines()
        found += [read(driver, line) for line in written if line and not line.startswith("#")]
    return [line for line in found if line.verb in verbs]


def read(driver: str, text: str) -> Line:
    head, frame, *rest = [part.strip() for part in text.split(":")]
    verb, *words = head.split()
    pairs = (pair.split("=") for pair in (rest[1] if len(rest) > 1 else "").split())
    told = rest[0] if rest else ""
    if verb == "make":
        pairs, told = (pair.split("=") for pair in told.split()), ""
    return Line(driver, verb, words, bytes.fromhex(frame), told,
                {key: int(value) if value.isdigit() else value for key, value in pairs})  # fmt: skip


def inputs(told: str) -> set[int]:
    spans = [span.split("-") for span in told.split() if told not in ("none", "refused")]
    return {number for span in spans for number in range(int(span[0]), int(span[-1]) + 1)}


def bits(told: str) -> int:
    return sum(1 << (number - 1) for number in inputs(told))


@pytest.mark.parametrize("line", lines("make"), ids=str)
def test_requests_are_made_byte_for_byte_and_boards_understand_them(line):
    request = line.request()
    assert request.frame.hex(" ") == line.frame.hex(" ")
    assert request.expect.sent == request.frame
    asked = dialect_of(wired_profile(line.driver, **line.changed)).take(bytearray(line.frame))
    assert asked is not None
    kind, board, *lock = line.words
    assert asked.what in {"open": {"open"}, "rest": {"rest"}}.get(kind, {"one", "all"})
    assert asked.board == int(board)
    assert kind not in ("open", "door") or asked.lock in (int(lock[0]), 0)
    assert asked.lock > 0 or kind != "open"


@pytest.mark.parametrize("line", lines("reply", "heard"), ids=str)
def test_recorded_replies_mean_what_was_recorded(line):
    expect = line.request().expect
    found = codec_for(line.driver, **line.changed).decode(line.frame, expect)
    assert isinstance(found, Reply)
    assert (found.kind, found.board, found.used, found.junk) == (expect.kind, expect.board, len(line.frame), 0)
    assert found.refused == (line.told == "refused")
    channels = 0 if found.refused else line.changed.get("channels", 64)
    assert [found.contact(number) for number in range(1, channels + 1)] == [
        int(number in inputs(line.told)) for number in range(1, channels + 1)
    ]
    assert {found.contact(number) for number in range(channels + 1, 65)} <= {None}, "beyond that nothing is told"


@pytest.mark.parametrize("line", lines("refused"), ids=str)
def test_a_no_is_heard_as_one(line):
    request = line.request()
    found = codec_for(line.driver).decode(line.frame, request.expect)
    assert isinstance(found, Reply)
    assert found.refused
    assert found.contact(1) is None
    dialect = dialect_of(wired_profile(line.driver))
    asked = dialect.take(bytearray(request.frame))
    assert asked is not None
    assert dialect.refuse(asked) == line.frame


@pytest.mark.parametrize("line", lines("reply"), ids=str)
def test_pretend_boards_say_the_recorded_replies(line):
    contacts = inputs(line.told)
    changed = dict(line.changed)
    channels = changed.pop("channels", max(contacts, default=8))
    dialect = dialect_of(wired_profile(line.driver, **changed))
    asked = dialect.take(bytearray(line.request().frame))
    assert asked is not None
    said = dialect.answer(asked, Contacts(channels, lambda number: int(number in contacts)))
    assert said.hex(" ") == line.frame.hex(" ")


@pytest.mark.parametrize("line", lines("spoken"), ids=str)
def test_spoken_frames_answer_nothing(line):
    board, number = map(int, line.words)
    codec = codec_for(line.driver)
    questions = [asked_of(codec, kind, board, number).expect for kind in (Kind.OPEN, Kind.DOOR, Kind.BOARD)]
    for expect in [None, *questions]:
        spoken = Spoken(board, number, bits(line.told) >> (number - 1), len(line.frame), 0)
        assert codec.decode(line.frame, expect) == spoken
    dialect = dialect_of(wired_profile(line.driver))
    assert line.frame in [dialect.speak(board, number, spoken.contact, variant) for variant in (0, 1)]


def made_by(codec: Codec) -> dict[bytes, Kind]:
    """Every frame that a codec makes for boards and locks from -1 to 300."""
    made = {}
    for board in range(-1, 301):
        for kind in Kind:
            for number in range(-1, 301) if kind in (Kind.OPEN, Kind.DOOR) else (0,):
                try:
                    made[asked_of(codec, kind, board, number).frame] = kind
                except (ValueError, AssertionError):
                    continue
    return made


@pytest.mark.parametrize("driver", DRIVERS)
def test_forbidden_frames_cannot_be_made_for_any_board_and_lock(driver):
    made = made_by(codec_for(driver))
    never = [line.frame for line in lines("never") if line.driver == driver]
    assert never
    assert not made.keys() & set(never)
    dialect, boards = dialect_of(wired_profile(driver)), set()
    for frame, kind in made.items():
        asked = dialect.take(bytearray(frame))
        assert asked is not None
        assert asked.what != "forbidden"
        if asked.what == "open":
            assert kind is Kind.OPEN
            assert asked.lock > 0, "a board would open all its locks"
            boards.add((asked.board, asked.lock))
    assert len(boards) == list(made.values()).count(Kind.OPEN), "each frame opens a lock of its own"


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("wrong", [True, 1.0, "1", None, -1, 256])
def test_a_board_and_a_lock_are_whole_numbers_in_range(driver, wrong):
    codec = codec_for(driver)
    for ask in (lambda: codec.open_one(wrong, 1, False), lambda: codec.open_one(1, wrong, False),
                lambda: codec.ask_door(1, wrong), lambda: codec.ask_board(wrong, False)):  # fmt: skip
        with pytest.raises(ValueError, match="cannot be addressed"):
            ask()


@pytest.mark.parametrize("driver", DRIVERS)
def test_lock_0_is_nobody(driver):
    with pytest.raises(ValueError, match="cannot be addressed"):
        codec_for(driver).open_one(1, 0, echo=False)


def test_every_driver_has_frames_of_each_sort():
    for driver in DRIVERS:
        verbs = {line.verb for line in lines("make", "reply", "never") if line.driver == driver}
        assert verbs == {"make", "reply", "never"}

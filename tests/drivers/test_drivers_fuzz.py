"""Whatever comes down a line: no wrong door, no crash, no hang. For every driver.

What a codec takes for an answer is held against its pretend boards: oracle.py.
"""

import asyncio

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from drivers.conftest import memory_rig
from drivers.oracle import CODECS, DIALECTS, KINDS, questions, read_through
from drivers.test_drivers_frames import asked_of, lines
from drivers.wired import wired_profile
from parcelwall.drivers import DRIVERS, DoorState, Pulse
from parcelwall.drivers.frames import Codec, Expect, Kind, NeedMore, Reply
from parcelwall.drivers.pretend.dialect import Contacts

RECORDED = [line.frame for line in lines("make", "reply", "heard", "refused", "spoken", "never")]


def flipped(frame: bytes, bit: int) -> bytes:
    turned = bytearray(frame)
    turned[bit // 8 % len(frame)] ^= 1 << bit % 8
    return bytes(turned)


def said_by(driver: str, kind: Kind, board: int, number: int, bits: int) -> bytes:
    """A good answer of some board to some question."""
    if kind is Kind.REST and CODECS[driver].rest(1, echo=False) is None:
        kind = Kind.BOARD
    asked = DIALECTS[driver].take(bytearray(asked_of(CODECS[driver], kind, board, number).frame))
    assert asked is not None
    return DIALECTS[driver].answer(asked, Contacts(8, lambda each: bits >> (each - 1) & 1))


def pieces(driver: str) -> st.SearchStrategy[list[bytes]]:
    """What may come down a line: noise, frames of all makers, answers to other questions; whole, cut or flipped."""
    answer = st.builds(said_by, st.just(driver), st.sampled_from(KINDS), st.integers(1, 2), st.integers(1, 3),
                       st.integers(0, 255))  # fmt: skip
    frame = st.one_of(answer, st.sampled_from(RECORDED))
    once = st.builds(flipped, frame, st.integers(0, 500))
    piece = st.one_of(
        answer, frame, once, st.builds(flipped, once, st.integers(0, 500)),
        st.builds(lambda whole, kept: whole[:kept], frame, st.integers(0, 40)),
        st.binary(max_size=9),
    )  # fmt: skip
    return st.lists(piece, max_size=6)


@pytest.mark.parametrize("driver", DRIVERS)
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_an_answer_is_what_a_board_would_say_and_garbage_is_none(driver, data):
    expect = data.draw(st.sampled_from(questions(CODECS[driver])))
    read_through(driver, b"".join(data.draw(pieces(driver))), expect)


@pytest.mark.parametrize("driver", DRIVERS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_unasked_only_spoken_frames_are_heard(driver, data):
    read_through(driver, b"".join(data.draw(pieces(driver))), None)


@pytest.mark.parametrize("driver", DRIVERS)
@settings(max_examples=60, deadline=None)
@given(noise=st.binary(max_size=12), data=st.data())
def test_the_same_bytes_in_pieces_give_the_same_answer(driver, noise, data):
    """Bytes trickle in one by one; what is decided must not depend on where a read ended."""
    codec, dialect = CODECS[driver], DIALECTS[driver]
    expect = data.draw(st.sampled_from(questions(codec)))
    request = dialect.take(bytearray(expect.sent))
    assert request is not None
    good = dialect.answer(request, Contacts(8, lambda number: number % 2))
    cut = data.draw(st.integers(0, len(good)))
    for stream in (noise + good, good[:cut] + good, good):
        assert heard(codec, expect, [stream]) == heard(codec, expect, [bytes((byte,)) for byte in stream])


def heard(codec: Codec, expect: Expect, stream: list[bytes]) -> Reply | None:
    buffer = b""
    for piece in stream:
        buffer += piece
        while not isinstance(found := codec.decode(buffer, expect), NeedMore):
            buffer = buffer[found.used :]
            if isinstance(found, Reply):
                return Reply(found.kind, found.board, found.contacts, 0, 0, found.refused, found.unsure)
        buffer = buffer[found.used :]
    return None


# A whole driver on a bad line

WOE = st.one_of(
    st.tuples(st.just("cut"), st.integers(0, 12)),
    st.tuples(st.just("junk"), st.integers(0, 30)),
    st.tuples(st.just("answer_late"), st.sampled_from([0, 150, 190, 230, 300, 420])),
    st.tuples(st.just("mute_next"), st.integers(0, 4)),
    st.tuples(st.just("break_checksum"), st.integers(0, 1)),
    st.tuples(st.just("speak"), st.integers(1, 4)),
    st.tuples(st.just("foreign"), st.integers(0, len(RECORDED) - 1)),
    st.tuples(st.just("noise"), st.binary(max_size=20)),
    st.tuples(st.just("push_open"), st.integers(1, 4)),
    st.tuples(st.just("push_closed"), st.integers(1, 4)),
)
ACT = st.tuples(st.sampled_from(["open", "state", "sweep"]), st.integers(1, 4))


def befall(rig, woe, about) -> None:
    if woe in ("cut", "junk", "answer_late", "mute_next"):
        getattr(rig.core, woe)(about)
    elif woe == "break_checksum":
        rig.core.flip(about, keep_checksum=False)
    elif woe in ("speak", "push_open", "push_closed"):
        getattr(rig.hands, woe)(about)
    elif woe == "noise":
        rig.boards._send([(0.0, about)])
    elif not is_of_this_bus(rig, frame := RECORDED[about]):
        rig.boards._send([(0.03, frame)])


def is_of_this_bus(rig, frame: bytes) -> bool:
    """A forged answer of one of our own boards would be believed: the line has no secrets."""
    answers = [line for line in lines("reply", "heard", "refused") if line.driver == rig.doors.profile.driver]
    return frame in [line.frame for line in answers if int(line.words[1]) in (1, 2)] or frame in [
        line.frame for line in lines("make")
    ]


async def live_through(driver: str, story) -> None:
    rig = await memory_rig(wired_profile(driver), None)
    await rig.doors.start()
    rig.core.requests.clear()
    asked = []
    for woe, (act, door) in story:
        befall(rig, *woe)
        begun = rig.clock.mono()
        truth = rig.hands.states()
        if act == "open":
            asked.append(door)
            pulse = await rig.doors.open(door, rig.soon())
            assert pulse is not Pulse.ACKED or door in [each.door for each in rig.core.pulses]
        else:
            seen = {door: await rig.doors.state(door)} if act == "state" else await rig.doors.sweep()
            for number, one in seen.items():
                # A door that was pulsed a moment ago may be on its way.
                assert one.state in (truth[number], rig.hands.state(number), DoorState.UNKNOWN), (woe, act, number)
        assert rig.clock.mono() - begun < 15, "nothing hangs"
        await rig.clock.sleep(0.6)
    assert set(opened(rig)) <= set(asked)
    assert len(opened(rig)) <= len(asked), "no pulse but one that was asked for"
    assert {pulse.door for pulse in rig.core.pulses} <= set(asked)
    assert not [request for request in rig.core.requests if request.asked.what == "forbidden"]
    assert not rig.core.overlaps()
    await rig.doors.close()


def opened(rig) -> list[int]:
    doors = {(line.board, line.lock): line.door for line in rig.doors.profile.doors}
    return [doors[each.asked.board, each.asked.lock] for each in rig.core.requests if each.asked.what == "open"]


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(DRIVERS), st.lists(st.tuples(WOE, ACT), max_size=12))
@example("kerong16", [(("answer_late", 230), ("state", 1)), (("answer_late", 0), ("open", 1))])
@example("kerong16", [(("answer_late", 420), ("open", 1)), (("answer_late", 0), ("state", 1))])
def test_no_wrong_door_no_crash_and_no_hang_on_any_line(driver, story):
    asyncio.run(live_through(driver, story))

"""What a walk shows, judged: hands or file. However boards are wired, the profile that comes out is right."""

import asyncio
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.walking import Stand, whats
from drivers.wired import wired_profile
from parcelwall.drivers import DRIVERS, Profile, Pulse
from parcelwall.drivers.judge import Change, Report, Tried, judge, mirrored
from parcelwall.drivers.profile import DoorLine

FILE = wired_profile("xor8a")
LINE = FILE.doors[0]


@pytest.mark.parametrize(
    ("tried", "what"),
    [
        (Tried(LINE, Pulse.REFUSED, None), "refused"),
        (Tried(LINE, Pulse.ACKED, None), "dead_lock"),
        (Tried(LINE, Pulse.ACKED, None, (Change(1, 1, 0),)), "unmoved"),
        (Tried(LINE, Pulse.ACKED, 1), "dead_contact"),
        (Tried(LINE, Pulse.ACKED, 1, (Change(1, 1, 0), Change(1, 2, 0))), "several"),
        (Tried(LINE, Pulse.ACKED, 1, (Change(2, 1, 0),)), "another_board"),
        (Tried(LINE, Pulse.ACKED, 1, (Change(1, 1, 0),), came_back=False), "unshut"),
    ],
)
def test_what_hands_must_mend_is_named_and_changes_nothing(tried, what):
    report = judge(FILE, [tried])
    assert [(finding.what, finding.mended, finding.door) for finding in report.findings] == [(what, False, 1)]
    assert report.profile == FILE
    assert not report.whole


def test_a_wrong_line_of_the_file_is_put_right():
    file = msgspec.structs.replace(FILE, doors=[DoorLine(1, 1, 1, input=5, closed_value=0), *FILE.doors[1:]])
    others = [Tried(line, Pulse.ACKED, line.door, (Change(line.board, line.lock, 0),)) for line in FILE.doors[1:]]
    report = judge(file, [Tried(file.doors[0], Pulse.ACKED, 1, (Change(1, 1, 0),)), *others])
    assert whats(report) == ["wires", "polarity"]
    assert report.profile == FILE


@pytest.mark.parametrize("status_bytes", range(1, 9))
def test_an_order_turned_twice_is_the_first(status_bytes):
    numbers = range(1, 8 * status_bytes + 1)
    assert [mirrored(mirrored(number, status_bytes), status_bytes) for number in numbers] == list(numbers)


@st.composite
def wirings(draw: Any) -> tuple[Profile, Profile]:
    """Boards wired anyhow, and a file that is wrong about it."""
    driver = draw(st.sampled_from(DRIVERS))
    file = wired_profile(driver)
    places = [(line.board, line.lock) for line in file.doors]
    inputs = dict(zip(places[:3], draw(st.permutations([lock for _, lock in places[:3]])), strict=True))
    doors = [
        {"door": door, "board": board, "lock": lock, "input": inputs.get((board, lock), lock),
         "closed_value": draw(st.integers(0, 1))}
        for door, (board, lock) in enumerate(draw(st.permutations(places)), start=1)
    ]  # fmt: skip
    order = draw(st.sampled_from(["low_last", "low_first"])) if driver != "wkly" else "low_first"
    return wired_profile(driver, doors=doors, status_order=order), file


@settings(max_examples=80, deadline=None)
@given(wirings())
def test_however_it_is_wired_the_profile_of_the_walk_is_right(wiring):
    truth, file = wiring

    async def live() -> None:
        stand = Stand(truth)
        report = await stand.walk(file)
        assert report.whole
        await stand.works(report.profile)
        again = await stand.walk(report.profile)
        assert again == Report([], report.profile), "a second walk finds nothing"

    asyncio.run(live())

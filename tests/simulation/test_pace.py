"""A demo's day: fast while nobody acts, at its own pace while somebody does, and never back."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parcelwall.clock import PacedClock, VirtualClock
from parcelwall.errors import Trouble
from parcelwall.simulation.pace import ACTS_FOR_S, FASTEST, Pace, in_frames, noticing, where_it_was

START = datetime(2026, 11, 26, 8, tzinfo=UTC)


@given(st.lists(st.tuples(st.floats(1, FASTEST), st.floats(0, 1000)), max_size=20))
def test_a_day_never_goes_back_and_each_stretch_is_as_long_as_its_pace(
    stretches: list[tuple[float, float]],
) -> None:
    machine = VirtualClock(START)
    clock = PacedClock(machine)
    passed = 0.0
    for pace, seconds in stretches:
        before = clock.now()
        clock.go(pace)
        assert clock.now() == before, "another pace moves nothing"
        machine.advance(seconds)
        passed += pace * seconds
        assert abs((clock.now() - START).total_seconds() - passed) < 0.01
    assert clock.mono() == machine.mono(), "seconds stay seconds"


def test_a_town_that_is_opened_again_goes_on_where_it_was_left(tmp_path: Path) -> None:
    assert where_it_was(tmp_path / "clock") is None
    ahead = START + timedelta(days=3)
    (tmp_path / "clock").write_text("2026-11-29T08:00:00.000000Z")
    assert PacedClock(VirtualClock(START), where_it_was(tmp_path / "clock")).now() == ahead
    late = PacedClock(VirtualClock(ahead + timedelta(days=1)), where_it_was(tmp_path / "clock"))
    assert late.now() == ahead + timedelta(days=1), "it was shut for longer than it was ahead"


async def test_it_rests_while_somebody_acts_or_stands_at_a_door(tmp_path: Path) -> None:
    machine = VirtualClock(START)
    pace = Pace(PacedClock(machine), 60.0, tmp_path / "clock")
    running = asyncio.create_task(pace.run())
    at_a_door = False
    pace.busy = lambda: at_a_door
    assert await settled(pace) == 60
    with pace.at_its_own():
        assert await settled(pace) == 1
    assert await settled(pace) == 60
    pace.act()
    assert await settled(pace) == 1
    machine.advance(ACTS_FOR_S + 1)
    assert await settled(pace) == 60
    at_a_door = True
    assert await settled(pace) == 1
    pace.wanted, at_a_door = False, False
    assert await settled(pace) == 1, "nobody wants it fast"
    kept = where_it_was(tmp_path / "clock")
    assert kept is not None and kept >= START + timedelta(seconds=ACTS_FOR_S)
    running.cancel()


async def settled(pace: Pace) -> float:
    """What it comes to once its loop has looked."""
    await asyncio.sleep(0.15)
    return pace.clock.pace


@pytest.mark.parametrize("speed", [0.5, 0, -1, 361])
def test_a_speed_that_would_break_the_town_is_refused(tmp_path: Path, speed: float) -> None:
    with pytest.raises(Trouble, match="times as fast"):
        Pace(PacedClock(VirtualClock(START)), speed, tmp_path / "clock")


async def test_a_person_is_noticed_and_a_shop_is_not() -> None:
    acts: list[str] = []

    async def app(scope: object, receive: object, send: object) -> None: ...

    listening = noticing(app, lambda: acts.append("acted"))
    for method, path in (("POST", "/api/v1/parcels"), ("GET", "/console"), ("POST", "/demo/pace")):
        await listening({"type": "http", "method": method, "path": path}, None, None)
    assert acts == []
    await listening({"type": "http", "method": "POST", "path": "/console/stations/S-0001/open"}, None, None)
    assert acts == ["acted"]


async def test_pages_of_a_demo_may_stand_in_frames_of_this_machine_only() -> None:
    sent = []
    policy = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")

    async def app(scope: object, receive: object, send) -> None:  # type: ignore[no-untyped-def]
        await send({"type": "http.response.start", "headers": [policy]})

    async def send(message) -> None:  # type: ignore[no-untyped-def]
        sent.append(message)

    await in_frames(app)({"type": "http", "headers": []}, None, send)
    assert sent[0]["headers"][0][1] == b"default-src 'none'; frame-ancestors http://127.0.0.1:*"

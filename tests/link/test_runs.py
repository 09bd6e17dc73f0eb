"""Several frames at once: stored together, acknowledged once, and no further than they are to be believed."""

import msgspec
import pytest

from link.books import OTHER_KEY, STATION, STATION_KEY, Pair
from link.test_ends import decoded, signed
from parcelwall.journal import chain
from parcelwall.journal.chain import Draft
from parcelwall.link import frames
from parcelwall.link.frames import BadFrame, Entries
from parcelwall.link.hub_end import Known
from parcelwall.link.identity import Signer

AT = "2026-11-22T08:00:00.000000Z"


@pytest.fixture
def pair() -> Pair:
    return Pair()


def made(count: int, per_frame: int) -> list[Entries]:
    """Frames of the station's first entries, each signed by itself."""
    written = chain.extend(STATION, chain.start(STATION), [Draft("Said", AT, f'{{"n":{n}}}') for n in range(count)])
    parts = [written[start : start + per_frame] for start in range(0, count, per_frame)]
    return [signed(Entries(STATION, 0, 0, (), "", ""), part, STATION_KEY) for part in parts]


def texts(some: list[Entries]) -> list[str]:
    return [frames.encode(each) for each in some]


async def test_a_run_is_stored_and_acknowledged_once(pair: Pair) -> None:
    _, hub = await pair.connected()
    assert decoded(await hub.hear(*texts(made(12, 3)))) == [frames.Ack(STATION, 12)]
    assert len(pair.hub.entries()) == 12


async def test_a_hole_ends_a_run(pair: Pair) -> None:
    _, hub = await pair.connected()
    first, second, _, last = made(12, 3)
    answers = decoded(await hub.hear(*texts([first, second, last])))
    assert answers == [frames.Ack(STATION, 6), frames.Gap(STATION, 6)]


@pytest.mark.parametrize("bad", [0, 1, 3])
async def test_what_came_before_a_frame_that_is_not_to_be_believed_is_stored(pair: Pair, bad: int) -> None:
    _, hub = await pair.connected()
    run = made(12, 3)
    spoilt = [*run[:bad], *(msgspec.structs.replace(each, sig="00" * 64) for each in run[bad:])]
    with pytest.raises(BadFrame):
        await hub.hear(*texts(spoilt))
    assert len(pair.hub.entries()) == 3 * bad


async def test_the_last_signature_vouches_for_all_before_it(pair: Pair) -> None:
    """A touched entry before it does not pass: its hash is another."""
    _, hub = await pair.connected()
    run = made(6, 3)
    item = msgspec.structs.replace(run[0].items[1], body='{"n":99}')
    touched = msgspec.structs.replace(run[0], items=(run[0].items[0], item, run[0].items[2]))
    with pytest.raises(BadFrame):
        await hub.hear(*texts([touched, run[1]]))
    assert pair.hub.entries() == []


async def test_a_frame_holds_so_many_items_and_no_more(pair: Pair) -> None:
    _, hub = await pair.connected()
    [much] = made(frames.MOST_ITEMS + 1, frames.MOST_ITEMS + 1)
    with pytest.raises(BadFrame, match="at most 100"):
        await hub.hear(*texts([much]))


async def test_a_computer_that_was_replaced_is_not_heard(pair: Pair) -> None:
    """Its line may stand in another process: a sign of life from it says nothing of the new one."""
    station, hub = await pair.connected()
    before = pair.hub.heard_until
    pair.now.advance(3600)
    pair.hub.known_as[STATION] = Known(Signer(OTHER_KEY).public, f"{STATION}:1795707783")
    with pytest.raises(BadFrame, match="trusted no longer"):
        await hub.hear(station.beat()[0])
    assert pair.hub.heard_until == before

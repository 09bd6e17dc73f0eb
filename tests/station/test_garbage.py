"""A hub that is wrong: what it signs and cannot be. Doors open as ever, and nothing ends the process or a start."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
from structlog.testing import capture_logs
from websockets.asyncio.server import ServerConnection, serve

from parcelwall import clock
from parcelwall.errors import Refusal
from parcelwall.journal import chain
from parcelwall.journal.chain import Draft
from parcelwall.link import frames
from parcelwall.link.frames import BadFrame
from parcelwall.link.identity import welcome_bytes
from parcelwall.link.station_end import StationEnd, WelcomeBody
from parcelwall.rules import facts
from parcelwall.rules.layout import Compartment, Layout, plain_layout
from parcelwall.rules.life import Stage
from parcelwall.station.dial import Line
from parcelwall.station.house import Station
from parcelwall.web.kiosk import picture
from parcelwall.web.reader import renderer
from station.rig import HUB, NAME, WRITER, Rig


@pytest_asyncio.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    """Its books are not verified: `verify` names the entries that cannot be read, as it should."""
    rig = await Rig(tmp_path).start()
    yield rig
    await rig.stop()


def hear_raw(rig: Rig, kind: str, body: str) -> None:
    """An entry whose body no version of ours would write."""
    entries = chain.extend(WRITER, rig._head, [Draft(kind, clock.text(rig.now.now()), body)])
    rig._head = chain.Head(entries[-1].number, entries[-1].hash)
    rig.memory.receive(entries)


def configured(rig: Rig, **changed: object) -> facts.StationConfigured:
    assert rig.memory.about is not None
    return msgspec.structs.replace(rig.memory.about, **changed)


async def serves(rig: Rig) -> None:
    """The parcel that lies here is collected at the screen after one more start, and a wrong code is one."""
    await rig.restart()
    with pytest.raises(Refusal, match="wrong_code"):
        rig.desk.collect_by_code("00000000")
    [parcel] = rig.desk.inside()
    await rig.station.kiosk.type_code(rig.code(parcel.id))
    assert picture(rig.station, renderer()).door == parcel.compartment
    await rig.shut(parcel.compartment or 0)
    assert rig.parcel(parcel.id).stage == Stage.COLLECTED


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("Revoked", '{"grant": "a new form of names"}'),
        ("Revoked", '{"grant": "01990000-0000-7000-8000-000000000000", "station": "\\u0000"}'),
        ("PolicyAdopted", '{"policy": {"version": "two"}}'),
        ("Granted", '{"grant": 5}'),
    ],
)
async def test_what_cannot_be_read_keeps_nobody_out_and_ends_no_start(rig: Rig, kind: str, body: str) -> None:
    await rig.inside("PW-1")
    hear_raw(rig, kind, body)
    await serves(rig)


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "../../etc/passwd", "", "x" * 300])
async def test_a_zone_that_this_computer_does_not_know_is_utc_here(rig: Rig, zone: str) -> None:
    """Its list of zones is older than the hub's: days are counted in UTC, and everybody is let in."""
    await rig.inside("PW-1")
    with capture_logs() as lines:
        rig.hear(configured(rig, zone=zone))
    assert ("zone_unknown", zone) in [(line["event"], line.get("zone")) for line in lines]
    assert rig.desk.today == rig.now.now().date()
    await serves(rig)


@pytest.mark.parametrize(
    "layout",
    [
        Layout((), (Compartment(1, "S", 0, 0, 400, 80),)),
        Layout(plain_layout("S").sizes, (Compartment(1, "S", 0, 0, 400, 80), Compartment(1, "S", 0, 100, 400, 80))),
        Layout(plain_layout("S").sizes, (Compartment(0, "S", 0, 0, 400, 80),)),
    ],
    ids=["no such size", "one number twice", "number 0"],
)
async def test_a_layout_in_which_no_door_can_be_found_is_kept_and_not_learnt(rig: Rig, layout: Layout) -> None:
    await rig.inside("PW-1")
    before = rig.desk.plan.layout
    hear_raw(rig, "StationConfigured", facts.body(configured(rig, layout=layout)))
    assert rig.desk.plan.layout == before
    await serves(rig)


@pytest.mark.parametrize(
    "odd", [*({"generation": number} for number in (-1, 2**31, 10**30)), {"hold_hours": -1}, {"hold_hours": 2**40}]
)
async def test_a_promise_that_nobody_can_keep_takes_nobody_elses_away(rig: Rig, odd: dict[str, int]) -> None:
    """A code that cannot be derived was asked of everybody who typed; an end of time that cannot be reckoned ended the
    process when the door was shut, and at each start from then on."""
    await rig.inside("PW-1")
    promise = rig.a_promise("PW-2", **odd)
    hear_raw(rig, "Reserved", facts.body(promise))
    assert rig.memory.parcel(promise.parcel) is None
    await serves(rig)


async def test_a_parcel_behind_a_door_that_the_layout_leaves_out_is_collected(rig: Rig) -> None:
    """The screen names the door, without a drawing of where it would be."""
    parcel = await rig.inside("PW-1")
    number = rig.parcel(parcel).compartment
    without = tuple(each for each in rig.layout.compartments if each.number != number)
    rig.hear(configured(rig, layout=msgspec.structs.replace(rig.layout, compartments=without)))
    assert picture(rig.station, renderer()).cabinet_svg == ""
    await serves(rig)


def an_end(rig: Rig) -> StationEnd:
    end = rig.station.line_end("hub")
    end.hear(frames.encode(frames.Challenge("hub", "00" * 32, clock.text(rig.now.now()))))
    return end


def welcome(end: StationEnd, at: str) -> str:
    number = end.book.heads()[WRITER].number
    body = msgspec.json.encode(WelcomeBody(at=at, has={}, wrote={WRITER: (number, "")})).decode()
    return frames.encode(frames.Welcome(body, HUB.sign(welcome_bytes(NAME, end._nonce, body))))


@pytest.mark.parametrize("at", [f"{day}T00:00:00.000000Z" for day in ("9999-12-31", "0001-01-01", "1970-01-01")])
async def test_a_time_that_is_none_is_not_believed(rig: Rig, at: str) -> None:
    before, end = rig.desk.now(), an_end(rig)
    with pytest.raises(BadFrame, match="a time that is none"):
        end.hear(welcome(end, at))
    with pytest.raises(BadFrame, match="a time that is none"):
        end.hear(frames.encode(frames.Beat_Back(at, end._mono())))
    rig.now.advance(60)
    assert rig.desk.now() - before == timedelta(seconds=60)


async def test_entries_of_a_year_that_nothing_can_be_counted_from_are_not_taken() -> None:
    item = frames.Item(1, "Expired", "9999-12-31T23:59:59.999999Z", "{}")
    with pytest.raises(BadFrame, match="9999"):
        frames.entries_of(frames.Entries(WRITER, 0, 1, (item,), "00" * 32, ""))


class Stumbling(Station):
    """Something is wrong in it that nobody has thought of."""

    def line_end(self, hub: str) -> StationEnd:
        raise LookupError("nobody has thought of this")


async def test_a_line_that_stumbles_is_logged_and_dialled_again(rig: Rig) -> None:
    async def wait(line: ServerConnection) -> None:
        await line.wait_closed()

    station = Stumbling(rig.memory, rig.doors, rig.now, rig.ids)
    async with serve(wait, "127.0.0.1", 0, subprotocols=[frames.SUBPROTOCOL]) as hub:  # type: ignore[list-item]
        port = hub.sockets[0].getsockname()[1]
        with capture_logs() as lines:
            dialling = asyncio.create_task(Line(station, f"http://127.0.0.1:{port}").run())
            async with asyncio.timeout(10):
                while not lines and not dialling.done():
                    await asyncio.sleep(0.01)
        assert not dialling.done(), "the process would end with it"
        dialling.cancel()
        await asyncio.wait([dialling])
    assert [line["event"] for line in lines] == ["line_stumbles"]

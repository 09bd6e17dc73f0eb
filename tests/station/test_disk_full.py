"""The disk is full: nothing new is put in, what is inside goes out from the reserve, and nothing dies of it."""

import asyncio
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path
from uuid import UUID

import apsw
import pytest
from structlog.testing import capture_logs

from parcelwall import clock
from parcelwall.errors import Refusal
from parcelwall.journal import chain
from parcelwall.link import frames
from parcelwall.link.frames import Gap, decode
from parcelwall.link.identity import Signer
from parcelwall.link.orders import Ordered
from parcelwall.link.shipping import Shipper
from parcelwall.link.station_end import StationEnd
from parcelwall.rules import facts
from parcelwall.rules.life import Stage
from parcelwall.simulation.faults.disk import Disk, PretendReserve, a_shelf
from parcelwall.simulation.faults.fuse import Fuse
from parcelwall.station.house import key_of
from parcelwall.station.reserve import CannotWrite, FileReserve
from parcelwall.station.visit import Visit
from parcelwall.web.kiosk import picture
from parcelwall.web.reader import renderer
from station.rig import NAME, WRITER, Rig, fail_at, never_fail

RESERVE_BYTES = 512 * 1024
ONE_PAGE_BYTES = 5 * 1024  # of SQLite's side file, with what stands before it


class FullRig(Rig):
    """A station on a pretend disk that can be filled up."""

    def __init__(self, folder: Path, disk: Disk) -> None:
        super().__init__(folder, "SSSSSSSS", durable=True, reserve=PretendReserve(disk, RESERVE_BYTES))
        self.disk = disk

    def fill_up(self) -> None:
        self.disk.fill_up_in(0)

    def use_up(self) -> None:
        """Full, and the reserve gone with it."""
        self.fill_up()
        self.memory.reserve.release()
        self.disk.spare = 0
        self.memory.connection.pragma("wal_checkpoint(TRUNCATE)")


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[FullRig]:
    with a_shelf() as shelf:
        disk = Disk(Fuse())
        shelf.disks[str(tmp_path / "station.sqlite")] = disk
        rig = FullRig(tmp_path, disk)
        await rig.start()
        rig.station.space.look()
        yield rig
        disk.make_room()
        await rig.stop()


async def until_low(rig: FullRig) -> None:
    """Writes until the disk is felt."""
    for _ in range(2_000):
        if rig.memory.reserve.is_low:
            return
        rig.memory.tell(facts.Power(status="mains"))
    raise AssertionError("the disk never was full")


async def test_what_is_inside_goes_out_and_nothing_new_comes_in(rig: FullRig) -> None:
    inside = [await rig.inside(f"PW-{number}") for number in range(3)]
    rig.promise("PW-9")
    rig.fill_up()
    rig.memory.connection.pragma("wal_checkpoint(TRUNCATE)")
    await until_low(rig)
    rig.station.space.look()
    with pytest.raises(Refusal) as refused:
        rig.desk.deposit_by_label("PW-9", rig.courier)
    assert refused.value.reason == "station_out_of_service"
    for parcel in inside:
        await rig.collect(rig.code(parcel))
        assert rig.parcel(parcel).stage == Stage.COLLECTED
    assert rig.cases() == ["disk_full"], "told once, and written from the reserve"
    rig.station.space.look()
    assert rig.cases() == ["disk_full"]
    rig.disk.make_room()
    rig.station.space.look()
    await rig.deposit("PW-9")
    rig.clean()


async def test_even_the_reserve_is_used_up(rig: FullRig) -> None:
    """Nothing opens, right codes and wrong ones sound alike, no door is pulsed, and later all is as before."""
    parcel, pulses = await rig.inside("PW-1"), rig.pulses()
    rig.use_up()
    for code in (rig.code(parcel), "00000000"):
        _refused(rig, code, "cannot_record")
    showing = await rig.station.kiosk.type_code(rig.code(parcel))
    assert (showing.screen, showing.refusal) == ("closed", "cannot_record")
    rig.station.space.look()
    assert rig.pulses() == pulses
    await _room_again(rig, parcel)


async def test_a_right_code_whose_visit_finds_no_room_is_no_wrong_try(rig: FullRig) -> None:
    """A visit takes more room than the count of wrong codes: that fits still where the visit does not."""
    parcel, pulses = await rig.inside("PW-1"), rig.pulses()
    _refused(rig, "00000000", "wrong_code")  # told to the hub, so that for a minute no other is told
    rig.use_up()
    rig.disk.spare = ONE_PAGE_BYTES
    for _ in range(3):
        _refused(rig, rig.code(parcel), "cannot_record")
    assert rig.memory.brake("bare").today == 1
    _refused(rig, "00000000", "wrong_code")
    assert rig.memory.brake("bare").today == 2, "there was room for the count"
    assert rig.pulses() == pulses
    await _room_again(rig, parcel)


async def _room_again(rig: FullRig, parcel: UUID) -> None:
    """Everything is as before: the code opens, and the book is whole."""
    rig.disk.make_room()
    rig.station.space.look()
    await rig.collect(rig.code(parcel))
    assert rig.parcel(parcel).stage == Stage.COLLECTED
    rig.clean()


def _refused(rig: FullRig, code: str, reason: str) -> None:
    with pytest.raises(Refusal) as refused:
        rig.desk.collect_by_code(code)
    assert refused.value.reason == reason


async def test_the_screen_says_it_plainly(rig: FullRig) -> None:
    """To who brings a parcel, and to who comes for one when even the reserve is used up; in other languages too."""
    parcel, kiosk, page = await rig.inside("PW-1"), rig.station.kiosk, renderer()
    rig.promise("PW-2")
    rig.use_up()
    kiosk.show("courier-scan", 60, courier=rig.courier)
    await kiosk.label("PW-2")
    shown = page.fragment(picture(rig.station, page))
    assert "This station is closed" in shown
    assert "No parcel with this label" not in shown
    kiosk.home()
    await kiosk.type_code(rig.code(parcel))
    shown = page.fragment(picture(rig.station, page))
    assert "This station opens no door now" in shown
    assert "Your code stays good. Come back later." in shown
    assert "We tell you when it opens" not in shown
    kiosk.set_look("lang", "de")
    assert "Ihr Code bleibt gültig" in page.fragment(picture(rig.station, page))


async def at_an_open_door(rig: FullRig) -> Visit:
    """A courier before the door that was opened for a parcel."""
    rig.promise("PW-1")
    rig.station.kiosk.show("courier-scan", 60, courier=rig.courier)
    await rig.station.kiosk.label("PW-1")
    [visit] = rig.desk.unfinished()
    assert visit.step == "opened"
    return visit


async def taps(rig: FullRig, name: str, value: str = "") -> str:
    """What the screen says after a tap."""
    await rig.station.kiosk.act(name, rig.station.kiosk.showing.number, value)
    return unescape(renderer().fragment(picture(rig.station, renderer())))


@pytest.mark.parametrize("what", ["occupied", "unfit"])
async def test_what_a_courier_says_at_a_door_is_written_from_the_reserve(rig: FullRig, what: str) -> None:
    visit = await at_an_open_door(rig)
    rig.fill_up()
    rig.memory.connection.pragma("wal_checkpoint(TRUNCATE)")
    said = await taps(rig, *(("report", what) if what == "occupied" else (what,)))
    assert "We could not note that" not in said
    [stored] = rig.memory.unfinished()
    assert (stored.spoiled, stored.unfit) == (what == "occupied", what == "unfit")
    await rig.shut(visit.compartment)
    assert "Deposited" not in rig.told()


@pytest.mark.parametrize("what", ["occupied", "unfit"])
@pytest.mark.parametrize("room", ["before it is shut", "after"])
async def test_what_cannot_be_written_is_said_so_and_nothing_is_said_to_be_in(
    rig: FullRig, what: str, room: str
) -> None:
    """With the reserve gone too: the courier is told, and once there is room the book says what they said."""
    visit = await at_an_open_door(rig)
    rig.use_up()
    if what == "occupied":
        await taps(rig, "wrong")
    said = await taps(rig, *(("report", what) if what == "occupied" else (what,)))
    assert "We could not note that" in said
    assert "Put nothing in. Push the door shut, and please call the operator." in said
    assert "We have noted it" not in said
    said = await taps(rig, "back")
    assert f"Door {visit.compartment} is open" in said
    assert ("Take it out again" in said) == (what == "unfit")
    if room == "before it is shut":
        rig.disk.make_room()
        rig.station.space.look()
        [stored] = rig.memory.unfinished()
        assert (stored.spoiled, stored.unfit) == (what == "occupied", what == "unfit")
        await rig.shut(visit.compartment)
    else:
        rig.now.advance(6.0)
        rig.boards.push_closed(visit.compartment)
        rig.now.advance(1.0)
        with pytest.raises(CannotWrite):
            await rig.keeper.watch_closely()
        rig.disk.make_room()
        await rig.keeper.watch_closely()
    assert "Deposited" not in rig.told() and not rig.desk.unfinished()
    rig.station.space.look()
    assert rig.cases() == (["reported_occupied"] if what == "occupied" else [])
    rig.clean()


async def test_the_keeper_lives_on_and_tells_later(rig: FullRig) -> None:
    """A door that is shut, and one that is opened by hand, while nothing can be written."""
    parcel, other = await rig.inside("PW-1"), await rig.inside("PW-2")
    visit = await rig.keeper.serve(rig.desk.collect_by_code(rig.code(parcel)))
    rig.use_up()
    running = asyncio.create_task(rig.keeper.run())
    rig.boards.push_closed(visit.compartment)
    rig.boards.push_open(rig.parcel(other).compartment or 0)
    for _ in range(300):
        await asyncio.sleep(0)
    assert not running.done()
    assert rig.parcel(parcel).stage == Stage.READY
    rig.disk.make_room()
    for _ in range(300):
        await asyncio.sleep(0)
    running.cancel()
    assert rig.parcel(parcel).stage == Stage.COLLECTED
    assert rig.cases() == ["opened_unasked"]


async def test_a_door_that_opens_just_when_the_disk_is_full(rig: FullRig) -> None:
    """Seen open and not written: the visit stands as begun, and is settled like after a power cut."""
    parcel = await rig.inside("PW-1")
    visit = rig.desk.collect_by_code(rig.code(parcel))
    rig.use_up()
    assert (await rig.keeper.serve(visit)).step == "begun"
    assert rig.is_open(visit.compartment)
    with pytest.raises(CannotWrite):
        await rig.keeper.watch()
    rig.disk.make_room()
    await rig.look()
    await rig.shut(visit.compartment)
    assert rig.parcel(parcel).stage == Stage.COLLECTED
    assert rig.pulses() == 2


async def test_a_door_that_is_shut_while_nothing_can_be_written_says_so_and_is_written_later(rig: FullRig) -> None:
    parcel = await rig.inside("PW-1")
    visit = await rig.keeper.serve(rig.desk.collect_by_code(rig.code(parcel)))
    rig.use_up()
    rig.boards.push_closed(visit.compartment)
    rig.now.advance(1.0)
    with pytest.raises(CannotWrite):
        await rig.keeper.watch_closely()
    assert rig.parcel(parcel).stage == Stage.READY
    rig.disk.make_room()
    await rig.keeper.watch_closely()
    assert rig.parcel(parcel).stage == Stage.COLLECTED


async def test_the_log_says_once_that_a_shut_door_cannot_be_written(rig: FullRig) -> None:
    """And it is tried twice a second: each try that fails reads the whole cache anew."""
    parcel = await rig.inside("PW-1")
    visit = await rig.keeper.serve(rig.desk.collect_by_code(rig.code(parcel)))
    rig.use_up()
    rig.boards.push_closed(visit.compartment)
    began_s, tries = rig.now.mono(), list[str]()
    rig.memory.connection.set_exec_trace(lambda _, sql, __: tries.append(sql) or True)
    with capture_logs() as said:
        running = asyncio.create_task(rig.keeper.run())
        while rig.now.mono() < began_s + 60:
            await asyncio.sleep(0)
    never_fail(rig.memory.connection)
    told = [line["event"] for line in said]
    assert 1 <= told.count("cannot_write") <= 2, "each of the two loops may say it"
    assert sum("FROM standing" in sql for sql in tries) < 70, "of 60 s that both loops share"
    rig.disk.make_room()
    made_room_s = rig.now.mono()
    while rig.desk.unfinished():
        await asyncio.sleep(0)
    running.cancel()
    assert rig.now.mono() < made_room_s + 3
    assert rig.parcel(parcel).stage == Stage.COLLECTED


async def test_a_start_on_a_full_disk(rig: FullRig) -> None:
    parcel = await rig.inside("PW-1")
    rig.fill_up()
    await rig.restart()
    await rig.collect(rig.code(parcel))
    assert rig.parcel(parcel).stage == Stage.COLLECTED


async def test_the_line_stays_up_and_asks_again(rig: FullRig) -> None:
    """The hub's news have no room: not acknowledged, what the station wrote still goes up, asked for with a beat."""
    hub = Signer(bytes(32))
    end = StationEnd(rig.memory, key_of(rig.memory, rig.ids), "hub", hub.public, bytes(32), "boot", rig.now)
    end.welcomed = True
    head, promise = rig._head, rig.a_promise("PW-1")
    rig.use_up()
    with pytest.raises(CannotWrite):
        rig.hear(promise)
    rig._head = head
    frame = _frame(rig, hub, promise)
    assert end.hear(frame) == []
    assert [decode(each) for each in end.beat()][-1] == Gap(WRITER, rig.memory.has().number)
    assert len(end.beat()) == 1, "once"
    rig.disk.make_room()
    assert len(end.hear(frame)) == 1
    assert rig.memory.parcel(promise.parcel) is not None


async def test_an_order_without_room_moves_no_door_and_ends_no_line(rig: FullRig) -> None:
    rig.use_up()
    until = int(rig.now.mono() * 1000) + 10_000
    rig.station.orders.obey(
        Ordered(id=rig.ids.new(), station=NAME, door=3, boot=rig.station.boot, not_after=until)
    )
    for _ in range(50):
        await asyncio.sleep(0)
    assert rig.pulses() == 0
    assert "OrderAnswered" not in rig.told()


async def test_a_book_that_was_fetched_waits_for_room(rig: FullRig) -> None:
    """Either all of it is learnt, or it is still to do."""
    rig.promise("PW-1")
    rig.memory.know({"restoring": "yes", "case": str(rig.ids.new())})
    rig.use_up()
    with pytest.raises(CannotWrite):
        rig.memory.restored()
    assert rig.memory.restoring
    assert not rig.memory.unlooked
    rig.disk.make_room()
    rig.memory.restored()
    assert (rig.memory.restoring, rig.memory.unlooked) == (False, True)
    assert rig.told() == ["JournalRestored", "CaseOpened"]


@pytest.mark.parametrize("failure", [apsw.IOError, apsw.ReadOnlyError])
async def test_a_disk_that_fails_ends_no_main_loop(rig: FullRig, failure: type[Exception]) -> None:
    """Nothing is opened, keeper, space and line's end live on, and later the door that was shut is written."""
    parcel = await rig.inside("PW-1")
    visit = await rig.keeper.serve(rig.desk.collect_by_code(rig.code(parcel)))
    rig.memory.reserve.release()
    running = asyncio.create_task(rig.station.run())
    rig.boards.push_closed(visit.compartment)
    for _ in range(60):
        fail_at(rig.memory.connection, 1, failure)
        await asyncio.sleep(0)
    assert not running.done()
    never_fail(rig.memory.connection)
    for _ in range(300):
        await asyncio.sleep(0)
    running.cancel()
    assert rig.parcel(parcel).stage == Stage.COLLECTED


def _frame(rig: Rig, hub: Signer, promise: facts.Fact) -> str:
    draft = chain.Draft(promise.kind, clock.text(rig.now.now()), facts.body(promise))
    shipper = Shipper(WRITER, hub)
    shipper.begin(rig.memory.has().number)
    [frame] = shipper.ship(chain.extend(WRITER, rig.memory.has(), [draft]))
    return frames.encode(frame)


def test_the_reserve_is_real_and_goes_and_comes(tmp_path: Path) -> None:
    reserve = FileReserve(tmp_path / "station.sqlite", size_bytes=8192, low_bytes=0)
    assert reserve.is_low
    reserve.remake()
    [file] = tmp_path.iterdir()
    assert file.stat().st_size == 8192
    assert file.stat().st_blocks * 512 >= 8192, "no hole"
    assert not reserve.is_low
    assert reserve.release()
    assert reserve.is_low
    assert not reserve.release()
    hungry = FileReserve(tmp_path / "station.sqlite", size_bytes=8192, low_bytes=2**62)
    hungry.remake()
    assert hungry.is_low
    assert list(tmp_path.iterdir()) == [], "half a reserve is none"

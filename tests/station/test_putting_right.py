"""Wrong door? Whoever has just put a parcel in may open its door once more, and what was booked stays true."""

from pathlib import Path
from uuid import UUID

import pytest

from parcelwall.errors import Refusal
from parcelwall.rules import facts
from parcelwall.rules.life import INSIDE, Stage
from parcelwall.rules.policy import Policy
from parcelwall.simulation.faults.chance import Luck
from parcelwall.station import putting_right
from parcelwall.station.kiosk import Kiosk
from parcelwall.web.kiosk_picture import picture
from parcelwall.web.render import Renderer
from station.rig import NAME, Rig


@pytest.fixture
def kiosk(rig: Rig) -> Kiosk:
    return rig.station.kiosk


async def tap(kiosk: Kiosk, name: str, value: str = "") -> str:
    return (await kiosk.act(name, kiosk.showing.number, value)).screen


def page(rig: Rig) -> str:
    return Renderer().page(picture(rig.station, Renderer()))


async def put_in(rig: Rig, kiosk: Kiosk, label: str = "PW-1") -> tuple[UUID, int]:
    """A courier at the screen has put this parcel behind this door."""
    parcel = rig.promise(label)
    if kiosk.showing.courier is None:
        kiosk.home()
        await kiosk.sign_in(rig.courier_code())
    await kiosk.label(label)
    await rig.shut(kiosk.showing.door or 0)
    assert rig.parcel(parcel).stage == Stage.READY
    return parcel, rig.parcel(parcel).compartment or 0


async def send(rig: Rig, kiosk: Kiosk) -> tuple[UUID, int]:
    """A sender at the screen has put their return behind this door."""
    parcel = rig.promise("RETURN-1", direction="return")
    kiosk.home()
    await kiosk.scanned("RETURN-1")
    await tap(kiosk, "size", kiosk.showing.found)
    await rig.shut(kiosk.showing.door or 0)
    assert kiosk.showing.screen == "send-done"
    return parcel, rig.parcel(parcel).compartment or 0


async def shut_in_the_dark(rig: Rig, door: int) -> None:
    """While the power is gone."""
    await rig.now.sleep(6.0)
    await rig.stop()
    assert rig.boards.push_closed(door)
    await rig._open()
    await rig.keeper.recover()


async def refused(kiosk: Kiosk, rig: Rig, door: int) -> bool:
    """Whether a tap on it moves nothing."""
    pulses = rig.pulses()
    with pytest.raises(Refusal) as no:
        await tap(kiosk, "reopen", str(door))
    return no.value.reason == "stale_screen" and rig.pulses() == pulses


async def test_two_parcels_that_were_mixed_up(rig: Rig, kiosk: Kiosk) -> None:
    """The first one's door holds the second one: that is seen with the second label, and put right."""
    parcel, door = await put_in(rig, kiosk)
    rig.promise("PW-2")
    await kiosk.label("PW-2")
    other = kiosk.showing.door or 0
    await tap(kiosk, "wrong")
    await tap(kiosk, "nothing")
    await rig.shut(other)
    assert f"Wrong door? Open {door} again" in page(rig)
    assert await tap(kiosk, "reopen", str(door)) == "open"
    assert "Put it right" in page(rig)
    assert "I take it out again" in page(rig)
    await rig.shut(door)
    assert (kiosk.showing.screen, kiosk.showing.brought, kiosk.showing.taken) == ("courier-scan", 1, 0)
    assert (rig.parcel(parcel).stage, rig.told().count("Deposited"), rig.cases()) == (Stage.READY, 1, [])
    opened = [each.body for each in rig.memory.journal.since(NAME, 0) if each.kind == "DoorOpened"]
    assert ['"why":"put_right"' in body for body in opened] == [False, False, True], "the hub reads what for"
    assert (await kiosk.label("PW-2")).screen == "open"
    await rig.shut(kiosk.showing.door or 0)
    assert kiosk.showing.brought == 2
    assert (await rig.collect(rig.code(parcel))).compartment == door, "and its recipient finds it there"


async def test_it_is_offered_for_a_minute_and_then_leaves_the_screen(rig: Rig, kiosk: Kiosk) -> None:
    _, door = await put_in(rig, kiosk)
    rig.now.advance(55)
    kiosk.tick()
    assert "Wrong door?" in page(rig)
    number = kiosk.showing.number
    rig.now.advance(6)
    kiosk.tick()
    assert kiosk.showing.number > number, "the page is drawn anew"
    assert "Wrong door?" not in page(rig)
    assert await refused(kiosk, rig, door)
    kiosk.tick()
    assert kiosk.showing.number == number + 1, "once"


async def test_a_door_is_not_kept_by_opening_it_again_and_again(rig: Rig, kiosk: Kiosk) -> None:
    _, door = await put_in(rig, kiosk)
    began = rig.now.mono()
    while picture(rig.station, Renderer()).again:
        await tap(kiosk, "reopen", str(door))
        await rig.shut(door)
        rig.now.advance(50)
    assert 100 < rig.now.mono() - began < Policy().reopen_s + 60
    assert await refused(kiosk, rig, door)


async def test_what_is_taken_out_again_is_booked_so(rig: Rig, kiosk: Kiosk) -> None:
    parcel, door = await put_in(rig, kiosk)
    await tap(kiosk, "reopen", str(door))
    assert await tap(kiosk, "take-out") == "open"
    assert "Take it out again" in page(rig)
    assert await tap(kiosk, "leave-in") == "open"
    assert await tap(kiosk, "take-out") == "open", "it may be said otherwise while the door is open"
    await rig.shut(door)
    assert rig.parcel(parcel).stage == Stage.TAKEN_BACK
    assert rig.told()[-2:] == ["DoorClosed", "TakenBack"]
    assert (kiosk.showing.screen, kiosk.showing.brought, kiosk.showing.taken) == ("courier-scan", 1, 1)
    assert f"Door {door}: the one ending" in page(rig)
    assert await refused(kiosk, rig, door)
    assert rig.cases() == []
    assert not rig.memory.room().taken


async def test_it_is_nobody_elses(rig: Rig, kiosk: Kiosk) -> None:
    """Its recipient has it, another parcel lies there, another courier stands there, or nobody."""
    parcel, door = await put_in(rig, kiosk)
    before = kiosk.righting._last
    assert before
    for courier in (None, rig.ids.new()):
        with pytest.raises(Refusal):
            putting_right.begin(rig.desk, before, courier)
    await kiosk.scanned(rig.token(parcel))
    assert await refused(kiosk, rig, door), "while its door is open before its recipient"
    await rig.shut(door)
    assert rig.parcel(parcel).stage == Stage.COLLECTED
    with pytest.raises(Refusal):
        putting_right.begin(rig.desk, before, rig.courier)
    kiosk.home()
    await put_in(rig, kiosk, "PW-2")
    with pytest.raises(Refusal):
        putting_right.begin(rig.desk, before, rig.courier)
    await tap(kiosk, "finish")
    kiosk.home()
    await kiosk.sign_in(rig.courier_code())
    assert "Wrong door?" not in page(rig), "who has finished is known no more"


async def test_what_may_not_be_opened_stays_shut(rig: Rig, kiosk: Kiosk) -> None:
    parcel, door = await put_in(rig, kiosk)
    rig.hear(facts.Blocked(parcel=parcel, why="police", by="operator"))
    assert await refused(kiosk, rig, door), "nobody may have it"
    rig.hear(facts.Unblocked(parcel=parcel, by="operator"))
    assert picture(rig.station, Renderer()).again == door
    await tap(kiosk, "wrong")
    await tap(kiosk, "report", "damaged")
    await tap(kiosk, "back")
    assert await refused(kiosk, rig, door), "somebody is to look first"
    rig.hear(*[facts.CaseClosed(case=case, station=NAME) for case in rig.memory.book.cases])
    assert picture(rig.station, Renderer()).again == door
    rig.hear(*[facts.Revoked(grant=each.grant, station=NAME) for each in rig.memory.grants.values()])
    assert await refused(kiosk, rig, door), "who may not put in any more"


@pytest.mark.parametrize("taken_out", [False, True])
async def test_a_power_cut_while_it_is_open(rig: Rig, kiosk: Kiosk, taken_out: bool) -> None:
    """What was said stands on the disk; of what was not said nobody knows, and somebody is to look."""
    parcel, door = await put_in(rig, kiosk)
    await tap(kiosk, "reopen", str(door))
    if taken_out:
        await tap(kiosk, "take-out")
    await shut_in_the_dark(rig, door)
    assert rig.parcel(parcel).stage == (Stage.TAKEN_BACK if taken_out else Stage.READY)
    assert rig.cases() == ([] if taken_out else ["deposit_unseen"])
    assert rig.told().count("Deposited") == 1


async def test_a_power_cut_that_leaves_it_open(rig: Rig, kiosk: Kiosk) -> None:
    parcel, door = await put_in(rig, kiosk)
    await tap(kiosk, "reopen", str(door))
    await rig.restart()
    kiosk = rig.station.kiosk
    await rig.look()
    kiosk.tick()
    assert (kiosk.showing.screen, kiosk.showing.door) == ("open", door)
    assert await tap(kiosk, "take-out") == "open", "whoever stands there says so all the same"
    await rig.shut(door)
    assert (kiosk.showing.screen, rig.parcel(parcel).stage) == ("thanks", Stage.TAKEN_BACK)
    assert "Open it again" not in page(rig), "there is nothing to be opened for"


async def test_a_door_that_is_left_open_is_a_case_and_its_parcel_stays_booked(rig: Rig, kiosk: Kiosk) -> None:
    parcel, door = await put_in(rig, kiosk)
    await tap(kiosk, "reopen", str(door))
    rig.now.advance(121)
    await rig.look()
    assert (kiosk.showing.screen, rig.cases()) == ("courier-scan", ["door_left_open"])
    await rig.shut(door)
    assert (rig.parcel(parcel).stage, rig.told().count("Deposited")) == (Stage.READY, 1)
    assert await refused(kiosk, rig, door)


async def test_the_time_of_what_lies_behind_a_door_that_jams_stands_still(rig: Rig, kiosk: Kiosk) -> None:
    parcel, door = await put_in(rig, kiosk)
    rig.boards.core.jam(door)
    assert await tap(kiosk, "reopen", str(door)) == "stuck"
    [case] = rig.memory.book.cases.values()
    assert (case.about, case.parcel) == ("door_failed", parcel)


async def test_a_sender_has_the_time_of_one_screen_and_no_touch_makes_it_longer(rig: Rig, kiosk: Kiosk) -> None:
    parcel, door = await send(rig, kiosk)
    receipt = kiosk.showing.receipt
    assert f"Wrong door? Open {door} again" in page(rig)
    assert await tap(kiosk, "reopen", str(door)) == "open"
    await rig.shut(door)
    assert (kiosk.showing.screen, kiosk.showing.receipt) == ("send-done", receipt), "of the same entry"
    assert rig.parcel(parcel).stage == Stage.READY
    rig.now.advance(15)
    await tap(kiosk, "touch")
    rig.now.advance(6)
    kiosk.tick()
    assert (kiosk.showing.screen, "Wrong door?" in page(rig)) == ("send-done", False), "it may be the next person"
    assert await refused(kiosk, rig, door)
    assert await tap(kiosk, "wrong") == "report", "who put nothing in can say so all the same"
    assert (await tap(kiosk, "back"), kiosk.showing.receipt) == ("send-done", receipt)
    await tap(kiosk, "wrong")
    assert await tap(kiosk, "report", "empty") == "case"
    [case] = rig.memory.book.cases.values()
    assert (case.about, case.parcel) == ("reported_empty", parcel)


async def test_a_sender_takes_theirs_home_again(rig: Rig, kiosk: Kiosk) -> None:
    parcel, door = await send(rig, kiosk)
    await tap(kiosk, "reopen", str(door))
    await tap(kiosk, "take-out")
    await rig.shut(door)
    assert (kiosk.showing.screen, rig.parcel(parcel).stage) == ("thanks", Stage.TAKEN_BACK)
    assert "ask the shop for a new send code" in page(rig)
    assert '"by":"sender"' in list(rig.memory.journal.since(NAME, 0))[-1].body


async def test_the_next_person_opens_no_senders_door(rig: Rig, kiosk: Kiosk) -> None:
    other = await rig.inside("PW-1")
    _, door = await send(rig, kiosk)
    await kiosk.scanned(rig.token(other))
    await rig.shut(kiosk.showing.door or 0)
    assert await refused(kiosk, rig, door)
    kiosk.home()
    assert await refused(kiosk, rig, door)


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_happens_the_book_knows_what_lies_where(tmp_path: Path, seed: int) -> None:
    """A courier who tells the truth, with power cuts, recipients and waits between: what lies behind each door is what
    the book says, or a case asks somebody to look."""
    rig = await Rig(tmp_path, "SSSSSS SSSSSS", seed=seed).start()
    luck, lies = Luck(rig.ids.chance), dict[UUID, int]()
    for turn in range(12):
        kiosk = rig.station.kiosk
        if luck.happens(0.7) or not lies:
            parcel, door = await put_in(rig, kiosk, f"PW-{turn}")
            lies[parcel] = door
        else:
            kiosk.home()
            parcel = luck.pick(sorted(lies))
            await kiosk.scanned(rig.token(parcel))
            if kiosk.showing.screen == "open":
                await rig.shut(lies.pop(parcel))
        await _perhaps_put_right(rig, luck, lies)
        doubted = {case.compartment for case in rig.memory.book.cases.values() if case.closed_at is None}
        booked = {each.id: each.compartment for each in rig.memory.parcels() if each.stage in INSIDE}
        assert {parcel: door for parcel, door in booked.items() if door not in doubted} == {
            parcel: door for parcel, door in lies.items() if door not in doubted}  # fmt: skip
        for case in [each.id for each in rig.memory.book.cases.values() if each.closed_at is None]:
            rig.hear(facts.CaseClosed(case=case, station=NAME))
    rig.clean()
    await rig.stop()


async def _perhaps_put_right(rig: Rig, luck: Luck, lies: dict[UUID, int]) -> None:
    kiosk = rig.station.kiosk
    rig.now.advance(luck.pick((0, 20, 50, 70)))
    kiosk.tick()
    door = picture(rig.station, Renderer()).again
    if door is None:
        return
    [parcel] = [each for each, behind in lies.items() if behind == door]
    await tap(kiosk, "reopen", str(door))
    if kiosk.showing.screen != "open":
        return
    takes, cut = luck.happens(0.5), luck.pick(("", "before", "after"))
    if cut == "before":
        await rig.restart()
        kiosk = rig.station.kiosk
        kiosk.home()
    if takes:
        await tap(kiosk, "take-out")
        del lies[parcel]
    if cut == "after":
        await shut_in_the_dark(rig, door)
    else:
        await rig.shut(door)

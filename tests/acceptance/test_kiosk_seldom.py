"""What happens seldom before a screen: nothing behind the door, a door that stays open, nobody there any more, parcels
to take back, doors to check, a technician. Each played in a browser on a real station, by touching what is on it."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from parcelwall.rules import access, facts
from parcelwall.rules.elsewhere import Answer, Asked, Kept, Place
from parcelwall.rules.life import Stage
from station.rig import NAME
from web.gallery import CHROMIUM
from web.live_kiosk import LiveKiosk, live_kiosk

pytest.importorskip("playwright.async_api")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path(CHROMIUM["executable_path"]).exists(), reason="needs chromium-headless-shell"),
    pytest.mark.timeout(120),
]


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[LiveKiosk]:
    async with live_kiosk(tmp_path) as opened:
        yield opened


async def wait(live: LiveKiosk, seconds: float, then: str) -> None:
    """Nobody touches anything for so long."""
    live.rig.now.advance(seconds)
    live.kiosk.tick()
    await live.shows(then)


async def shut(live: LiveKiosk, then: str) -> None:
    await live.rig.shut(live.kiosk.showing.door or 0)
    await live.shows(then)


async def reads(live: LiveKiosk, words: str) -> None:
    await live.page.locator("main", has_text=words).wait_for()


async def arrives(live: LiveKiosk, screen: str = "home") -> None:
    live.kiosk.home()
    await live.shows(screen)


@pytest.mark.parametrize(("says", "about"), [
    ("The compartment is empty", "reported_empty"), ("It is not my parcel", "reported_wrong_parcel"),
    ("It is damaged", "reported_damaged"),
])  # fmt: skip
async def test_something_is_wrong_behind_the_door(live: LiveKiosk, says: str, about: str) -> None:
    parcel = await live.rig.inside("PW-1")
    await arrives(live)
    await live.type(live.rig.code(parcel), "open")
    await live.tap("Something is wrong", "report")
    await live.tap(says, "case")
    named = re.search(r"C-[0-9A-F]{6}", await live.page.inner_text("main"))
    assert named, "the case has a name to ask for"
    [case] = [each for each in live.rig.memory.book.cases.values() if each.closed_at is None]
    assert (case.about, case.parcel) == (about, parcel)
    assert case.id.hex.upper().endswith(named[0][2:])
    live.rig.clean()


async def test_a_door_that_stays_open_is_asked_for_and_time_is_given(live: LiveKiosk) -> None:
    parcel = await live.rig.inside("PW-1")
    await arrives(live)
    await live.type(live.rig.code(parcel), "open")
    await wait(live, 31, "still-open")
    await reads(live, "Push it shut, please.")
    await live.tap("I need more time", "open")
    await wait(live, 31, "still-open")
    await shut(live, "thanks")
    assert live.rig.parcel(parcel).stage == Stage.COLLECTED


async def test_whoever_is_slow_is_asked_and_stays_and_whoever_went_leaves_nothing(live: LiveKiosk) -> None:
    await live.tap("Help", "help")
    await wait(live, 31, "more-time")
    await live.tap("More time", "help")
    await wait(live, 31, "more-time")
    await wait(live, 21, "home")
    for digit in "4719":
        await live.page.click(f"[data-key='{digit}']")
    await wait(live, 121, "asleep")
    await live.page.mouse.click(640, 400)
    await live.page.locator("main[data-screen='home']").wait_for()
    await wait(live, 121, "asleep")
    await live.page.keyboard.press("5")  # on a keypad that is felt
    await live.page.locator("main[data-screen='home']").wait_for()
    typed = await live.page.locator("[data-slot]").all_inner_texts()
    assert set(typed) <= {""}, "half a code is nobody's"


async def test_a_late_parcel_is_still_given_out(live: LiveKiosk) -> None:
    parcel = await live.rig.inside("PW-1")
    live.rig.hear(facts.Expired(parcel=parcel))
    await arrives(live)
    await live.type(live.rig.code(parcel), "open")
    await shut(live, "thanks")
    assert live.rig.parcel(parcel).stage == Stage.COLLECTED


async def test_a_parcel_is_kept_longer_instead_of_collected(live: LiveKiosk) -> None:
    """By the way under Help: a wrong code, then the right one without a line, then with one."""
    parcel = await live.rig.inside("PW-1234")
    code, station = live.rig.code(parcel), live.rig.station
    pulses, live.rig.desk.online = live.rig.pulses(), False
    await arrives(live)
    await live.tap("Help", "help")
    await live.tap("Keep a parcel longer", "keep")
    await live.type(f"{(int(code) + 1) % 10**8:08d}1234", "keep")
    await reads(live, "That code keeps no parcel here")
    await live.type(f"{code}1234", "kept")
    await reads(live, "That cannot be done now")
    live.rig.desk.online = True
    station.elsewhere.look()
    question = msgspec.json.decode(station.elsewhere.to_send(), type=Asked)
    until = live.rig.now.now() + timedelta(hours=72)
    station.elsewhere.told(msgspec.json.encode(Answer(question.id, kept=Kept(until, True))).decode())
    live.kiosk.redraw()
    await reads(live, "It stays longer")
    assert live.rig.pulses() == pulses


async def test_what_is_for_a_person_is_not_opened_by_a_code_alone(live: LiveKiosk) -> None:
    parcel = live.rig.promise("PW-1", proof="verified")
    await live.rig.deposit("PW-1")
    await arrives(live)
    pulses = live.rig.pulses()
    await live.type(live.rig.code(parcel), "held")
    await reads(live, "say that you cannot use a passkey")
    assert live.rig.pulses() == pulses


async def test_a_courier_takes_back_what_is_late_and_says_what_is_missing(live: LiveKiosk) -> None:
    rig = live.rig
    late, gone = await rig.inside("PW-LATE-1"), await rig.inside("PW-LATE-2")
    rig.hear(facts.Expired(parcel=late), facts.Expired(parcel=gone))
    rig.now.advance(60)
    await arrives(live)
    await live.kiosk.sign_in(rig.courier_code())
    await live.shows("courier-home")
    await live.tap("Take out 2", "courier-out")
    await live.tap("Open door", "open")
    first = {rig.parcel(each).compartment: each for each in (late, gone)}[live.kiosk.showing.door]
    await shut(live, "courier-out")
    assert rig.parcel(first).stage == Stage.TAKEN_BACK
    await live.tap("Open door", "open")
    await live.tap("Something is wrong", "report")
    await live.tap("The compartment is empty", "case")
    assert rig.cases() == ["reported_empty"]
    rig.clean()


async def test_a_courier_opens_the_wrong_door_again_and_takes_the_parcel_along(live: LiveKiosk) -> None:
    parcel = live.rig.promise("PW-1")
    await arrives(live)
    await live.kiosk.sign_in(live.rig.courier_code())
    await live.shows("courier-scan")
    await live.kiosk.label("PW-1")
    await live.shows("open")
    await shut(live, "courier-scan")
    await live.tap("Wrong door?", "open")
    await reads(live, "Put it right")
    await live.tap("I take it out again", "open")
    await reads(live, "Take it out again")
    await shut(live, "courier-scan")
    await live.page.get_by_text("Wrong door?").wait_for(state="detached")
    assert live.rig.parcel(parcel).stage == Stage.TAKEN_BACK
    live.rig.clean()


async def test_empty_doors_are_checked_one_after_the_other(live: LiveKiosk) -> None:
    live.rig.hear(facts.Expired(parcel=await live.rig.inside("PW-1")))
    live.rig.now.advance(60)
    await arrives(live)
    await live.kiosk.sign_in(live.rig.courier_code())
    await live.shows("courier-home")
    await live.tap("Check empty doors", "audit")
    for says in ("It was empty", "A parcel", "Rubbish"):
        await live.tap("Open door", "open")
        await shut(live, "audit")
        await reads(live, "What was behind door")
        await live.tap(says, "audit")
    assert sorted(live.rig.cases()) == ["found_parcel", "found_rubbish"]


async def test_a_technician_tests_and_opens_an_empty_door_with_a_reason(live: LiveKiosk) -> None:
    rig, who = live.rig, live.rig.ids.new()
    rig.hear(facts.Granted(grant=rig.ids.new(), station=NAME, may=("service",), courier=who))
    code = access.courier_code(rig._keys["courier-code"], NAME, who, rig.desk.today)
    parcel = await rig.inside("PW-1")
    await arrives(live)
    await live.tap("Courier", "courier-in")
    await live.type(code, "service")
    await live.tap("Repair", "service")
    await live.tap("Network", "service")
    await reads(live, "The line to the hub is whole")
    held = rig.parcel(parcel).compartment
    offered = await live.page.locator(".kdoors button").all_inner_texts()
    assert str(held) not in offered, "no door with a parcel is offered"
    await live.page.locator(".kdoors button").first.click()
    await live.page.locator("main[data-screen='open']").wait_for()
    await shut(live, "service")
    opened = [entry.body for entry in rig.memory.journal.since(NAME, 0) if entry.kind == "DoorOpened"][-1]
    assert '"why":"repair"' in opened
    rig.clean()


async def test_a_station_without_a_line_says_so_and_gives_out_all_the_same(live: LiveKiosk) -> None:
    parcel = await live.rig.inside("PW-1")
    live.rig.desk.online = False
    await arrives(live)
    await live.page.locator(".badge").first.wait_for()
    assert "on its own" in await live.page.locator(".kiosk").inner_text()
    await live.type(live.rig.code(parcel), "open")
    await shut(live, "thanks")


async def test_a_sender_is_told_that_there_is_no_room_of_that_size(live: LiveKiosk) -> None:
    rig = live.rig
    sent = rig.promise("RETURN-1", direction="return")
    await arrives(live)
    await live.kiosk.scanned("RETURN-1")
    await live.shows("send-size")
    taken = [each for each in rig.layout.compartments if each.size == "L"]
    for number, _ in enumerate(taken):
        await rig.inside(f"PW-{number}", size="L", height_mm=300)
    await arrives(live)
    await live.kiosk.scanned("RETURN-1")
    await live.shows("send-size")
    large = live.page.locator(".ksize").last
    assert await large.is_disabled(), "what is full cannot be chosen"
    assert rig.parcel(sent).stage == Stage.RESERVED


async def test_a_courier_reads_where_a_label_belongs_and_the_screen_stands_still(live: LiveKiosk) -> None:
    """The hub's answer is drawn into the screen that stands: a tap on it is not stale."""
    station = live.rig.station
    station.desk.online = True
    await arrives(live)
    await live.kiosk.sign_in(live.rig.courier_code())
    await live.kiosk.label("PW-9")
    await live.shows("unknown")
    station.elsewhere.look()
    asked = msgspec.json.decode(station.elsewhere.to_send(), type=Asked)
    number = live.kiosk.showing.number
    station.elsewhere.told(msgspec.json.encode(Answer(asked.id, Place("Simonkatu", "Simonkatu 8"))).decode())
    await reads(live, "It belongs to Simonkatu, Simonkatu 8.")
    assert live.kiosk.showing.number == number
    await live.tap("Next parcel", "courier-scan")

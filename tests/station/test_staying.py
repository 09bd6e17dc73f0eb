"""Who stays before the screen is asked before it ends, and finds again what help and looks have covered; the next
person finds nothing of the one before."""

import pytest

from parcelwall.rules import facts
from parcelwall.rules.policy import Policy
from parcelwall.station.kiosk import Kiosk
from parcelwall.web.kiosk_picture import picture
from parcelwall.web.reader import renderer
from station.rig import Rig

HIS = {"lang": "ar", "text": "large", "speech": "1"}


@pytest.fixture
def kiosk(rig: Rig) -> Kiosk:
    return rig.station.kiosk


def wait(rig: Rig, kiosk: Kiosk, seconds: float) -> str:
    rig.now.advance(seconds)
    kiosk.tick()
    return kiosk.showing.screen


async def tap(kiosk: Kiosk, name: str, value: str = "") -> str:
    return (await kiosk.act(name, kiosk.showing.number, value)).screen


def chooses(kiosk: Kiosk) -> None:
    for field, value in HIS.items():
        kiosk.set_look(field, value)


def page(rig: Rig) -> str:
    drawer = renderer()
    return drawer.page(picture(rig.station, drawer))


async def test_help_and_language_are_there_while_a_door_is_open_and_name_it(rig: Rig, kiosk: Kiosk) -> None:
    parcel = await rig.inside("PW-1")
    door = rig.parcel(parcel).compartment
    assert (await kiosk.type_code(rig.code(parcel))).screen == "open"
    for screen in ("look", "help"):
        assert await tap(kiosk, screen) == screen
        assert f"Door {door} is open." in page(rig)
        assert 'data-cue="tick"' in page(rig), "a door that is open does not fall silent"
    kiosk.set_look("lang", "ar")
    assert await tap(kiosk, "back") == "open"
    assert kiosk.look["lang"] == "ar"
    assert wait(rig, kiosk, 31) == "still-open"
    await tap(kiosk, "help")
    assert 'data-cue="nag"' in page(rig)
    assert (await kiosk.scanned("PW1:NOT OURS")).screen == "open", "and nothing else hides it"
    await tap(kiosk, "help")
    assert wait(rig, kiosk, 31) == "open", "nobody reads any more"
    await tap(kiosk, "help")
    await rig.shut(door or 0)
    assert kiosk.showing.screen == "thanks"


async def test_back_from_help_shows_what_stood_there_with_what_was_typed(rig: Rig, kiosk: Kiosk) -> None:
    parcel, _ = await rig.inside("PW-7F3-2917"), await rig.inside("PW-2")
    rig.hear(facts.PolicyAdopted(policy=Policy(bare_code_parcels=1)))
    assert (await kiosk.type_code(rig.code(parcel))).screen == "selector"
    assert await tap(kiosk, "look") == "look"
    kiosk.set_look("lang", "ar")
    assert await tap(kiosk, "help") == "help"
    assert wait(rig, kiosk, 31) == "more-time"
    assert await tap(kiosk, "look") == "look", "help is there on every screen"
    assert await tap(kiosk, "back") == "selector"
    assert kiosk.look == {"lang": "ar"}
    assert (await kiosk.type_code("", "2917")).screen == "open", "the eight digits are still there"


async def test_a_senders_screen_and_a_case_survive_a_look_at_help(rig: Rig, kiosk: Kiosk) -> None:
    sent = rig.promise("RETURN-1", direction="return")
    await kiosk.scanned("RETURN-1")
    await tap(kiosk, "help")
    assert await tap(kiosk, "back") == "send-size"
    assert kiosk.showing.parcel == sent
    assert await tap(kiosk, "size", kiosk.showing.found) == "open"
    await tap(kiosk, "wrong")
    await tap(kiosk, "report", "damaged")
    await rig.shut(kiosk.showing.door or 0)
    receipt = kiosk.showing.receipt
    await tap(kiosk, "help")
    assert (await tap(kiosk, "back"), kiosk.showing.receipt) == ("send-done", receipt)
    assert receipt


@pytest.mark.parametrize(("away_s", "then"), [(5, "thanks"), (15, "home")])
async def test_thanks_do_not_come_back_for_the_next_person(rig: Rig, kiosk: Kiosk, away_s: int, then: str) -> None:
    parcel = await rig.inside("PW-1")
    await kiosk.type_code(rig.code(parcel))
    await rig.shut(kiosk.showing.door or 0)
    assert await tap(kiosk, "help") == "help"
    rig.now.advance(away_s)
    assert await tap(kiosk, "back") == then


@pytest.mark.parametrize("screen", ["wrong", "held", "case", "stuck", "send-done"])
async def test_no_screen_that_is_read_ends_without_asking(rig: Rig, kiosk: Kiosk, screen: str) -> None:
    chooses(kiosk)
    kiosk.show(screen, 20, case="C-1", receipt="S-1")  # type: ignore[arg-type]
    for _ in range(11):
        assert wait(rig, kiosk, 21) == "more-time"
        assert await tap(kiosk, "touch") == screen, "any touch answers"
        rig.now.advance(15)
        await tap(kiosk, "touch")
        assert wait(rig, kiosk, 15) == screen, "and makes its time begin anew"
    assert kiosk.look == HIS
    assert (wait(rig, kiosk, 6), wait(rig, kiosk, 21), kiosk.look) == ("more-time", "home", {})


async def test_starting_over_after_a_wrong_code_keeps_the_language(rig: Rig, kiosk: Kiosk) -> None:
    chooses(kiosk)
    assert (await kiosk.type_code("00000000")).screen == "wrong"
    assert (await tap(kiosk, "back"), kiosk.look) == ("home", HIS)


async def test_half_a_code_is_asked_for_before_it_is_forgotten(rig: Rig, kiosk: Kiosk) -> None:
    chooses(kiosk)
    assert await tap(kiosk, "half-typed") == "more-time"
    assert (await tap(kiosk, "touch"), kiosk.look) == ("home", HIS)
    assert await tap(kiosk, "half-typed") == "more-time"
    assert (wait(rig, kiosk, 21), kiosk.look) == ("home", {})
    parcel = await rig.inside("PW-1")
    await kiosk.type_code(rig.code(parcel))
    assert await tap(kiosk, "half-typed") == "open", "never over a door"


async def test_the_next_person_gets_nobodys_language(rig: Rig, kiosk: Kiosk) -> None:
    kiosk.home()
    chooses(kiosk)
    assert (wait(rig, kiosk, 121), kiosk.look) == ("asleep", {})
    kiosk.home()
    chooses(kiosk)
    rig.now.advance(50)
    await kiosk.scanned("PW1:NOT OURS")
    assert kiosk.look == HIS, "whoever looks for their QR for a while is the same person"
    await tap(kiosk, "back")
    rig.now.advance(70)
    await kiosk.scanned("PW1:NOT OURS")
    assert kiosk.look == {}


async def test_a_courier_whose_door_jams_or_who_reports_goes_on(rig: Rig, kiosk: Kiosk) -> None:
    for screen in ("stuck", "case"):
        await kiosk.sign_in(rig.courier_code())
        kiosk.show(screen, 20, case="C-1")  # type: ignore[arg-type]
        assert (wait(rig, kiosk, 21), kiosk.showing.courier) == ("courier-scan", rig.courier)
        kiosk.show("stuck", 20, case="C-1")
        assert (await tap(kiosk, "retry"), kiosk.showing.courier) == ("courier-scan", rig.courier)
        kiosk.home()


async def test_the_screen_is_dark_by_night_and_on_battery_until_somebody_chooses(rig: Rig, kiosk: Kiosk) -> None:
    assert 'data-theme="day"' in page(rig)
    rig.desk.on_battery = True
    assert 'data-theme="night"' in page(rig)
    rig.desk.on_battery = False
    rig.now.advance(8 * 3600)  # 18:00 in November
    assert 'data-theme="night"' in page(rig)
    kiosk.set_look("theme", "day")
    assert 'class="kiosk" lang="en" dir="ltr" data-theme="day"' in page(rig)


async def test_who_reports_or_finds_a_jam_reads_how_they_will_hear(rig: Rig, kiosk: Kiosk) -> None:
    hears = "The link in your message shows how it goes on."
    parcel = await rig.inside("PW-1")
    rig.now.advance(60)
    rig.boards.core.jam(rig.parcel(parcel).compartment or 0)
    assert (await kiosk.type_code(rig.code(parcel))).screen == "stuck"
    assert hears in page(rig)
    kiosk.show("case", 20, case="C-1")
    assert hears in page(rig)
    kiosk.home()
    rig.promise("PW-2")
    await kiosk.sign_in(rig.courier_code())
    kiosk.show("case", 20, case="C-1")
    assert hears not in page(rig), "a courier has no such message"


async def test_who_needs_more_time_at_an_open_door_has_it_as_often_as_they_ask(rig: Rig, kiosk: Kiosk) -> None:
    parcel = await rig.inside("PW-1")
    await kiosk.type_code(rig.code(parcel))
    for _ in range(11):
        assert wait(rig, kiosk, 31) == "still-open"
        rig.now.advance(60)
        await rig.look()
        assert await tap(kiosk, "more-time") == "open"
        assert wait(rig, kiosk, 20) == "open", "and nothing nags meanwhile"
        assert 'data-cue="tick"' in page(rig)
    assert rig.cases() == []
    rig.now.advance(101)
    await rig.look()
    assert (rig.cases(), kiosk.showing.screen) == (["door_left_open"], "home"), "who has gone asks for nothing"


async def test_a_station_that_is_closed_says_since_when(rig: Rig, kiosk: Kiosk) -> None:
    rig.desk.doors_unchecked = rig.desk.doors_changed = True
    rig.memory.tell(rig.desk.case("doors_not_walked", None, None, holds=False))
    rig.now.advance(2 * 3600)
    kiosk.home()
    assert "Since Sun 10:00." in page(rig)
    rig.desk.doors_changed = False
    assert "Since" not in page(rig), "one that was never walked may have served before"


async def test_the_voice_has_three_steps_until_the_next_person(rig: Rig, kiosk: Kiosk) -> None:
    kiosk.set_look("speech", "1")
    assert 'data-volume="3"' in page(rig)
    for step, shown in (("1", "1"), ("2", "2"), ("9", "3")):
        kiosk.set_look("volume", step)
        assert f'data-volume="{shown}"' in page(rig)
    kiosk.home()
    assert "data-volume" not in page(rig)

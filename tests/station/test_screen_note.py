"""What the operator has the screen say: beside the pad, in the reader's language, with no line too, until its end."""

from datetime import timedelta
from pathlib import Path

from parcelwall.hub import screen
from parcelwall.rules import facts
from parcelwall.station.showing import Screen
from parcelwall.web.kiosk_picture import picture
from parcelwall.web.reader import renderer
from station.rig import Rig
from station.test_help import said
from station.towns import a_small_town

TEXTS = {"en": "The yard is shut.", "de": "Der Hof ist zu."}


def shown(rig: Rig, name: Screen = "home") -> str:
    page = renderer()
    rig.station.kiosk.show(name, 60)
    return page.fragment(picture(rig.station, page))


async def test_it_stands_beside_the_pad_in_the_readers_language_until_its_end(rig: Rig) -> None:
    assert "note-own" not in shown(rig)
    until = rig.station.desk.now() + timedelta(hours=1)
    rig.hear(facts.ScreenNoted(station="S-0001", texts=TEXTS, until=until))
    assert TEXTS["en"] in said(shown(rig)) and TEXTS["de"] not in shown(rig)
    rig.station.kiosk.set_look("lang", "de")
    assert TEXTS["de"] in said(shown(rig))
    rig.station.kiosk.set_look("lang", "ar")
    assert 'lang="en" dir="auto"' in shown(rig), "who reads another language reads the station's own, marked as such"
    rig.station.kiosk.home()
    await rig.restart()
    assert TEXTS["en"] in said(shown(rig)) and TEXTS["en"] not in said(shown(rig, "help"))
    await rig.now.sleep(3601)
    assert TEXTS["en"] not in said(shown(rig))


async def test_the_newest_counts_and_one_without_words_takes_it_off(rig: Rig) -> None:
    until = rig.station.desk.now() + timedelta(hours=1)
    rig.hear(facts.ScreenNoted(station="S-0001", texts=TEXTS, until=until))
    rig.hear(facts.ScreenNoted(station="S-0001", texts={"en": "Mind the ice."}, until=until))
    assert "Mind the ice." in said(shown(rig)) and TEXTS["en"] not in said(shown(rig))
    rig.hear(facts.ScreenNoted(station="S-0001"))
    assert "note-own" not in shown(rig)


async def test_the_hub_tells_the_one_station_that_it_is_for(database: str, tmp_path: Path) -> None:
    async with a_small_town(database, tmp_path) as town:
        here = town.stations["S-0001"]
        until = town.hub.clock.now() + timedelta(hours=1)
        await screen.say(town.hub, "S-0001", TEXTS, until, None)
        await here.carry()
        assert here.station.memory.noted is not None and here.station.memory.noted.texts == TEXTS
        await screen.say(town.hub, "S-0001", {}, None, None)
        await here.carry()
        assert here.station.memory.noted is not None and here.station.memory.noted.texts == {}
        assert [bool(each.noted.texts) for each in await screen.history(town.hub, "S-0001")] == [False, True]


async def test_a_closed_station_tells_whom_a_parcel_waits_for_that_it_still_does(rig: Rig) -> None:
    page = renderer()
    rig.station.kiosk.show("closed", 60, refusal="station_out_of_service")
    words = said(page.fragment(picture(rig.station, page)))
    assert "This station is closed" in words and "Your code stays good. Come back later." in words
    assert "Choose another station" not in words, "their parcel lies here"

"""What the operator has the screen say: beside the pad, in the reader's language, with no line too, until its end."""

from datetime import timedelta
from pathlib import Path

import msgspec

from parcelwall.clock import VirtualClock
from parcelwall.hub import screen
from parcelwall.journal import chain
from parcelwall.journal.chain import Draft
from parcelwall.rules import facts
from parcelwall.rules.layout import plain_layout
from parcelwall.station.showing import Screen
from parcelwall.web.kiosk_picture import picture
from parcelwall.web.reader import renderer
from station.rig import Rig
from station.test_help import said
from station.towns import a_hub, a_small_town

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


def hears_of(rig: Rig, epoch: int, *told: facts.Fact) -> None:
    """What stands in the hub's stream of another epoch, and comes now."""
    writer, at = f"hub:{epoch}/S-0001", rig.memory.now_text()
    drafts = [Draft(fact.kind, at, facts.body(fact)) for fact in told]
    rig.memory.receive(chain.extend(writer, rig.memory.journal.head(writer), drafts))


async def test_what_a_restored_hub_is_given_back_is_older_than_what_it_said_since(rig: Rig) -> None:
    """To a new computer it comes after that, for it was given back after it: sentence, policy and layout alike."""
    until = rig.station.desk.now() + timedelta(hours=1)
    older, newer = (facts.ScreenNoted(station="S-0001", texts={"en": text}, until=until) for text in ("Then.", "Now."))
    before, since = (facts.PolicyAdopted(policy=facts.Policy(version=n, hold_hours=n * 24)) for n in (5, 4))
    here = rig.station.desk.about
    assert here is not None
    small, large = (msgspec.structs.replace(here, layout=plain_layout(each)) for each in ("SS", "SSML"))
    hears_of(rig, 1795334400, newer, since, large)
    hears_of(rig, 7, older, before, small)
    assert "Now." in said(shown(rig)) and "Then." not in said(shown(rig))
    assert rig.memory.policy == since.policy
    assert len(rig.station.desk.plan.place) == 4
    await rig.restart()
    hears_of(rig, 7, older, before, small)
    assert rig.memory.noted == newer and rig.memory.policy == since.policy and rig.station.desk.about == large
    hears_of(rig, 1795334400, facts.ScreenNoted(station="S-0001"))
    assert "note-own" not in shown(rig), "what comes in its order counts as ever"
    rig.clean()


async def test_a_hub_whose_clock_went_back_knows_what_it_said_last(database: str, tmp_path: Path) -> None:
    async with a_small_town(database, tmp_path) as town:
        until = town.hub.clock.now() + timedelta(hours=1)
        await screen.say(town.hub, "S-0001", TEXTS, until, None)
        late = await town.hub.pool.fetchval("SELECT max(happened_at) FROM entry WHERE kind = 'ScreenNoted'")
        earlier = VirtualClock(late - timedelta(minutes=30))
        async with a_hub(town.hub.dsn, town.data_dir / "hub", earlier, slot=2) as hub:
            await screen.say(hub, "S-0001", {"en": "Mind the ice."}, until, None)
            assert [each.noted.texts.get("en") for each in await screen.history(hub, "S-0001")] == [
                "Mind the ice.", TEXTS["en"],
            ]  # fmt: skip

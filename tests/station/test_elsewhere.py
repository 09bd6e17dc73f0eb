"""What a screen has the hub say of other stations: asked once, for couriers alone, and never waited for."""

import msgspec
import pytest

from parcelwall.rules.elsewhere import Answer, Asked, Place
from parcelwall.station.elsewhere import AGAIN_S, AWAITED_S, Elsewhere
from parcelwall.station.kiosk import Kiosk
from parcelwall.web.kiosk_picture import picture
from parcelwall.web.reader import renderer
from station.rig import Rig

SIMONKATU = Place("Simonkatu", "Simonkatu 8")


@pytest.fixture
def kiosk(rig: Rig) -> Kiosk:
    rig.desk.online = True
    return rig.station.kiosk


def asked(rig: Rig) -> Asked | None:
    """What goes over the line now."""
    rig.station.elsewhere.look()
    body = rig.station.elsewhere.to_send()
    return msgspec.json.decode(body, type=Asked) if body else None


def told(rig: Rig, name: str, place: Place | None) -> str:
    """What the screen names once this was answered under this id."""
    rig.station.elsewhere.told(msgspec.json.encode(Answer(name, place)).decode())
    return picture(rig.station, renderer()).belongs


async def test_a_label_of_another_station_is_named_to_a_courier(rig: Rig, kiosk: Kiosk) -> None:
    await kiosk.sign_in(rig.courier_code())
    assert (await kiosk.label("PW-9")).screen == "unknown"
    question = asked(rig)
    assert question is not None
    assert (question.question.about, question.question.label) == ("label", "PW-9")
    assert question.question.courier == rig.courier
    assert asked(rig) is None, "once"
    number = kiosk.showing.number
    assert told(rig, "another", SIMONKATU) == "", "an answer to something else"
    assert told(rig, question.id, SIMONKATU) == "Simonkatu, Simonkatu 8"
    assert kiosk.showing.number == number, "no tap is stale because the hub has answered"
    await kiosk.label("PW-8")
    assert picture(rig.station, renderer()).belongs == "", "of another label nothing is known yet"


async def test_whoever_types_at_random_asks_nothing(rig: Rig, kiosk: Kiosk) -> None:
    await kiosk.type_code("00000000")
    assert (kiosk.showing.screen, asked(rig)) == ("wrong", None)
    await kiosk.label("PW-9")
    assert (kiosk.showing.screen, asked(rig)) == ("courier-in", None), "a label without a courier"


async def test_where_a_parcel_that_does_not_fit_finds_room(rig: Rig, kiosk: Kiosk) -> None:
    parcel = rig.promise("PW-1")
    await kiosk.sign_in(rig.courier_code())
    await kiosk.label("PW-1")
    await kiosk.act("unfit", kiosk.showing.number)
    await rig.shut(kiosk.showing.door or 0)
    assert kiosk.showing.screen == "courier-size"
    await kiosk.act("no-fit", kiosk.showing.number)
    question = asked(rig)
    assert question is not None and kiosk.showing.screen == "no-fit"
    assert (question.question.about, question.question.parcel) == ("room", parcel)
    assert question.question.above == "S", "larger than the door that was tried"
    assert told(rig, question.id, None) == ""
    assert not rig.station.elsewhere.is_awaited, "there is none, and the screen is drawn as seldom as ever"


async def test_without_a_line_the_screen_says_so_and_asks_later(rig: Rig, kiosk: Kiosk) -> None:
    await kiosk.sign_in(rig.courier_code())
    await kiosk.label("PW-9")
    question = asked(rig)
    assert question is not None and told(rig, question.id, SIMONKATU)
    rig.desk.online = False
    assert asked(rig) is None
    shown = picture(rig.station, renderer())
    assert (shown.belongs, shown.seeks) == ("", True)
    assert "Your phone says where it belongs." in renderer().page(shown)
    rig.desk.online = True
    again = asked(rig)
    assert again is not None and again.id != question.id


async def test_a_closed_station_asks_now_and_then_again(rig: Rig, kiosk: Kiosk) -> None:
    kiosk.show("closed", refusal="station_out_of_service")
    first = asked(rig)
    assert first is not None and first.question.about == "open"
    assert told(rig, first.id, SIMONKATU)
    rig.now.advance(AGAIN_S)
    second = asked(rig)
    assert second is not None and second.id != first.id
    assert picture(rig.station, renderer()).belongs, "what stands there stays until there is news"
    assert told(rig, second.id, None) == ""
    kiosk.show("closed", refusal="door_busy")
    assert asked(rig) is None


def test_a_hub_of_before_answers_nothing_and_is_not_waited_for(rig: Rig, kiosk: Kiosk) -> None:
    elsewhere: Elsewhere = rig.station.elsewhere
    kiosk.show("closed", refusal="station_out_of_service")
    assert asked(rig) and elsewhere.is_awaited
    rig.now.advance(AWAITED_S)
    assert not elsewhere.is_awaited
    elsewhere.told("no answer at all")
    assert picture(rig.station, renderer()).belongs == ""

"""A parcel kept longer at the screen: by its code, which opens nothing there and is a try like any; the hub decides."""

from datetime import timedelta

import msgspec
import pytest

from parcelwall.rules.elsewhere import Answer, Asked, Kept
from parcelwall.station.elsewhere import AWAITED_S
from parcelwall.station.kiosk import Kiosk
from parcelwall.web.kiosk_picture import picture
from parcelwall.web.render import Renderer
from station.rig import Rig


@pytest.fixture
def kiosk(rig: Rig) -> Kiosk:
    rig.desk.online = True
    return rig.station.kiosk


async def typed(rig: Rig, code: str, selector: str) -> str:
    """The screen that comes of it, by the way through Help."""
    kiosk = rig.station.kiosk
    kiosk.home()
    await kiosk.act("help", kiosk.showing.number)
    await kiosk.act("keep", kiosk.showing.number)
    return (await kiosk.keeping.type_code(code, selector)).screen


def asked(rig: Rig) -> Asked | None:
    rig.station.elsewhere.look()
    body = rig.station.elsewhere.to_send()
    return msgspec.json.decode(body, type=Asked) if body else None


async def test_a_right_code_asks_the_hub_and_opens_nothing(rig: Rig, kiosk: Kiosk) -> None:
    parcel = await rig.inside("PW-1234")
    before, code = rig.parcel(parcel).collect_by, rig.code(parcel)
    pulses = rig.pulses()
    assert await typed(rig, code, "1234") == "kept"
    assert picture(rig.station, Renderer()).keeps == "asks", "before the first look, too"
    question = asked(rig)
    assert question is not None and before is not None
    assert (question.question.about, question.question.parcel, asked(rig)) == ("keep", parcel, None)
    until = before + timedelta(hours=24)
    rig.station.elsewhere.told(msgspec.json.encode(Answer(question.id, kept=Kept(until, True))).decode())
    shown = picture(rig.station, Renderer())
    assert (shown.keeps, shown.deadline, rig.pulses()) == ("longer", until, pulses)
    kiosk.home()
    await rig.collect(code)  # the code is not spent by it


async def test_without_an_answer_the_screen_says_how_long_it_stays(rig: Rig, kiosk: Kiosk) -> None:
    parcel = await rig.inside("PW-1234")
    rig.desk.online = False
    assert (await typed(rig, rig.code(parcel), "1234"), asked(rig)) == ("kept", None)
    shown = picture(rig.station, Renderer())
    assert (shown.keeps, shown.deadline) == ("alone", rig.parcel(parcel).collect_by)
    rig.desk.online = True
    assert asked(rig) is not None and picture(rig.station, Renderer()).keeps == "asks"
    rig.now.advance(AWAITED_S + 1)
    assert picture(rig.station, Renderer()).keeps == "alone", "a hub of before does not know the question"


async def test_a_wrong_one_is_a_try_like_any(rig: Rig, kiosk: Kiosk) -> None:
    """The same brake as at the pad: what is paused here opens nothing there, and the right code neither keeps."""
    parcel = await rig.inside("PW-1234")
    code = rig.code(parcel)
    wrong = f"{(int(code) + 1) % 10**8:08d}"
    for _ in range(5):
        assert await typed(rig, wrong, "1234") == "keep"
        assert (kiosk.showing.refusal, asked(rig)) == ("wrong_code", None)
    assert await typed(rig, code, "1234") == "keep", "paused"
    kiosk.home()
    assert (await kiosk.type_code(code, "1234")).screen == "wrong"


async def test_what_is_typed_on_another_screen_keeps_nothing(rig: Rig, kiosk: Kiosk) -> None:
    parcel = await rig.inside("PW-1234")
    kiosk.home()
    assert (await kiosk.keeping.type_code(rig.code(parcel), "1234")).screen == "home"
    blocked = await rig.inside("PW-5678", proof="token")
    assert await typed(rig, rig.code(blocked), "5678") == "keep", "its code alone gives no right"

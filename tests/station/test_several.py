"""The next door of the same person: offered while they stand there, one touch, a visit and a right of its own."""

import asyncio
from uuid import UUID

import pytest

from parcelwall.errors import Refusal
from parcelwall.link.orders import Ordered
from parcelwall.rules import decide, facts
from parcelwall.rules.life import Stage
from station.rig import Rig
from station.test_orders import answers, by_recipient, refused


async def collected(rig: Rig, parcel: UUID) -> UUID:
    """Somebody has taken this one out, and stands there still. Answers the visit."""
    await rig.station.kiosk.type_code(rig.code(parcel))
    await rig.shut(rig.station.kiosk.showing.door or 0)
    assert rig.station.kiosk.showing.screen == "thanks"
    told = [entry for entry in rig.memory.journal.since("S-0001", 0) if entry.kind == "Collected"]
    fact = facts.read("Collected", told[-1].body)
    assert isinstance(fact, facts.Collected)
    return fact.visit


def an_offer(rig: Rig, parcel: UUID, after: UUID) -> Ordered:
    return by_recipient(rig, parcel, presence="", after=after)


async def test_one_touch_opens_the_next_door_as_a_visit_of_its_own(rig: Rig) -> None:
    first, second = await rig.inside("PW-1"), await rig.inside("PW-2")
    order = an_offer(rig, second, await collected(rig, first))
    pulses, kiosk = rig.pulses(), rig.station.kiosk
    rig.station.orders.obey(order)
    assert (kiosk.showing.screen, kiosk.showing.door) == ("several", rig.parcel(second).compartment)
    assert rig.pulses() == pulses, "an offer opens nothing"
    await kiosk.act("open-next", kiosk.showing.number)
    assert (kiosk.showing.screen, kiosk.showing.visit) == ("open", order.id)
    await rig.shut(kiosk.showing.door or 0)
    assert [rig.parcel(each).stage for each in (first, second)] == [Stage.COLLECTED, Stage.COLLECTED]
    assert [(each.order, each.outcome) for each in answers(rig)] == [(order.id, "opened")]


async def test_whoever_has_gone_or_somebody_else_is_offered_nothing(rig: Rig) -> None:
    first, second = await rig.inside("PW-1"), await rig.inside("PW-2")
    visit = await collected(rig, first)
    await refused(rig, an_offer(rig, second, UUID(int=7)), "not_present")
    rig.station.kiosk.home()
    await refused(rig, an_offer(rig, second, visit), "not_present")
    assert rig.parcel(second).stage == Stage.READY


async def test_an_offer_ends_with_its_order_and_cannot_be_taken_twice(rig: Rig) -> None:
    first, second = await rig.inside("PW-1"), await rig.inside("PW-2")
    rig.station.orders.obey(an_offer(rig, second, await collected(rig, first)))
    kiosk, pulses = rig.station.kiosk, rig.pulses()
    number = kiosk.showing.number
    rig.now.advance(16)
    await kiosk.act("open-next", number)
    assert (kiosk.showing.screen, rig.pulses()) == ("home", pulses)
    assert [each.why for each in answers(rig)] == ["order_late"]
    with pytest.raises(Refusal):
        await kiosk.act("open-next", kiosk.showing.number)
    kiosk.tick()
    await asyncio.sleep(0)
    assert kiosk.showing.screen == "home"


async def test_the_screen_goes_home_by_itself_and_says_wrong_of_the_door_that_was_open(rig: Rig) -> None:
    first, second = await rig.inside("PW-1"), await rig.inside("PW-2")
    door = rig.parcel(first).compartment
    rig.station.orders.obey(an_offer(rig, second, await collected(rig, first)))
    kiosk = rig.station.kiosk
    await kiosk.act("wrong", kiosk.showing.number)
    assert (kiosk.showing.screen, kiosk.showing.door) == ("report", door)
    third = await rig.inside("PW-3")
    rig.station.orders.obey(an_offer(rig, second, await collected(rig, third)))
    rig.now.advance(15.1)
    kiosk.tick()
    assert kiosk.showing.screen == "home"


@pytest.mark.parametrize("by", ["delegate", "courier", "unknown"])
async def test_only_the_recipients_own_right_leads_on(rig: Rig, by: facts.By) -> None:
    parcel = rig.parcel(await rig.inside("PW-1"))
    assert decide.may_follow(parcel, "recipient") and not decide.may_follow(parcel, by)


@pytest.mark.parametrize("changed", [{"proof": "token"}, {"proof": "verified"}, {"direction": "return"}])
async def test_a_code_leads_to_nothing_that_asks_for_more(rig: Rig, changed: dict[str, str]) -> None:
    assert not decide.may_follow(rig.parcel(await rig.inside("PW-1", **changed)), "recipient")

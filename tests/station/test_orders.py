"""Orders from afar at a real desk and pretend boards: at once or never, at most once, and each with its answer."""

import asyncio
from uuid import UUID

import msgspec
import pytest

from parcelwall.drivers.seen import DoorState
from parcelwall.errors import Refusal
from parcelwall.link.orders import LASTS_MS, Ordered
from parcelwall.rules import facts
from parcelwall.rules.life import Stage
from parcelwall.web.kiosk_picture import picture
from parcelwall.web.render import Renderer
from station.rig import NAME, Rig


def ordered(rig: Rig, door: int = 3, **changed: object) -> Ordered:
    not_after = int(rig.now.mono() * 1000) + LASTS_MS - 100
    made = Ordered(id=rig.ids.new(), station=NAME, door=door, boot=rig.station.boot, not_after=not_after)
    return msgspec.structs.replace(made, **changed)


def by_recipient(rig: Rig, parcel: UUID, **changed: object) -> Ordered:
    known = rig.parcel(parcel)
    return ordered(rig, known.compartment or 0, by="recipient", right=known.reservation, generation=known.generation,
                   **{"presence": rig.station.presence.number(), **changed})  # fmt: skip


async def obey(rig: Rig, order: Ordered) -> facts.OrderAnswered:
    """What the line delivers, until the station has written its answer."""
    before = rig.wrote()
    rig.station.orders.obey(order)
    while not (found := answers(rig, before)):
        await asyncio.sleep(0)
    return found[-1]


def answers(rig: Rig, after: int = 0) -> list[facts.OrderAnswered]:
    entries = rig.memory.journal.since(NAME, after)
    return [msgspec.json.decode(e.body, type=facts.OrderAnswered) for e in entries if e.kind == "OrderAnswered"]


async def refused(rig: Rig, order: Ordered, why: str) -> None:
    pulses = rig.pulses()
    answer = await obey(rig, order)
    assert (answer.order, answer.outcome, answer.why) == (order.id, "refused", why)
    assert rig.pulses() == pulses, "nothing was written to the boards"


async def test_an_operator_looks_into_a_compartment(rig: Rig) -> None:
    order = ordered(rig)
    answer = await obey(rig, order)
    assert (answer.outcome, answer.compartment, answer.by, answer.why) == ("opened", 3, "operator", "")
    assert rig.is_open(3)
    assert rig.station.kiosk.showing.screen == "open", "whoever stands there sees it too"
    await rig.shut(3)
    assert rig.told() == ["DoorOpened", "OrderAnswered", "DoorClosed"]
    opened = facts.read("DoorOpened", rig.memory.journal.since(NAME, 0)[0].body)
    assert opened == facts.DoorOpened(compartment=3, visit=order.id), "the pulse is traced to what the hub granted"
    assert rig.cases() == []


async def test_looking_at_a_parcel_ends_no_life_and_lets_nobody_in_again(rig: Rig) -> None:
    parcel = await rig.inside("PW-1")
    code, door = rig.code(parcel), rig.parcel(parcel).compartment or 0
    await obey(rig, ordered(rig, door))
    await rig.shut(door)
    assert rig.parcel(parcel).stage == Stage.READY
    kiosk = rig.station.kiosk
    with pytest.raises(Refusal) as stale:
        await kiosk.act("again", kiosk.showing.number)
    assert stale.value.reason == "stale_screen"
    await rig.collect(code)
    assert rig.parcel(parcel).stage == Stage.COLLECTED


async def test_a_recipient_who_stands_there(rig: Rig) -> None:
    parcel = await rig.inside("PW-1")
    answer = await obey(rig, by_recipient(rig, parcel))
    assert (answer.outcome, answer.by) == ("opened", "recipient")
    await rig.shut(answer.compartment)
    assert rig.parcel(parcel).stage == Stage.COLLECTED
    assert rig.told()[-1] == "Collected"


async def test_opening_by_phone_spends_the_code_and_the_qr(rig: Rig) -> None:
    parcel = await rig.inside("PW-1")
    code, shown = rig.code(parcel), rig.token(parcel)
    await obey(rig, by_recipient(rig, parcel))
    rig.desk.failed(rig.desk.unfinished()[0], "unclear")
    for again in (lambda: rig.desk.collect_by_code(code), lambda: rig.desk.collect_by_token(shown)):
        with pytest.raises(Refusal):
            again()
    rig.boards.push_closed(answers(rig)[0].compartment)
    await refused(rig, by_recipient(rig, parcel), "wrong_code")


async def test_who_does_not_stand_there(rig: Rig) -> None:
    parcel = await rig.inside("PW-1")
    shown = rig.station.presence.number()
    wrong = f"{(int(shown) + 1) % 1000:03d}"
    for number in (wrong, "", shown[:2], "\u0660\u0661\u0662"):
        await refused(rig, by_recipient(rig, parcel, presence=number), "not_present")
    rig.now.advance(45)
    rig.station.presence.number()
    assert (await obey(rig, by_recipient(rig, parcel, presence=shown))).outcome == "opened", "the one before is good"


async def test_a_number_is_good_for_a_minute_at_most(rig: Rig) -> None:
    shown = rig.station.presence.number()
    rig.now.advance(61)
    assert not rig.station.presence.fits(shown) or rig.station.presence.number() == shown
    assert not rig.station.presence.fits("")


async def test_late(rig: Rig) -> None:
    order = ordered(rig)
    rig.now.advance(LASTS_MS / 1000)
    await refused(rig, order, "order_late")
    await refused(rig, order, "order_repeated")


async def test_twice(rig: Rig) -> None:
    order = ordered(rig)
    assert (await obey(rig, order)).outcome == "opened"
    await refused(rig, order, "order_repeated")
    await rig.shut(3)
    await refused(rig, order, "order_repeated")


async def test_what_was_refused_is_not_taken_the_second_time(rig: Rig) -> None:
    await rig.inside("PW-1")
    first, second = ordered(rig, 3), ordered(rig, 4)
    await obey(rig, first)
    await refused(rig, second, "door_busy")
    await rig.shut(3)
    await refused(rig, second, "order_repeated")


async def test_twice_over_a_restart(rig: Rig) -> None:
    order = ordered(rig)
    await obey(rig, order)
    await rig.restart()
    await refused(rig, order, "order_unknown")
    await refused(rig, msgspec.structs.replace(order, boot=rig.station.boot), "order_repeated")


@pytest.mark.parametrize(
    "changed", [{"station": "S-0002"}, {"boot": "another"}, {"not_after": 10**9}, {"door": 99}], ids=str
)
async def test_not_for_here(rig: Rig, changed: dict[str, object]) -> None:
    await refused(rig, ordered(rig, **changed), "order_unknown")


async def test_while_somebody_is_at_the_screen(rig: Rig) -> None:
    parcel = await rig.inside("PW-1")
    visit = await rig.keeper.serve(rig.desk.collect_by_code(rig.code(parcel)))
    await refused(rig, ordered(rig, 5), "door_busy")
    await rig.shut(visit.compartment)
    assert rig.parcel(parcel).stage == Stage.COLLECTED


async def test_two_at_the_same_moment(rig: Rig) -> None:
    """One door, one visit: the second finds the screen taken, whatever the first one's door does."""
    first, second = ordered(rig, 3), ordered(rig, 4)
    rig.station.orders.obey(first)
    rig.station.orders.obey(second)
    while len(answers(rig)) < 2:
        await asyncio.sleep(0)
    assert {each.order: each.outcome for each in answers(rig)} == {first.id: "opened", second.id: "refused"}
    assert not rig.is_open(4)


async def test_the_deadline_goes_down_to_the_wire(rig: Rig) -> None:
    """The order is good when it comes, and late when its turn at the boards comes: nothing moves, and no case."""
    order = ordered(rig, not_after=int(rig.now.mono() * 1000) + 1)
    rig.station.orders.obey(order)
    rig.now.advance(0.5)
    while not answers(rig):
        await asyncio.sleep(0)
    assert (answers(rig)[0].outcome, answers(rig)[0].why) == ("refused", "order_late")
    assert (rig.pulses(), rig.cases(), rig.desk.unfinished()) == (0, [], [])
    assert rig.station.kiosk.showing.screen == "home"


async def test_a_door_that_is_stuck(rig: Rig) -> None:
    rig.boards.core.jam(3, True)
    answer = await obey(rig, ordered(rig))
    assert (answer.outcome, answer.why) == ("failed", "door_failed")
    assert rig.cases() == ["door_failed"]
    assert rig.boards.state(3) == DoorState.CLOSED


async def test_a_lock_that_was_used_often_rests(rig: Rig) -> None:
    """Three openings within 30 s, and the fourth is refused before anything moves: no case, for nothing is broken."""
    for _ in range(3):
        assert (await obey(rig, ordered(rig))).outcome == "opened"
        await rig.shut(3)
    pulses = rig.pulses()
    answer = await obey(rig, ordered(rig))
    assert (answer.outcome, answer.why) == ("refused", "door_rests")
    assert (rig.pulses() - pulses, rig.cases(), rig.desk.unfinished()) == (0, [], [])
    rig.now.advance(30)
    assert (await obey(rig, ordered(rig))).outcome == "opened"


async def test_the_power_goes_while_it_is_obeyed(rig: Rig) -> None:
    """The door is open, the answer was never written: after the start no pulse, and the visit ends like any other."""
    order = ordered(rig)
    visit = rig.desk.inspect(order.id, order.door, order.not_after / 1000)
    await rig.keeper.serve(visit)
    pulses = rig.pulses()
    await rig.restart()
    await refused(rig, order, "order_unknown")
    await rig.shut(3)
    assert (rig.pulses(), rig.desk.unfinished()) == (pulses, [])


async def test_what_the_hub_writes_down_moves_no_door(rig: Rig) -> None:
    order = rig.ids.new()
    rig.hear(facts.Granted(grant=order, station=NAME, may=("service",), by="operator", compartment=3, reason="look"))
    await rig.look(3)
    assert (rig.pulses(), rig.desk.unfinished()) == (0, [])
    assert order not in rig.memory.grants, "it is a right for seconds, and for nobody who comes"


async def late_inside(rig: Rig, reference: str = "PW-1") -> UUID:
    parcel = await rig.inside(reference)
    rig.now.advance(700)
    rig.hear(facts.Expired(parcel=parcel))
    return parcel


def out(rig: Rig, parcel: UUID, **changed: object) -> Ordered:
    known = rig.parcel(parcel)
    return ordered(rig, known.compartment or 0, right=known.reservation, do="take_out", **changed)


async def test_what_is_late_is_taken_out_for_the_operator(rig: Rig) -> None:
    parcel = await late_inside(rig)
    order = out(rig, parcel)
    answer = await obey(rig, order)
    assert (answer.outcome, answer.takes_out) == ("opened", True) and rig.station.kiosk.showing.screen == "open"
    assert rig.parcel(parcel).stage == Stage.OVERDUE, "its door is not shut yet"
    assert picture(rig.station, Renderer()).heading == f"The operator has opened door {answer.compartment}"
    await rig.shut(answer.compartment)
    taken = facts.read("TakenBack", rig.memory.journal.since(NAME, 0)[-1].body)
    assert isinstance(taken, facts.TakenBack)
    assert (taken.visit, taken.by, taken.courier) == (order.id, "operator", None)
    assert rig.parcel(parcel).stage == Stage.TAKEN_BACK
    rig.clean()


async def test_nothing_else_is_taken_out(rig: Rig) -> None:
    """What is not late, is not there any more, or was sent from here and waits for a courier."""
    fresh, gone = await rig.inside("PW-1"), await late_inside(rig, "PW-2")
    await refused(rig, out(rig, fresh), "wrong_stage")
    order = out(rig, gone)
    await rig.collect(rig.code(gone))
    await refused(rig, order, "not_for_this_station")


async def test_nobody_at_the_screen_tries_again_what_was_ordered_from_afar(rig: Rig) -> None:
    """Its order is over: they might have come for something else."""
    parcel = await late_inside(rig)
    rig.boards.core.jam(rig.parcel(parcel).compartment or 0)
    assert (await obey(rig, out(rig, parcel))).outcome == "failed"
    kiosk = rig.station.kiosk
    assert (kiosk.showing.screen, kiosk.showing.retries) == ("stuck", False)

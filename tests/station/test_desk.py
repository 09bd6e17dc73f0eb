"""At the screen: deposit, collect and take back, with and without the hub; and every no is the same no."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from parcelwall.errors import Refusal
from parcelwall.rules import facts
from parcelwall.rules.life import Stage
from parcelwall.rules.policy import Policy
from parcelwall.station import chosen
from parcelwall.station.visit import Visit
from station.rig import NAME, Rig

LATER = timedelta(hours=49)


async def no(asked) -> Refusal:  # type: ignore[no-untyped-def]
    with pytest.raises(Refusal) as refused:
        await asked
    return refused.value


@pytest.mark.parametrize("online", [True, False])
async def test_a_life_with_and_without_the_hub(rig: Rig, online: bool) -> None:
    rig.desk.online = online
    parcel = rig.promise("PW-7F3-2917")
    visit = await rig.deposit("pw-7f3 -2917".replace(" ", ""))
    assert rig.layout.compartment(visit.compartment).size == "S", "the smallest that fits"
    inside = rig.parcel(parcel)
    assert (inside.stage, inside.compartment) == (Stage.READY, visit.compartment)
    assert inside.collect_by == rig.now.now() + timedelta(hours=48)
    await rig.collect(rig.code(parcel))
    assert rig.parcel(parcel).stage == Stage.COLLECTED
    assert rig.told() == ["DoorOpened", "DoorClosed", "Deposited", "DoorOpened", "DoorClosed", "Collected"]
    assert rig.memory.room().taken == 0
    assert rig.cases() == []
    assert rig.pulses() == 2


async def test_a_week_alone(rig: Rig) -> None:
    """Everything promised before the cut goes in, everything inside comes out, what is overdue goes back."""
    promised = [rig.promise(f"PW-{n}", deposit_by=rig.now.now() + timedelta(days=8)) for n in range(3)]
    rig.desk.online = False
    rig.now.advance(3 * 24 * 3600)
    for number in range(3):
        await rig.deposit(f"PW-{number}")
    rig.now.advance(3 * 24 * 3600)
    await rig.collect(rig.code(promised[0]))
    assert rig.parcel(promised[0]).stage == Stage.COLLECTED
    assert rig.wrote() == 12
    assert rig.memory.unsent() == 12


async def test_take_back_what_is_overdue_and_only_that(rig: Rig) -> None:
    parcel = await rig.inside("PW-1")
    assert (await no(rig.take_back(parcel))).reason == "wrong_stage"
    rig.hear(facts.Expired(parcel=parcel))
    assert [each.id for each in rig.desk.overdue()] == [parcel]
    await rig.take_back(parcel)
    assert rig.parcel(parcel).stage == Stage.TAKEN_BACK
    assert rig.told()[-1] == "TakenBack"
    assert (await no(rig.take_back(parcel))).reason == "not_for_this_station"
    assert (await no(rig.take_back(UUID(int=7)))).reason == "not_for_this_station"


async def test_overdue_may_be_collected_still(rig: Rig) -> None:
    parcel = await rig.inside("PW-1")
    rig.hear(facts.Expired(parcel=parcel))
    await rig.collect(rig.code(parcel))
    assert rig.parcel(parcel).stage == Stage.COLLECTED
    assert rig.cases() == []


async def test_a_courier_without_the_right(rig: Rig) -> None:
    rig.promise("PW-1")
    with pytest.raises(Refusal) as refused:
        rig.desk.deposit_by_label("PW-1", UUID(int=7))
    assert refused.value.reason == "no_right"
    grant = facts.Granted(grant=UUID(int=1), station=NAME, may=("deposit",), courier=UUID(int=7),
                          until=rig.now.now() + timedelta(hours=1))  # fmt: skip
    rig.hear(grant)
    await rig.through(rig.desk.deposit_by_label("PW-1", UUID(int=7)))
    rig.promise("PW-2")
    rig.now.advance(3700)
    with pytest.raises(Refusal):
        rig.desk.deposit_by_label("PW-2", UUID(int=7))
    rig.hear(facts.Revoked(grant=grant.grant, station=NAME))
    assert grant.grant not in rig.memory.grants


async def test_labels_that_are_not_for_here(rig: Rig) -> None:
    rig.promise("PW-1")
    assert (await no(rig.deposit("PW-9"))).reason == "not_for_this_station"
    await rig.deposit("PW-1")
    assert (await no(rig.deposit("PW-1"))).reason == "already_deposited"
    gone = rig.promise("PW-2")
    rig.hear(facts.Cancelled(parcel=gone))
    assert (await no(rig.deposit("PW-2"))).reason == "not_for_this_station"
    rig.promise("PW-3", deposit_by=rig.now.now() - timedelta(seconds=1))
    assert (await no(rig.deposit("PW-3"))).reason == "deposit_too_late"


async def test_two_parcels_with_one_label(rig: Rig) -> None:
    """The label does not say which of them somebody holds: nothing is put in until they have said it."""
    first = rig.promise("PW-1")
    await rig.deposit("PW-1")
    second = rig.promise("PW-1", deposit_by=rig.now.now() + timedelta(hours=2))
    third = rig.promise("PW-1", deposit_by=rig.now.now() + timedelta(hours=1))
    assert [each.id for each in rig.desk.with_label("PW-1")] == [third, second, first]
    for each in (second, third):
        assert (await no(rig.deposit("PW-1"))).reason == "label_twice"
        await rig.through(chosen.deposit(rig.desk, each, None, rig.courier))
        assert rig.parcel(each).stage == Stage.READY
    assert (await no(rig.deposit("PW-1"))).reason == "already_deposited"


async def test_a_late_deposit_after_its_promise_was_withdrawn(rig: Rig) -> None:
    """The hub takes the promise away while the door is open: the parcel is in all the same, and found by its label."""
    parcel = rig.promise("PW-1")
    visit = await rig.keeper.serve(rig.desk.deposit_by_label("PW-1", rig.courier))
    reservation = rig.parcel(parcel).reservation
    assert reservation is not None
    rig.hear(facts.Withdrawn(parcel=parcel, reservation=reservation, station=NAME))
    await rig.shut(visit.compartment)
    other = rig.promise("PW-1")
    await rig.through(chosen.deposit(rig.desk, other, None, rig.courier))
    assert rig.parcel(parcel).stage == rig.parcel(other).stage == Stage.READY
    assert rig.desk.by_label("PW-1").id in (parcel, other)
    await rig.collect(rig.code(parcel))


async def test_a_full_station(tmp_path: Path) -> None:
    rig = await Rig(tmp_path, "SS").start()
    for number in range(3):
        rig.promise(f"PW-{number}")
    await rig.deposit("PW-0")
    await rig.deposit("PW-1")
    assert (await no(rig.deposit("PW-2"))).reason == "no_fitting_compartment"
    rig.clean()
    await rig.stop()


async def test_the_doors_of_others_are_kept_for_them(rig: Rig) -> None:
    """Small and large ones come in any order, and the large ones find the large compartments free."""
    large = [rig.promise(f"PL-{n}", height_mm=300) for n in range(2)]
    small = [await rig.inside(f"PS-{n}") for n in range(6)]
    for number in range(2):
        await rig.deposit(f"PL-{number}")
    sizes = [rig.layout.compartment(rig.parcel(each).compartment or 0).size for each in (*large, *small)]
    assert sizes == ["L", "L", "S", "S", "S", "S", "M", "M"]


# codes


async def test_a_code_serves_once_also_after_a_restart(rig: Rig) -> None:
    parcel, other = await rig.inside("PW-1"), await rig.inside("PW-2")
    code = rig.code(parcel)
    await rig.collect(code)
    assert (await no(rig.collect(code))).reason == "wrong_code"
    await rig.restart()
    assert (await no(rig.collect(code))).reason == "wrong_code"
    assert rig.pulses() == 3
    await rig.collect(rig.code(other))


async def test_every_wrong_code_is_answered_alike(rig: Rig) -> None:
    """Never existed, spent, of the next generation, of another station, of what was cancelled: one answer."""
    parcel, spent, promised = await rig.inside("PW-1"), await rig.inside("PW-2"), rig.promise("PW-3")
    used = rig.code(spent)
    await rig.collect(used)
    rig.desk.online = True
    answers = []
    for code in ("00000000", used, rig.code(parcel, ahead=1), rig.code(promised), "", "1", "abcdefgh", "9" * 30):
        refused = await no(rig.collect(code))
        answers.append((refused.reason, refused.sentence, sorted(refused.details)))
        rig.now.advance(700)
    assert {str(answer) for answer in answers} == {str(answers[0])}
    assert answers[0][0] == "wrong_code"
    assert rig.pulses() == 3, "two deposits and one collection"


async def test_alone_the_next_generation_is_good_too(rig: Rig) -> None:
    """The hub may have told a newer code that we could not hear of; back on the line only the newest is good."""
    parcel = await rig.inside("PW-1")
    newer = rig.code(parcel, ahead=1)
    rig.desk.online = True
    assert (await no(rig.collect(newer))).reason == "wrong_code"
    rig.desk.online = False
    assert (await no(rig.collect(rig.code(parcel, ahead=2)))).reason == "wrong_code"
    await rig.collect(newer)
    [collected] = [each for each in rig.memory.journal.everything(NAME) if each.kind == "Collected"]
    assert '"generation":1' in collected.body


async def test_a_renewed_code_ends_the_old_one(rig: Rig) -> None:
    parcel = await rig.inside("PW-1")
    old = rig.code(parcel)
    reservation = rig.parcel(parcel).reservation
    assert reservation is not None
    rig.hear(facts.CodeRenewed(parcel=parcel, reservation=reservation, generation=1))
    rig.desk.online = True
    assert (await no(rig.collect(old))).reason == "wrong_code"
    await rig.collect(rig.code(parcel))


async def test_the_selector_chooses_and_is_asked_for(rig: Rig) -> None:
    parcel, other = await rig.inside("PW-1-1111"), await rig.inside("PW-2-2222")
    rig.hear(facts.PolicyAdopted(policy=Policy(bare_code_parcels=1)))
    assert (await no(rig.collect(rig.code(parcel)))).reason == "selector_needed"
    assert (await no(rig.collect(rig.code(parcel), "2222"))).reason == "wrong_code"
    await rig.collect(rig.code(parcel), "1111")
    await rig.collect(rig.code(other))


async def test_a_parcel_whose_number_has_no_digits_can_be_collected_too(rig: Rig) -> None:
    parcel = await rig.inside("GIFT-FOR-ADA")
    await rig.inside("PW-2")
    rig.hear(facts.PolicyAdopted(policy=Policy(bare_code_parcels=1)))
    await rig.collect(rig.code(parcel), rig.parcel(parcel).selector)
    assert rig.parcel(parcel).stage == Stage.COLLECTED


async def test_the_brake_outlives_a_restart(rig: Rig) -> None:
    parcel = await rig.inside("PW-1")
    left = [(await no(rig.collect("00000000"))).details["tries_left"] for _ in range(5)]
    assert left == [4, 3, 2, 1, 1]
    for _ in range(2):
        paused = await no(rig.collect(rig.code(parcel)))
        assert paused.reason == "codes_paused"
        assert 0 < paused.details["wait_s"] <= 31
        await rig.restart()
    await rig.collect(rig.code(parcel), rig.parcel(parcel).selector)
    assert rig.parcel(parcel).stage == Stage.COLLECTED, "with the number it opens: nobody can shut the station"


async def test_a_right_code_buys_no_new_tries(rig: Rig) -> None:
    parcel = await rig.inside("PW-1")
    for _ in range(4):
        await no(rig.collect("00000000"))
    await rig.collect(rig.code(parcel))
    await no(rig.collect("00000000"))
    assert (await no(rig.collect("00000000"))).reason == "codes_paused"


async def test_what_was_typed_is_nowhere(rig: Rig, tmp_path: Path) -> None:
    await rig.inside("PW-1")
    for _ in range(5):
        await no(rig.collect("73910246"))
    assert "WrongCode" in rig.told()
    await rig.restart()
    assert b"73910246" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


async def test_wrong_codes_are_told_once_a_minute(rig: Rig) -> None:
    for _ in range(40):
        await no(rig.collect("00000000"))
        rig.now.advance(5)
    told = [entry.body for entry in rig.memory.journal.everything(NAME) if entry.kind == "WrongCode"]
    assert len(told) < 12


async def test_ten_thousand_tries_at_300_parcels(tmp_path: Path) -> None:
    """A guesser types all day for a week: the brake holds, no door moves, and the number of tries taken is bounded."""
    rig = await Rig(tmp_path, "SSSSSSSSSS").start()
    promises = [rig.a_promise(f"PW-{number:04d}") for number in range(300)]
    rig.hear(*promises)
    rig.memory.tell(*(facts.Deposited(
        parcel=each.parcel, reservation=each.reservation, station=NAME, compartment=1 + place % 10,
        collect_by=rig.now.now() + timedelta(days=9), visit=UUID(int=place),
    ) for place, each in enumerate(promises)))  # fmt: skip
    rig.desk.online = True
    assert len(rig.desk.inside()) == 300
    rig.hear(facts.PolicyAdopted(policy=Policy(bare_code_parcels=1000)))
    taken = 0
    for attempt in range(10_000):
        refused = await no(rig.collect(f"{attempt * 7919 % 10**8:08d}"))
        taken += refused.reason == "wrong_code"
        rig.now.advance(60)
    assert taken <= 8 * 60
    assert taken > 300
    assert rig.pulses() == 0
    assert rig.told().count("DoorOpened") == 0
    await rig.stop()


async def test_couriers_codes(rig: Rig) -> None:
    code = rig.courier_code()
    assert rig.desk.courier_by_code(code) == rig.courier
    rig.now.advance(24 * 3600)
    with pytest.raises(Refusal) as refused:
        rig.desk.courier_by_code(code)
    assert refused.value.reason == "wrong_code"
    assert rig.desk.courier_by_code(rig.courier_code()) == rig.courier
    assert (await no(rig.collect(rig.courier_code()))).reason == "wrong_code"


async def test_one_door_at_a_time(rig: Rig) -> None:
    parcel = await rig.inside("PW-1")
    rig.promise("PW-2")
    visit = await rig.keeper.serve(rig.desk.deposit_by_label("PW-2", rig.courier))
    before = rig.wrote()
    for asked in (rig.collect(rig.code(parcel)), rig.collect("00000000"), rig.deposit("PW-2")):
        refused = await no(asked)
        assert (refused.reason, refused.details) == ("door_busy", {"door": visit.compartment})
    assert rig.wrote() == before
    await rig.shut(visit.compartment)
    await rig.collect(rig.code(parcel))


async def test_reopening_what_was_just_left(rig: Rig) -> None:
    parcel = await rig.inside("PW-1")
    visit = await rig.collect(rig.code(parcel))
    done = await rig.through(rig.desk.reopen(await ended(rig, visit.id)))
    assert done.purpose == "reopen"
    assert rig.told().count("Collected") == 1
    rig.now.advance(200)
    with pytest.raises(Refusal) as refused:
        rig.desk.reopen(await ended(rig, visit.id))
    assert refused.value.reason == "stale_screen"


async def ended(rig: Rig, visit: UUID):  # type: ignore[no-untyped-def]
    [(record,)] = rig.memory.connection.execute("SELECT record FROM visit WHERE id = ?", (str(visit),))
    return msgspec.json.decode(record, type=Visit)


async def test_before_the_first_word_of_the_hub(tmp_path: Path) -> None:
    rig = await Rig(tmp_path).start(told=False)
    assert rig.desk.about is None
    with pytest.raises(Refusal):
        rig.desk.deposit_by_label("PW-1", rig.courier)
    assert (await no(rig.collect("00000000"))).reason == "wrong_code"
    rig.clean()
    await rig.stop()

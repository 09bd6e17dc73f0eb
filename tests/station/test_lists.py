"""The pushed lists at a station that has no line: staff, blocked parcels, drawn codes; what was taken back stays so."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from parcelwall.errors import Refusal
from parcelwall.rules import access, facts
from parcelwall.rules.life import Stage
from station.rig import NAME, SECRET, Rig

DRAWN, WEEKS = "00732908", 21 * 24 * 3600
TAG = access.code_tag(access.subkey(SECRET, "code-tag"), DRAWN)


def refused(reason: str, ask: Any, *asked: Any) -> None:
    with pytest.raises(Refusal) as no:
        ask(*asked)
    assert no.value.reason == reason


def drawn(rig: Rig, parcel: UUID, **changed: Any) -> facts.Granted:
    known: dict[str, Any] = {
        "grant": rig.ids.new(), "station": NAME, "may": ("collect",), "parcel": parcel, "tag": TAG, "by": "operator",
        "reservation": rig.parcel(parcel).reservation, "until": rig.now.now() + timedelta(days=30),
    }  # fmt: skip
    return facts.Granted(**{**known, **changed})


def grant_of(rig: Rig) -> UUID:
    return next(iter(rig.memory.grants))


# staff


async def test_a_revoked_courier_is_refused_for_weeks_offline(rig: Rig) -> None:
    rig.desk.online = False
    rig.hear(facts.Revoked(grant=grant_of(rig), station=NAME))
    for _ in range(3):
        refused("wrong_code", rig.desk.courier_by_code, rig.courier_code())
        rig.now.advance(WEEKS / 3)
    await rig.restart()
    refused("wrong_code", rig.desk.courier_by_code, rig.courier_code())


async def test_a_list_of_staff_that_nobody_confirms_is_good_for_a_month(rig: Rig) -> None:
    """Whoever was sent away since is on it still. Recipients are not asked how old it is."""
    parcel = await rig.inside("PW-1")
    rig.now.advance(29 * 86_400)
    rig.memory.told_time(rig.now.now(), "boot")
    await rig.restart()
    rig.now.advance(29 * 86_400)
    courier = rig.desk.courier_by_code(rig.courier_code())
    rig.now.advance(2 * 86_400)
    refused("wrong_code", rig.desk.courier_by_code, rig.courier_code())
    refused("no_right", rig.desk.take_back, parcel, courier)
    await rig.restart()
    refused("wrong_code", rig.desk.courier_by_code, rig.courier_code())
    assert (await rig.collect(rig.code(parcel))).outcome == ""
    rig.hear(facts.CodeRenewed(parcel=parcel, reservation=rig.ids.new(), generation=1))
    assert rig.desk.courier_by_code(rig.courier_code()) == courier, "whatever the hub says confirms the list"


async def test_a_courier_who_is_signed_in_while_the_list_arrives_opens_nothing_more(rig: Rig) -> None:
    parcel = await rig.inside("PW-1")
    rig.promise("PW-2")
    rig.hear(facts.Expired(parcel=parcel))
    courier = rig.desk.courier_by_code(rig.courier_code())
    rig.hear(facts.Revoked(grant=grant_of(rig), station=NAME))
    refused("no_right", rig.desk.deposit_by_label, "PW-2", courier)
    refused("no_right", rig.desk.take_back, parcel, courier)


async def test_blocked_beats_allowed_in_whatever_order_it_is_heard(rig: Rig) -> None:
    grant = facts.Granted(grant=rig.ids.new(), station=NAME, may=("deposit",), courier=rig.courier)
    rig.hear(facts.Revoked(grant=grant_of(rig), station=NAME), facts.Revoked(grant=grant.grant, station=NAME), grant)
    refused("wrong_code", rig.desk.courier_by_code, rig.courier_code())
    await rig.restart()
    refused("wrong_code", rig.desk.courier_by_code, rig.courier_code())


async def test_a_courier_of_one_station_has_no_code_at_another(rig: Rig) -> None:
    there = access.courier_code(access.subkey(SECRET, "courier-code"), "S-0002", rig.courier, rig.desk.today)
    refused("wrong_code", rig.desk.courier_by_code, there)


async def test_a_technician_opens_what_is_empty_and_nothing_else(rig: Rig) -> None:
    parcel, technician = await rig.inside("PW-1"), rig.ids.new()
    taken = rig.parcel(parcel).compartment or 0
    rig.hear(facts.Granted(grant=rig.ids.new(), station=NAME, may=("service",), courier=technician))
    empty = next(each.number for each in rig.layout.compartments if each.number != taken)
    refused("no_right", rig.desk.service, taken, technician)
    refused("no_right", rig.desk.service, 99, technician)
    refused("no_right", rig.desk.service, empty, rig.courier)
    refused("no_right", rig.desk.deposit_by_label, "PW-2", technician)
    before, told = rig.wrote(), rig.pulses()
    await rig.through(rig.desk.service(empty, technician))
    assert (rig.pulses(), rig.told(before)) == (told + 1, ["DoorOpened", "DoorClosed"])
    assert rig.parcel(parcel).stage == Stage.READY


async def test_a_right_ends_by_itself(rig: Rig) -> None:
    until = rig.now.now() + timedelta(hours=1)
    rig.hear(
        facts.Revoked(grant=grant_of(rig), station=NAME),
        facts.Granted(grant=rig.ids.new(), station=NAME, may=("deposit",), courier=rig.courier, until=until),
    )
    assert rig.desk.courier_by_code(rig.courier_code()) == rig.courier
    rig.now.advance(3600)
    refused("wrong_code", rig.desk.courier_by_code, rig.courier_code())


# blocked parcels


@pytest.mark.parametrize("online", [True, False])
async def test_nothing_opens_a_blocked_parcel(rig: Rig, online: bool) -> None:
    parcel = await rig.inside("PW-1")
    rig.hear(drawn(rig, parcel), facts.Blocked(parcel=parcel, why="a dispute"))
    rig.desk.online = online
    reservation, pulses = rig.parcel(parcel).reservation, rig.pulses()
    for _ in range(2):
        refused("wrong_code", rig.desk.collect_by_code, rig.code(parcel))
        refused("wrong_code", rig.desk.collect_by_code, DRAWN)
        refused("wrong_code", rig.desk.collect_by_token, rig.token(parcel))
        refused("wrong_code", rig.desk.collect_by_token, rig.token(parcel, grant=rig.ids.new()))
        refused("wrong_code", rig.desk.collect_by_order, rig.ids.new(), reservation, 0, rig.now.mono() + 10)
        await rig.restart()
        rig.desk.online = online
    assert rig.pulses() == pulses
    rig.hear(facts.Unblocked(parcel=parcel))
    await rig.collect(rig.code(parcel))
    assert rig.parcel(parcel).stage == Stage.COLLECTED


async def test_a_blocked_parcel_goes_back_with_the_courier(rig: Rig) -> None:
    parcel = await rig.inside("PW-1")
    rig.hear(facts.Blocked(parcel=parcel), facts.Expired(parcel=parcel))
    await rig.take_back(parcel)
    assert rig.parcel(parcel).stage == Stage.TAKEN_BACK


async def test_one_that_was_blocked_before_it_came_stays_so(rig: Rig) -> None:
    parcel = rig.promise("PW-1", blocked=True)
    await rig.deposit("PW-1")
    refused("wrong_code", rig.desk.collect_by_code, rig.code(parcel))


async def test_a_blocked_code_is_answered_like_a_wrong_one(rig: Rig) -> None:
    parcel, kiosk = await rig.inside("PW-1"), rig.station.kiosk
    rig.hear(facts.Blocked(parcel=parcel))
    seen = []
    for digits in (rig.code(parcel), "00000000"):
        began = rig.now.mono()
        shown = await kiosk.type_code(digits)
        seen.append((shown.screen, shown.refusal, round(rig.now.mono() - began, 6)))
    assert seen[0] == seen[1]
    assert len(rig.memory.brake("bare").recent) == 2, "both count as tries"


# drawn codes


async def test_a_drawn_code_opens_once_and_spends_the_parcels_own(rig: Rig) -> None:
    parcel = await rig.inside("PW-1")
    rig.hear(drawn(rig, parcel))
    await rig.restart()
    await rig.collect(DRAWN)
    assert rig.parcel(parcel).stage == Stage.COLLECTED
    refused("wrong_code", rig.desk.collect_by_code, DRAWN)
    refused("wrong_code", rig.desk.collect_by_code, rig.code(parcel))
    [body] = [e.body for e in rig.memory.journal.since(NAME, 0) if e.kind == "Collected"]
    assert '"by":"delegate"' in body


async def test_a_drawn_code_is_good_in_its_time_and_until_it_is_taken_back(rig: Rig) -> None:
    parcel, now = await rig.inside("PW-1"), rig.now.now()
    grant = drawn(rig, parcel, not_before=now + timedelta(hours=1), until=now + timedelta(hours=2))
    rig.hear(grant)
    refused("wrong_code", rig.desk.collect_by_code, DRAWN)
    rig.now.advance(3600)
    visit = rig.desk.collect_by_code(DRAWN)
    rig.desk.void(visit)
    rig.now.advance(3600)
    refused("wrong_code", rig.desk.collect_by_code, DRAWN)
    rig.hear(drawn(rig, parcel, grant=(again := rig.ids.new())))
    rig.desk.void(rig.desk.collect_by_code(DRAWN))
    rig.hear(facts.Revoked(grant=again, station=NAME))
    refused("wrong_code", rig.desk.collect_by_code, DRAWN)
    await rig.collect(rig.code(parcel))


async def test_a_drawn_code_is_of_its_reservation_and_needs_its_selector(rig: Rig) -> None:
    parcel, other = await rig.inside("PW-7F3-2917"), await rig.inside("PW-2")
    rig.hear(drawn(rig, parcel, reservation=rig.ids.new()), drawn(rig, other, may=("service",)))
    refused("wrong_code", rig.desk.collect_by_code, DRAWN)
    rig.hear(drawn(rig, parcel))
    refused("wrong_code", rig.desk.collect_by_code, DRAWN, "0000")
    await rig.through(rig.desk.collect_by_code(DRAWN, "2917"))


async def test_drawn_codes_count_as_codes_that_a_guess_meets(rig: Rig) -> None:
    parcel = await rig.inside("PW-1")
    rig.memory.policy = rig.memory.policy.__class__(bare_code_parcels=1)
    rig.hear(drawn(rig, parcel))
    refused("selector_needed", rig.desk.collect_by_code, rig.code(parcel))

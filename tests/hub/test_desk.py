"""The hub's desk: a batch of any size, a refusal of one leaves the others alone, and every repeat has one answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import pytest
import pytest_asyncio

from parcelwall.clock import VirtualClock
from parcelwall.errors import Refusal
from parcelwall.hub.commands import Answer, Cancel, Command, Destination, Divert, Extend, RenewCode, Report, Reserve
from parcelwall.hub.house import Hub
from parcelwall.hub.sitting import Sitting
from parcelwall.hub.stations import rooms
from parcelwall.hub.verify import verify_hub
from station.towns import NOW, Pen, a_hub, about, announced, announcing, kinds_in, parcel_at

TWO = (about("S-0001", "SSML"), about("S-0002", "SSML", lat=60.18))


@pytest_asyncio.fixture
async def hub(database: str, tmp_path: Path) -> AsyncIterator[Hub]:
    async with a_hub(database, tmp_path, stations=TWO) as hub:
        yield hub
        assert await verify_hub(hub.pool) == []


def reason(answer: object) -> str:
    assert isinstance(answer, Refusal), answer
    return answer.reason


async def no(hub: Hub, command: Command) -> Refusal:
    with pytest.raises(Refusal) as refused:
        await hub.desk.ask(command)
    return refused.value


# announcing


async def test_room_is_promised_in_the_same_breath(hub: Hub) -> None:
    answer = await hub.desk.ask(announcing("PW-1", "S-0001"))
    assert answer.status == 201
    shown = answer.body
    assert (shown["stage"], shown["station"], shown["size"]) == ("RESERVED", "S-0001", "S")
    assert shown["deposit_by"] == NOW + timedelta(hours=72)
    assert await kinds_in(hub, "hub:1/S-0001") == ["StationConfigured", "Reserved"]
    assert await kinds_in(hub, "hub:1/slot-1") == ["Announced"]


async def test_what_cannot_be_promised_is_diverted_with_its_reason(hub: Hub) -> None:
    reasons: dict[str, dict[str, Any]] = {
        "parcel_too_large": {"length_mm": 3_000, "weight_g": 9_000}, "parcel_too_heavy": {"weight_g": 26_000},
        "climate_not_here": {"climate": "frozen"}, "too_far_ahead": {"expected_at": NOW + timedelta(days=90)},
    }  # fmt: skip
    for why, changed in reasons.items():
        answer = await hub.desk.ask(announcing(why, "S-0001", **changed))
        assert (answer.status, answer.body["stage"], answer.body["reason"]) == (201, "DIVERTED", why)


async def test_a_carriers_second_parcel_with_one_label_is_not_promised_room_beside_the_first(hub: Hub) -> None:
    """Whoever brings them could not say which is which. At another station it is well, and for another carrier."""
    one, two = await hub.desk.serve([announcing(f"PW-{n}", "S-0001", label="10001") for n in (1, 2)])
    assert isinstance(one, Answer)
    assert isinstance(two, Answer)
    assert (one.body["stage"], two.body["reason"]) == ("RESERVED", "label_twice")
    third = await hub.desk.ask(announcing("PW-3", "S-0001", label=" 10001"))
    assert (third.body["stage"], third.body["reason"]) == ("DIVERTED", "label_twice")
    assert (await hub.desk.ask(announcing("PW-4", "S-0001", label="PW-1"))).body["station"], "PW-1 has a label"
    waits = await hub.desk.ask(announcing("10001"))
    refused = await no(hub, Reserve(carrier=waits.body["carrier"], parcel=UUID(waits.body["id"]),
                                    destination=Destination(station_id="S-0001")))  # fmt: skip
    assert refused.reason == "label_twice"
    assert [each["station"] for each in refused.details["alternatives"]] == ["S-0002"]
    there = await hub.desk.ask(announcing("PW-5", "S-0002", label="10001"))
    theirs = await hub.desk.ask(announcing("PW-1", "S-0001", carrier="matkahuolto", label="10001"))
    assert [each.body["stage"] for each in (there, theirs)] == ["RESERVED", "RESERVED"]
    told = await hub.pool.fetch("SELECT body FROM entry WHERE kind = 'Reserved' AND writer = 'hub:1/S-0001'")
    carriers = [msgspec.json.decode(each["body"])["carrier"] for each in told]
    assert carriers == [waits.body["carrier"]] * 2 + ["matkahuolto"], "a station knows whose it is"


async def test_without_a_destination_it_waits(hub: Hub) -> None:
    answer = await hub.desk.ask(announcing("PW-1"))
    assert answer.body["stage"] == "ANNOUNCED"
    assert "station" not in answer.body


@pytest.mark.parametrize(
    ("changed", "why"),
    [({"weight_g": 1}, "bad_field"), ({"length_mm": 0}, "sides_unknown"), ({"value": "much"}, "bad_field"),
     ({"label": "X\x00"}, "bad_field"), ({"service": "ask ada@example.org"}, "bad_field"),
     ({"label": "A+358401234567"}, "bad_field")],
)  # fmt: skip
async def test_a_bad_announcement_records_nothing_and_harms_no_neighbour(
    hub: Hub, changed: dict[str, Any], why: str
) -> None:
    bad, good = await hub.desk.serve([announcing("PW-1", "S-0001", **changed), announcing("PW-2", "S-0001")])
    assert reason(bad) == why
    assert isinstance(good, Answer)
    assert await hub.pool.fetchval("SELECT count(*) FROM parcel") == 1


class Clumsy(Command, kw_only=True):
    """A command with a mistake in it."""

    def decide(self, at: Sitting) -> Answer:
        return Answer(200, {"never": 1 // 0})


async def test_a_mistake_of_ours_in_one_command_harms_no_neighbour(hub: Hub) -> None:
    answers = await hub.desk.serve([announcing("PW-1", "S-0001"), Clumsy(), announcing("PW-2", "S-0001", reach=True)])
    assert [type(answer) for answer in answers] == [Answer, ZeroDivisionError, Answer]
    asked = await asyncio.gather(
        hub.desk.ask(announcing("PW-3")), hub.desk.ask(Clumsy()), hub.desk.ask(announcing("PW-4")),
        return_exceptions=True,
    )  # fmt: skip
    assert [type(answer) for answer in asked] == [Answer, ZeroDivisionError, Answer]
    assert (await hub.desk.ask(announcing("PW-5"))).status == 201


async def test_one_conflict_leaves_its_neighbours_alone(hub: Hub, database: str, tmp_path: Path) -> None:
    """Announced by another process between our look and our write: the batch is decided again."""
    async with a_hub(database, tmp_path, slot=2) as other:
        await other.desk.ask(announcing("PW-2", weight_g=500))
        answers = await hub.desk.serve([announcing(f"PW-{n}", "S-0001") for n in (1, 2, 3)])
    assert [type(answer) for answer in answers] == [Answer, Refusal, Answer]
    assert reason(answers[1]) == "reference_taken"
    assert await hub.pool.fetchval("SELECT count(*) FROM parcel") == 3


async def test_same_reference_same_body_same_parcel(hub: Hub) -> None:
    first = await hub.desk.ask(announcing("PW-1", "S-0001"))
    assert await hub.desk.ask(announcing("PW-1", "S-0001")) == first
    together = await hub.desk.serve([announcing("PW-2", "S-0001"), announcing("PW-2", "S-0001")])
    assert together[0] == together[1]
    assert await hub.pool.fetchval("SELECT count(*) FROM parcel") == 2
    assert (await rooms_at(hub, "S-0001")).promised == {7: 2}


async def rooms_at(hub: Hub, station: str) -> Any:
    async with hub.pool.acquire() as connection:
        return (await rooms(connection, [station]))[station]


async def test_same_reference_other_body_is_refused(hub: Hub) -> None:
    await announced(hub, "PW-1", "S-0001")
    others: list[dict[str, Any]] = [
        {"weight_g": 901}, {"reach": True}, {"climate": "chilled"}, {"proof": "token"}, {"label": "OTHER-1"},
        {"expected_at": NOW + timedelta(hours=5)}, {"value": "49.90", "currency": "EUR"}, {"service": "express"},
    ]  # fmt: skip
    for changed in others:
        assert (await no(hub, announcing("PW-1", "S-0001", **changed))).reason == "reference_taken", changed
    assert (await no(hub, announcing("PW-1", "S-0002"))).reason == "reference_taken"


async def test_same_body_is_what_was_announced_not_what_became_known_since(hub: Hub) -> None:
    """The carrier's own later report moves the expected time: what was said at first is the same body still."""
    said = {"expected_at": NOW + timedelta(hours=5), "value": "49.90", "currency": "EUR", "service": "express"}
    parcel = await announced(hub, "PW-1", "S-0001", **said)
    later = NOW + timedelta(hours=9)
    await hub.desk.ask(Report(carrier="acme", parcel=parcel, mark="delayed", expected_at=later))
    assert await announced(hub, "PW-1", "S-0001", **said) == parcel
    elsewhere = said["expected_at"].astimezone(ZoneInfo("Asia/Tokyo"))
    assert await announced(hub, "PW-1", "S-0001", **{**said, "expected_at": elsewhere}) == parcel, "the same moment"
    for changed in ({"expected_at": later}, {"value": "49.9"}, {"value": None, "currency": None}, {"service": ""}):
        again = announcing("PW-1", "S-0001", **{**said, **changed})
        assert (await no(hub, again)).reason == "reference_taken", changed
    both = await hub.desk.serve([announcing("PW-2", **said), announcing("PW-2", **{**said, "service": ""})])
    assert isinstance(both[0], Answer) and reason(both[1]) == "reference_taken"


async def test_a_reference_is_each_carriers_own(hub: Hub) -> None:
    mine, theirs = await hub.desk.serve([announcing("PW-1"), announcing("PW-1", carrier="other")])
    assert isinstance(mine, Answer)
    assert isinstance(theirs, Answer)
    assert mine.body["id"] != theirs.body["id"]


async def test_an_unknown_station_is_refused_and_its_neighbours_are_not(hub: Hub) -> None:
    refused, fine = await hub.desk.serve([announcing("PW-1", "S-0404"), announcing("PW-2", "S-0001")])
    assert reason(refused) == "station_unknown"
    assert isinstance(fine, Answer)


# scarce room


async def test_eight_at_once_for_the_last_compartment(database: str, tmp_path: Path) -> None:
    """Four processes of the hub, two requests each: exactly one promise, round after round."""
    one = about("S-0001", "S")
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(a_hub(database, tmp_path, slot=1, stations=(one,)))
        others = [await stack.enter_async_context(a_hub(database, tmp_path, slot=slot)) for slot in (2, 3, 4)]
        hubs = [first, *others, *others, first]
        parcels = [await announced(first, f"PW-{n}") for n in range(8)]
        for _ in range(6):
            answers = await asyncio.gather(
                *(h.desk.ask(reserving(p, "S-0001")) for h, p in zip(hubs, parcels, strict=True)),
                return_exceptions=True,
            )  # fmt: skip
            won = [answer for answer in answers if isinstance(answer, Answer)]
            assert len(won) == 1
            assert {reason(answer) for answer in answers if answer not in won} == {"station_full"}
            [moved] = [p for p, answer in zip(parcels, answers, strict=True) if answer is won[0]]
            await first.desk.ask(Cancel(carrier="acme", parcel=moved))
            parcels[parcels.index(moved)] = await announced(first, f"PW-{moved}")
        assert await verify_hub(first.pool) == []


def reserving(parcel: UUID, station: str, carrier: str = "acme") -> Reserve:
    return Reserve(carrier=carrier, parcel=parcel, destination=Destination(station_id=station))


async def test_a_batch_shares_what_room_there_is(hub: Hub) -> None:
    answers = await hub.desk.serve([announcing(f"PW-{n}", "S-0001") for n in range(6)])
    stages = [answer.body["stage"] for answer in answers if isinstance(answer, Answer)]
    assert stages == ["RESERVED"] * 4 + ["DIVERTED"] * 2


async def test_a_refusal_of_room_names_stations_nearest_first(database: str, tmp_path: Path) -> None:
    near = [about(f"S-000{n}", "S", lat=60.17 + n / 1000) for n in range(1, 8)]
    async with a_hub(database, tmp_path, stations=(*near[::-1], about("S-0099", "S", lat=61.5))) as hub:
        await announced(hub, "PW-1", "S-0001")
        await announced(hub, "PW-2", "S-0003")
        await hub.pool.execute("UPDATE station SET in_service = false, changed = DEFAULT WHERE id = 'S-0004'")
        await hub.refresh()
        parcel = await announced(hub, "PW-3")
        refused = await no(hub, reserving(parcel, "S-0001"))
        assert refused.reason == "station_full"
        offered = refused.details["alternatives"]
        assert [each["station"] for each in offered] == ["S-0002", "S-0005", "S-0006"]
        assert [each["metres"] for each in offered] == sorted(each["metres"] for each in offered)
        closed = await no(hub, reserving(parcel, "S-0004"))
        assert closed.reason == "station_out_of_service"
        assert closed.details["alternatives"][0]["station"] == "S-0005"
        near_by = Destination(near=(60.172, 24.944))
        found = await hub.desk.ask(Reserve(carrier="acme", parcel=parcel, destination=near_by))
        assert found.body["station"] == "S-0002"


async def test_nowhere_near(hub: Hub) -> None:
    parcel = await announced(hub, "PW-1")
    command = Reserve(carrier="acme", parcel=parcel, destination=Destination(near=(0.0, 0.0)))
    refused = await no(hub, command)
    assert refused.reason == "no_station_near"
    assert refused.details["alternatives"] == []


# moving on


async def test_room_held_elsewhere_is_withdrawn_from_the_old_station(hub: Hub) -> None:
    parcel = await announced(hub, "PW-1", "S-0001")
    assert (await hub.desk.ask(reserving(parcel, "S-0002"))).body["station"] == "S-0002"
    assert await kinds_in(hub, "hub:1/S-0001") == ["StationConfigured", "Reserved", "Withdrawn"]
    assert await kinds_in(hub, "hub:1/S-0002") == ["StationConfigured", "Reserved"]
    assert (await rooms_at(hub, "S-0001")).promised == {}
    before = await hub.pool.fetchval("SELECT count(*) FROM entry")
    assert (await hub.desk.ask(reserving(parcel, "S-0002"))).status == 200
    assert await hub.pool.fetchval("SELECT count(*) FROM entry") == before, "it has that room already"


@pytest.mark.parametrize("kind", ["Cancelled", "Diverted"])
async def test_the_station_hears_of_what_ends(hub: Hub, kind: str) -> None:
    parcel = await announced(hub, "PW-1", "S-0001")
    command = {
        "Cancelled": Cancel(carrier="acme", parcel=parcel, why="sold twice"),
        "Diverted": Divert(carrier="acme", parcel=parcel, reason="parcel_too_large"),
    }[kind]
    answer = await hub.desk.ask(command)
    assert answer.body["stage"] == kind.upper()
    assert await kinds_in(hub, "hub:1/S-0001") == ["StationConfigured", "Reserved", kind]
    assert (await rooms_at(hub, "S-0001")).promised == {}
    assert (await no(hub, command)).reason == "wrong_stage"


async def test_reports_move_nothing_but_the_sentence(hub: Hub) -> None:
    parcel = await announced(hub, "PW-1", "S-0001")
    later = NOW + timedelta(days=1)
    answer = await hub.desk.ask(Report(carrier="acme", parcel=parcel, mark="delayed", expected_at=later))
    assert (answer.body["stage"], answer.body["mark"], answer.body["expected_at"]) == ("RESERVED", "delayed", later)
    assert await kinds_in(hub, "hub:1/slot-1") == ["Announced", "CarrierReported"]


async def test_extending_what_lies_inside(hub: Hub) -> None:
    parcel = await announced(hub, "PW-1", "S-0001")
    assert (await no(hub, Extend(carrier=None, parcel=parcel, by="recipient"))).reason == "wrong_stage"
    now = hub.clock
    assert isinstance(now, VirtualClock)
    pen = Pen("S-0001", now)
    known = await parcel_at(hub, parcel)
    await hub.receive("S-0001", pen.write(pen.deposited(known, 2, collect_by=NOW + timedelta(hours=48))))
    kept = [await hub.desk.ask(Extend(carrier=None, parcel=parcel, by="recipient")) for _ in range(2)]
    assert [answer.body["collect_by"] for answer in kept] == [NOW + timedelta(hours=72), NOW + timedelta(hours=96)]
    assert (await no(hub, Extend(carrier=None, parcel=parcel, by="recipient"))).reason == "too_many_extensions"
    assert (await hub.desk.ask(RenewCode(parcel=parcel))).status == 200
    assert await kinds_in(hub, "hub:1/S-0001") == [
        "StationConfigured", "Reserved", "Extended", "Extended", "CodeRenewed"
    ]  # fmt: skip
    assert (await no(hub, Cancel(carrier="acme", parcel=parcel))).reason == "already_deposited"
    assert (await no(hub, reserving(parcel, "S-0002"))).reason == "already_deposited"


async def test_a_foreign_parcel_does_not_exist(hub: Hub) -> None:
    """Word for word as one that never was: also no advice on where there would be room for it."""
    parcel = await announced(hub, "PW-1", carrier="other")
    for who in (parcel, UUID(int=7)):
        commands = [
            reserving(who, "S-0001"), Cancel(carrier="acme", parcel=who), Extend(carrier="acme", parcel=who),
            Divert(carrier="acme", parcel=who, reason="station_full"), Report(carrier="acme", parcel=who, mark="held"),
        ]  # fmt: skip
        answers = await hub.desk.serve(commands)
        assert {(reason(each), str(each), str(getattr(each, "details", ""))) for each in answers} == {
            ("not_found", str(Refusal("not_found")), "{}")
        }


async def test_many_kinds_of_commands_in_one_batch(hub: Hub) -> None:
    a, b, c = [await announced(hub, f"PW-{n}", "S-0001") for n in range(3)]
    answers = await hub.desk.serve([
        Cancel(carrier="acme", parcel=a), announcing("PW-9", "S-0001"), reserving(b, "S-0002"),
        Cancel(carrier="acme", parcel=a), Report(carrier="acme", parcel=c, mark="departed"),
    ])  # fmt: skip
    assert [getattr(each, "status", None) for each in answers] == [200, 201, 200, None, 200]
    assert reason(answers[3]) == "wrong_stage"

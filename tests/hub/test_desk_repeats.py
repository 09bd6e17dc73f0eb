"""Idempotency: the same key and request have one answer and one effect; another request is refused."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
import pytest_asyncio

from parcelwall.clock import VirtualClock
from parcelwall.errors import Refusal
from parcelwall.hub.commands import Answer, Asked, Cancel, Command, Destination, Reserve
from parcelwall.hub.house import Hub
from parcelwall.hub.people import Person
from parcelwall.hub.verify import verify_hub
from parcelwall.rules import facts
from station.towns import ADA, NOW, a_hub, about, announced, announcing

STATION = about("S-0001", "SS")
DEADLOCK_ONCE = """
CREATE SEQUENCE struck;
CREATE FUNCTION strike() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF nextval('struck') = 1 THEN RAISE EXCEPTION 'chosen' USING ERRCODE = 'deadlock_detected'; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER strikes BEFORE INSERT ON entry FOR EACH ROW EXECUTE FUNCTION strike()"""


@pytest_asyncio.fixture
async def hub(database: str, tmp_path: Path) -> AsyncIterator[Hub]:
    async with a_hub(database, tmp_path, stations=(STATION,)) as hub:
        yield hub
        assert await verify_hub(hub.pool) == []


def plain(answer: object) -> object:
    """An answer as it goes over the wire: what is read back from the database has times as text."""
    if isinstance(answer, Refusal):
        return answer.reason, answer.sentence, msgspec.json.encode(answer.details)
    assert isinstance(answer, Answer)
    return answer.status, msgspec.json.decode(msgspec.json.encode(answer.body))


async def asked(hub: Hub, command: Command) -> object:
    try:
        return await hub.desk.ask(command)
    except Refusal as no:
        return no


async def parcels(hub: Hub) -> int:
    return await hub.pool.fetchval("SELECT count(*) FROM parcel")


async def test_later(hub: Hub) -> None:
    first = await asked(hub, announcing("PW-1", "S-0001", key="k1"))
    again = await asked(hub, announcing("PW-1", "S-0001", key="k1"))
    assert plain(again) == plain(first)
    assert await parcels(hub) == 1


async def test_what_is_kept_of_a_request_tells_nobody_what_was_in_it(hub: Hub) -> None:
    """Name and number stand in it; a plain hash could be tried out."""
    command = announcing("PW-1", "S-0001", key="k1")
    await asked(hub, command)
    kept = await hub.pool.fetchval("SELECT request_hash FROM asked")
    assert command.asked and kept == hub.keys.request_mark(command.asked.request_hash) != command.asked.request_hash


async def test_the_answer_of_then_also_when_things_have_moved_on(hub: Hub) -> None:
    first = await asked(hub, announcing("PW-1", "S-0001", key="k1"))
    assert isinstance(first, Answer)
    await hub.desk.ask(Cancel(carrier="acme", parcel=first.body["id"] and await only_parcel(hub)))
    assert plain(await asked(hub, announcing("PW-1", "S-0001", key="k1"))) == plain(first)


async def only_parcel(hub: Hub):  # type: ignore[no-untyped-def]
    return await hub.pool.fetchval("SELECT id FROM parcel")


async def test_in_one_batch(hub: Hub) -> None:
    answers = await hub.desk.serve([announcing("PW-1", "S-0001", key="k1") for _ in range(3)])
    assert len({str(plain(answer)) for answer in answers}) == 1
    assert await parcels(hub) == 1


async def test_another_recipient_is_another_body(hub: Hub) -> None:
    """Whoever corrects an address is told that it is too late, not that all is well: the code goes to the old one."""
    first = await asked(hub, announcing("PW-1", "S-0001", ADA))
    assert plain(await asked(hub, announcing("PW-1", "S-0001", ADA))) == plain(first)
    for changed in ({"email": "new@example.org"}, {"phone": None}, {"language": "de"}, {"name": "Ada L."}):
        again = await asked(hub, announcing("PW-1", "S-0001", msgspec.structs.replace(ADA, **changed)))
        assert isinstance(again, Refusal) and again.reason == "reference_taken", changed
        assert "example" not in str(again) + str(again.details)
    nobody = await asked(hub, announcing("PW-1", "S-0001"))
    assert isinstance(nobody, Refusal) and nobody.reason == "reference_taken"


async def test_another_recipient_in_one_batch_and_one_where_there_was_none(hub: Hub) -> None:
    other = msgspec.structs.replace(ADA, email="new@example.org")
    answers = await hub.desk.serve([announcing("PW-1", person=each) for each in (ADA, other, ADA)])
    assert [type(answer) for answer in answers] == [Answer, Refusal, Answer]
    answers = await hub.desk.serve([announcing("PW-2", person=each) for each in (None, Person(), ADA)])
    assert [type(answer) for answer in answers] == [Answer, Answer, Refusal]


async def test_a_body_whose_recipient_was_erased_is_the_same_for_all_that_is_known(hub: Hub) -> None:
    first = await asked(hub, announcing("PW-1", "S-0001", ADA))
    await hub.pool.execute("DELETE FROM person_key")
    assert plain(await asked(hub, announcing("PW-1", "S-0001", ADA))) == plain(first)


async def test_another_request_under_the_same_key(hub: Hub) -> None:
    """Later, and in the same batch; and the first answer stays what it was."""
    first = await asked(hub, announcing("PW-1", "S-0001", key="k1"))
    other = await asked(hub, announcing("PW-2", "S-0001", key="k1"))
    assert isinstance(other, Refusal)
    assert other.reason == "idempotency_key_reused"
    fresh, reused = await hub.desk.serve([announcing("PW-3", key="k3"), announcing("PW-4", key="k3")])
    assert isinstance(fresh, Answer)
    assert isinstance(reused, Refusal)
    assert reused.reason == "idempotency_key_reused"
    assert plain(await asked(hub, announcing("PW-1", "S-0001", key="k1"))) == plain(first)
    assert await parcels(hub) == 2


async def test_a_key_is_each_actors_own(hub: Hub) -> None:
    mine, theirs = announcing("PW-1", key="k1"), announcing("PW-1", key="k1", carrier="other")
    theirs.asked = Asked("other", "k1", b"something else")
    answers = await hub.desk.serve([mine, theirs])
    assert [type(answer) for answer in answers] == [Answer, Answer]
    assert await parcels(hub) == 2


async def test_two_processes_at_once(hub: Hub, database: str, tmp_path: Path) -> None:
    """The same announcements, in other orders, again and again: one parcel each, one answer each, no deadlock."""
    async with a_hub(database, tmp_path, slot=2) as other:
        for turn in range(6):
            numbers = [f"PW-{turn}-{n}" for n in range(12)]
            answers = await asyncio.gather(
                hub.desk.serve([announcing(name, key=name) for name in numbers]),
                other.desk.serve([announcing(name, key=name) for name in reversed(numbers)]),
            )
            assert [plain(a) for a in answers[0]] == [plain(a) for a in reversed(answers[1])]
        assert await parcels(hub) == 72


async def test_a_refusal_is_an_answer_too(hub: Hub) -> None:
    """Word for word, with the alternatives of then, although there is room now."""
    kept = [await announced(hub, f"PW-{n}", "S-0001") for n in range(2)]
    parcel = await announced(hub, "PW-9")
    command = Reserve(
        carrier="acme", parcel=parcel, destination=Destination(station_id="S-0001"), asked=Asked("acme", "k", b"body")
    )
    first = await asked(hub, command)
    assert isinstance(first, Refusal)
    assert first.reason == "station_full"
    await hub.desk.ask(Cancel(carrier="acme", parcel=kept[0]))
    await hub.configure(about("S-0002", "S", lat=60.17))
    again = await asked(hub, command)
    assert plain(again) == plain(first)
    assert first.details["alternatives"] == []


async def test_the_same_reservation_twice_at_once_takes_one_room(hub: Hub, database: str, tmp_path: Path) -> None:
    parcel = await announced(hub, "PW-1")
    async with a_hub(database, tmp_path, slot=2) as other:
        command = [
            Reserve(carrier="acme", parcel=parcel, destination=Destination(station_id="S-0001"),
                    asked=Asked("acme", "k", b"body")) for _ in range(4)
        ]  # fmt: skip
        answers = await asyncio.gather(
            *(asked(each, one) for each, one in zip([hub, other, hub, other], command, strict=True))
        )
    assert len({str(plain(answer)) for answer in answers}) == 1
    assert await hub.pool.fetchval("SELECT count(*) FROM entry WHERE kind = 'Reserved'") == 1


async def test_trouble_is_no_answer(database: str, tmp_path: Path) -> None:
    """What failed for the world's sake may be asked again under the same key."""
    async with a_hub(database, tmp_path, stations=(STATION,)) as hub:
        hub.pool.terminate()
        with pytest.raises(Exception, match="ask again with the same key"):
            await hub.desk.ask(announcing("PW-1", key="k1"))
    async with a_hub(database, tmp_path) as hub:
        assert (await hub.desk.ask(announcing("PW-1", key="k1"))).status == 201


async def test_keys_are_kept_with_the_facts_or_not_at_all(hub: Hub) -> None:
    await hub.desk.serve([announcing("PW-1", key="k1"), announcing("PW-2", weight_g=1, key="k2"), announcing("PW-3")])
    rows = await hub.pool.fetch("SELECT key, status, at FROM asked ORDER BY key")
    assert [(row["key"], row["at"]) for row in rows] == [("k1", NOW)]


async def test_hub_clock_is_the_desks(hub: Hub) -> None:
    assert isinstance(hub.clock, VirtualClock)
    hub.clock.advance(60)
    await hub.desk.ask(announcing("PW-1", key="k1"))
    assert await hub.pool.fetchval("SELECT at FROM asked") == NOW + timedelta(seconds=60)


async def test_what_the_office_notes_is_noted_though_its_transaction_was_chosen_to_end(hub: Hub) -> None:
    """A person who looks for a parcel is not told of a deadlock with another process."""
    await hub.pool.execute(DEADLOCK_ONCE)
    await hub.note(facts.Looked(at="search", actor=UUID(int=1)))
    assert await hub.pool.fetchval("SELECT count(*) FROM entry WHERE kind = 'Looked'") == 1
    await hub.pool.execute("DROP TRIGGER strikes ON entry; DROP FUNCTION strike; DROP SEQUENCE struck")

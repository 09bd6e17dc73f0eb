"""The hub's desk under load: batches, lanes, several processes; and what becomes of whoever asked when it is gone."""

import asyncio
from pathlib import Path
from uuid import UUID

import pytest

from hub.test_desk import TWO, hub, reserving
from parcelwall.clock import VirtualClock
from parcelwall.errors import Refusal, Trouble
from parcelwall.hub.commands import Answer, Cancel, Report
from parcelwall.hub.house import Hub
from parcelwall.hub.verify import verify_hub
from parcelwall.rules import facts
from station.towns import NOW, Pen, a_hub, about, announced, announcing, id_of, parcel_at

__all__ = ["hub"]  # the fixture


async def test_two_processes_and_both_lanes_at_once(database: str, tmp_path: Path) -> None:
    """Announcing, moving, cancelling and doors, over the same two stations: nobody waits for ever, all books agree."""
    wide = (about("S-0001", "SSSSSSMM"), about("S-0002", "SSSSSSMM", lat=60.18))
    now = VirtualClock(NOW)
    async with (
        a_hub(database, tmp_path, now, 1, wide) as one,
        a_hub(database, tmp_path, now, 2) as two,
    ):
        pens = {name: Pen(name, now) for name in ("S-0001", "S-0002")}

        async def recipient(number: int) -> object:
            hub, other = (one, two) if number % 2 else (two, one)
            names = ("S-0001", "S-0002") if number % 3 else ("S-0002", "S-0001")
            parcel = await announced(hub, f"PW-{number}", names[0])
            return await asyncio.gather(
                other.desk.ask(reserving(parcel, names[1])),
                hub.desk.ask(Report(carrier="acme", parcel=parcel, mark="held")),
                other.desk.ask(announcing(f"PW-{number}", names[0])),
                hub.desk.ask(Cancel(carrier="acme", parcel=parcel)) if number % 5 == 0 else asyncio.sleep(0),
                return_exceptions=True,
            )  # fmt: skip

        async def doors(name: str) -> object:
            pen = pens[name]
            for turn in range(20):
                rows = await one.pool.fetch(
                    "SELECT id FROM parcel WHERE station = $1 AND stage = 'RESERVED' ORDER BY id LIMIT 1", name
                )
                for row in rows:
                    parcel = await parcel_at(one, row["id"])
                    if parcel.station != name:
                        continue  # moved meanwhile: its new promise is no door's of here
                    entries = pen.write(pen.deposited(parcel, 1), pen.collected(parcel, 1))
                    hub = one if turn % 2 else two
                    await asyncio.gather(*(hub.receive(name, entries) for _ in range(2)))
                await asyncio.sleep(0.01)
            return None

        done = await asyncio.gather(*map(recipient, range(24)), doors("S-0001"), doors("S-0002"))
        failed = [each for some in done if some for each in some if isinstance(each, Exception)]
        assert not [each for each in failed if not isinstance(each, Refusal)]
        assert await verify_hub(one.pool) == []
        assert sum(len(pen.entries) for pen in pens.values()) > 8


async def test_what_is_asked_together_is_one_transaction(hub: Hub) -> None:
    answers = await asyncio.gather(*(hub.desk.ask(announcing(f"PW-{n}")) for n in range(50)))
    assert {answer.status for answer in answers} == {201}
    transactions = await hub.pool.fetchval("SELECT count(DISTINCT tx) FROM entry WHERE kind = 'Announced'")
    assert transactions <= 3


async def test_nobody_waits_for_a_desk_that_has_closed(database: str, tmp_path: Path) -> None:
    async with a_hub(database, tmp_path, stations=TWO) as hub:
        asked = [asyncio.create_task(hub.desk.ask(announcing(f"PW-{n}"))) for n in range(300)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await hub.desk.close()
        answers = await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 5)
        assert any(isinstance(answer, Trouble) for answer in answers)
        assert all(isinstance(answer, Answer | Trouble) for answer in answers)


async def test_a_database_that_is_gone_is_trouble_for_each_asker(database: str, tmp_path: Path) -> None:
    async with a_hub(database, tmp_path, stations=TWO) as hub:
        hub.pool.terminate()
        answers = await asyncio.gather(
            hub.desk.ask(announcing("PW-1")), hub.desk.ask(announcing("PW-2")), return_exceptions=True
        )
        assert [type(answer) for answer in answers] == [Trouble, Trouble]


async def test_one_who_has_gone_away_does_not_stop_the_lane(hub: Hub) -> None:
    gone = asyncio.create_task(hub.desk.ask(announcing("PW-1")))
    await asyncio.sleep(0)
    gone.cancel()
    assert (await hub.desk.ask(announcing("PW-2"))).status == 201


async def test_ids_are_born_in_order(hub: Hub) -> None:
    answers = await hub.desk.serve([announcing(f"PW-{n}") for n in range(3)])
    assert all(isinstance(each, Answer) and id_of(each).version == 7 for each in answers)


async def test_a_grant_for_a_station_that_is_not_there(hub: Hub) -> None:
    with pytest.raises(Refusal) as refused:
        await hub.grant(facts.Granted(grant=UUID(int=1), station="S-0404", may=("deposit",)))
    assert refused.value.reason == "station_unknown"

"""Rows of admission at a hub: in the journal, kept to by promises and offers; and who was refused is counted."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest
import pytest_asyncio

from parcelwall.errors import Refusal
from parcelwall.hub import accounts, admission
from parcelwall.hub.commands import Announce, Destination, Reserve
from parcelwall.hub.followers import follow, number_and_ring
from parcelwall.hub.house import Hub
from parcelwall.hub.offers import Wanted
from parcelwall.hub.running import keep_up
from parcelwall.hub.tables import Tables
from parcelwall.hub.verify import verify_hub
from parcelwall.rules import facts
from parcelwall.rules.tables import AdmissionRow, Told
from station.towns import NOW, a_hub, about, announced, order, parcel_at

TWO = (about("S-0001", "SSML"), about("S-0002", "SSML", lat=60.18))
HERE = (60.1692, 24.9440)
TODAY = NOW.date()


@pytest_asyncio.fixture
async def hub(database: str, tmp_path: Path) -> AsyncIterator[Hub]:
    async with a_hub(database, tmp_path, stations=TWO) as hub:
        yield hub
        assert await verify_hub(hub.pool) == []


def row(rule: str, name: str = "r", **changed: Any) -> AdmissionRow:
    return msgspec.convert({"type": "AdmissionRow", "name": name, "rule": rule, **changed}, AdmissionRow)


def limit(level: int, **changed: Any) -> AdmissionRow:
    return row("threshold", first_day=TODAY, levels=[level] * 3, expected=[9] * 3, station="S-0001", **changed)


async def test_a_row_that_is_over_is_not_adopted_but_may_be_ended(hub: Hub) -> None:
    past = NOW - timedelta(seconds=1)
    with pytest.raises(Refusal, match="good_until"):
        await hub.adopt_rows([row("always", good_until=past)])
    await hub.adopt_rows([row("ended", good_until=past), row("always", name="now", good_until=NOW)])
    over = {"levels": [1, 1], "expected": [9, 9]}
    for first in (TODAY - timedelta(days=3), date.min):
        with pytest.raises(Refusal, match="last day is past"):
            await hub.adopt_rows([row("threshold", first_day=first, **over)])
    await hub.adopt_rows([row("threshold", first_day=TODAY - timedelta(days=2), **over)])
    await hub.adopt_rows([row("ended", first_day=date.min)])
    await hub.adopt_rows([row("price", first_day=date.max, prices=[1.0] * 9), row("ended")])


async def stations_of(hub: Hub, *references: str, **changed: Any) -> list[str | None]:
    return [(await parcel_at(hub, await announced(hub, each, "S-0001", **changed))).station for each in references]


async def test_nothing_is_held_back_until_somebody_adopts_a_row(hub: Hub) -> None:
    assert hub.desk.rows == ()
    assert await stations_of(hub, "PW-1", "PW-2", "PW-3", "PW-4") == ["S-0001"] * 4


async def test_a_threshold_counts_those_of_the_same_batch_too(hub: Hub) -> None:
    await hub.adopt_rows([limit(2)])
    commands = [Announce(order=order(f"PW-{n}"), destination=Destination(station_id="S-0001")) for n in range(4)]
    answers = await hub.desk.serve(commands)
    assert [answer.body["stage"] for answer in answers] == ["RESERVED", "RESERVED", "DIVERTED", "DIVERTED"]  # type: ignore[union-attr]
    assert answers[2].body["reason"] == "held_for_others"  # type: ignore[union-attr]
    rows = await hub.pool.fetch("SELECT station, size, reason, by_row FROM refused")
    assert [tuple(each) for each in rows] == [("S-0001", "S", "held_for_others", "r")] * 2


async def test_the_refusal_names_the_next_station_and_the_next_day(hub: Hub) -> None:
    await hub.adopt_rows([row("threshold", first_day=TODAY, levels=[0, 4], expected=[9, 9], station="S-0001")])
    parcel = await announced(hub, "PW-1")
    ask = Reserve(carrier="acme", parcel=parcel, destination=Destination(station_id="S-0001"))
    with pytest.raises(Refusal) as refused:
        await hub.desk.ask(ask)
    assert refused.value.reason == "held_for_others"
    assert [each["station"] for each in refused.value.details["alternatives"]] == ["S-0002"]
    assert "S-0002" in refused.value.sentence and "2026-11-23" in refused.value.sentence
    with pytest.raises(Refusal):
        await hub.desk.ask(ask)
    assert await hub.pool.fetchval("SELECT count(*) FROM refused") == 1, "asked twice, wanted once"


async def test_alternatives_are_admitted_where_they_are_named(hub: Hub) -> None:
    await hub.adopt_rows([limit(0), msgspec.structs.replace(limit(0), name="two", station="S-0002")])
    with pytest.raises(Refusal) as refused:
        await hub.desk.ask(Reserve(carrier="acme", parcel=await announced(hub, "PW-1"),
                                   destination=Destination(station_id="S-0001")))  # fmt: skip
    assert refused.value.details["alternatives"] == []


async def test_no_alternative_is_named_that_cannot_check_the_proof(hub: Hub) -> None:
    bare = msgspec.structs.replace(about("S-0002"), layout=msgspec.structs.replace(about().layout, panel=None))
    for each in (bare, about("S-0003", lat=60.19)):
        await hub.configure(each, joined=True)
    await hub.adopt_rows([limit(0)])
    for proof, named in (("token", ["S-0003"]), ("code", ["S-0002", "S-0003"])):
        parcel = await announced(hub, f"PW-{proof}", proof=proof)
        with pytest.raises(Refusal) as refused:
            await hub.desk.ask(Reserve(carrier="acme", parcel=parcel, destination=Destination(station_id="S-0001")))
        assert [each["station"] for each in refused.value.details["alternatives"]] == named
        for each in named:
            await hub.desk.ask(Reserve(carrier="acme", parcel=parcel, destination=Destination(station_id=each)))


async def test_rows_are_read_once_the_newest_of_a_name_counts_and_what_is_over_is_none(hub: Hub) -> None:
    night = [limit(4, name=f"night/S-0001/{n}", good_until=NOW + timedelta(hours=36)) for n in range(20)]
    await hub.adopt_rows(night)
    await hub.adopt_rows([*(msgspec.structs.replace(each, levels=(3.0,) * 3) for each in night), limit(7, name="own")])
    for _ in range(3):
        await hub.refresh()
    assert hub.tables.decoded == 41 and {each.levels[0] for each in hub.desk.rows} == {3.0, 7.0}
    anew = Tables()
    async with hub.pool.acquire() as connection:
        for _ in range(2):
            await anew.refresh(connection, NOW)
            assert anew.rows(NOW) == hub.desk.rows, "the newest of each name, whatever is seen later"
        assert [each.name for each in anew.rows(NOW + timedelta(hours=37))] == ["own"]


async def test_near_somebody_the_next_station_is_taken(hub: Hub) -> None:
    await hub.adopt_rows([limit(0)])
    answer = await hub.desk.ask(Announce(order=order("PW-1"), destination=Destination(near=HERE)))
    assert answer.body["station"] == "S-0002"


async def test_where_no_station_is_near_that_is_the_reason(hub: Hub) -> None:
    """As offers say it; and no size that is not free is blamed."""
    far = Destination(near=(HERE[0] - 10, HERE[1]))
    answer = await hub.desk.ask(Announce(order=order("PW-1"), destination=far))
    assert (answer.body["stage"], answer.body["reason"]) == ("DIVERTED", "no_station_near")
    with pytest.raises(Refusal) as refused:
        await hub.desk.ask(Reserve(carrier="acme", parcel=await announced(hub, "PW-2"), destination=far))
    assert (refused.value.reason, refused.value.details) == ("no_station_near", {"alternatives": []})
    assert await hub.pool.fetchval("SELECT count(*) FROM refused") == 0, "no station's room was asked for"


async def test_priorities_a_service_that_is_spared_has_the_room_that_is_kept(hub: Hub) -> None:
    await hub.adopt_rows([row("protect", keep={"S": 2}, spared=["express"])])
    assert await stations_of(hub, "PW-1", "PW-2", "PW-3") == ["S-0001", "S-0001", None]
    assert await stations_of(hub, "PW-4", "PW-5", service="express") == ["S-0001", "S-0001"]
    assert (await parcel_at(hub, await announced(hub, "PW-6", service="express"))).service == "express"


async def test_offers_keep_to_the_rows(hub: Hub) -> None:
    await hub.adopt_rows([limit(1)])
    told = await hub.offers.offer(Wanted(order(), HERE))
    assert [o.station for o in told.offers if o.offered] == ["S-0001", "S-0002"]
    await announced(hub, "PW-1", "S-0001")
    told = await hub.offers.offer(Wanted(order(), HERE))
    assert {o.station: (o.offered, o.reason) for o in told.offers} == {
        "S-0001": (False, "held_for_others"), "S-0002": (True, None)}  # fmt: skip


async def test_who_changed_what_stands_in_the_journal_and_another_process_hears_of_it(
    hub: Hub, database: str, tmp_path: Path
) -> None:
    actor = uuid4()
    await hub.adopt_rows([limit(0)], "ab" * 32, actor)
    async with a_hub(database, tmp_path, slot=2) as second:
        assert second.desk.rows == hub.desk.rows == (limit(0),)
        await second.adopt_rows([row("ended")], actor=actor)
        await hub.refresh()
    assert hub.desk.rows == ()
    changes = await admission.history(hub.pool, {actor: "Ada"})
    assert [(each.row.rule, each.who) for each in changes] == [("ended", "Ada"), ("threshold", "Ada")]


async def test_a_process_that_is_asked_nothing_hears_of_it_too(hub: Hub, database: str, tmp_path: Path) -> None:
    """No parcel moves meanwhile: the news of the row alone wakes it. Of a permit and a recipient's wish likewise."""
    async with a_hub(database, tmp_path, slot=2) as second, following(second):
        await hub.adopt_rows([limit(0)])
        await soon(lambda: second.desk.rows == (limit(0),))
        await hub.note(facts.SiteNoted(station="S-0001", valid_until=TODAY))
        await soon(lambda: second.stations.known["S-0001"].site is not None)
        account = await accounts.open_account(hub)
        await hub.pool.execute("INSERT INTO account_contact VALUES ($1, $2, $3)", b"x" * 16, account, NOW)
        await accounts.prefer(hub, account, "en", reach=True)
        await soon(lambda: second.desk.wishes == {b"x" * 16})


@asynccontextmanager
async def following(hub: Hub) -> AsyncIterator[None]:
    """The jobs by which a process hears of the others, and no sweep."""
    jobs = (follow(hub.pool, {"feed": number_and_ring}), hub.bells.listen(hub.dsn), keep_up(hub))
    tasks = [asyncio.create_task(job) for job in jobs]
    await soon(lambda: hub.offers.rooms.hears)
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def soon(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(8):
        while not true():
            await asyncio.sleep(0.02)


async def test_rows_of_nowhere_and_of_more_than_there_is_are_refused_and_none_is_taken(hub: Hub) -> None:
    for bad in (
        limit(1, name="x"), row("protect", station="S-0001", keep={"L": 2}),
        row("always", station="S-0001", sizes=("XXL",)), row("always", lead_h=(48.0, 2.0)),
        *(row("always", name=name) for name in ("x" * 101, "a\x1b[2K", "a\u202eb", "a\nb")),
    ):  # fmt: skip
        bad = msgspec.structs.replace(bad, station="S-0099") if bad.name == "x" else bad
        with pytest.raises(Refusal):
            await hub.adopt_rows([limit(0), bad])
    await hub.refresh()
    assert hub.desk.rows == ()


async def test_what_an_offer_had_told_is_written_into_the_promise(hub: Hub) -> None:
    made = await hub.offers.offer(Wanted(order(), HERE))
    for when in ("at once", "after it was written"):
        told = await hub.offers.told(made.id, "acme")
        assert told["S-0001"] == Told(second="S-0002", since=NOW, by=NOW + timedelta(hours=72)), when
        await hub.offers.write()
    assert await hub.offers.told(made.id, "other") == await hub.offers.told(uuid4(), "acme") == {}
    parcel = await announced(hub, "PW-1")
    where = Destination(station_id="S-0001", told=told)
    await hub.desk.ask(Reserve(carrier="acme", parcel=parcel, destination=where))
    body = await hub.pool.fetchval("SELECT body FROM entry WHERE kind = 'Reserved'")
    assert msgspec.json.decode(body, type=facts.Reserved).told == told["S-0001"]

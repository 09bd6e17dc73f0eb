"""What the console looks at is whole for each station and each area, however much is open elsewhere."""

from pathlib import Path
from uuid import UUID

import httpx
import pytest

from parcelwall.errors import Refusal
from parcelwall.hub import needs, people, reading, signed_in, staff, story, watching
from parcelwall.hub.house import Hub
from parcelwall.hub.staff import Person
from parcelwall.rules import facts
from parcelwall.web.app import hub_app
from parcelwall.web.passkeys import cookie_name
from station.towns import Pen, a_hub, about, announced

OURS, THEIRS = "S-0001", "S-0002"
_MANY = """
INSERT INTO case_file (id, about, station, compartment, holds, opened_at)
SELECT gen_random_uuid(), 'complaint', $1, 1, false, now() - interval '30 days' FROM generate_series(1, 600)"""
_ONE = """
INSERT INTO case_file (id, about, station, compartment, holds, opened_at)
VALUES ($1, 'door_stuck', $2, 3, true, now())"""
_SEEN = "INSERT INTO station_presence (station, last_seen) VALUES ($1, $2)"
CASE = UUID(int=9)


async def many_elsewhere(hub: Hub) -> None:
    await hub.pool.execute(_MANY, THEIRS)
    await hub.pool.execute(_ONE, CASE, OURS)


async def test_a_new_case_is_seen_though_hundreds_stand_open_elsewhere(database: str, tmp_path: Path) -> None:
    async with a_hub(database, tmp_path, stations=(about(OURS), about(THEIRS, lat=60.18))) as hub:
        await many_elsewhere(hub)
        everywhere, here = Person("ann", "Ann", "admin"), Person("bo", "Bo", "technician", frozenset({OURS}))
        for person in (everywhere, here):
            one = await watching.one_station(hub, person, OURS)
            assert [(door.number, door.case) for door in one.doors if door.case] == [(3, CASE)]
            assert one.glance == (await watching.all_at_a_glance(hub, person))[0] and one.glance.cases == 1
            assert [need.case for need in await needs.needs(hub, person, OURS)] == [CASE]
        assert [need.case for need in await needs.needs(hub, here)] == [CASE]
        assert len(await needs.needs(hub, everywhere)) == 601
        assert [case["id"] for case in await reading.open_cases(hub, here.area)] == [CASE]


async def test_cases_come_in_pages_until_there_are_no_more(database: str, tmp_path: Path) -> None:
    async with a_hub(database, tmp_path, stations=(about(OURS), about(THEIRS, lat=60.18))) as hub:
        await many_elsewhere(hub)
        key, ours = await hub.admit("boss", "boss", "admin"), await hub.admit("bo", "bo", "viewer", [OURS])
        async with httpx.AsyncClient(transport=httpx.ASGITransport(hub_app(hub)), base_url="http://hub.test") as client:
            pages, after = [], ""
            while after is not None:
                answer = await client.get(f"/api/v1/cases?limit=200{after}", headers={"Authorization": f"Bearer {key}"})
                pages.append([case["id"] for case in answer.json()["cases"]])
                after = f"&after={answer.json()['next']}" if "next" in answer.json() else None
            assert [len(each) for each in pages] == [200, 200, 200, 1] and pages[-1] == [str(CASE)]
            assert len({case for each in pages for case in each}) == 601
            own = (await client.get("/api/v1/cases", headers={"Authorization": f"Bearer {ours}"})).json()
            assert [case["id"] for case in own["cases"]] == [str(CASE)] and "next" not in own


async def test_the_page_shows_the_dearest_and_says_how_many_more(database: str, tmp_path: Path) -> None:
    async with a_hub(database, tmp_path, stations=(about(OURS), about(THEIRS, lat=60.18))) as hub:
        await many_elsewhere(hub)
        await hub.pool.execute("UPDATE case_file SET about = 'opened_unasked' WHERE id = $1", CASE)
        await hub.admit("boss", "boss", "admin")
        [boss] = [staff.person_of(row) for row in await staff.everybody(hub.pool)]
        assert boss.actor
        async with httpx.AsyncClient(transport=httpx.ASGITransport(hub_app(hub)), base_url="http://hub.test") as client:
            client.cookies.set(cookie_name(hub, "operator"), await signed_in.begin(hub, "operator", boss.actor))
            page = (await client.get("/console/needs")).text
        assert "401 more, which cost less, are not shown." in page and "(601)" in page
        assert "opened that nobody was let in by" in page, "what may be lost comes before what is paper"


async def test_one_station_is_described_as_in_the_list_of_all(database: str, tmp_path: Path) -> None:
    async with a_hub(database, tmp_path, stations=(about(OURS), about(THEIRS, lat=60.18))) as hub:
        for known in await reading.stations(hub):
            assert await reading.station(hub, known["id"]) == known
        for name in ("S-0404", "S-0001\0", ""):
            with pytest.raises(Refusal, match="station_unknown"):
                await reading.station(hub, name)


async def test_of_a_silent_station_nobody_knows_whether_a_door_is_open(database: str, tmp_path: Path) -> None:
    """The rest is as it was heard last; of a station that was never heard nobody knows anything."""
    async with a_hub(database, tmp_path, stations=(about(OURS),)) as hub:
        ann = Person("ann", "Ann", "admin")

        async def states() -> dict[int, str]:
            return {door.number: door.state for door in (await watching.one_station(hub, ann, OURS)).doors}

        assert set((await states()).values()) == {"unknown"}
        await hub.pool.execute("INSERT INTO station_identity (station, public_key, enrolled_at, writer) "
                               "VALUES ($1, decode(repeat('00', 32), 'hex'), now(), $1)", OURS)  # fmt: skip
        pen = Pen(OURS, hub.clock)  # type: ignore[arg-type]
        await hub.receive(OURS, pen.write(facts.DoorOpened(compartment=2), facts.DoorOpened(compartment=3),
                                          facts.DoorClosed(compartment=3)))  # fmt: skip
        await hub.pool.execute(_SEEN, OURS, hub.clock.now())
        assert (await states())[2] == "open" and (await states())[3] == "free"
        hub.clock.advance(watching.HERE_S + 1)  # type: ignore[attr-defined]
        assert (await states())[2] == "unknown" and (await states())[3] == "free"


async def test_a_parcel_is_found_by_a_station_and_the_last_four_of_a_number(database: str, tmp_path: Path) -> None:
    """Nothing of other stations, of less than four digits, or of who was erased; and that it was searched is noted."""
    async with a_hub(database, tmp_path, stations=(about(OURS), about(THEIRS, lat=60.18))) as hub:
        for nth, (station, phone) in enumerate(((OURS, "+358 40 123 4567"), (OURS, "+358401239999"),
                                                (THEIRS, "+358501234567"), (OURS, None))):  # fmt: skip
            await announced(hub, f"PW-{nth}", station, person=people.Person(name="Ada", email="a@b.org", phone=phone))
        ann = Person("ann", "Ann", "operator", actor=CASE)
        bo = Person("bo", "Bo", "operator", frozenset({THEIRS}), CASE)

        async def found(who: Person, asked: str) -> list[str]:
            return [parcel.reference for parcel in await story.find(hub, who, asked)]

        for asked in ("S-0001 …4567", "s-0001 ...4567", "S-0001  *4567"):
            assert await found(ann, asked) == ["PW-0"], asked
        assert await found(bo, "S-0001 …4567") == [] and await found(bo, "S-0002 …4567") == ["PW-2"]
        for asked in ("S-0001 …567", "…4567", "S-0001 …0000", "S-0404 …4567"):
            assert await found(ann, asked) == [], asked
        [one] = await story.find(hub, ann, "PW-0")
        async with hub.pool.acquire() as connection:
            assert one.person and await people.erase(connection, one.person)
        assert await found(ann, "S-0001 …4567") == []
        noted = await hub.pool.fetch("SELECT body FROM entry WHERE kind = 'Looked'")
        assert len(noted) == 11 and not any("4567" in row["body"] for row in noted)
        assert sum('"reason":"phone"' in row["body"] for row in noted) == 8, "by a number, or by something else"

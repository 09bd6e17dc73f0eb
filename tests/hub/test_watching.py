"""What the console looks at is whole for each station and each area, however much is open elsewhere."""

from pathlib import Path
from uuid import UUID

import httpx
import pytest

from parcelwall.errors import Refusal
from parcelwall.hub import needs, reading, signed_in, staff, watching
from parcelwall.hub.house import Hub
from parcelwall.hub.staff import Person
from parcelwall.web.app import hub_app
from parcelwall.web.passkeys import cookie_name
from station.towns import a_hub, about

OURS, THEIRS = "S-0001", "S-0002"
_MANY = """
INSERT INTO case_file (id, about, station, compartment, holds, opened_at)
SELECT gen_random_uuid(), 'complaint', $1, 1, false, now() - interval '30 days' FROM generate_series(1, 600)"""
_ONE = """
INSERT INTO case_file (id, about, station, compartment, holds, opened_at)
VALUES ($1, 'door_stuck', $2, 3, true, now())"""
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

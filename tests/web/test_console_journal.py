"""Leafing through a station's journal, a wall that names nobody, photos of a case, a label that is found at once."""

import re
from uuid import UUID

import asyncpg

from parcelwall.hub import photos
from parcelwall.hub.cases import OpenCase
from parcelwall.rules.facts import Granted
from web.test_console_roles import AREA, ELSEWHERE, Office, office  # noqa: F401 - a fixture

JPEG = bytes.fromhex("ffd8ffc0000b080001000101011100ffda00040000") + b"picture" + bytes.fromhex("ffd9")


async def test_a_journal_is_leafed_through_to_its_first_entry(office: Office) -> None:  # noqa: F811
    for _ in range(60):
        ids = office.hub.ids
        await office.hub.grant(Granted(grant=ids.new(), station=AREA, may=("deposit",), courier=ids.new()))
    mine = office.hub.streams.station(AREA)
    total = await office.hub.pool.fetchval("SELECT number FROM writer WHERE name = $1", mine)
    head = await office.hub.pool.fetchval("SELECT hash FROM writer WHERE name = $1", mine)
    first = await office.browsers["viewer"].get("/console/journal", params={"station": AREA, "writer": mine})
    assert first.status_code == 200 and head.hex() in first.text and numbers(first.text)[:2] == [total, total - 1]
    assert "Each hash on this page follows" in first.text and f"before={total - 49}" in first.text
    older = await office.browsers["viewer"].get(
        "/console/journal", params={"station": AREA, "writer": mine, "before": total - 49}
    )
    assert numbers(older.text) == list(range(total - 50, 0, -1)) and "Each hash on this page follows" in older.text
    assert "before=" not in older.text, "that was the last one"
    picked = await office.browsers["viewer"].get(
        "/console/journal", params={"station": AREA, "writer": mine, "kind": "Reserved"}
    )
    assert len(numbers(picked.text)) == 1 and "Room was promised" in picked.text and "Each hash" not in picked.text


def numbers(page: str) -> list[int]:
    """Of the entries that are shown, in their order."""
    return [int(found) for found in re.findall(r'<tr><td class="num">(\d+)</td>', page)]


async def test_a_changed_entry_is_seen_on_its_page(office: Office) -> None:  # noqa: F811
    mine = office.hub.streams.station(AREA)
    changed = "UPDATE entry SET body = replace(body, 'S-0001', 'S-0009') WHERE writer = $1 AND kind = 'Reserved'"
    await office.hub.pool.execute("ALTER TABLE entry DISABLE TRIGGER ALL")  # somebody with the database in hand
    await office.hub.pool.execute(changed, mine)
    seen = await office.browsers["admin"].get("/console/journal", params={"station": AREA, "writer": mine})
    assert "do not follow from each other" in seen.text


async def test_nobody_leafs_through_anothers_journal(office: Office) -> None:  # noqa: F811
    theirs = office.hub.streams.station(ELSEWHERE)
    for who, ask, status in (
        ("viewer", {"station": ELSEWHERE}, 403), ("viewer", {"station": AREA, "writer": theirs}, 404),
        ("admin", {"station": AREA, "writer": theirs}, 404), ("admin", {"station": "S-9999"}, 404),
        ("admin", {"station": AREA, "before": "x"}, 400),
    ):  # fmt: skip
        assert (await office.browsers[who].get("/console/journal", params=ask)).status_code == status, (who, ask)


async def test_a_wall_names_no_person_and_no_parcel(office: Office) -> None:  # noqa: F811
    shown = (await office.browsers["viewer"].get("/console/wall")).text
    assert "Kluuvi 0" in shown and "Kluuvi 1" not in shown, "its own area"
    for word in ("Viewer", "PW-S-0001", "Lovelace", "<form", "slip"):
        assert word not in shown, word


async def test_photos_are_for_those_who_may_close_the_case(office: Office) -> None:  # noqa: F811
    case = UUID(office.filled[AREA]["case"])
    await photos.keep(office.hub, office.hub.ids.new(), case, JPEG, office.hub.ids.new())
    path = f"/console/cases/{case}/photos/0"
    for role, status in (("technician", 200), ("operator", 200), ("admin", 200), ("viewer", 403), ("planner", 403)):
        assert (await office.browsers[role].get(path)).status_code == status, role
    picture = await office.browsers["technician"].get(path)
    assert picture.headers["content-type"] == "image/jpeg" and picture.headers["cache-control"] == "no-store"
    assert (await office.browsers["technician"].get(path[:-1] + "1")).status_code == 404
    assert path in (await office.browsers["technician"].get("/console/needs")).text
    assert path not in (await office.browsers["viewer"].get("/console/needs")).text


async def test_a_label_is_found_by_its_index(office: Office) -> None:  # noqa: F811
    body = {"reference": "PW-7", "label": "JJD 00/41-2", "length_mm": 300, "width_mm": 200, "height_mm": 60,
            "weight_g": 900, "recipient": {"name": "Ada", "email": "ada@example.org"},
            "destination": {"station_id": AREA}}  # fmt: skip
    key = await office.hub.admit("post", "Post")
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "label"}
    told = await office.browsers["no"].post("/api/v1/parcels", json=body, headers=headers)
    assert told.status_code == 201, told.text
    found = await office.post("operator", "/console/parcels", {"asked": "JJD 00/41-2"})
    assert found.headers["location"].endswith(told.json()["id"])
    async with office.hub.pool.acquire() as connection:
        await connection.execute("SET enable_seqscan = off")
        plan = await _plan(connection, "SELECT record FROM parcel WHERE label = ANY($1::text[]) LIMIT 20", ["a"])
        await connection.execute("RESET enable_seqscan")
    assert "parcel_label" in plan


async def _plan(connection: asyncpg.Connection, sql: str, *values: object) -> str:
    return "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {sql}", *values))


async def test_all_stations_are_one_journal_as_far_as_an_area_goes(office: Office) -> None:  # noqa: F811
    seen = {who: (await office.browsers[who].get("/console/journal")).text for who in ("admin", "operator", "viewer")}
    assert "Kluuvi 0" in seen["operator"] and "Kluuvi 1" not in seen["operator"]
    assert f"hub:1/{ELSEWHERE}" in seen["admin"] and f"hub:1/{ELSEWHERE}" not in seen["operator"]
    assert "Room was promised" in seen["viewer"] and "/console/parcels/" not in seen["viewer"]
    before = (await office.browsers["admin"].get("/console/journal?until=2020-01-01T10:00")).text
    assert "Nothing came here in this time." in before
    only = (await office.browsers["admin"].get("/console/journal?kind=Reserved&hours=1")).text
    assert only.count("<b>Room was promised</b>") + only.count(">Room was promised</a>") == 2
    for odd in ("at=x&writer=a&number=1", "at=2026-01-01T00:00:00&writer=a&number=1", "until=x", "hours=x", "kind=%00",
                "at=2026-01-01T00:00:00%2B00:00&writer=%00&number=1",
                "at=2026-01-01T00:00:00%2B00:00&writer=a&number=9999999999999999999999",
                "until=0001-01-01T00:00", "until=9999-12-31T23:59"):  # fmt: skip
        assert (await office.browsers["admin"].get(f"/console/journal?{odd}")).status_code == 200, odd


async def test_who_looked_at_whom_is_not_for_every_wall(office: Office) -> None:  # noqa: F811
    await office.post("operator", "/console/parcels/{parcel}/reveal", {"reason": "look", "words": "she asked"})
    key = await office.hub.admit("wall", "Wall", "viewer")
    await office.browsers["no"].post("/console/sign-in", data={"key": key})
    wall = (await office.browsers["no"].get("/console/journal")).text
    assert "she asked" not in wall and f"hub:1/{ELSEWHERE}" in wall
    assert "she asked" in (await office.browsers["admin"].get("/console/journal")).text


async def test_what_was_done_about_its_case_is_in_a_parcels_story(office: Office) -> None:  # noqa: F811
    parcel = office.filled[AREA]["parcel"]
    await office.hub.desk.ask(OpenCase(parcel=UUID(parcel), about="reported_empty", station=AREA))
    case = await office.hub.pool.fetchval("SELECT id FROM case_file WHERE about = 'reported_empty'")
    sent = await office.post("technician", f"/console/cases/{case}/send", {"words": "a technician, by 16:00"})
    assert sent.headers["location"] == "/console/needs?said=sent"
    shown = (await office.browsers["operator"].get(f"/console/parcels/{parcel}")).text
    assert "Somebody was sent there" in shown and "a technician, by 16:00" in shown and "Technician" in shown


async def test_a_journal_is_opened_at_a_time(office: Office) -> None:  # noqa: F811
    mine = {"station": AREA, "writer": office.hub.streams.station(AREA)}
    page = await office.browsers["viewer"].get("/console/journal", params={**mine, "until": "2020-01-01T10:00"})
    assert numbers(page.text) == [] and 'value="2020-01-01T10:00"' in page.text
    page = await office.browsers["viewer"].get("/console/journal", params={**mine, "until": "2999-01-01T10:00"})
    assert numbers(page.text) and page.status_code == 200

"""What a form's answer shows once: loaded again nothing is done again, and nothing is shown again."""

import re

from parcelwall.web.console.once import NAME
from web.test_console_roles import AREA, ELSEWHERE, Office, office  # noqa: F401 - a fixture

COUNT = "SELECT count(*) FROM entry WHERE kind = $1"


async def test_a_new_courier_is_admitted_once_however_often_the_form_is_sent(office: Office) -> None:  # noqa: F811
    browser, before = office.browsers["operator"], await office.hub.pool.fetchval(COUNT, "Granted")
    page = await browser.get("/console/couriers")
    [new] = re.findall(r'name="new" value="([0-9a-f-]{36})"', page.text)
    for _ in range(2):  # a double click, or a page that is loaded again
        sent = await office.post("operator", "/console/couriers/admit", {"station": AREA, "new": new})
        assert sent.status_code == 303 and sent.headers["location"] == "/console/couriers"
    assert await office.hub.pool.fetchval(COUNT, "Granted") == before + 1
    shown = (await browser.get("/console/couriers")).text
    assert "Code of today, shown once" in shown and new in shown
    again = (await browser.get("/console/couriers")).text
    assert "Code of today" not in again and f">{new.replace('-', '')[-8:]}<" in again


async def test_a_key_is_shown_once_and_to_whoever_made_it(office: Office) -> None:  # noqa: F811
    form = {"id": "vera", "name": "Vera", "role": "viewer"}
    sent = await office.post("admin", "/console/people/admit", form)
    kept = sent.cookies[NAME]
    assert sent.status_code == 303 and "pw_" not in sent.text and "HttpOnly" in sent.headers["set-cookie"]
    shown = (await office.browsers["admin"].get("/console/people")).text
    assert re.search(r"pw_[0-9a-f]{64}", shown) and "The key of vera" in shown
    assert "The key of" not in (await office.browsers["admin"].get("/console/people")).text
    key = await office.hub.admit("boss", "Boss", "admin")
    other = office.browsers["no"]
    await other.post("/console/sign-in", data={"key": key})
    other.cookies.set(NAME, kept, path="/console/people")
    assert "The key of" not in (await other.get("/console/people")).text, "another browser opens nothing with it"


async def test_a_person_is_shown_once_and_written_down_once(office: Office) -> None:  # noqa: F811
    at = f"/console/parcels/{office.filled[AREA]['parcel']}"
    sent = await office.post("operator", f"{at}/reveal", {"reason": "look"})
    assert sent.status_code == 303 and sent.headers["location"] == at and "Lovelace" not in sent.text
    browser = office.browsers["operator"]
    assert "Ada Lovelace" in (await browser.get(at)).text
    assert "Lovelace" not in (await browser.get(at)).text
    assert await office.hub.pool.fetchval(COUNT, "Looked") == 1
    browser.cookies.set(NAME, sent.cookies[NAME], path=f"/console/parcels/{office.filled[ELSEWHERE]['parcel']}")
    other = await office.browsers["admin"].get(f"/console/parcels/{office.filled[ELSEWHERE]['parcel']}")
    assert "Lovelace" not in other.text
    browser.cookies.set(NAME, "AAAA", path=at)
    assert (await browser.get(at)).status_code == 200, "what is no such cookie shows nothing"


async def test_boxes_of_stations_are_there_for_one_person_at_a_time(office: Office) -> None:  # noqa: F811
    boxes = lambda page: len(re.findall(r'name="area"', page))  # noqa: E731
    browser, stations = office.browsers["admin"], len(office.hub.stations.known)
    assert boxes((await browser.get("/console/people")).text) == stations, "those of the form for somebody new"
    one = (await browser.get("/console/people?who=viewer")).text
    assert boxes(one) == 2 * stations and re.search(rf'value="{AREA}" checked', one)
    assert 'href="/console/people?who=viewer#person-viewer"' not in one


async def test_couriers_are_found_by_station_and_by_the_end_of_an_id(office: Office) -> None:  # noqa: F811
    ids = [office.hub.ids.new() for _ in range(3)]
    for nth, courier in enumerate(ids):
        station = (AREA, ELSEWHERE)[nth % 2]
        await office.post("admin", "/console/couriers/admit", {"station": station, "courier": str(courier)})
    office.browsers["admin"].cookies.delete(NAME)
    rows = lambda page: set(re.findall(r'<th scope="row"><span class="mono">([0-9a-f]{8})', page))  # noqa: E731
    ends = [each.hex[-8:] for each in ids]
    for query, found in (("", ends), (f"?station={ELSEWHERE}", ends[1:2]), (f"?q=…{ends[2]}", ends[2:]),
                         (f"?station={AREA}&q={ends[1]}", []), ("?station=S-0404", ends)):  # fmt: skip
        assert rows((await office.browsers["admin"].get(f"/console/couriers{query}")).text) == set(found), query
    mine = (await office.browsers["operator"].get(f"/console/couriers?station={ELSEWHERE}")).text
    assert rows(mine) == {ends[0], ends[2]}, "nothing outside their area"


async def test_all_of_an_area_is_chosen_at_once(office: Office) -> None:  # noqa: F811
    form = {"all": "yes", "hours": "1", "reason": "storm", "do": "count"}
    for who, stations in (("admin", {AREA, ELSEWHERE}), ("operator", {AREA})):
        page = (await office.post(who, "/console/longer", form)).text
        assert set(re.findall(r'name="station" value="([^"]+)" checked', page)) == stations


async def test_a_courier_is_admitted_for_the_carriers_that_were_ticked(office: Office) -> None:  # noqa: F811
    browser, form = office.browsers["operator"], {"station": AREA, "slip": office.slips["operator"]}
    await office.hub.admit("kulku", "Kulku & Sons")
    page = (await browser.get("/console/couriers")).text
    assert re.findall(r'name="carrier" value="([^"]+)"><span>([^<]+)', page) == [
        ("acme", "Acme "), ("kulku", "Kulku &amp; Sons ")
    ], "carriers alone, no people of the operator's"  # fmt: skip
    parcels_of = lambda page: re.findall(r"<td>Kluuvi 0</td><td>(.+?)</td>", page)  # noqa: E731
    for ticked, told in ((["kulku"], "Kulku &amp; Sons"), ([], "all carriers"), (["kulku", "acme"], None)):
        await browser.post("/console/couriers/admit", data=form | {"carrier": ticked})
        newest = re.sub("</?bdi>", "", parcels_of((await browser.get("/console/couriers")).text)[0])
        assert newest == (told or "Kulku &amp; Sons, Acme")
    before = await office.hub.pool.fetchval(COUNT, "Granted")
    for odd in (["operator"], ["nobody"], [f"c{n}" for n in range(21)]):
        refused = await browser.post("/console/couriers/admit", data=form | {"carrier": odd})
        assert refused.headers["location"].endswith("no=bad_field")
    assert await office.hub.pool.fetchval(COUNT, "Granted") == before

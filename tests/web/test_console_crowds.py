"""An office with much to do finds what it looks for: what needs somebody by its kind and by its station."""

import html
import re
from datetime import timedelta
from uuid import UUID

import msgspec

from parcelwall.hub.reading import case_name
from parcelwall.web.render import Renderer, no_words
from web import samples
from web.gallery import words_of
from web.test_console_roles import AREA, ELSEWHERE, Office, office  # noqa: F401 - a fixture


async def test_what_needs_somebody_is_narrowed_down_to_a_kind_or_a_station(office: Office) -> None:  # noqa: F811
    browser, told = office.browsers["admin"], office.filled
    await silence(office, ELSEWHERE)
    page = (await browser.get("/console/needs")).text
    assert re.findall(r'href="/console/needs\?only=(\w+)">[^<]+<b>(\d+)</b>', page) == [("door", "2"), ("silent", "1")]
    rows = lambda page: len(re.findall('<li class="need ', page))  # noqa: E731
    case = case_name(UUID(told[AREA]["case"]))
    for query, found in (("", 3), ("only=door", 2), ("only=silent", 1), ("q=KLUUVI+1", 2), ("only=door&q=S-0002", 1),
                         (f"q={case}", 1), ("only=paper", 0), ("q=nowhere", 0)):  # fmt: skip
        shown = (await browser.get(f"/console/needs?{query}")).text
        assert rows(shown) == found and ("Nothing of that kind" in shown) == (not found), query
        assert f'/console/needs/events{"?" if query else ""}{query.replace("&", "&amp;")}"' in shown, "news keep to it"
        assert "All 3" in shown, "the count of all stays"


async def silence(office: Office, station: str) -> None:  # noqa: F811
    """The station was heard an hour ago, and not since."""
    sql = "INSERT INTO station_presence (station, last_seen) VALUES ($1, $2)"
    await office.hub.pool.execute(sql, station, office.hub.clock.now() - timedelta(hours=1))


def test_a_long_name_on_the_map_is_cut_and_still_read() -> None:
    """It covered its neighbours' rings; whoever points at it, or hears the page, has all of it."""
    long = "Malmi railway station, west entrance"
    shown = samples.all_views(no_words("en"))["console-map"]
    pins = [msgspec.structs.replace(each, station=msgspec.structs.replace(each.station, name=long))
            for each in shown.pins[:1]]  # type: ignore[attr-defined]  # fmt: skip
    page = Renderer(words_of).fragment(msgspec.structs.replace(shown, pins=tuple(pins)))
    [drawn] = re.findall(r'class="pin-name" y="44">([^<]+)<', page)
    assert drawn == "Malmi railway…" or (len(drawn) <= 15 and drawn.endswith("…"))
    assert f"<title>{long}</title>" in page and f'aria-label="{long}: ' in page


async def test_who_answers_a_case_in_the_list_stays_in_the_list_as_it_was_narrowed_down(office: Office) -> None:  # noqa: F811
    browser, at = office.browsers["operator"], f"/console/cases/{office.filled[AREA]['case']}"
    page = (await browser.get("/console/needs?only=door&q=Kluuvi+0")).text
    [kept] = set(re.findall(r'name="narrowed" value="([^"]*)"', page))
    there = (await browser.get(f"/console/stations/{AREA}")).text
    assert f'name="station" value="{AREA}"' in there and "narrowed" not in there, "who stands on its page stays there"
    form = {"narrowed": html.unescape(kept), "outcome": "looked", "words": "a technician, by 16:00"}
    for act, told in (("send", "sent"), ("close", "closed")):
        sent = await office.post("operator", f"{at}/{act}", form)
        assert sent.headers["location"] == f"/console/needs?only=door&q=Kluuvi+0&said={told}"
    odd = await office.post("operator", f"{at}/close", form | {"narrowed": "to=//evil.example&said=x\r\nX: y"})
    assert odd.headers["location"] == "/console/needs?said=closed"

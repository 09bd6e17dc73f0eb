"""A station stands where it does by leave: where that has ended nothing new is promised, and what was is kept."""

from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from msgspec.structs import replace

from parcelwall.errors import Refusal
from parcelwall.hub import needs, offers, policies, reading, sites
from parcelwall.hub.house import Hub
from parcelwall.hub.people import Person
from parcelwall.hub.staff import person_of
from parcelwall.notices.language import words
from parcelwall.notices.messages import NoticeFacts, compose
from parcelwall.notices.way import way_there
from parcelwall.rules import facts
from parcelwall.rules.life import Stage
from parcelwall.rules.policy import Policy
from parcelwall.web.tracking import place_of
from parcelwall.web.views import Look
from station.towns import a_hub, a_small_town, about, announced, announcing, only, order, parcel_at, told

TODAY, HELSINKI = date(2026, 11, 22), ZoneInfo("Europe/Helsinki")


@pytest_asyncio.fixture
async def hub(database: str, tmp_path: Path) -> AsyncIterator[Hub]:
    async with a_hub(database, tmp_path, stations=(about("S-0001"), about("S-0002", lat=60.17))) as hub:
        yield hub


async def noted(hub: Hub, **what: Any) -> None:
    await sites.note(hub, facts.SiteNoted(station="S-0001", **what))


async def adopt(hub: Hub, **knobs: Any) -> None:
    wanted = replace(hub.policy, version=hub.policy.version + 1, **knobs)
    policies.refuse_odd(wanted)
    await hub.adopt(wanted)


async def refused(hub: Hub, reference: str) -> str:
    answer = await hub.desk.ask(announcing(reference, "S-0001"))
    return str(answer.body.get("reason", ""))


async def offered(hub: Hub) -> dict[str, str | None]:
    here = offers.Wanted(order=order("PW-9"), place=(60.1692, 24.944), most=5)
    return {each.station: each.reason for each in (await hub.offers.offer(here)).offers}


async def test_where_a_permit_has_ended_nothing_new_is_promised_from_that_days_end_on(hub: Hub) -> None:
    await noted(hub, permit="HEL 1", valid_until=TODAY)
    assert await refused(hub, "PW-1") == "", "its last day, in its own zone"
    hub.clock.advance(14 * 3600)  # type: ignore[attr-defined] # midnight in Helsinki, not in UTC
    assert await refused(hub, "PW-2") == "station_out_of_service"
    assert (await offered(hub))["S-0001"] == "station_out_of_service"
    assert (await offered(hub))["S-0002"] is None
    assert [each["in_service"] for each in await reading.stations(hub)] == [False, True]
    assert not (await reading.availability(hub, "S-0001"))["in_service"]
    await noted(hub, permit="HEL 2", valid_until=TODAY + timedelta(days=400))
    assert await refused(hub, "PW-3") == "", "renewed: known at once"
    await noted(hub, permit="HEL 3", valid_from=TODAY + timedelta(days=3))
    assert await refused(hub, "PW-4") == "station_out_of_service", "it has not begun"
    with pytest.raises(Refusal, match="bad_field"):
        await noted(hub, permit="HEL 4", valid_from=TODAY, valid_until=TODAY - timedelta(days=1))


async def test_another_process_and_a_later_start_know_it_too(hub: Hub, database: str, tmp_path: Path) -> None:
    async with a_hub(database, tmp_path, hub.clock, slot=2) as other:  # type: ignore[arg-type]
        await noted(hub, permit="HEL 1", valid_until=TODAY - timedelta(days=1), access="fuse left", way="at the mall")
        await other.refresh()
        assert await refused(other, "PW-1") == "station_out_of_service"
    async with a_hub(database, tmp_path, hub.clock, slot=3) as later:  # type: ignore[arg-type]
        site = later.stations.known["S-0001"].site
        assert site and (site.way, site.access) == ("at the mall", ""), "where the fuse is stays in the journal"


async def test_nothing_on_paper_is_a_no_only_where_the_policy_asks(hub: Hub) -> None:
    assert await refused(hub, "PW-1") == ""
    await adopt(hub, ask_permit=True)
    assert await refused(hub, "PW-2") == "station_out_of_service"
    await noted(hub, host="Hosting Ltd")
    assert await refused(hub, "PW-3") == "station_out_of_service"
    await noted(hub, permit="HEL 1")
    assert await refused(hub, "PW-4") == "", "one without an end"


async def test_what_was_promised_is_put_in_and_collected_all_the_same(database: str, tmp_path: Path) -> None:
    async with a_small_town(database, tmp_path) as town:
        parcel = await told(town, "PW-1")
        await noted(town.hub, permit="HEL 1", valid_until=TODAY - timedelta(days=1))
        await only(town).deposit("PW-1")
        await only(town).carry()
        assert (await parcel_at(town.hub, parcel)).stage == Stage.READY
        await only(town).collect(only(town).code_of(parcel))
        await only(town).carry()
        assert (await parcel_at(town.hub, parcel)).stage == Stage.COLLECTED


async def test_the_way_there_is_on_the_page_in_the_notice_and_in_the_api(hub: Hub) -> None:
    parcel = await parcel_at(hub, await announced(hub, "PW-1", "S-0001"))
    look = Look("en", zone="UTC")
    there = place_of(hub, parcel, look)
    assert there and there.ways == (), "nobody has said"
    await noted(hub, way="Left of <the> main door.", step_free=True, lit=False, kerb="lowered", access="fuse")
    ways = ("Left of <the> main door.", "You get there without steps.", "It is not lit at night.",
            "The kerb before it is lowered.")  # fmt: skip
    there = place_of(hub, parcel, look)
    assert there and there.ways == ways
    told = NoticeFacts(station="Station S-0001", zone="UTC", link="https://p.example/p/x", code="12345678",
                       public_url="https://p.example", way=way_there(hub.stations.known["S-0001"].site, words("de")))
    mail = compose("ready", "de", told)
    for text in (mail.text, mail.html):
        assert "Bordstein" in text and "fuse" not in text
    assert "&lt;the&gt;" in mail.html
    [first, _] = await reading.stations(hub)
    assert first["way"] == {"way": ways[0], "step_free": True, "step_free_way": "", "lit": False, "kerb": "lowered",
                            "photo": None}  # fmt: skip
    await noted(hub, step_free_way="By the ramp.", step_free=True)
    assert way_there(hub.stations.known["S-0001"].site, words("en")) == ("Without steps: By the ramp.",)


@pytest.mark.parametrize(
    ("left", "cost", "days_ago"),
    [(91, None, 0), (90, "paper", 0), (31, "paper", 59), (30, "station", 0), (8, "station", 22), (7, "silent", 0),
     (0, "silent", 7), (-1, "full", 0), (-9, "full", 8)],
)  # fmt: skip
async def test_a_permit_rises_at_90_30_and_7_days(hub: Hub, left: int, cost: str | None, days_ago: int) -> None:
    await hub.admit("kaisa", "Kaisa", "operator")
    kaisa = person_of(await hub.pool.fetchrow("SELECT * FROM carrier WHERE id = 'kaisa'"))
    await noted(hub, valid_until=TODAY + timedelta(days=400 + left))
    hub.clock.advance(400 * 86_400)  # type: ignore[attr-defined]
    found = await needs.needs(hub, kaisa)
    assert [each.cost for each in found] == ([cost] if cost else [])
    reached = TODAY + timedelta(days=400 - days_ago)
    since = datetime(reached.year, reached.month, reached.day, tzinfo=HELSINKI)
    assert all(each.since == since for each in found)


async def test_from_a_worth_on_another_proof_than_a_person_is_refused(hub: Hub) -> None:
    with pytest.raises(Refusal, match="bad_field"):
        policies.refuse_odd(Policy(verified_from=500.0))
    await adopt(hub, verified_from=500.0, verified_currency="EUR")
    for number, (value, currency) in enumerate([("499.99", "EUR"), ("9000", "PLN"), ("9000", None), (None, None)]):
        assert await announced(hub, f"PW-{number}", value=value, currency=currency)
    ada = Person(name="Ada", email="ada@example.org")
    for value in ("500", "500.00", "1e3"):
        for proof in ("code", "token"):
            with pytest.raises(Refusal, match="proof_too_weak"):
                await hub.desk.ask(announcing("PW-8", person=ada, value=value, currency="EUR", proof=proof))
    assert await hub.pool.fetchval("SELECT count(*) FROM parcel") == 4
    await announced(hub, "PW-8", person=ada, value="500", currency="EUR", proof="verified")
    await announced(hub, "PW-9", value="500", currency="EUR", direction="return")


async def test_what_was_announced_before_the_policy_is_answered_as_ever(hub: Hub) -> None:
    first = await announced(hub, "PW-1", value="900", currency="EUR")
    await adopt(hub, verified_from=500.0, verified_currency="EUR")
    assert await announced(hub, "PW-1", value="900", currency="EUR") == first

"""A wish for doors within reach is the recipient's: whatever a carrier asks, it hears of its own words alone."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import pytest_asyncio

from parcelwall.hub import accounts, followers
from parcelwall.hub.house import Hub
from parcelwall.rules import facts
from parcelwall.rules.layout import Layout
from parcelwall.web.app import hub_app
from station.towns import a_hub, about

SIDES = {"length_mm": 300, "width_mm": 200, "height_mm": 60, "weight_g": 900}


class Shop:
    def __init__(self, client: httpx.AsyncClient, hub: Hub) -> None:
        self.client, self.hub = client, hub

    async def announce(self, who: str, key: str, **changed: Any) -> tuple[int, dict[str, Any]]:
        """What a carrier is answered for a parcel to this person, without what differs by chance."""
        body = {**SIDES, "reference": f"PW-{who}", "recipient": {"email": f"{who}@example.org"}, **changed}
        answer = await self.client.post("/api/v1/parcels", json=body, headers={"Idempotency-Key": f"{who}-{key}"})
        shown = answer.json()
        for name in ("id", "track", "reference", "detail", "instance"):
            shown.pop(name, None)
        return answer.status_code, shown

    async def feed(self) -> list[dict[str, Any]]:
        await followers.turn(self.hub.pool, "feed", followers.number_feed)
        entries: list[dict[str, Any]] = (await self.client.get("/api/v1/entries")).json()["entries"]
        return entries


@pytest_asyncio.fixture
async def shop(database: str, tmp_path: Path) -> AsyncIterator[Shop]:
    high = about("S-0002", "SS")
    lifted = [msgspec.structs.replace(each, y_mm=each.y_mm + 2000) for each in high.layout.compartments]
    high = msgspec.structs.replace(high, layout=msgspec.structs.replace(high.layout, compartments=tuple(lifted)))
    assert isinstance(high.layout, Layout) and not any(each.within_reach for each in high.layout.compartments)
    async with a_hub(database, tmp_path, stations=(about("S-0001"), high)) as hub:
        account = await accounts.open_account(hub)
        tag = hub.keys.contact_index("email", "ada@example.org")
        await hub.pool.execute("INSERT INTO account_contact VALUES ($1, $2, $3)", tag, account, hub.clock.now())
        await accounts.prefer(hub, account, "", True)
        key = await hub.admit("acme", "Acme")
        async with httpx.AsyncClient(transport=httpx.ASGITransport(hub_app(hub)), base_url="http://hub.test",
                                     headers={"Authorization": f"Bearer {key}"}) as client:  # fmt: skip
            yield Shop(client, hub)


async def test_the_feed_and_the_answers_are_those_of_whoever_has_no_wish(shop: Shop) -> None:
    there = {"destination": {"station_id": "S-0001"}}
    ada, bob = [await shop.announce(who, "1", **there) for who in ("ada", "bob")]
    assert ada == bob
    told = await shop.feed()
    assert {each["kind"] for each in told} == {"Announced", "Reserved"}
    assert all(not {"reach", "wished"} & set(each["body"]) for each in told)
    [row] = await shop.hub.pool.fetch("SELECT record FROM parcel WHERE reference = 'PW-ada'")
    assert '"reach":true' in row["record"], "and yet its door will be within reach"


async def test_a_repeat_is_compared_with_what_the_carrier_said(shop: Shop) -> None:
    for who in ("ada", "bob"):
        await shop.announce(who, "1")
    for key, reach, expected in (("2", False, 201), ("3", True, 409)):
        ada, bob = [await shop.announce(who, key, reach=reach) for who in ("ada", "bob")]
        assert ada == bob and ada[0] == expected


async def test_a_carrier_that_asked_for_reach_sees_that_it_did(shop: Shop) -> None:
    await shop.announce("ada", "1", reach=True)
    [entry] = await shop.feed()
    assert entry["body"]["reach"] is True and "wished" not in entry["body"]
    assert (await shop.announce("ada", "2", reach=True))[0] == 201


@pytest.mark.parametrize("at_once", [True, False])
async def test_for_want_of_reach_the_reason_names_no_reach(shop: Shop, at_once: bool) -> None:
    there = {"station_id": "S-0002"}
    _, shown = await shop.announce("ada", "1", **({"destination": there} if at_once else {}))
    if at_once:
        assert (shown["stage"], shown["reason"]) == ("DIVERTED", "no_fitting_compartment")
        assert "reach" not in str(await shop.feed()).replace("unreach", "")
    else:
        [entry] = await shop.feed()
        no = await shop.client.post(f"/api/v1/parcels/{entry['body']['parcel']}/reserve", json={"destination": there},
                                    headers={"Idempotency-Key": "r"})  # fmt: skip
        assert no.json()["reason"] == "no_fitting_compartment" and "reach" not in no.text
    asked = await shop.announce("bob", "1", destination=there, reach=True)
    assert asked[1]["reason"] == "no_reachable_compartment", "of its own wish it hears"


@pytest.mark.parametrize("who", ["ada", "bob"])
async def test_what_was_announced_before_the_wish_was_noted_is_answered_as_it_was(shop: Shop, who: str) -> None:
    """An older version wrote `reach` and not whose word it was: the same body has the same answer after the update."""
    async with shop.hub.pool.acquire() as connection, connection.transaction():
        at = shop.hub.desk.sitting(connection)
        older = facts.Announced(parcel=shop.hub.ids.new(), carrier="acme", reference=f"PW-{who}", reach=True, **SIDES)
        at.record(older)
        await at.write()
    for key, said in enumerate(({}, {"reach": False}, {"reach": True}, {"service": "", "climate": "ambient"})):
        status, shown = await shop.announce(who, str(key), recipient=None, **said)
        assert (status, shown["stage"]) == (201, "ANNOUNCED")
    assert (await shop.announce(who, "other", recipient=None, weight_g=901))[0] == 409
    assert [each["body"]["reach"] for each in await shop.feed()] == [True], "told as ever"


async def test_a_carrier_that_takes_its_own_reach_back_says_something_else(shop: Shop) -> None:
    await shop.announce("bob", "1", reach=True)
    assert (await shop.announce("bob", "2", reach=False))[0] == 409

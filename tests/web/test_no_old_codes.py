"""An operator signs a courier out: no code that was handed out before signs a phone in."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import httpx
import pytest
import pytest_asyncio

from hub.test_couriers import COURIER, admit
from parcelwall.hub import couriers, signed_in, staff
from parcelwall.hub.house import Hub
from parcelwall.web.app import hub_app
from parcelwall.web.passkeys import cookie_name
from station.towns import a_hub, about


@pytest_asyncio.fixture
async def hub(database: str, tmp_path: Path) -> AsyncIterator[Hub]:
    async with a_hub(database, tmp_path, stations=(about("S-0001"), about("S-0002"))) as hub:
        yield hub


async def taken_back_at_the_console(hub: Hub, client: httpx.AsyncClient, grants: dict[str, UUID]) -> None:
    """By an operator, one station after the other."""
    [boss] = [staff.person_of(row) for row in await staff.everybody(hub.pool)]
    assert boss.actor
    secret = await signed_in.begin(hub, "operator", boss.actor)
    client.cookies.set(cookie_name(hub, "operator"), secret)
    for station, grant in grants.items():
        form = {"slip": staff.slip_of(secret), "station": station, "grant": str(grant)}
        done = await client.post("/console/couriers/revoke", data=form)
        assert done.headers["location"] == "/console/couriers?said=revoked"
    client.cookies.clear()


@pytest.mark.parametrize("how", ["sign-out", "revoke", "console"])
async def test_no_code_of_before_signs_in(hub: Hub, how: str) -> None:
    key = await hub.admit("boss", "boss", "admin")
    grants = {station: await admit(hub, station) for station in ("S-0001", "S-0002")}
    code, _ = await couriers.invite(hub, COURIER)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(hub_app(hub)), base_url="http://hub.test") as client:
        if how == "console":
            await taken_back_at_the_console(hub, client, grants)
        else:
            done = await client.post(f"/api/v1/couriers/{COURIER}/{how}", headers={"Authorization": f"Bearer {key}"})
            assert done.status_code == 200
        entered = await client.post("/courier/sign-in", data={"code": code})
        assert entered.headers.get("location") != "/courier"
    assert not await hub.pool.fetchval("SELECT count(*) FROM signed_in WHERE purpose = 'courier'")

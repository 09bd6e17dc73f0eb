"""The journal says who did what to people, parcels and computers; and nobody lifts the rule of two alone."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest
import pytest_asyncio

from parcelwall.errors import Refusal
from parcelwall.hub import acts, policies, signed_in, staff
from parcelwall.hub.acts import Longer
from parcelwall.hub.house import Hub
from parcelwall.hub.verify import verify_hub
from parcelwall.web.app import hub_app
from parcelwall.web.passkeys import cookie_name
from station.towns import ADA, a_hub, about, announced


class Office:
    """A hub, and a client that acts with the key or at the console of whoever is named."""

    def __init__(self, hub: Hub, client: httpx.AsyncClient, keys: dict[str, str]) -> None:
        self.hub, self.client, self.keys, self._count = hub, client, keys, 0

    async def person(self, who: str) -> staff.Person:
        [found] = [staff.person_of(row) for row in await staff.everybody(self.hub.pool) if row["id"] == who]
        return found

    async def ask(self, who: str, path: str, body: Any = None) -> httpx.Response:
        self._count += 1
        headers = {"Authorization": f"Bearer {self.keys[who]}", "Idempotency-Key": f"key-{self._count}"}
        return await self.client.post(f"/api/v1{path}", json=body, headers=headers)

    async def post(self, who: str, path: str, **form: str) -> httpx.Response:
        actor = (await self.person(who)).actor
        assert actor
        secret = await signed_in.begin(self.hub, "operator", actor)
        self.client.cookies.set(cookie_name(self.hub, "operator"), secret)
        answer = await self.client.post(f"/console{path}", data={"slip": staff.slip_of(secret), **form})
        self.client.cookies.clear()
        return answer

    async def told(self, kind: str) -> list[dict[str, Any]]:
        rows = await self.hub.pool.fetch("SELECT body FROM entry WHERE kind = $1 ORDER BY number", kind)
        return [msgspec.json.decode(row["body"]) for row in rows]


@pytest_asyncio.fixture
async def office(database: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with a_hub(database, tmp_path, stations=(about("S-0001"),)) as hub:
        people = {"boss": "admin", "noor": "operator", "timo": "technician", "plan": "planner"}
        keys = {who: await hub.admit(who, who.title(), role) for who, role in people.items()}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(hub_app(hub)), base_url="http://hub.test") as client:
            yield Office(hub, client, keys)


async def test_who_was_admitted_changed_and_sent_away_by_whom_stands_there_without_a_name(office: Office) -> None:
    admitted = await office.post("boss", "/people/admit", id="vera", name="Vera Lovelace", role="viewer")
    assert admitted.headers["location"] == "/console/people"
    await office.post("boss", "/people/change", id="vera", role="operator", area="S-0001")
    key, _, _ = await staff.give_key(office.hub, "vera")
    await office.post("boss", "/people/change", id="vera", do="away")
    boss, vera = str((await office.person("boss")).actor), str((await office.person("vera")).actor)
    told = await office.told("StaffChanged")
    assert [(each["what"], each.get("role"), each.get("actor")) for each in told] == [
        ("admitted", "viewer", boss), ("changed", "operator", boss), ("key", "operator", None),
        ("sent_away", "operator", boss),
    ]  # fmt: skip
    assert {each["person"] for each in told} == {vera} and told[1]["area"] == ["S-0001"]
    assert not {"vera", "Vera", "boss", key} & set(str(told).replace("'", " ").split())
    assert await verify_hub(office.hub.pool) == []


async def test_whoever_was_admitted_today_is_no_second_person_yet(office: Office) -> None:
    await office.post("boss", "/people/admit", id="boss2", role="operator")
    act = await acts.ask_to_keep_longer(office.hub, await office.person("boss"), Longer(("S-0001",), 48, "storm"))
    await office.hub.pool.execute("UPDATE act SET state = 'waiting', due_at = NULL WHERE id = $1", act.id)
    with pytest.raises(Refusal, match="too_new_to_agree"):
        await acts.agree(office.hub, await office.person("boss2"), act.id)
    await staff.give_key(office.hub, "noor")  # at the machine itself: whoever sits there needs no second person
    assert (await acts.agree(office.hub, await office.person("noor"), act.id)).second == "Noor"
    office.hub.clock.advance(timedelta(days=1, seconds=1).total_seconds())  # type: ignore[attr-defined]
    assert not await staff.is_new(office.hub, await office.person("boss2"))


@pytest.mark.parametrize("knob", ["alone_doors", "alone_parcels"])
async def test_nobody_lifts_the_rule_of_two_with_their_own_key(office: Office, knob: str) -> None:
    for who in ("plan", "boss"):
        raised = await office.ask(who, "/policy", {"version": office.hub.policy.version + 1, knob: 99_999})
        assert (raised.status_code, raised.json()["reason"]) == (403, "second_person_needed")
    form = policies.knobs(office.hub.policy) | {"version": str(office.hub.policy.version), knob: "99999"}
    refused = await office.post("plan", "/policy", **form)
    assert refused.headers["location"] == "/console/policy?no=second_person_needed"
    lowered = await office.ask("plan", "/policy", {"version": office.hub.policy.version + 1, knob: 0})
    assert lowered.json()[knob] == 0
    again = await office.ask("plan", "/policy", {"version": office.hub.policy.version + 1, knob: 1})
    assert again.status_code == 403
    now = await policies.let_alone(office.hub, 3, 50)
    assert (now.doors_alone, now.parcels_alone) == (3, 50), "somebody at the machine"


async def test_who_blocked_unblocked_forgot_and_revoked_stands_there(office: Office) -> None:
    parcel = await announced(office.hub, "PW-1", "S-0001", person=ADA)
    noor, boss = [str((await office.person(who)).actor) for who in ("noor", "boss")]
    assert (await office.ask("noor", f"/parcels/{parcel}/block", {"why": "police"})).status_code == 200
    assert (await office.ask("timo", f"/parcels/{parcel}/unblock", {"why": "mine"})).status_code == 403
    assert (await office.ask("noor", f"/parcels/{parcel}/unblock", {})).status_code == 400
    assert (await office.ask("noor", f"/parcels/{parcel}/unblock", {"why": "they let go"})).status_code == 200
    assert (await office.ask("boss", f"/parcels/{parcel}/forget")).json() == {"erased": True}
    await office.hub.enrol(await office.hub.claim("S-0001"), b"1" * 32)
    assert (await office.ask("boss", "/stations/S-0001/revoke", {"why": "stolen"})).status_code == 200
    told = {kind: [(each.get("why"), UUID(each["actor"])) for each in await office.told(kind)]
            for kind in ("Blocked", "Unblocked", "Forgotten", "KeyRevoked")}  # fmt: skip
    assert told == {"Blocked": [("police", UUID(noor))], "Unblocked": [("they let go", UUID(noor))],
                    "Forgotten": [(None, UUID(boss))], "KeyRevoked": [("stolen", UUID(boss))]}  # fmt: skip
    assert await verify_hub(office.hub.pool) == []

"""Passkeys: one act, one holder, one time; and whatever does not fit is refused alike."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
import pytest_asyncio

from hub.authenticator import Authenticator
from parcelwall.clock import VirtualClock
from parcelwall.errors import Refusal
from parcelwall.hub import passkeys, signed_in
from parcelwall.hub.house import Hub, serving
from parcelwall.ids import seeded

HERE = "https://parcels.example"
ADA, BEN = UUID(int=1), UUID(int=2)


@pytest_asyncio.fixture
async def hub(database: str, tmp_path: Path) -> AsyncIterator[Hub]:
    clock = VirtualClock(datetime(2026, 11, 26, 16, tzinfo=UTC))
    async with serving(database, tmp_path, clock, seeded(clock, 1)) as hub:
        hub.public_url = HERE
        yield hub


async def registered(hub: Hub, holder: UUID = ADA, purpose: passkeys.Purpose = "recipient") -> Authenticator:
    device = Authenticator(HERE)
    options = await passkeys.begin_registration(hub, purpose, holder, "My parcels")
    await passkeys.finish_registration(hub, purpose, holder, device.make(options))
    return device


async def refused(doing: object) -> None:
    with pytest.raises(Refusal) as no:
        await doing  # type: ignore[misc]
    assert (no.value.reason, no.value.details) == ("passkey_wrong", {}), "one answer for every cause"


async def test_made_once_it_says_who_it_is(hub: Hub) -> None:
    device = await registered(hub)
    options = await passkeys.begin_proof(hub, "recipient", "sign_in")
    proof = await passkeys.finish_proof(hub, "recipient", "sign_in", device.show(options))
    assert (proof.holder, proof.at) == (ADA, hub.clock.now())
    assert json.loads(options)["userVerification"] == "required"
    [known] = await passkeys.of_holder(hub, ADA)
    assert known.used_at == hub.clock.now()


async def test_an_answer_serves_once_for_its_act_its_holder_and_its_purpose(hub: Hub) -> None:
    device = await registered(hub)
    answer = device.show(await passkeys.begin_proof(hub, "recipient", "open 1", ADA))
    await refused(passkeys.finish_proof(hub, "recipient", "open 2", answer, ADA))
    await refused(passkeys.finish_proof(hub, "operator", "open 1", answer, ADA))
    await passkeys.finish_proof(hub, "recipient", "open 1", answer, ADA)
    await refused(passkeys.finish_proof(hub, "recipient", "open 1", answer, ADA))
    for_ben = await passkeys.begin_proof(hub, "recipient", "open 1", BEN)
    await refused(passkeys.finish_proof(hub, "recipient", "open 1", device.show(for_ben), BEN))
    for_anybody = await passkeys.begin_proof(hub, "recipient", "open 1")
    await refused(passkeys.finish_proof(hub, "recipient", "open 1", device.show(for_anybody), ADA))


async def test_a_late_answer_and_one_that_was_never_asked_for(hub: Hub) -> None:
    device = await registered(hub)
    options = await passkeys.begin_proof(hub, "recipient", "sign_in")
    hub.clock.advance(passkeys.ANSWERED_WITHIN.total_seconds() + 1)  # type: ignore[attr-defined]
    await refused(passkeys.finish_proof(hub, "recipient", "sign_in", device.show(options)))
    made_up = json.dumps(json.loads(options) | {"challenge": "AAAA"})
    await refused(passkeys.finish_proof(hub, "recipient", "sign_in", device.show(made_up)))


async def test_a_device_that_verifies_nobody_is_refused(hub: Hub) -> None:
    """The flag is optional in the standard, so that the server has to look (trust.md A-21)."""
    lax = Authenticator(HERE, verifies=False)
    options = await passkeys.begin_registration(hub, "recipient", ADA, "My parcels")
    await refused(passkeys.finish_registration(hub, "recipient", ADA, lax.make(options)))
    device = await registered(hub)
    device.verifies = False
    options = await passkeys.begin_proof(hub, "recipient", "sign_in")
    await refused(passkeys.finish_proof(hub, "recipient", "sign_in", device.show(options)))


async def test_a_page_of_somebody_else_cannot_pass_an_answer_on(hub: Hub) -> None:
    device = await registered(hub)
    device.origin = "https://parcels.example.evil"
    options = await passkeys.begin_proof(hub, "recipient", "sign_in")
    await refused(passkeys.finish_proof(hub, "recipient", "sign_in", device.show(options)))


async def test_a_copy_of_a_device_is_noticed(hub: Hub) -> None:
    device = await registered(hub)
    for _ in range(3):
        options = await passkeys.begin_proof(hub, "recipient", "sign_in")
        await passkeys.finish_proof(hub, "recipient", "sign_in", device.show(options))
    device.count = 1
    options = await passkeys.begin_proof(hub, "recipient", "sign_in")
    await refused(passkeys.finish_proof(hub, "recipient", "sign_in", device.show(options)))


@pytest.mark.parametrize("answer", ["", "[]", "{}", '{"id": 1}', "\x00", "{" * 5000, '{"a": "' + "x" * 9000 + '"}'])
async def test_what_is_no_answer_at_all(hub: Hub, answer: str) -> None:
    await refused(passkeys.finish_proof(hub, "recipient", "sign_in", answer))
    await refused(passkeys.finish_registration(hub, "recipient", ADA, answer))


async def test_taken_away_by_its_holder_alone(hub: Hub) -> None:
    device = await registered(hub)
    [known] = await passkeys.of_holder(hub, ADA)
    with pytest.raises(Refusal):
        await passkeys.take_away(hub, BEN, known.name)
    await passkeys.take_away(hub, ADA, known.name)
    options = await passkeys.begin_proof(hub, "recipient", "sign_in")
    await refused(passkeys.finish_proof(hub, "recipient", "sign_in", device.show(options)))


async def test_ten_passkeys_and_no_more(hub: Hub) -> None:
    for _ in range(passkeys.MOST):
        await registered(hub)
    options = await passkeys.begin_registration(hub, "recipient", ADA, "My parcels")
    await refused(passkeys.finish_registration(hub, "recipient", ADA, Authenticator(HERE).make(options)))


@pytest.mark.parametrize(
    ("url", "party"),
    [
        ("https://parcels.example", ("parcels.example", ["https://parcels.example"])),
        ("https://parcels.example:8443/", ("parcels.example", ["https://parcels.example:8443"])),
        ("http://127.0.0.1:8600", ("localhost", ["http://localhost:8600"])),
        ("http://localhost:8600", ("localhost", ["http://localhost:8600"])),
    ],
)
def test_whose_they_are(url: str, party: tuple[str, list[str]]) -> None:
    assert passkeys.party_of(url) == party


async def test_a_browser_stays_signed_in_while_it_is_used(hub: Hub) -> None:
    secret = await signed_in.begin(hub, "recipient", ADA)
    for _ in range(3):
        hub.clock.advance(timedelta(days=25).total_seconds())  # type: ignore[attr-defined]
        found = await signed_in.find(hub, "recipient", secret)
        assert found is not None and found.holder == ADA and found.proved_at is None
    assert await signed_in.find(hub, "operator", secret) is None
    hub.clock.advance(timedelta(days=16).total_seconds())  # type: ignore[attr-defined]
    assert await signed_in.find(hub, "recipient", secret) is None, "90 days are over"


async def test_it_ends_when_it_is_idle_or_ended(hub: Hub) -> None:
    idle = await signed_in.begin(hub, "operator", ADA, hub.clock.now())
    hub.clock.advance(3601)  # type: ignore[attr-defined]
    assert await signed_in.find(hub, "operator", idle) is None
    here, there = [await signed_in.begin(hub, "recipient", ADA) for _ in range(2)]
    await signed_in.end(hub, here)
    assert await signed_in.find(hub, "recipient", here) is None
    await signed_in.end_all(hub, ADA)
    assert await signed_in.find(hub, "recipient", there) is None
    assert await hub.pool.fetchval("SELECT count(*) FROM signed_in WHERE hash = $1", there.encode()) == 0

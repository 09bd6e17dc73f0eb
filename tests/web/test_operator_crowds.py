"""Many at once over HTTP: batches with one key, guesses, crowds that know their numbers; addresses that are none."""

import asyncio

import httpx

from web.test_operator import BODY, Office, office

__all__ = ["office"]  # the fixture


async def batch(office: Office, key: str, *references: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {office.carrier}", "Idempotency-Key": key}
    body = {"parcels": [{**BODY, "reference": each} for each in references]}
    return await office.client.post("/api/v1/parcels/batch", json=body, headers=headers)


async def test_a_batch_with_a_used_key_does_nothing(office: Office) -> None:
    first = await batch(office, "k", "A")
    longer, other, single = await batch(office, "k", "B", "C"), await batch(office, "s", "D"), await office.parcel()
    assert (longer.status_code, longer.json()["reason"]) == (422, "idempotency_key_reused")
    assert (await batch(office, "key-1", "E")).json()["reason"] == "idempotency_key_reused", "a single one had it"
    assert other.status_code == 201 and single
    assert (await batch(office, "k", "A")).json() == first.json()
    names = {row["reference"] for row in await office.hub.pool.fetch("SELECT reference FROM parcel")}
    assert names == {"A", "D", "PW-1"}


async def test_of_two_batches_at_once_with_one_key_one_is_announced_whole(office: Office) -> None:
    answers = await asyncio.gather(batch(office, "k", "A"), batch(office, "k", "B", "C"))
    assert sorted(each.status_code for each in answers) == [201, 422]
    names = {row["reference"] for row in await office.hub.pool.fetch("SELECT reference FROM parcel")}
    assert names in ({"A"}, {"B", "C"})


async def test_who_guesses_a_hundred_numbers_at_once_is_told_no_more_than_one_after_the_other(office: Office) -> None:
    await office.parcel()
    paths = [f"/api/v1/track/X-{number}" for number in range(99)] + ["/api/v1/track/PW-1"]
    answers = await asyncio.gather(*map(office.client.get, paths))
    assert [each.status_code for each in answers].count(404) == 20
    assert answers[-1].status_code == 429, "the one that was right comes after too many that were not"


async def test_a_crowd_that_knows_its_numbers_is_not_slowed(office: Office) -> None:
    await office.parcel()
    answers = await asyncio.gather(*(office.client.get("/api/v1/track/PW-1") for _ in range(60)))
    assert {each.status_code for each in answers} == {200}


async def test_a_hundred_codes_and_keys_at_once_are_sixty_tries(office: Office) -> None:
    answers = await asyncio.gather(
        *(office.client.post("/courier/sign-in?lang=en", data={"code": f"XXXX-{n:04}"}) for n in range(110))
    )
    assert sum("too many" in each.text.lower() or "wait" in each.text.lower() for each in answers) == 50
    begins = [await office.client.post("/console/sign-in/passkey/begin") for _ in range(61)]
    assert {each.status_code for each in begins[:60]} == {200} and begins[60].status_code == 429


async def test_addresses_that_are_none_are_refused_and_break_nothing(office: Office) -> None:
    sent = await office.client.post("/courier/sign-in", data={"code": "x"}, headers={"Origin": "http://["})
    assert sent.status_code == 403 and sent.headers["content-type"].startswith("text/html")
    for path in ("/me", "/", "/api/v1/track/X-1"):
        assert (await office.client.get(path, headers={"Host": "["})).status_code in (200, 404), path
    headers = {"Host": "[", "Authorization": f"Bearer {office.carrier}", "Idempotency-Key": "k"}
    body = {**BODY, "reference": "A"}
    assert (await office.client.post("/api/v1/parcels", json=body, headers=headers)).status_code < 500

"""A key is given anew: what was not said stays, what may have been stolen ends, and a slip changes nobody."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from hub.authenticator import Authenticator
from parcelwall.errors import Refusal
from parcelwall.hub import passkeys, signed_in, staff
from parcelwall.hub.house import Hub
from parcelwall.hub.keys import key_hash
from parcelwall.hub.staff import Person, give_key
from station.towns import a_hub, about

HERE = "https://parcels.example"


@pytest_asyncio.fixture
async def hub(database: str, tmp_path: Path) -> AsyncIterator[Hub]:
    async with a_hub(database, tmp_path, stations=(about("S-0001"), about("S-0002", lat=60.18))) as hub:
        hub.public_url = HERE
        await give_key(hub, "aada", "Aada", "admin")
        yield hub


async def known(hub: Hub, who: str) -> tuple[str, str, list[str], bytes]:
    row = await hub.pool.fetchrow("SELECT name, role, area, key_hash FROM carrier WHERE id = $1", who)
    return tuple(row) if row else ("", "", [], b"")


async def test_a_new_key_leaves_name_role_and_area(hub: Hub) -> None:
    first, _, again = await give_key(hub, "timo", "Timo", "technician", ["S-0002"])
    assert not again
    for changed in ({}, {"role": "technician"}):
        second, who, again = await give_key(hub, "timo", **changed)
        assert again and second != first
        assert (who.name, who.role, who.area) == ("Timo", "technician", {"S-0002"})
        assert await known(hub, "timo") == ("Timo", "technician", ["S-0002"], key_hash(second))


async def test_what_is_said_changes(hub: Hub) -> None:
    await give_key(hub, "timo", "Timo", "technician", ["S-0002"])
    await give_key(hub, "timo", "Timo K", "operator", ["S-0001", "S-0002"])
    assert (await known(hub, "timo"))[:3] == ("Timo K", "operator", ["S-0001", "S-0002"])
    await give_key(hub, "timo", area=[])
    assert (await known(hub, "timo"))[:3] == ("Timo K", "operator", [])


async def test_with_the_old_key_end_sign_ins_and_passkeys(hub: Hub) -> None:
    await give_key(hub, "timo", "Timo", "technician")
    timo, other = await actors(hub, "timo", "aada")
    secrets = [await signed_in.begin(hub, "operator", each) for each in (timo, other)]
    for each in (timo, other):
        options = await passkeys.begin_registration(hub, "operator", each, "Console")
        await passkeys.finish_registration(hub, "operator", each, Authenticator(HERE).make(options))
    await give_key(hub, "timo")
    assert await staff.find(hub, secrets[0]) is None and await passkeys.of_holder(hub, timo) == []
    assert await staff.find(hub, secrets[1]) and len(await passkeys.of_holder(hub, other)) == 1


async def actors(hub: Hub, *who: str) -> list[Any]:
    return [await hub.pool.fetchval("SELECT actor FROM carrier WHERE id = $1", each) for each in who]


SLIPS: dict[str, tuple[tuple[Any, ...], str]] = {
    "a carrier becomes an admin": (("acme", "", "admin"), "acme is a carrier already"),
    "a technician becomes a carrier": (("timo", "", "carrier"), "timo is a technician already"),
    "no such role": (("timo", "", "king"), "The role is carrier, viewer"),
    "no such station": (("timo", "", "", ["S-0001", "S-9999"]), "no station S-9999"),
    "a carrier with an area": (("acme", "", "", ["S-0001"]), "A carrier has no area"),
    "the last admin": (("aada", "", "viewer"), "Make another admin first"),
    "the last admin who is everywhere": (("aada", "", "", ["S-0001"]), "Make another admin first"),
    **{f"id {each!r}": ((each, "", "viewer"), "An id is like acme-post") for each in
       ("", "x y<script>", "-x", "a\n", "é", "a" * 41)},
}  # fmt: skip


@pytest.mark.parametrize(("said", "told"), SLIPS.values(), ids=SLIPS)
async def test_a_slip_is_refused_and_changes_nothing(hub: Hub, said: tuple[Any, ...], told: str) -> None:
    await give_key(hub, "acme", "Acme")
    await give_key(hub, "timo", "Timo", "technician", ["S-0002"])
    before = await hub.pool.fetch("SELECT * FROM carrier ORDER BY id")
    with pytest.raises(Refusal, match=told):
        await give_key(hub, *said)
    assert await hub.pool.fetch("SELECT * FROM carrier ORDER BY id") == before


async def test_who_was_sent_away_comes_back_as_they_were(hub: Hub) -> None:
    await give_key(hub, "timo", "Timo", "technician", ["S-0002"])
    await staff.send_away(hub, "timo")
    key, _, again = await give_key(hub, "timo")
    assert again and await staff.by_key(hub.pool, key_hash(key)) == Person(
        "timo", "Timo", "technician", frozenset({"S-0002"}), (await actors(hub, "timo"))[0]
    )

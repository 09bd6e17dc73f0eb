"""Six digits that are sent to an address: counted for the address, and told to all old ways."""

import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from parcelwall.errors import Refusal
from parcelwall.hub import accounts, contacts, reading
from parcelwall.hub.house import Hub
from parcelwall.hub.people import Person
from parcelwall.rules.life import Parcel
from station.towns import a_hub, about, announcing

ADA, EVE = (Person(name=name, email=f"{name}@example.org") for name in ("ada", "eve"))


class Post:
    """A mail server that keeps the subjects of what it was handed, by address."""

    def __init__(self) -> None:
        self.subjects: dict[str | None, list[str]] = {}

    async def hand_over(self, person: Person, message: Any, message_id: str) -> None:
        self.subjects.setdefault(person.email, []).append(message.subject)

    def number(self, person: Person) -> str:
        return "".join(re.findall(r"\d", self.subjects[person.email][-1]))[:6]


@pytest.fixture
def post() -> Post:
    return Post()


@pytest_asyncio.fixture
async def hub(database: str, tmp_path: Path, post: Post) -> AsyncIterator[Hub]:
    async with a_hub(database, tmp_path, stations=(about("S-0001"),)) as hub:
        hub.channels = {"email": post}
        yield hub


async def parcel_for(hub: Hub, reference: str, person: Person) -> Parcel:
    answer = await hub.desk.ask(announcing(reference, "S-0001", person))
    return await reading.known_parcel(hub, UUID(answer.body["id"]))


def wrong(number: str) -> str:
    return f"{(int(number) + 1) % 1_000_000:06}"


async def test_a_new_browser_wins_no_new_tries(hub: Hub, post: Post) -> None:
    """A new browser is a new account. What is sent and tried is counted for the address all the same."""
    parcels = [await parcel_for(hub, f"PW-{number}", ADA) for number in range(3)]
    sent, said = 0, []
    for turn in range(9):
        account = await accounts.open_account(hub)
        with contextlib.suppress(Refusal):
            await contacts.send_number(hub, account, parcels[turn % 3], "email", "en")
            sent += 1
            for _ in range(4):
                with pytest.raises(Refusal) as no:
                    await contacts.confirm(hub, account, wrong(post.number(ADA)))
                said.append(no.value.reason)
    assert (sent, len(post.subjects[ADA.email])) == (contacts.TRIES, contacts.TRIES)
    assert said.count("wrong_code") == contacts.OF_ONE_CONTACT


async def test_only_the_newest_number_of_an_address_counts(hub: Hub, post: Post) -> None:
    parcel = await parcel_for(hub, "PW-1", ADA)
    first, second = [await accounts.open_account(hub) for _ in range(2)]
    await contacts.send_number(hub, first, parcel, "email", "en")
    old = post.number(ADA)
    await contacts.send_number(hub, second, parcel, "email", "en")
    with pytest.raises(Refusal):
        await contacts.confirm(hub, first, old)
    await contacts.confirm(hub, second, post.number(ADA))


async def test_a_new_passkey_is_told_however_the_list_begins(hub: Hub, post: Post) -> None:
    """A parcel of somebody else with a nearer date stands first in the list, and silences nothing."""
    account, own = await accounts.open_account(hub), await parcel_for(hub, "PW-1", ADA)
    await contacts.send_number(hub, account, own, "email", "en")
    await contacts.confirm(hub, account, post.number(ADA))
    for number in range(3):
        await accounts.join(hub, account, (await parcel_for(hub, f"PW-E{number}", EVE)).id)
        await parcel_for(hub, f"PW-A{number}", ADA)
    before = len(post.subjects[ADA.email])
    await contacts.tell_of_passkey(hub, account)
    assert len(post.subjects[ADA.email]) == before + 1
    assert EVE.email not in post.subjects

"""What the hub tells a station's screen of other stations: names and addresses, and of parcels to couriers alone."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
import pytest_asyncio

from hub.test_couriers import COURIER, OTHER, admit
from parcelwall.hub import elsewhere
from parcelwall.hub.house import Hub
from parcelwall.rules.elsewhere import Answer, Asked, Kept, Place, Question
from parcelwall.rules.facts import Extended
from station.towns import Pen, a_hub, about, announced, parcel_at

HERE, NEXT, FAR = "S-0001", "S-0002", "S-0003"


@pytest_asyncio.fixture
async def hub(database: str, tmp_path: Path) -> AsyncIterator[Hub]:
    there = (about(HERE), about(NEXT, lat=60.171, columns="SML"), about(FAR, lat=60.2, columns="SML"))
    async with a_hub(database, tmp_path, stations=there) as hub:
        for station in (HERE, NEXT, FAR):
            await hub.heard(station, None, "")
        yield hub


async def named(hub: Hub, **question: object) -> str:
    """The name that a screen of HERE is told; "" for none."""
    asked = Asked("q", Question(**question))  # type: ignore[arg-type]
    answer = msgspec.json.decode(await elsewhere.answer(hub, HERE, msgspec.json.encode(asked).decode()), type=Answer)
    return answer.place.name if answer.place else ""


async def out_of_service(hub: Hub, station: str, is_out: bool) -> None:
    await hub.pool.execute("UPDATE station SET in_service = NOT $2, changed = DEFAULT WHERE id = $1", station, is_out)


async def test_the_nearest_that_is_open_is_another_that_is_there_with_room(hub: Hub) -> None:
    assert await named(hub, about="open") == "Station S-0002"
    await out_of_service(hub, NEXT, True)
    assert await named(hub, about="open") == "Station S-0003"
    for number in range(3):
        await announced(hub, f"PW-{number}", FAR)
    assert await named(hub, about="open") == "", "all that is free there is promised"
    await out_of_service(hub, NEXT, False)
    hub.clock.advance(61)  # type: ignore[attr-defined]
    assert await named(hub, about="open") == "", "nothing was heard of any for a minute"


async def test_a_label_is_told_to_a_courier_of_both_stations_alone(hub: Hub) -> None:
    await announced(hub, "PW-9", NEXT)
    assert await named(hub, about="label", label="PW-9") == "", "to nobody"
    await admit(hub, HERE)
    assert await named(hub, about="label", label="PW-9", courier=COURIER) == "", "not admitted where it belongs"
    await admit(hub, NEXT)
    assert await named(hub, about="label", label="PW-9", courier=COURIER) == "Station S-0002"
    assert await named(hub, about="label", label="PW-8", courier=COURIER) == ""
    await admit(hub, NEXT, OTHER)
    assert await named(hub, about="label", label="PW-9", courier=OTHER) == "", "not admitted at the one that asks"
    await admit(hub, NEXT, carriers=("another",))
    assert await named(hub, about="label", label="PW-9", courier=COURIER) == "", "another carrier's parcel"


async def test_room_is_told_for_a_parcel_that_is_promised_here(hub: Hub) -> None:
    parcel = await announced(hub, "PW-1", HERE)
    for station in (HERE, NEXT):
        await admit(hub, station)
    assert await named(hub, about="room", parcel=parcel) == "", "to nobody"
    assert await named(hub, about="room", parcel=parcel, courier=COURIER) == "Station S-0002"
    assert await named(hub, about="room", parcel=parcel, courier=COURIER, above="M") == "Station S-0002"
    assert await named(hub, about="room", parcel=parcel, courier=COURIER, above="L") == "", "nothing is larger there"
    assert await named(hub, about="room", parcel=UUID(int=5), courier=COURIER) == ""
    there = await announced(hub, "PW-2", NEXT)
    assert await named(hub, about="room", parcel=there, courier=COURIER) == "", "not the asking station's parcel"


@pytest.mark.parametrize("body", ["", "{}", "[]", '{"id":"1","question":{"about":"who"}}', "\ud800"])
async def test_what_nobody_can_read_is_not_answered(hub: Hub, body: str) -> None:
    assert await elsewhere.answer(hub, HERE, body) == ""


async def test_an_answer_holds_a_name_and_an_address_and_nothing_else(hub: Hub) -> None:
    asked = msgspec.json.encode(Asked("q", Question(about="open"))).decode()
    told = msgspec.json.decode(await elsewhere.answer(hub, HERE, asked))
    assert told == {"id": "q", "place": {"name": "Station S-0002", "address": "Aleksanterinkatu 9"}}
    assert Place("Kluuvi").address == ""


async def kept(hub: Hub, station: str, parcel: UUID, once: int) -> Kept | None:
    asked = Asked("q", Question(about="keep", parcel=parcel, once=UUID(int=once)))
    answer = await elsewhere.answer(hub, station, msgspec.json.encode(asked).decode())
    return msgspec.json.decode(answer, type=Answer).kept


async def test_a_parcel_is_kept_longer_once_for_each_wish_and_as_often_as_the_policy_says(hub: Hub) -> None:
    parcel = await announced(hub, "PW-1", HERE)
    until = hub.clock.now() + timedelta(hours=48)
    assert await kept(hub, HERE, parcel, 1) is None, "it does not lie there yet"
    pen = Pen(HERE, hub.clock)  # type: ignore[arg-type]
    await hub.receive(HERE, pen.write(pen.deposited(await parcel_at(hub, parcel), 1, collect_by=until)))
    assert await kept(hub, NEXT, parcel, 1) is None, "another station asks"
    first = await kept(hub, HERE, parcel, 1)
    assert first == Kept(until + timedelta(hours=hub.policy.extend_hours), True)
    assert await kept(hub, HERE, parcel, 1) == first, "the line asks again after a while"
    for wish in range(2, 2 + hub.policy.extensions):
        last = await kept(hub, HERE, parcel, wish)
    assert last is not None and not last.longer
    rows = await hub.pool.fetch("SELECT body FROM entry WHERE kind = 'Extended'")
    told = [msgspec.json.decode(row["body"], type=Extended) for row in rows]
    assert [each.by for each in told] == ["recipient"] * hub.policy.extensions

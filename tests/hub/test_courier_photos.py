"""Photos of couriers' reports: no report is lost for one, what a carrier wants, what is kept and for how long."""

import base64
import contextlib
import io
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from hub.test_couriers import COURIER, OTHER, a_jpeg, admit, an_entry
from parcelwall.errors import Refusal
from parcelwall.hub import courier_outbox, couriers, photos, tries
from parcelwall.hub.cases import CloseCase
from parcelwall.hub.courier_outbox import Entry
from parcelwall.hub.house import Hub
from parcelwall.notices.language import words
from parcelwall.rules.policy import Policy
from parcelwall.web.courier_outbox import PHOTO_TOLD, _told
from station.towns import a_hub, about, announced


@pytest_asyncio.fixture
async def hub(database: str, tmp_path: Path) -> AsyncIterator[Hub]:
    async with a_hub(database, tmp_path, stations=(about("S-0001"),)) as hub:
        yield hub


@pytest.mark.parametrize("photo", [
    "bm8ganBlZw==", "%", base64.b64encode(a_jpeg()[:-2]).decode(), base64.b64encode(b"\x89PNG\r\n").decode(),
])  # fmt: skip
async def test_no_report_is_lost_for_its_photo(hub: Hub, photo: str) -> None:
    await admit(hub, "S-0001")
    [without] = await courier_outbox.take(hub, COURIER, [an_entry(1, photo=photo)])
    assert (without.state, without.photo_unread, without.photo_left_out) == ("done", True, False)
    assert "Report it again with a new photo" in _told(hub, without, words("en"))["words"]
    [again] = await courier_outbox.take(hub, COURIER, [an_entry(2, photo=base64.b64encode(a_jpeg()).decode())])
    assert (again.case, again.photo_unread) == (without.case, False), "with a photo, the same case"
    assert await hub.pool.fetchval("SELECT count(*) FROM case_photo") == 1


async def test_a_courier_sends_so_many_photos_a_day_and_a_report_without_one_is_still_a_report(hub: Hub) -> None:
    for courier in (COURIER, OTHER):
        await admit(hub, "S-0001", courier)
    photo = base64.b64encode(a_jpeg((64, 48))).decode()
    entries = [an_entry(number, photo=photo) for number in range(photos.MOST_A_DAY + 2)]

    async def send(entries: list[Entry], courier: UUID = COURIER) -> list[bool]:
        done = await courier_outbox.take(hub, courier, entries)
        assert all(each.state == "done" and each.case.startswith("C-") for each in done)
        hub.clock.advance(660)  # type: ignore[attr-defined] - more problems than a courier can mean are another count
        return [each.photo_left_out for each in done]

    assert await send(entries) == [False] * photos.MOST_A_DAY + [True] * 2
    assert await send(entries[:2]) == [False] * 2, "sent once more it is the one that is kept already"
    async with hub.pool.acquire() as connection:
        await tries.forget(hub, connection)
    assert await send(entries[-1:]) == [True], "it is counted for the whole day"
    assert await send([an_entry(90, photo=photo)], OTHER) == [False]
    assert await hub.pool.fetchval("SELECT count(*) FROM case_photo") == photos.MOST_A_DAY + 1
    hub.clock.advance(86_400)  # type: ignore[attr-defined]
    assert await send([an_entry(91, photo=photo), an_entry(92)]) == [False] * 2


def test_a_report_without_its_photo_is_said_to_be_one(hub: Hub) -> None:
    told = _told(hub, courier_outbox.Done(UUID(int=1), "done", case="C-17", photo_left_out=True), words("de"))
    assert told["state"] == "done" and told["case"] == "C-17"
    assert told["words"] == "C-17. Ohne das Foto notiert. Sie haben heute so viele geschickt, wie wir aufheben."


@pytest.mark.parametrize(
    ("knobs", "label", "said", "kept"),
    [
        ({}, "PW-1", ("", ""), 1),
        ({"photo_required": "other"}, "PW-1", ("", ""), 1),
        ({"photo_required": "acme"}, "PW-1", ("photo_missing", ""), 1),
        ({"photo_required": "acme"}, "", ("", ""), 1),
        ({"photo_off": "*", "photo_required": "acme"}, "PW-1", ("", "photo_unwanted"), 0),
        ({"photo_off": "*"}, "", ("", "photo_unwanted"), 0),
        ({"photo_off": "other"}, "", ("", ""), 1),
    ],
    ids=str,
)
async def test_a_carrier_may_want_a_photo_or_none_and_no_report_is_lost_for_that(
    hub: Hub, knobs: dict[str, str], label: str, said: tuple[str, str], kept: int
) -> None:
    await admit(hub, "S-0001")
    await hub.admit("acme", "Acme")
    await announced(hub, "PW-1", "S-0001")
    await hub.adopt(Policy(version=2, **knobs))  # type: ignore[arg-type]
    photo = base64.b64encode(a_jpeg((64, 48))).decode()
    entries = [an_entry(1, label=label), an_entry(2, label=label, photo=photo)]
    without, pictured = await courier_outbox.take(hub, COURIER, entries)
    told = tuple(next((why for why in PHOTO_TOLD if getattr(each, why)), "") for each in (without, pictured))
    assert told == said and without.case == pictured.case != ""
    assert await hub.pool.fetchval("SELECT count(*) FROM case_photo") == kept
    await courier_outbox.take(hub, COURIER, [an_entry(4, what="door", photo=photo)])
    assert await hub.pool.fetchval("SELECT count(*) FROM case_photo") == kept + 1, "a door is no carrier's"
    gone = (await courier_outbox.take(hub, COURIER, [an_entry(3, label=label, what="not_there")]))[0]
    assert not gone.photo_missing, "of what is gone nothing is to be seen"


async def test_the_page_of_a_report_says_what_the_courier_s_carriers_want(hub: Hub) -> None:
    await hub.admit("acme", "Acme")
    await hub.admit("other", "Other")
    await hub.adopt(Policy(version=2, photo_off="acme", photo_required="more"))
    for carriers, rule in ((("acme",), "off"), (("acme", "more"), "required"), ((), "optional")):
        await admit(hub, "S-0001", carriers=carriers)
        given = (await couriers.admissions(hub, COURIER)).values()
        assert await couriers.photo_rule(hub, list(given)) == rule


async def test_photos_are_sealed_and_go_after_the_case(hub: Hub) -> None:
    await admit(hub, "S-0001")
    await courier_outbox.take(hub, COURIER, [an_entry(1, photo=base64.b64encode(a_jpeg()).decode())])
    sealed = await hub.pool.fetchval("SELECT sealed FROM case_photo")
    assert b"JFIF" not in sealed
    case = await hub.pool.fetchval("SELECT id FROM case_file")
    await hub.desk.ask(CloseCase(case=case, station="S-0001"))
    hub.clock.advance(29 * 86400)  # type: ignore[attr-defined]
    await photos.forget(hub)
    assert len(await photos.of_case(hub, case)) == 1
    hub.clock.advance(2 * 86400)  # type: ignore[attr-defined]
    await photos.forget(hub)
    assert await photos.of_case(hub, case) == []


@pytest.mark.parametrize("progressive", [False, True])
def test_a_photo_keeps_its_picture_and_loses_the_rest(progressive: bool) -> None:
    plain = a_jpeg(progressive=progressive)
    secret = b"Exif\x00\x00 60.1692 N 24.9440 E"
    thumbnail = b"\xff\xe0" + (15).to_bytes(2, "big") + b"JFXX\x00\x10a thumb"
    told = thumbnail + b"\xff\xe1" + (len(secret) + 2).to_bytes(2, "big") + secret
    comment = b"\xff\xfe" + (9 + 2).to_bytes(2, "big") + b"by a name"
    dirty = plain[:2] + told + comment + plain[2:] + b"another picture after the end"
    clean = photos.stripped(dirty)
    assert not any(word in clean for word in (b"60.1692", b"by a name", b"another", b"thumb"))
    assert Image.open(io.BytesIO(clean)).tobytes() == Image.open(io.BytesIO(plain)).tobytes()


@settings(max_examples=200)
@given(st.binary(max_size=300) | st.integers(0, 5000).map(lambda at: a_jpeg((32, 32))[:at]))
def test_no_bytes_do_harm(data: bytes) -> None:
    with contextlib.suppress(Refusal):
        assert photos.stripped(data).startswith(b"\xff\xd8")


def test_a_large_photo_is_refused() -> None:
    with pytest.raises(Refusal, match="too_large"):
        photos.stripped(b"\xff\xd8" + bytes(photos.MOST_BYTES))


def test_a_few_bytes_that_claim_a_picture_of_four_billion_points_are_refused() -> None:
    plain = a_jpeg()
    at = plain.index(b"\xff\xc0") + 5
    with pytest.raises(Refusal, match="bad_field"):
        photos.stripped(plain[:at] + b"\xff" * 4 + plain[at + 4 :])

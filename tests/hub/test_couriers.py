"""Couriers at the hub: who is admitted where, what a phone is given, what it sends twice, what a photo may hold."""

import base64
import io
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import msgspec
import pytest
import pytest_asyncio
from litestar import Request
from PIL import Image

from parcelwall.errors import Refusal
from parcelwall.hub import admitted, courier_outbox, couriers, lists, photos, signed_in, sites
from parcelwall.hub.courier_outbox import Entry
from parcelwall.hub.house import Hub
from parcelwall.hub.passkeys import Purpose
from parcelwall.link.identity import Signer, signed_by
from parcelwall.rules import delegation, facts, token
from parcelwall.rules.layout import plain_layout
from parcelwall.rules.places import Plan, Room
from parcelwall.station import taking
from parcelwall.web.courier import stop_now
from parcelwall.web.passkeys import cookie_name, drop, keep
from parcelwall.web.reader import renderer
from parcelwall.web.views import Look
from parcelwall.web.views_courier import RoundView, SignInView, StopView
from station.towns import Pen, a_hub, a_small_town, about, announced, cases, only, told

COURIER, OTHER = UUID(int=7), UUID(int=8)
PHONE = Signer(b"p" * 32)


@pytest_asyncio.fixture
async def hub(database: str, tmp_path: Path) -> AsyncIterator[Hub]:
    async with a_hub(database, tmp_path, stations=(about("S-0001"), about("S-0002", lat=60.17))) as hub:
        yield hub


async def admit(hub: Hub, station: str, courier: UUID = COURIER, **changed: object) -> UUID:
    grant = hub.ids.new()
    known: dict[str, object] = {"grant": grant, "station": station, "may": ("deposit", "take_back"), "courier": courier}
    await hub.grant(facts.Granted(**{**known, **changed}))  # type: ignore[arg-type]
    return grant


def an_entry(number: int, **changed: object) -> Entry:
    known: dict[str, object] = {"id": UUID(int=number), "kind": "problem", "station": "S-0001", "what": "damaged"}
    return Entry(**{**known, **changed})  # type: ignore[arg-type]


def a_jpeg(size: tuple[int, int] = (640, 480), progressive: bool = False) -> bytes:
    out = io.BytesIO()
    Image.effect_noise(size, 30).convert("RGB").save(out, "JPEG", quality=80, progressive=progressive)
    return out.getvalue()


async def test_an_invitation_is_good_once_and_for_three_days(hub: Hub) -> None:
    code, until = await couriers.invite(hub, COURIER)
    assert until - hub.clock.now() == timedelta(days=3)
    typed = code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert await couriers.redeem(hub, typed) == COURIER
    late, _ = await couriers.invite(hub, COURIER)
    hub.clock.advance(3 * 86400 + 1)  # type: ignore[attr-defined]
    for wrong in (code, late, "", "X" * 40):
        with pytest.raises(Refusal, match="invite_unknown"):
            await couriers.redeem(hub, wrong)


async def test_the_newest_invitation_counts_and_none_outlives_a_sign_out(hub: Hub) -> None:
    first, second = [(await couriers.invite(hub, COURIER))[0] for _ in range(2)]
    others = (await couriers.invite(hub, OTHER))[0]
    with pytest.raises(Refusal, match="invite_unknown"):
        await couriers.redeem(hub, first)
    secret = await signed_in.begin(hub, "courier", COURIER)
    await couriers.sign_out(hub, COURIER)
    assert await signed_in.find(hub, "courier", secret) is None
    with pytest.raises(Refusal, match="invite_unknown"):
        await couriers.redeem(hub, second)
    assert await couriers.redeem(hub, others) == OTHER


@pytest.mark.parametrize("purpose", get_args(Purpose))
async def test_whoever_may_be_signed_in_has_a_cookie_that_is_kept_and_ended(hub: Hub, purpose: Purpose) -> None:
    secret = await signed_in.begin(hub, purpose, COURIER)
    kept, ended = keep(hub, purpose, secret), drop(hub, purpose)
    assert (kept.httponly, kept.key, kept.samesite) == (True, ended.key, ended.samesite)
    assert kept.samesite in ("lax", "strict")
    found = await signed_in.find(hub, purpose, secret)
    assert found is not None and found.holder == COURIER
    assert [await signed_in.find(hub, each, secret) for each in get_args(Purpose) if each != purpose] == [None, None]
    await signed_in.end_all(hub, COURIER)
    assert await signed_in.find(hub, purpose, secret) is None


async def test_admissions_are_those_in_force_of_this_courier(hub: Hub) -> None:
    first = await admit(hub, "S-0001")
    await admit(hub, "S-0002", until=hub.clock.now() - timedelta(seconds=1))
    await admit(hub, "S-0002", OTHER)
    assert list(await couriers.admissions(hub, COURIER)) == ["S-0001"]
    second = await admit(hub, "S-0001", may=("deposit",))
    assert (await couriers.admissions(hub, COURIER))["S-0001"].grant == second, "the newest counts"
    await hub.revoke("S-0001", second)
    assert (await couriers.admissions(hub, COURIER))["S-0001"].grant == first
    await hub.revoke("S-0001", first)
    assert await couriers.admissions(hub, COURIER) == {}


async def test_a_delegation_is_signed_for_this_phone_and_this_station_and_for_a_day_at_most(hub: Hub) -> None:
    soon = hub.clock.now() + timedelta(hours=2)
    await admit(hub, "S-0001")
    grant = await admit(hub, "S-0002", may=("deposit", "service"), until=soon)
    one, other = await couriers.delegate(hub, COURIER, PHONE.public)
    assert (one.station, one.until) == ("S-0001", hub.clock.now() + timedelta(hours=24))
    assert other.until == soon, "not longer than the admission"
    read = delegation.read(delegation.text(bytes.fromhex(other.delegation), bytes(64)))
    assert read is not None
    assert signed_by(hub.signer.public, read.signature.hex(), token.to_sign(read.payload))
    assert (read.courier, read.grant, read.phone_key, read.may) == (COURIER, grant, PHONE.public, ("deposit",))
    assert read.station_number == token.station_number("S-0002") == other.number


async def test_a_round_counts_and_forecasts(database: str, tmp_path: Path) -> None:
    async with a_small_town(database, tmp_path) as town:
        hub, station = town.hub, only(town)
        for number in range(3):
            await told(town, f"PW-{number}")
        await station.deposit("PW-0")
        await station.carry()
        [stop] = await couriers.round_of(hub, station.courier)
        assert (stop.to_bring, stop.to_take, stop.may) == (2, 0, ("deposit", "take_back"))
        small = next(size for size in stop.sizes if size.name == "S")
        assert (small.free, small.coming, small.short) == (3, 2, 0)
        [done] = await couriers.done_today(hub, station.courier, "Europe/Helsinki")
        assert (done.kind, done.station) == ("Deposited", "S-0001")
        assert await couriers.done_today(hub, OTHER, "Europe/Helsinki") == []
        assert await couriers.round_of(hub, OTHER) == []


async def test_returns_are_taken_along_and_not_brought(database: str, tmp_path: Path) -> None:
    """The counts, the list and the labels of a stop agree with what the station's own screen says."""
    async with a_small_town(database, tmp_path) as town:
        hub, station = town.hub, only(town)
        await told(town, "PW-1")
        await told(town, "SENT-1", direction="return")
        await told(town, "SENT-2", direction="return")
        await station.deposit("SENT-2")
        await station.carry()
        [stop] = await couriers.round_of(hub, station.courier)
        assert (stop.to_bring, stop.to_take) == (1, 1)
        assert [each.reference for each in await couriers.to_bring(hub, "S-0001")] == ["PW-1"]
        taken = await couriers.to_take(hub, "S-0001")
        assert [each.reference for each in taken] == ["SENT-2"]
        assert [each.id for each in taking.waiting(station.desk)] == [taken[0].id]


async def test_who_is_admitted_for_some_carriers_hears_nothing_of_the_others(hub: Hub) -> None:
    await announced(hub, "PW-OURS", "S-0001")
    await announced(hub, "PW-THEIRS", "S-0001", carrier="other")
    for carriers, ours, all_known in ((("acme",), 1, "unknown"), ((), 2, "here")):
        await admit(hub, "S-0001", carriers=carriers)
        [stop] = await couriers.round_of(hub, COURIER)
        labels = couriers.labels_of(await couriers.to_bring(hub, "S-0001", stop.carriers))
        assert (stop.to_bring, len(labels), "PW-OURS" in labels) == (ours, ours, True)
        assert (await couriers.what_is(hub, COURIER, "PW-OURS", "S-0001")).verdict == "here"
        assert (await couriers.what_is(hub, COURIER, "PW-THEIRS", "S-0001")).verdict == all_known


async def test_what_others_have_brought_is_not_theirs_to_take(database: str, tmp_path: Path) -> None:
    async with a_small_town(database, tmp_path) as town:
        hub, station = town.hub, only(town)
        for reference, carrier in (("SENT-1", "acme"), ("SENT-2", "other")):
            await told(town, reference, direction="return", carrier=carrier)
            await station.deposit(reference)
        await station.carry()
        await admit(hub, "S-0001", station.courier, carriers=("acme",))
        [stop] = await couriers.round_of(hub, station.courier)
        assert stop.to_take == 1
        assert [each.reference for each in await couriers.to_take(hub, "S-0001", stop.carriers)] == ["SENT-1"]


async def test_an_admission_names_carriers_that_there_are(hub: Hub) -> None:
    await hub.admit("acme", "Acme")
    grant = facts.Granted(grant=UUID(int=1), station="S-0001", may=("deposit",), courier=COURIER, carriers=("acme",))
    await lists.admit(hub, grant)
    with pytest.raises(Refusal, match="There is no carrier nobody"):
        await lists.admit(hub, msgspec.structs.replace(grant, grant=UUID(int=2), carriers=("acme", "nobody")))
    assert [each.carriers for each in await lists.staff(hub, "S-0001")] == [("acme",)]


def test_a_small_parcel_without_a_small_compartment_takes_a_larger_one() -> None:
    plan = Plan(plain_layout("SML"))
    needs = {need: plan.smallest(need) for need in range(1, 1 << len(plan.kinds))}
    of = {size: max(need for need, smallest in needs.items() if smallest == size) for size in ("S", "M", "L")}
    crowded = couriers.room_by_size(plan, Room(promised={of["S"]: 2, of["M"]: 1}))
    assert [(size.name, size.coming, size.short) for size in crowded] == [("S", 2, 0), ("M", 1, 0), ("L", 0, 0)]
    full = couriers.room_by_size(plan, Room(promised={of["S"]: 2, of["L"]: 2}))
    assert {size.name: size.short for size in full} == {"S": 0, "M": 0, "L": 1}, "none goes into a smaller one"


async def test_a_label_is_known_at_its_stop_and_elsewhere_on_the_round_only(hub: Hub) -> None:
    await admit(hub, "S-0001")
    parcel = await announced(hub, "PW-7F3-2917", "S-0001")
    await announced(hub, "PW-OTHER", "S-0002")
    found = await couriers.what_is(hub, COURIER, "pw-7f3-2917", "S-0001")
    assert (found.verdict, found.ending, found.parcel) == ("here", "2917", parcel)
    assert (await couriers.what_is(hub, COURIER, "PW-OTHER", "S-0001")).verdict == "unknown", "not on this round"
    await admit(hub, "S-0002")
    found = await couriers.what_is(hub, COURIER, "PW-OTHER", "S-0001")
    assert (found.verdict, found.station) == ("elsewhere", "S-0002")
    assert (await couriers.what_is(hub, COURIER, "RB123456784GB", "S-0001")).verdict == "mistyped"
    assert (await couriers.what_is(hub, COURIER, "RB123456785GB", "S-0001")).verdict == "unknown"


async def test_an_entry_that_is_sent_twice_is_one_case_with_one_photo(hub: Hub) -> None:
    await admit(hub, "S-0001")
    parcel = await announced(hub, "PW-1", "S-0001")
    entry = an_entry(1, label="PW-1", photo=base64.b64encode(a_jpeg()).decode())
    first, again = [await courier_outbox.take(hub, COURIER, [entry]) for _ in range(2)]
    assert first == again
    assert first[0].state == "done" and first[0].case.startswith("C-")
    assert await cases(hub) == ["reported_damaged"]
    case = await hub.pool.fetchrow("SELECT id, parcel, holds FROM case_file")
    assert (case["parcel"], case["holds"]) == (parcel, False)
    assert len(await photos.of_case(hub, case["id"])) == 1
    other = an_entry(1, label="PW-1", what="dirty")
    assert (await courier_outbox.take(hub, COURIER, [other]))[0].reason == "idempotency_key_reused"


async def test_one_refused_entry_leaves_the_others_alone(hub: Hub) -> None:
    await admit(hub, "S-0001")
    sent = [
        an_entry(1, station="S-0002"), an_entry(2),
        an_entry(5, kind="carried", bundle=base64.b64encode(b"x" * 80).decode()), an_entry(6, what=None),
    ]  # fmt: skip
    done = await courier_outbox.take(hub, COURIER, sent)
    assert [each.reason for each in done] == ["no_right", "", "bundle_unknown", "bad_field"]
    assert await cases(hub) == ["reported_damaged"]


async def test_an_open_stop_of_a_phone_that_is_signed_out_shows_it_no_more(hub: Hub) -> None:
    grant = await admit(hub, "S-0001")
    await admit(hub, "S-0002")
    secret, look = await signed_in.begin(hub, "courier", COURIER), Look()
    cookie = f"{cookie_name(hub, 'courier')}={secret}".encode()
    request: Any = Request({"type": "http", "method": "GET", "path": "/", "headers": [(b"cookie", cookie)]})
    assert isinstance(await stop_now(request, hub, "S-0001", look), StopView)
    await hub.revoke("S-0001", grant)
    shown = await stop_now(request, hub, "S-0001", look)
    assert isinstance(shown, RoundView) and [each.station for each in shown.stops] == ["S-0002"]
    await signed_in.end(hub, secret)
    out = await stop_now(request, hub, "S-0002", look)
    assert isinstance(out, SignInView) and "Couriers: sign in" in renderer().fragment(out, look)
    assert "S-0002" in renderer().fragment(shown, look)


async def test_no_station_admits_anybody(hub: Hub) -> None:
    """A stolen computer writes what only the hub may write, into its own stream and about another station."""
    pen = Pen("S-0001", hub.clock)  # type: ignore[arg-type]
    told = facts.Granted(grant=hub.ids.new(), station="S-0002", may=("deposit", "take_back"), courier=COURIER)
    await hub.receive("S-0001", pen.write(told))
    assert await couriers.admissions(hub, COURIER) == {}
    assert await couriers.delegate(hub, COURIER, PHONE.public) == []
    assert await admitted.admitted(hub) == []
    policy = msgspec.structs.replace(hub.policy, hold_hours=1)
    note = facts.SiteNoted(station="S-0002", host="Nobody Ltd")
    await hub.receive("S-0001", pen.write(facts.PolicyAdopted(policy=policy), note))
    await hub.refresh()
    assert hub.policy.hold_hours != 1 and await sites.newest(hub) == []

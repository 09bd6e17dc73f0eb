"""The API of carriers: /api/v1. Parse, ask the desk, answer. OpenAPI at /docs."""

import asyncio
import hashlib
from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.params import Parameter

from parcelwall import clock
from parcelwall.errors import Refusal
from parcelwall.hub import acts, lists, reading
from parcelwall.hub.commands import Announce, Answer, Asked, Cancel, Command, Divert, Extend, OneBatch, Report, Reserve
from parcelwall.hub.ending import CallOff
from parcelwall.hub.house import Hub
from parcelwall.hub.offers import Offered
from parcelwall.rules.life import Stage
from parcelwall.rules.sentence import sentence
from parcelwall.rules.tables import Told
from parcelwall.web import answers as shapes
from parcelwall.web.answers import PROBLEMS as PROBLEMS
from parcelwall.web.answers import READS, WRITES, ParcelShown, answers
from parcelwall.web.bodies import (
    BatchBody,
    CancelBody,
    DivertBody,
    ExtendBody,
    OfferBody,
    ParcelBody,
    ReportBody,
    ReserveBody,
    Where,
    aware,
)  # fmt: skip
from parcelwall.web.field_words import REFERENCE
from parcelwall.web.tracking import zone_of
from parcelwall.web.who import Brake, Doorman, Who, address_of

KEY_LIMIT = 255
Key = Annotated[
    str | None,
    Parameter(header="Idempotency-Key", required=True, description="new for each intention, 1-255 characters"),
]
Limit = Annotated[int, Parameter(ge=1, le=500, description="most on a page")]
After = Annotated[int, Parameter(ge=0, le=10**15, description="the `next` of the page before")]
AfterStation = Annotated[str, Parameter(max_length=64, description="the `next` of the page before")]
Named = Annotated[str | None, Parameter(pattern=REFERENCE, description="as you announced it")]
ANNOUNCED = answers(201, ParcelShown, "Announced; DIVERTED, with a `reason`, if no room can be promised", WRITES)
CHANGED = answers(200, ParcelShown, "The parcel as it is now", WRITES)


async def provide_who(request: Request[Any, Any, Any], doorman: Doorman) -> Who:
    return await doorman.who(request.headers.get("authorization"))


async def asked(request: Request[Any, Any, Any], who: Who, key: str | None) -> Asked:
    return asked_by(who, key, f"{request.method} {request.url.path}", await request.body())


async def asked_by_carrier(request: Request[Any, Any, Any], who: Who, key: str | None) -> Asked:
    """As `asked`, but of carriers alone: of what they write. Raises Refusal."""
    who.must_carry()
    return await asked(request, who, key)


def asked_by(who: Who, key: str | None, what: str, body: bytes) -> Asked:
    """Who asks what, so that a repeat gets the same answer. The whole request counts: method, address and body.

    Raises Refusal without a usable key.
    """
    if not key or len(key) > KEY_LIMIT or not key.isascii() or not key.isprintable():
        raise Refusal("idempotency_key_missing")
    return Asked(who.carrier, key, hashlib.sha256(f"{what}\n".encode() + body).digest())


def answered(answer: Answer) -> Response[bytes]:
    return Response(answer.text, status_code=answer.status, media_type="application/json")


class Parcels(Controller):
    """Parcels of the carrier whose key is used; nobody else's exist here."""

    path = "/parcels"
    tags = ["parcels"]  # noqa: RUF012 - litestar's own form

    @post("/", summary="Announce a parcel; with a destination, room is promised at once", responses=ANNOUNCED)
    async def announce(
        self, request: Request[Any, Any, Any], data: ParcelBody, who: Who, hub: Hub, key: Key = None
    ) -> Response[bytes]:
        mine = await asked_by_carrier(request, who, key)
        told = await what_was_told(hub, data.destination, who)
        answer = await hub.desk.ask(announcement(data, who, mine, told))
        note_choice(hub, data.destination.offer if data.destination else None, who, answer)
        return answered(answer)

    @post("/batch", summary="Announce up to 1,000 parcels; each has its own answer",
          responses=answers(201, shapes.BatchAnswer, "An answer for each", WRITES))
    async def batch(
        self, request: Request[Any, Any, Any], data: BatchBody, who: Who, hub: Hub, key: Key = None
    ) -> Response[bytes]:
        whole = await asked_by_carrier(request, who, key)
        told = await all_that_was_told(hub, [body.destination for body in data.parcels], who)
        await hub.desk.ask(OneBatch(asked=whole))
        commands = []
        for index, (body, of_it) in enumerate(zip(data.parcels, told, strict=True)):
            mine = Asked(whole.actor, f"{whole.key}#{index}", whole.request_hash)
            commands.append(announcement(body, who, mine, of_it))
        outcomes = await asyncio.gather(*map(hub.desk.ask, commands), return_exceptions=True)
        answers = [_settled(each) for each in outcomes]
        for body, outcome in zip(data.parcels, outcomes, strict=True):
            if isinstance(outcome, Answer):
                note_choice(hub, body.destination.offer if body.destination else None, who, outcome)
        return Response(msgspec.json.encode({"parcels": answers}), status_code=201, media_type="application/json")

    @get("/", summary="Your parcels, by reference or a page at a time",
         responses=answers(200, shapes.Parcels, "A page of them", READS))  # fmt: skip
    async def find(
        self, who: Who, hub: Hub, reference: Named = None, after: UUID | None = None, limit: Limit = 100
    ) -> Response[bytes]:
        shown = await reading.parcels(hub, who.carrier, reference, after, limit)
        body = {"parcels": shown, "next": shown[-1]["id"] if len(shown) == limit else None}
        return Response(msgspec.json.encode(body), media_type="application/json")

    @get("/{parcel:uuid}", summary="One parcel", responses=answers(200, ParcelShown, "The parcel", (*READS, 404)))
    async def one(self, parcel: UUID, who: Who, hub: Hub) -> Response[bytes]:
        return Response(
            msgspec.json.encode(await reading.parcel(hub, who.carrier, parcel)), media_type="application/json"
        )

    @get("/{parcel:uuid}/send-code", summary="The code with which its sender puts a return in",
         responses=answers(200, shapes.SendCode, "The code", (*READS, 404, 409)))  # fmt: skip
    async def send_code(self, parcel: UUID, who: Who, hub: Hub) -> Response[bytes]:
        """Give it to whoever sends the parcel back. Raises Refusal; never kept with an Idempotency-Key."""
        told = await reading.send_code(hub, who.carrier, parcel)
        return Response(msgspec.json.encode(told), media_type="application/json")

    @post("/{parcel:uuid}/reserve", status_code=200, summary="Promise room, or room elsewhere", responses=CHANGED)
    async def reserve(
        self, request: Request[Any, Any, Any], parcel: UUID, data: ReserveBody, who: Who, hub: Hub, key: Key = None
    ) -> Response[bytes]:
        mine = await asked_by_carrier(request, who, key)
        where = data.destination.destination(await what_was_told(hub, data.destination, who))
        answer = await hub.desk.ask(Reserve(carrier=who.carrier, parcel=parcel, destination=where, asked=mine))
        note_choice(hub, data.destination.offer, who, answer)
        return answered(answer)

    @post("/{parcel:uuid}/cancel", status_code=200, summary="It will not come", responses=CHANGED)
    async def cancel(
        self, request: Request[Any, Any, Any], parcel: UUID, data: CancelBody, who: Who, hub: Hub, key: Key = None
    ) -> Response[bytes]:
        """One of the operator's people may cancel anybody's, with a reason."""
        mine = await asked(request, who, key)
        if who.carries:
            return answered(await hub.desk.ask(Cancel(carrier=who.carrier, parcel=parcel, why=data.why, asked=mine)))
        who.must("end", await reading.station_of_parcel(hub, parcel))
        acts.refuse_bad_reason(data.why)
        return answered(await hub.desk.ask(CallOff(parcel=parcel, why=data.why, actor=who.actor, asked=mine)))

    @post("/{parcel:uuid}/extend", status_code=200, summary="Keep it longer", responses=CHANGED)
    async def extend(
        self, request: Request[Any, Any, Any], parcel: UUID, data: ExtendBody, who: Who, hub: Hub, key: Key = None
    ) -> Response[bytes]:
        mine = await asked_by_carrier(request, who, key)
        return answered(await hub.desk.ask(Extend(carrier=who.carrier, parcel=parcel, hours=data.hours, asked=mine)))

    @post("/{parcel:uuid}/divert", status_code=200, summary="It goes another way", responses=CHANGED)
    async def divert(
        self, request: Request[Any, Any, Any], parcel: UUID, data: DivertBody, who: Who, hub: Hub, key: Key = None
    ) -> Response[bytes]:
        mine = await asked_by_carrier(request, who, key)
        command = Divert(carrier=who.carrier, parcel=parcel, reason=data.checked(), asked=mine)
        return answered(await hub.desk.ask(command))


def note_choice(hub: Hub, offer: UUID | None, who: Who, answer: Answer) -> None:
    """Room was promised at a station that an offer had named: kept beside the offer, to judge what it said."""
    if offer is not None and answer.body.get("station"):
        hub.offers.chose(offer, answer.body["station"], who.carrier)


async def what_was_told(hub: Hub, where: Where | None, who: Who) -> dict[str, Told]:
    """What the offer that is named had said of its stations: it is kept with the promise."""
    return await hub.offers.told(where.offer, who.carrier) if where and where.offer else {}


async def all_that_was_told(hub: Hub, places: Sequence[Where | None], who: Who) -> list[dict[str, Told]]:
    """The same for each of a batch; an offer that several name is read once."""
    offers = list({where.offer for where in places if where and where.offer})
    read = await asyncio.gather(*(hub.offers.told(offer, who.carrier) for offer in offers))
    known = dict(zip(offers, read, strict=True))
    return [known.get(where.offer, {}) if where and where.offer else {} for where in places]


def announcement(data: ParcelBody, who: Who, asked: Asked, told: dict[str, Told] | None = None) -> Announce:
    person = data.recipient.person() if data.recipient else None
    where = data.destination.destination(told) if data.destination else None
    return Announce(order=data.order(who.carrier), person=person, destination=where, asked=asked)


def _settled(outcome: Any) -> dict[str, Any]:
    """One parcel's part of a batch's answer: what it became, or the reason why it was refused."""
    if isinstance(outcome, Refusal):
        return {"reason": outcome.reason, "detail": outcome.sentence, **outcome.details}
    if isinstance(outcome, BaseException):
        raise outcome
    body: dict[str, Any] = outcome.body
    return body


class Stations(Controller):
    """Stations, for everybody who has a key: place, sizes, counts. Never which door is taken."""

    path = "/stations"
    tags = ["stations"]  # noqa: RUF012

    @get("/", summary="All stations, a page at a time",
         responses=answers(200, shapes.Stations, "A page in the order of ids", READS))  # fmt: skip
    async def every(self, who: Who, hub: Hub, after: AfterStation = "", limit: Limit = 500) -> Response[bytes]:
        shown = await reading.stations(hub, after, limit)
        body = {"stations": shown, "next": shown[-1]["id"] if len(shown) == limit else None}
        return Response(msgspec.json.encode(body), media_type="application/json")

    @get("/{station:str}", summary="One station",
         responses=answers(200, shapes.StationShown, "The station", (*READS, 404)))  # fmt: skip
    async def one(self, station: str, who: Who, hub: Hub) -> Response[bytes]:
        return Response(msgspec.json.encode(await reading.station(hub, station)), media_type="application/json")

    @get("/{station:str}/availability", summary="Free, held and usable compartments by size",
         responses=answers(200, shapes.Availability, "Counts by size", (*READS, 404)))  # fmt: skip
    async def availability(self, station: str, who: Who, hub: Hub) -> Response[bytes]:
        return Response(msgspec.json.encode(await reading.availability(hub, station)), media_type="application/json")


@post("/offers", status_code=200, tags=["offers"], summary="Stations near a place, with the chance of room",
      responses=answers(200, Offered, "Offers, the best first", (*READS, 403, 422)))  # fmt: skip
async def make_offers(data: OfferBody, who: Who, hub: Hub) -> Response[bytes]:
    """Advice, at order time: what is reserved then is a promise.

    Raises Refusal for sides that cannot be, and for all but carriers.
    """
    who.must_carry()
    found = await hub.offers.offer(data.wanted(who.carrier))
    return Response(msgspec.json.encode(found), media_type="application/json")


@get("/entries", summary="Your feed: every entry of your parcels, gapless, from a number on", tags=["entries"],
     responses=answers(200, shapes.Entries, "A page of it", READS))  # fmt: skip
async def entries(who: Who, hub: Hub, after: After = 0, limit: Limit = 100) -> Response[bytes]:
    rows = await reading.feed(hub, who.carrier, after, limit)
    body = {"entries": rows, "next": rows[-1]["number"] if rows else after}
    return Response(msgspec.json.encode(body), media_type="application/json")


@get("/track/{reference:str}", summary="What anybody may know of a number: one sentence, its step, a day",
     tags=["tracking"], security=[{}],
     responses=answers(200, shapes.TrackShown, "The sentence", (400, 404, 429, 503)))  # fmt: skip
async def track(request: Request[Any, Any, Any], reference: str, hub: Hub, brake: Brake) -> Response[bytes]:
    """Unknown, foreign, cancelled and erased numbers get the same answer.

    Raises Refusal; misses are counted by address.
    """
    return Response(await tracked(hub, brake, reference, address_of(request)), media_type="application/json")


async def tracked(hub: Hub, brake: Brake, reference: str, address: str) -> bytes:
    """The answer to a typed number, as JSON. Raises Refusal for one that nobody may know of; misses are counted."""
    brake.stop(address)
    parcel = await hub.desk.find(reference)
    brake.stop(address)  # of many asked at once the others were misses meanwhile
    if parcel is None or parcel.stage == Stage.CANCELLED:
        brake.miss(address)
        raise Refusal("not_found", "We find nothing under this number. Check it with the sender.")
    said = sentence(parcel, hub.clock.now())
    day = said.day.astimezone(ZoneInfo(zone_of(hub, parcel))).date().isoformat() if said.day else None
    return msgspec.json.encode({"sentence": said.key, "step": said.step, "delayed": said.delayed, "day": day})


@post("/carriers/{carrier:str}/reports", status_code=200, tags=["carriers"], responses=CHANGED,
      summary="What a carrier scanned on the way")  # fmt: skip
async def report(
    request: Request[Any, Any, Any], carrier: str, data: ReportBody, who: Who, hub: Hub, key: Key = None
) -> Response[bytes]:
    """What a carrier scanned. Raises Refusal for a foreign carrier or an unknown parcel."""
    if carrier != who.carrier:
        raise Refusal("not_found")
    mine = await asked_by_carrier(request, who, key)
    parcel = await reading.own_id(hub, carrier, data.reference)
    command: Command = Report(
        carrier=carrier, parcel=parcel, mark=data.checked(), reason=data.reason,
        expected_at=aware(data.expected_at, "expected_at"), asked=mine,
    )  # fmt: skip
    return answered(await hub.desk.ask(command))


@get("/couriers/{courier:uuid}/code", summary="A courier's code of the day at a station", tags=["carriers"],
     responses=answers(200, shapes.CourierCode, "The code", (*READS, 403, 404)))  # fmt: skip
async def courier_code(courier: UUID, station: str, who: Who, hub: Hub) -> Response[bytes]:
    """For operators: what a courier types at the kiosk today. Raises Refusal for anybody else, and of couriers whom
    the station does not know."""
    who.must("couriers", station)
    code, day = await lists.code_of_the_day(hub, station, courier)
    body = {"station": station, "code": code, "day": day.isoformat(), "now": clock.text(hub.clock.now())}
    return Response(msgspec.json.encode(body), media_type="application/json")

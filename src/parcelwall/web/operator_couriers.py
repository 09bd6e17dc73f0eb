"""The API of operators about couriers' phones: sign one in, end all of a courier's, the order of their stops, the
photos of a case."""

import base64
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from msgspec import Meta

from parcelwall.hub import couriers, photos, reading, round_order
from parcelwall.hub.house import Hub
from parcelwall.hub.round_order import MOST_STATIONS, Ordered
from parcelwall.web.answers import answers
from parcelwall.web.bodies import Body, StationId
from parcelwall.web.operator import OPERATOR_READS, OPERATOR_WRITES
from parcelwall.web.who import Who


class Invited(msgspec.Struct):
    """`code` signs in one phone, once, until `until`. `path` is where; with `#` and the code it is filled in."""

    courier: UUID
    code: str
    path: str
    until: datetime


class SignedOut(msgspec.Struct):
    signed_out: bool


class PhotosShown(msgspec.Struct):
    """JPEG pictures in base64, oldest first."""

    photos: list[str]


class PassedShown(msgspec.Struct):
    """A stop that its courier went on without: `been` there, they say, or `unreachable`. `at` is when the hub heard."""

    station: str
    why: Literal["been", "unreachable"]
    at: datetime


class OrderShown(msgspec.Struct, omit_defaults=True):
    """The order of a courier's stops on a day; `stations` are empty where there is none. `at` is when it was given."""

    courier: UUID
    day: date
    stations: list[str]
    passed: list[PassedShown]
    at: datetime | None = None


class OrderBody(Body):
    """Ids of stations in the order in which they come; none takes the order back. Without `day`: of today."""

    stations: Annotated[list[StationId], Meta(max_length=MOST_STATIONS)]
    day: date | None = None


def _shown(courier: UUID, order: Ordered) -> Response[bytes]:
    passed = [PassedShown(each.station, each.why, each.at) for each in order.passed]
    body = OrderShown(courier, order.day, list(order.stations), passed, order.at)
    return Response(msgspec.json.encode(body), media_type="application/json")


class Couriers(Controller):
    """Couriers' phones."""

    tags = ["operator"]  # noqa: RUF012 - litestar's own form

    @post("/couriers/{courier:uuid}/invite", status_code=201, summary="A code that signs in a courier's phone",
          responses=answers(201, Invited, "Shown this once", OPERATOR_WRITES))  # fmt: skip
    async def invite(self, courier: UUID, who: Who, hub: Hub) -> Response[bytes]:
        who.must("couriers")
        code, until = await couriers.invite(hub, courier)
        body = Invited(courier, code, f"/courier/sign-in#{code}", until)
        return Response(msgspec.json.encode(body), status_code=201, media_type="application/json")

    @post("/couriers/{courier:uuid}/sign-out", status_code=200, summary="A phone was lost: end all of this courier's",
          responses=answers(200, SignedOut, "They are signed out", OPERATOR_WRITES))  # fmt: skip
    async def sign_out(self, courier: UUID, who: Who, hub: Hub) -> Response[bytes]:
        who.must("couriers")
        await couriers.sign_out(hub, courier)
        return Response(b'{"signed_out":true}', media_type="application/json")

    @post("/couriers/{courier:uuid}/round", status_code=200, summary="The order of a courier's stops on a day",
          responses=answers(200, OrderShown, "Given", OPERATOR_WRITES))  # fmt: skip
    async def order(self, courier: UUID, data: OrderBody, who: Who, hub: Hub) -> Response[bytes]:
        """Their phone shows it at its next look. What opening another stop first does, `order_warned` and
        `order_enforced` of the policy say. No station keeps to it."""
        admitted = await couriers.admissions(hub, courier)
        day = data.day or round_order.day_at(hub, next(iter(data.stations or sorted(admitted)), ""))
        named = (*data.stations, *(await round_order.of_day(hub, courier, day)).stations)
        for each in named or (None,):
            who.must("couriers", each)
        return _shown(courier, await round_order.give(hub, courier, day, data.stations, admitted, who.actor))

    @get("/couriers/{courier:uuid}/round", summary="The order of a courier's stops, and what they passed of it",
         responses=answers(200, OrderShown, "The order", OPERATOR_READS))  # fmt: skip
    async def order_shown(self, courier: UUID, who: Who, hub: Hub, day: date | None = None) -> Response[bytes]:
        who.must("couriers")
        first = next(iter(sorted(await couriers.admissions(hub, courier))), "")
        return _shown(courier, await round_order.of_day(hub, courier, day or round_order.day_at(hub, first)))

    @get("/cases/{case:uuid}/photos", summary="What a courier has photographed",
         responses=answers(200, PhotosShown, "Its photos, none for a case without", OPERATOR_READS))  # fmt: skip
    async def photos(self, case: UUID, who: Who, hub: Hub) -> Response[bytes]:
        who.must("see")
        who.must("hold", await reading.station_of_case(hub, case))
        shown = [base64.b64encode(picture).decode() for picture in await photos.of_case(hub, case)]
        return Response(msgspec.json.encode(PhotosShown(shown)), media_type="application/json")

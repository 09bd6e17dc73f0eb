"""The API of operators about couriers' phones: sign one in, end all of a courier's, see the photos of a case."""

import base64
from datetime import datetime
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post

from parcelwall.hub import couriers, photos, reading
from parcelwall.hub.house import Hub
from parcelwall.web.answers import answers
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

    @get("/cases/{case:uuid}/photos", summary="What a courier has photographed",
         responses=answers(200, PhotosShown, "Its photos, none for a case without", OPERATOR_READS))  # fmt: skip
    async def photos(self, case: UUID, who: Who, hub: Hub) -> Response[bytes]:
        who.must("see")
        who.must("hold", await reading.station_of_case(hub, case))
        shown = [base64.b64encode(picture).decode() for picture in await photos.of_case(hub, case)]
        return Response(msgspec.json.encode(PhotosShown(shown)), media_type="application/json")

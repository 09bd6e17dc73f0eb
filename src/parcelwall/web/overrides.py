"""The API of operators for single parcels: nobody may collect it now, one more code does, or nobody ever will. Needs an
operator's key. That it will not come, they say where carriers do.

All stand in the journal of the parcel's station, which obeys them from when it has heard, with or without a line.
"""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, post
from msgspec import Meta

from parcelwall.hub import acts, lists, reading
from parcelwall.hub.drawn import NewCode, draw
from parcelwall.hub.ending import WriteOff
from parcelwall.hub.house import Hub
from parcelwall.hub.staff import Person
from parcelwall.web.answers import WRITES, ParcelShown, answers
from parcelwall.web.api import Key, answered, asked
from parcelwall.web.bodies import Body, aware
from parcelwall.web.field_words import WORDS
from parcelwall.web.operator import OPERATOR_WRITES, RevokeBody, Revoked
from parcelwall.web.who import Who


class BlockedShown(msgspec.Struct):
    """Whether nobody may collect it, and which station is told."""

    parcel: UUID
    blocked: bool
    station: str | None = None


class WrittenOffShown(ParcelShown, kw_only=True):
    """The parcel, and the case that holds its compartment until somebody has looked behind the door and closed it."""

    case: UUID


class CodeBody(Body):
    """Why, for the journal: no names, no numbers of people. When it is good: from now and for seven days, the longest,
    if not said."""

    reason: Annotated[str, Meta(min_length=1, max_length=200, pattern=WORDS)]
    not_before: datetime | None = None
    until: datetime | None = None


class CodeShown(msgspec.Struct):
    """The code, shown this once: nobody can look it up later. `grant` takes it back."""

    grant: UUID
    code: str
    until: datetime


class Overrides(Controller):
    """What an operator says of one parcel beside its own code."""

    tags = ["operator"]  # noqa: RUF012 - litestar's own form

    @post("/parcels/{parcel:uuid}/block", status_code=200, summary="Nobody may collect it now",
          responses=answers(200, BlockedShown, "No code, QR or order opens it", WRITES))
    async def block(
        self, request: Request[Any, Any, Any], parcel: UUID, data: RevokeBody, who: Who, hub: Hub, key: Key = None
    ) -> Response[bytes]:
        who.must("hold", await reading.station_of_parcel(hub, parcel))
        mine = await asked(request, who, key)
        return answered(await hub.desk.ask(lists.Block(parcel=parcel, why=data.why, actor=who.actor, asked=mine)))

    @post("/parcels/{parcel:uuid}/unblock", status_code=200, summary="It may be collected again",
          responses=answers(200, BlockedShown, "Its code is good again", WRITES))
    async def unblock(
        self, request: Request[Any, Any, Any], parcel: UUID, data: RevokeBody, who: Who, hub: Hub, key: Key = None
    ) -> Response[bytes]:
        who.must("unblock", await reading.station_of_parcel(hub, parcel))
        mine = await asked(request, who, key)
        lifted = lists.Block(parcel=parcel, why=data.why, lifted=True, actor=who.actor, asked=mine)
        return answered(await hub.desk.ask(lifted))

    @post("/parcels/{parcel:uuid}/write-off", status_code=200, summary="Nobody will ever hand it out",
          responses=answers(200, WrittenOffShown, "It has ended, as lost", WRITES))
    async def write_off(
        self, request: Request[Any, Any, Any], parcel: UUID, data: RevokeBody, who: Who, hub: Hub, key: Key = None
    ) -> Response[bytes]:
        who.must("end", await reading.station_of_parcel(hub, parcel))
        acts.refuse_bad_reason(data.why)
        mine = await asked(request, who, key)
        return answered(await hub.desk.ask(WriteOff(parcel=parcel, why=data.why, actor=who.actor, asked=mine)))

    @post("/parcels/{parcel:uuid}/codes", status_code=201, summary="One more code for a parcel inside",
          responses=answers(201, CodeShown, "The code", OPERATOR_WRITES))
    async def draw_code(self, parcel: UUID, data: CodeBody, who: Who, hub: Hub) -> Response[bytes]:
        """It counts as a door that one person opens alone: the third in ten minutes is refused."""
        person = Person(who.carrier, who.carrier, who.role, who.area, who.actor)
        until, not_before = aware(data.until, "until"), aware(data.not_before, "not_before")
        wanted = NewCode(parcel, 0, data.reason, until, not_before)
        drawn = await draw(hub, person, wanted)
        body = CodeShown(drawn.grant, drawn.digits, drawn.until)
        return Response(msgspec.json.encode(body), status_code=201, media_type="application/json")

    @post("/stations/{station:str}/codes/{grant:uuid}/revoke", status_code=200, summary="That code opens nothing more",
          responses=answers(200, Revoked, "Taken back", OPERATOR_WRITES))
    async def revoke(self, station: str, grant: UUID, who: Who, hub: Hub) -> Response[bytes]:
        who.must("codes", station)
        await lists.revoke(hub, station, grant, who.actor, of_staff=False)
        return Response(b'{"revoked":true}', media_type="application/json")

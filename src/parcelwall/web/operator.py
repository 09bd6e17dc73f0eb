"""The API of operators: cases, couriers, policy, and people who ask to be forgotten. Needs an operator's key."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.params import Parameter
from msgspec import Meta

from parcelwall.errors import Refusal
from parcelwall.hub import acts, couriers, lists, people, photos, policies, reading
from parcelwall.hub.cases import CloseCase
from parcelwall.hub.house import Hub
from parcelwall.hub.orders import OpenDoor, Outlets
from parcelwall.hub.staff import Person
from parcelwall.rules import facts
from parcelwall.web.answers import READS, WRITES, answers
from parcelwall.web.api import Key, answered, asked
from parcelwall.web.bodies import Body, Words, aware
from parcelwall.web.field_words import WORDS
from parcelwall.web.policy import PolicyBody, PolicyShown, lay_over, shown
from parcelwall.web.who import Who

MostCases = Annotated[int, Parameter(ge=1, le=500, description="most on a page")]


class CaseShown(msgspec.Struct):
    """A surprise that a person should look at. With `holds` its compartment is offered to nobody meanwhile."""

    id: UUID
    name: str
    about: str
    opened_at: datetime
    holds: bool
    parcel: UUID | None = None
    station: str | None = None
    compartment: int | None = None


class CasesShown(msgspec.Struct, omit_defaults=True):
    """A page of them. `next` is what to give as `after` for those that follow; without it there are no more."""

    cases: list[CaseShown]
    next: UUID | None = None


class ClosedShown(msgspec.Struct):
    case: UUID
    closed_at: datetime


class CourierAdmitted(msgspec.Struct):
    """`code` is what the courier types at that station on `day`."""

    courier: UUID
    grant: UUID
    code: str
    day: date


class StaffLine(msgspec.Struct, omit_defaults=True):
    """Somebody who may act at the station, also while it is cut off."""

    courier: UUID
    grant: UUID
    may: list[Literal["deposit", "take_back", "collect", "service"]]
    until: datetime | None = None
    carriers: list[str] = []


class StaffShown(msgspec.Struct):
    staff: list[StaffLine]


class RevokedEverywhere(msgspec.Struct):
    """The stations that are told. One that is cut off refuses the courier from when it has heard."""

    stations: list[str]


class Revoked(msgspec.Struct):
    revoked: bool


class StationRevoked(msgspec.Struct):
    """Its computer is trusted no longer. `claim` is the claim code for the one that takes its place, shown once."""

    station: str
    claim: str


class Erased(msgspec.Struct):
    erased: bool


class CloseBody(Body):
    outcome: Annotated[str, Meta(min_length=1, max_length=200, pattern=WORDS)]


class OpenBody(Body):
    """A door to open now, and why. The reason stands in the journal for good: no names, no numbers of people."""

    compartment: Annotated[int, Meta(ge=1, le=32_767)]
    reason: Annotated[str, Meta(min_length=1, max_length=200, pattern=WORDS)]


class OpenedShown(msgspec.Struct):
    """`unanswered`: the line went down meanwhile. The order is dead after 15 s; look at the station's entries."""

    order: UUID
    station: str
    compartment: int
    outcome: Literal["opened", "unanswered"]


class CourierBody(Body):
    """A courier to admit at a station, or a technician. Without an id a new one is made, without `until` for good.

    With `service` they may look into empty compartments; without `deposit` that is all. `carriers`: the courier's phone
    tells of these carriers' parcels only; without, of all.
    """

    courier: UUID | None = None
    deposit: bool = True
    take_back: bool = True
    service: bool = False
    until: datetime | None = None
    carriers: Annotated[list[Annotated[str, Meta(max_length=40)]], Meta(max_length=20)] = []  # noqa: RUF012 - a copy each
    note: Words = ""

    def may(self) -> tuple[Any, ...]:
        """What they may, in the words of `Granted`. Refuses nothing at all."""
        asked = {"deposit": self.deposit, "take_back": self.take_back and self.deposit, "service": self.service}
        if not any(asked.values()):
            raise Refusal("bad_field", "Say what they may: deposit or service.", field="deposit")
        return tuple(right for right, given in asked.items() if given)


class RevokeBody(Body):
    """Why, in words for those who read the journal later; no names of people."""

    why: Annotated[str, Meta(min_length=1, max_length=200, pattern=WORDS)]


OPERATOR_READS = (*READS, 403)
OPERATOR_WRITES = (*READS, 403, 404, 413)


class Operator(Controller):
    """What operators do. Every act is a fact in the journal."""

    tags = ["operator"]  # noqa: RUF012 - litestar's own form

    @get("/cases", summary="Open cases, oldest first",
         responses=answers(200, CasesShown, "A page of them", OPERATOR_READS))
    async def cases(self, who: Who, hub: Hub, after: UUID | None = None, limit: MostCases = 500) -> Response[bytes]:
        who.must("see")
        found = await reading.page_of_cases(hub, who.area, after, limit + 1)
        body: dict[str, Any] = {"cases": found[:limit]}
        if len(found) > limit:
            body["next"] = found[limit - 1]["id"]
        return Response(msgspec.json.encode(body), media_type="application/json")

    @post("/cases/{case:uuid}/close", status_code=200, summary="Somebody has looked",
          responses=answers(200, ClosedShown, "Closed", WRITES))
    async def close(
        self, request: Request[Any, Any, Any], case: UUID, data: CloseBody, who: Who, hub: Hub, key: Key = None
    ) -> Response[bytes]:
        who.must("see")
        station = await reading.station_of_case(hub, case)
        who.must("hold", station)
        mine = await asked(request, who, key)
        command = CloseCase(case=case, station=station, outcome=data.outcome, actor=who.actor, asked=mine)
        return answered(await hub.desk.ask(command))

    @post("/stations/{station:str}/open", status_code=200, summary="Open a door now, or never",
          responses=answers(200, OpenedShown, "Seen open, or no answer", WRITES))
    async def open(
        self, request: Request[Any, Any, Any], station: str, data: OpenBody, who: Who, hub: Hub, outlets: Outlets,
        key: Key = None,
    ) -> Response[bytes]:  # fmt: skip
        who.must("open", station)
        mine = await asked(request, who, key)
        command = OpenDoor(
            station=station, compartment=data.compartment, reason=data.reason, actor=who.actor, asked=mine
        )
        person = Person(who.carrier, who.carrier, who.role, who.area, who.actor)
        answer, outcome = await acts.open_alone(hub, outlets, person, command)
        return Response(msgspec.json.encode(answer.body | {"outcome": outcome}), media_type="application/json")

    @post("/stations/{station:str}/couriers", status_code=201, summary="Admit a courier",
          responses=answers(201, CourierAdmitted, "Admitted", OPERATOR_WRITES))
    async def admit(self, station: str, data: CourierBody, who: Who, hub: Hub) -> Response[bytes]:
        who.must("couriers", station)
        courier, grant = data.courier or hub.ids.new(), hub.ids.new()
        may, until = data.may(), aware(data.until, "until")
        granted = facts.Granted(
            grant=grant, station=station, may=may, courier=courier, until=until, actor=who.actor,
            carriers=tuple(dict.fromkeys(data.carriers)),
        )  # fmt: skip
        await lists.admit(hub, granted)
        code, day = await reading.courier_code(hub, station, courier)
        body = {"courier": str(courier), "grant": str(grant), "code": code, "day": day.isoformat()}
        return Response(msgspec.json.encode(body), status_code=201, media_type="application/json")

    @post("/stations/{station:str}/couriers/{grant:uuid}/revoke", status_code=200, summary="Admit a courier no longer",
          responses=answers(200, Revoked, "Taken back", OPERATOR_WRITES))  # fmt: skip
    async def revoke(self, station: str, grant: UUID, who: Who, hub: Hub) -> Response[bytes]:
        who.must("couriers", station)
        await lists.revoke(hub, station, grant, who.actor, of_staff=True)
        return Response(b'{"revoked":true}', media_type="application/json")

    @get("/stations/{station:str}/couriers", summary="Who may act at a station",
         responses=answers(200, StaffShown, "Couriers and technicians", (*OPERATOR_READS, 404)))
    async def staff(self, station: str, who: Who, hub: Hub) -> Response[bytes]:
        who.must("couriers", station)
        known = await lists.staff(hub, station)
        lines = [
            StaffLine(each.courier, each.grant, list(each.may), each.until, list(each.carriers))
            for each in known if each.courier
        ]  # fmt: skip
        return Response(msgspec.json.encode(StaffShown(lines)), media_type="application/json")

    @post("/couriers/{courier:uuid}/revoke", status_code=200, summary="Admit a courier nowhere any longer",
          responses=answers(200, RevokedEverywhere, "The stations that are told", OPERATOR_WRITES))
    async def revoke_courier(self, courier: UUID, who: Who, hub: Hub) -> Response[bytes]:
        who.must("couriers")
        await couriers.sign_out(hub, courier)
        body = RevokedEverywhere(await lists.revoke_everywhere(hub, courier, who.actor))
        return Response(msgspec.json.encode(body), media_type="application/json")

    @post("/stations/{station:str}/revoke", status_code=200, summary="A computer was stolen: trust it no longer",
          responses=answers(200, StationRevoked, "Its line is closed, its codes open nothing", OPERATOR_WRITES))
    async def revoke_station(self, station: str, data: RevokeBody, who: Who, hub: Hub) -> Response[bytes]:
        who.must("trust", station)
        if station not in hub.stations.known:
            raise Refusal("station_unknown", station=station)
        await hub.revoke_station(station, data.why, who.actor)
        body = {"station": station, "claim": await hub.claim(station)}
        return Response(msgspec.json.encode(body), media_type="application/json")

    @get("/policy", summary="The policy in force, with every knob",
         responses=answers(200, PolicyShown, "In force", OPERATOR_READS))
    async def policy(self, who: Who, hub: Hub) -> Response[bytes]:
        who.must("see")
        return Response(msgspec.json.encode(shown(hub.policy)), media_type="application/json")

    @post("/policy", status_code=200, summary="Change some knobs; the version must be higher",
          responses=answers(200, PolicyShown, "In force now", OPERATOR_WRITES))
    async def adopt(self, data: PolicyBody, who: Who, hub: Hub) -> Response[bytes]:
        who.must("policy")
        wanted = await lay_over(hub, data)
        policies.refuse_looser(hub.policy, wanted)
        await hub.adopt(wanted, who.actor)
        return Response(msgspec.json.encode(shown(hub.policy)), media_type="application/json")

    @post("/parcels/{parcel:uuid}/forget", status_code=200, summary="Erase the person of a parcel",
          responses=answers(200, Erased, "Whether there was somebody", OPERATOR_WRITES))
    async def forget(self, parcel: UUID, who: Who, hub: Hub) -> Response[bytes]:
        """Destroys the person's key, so that what is left cannot be read by anybody, and the pictures with cases of the
        parcel. The journal stays whole."""
        who.must("forget")
        async with hub.pool.acquire() as connection, connection.transaction():
            await photos.erase(connection, parcel)
            person = await reading.person_id(connection, parcel)
            erased = person is not None and await people.erase(connection, person)
            await hub.note(facts.Forgotten(parcel=parcel, actor=who.actor), connection)
        return Response(msgspec.json.encode({"erased": erased}), media_type="application/json")

"""The order of a courier's stops on a day: given by hand, taken back, and what the courier has passed of it."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.response import Redirect

from parcelwall.errors import Refusal
from parcelwall.hub import couriers, round_order, staff
from parcelwall.hub.house import Hub
from parcelwall.hub.round_order import Ordered, Passed
from parcelwall.hub.staff import Person, SignIn
from parcelwall.web.console.gate import HOME, back, look, must, posted, top
from parcelwall.web.console.views import Top
from parcelwall.web.reader import page
from parcelwall.web.render import Renderer

PATH = f"{HOME}/couriers"


class PlaceRow(msgspec.Struct, frozen=True):
    """A station where the courier is admitted. `place` from 1, 0 for one that is in no place."""

    station: str
    name: str
    place: int = 0
    passed: Passed | None = None


class RoundOrderView(msgspec.Struct, frozen=True):
    template: ClassVar[str] = "console/round-order.html"
    top: Top
    courier: UUID
    day: date
    first_day: date
    rows: tuple[PlaceRow, ...]
    at: datetime | None = None
    by: str = ""
    may_give: bool = True
    """Not where a station of it lies outside the person's area."""
    restored_at: datetime | None = None
    """When the hub was brought back from a backup, unless the order that is shown was given after that."""
    events: str | None = None


@get("/console/couriers/{courier:uuid}/round", include_in_schema=False)
async def round_order_page(
    request: Request[Any, Any, Any], courier: UUID, sign_in: SignIn, hub: Hub, renderer: Renderer, day: str = ""
) -> Response[bytes]:
    """Of today, or of the day that is asked for."""
    person = must(sign_in, "couriers", next(iter(sign_in.person.area), None))
    admitted = sorted(await couriers.admissions(hub, courier))
    first_day = round_order.day_at(hub, next(iter(admitted), ""))
    wanted = _day(day) or first_day
    order = await round_order.of_day(hub, courier, wanted)
    names, restored = await staff.names(hub.pool), await round_order.restored_at(hub)
    view = RoundOrderView(
        await top(request, hub, sign_in, "couriers"), courier, wanted, first_day, _rows(hub, person, admitted, order),
        order.at if order.stations else None, names.get(order.actor, "") if order.actor else "",
        all(person.may("couriers", each) for each in order.stations),
        restored if restored and (order.at is None or order.at < restored) else None,
    )  # fmt: skip
    return page(renderer, view, look(request))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _rows(hub: Hub, person: Person, admitted: list[str], order: Ordered) -> tuple[PlaceRow, ...]:
    """Those of the order as it is, then the others by name."""
    passed = {each.station: each for each in order.passed}
    rows = [
        PlaceRow(each, hub.stations.known[each].about.name, _place(order, each), passed.get(each))
        for each in admitted if person.sees(each)
    ]  # fmt: skip
    return tuple(sorted(rows, key=lambda row: (row.place or len(rows) + 1, row.name, row.station)))


def _place(order: Ordered, station: str) -> int:
    return order.stations.index(station) + 1 if station in order.stations else 0


@post("/console/couriers/{courier:uuid}/round", include_in_schema=False)
async def give_order(request: Request[Any, Any, Any], courier: UUID, sign_in: SignIn, hub: Hub) -> Redirect:
    """The stations that have a number, the lowest first; none takes the order back. Raises Refusal for whoever has no
    right at one of them, or at one of the order that it replaces."""
    form = await posted(request, sign_in)
    to = f"{PATH}/{courier}/round?day={_day(form.get('day', '')) or ''}"
    try:
        day = _day(form.get("day", ""))
        if day is None:
            raise Refusal("bad_field", field="day")
        stations = _in_order(form)
        for each in (await round_order.of_day(hub, courier, day)).stations:
            must(sign_in, "couriers", each)
        actor = must(sign_in, "couriers", next(iter(sign_in.person.area), None)).actor
        for each in stations:
            must(sign_in, "couriers", each)
        await round_order.give(hub, courier, day, stations, await couriers.admissions(hub, courier), actor)
    except Refusal as no:
        if no.reason == "no_right":
            raise
        return back(to, no=no)
    return back(to, "ordered")


def _in_order(form: dict[str, str]) -> list[str]:
    """Raises Refusal for what is no number, and for a number that two have: nobody knows which of them comes first."""
    given = {name.removeprefix("place-"): value.strip() for name, value in form.items() if name.startswith("place-")}
    try:
        places = {station: int(value) for station, value in given.items() if value}
    except ValueError as no:
        raise Refusal("bad_field", "Numbers, or nothing.", field="place") from no
    if len(set(places.values())) < len(places):
        raise Refusal("bad_field", "Each number once.", field="place")
    return sorted(places, key=lambda station: places[station])

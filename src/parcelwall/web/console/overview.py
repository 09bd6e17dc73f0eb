"""All stations on a map and in a list, and what needs somebody. Live by one stream per page."""

import math
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Request, Response, get
from litestar.response import Stream

from parcelwall.hub import case_notes, numbers, photos, staff, then, watching
from parcelwall.hub.case_notes import Note
from parcelwall.hub.house import Hub
from parcelwall.hub.needs import ORDER, Need, needs
from parcelwall.hub.staff import Person, SignIn
from parcelwall.hub.watching import AtAGlance
from parcelwall.notices.language import words
from parcelwall.web import charts
from parcelwall.web.console import said, telling
from parcelwall.web.console.crowd import Pin, thinned
from parcelwall.web.console.gate import HOME, live, look, must, top, with_query
from parcelwall.web.console.hours import HOUR_S, Hour, hour_of
from parcelwall.web.console.views import MapView, NeedRow, NeedsView, WallView
from parcelwall.web.map import Town, town
from parcelwall.web.reader import page
from parcelwall.web.render import Renderer
from parcelwall.web.tiles import Tiles

RADIUS = 22  # of a ring, in units of the drawing
MARGIN_M = 70
FRAME = (900, 560)  # about what the map gets on a desk, in px: pins are drawn so that a unit of theirs is a px there
MOST_SHOWN = 200  # lines of what needs somebody, dearest first; the page says how many more there are
MOST_NAMED = 4  # stations in one line
CALM_S = 1.0  # news come at most so often: a busy network changes all the time
FILTERS = {
    "all": lambda _: True, "full": lambda row: row.share >= 0.9, "faults": lambda row: bool(row.faults or row.cases),
    "silent": lambda row: row.line != "here",
}  # fmt: skip


@get("/console", include_in_schema=False)
async def console(
    request: Request[Any, Any, Any], sign_in: SignIn, hub: Hub, renderer: Renderer, tiles: Tiles
) -> Response[bytes]:
    must(sign_in, "see")
    shown = look(request)
    hour = hour_of(request, hub.clock.now(), shown.zone)
    view = await map_view(request, hub, sign_in, tiles, streets=True)
    return page(renderer, await _then(request, hub, sign_in, view, hour) if hour.hours else view, shown)


async def _then(request: Request[Any, Any, Any], hub: Hub, sign_in: SignIn, view: MapView, hour: Hour) -> MapView:
    """The same at another hour: how full stations were or are forecast to be, and nothing to act upon. No stream."""
    stations, now = await watching.all_at_a_glance(hub, sign_in.person), hub.clock.now()
    if hour.hours < 0:
        known, told = await then.were(hub, stations, hour.at), []
    else:
        known, told = await then.will_be(hub, stations, hour.at), await then.told_for(hub, stations, now, hour.zone)
    rows = [as_then(row, known[row.id]) for row in stations]
    told_for = tuple((math.ceil(each.timestamp() / HOUR_S) - hour.base, each) for each in told)
    meant = [row for row in rows if _is_meant(row, view.query) and FILTERS.get(view.only, FILTERS["all"])(row)]
    sure = [row for row in rows if row.line == "here"]
    return msgspec.structs.replace(
        view, hour=msgspec.structs.replace(hour, known=known, told_for=told_for), events=None, needs=(), chart_svg="",
        rows=tuple(sorted(meant, key=lambda row: (row.line != "here", -row.share, row.id))),
        pins=thinned([pin_of(row, town()) for row in rows], float(view.scale)),
        in_use=sum(row.in_use for row in sure), doors=sum(row.doors for row in sure),
    )  # fmt: skip


def as_then(row: AtAGlance, known: then.Known) -> AtAGlance:
    """With what is known of that hour; which doors were broken or open is not told of another time."""
    return msgspec.structs.replace(
        row, in_use=known.in_use or 0, line="here" if known.in_use is not None else "quiet", faults=(), open_doors=(),
        cases=0,
    )


@get("/console/events", include_in_schema=False)
async def console_events(
    request: Request[Any, Any, Any], sign_in: SignIn, hub: Hub, renderer: Renderer, tiles: Tiles
) -> Stream:
    must(sign_in, "see")
    view = lambda now: map_view(request, hub, now, tiles, streets=False)  # noqa: E731
    return live(request, hub, renderer, look(request), view, CALM_S)


@get("/console/wall", include_in_schema=False)
async def wall(
    request: Request[Any, Any, Any], sign_in: SignIn, hub: Hub, renderer: Renderer, tiles: Tiles
) -> Response[bytes]:
    """For a screen on a wall: everything at a glance, nothing to touch."""
    must(sign_in, "see")
    return page(renderer, await map_view(request, hub, sign_in, tiles, True, WallView), look(request))


@get("/console/wall/events", include_in_schema=False)
async def wall_events(
    request: Request[Any, Any, Any], sign_in: SignIn, hub: Hub, renderer: Renderer, tiles: Tiles
) -> Stream:
    must(sign_in, "see")
    view = lambda now: map_view(request, hub, now, tiles, False, WallView)  # noqa: E731
    return live(request, hub, renderer, look(request), view, CALM_S)


async def map_view(
    request: Request[Any, Any, Any], hub: Hub, sign_in: SignIn, tiles: Tiles, streets: bool,
    kind: type[MapView] = MapView,
) -> MapView:  # fmt: skip
    """All stations as they are now. `streets`: with the streets, which news of a stream leave out."""
    query, only = request.query_params.get("q", "")[:60], request.query_params.get("only", "all")
    stations = await watching.all_at_a_glance(hub, sign_in.person)
    rows = await need_rows(request, hub, sign_in.person)
    wanted = [row for row in stations if _is_meant(row, query) and FILTERS.get(only, FILTERS["all"])(row)]
    drawn = town()
    pins = [pin_of(row, drawn) for row in stations]
    window = _window(pins, drawn)
    scale = max(window[2] / FRAME[0], window[3] / FRAME[1])
    known = words(look(request).language)
    now = hub.clock.now()
    use = await numbers.use_by_hour(hub, numbers.Span(now - timedelta(hours=24), now, _ids(sign_in.person)))
    doors = sum(row.doors for row in stations)
    return kind(
        top=await top(request, hub, sign_in, "map", len(rows)),
        rows=tuple(sorted(wanted, key=lambda row: (-row.share, row.id))), pins=thinned(pins, scale),
        needs=tuple(rows[:5]),
        window=" ".join(f"{each:g}" for each in window), scale=f"{scale:.3f}",
        town_svg=drawn.inner if streets else "", zero=drawn.zero, tiles=tiles.url,
        tiles_now=not all(drawn.has(pin.x, pin.y) for pin in pins), all=len(stations),
        inside=sum(row.waiting + row.overdue for row in stations), in_use=sum(row.in_use for row in stations),
        doors=doors, chart_svg=charts.day_line(use, doors, look(request), known, times=4),
        query=query, only=only, hour=Hour(0, int(now.timestamp()) // HOUR_S, look(request).zone),
        events=with_query(f"{HOME}/wall/events" if kind is WallView else f"{HOME}/events", request),
    )  # fmt: skip


def _ids(person: Person) -> tuple[str, ...]:
    return tuple(sorted(person.area))


def _is_meant(row: AtAGlance, query: str) -> bool:
    asked = query.strip().casefold()
    return not asked or any(asked in text.casefold() for text in (row.id, row.name, row.address))


def pin_of(row: AtAGlance, drawn: Town) -> Pin:
    """Where a station stands on the drawing, and how far its ring goes round."""
    x, y = drawn.place(row.lat, row.lon)
    around = 2 * math.pi * RADIUS
    part = around * row.share
    return Pin(row, round(x, 1), round(y, 1), f"{part:.1f} {around - part:.1f}")


def _window(pins: Sequence[Pin], drawn: Town) -> tuple[float, float, float, float]:
    """Round all stations, in metres: x, y, width, height; the whole town when there is none."""
    if not pins:
        return 0, 0, drawn.sheet.wide, drawn.sheet.high
    left, right = min(pin.x for pin in pins), max(pin.x for pin in pins)
    above, below = min(pin.y for pin in pins), max(pin.y for pin in pins)
    margin_m = max(MARGIN_M, 0.08 * max(right - left, below - above))  # for the rings and names at the edge
    return left - margin_m, above - margin_m, right - left + 2 * margin_m, below - above + 2 * margin_m


async def need_rows(request: Request[Any, Any, Any], hub: Hub, person: Person, station: str = "") -> list[NeedRow]:
    """The list of what needs somebody, in words; of one station, if one is named."""
    known = words(look(request).language)
    found = [need for need in await needs(hub, person, station) if not station or need.station == station]
    pictures = await photos.counted(hub, [need.case for need in found if need.case])
    done = await case_notes.of_cases(hub.pool, {need.case: need.since for need in found if need.case})
    names = await staff.names(hub.pool) if done else {}
    rows = []
    for need in found:
        row = _row(hub, person, need, known, pictures.get(need.case, 0) if need.case else 0)
        rows.append(_with_notes(row, person, done.get(need.case, []), names, known) if need.case else row)
    return rows


def _with_notes(row: NeedRow, person: Person, done: list[Note], names: dict[UUID, str], known: Any) -> NeedRow:
    """What was done about a case so far, and what this person may do about it still."""
    noted = tuple(
        (f"{known.gettext(telling.NOTED[each.what])}{': ' if each.words else ''}{each.words}", each.at,
         names.get(each.actor, "") if each.actor else "")
        for each in done
    )  # fmt: skip
    is_told = any(each.what == "told" for each in done)
    return msgspec.structs.replace(
        row, noted=noted, may_send=person.may("hold", row.need.station),
        may_tell=row.need.parcel is not None and not is_told and person.may("extend", row.need.station),
    )


def _row(hub: Hub, person: Person, need: Need, known: Any, pictures: int) -> NeedRow:
    station = hub.stations.known.get(need.station or "")
    place = station.about.name if station else ""
    if need.act is not None and not need.station:
        place = _places(hub, need.act.stations, known)
    here = f"{HOME}/needs"
    if need.about == "permit":
        here = f"{HOME}/sites?station={need.station}"
    elif need.act is not None and need.act.kind == "take_out":
        here = f"{HOME}/stations/{need.station}/expired"
    elif need.station:
        here = f"{HOME}/stations/{need.station}" + (f"?door={need.compartment}" if need.compartment else "")
    elif need.parcel:
        here = f"{HOME}/parcels/{need.parcel}"
    elif need.act is not None:
        lost = f"{HOME}/stations/{need.act.station}/write-off"
        here = lost if need.act.kind == "write_off" else f"{HOME}/longer"
    agrees = need.act is not None and all(person.may("agree", each) for each in need.act.stations)
    asked = need.act is not None and need.act.asked_by == person.id
    return NeedRow(
        need, place, known.gettext(said.ABOUT.get(need.about, said.SOMETHING)),
        _next(need, known), known.gettext(said.COST[need.cost]), here,
        may_close=need.case is not None and person.may("hold", need.station),
        may_agree=agrees and not asked and need.about == "second",
        mine=asked or (agrees and need.about == "stuck"),
        photos=pictures if person.may("hold", need.station) else 0,
    )  # fmt: skip


def _places(hub: Hub, stations: Sequence[str], known: Any) -> str:
    """Their names; of many, how many they are."""
    if len(stations) > MOST_NAMED:
        return str(known.ngettext("%(num)s station", "%(num)s stations", len(stations)) % {"num": len(stations)})
    return (known.gettext(",") + " ").join(hub.stations.known[each].about.name for each in stations)


def _next(need: Need, known: Any) -> str:
    """The next act, in words: of what it is about, else of what it costs."""
    text = said.NEXT_OF.get(need.about) or said.NEXT.get(need.cost)
    return str(known.gettext(text)) if text else ""


@get("/console/needs", include_in_schema=False)
async def needs_page(request: Request[Any, Any, Any], sign_in: SignIn, hub: Hub, renderer: Renderer) -> Response[bytes]:
    must(sign_in, "see")
    return page(renderer, await needs_view(request, hub, sign_in), look(request))


@get("/console/needs/events", include_in_schema=False)
async def needs_events(request: Request[Any, Any, Any], sign_in: SignIn, hub: Hub, renderer: Renderer) -> Stream:
    must(sign_in, "see")
    return live(request, hub, renderer, look(request), lambda now: needs_view(request, hub, now), CALM_S)


async def needs_view(request: Request[Any, Any, Any], hub: Hub, sign_in: SignIn) -> NeedsView:
    """All of it; of one kind (`only`); or with what is asked for (`q`) in a station's name or number, or a case's."""
    rows = await need_rows(request, hub, sign_in.person)
    only, query = request.query_params.get("only", "")[:20], request.query_params.get("q", "")[:60]
    counted = Counter(row.need.cost for row in rows)
    known = words(look(request).language)
    kinds = tuple((cost, known.gettext(said.COST[cost]), counted[cost]) for cost in ORDER if counted[cost])
    wanted = [row for row in rows if only in ("", row.need.cost) and _is_asked_for(row, query)]
    narrowed = urlencode({name: given for name, given in (("only", only), ("q", query)) if given})
    shown = msgspec.structs.replace(await top(request, hub, sign_in, "needs", len(rows)), narrowed=narrowed)
    return NeedsView(
        shown, tuple(wanted[:MOST_SHOWN]),
        with_query(f"{HOME}/needs/events", request), max(0, len(wanted) - MOST_SHOWN), kinds, only, query,
    )  # fmt: skip


def _is_asked_for(row: NeedRow, query: str) -> bool:
    asked = query.strip().casefold()
    return any(asked in text.casefold() for text in (row.place, row.need.station or "", row.need.name))

"""Public tracking: a number gives one sentence, its step and a day; the link from a notice gives the rest."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from litestar import Request, Response, get
from litestar.response import Stream

from parcelwall.carriers.labels import LONGEST, check_digit_fits
from parcelwall.hub import reading
from parcelwall.hub.house import Hub
from parcelwall.notices import times
from parcelwall.notices.language import N_, Words, words
from parcelwall.notices.saying import Saying
from parcelwall.notices.sentence import reason_text, sentence_text
from parcelwall.notices.way import way_there
from parcelwall.rules.labels import plain_digits
from parcelwall.rules.life import Parcel, Stage
from parcelwall.rules.sentence import Sentence, sentence
from parcelwall.web.map import station_map
from parcelwall.web.reader import look_of, page, remembered
from parcelwall.web.render import Renderer
from parcelwall.web.streams import ON_A_PHONE_S, drawn, frames, live_page
from parcelwall.web.views import FindView, Look, NotFoundView, Place, SentenceView, SlowDownView, Step, TrackView
from parcelwall.web.who import Brake, address_of

STEPS = (N_("Announced"), N_("On the way"), N_("Out for delivery"), N_("In a compartment"), N_("With you"))


@get("/", include_in_schema=False)
async def find(
    request: Request[Any, Any, Any], hub: Hub, renderer: Renderer, brake: Brake, number: str | None = None
) -> Response[bytes]:
    """The way in for anybody. Unknown, foreign, cancelled and erased numbers get the same bytes; of one that nobody can
    have, since its check digit is wrong, that is said."""
    look = look_of(request)
    if not number:
        return remembered(request, page(renderer, FindView(), look))
    address, parcel = address_of(request), None
    if not brake.wait_s(address):
        parcel = await reading.by_reference(hub, number)
    if wait_s := brake.wait_s(address):  # maybe only now: of many asked at once the others were misses meanwhile
        return page(renderer, SlowDownView(wait_s), look, 429)
    if parcel is None or parcel.stage == Stage.CANCELLED:
        brake.miss(address)
        typed = plain_digits(number.strip())[:LONGEST]
        is_mistyped = parcel is None and check_digit_fits(typed) is False
        return page(renderer, FindView(typed, True) if is_mistyped else NotFoundView(), look, 404)
    return remembered(request, page(renderer, bare(hub, parcel, number.strip(), look), look))


@get("/number/events", include_in_schema=False)
async def find_events(
    request: Request[Any, Any, Any], number: str, hub: Hub, renderer: Renderer, brake: Brake
) -> Stream:
    """The same brake as on the page: else its stream would answer those who guess.

    The same page for as long as it is open. Raises nothing: an unknown number has a page too.
    """
    look = look_of(request)
    brake.stop(address_of(request))
    parcel = await reading.by_reference(hub, number)
    brake.stop(address_of(request))
    if parcel is None or parcel.stage == Stage.CANCELLED:
        brake.miss(address_of(request))
        return live_page(request, frames(hub.bells, "nobody", _nothing(renderer, look), still_s=ON_A_PHONE_S))

    async def draw() -> str:
        now = await reading.by_reference(hub, number)
        shown = now and now.stage != Stage.CANCELLED
        return renderer.fragment(bare(hub, now, number.strip(), look) if now and shown else NotFoundView(), look)

    return live_page(request, frames(hub.bells, str(parcel.id), draw, still_s=ON_A_PHONE_S))


def _nothing(renderer: Renderer, look: Look) -> Any:
    async def draw() -> str:
        return renderer.fragment(NotFoundView(), look)

    return draw


def bare(hub: Hub, parcel: Parcel, number: str, look: Look) -> SentenceView:
    """What anybody who types the number may see: no station, no place, no time of day."""
    said, known = sentence(parcel, hub.clock.now()), words(look.language)
    zone = zone_of(hub, parcel)
    shown: dict[str, Any] = {"day": times.day(said.day, zone, known) if said.day else None}
    heading = sentence_text(said.key, known, delayed=said.delayed and said.step in (0, 1, 2), **shown).heading
    steps = tuple(known.gettext(step) for step in STEPS)
    day = said.day.astimezone(ZoneInfo(zone)).date() if said.day and said.step < 4 else None
    return SentenceView(
        number=number, heading=str(heading), step=said.step, steps=steps, day=day, about=said.step in (0, 1, 2),
        until=said.step == 3, events=f"/number/events?{urlencode({'number': number, 'lang': look.language})}",
    )  # fmt: skip


@get("/t/{token:str}", include_in_schema=False)
async def status(request: Request[Any, Any, Any], token: str, hub: Hub, renderer: Renderer) -> Response[bytes]:
    """The page for those who hold the link."""
    parcel = await reading.by_link(hub, "track", token)
    if parcel is None:
        return page(renderer, NotFoundView(link=True), look_of(request), 404)
    look = look_of(request, zone_of(hub, parcel))
    shown = await linked(hub, parcel, look, f"/t/{token}/events?lang={look.language}")
    return remembered(request, page(renderer, shown, look))


@get("/t/{token:str}/events", include_in_schema=False)
async def status_events(request: Request[Any, Any, Any], token: str, hub: Hub, renderer: Renderer) -> Stream:
    parcel = await reading.by_link(hub, "track", token)
    look = look_of(request, zone_of(hub, parcel) if parcel else "UTC")

    async def see() -> TrackView | NotFoundView:
        now = await reading.by_link(hub, "track", token)
        if now is None:
            return NotFoundView(link=True)
        return await linked(hub, now, look, f"/t/{token}/events?lang={look.language}")

    bells = str(parcel.id) if parcel else "nobody"
    return live_page(request, frames(hub.bells, bells, drawn(see, renderer, look), still_s=ON_A_PHONE_S))


async def linked(hub: Hub, parcel: Parcel, look: Look, events: str) -> TrackView:
    """The same sentence with times, station and map; no door, no person, no minute of collection."""
    on_the_road = await reading.on_the_road(hub, parcel)
    now, known = hub.clock.now(), words(look.language)
    said = sentence(parcel, now)
    place = place_of(hub, parcel, look)
    line = say_linked(hub, parcel, said, known, look.zone)
    window = await reading.ready_window(hub, parcel)
    return TrackView(
        heading=str(line.heading), line=str(line.line), station=place,
        steps=steps_of(parcel, said, known, on_the_road, tells_when=window is None),
        ready=(window.since, window.until) if window else None, as_of=now, events=events,
    )  # fmt: skip


def say_linked(hub: Hub, parcel: Parcel, said: Sentence, known: Words, zone: str) -> Saying:
    station = hub.stations.known.get(parcel.station or "")
    values = {
        "station": station.about.name if station else None,
        "time": times.moment(said.day, zone, known) if said.day else None,
        "day": times.day(said.day, zone, known) if said.day else None,
        "reason": reason_text(parcel.mark_reason or parcel.reason, known), "carrier": parcel.carrier or None,
    }  # fmt: skip
    return sentence_text(said.key, known, linked=True, delayed=said.delayed, **values)


def steps_of(
    parcel: Parcel, said: Sentence, known: Words, on_the_road: tuple[datetime | None, datetime | None] = (None, None),
    tells_when: bool = True,
) -> tuple[Step, ...]:  # fmt: skip
    """Where it stands, with the times that are known; the last one by its day only. With `tells_when` also the
    carrier's word on when it comes: two words on that, this one and a window, would confuse."""
    if said.step < 0:
        return ()
    whens: list[datetime | None] = [parcel.announced_at, *on_the_road, parcel.deposited_at, parcel.ended_at]
    states: list[Any] = ["done" if place < said.step else "now" if place == said.step else "next" for place in range(5)]
    expected = said.day if said.step < 3 and tells_when else None  # none once it has passed
    return tuple(
        Step(
            known.gettext(STEPS[place]), states[place], whens[place] or (expected if place == 3 else None),
            about=whens[place] is None and place == 3, day_only=place == 4,
        )
        for place in range(5)
    )


def place_of(hub: Hub, parcel: Parcel, look: Look) -> Place | None:
    station = hub.stations.known.get(parcel.station or "")
    if station is None:
        return None
    about = station.about
    ways, drawn = way_there(station.site, words(look.language)), station_map(about.lat, about.lon)
    return Place(about.name, about.address, ways, drawn, about.lat, about.lon, station.photo)


def zone_of(hub: Hub, parcel: Parcel | None) -> str:
    station = hub.stations.known.get(parcel.station or "") if parcel else None
    return station.about.zone if station else "UTC"


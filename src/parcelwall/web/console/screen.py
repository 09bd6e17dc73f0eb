"""What a station's screen says besides: the part of its page, and its form."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from litestar import Request, post
from litestar.response import Redirect

from parcelwall.errors import Refusal
from parcelwall.hub import screen, staff
from parcelwall.hub.house import Hub
from parcelwall.hub.staff import Person, SignIn
from parcelwall.notices.language import languages
from parcelwall.rules import screen_note
from parcelwall.web.console.gate import FIELD, HOME, back, local_time, must, posted
from parcelwall.web.console.views import ScreenSays

USUAL = timedelta(days=1)


async def screen_says(hub: Hub, person: Person, station: str) -> ScreenSays:
    """What stands there now, or an empty form."""
    about, now = hub.stations.known[station].about, hub.clock.now()
    newest = next(iter(await screen.history(hub, station)), None)
    noted = newest.noted if newest and screen_note.is_shown(newest.noted, now) else None
    names = await staff.names(hub.pool) if noted and noted.actor else {}
    ends = noted.until if noted and noted.until else now + USUAL
    return ScreenSays(
        tuple((code, name, noted.texts.get(code, "") if noted else "") for code, name in _own_first(about.language)),
        about.language, noted.until if noted else None, names.get(noted.actor, "") if noted and noted.actor else "",
        ends.astimezone(ZoneInfo(about.zone)).strftime(FIELD), screen_note.LONGEST, person.may("hold", station),
    )  # fmt: skip


def _own_first(own: str) -> list[tuple[str, str]]:
    return sorted(languages().items(), key=lambda each: each[0] != own)


@post("/console/stations/{station:str}/screen", include_in_schema=False)
async def note_screen(request: Request[Any, Any, Any], station: str, sign_in: SignIn, hub: Hub) -> Redirect:
    """The station's screen says this until then; `do=off` takes it off."""
    person = must(sign_in, "hold", station)
    form = await posted(request, sign_in)
    to = f"{HOME}/stations/{station}"
    texts = {} if form.get("do") == "off" else {code: form.get(f"text_{code}", "") for code in languages()}
    try:
        told = await screen.say(hub, station, texts, _until(hub, station, form.get("until", "")), person.actor)
    except Refusal as no:
        return back(to, no=no)
    return back(to, "on_screen" if told.texts else "off_screen")


def _until(hub: Hub, station: str, text: str) -> datetime | None:
    """By the station's clock; None for what is no time. Raises Refusal for an unknown station."""
    known = hub.stations.known.get(station)
    if known is None:
        raise Refusal("station_unknown", station=station)
    return local_time(text, known.about.zone)

"""The demo's page of all five faces side by side, following one parcel while the town's day goes fast around them."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar
from urllib.parse import quote

import msgspec
from litestar import Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Stream

from parcelwall.errors import Refusal
from parcelwall.hub import couriers, signed_in
from parcelwall.hub.house import Hub
from parcelwall.web.demo import DOORS, Stage
from parcelwall.web.passkeys import keep
from parcelwall.web.reader import html, look_of
from parcelwall.web.render import POLICY, Renderer
from parcelwall.web.streams import frames, live_page

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
ZONE = "Europe/Helsinki"
FRAMES = f"{POLICY}; frame-src http://127.0.0.1:*"
"""This page alone may show others in frames, and of this machine only."""


class Followed(msgspec.Struct, frozen=True):
    """The parcel that the faces show. `own`: the path of its recipient's page, "" until they were told."""

    reference: str
    station: str
    track: str
    door: int = 0
    own: str = ""


class Pacing(msgspec.Struct, frozen=True):
    """How fast the day goes: `speed` while nobody acts, if it is wanted; `rests`: just now at its own pace."""

    speed: float
    wanted: bool
    rests: bool


class Living(msgspec.Struct):
    """What the page asks of the running town."""

    followed: Callable[[], Followed | None]
    told: Callable[[], Sequence[tuple[datetime, str]]]
    pacing: Callable[[], Pacing]
    go_fast: Callable[[bool], None]
    courier: Any = None
    """The id of the demo's courier."""


class Frame(msgspec.Struct, frozen=True):
    """One face in a frame. `url` is empty as long as there is nothing to show."""

    name: str
    url: str
    kind: str


class TownView(msgspec.Struct, frozen=True):
    template: ClassVar[str] = "demo/town.html"
    now: datetime
    pacing: Pacing
    followed: Followed | None
    place: str
    told: tuple[tuple[datetime, str], ...]
    frames: tuple[Frame, ...]
    events: str | None = "/demo/events"


@get("/demo", include_in_schema=False)
async def town_page(
    request: Request[Any, Any, Any], hub: Hub, renderer: Renderer, stage: Stage, living: Living
) -> Response[bytes] | Redirect:
    """Opened by its number: the kiosks are called by it, and a frame keeps their cookies only beside them."""
    if request.url.hostname != "127.0.0.1":
        return Redirect(f"http://127.0.0.1:{request.url.port or 80}/demo", status_code=303)
    answer = html(renderer.page(_view(hub, stage, living), look_of(request, ZONE)))
    answer.headers["Content-Security-Policy"] = FRAMES
    return answer


@get("/demo/events", include_in_schema=False)
async def town_events(
    request: Request[Any, Any, Any], hub: Hub, renderer: Renderer, stage: Stage, living: Living
) -> Stream:
    look = look_of(request, ZONE)

    async def draw() -> str:
        return renderer.fragment(_view(hub, stage, living), look)

    return live_page(request, frames(hub.bells, DOORS, draw))


def _view(hub: Hub, stage: Stage, living: Living) -> TownView:
    followed = living.followed()
    station = followed.station if followed else next(iter(stage.stations))
    known = hub.stations.known.get(station)
    return TownView(hub.clock.now(), living.pacing(), followed, known.about.name if known else station,
                    tuple(reversed(living.told()[-6:])), tuple(_frames(stage, followed, station)))  # fmt: skip


def _frames(stage: Stage, followed: Followed | None, station: str) -> list[Frame]:
    """The kiosk and the console at the parcel's station, its tracking, its recipient's page, the courier's phone.

    Always these five in this order: a frame that is moved on its page is loaded anew.
    """
    door = followed.door if followed else 0
    to = quote(f"/console/stations/{station}" + (f"?door={door}" if door else ""))
    return [
        Frame("kiosk", stage.stations[station].kiosk_url, "wide"),
        Frame("console", f"/enter?who=operator&to={to}", "wide"),
        Frame("tracking", followed.track if followed else "", "phone"),
        Frame("recipient", followed.own if followed else "", "phone"),
        Frame("courier", "/demo/courier", "phone"),
    ]


@get("/demo/courier", include_in_schema=False)
async def enter_courier(hub: Hub, living: Living) -> Redirect:
    """The demo's courier, whose phone is signed in."""
    code, _ = await couriers.invite(hub, living.courier)
    secret = await signed_in.begin(hub, "courier", await couriers.redeem(hub, code))
    return Redirect("/courier", status_code=303, cookies=[keep(hub, "courier", secret)])


@post("/demo/pace", include_in_schema=False)
async def set_pace(data: Form, hub: Hub, living: Living) -> Redirect:
    """Fast, or at its own pace. Raises Refusal for anything else."""
    if data.get("do") not in ("fast", "slow"):
        raise Refusal("bad_field", "Fast or slow.", field="do")
    living.go_fast(data["do"] == "fast")
    hub.bells.ring([DOORS])
    return Redirect("/demo", status_code=303)


PAGES = [town_page, town_events, enter_courier, set_pace]

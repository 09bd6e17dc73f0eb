"""The recipient's page: one parcel, by the secret link from the notice. Readable without JavaScript."""

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Stream

from parcelwall.errors import Refusal
from parcelwall.hub import accounts, friends, reading, tries
from parcelwall.hub.codes import token_of
from parcelwall.hub.commands import Extend
from parcelwall.hub.delegates import take_back
from parcelwall.hub.house import Hub
from parcelwall.hub.orders import OpenDoor, Outlets, open_now
from parcelwall.hub.signed_in import SignedIn
from parcelwall.rules import facts
from parcelwall.rules.labels import plain_digits
from parcelwall.rules.life import ENDED, Parcel
from parcelwall.web.complaints import complain
from parcelwall.web.offline import kept_offline, owner_of
from parcelwall.web.passkeys import whoever
from parcelwall.web.reader import chosen_language, look_of, page, remembered
from parcelwall.web.recipient_view import ending, own_door, view
from parcelwall.web.render import Renderer
from parcelwall.web.streams import ON_A_PHONE_S, drawn, frames, live_page
from parcelwall.web.tracking import place_of, zone_of
from parcelwall.web.views import FriendView, Look, NotFoundView, RecipientView

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


@get("/p/{secret:str}", include_in_schema=False)
async def parcel_page(
    request: Request[Any, Any, Any], secret: str, hub: Hub, renderer: Renderer, said: str = ""
) -> Response[bytes]:
    parcel = await reading.by_link(hub, "recipient", secret)
    if parcel is None:
        return kept_offline(page(renderer, NotFoundView(link=True), look_of(request), 404), "")
    who = await whoever(request, hub, "recipient")
    look = await look_for(request, hub, parcel, who)
    shown = await view(hub, parcel, secret, look, said, who)
    owner = owner_of(who.holder if who and shown.kept else None)
    answer = kept_offline(page(renderer, shown, look), "" if parcel.stage in ENDED else owner)
    return remembered(request, answer)


@get("/p/{secret:str}/events", include_in_schema=False)
async def parcel_events(
    request: Request[Any, Any, Any], secret: str, hub: Hub, renderer: Renderer, said: str = ""
) -> Stream:
    """The page as it is now, drawn anew when something happens to the parcel, or at its station."""
    parcel = await reading.by_link(hub, "recipient", secret)
    who = await whoever(request, hub, "recipient")
    look = await look_for(request, hub, parcel, who) if parcel else look_of(request)

    async def see() -> RecipientView | NotFoundView:
        now = await reading.by_link(hub, "recipient", secret)
        here = await whoever(request, hub, "recipient")
        return await view(hub, now, secret, look, said, here) if now else NotFoundView(link=True)

    return live_page(request, frames(hub.bells, bells_of(parcel), drawn(see, renderer, look), still_s=ON_A_PHONE_S))


def bells_of(parcel: Parcel | None) -> list[str]:
    """What rings for a page: news of the parcel, and whatever its station has written."""
    if parcel is None:
        return ["nobody"]
    return [str(parcel.id), *([f"by/{parcel.station}"] if parcel.station else [])]


@post("/p/{secret:str}/extend", include_in_schema=False)
async def extend(secret: str, data: Form, hub: Hub) -> Redirect:
    """Keep it longer. The page says what came of it. Raises Refusal for an unknown link."""
    parcel = await of_link(hub, secret)
    try:
        await hub.desk.ask(Extend(carrier=None, parcel=parcel.id, by="recipient", until_now=data.get("from", "")))
        said = "kept"
    except Refusal as no:
        said = no.reason
    return Redirect(f"/p/{secret}?said={said}", status_code=303)


@post("/p/{secret:str}/open", include_in_schema=False)
async def open_door(secret: str, data: Form, hub: Hub, outlets: Outlets) -> Redirect:
    """I am here, open: with the number that the station's screen shows. Raises Refusal for an unknown link."""
    parcel = await of_link(hub, secret)
    said = await opened_by_phone(parcel, data.get("number", ""), hub, outlets)
    return Redirect(f"/p/{secret}?said={said}", status_code=303)


async def opened_by_phone(parcel: Parcel, number: str, hub: Hub, outlets: Outlets, verified: bool = False) -> str:
    """What became of it, in a word: "opened", "unanswered", or the reason why not."""
    try:
        return await _open(parcel, plain_digits(number[:10].strip()), hub, outlets, verified)
    except Refusal as no:
        return no.reason


async def _open(parcel: Parcel, number: str, hub: Hub, outlets: Outlets, verified: bool) -> str:
    """Five wrong numbers, and this parcel's page waits ten minutes.

    Whether an order that nobody answered was a wrong number is not known, so it counts.
    """
    if parcel.station is None:
        raise Refusal("wrong_stage")
    trying = f"open/{parcel.id}"
    if not await tries.take(hub, trying):
        raise Refusal("too_many_tries")
    command = OpenDoor(station=parcel.station, parcel=parcel.id, by="recipient", reason="asked by phone",
                       verified=verified)  # fmt: skip
    try:
        _, outcome = await open_now(hub, outlets, command, number)
    except Refusal as no:
        if no.reason != "not_present":
            await tries.forgive(hub, trying)
        raise
    if outcome == "opened":
        await tries.forgive(hub, trying)
    return outcome


@post("/p/{secret:str}/grants", include_in_schema=False)
async def delegate(secret: str, hub: Hub) -> Redirect:
    """Somebody else collects: a page of their own to share; five in ten minutes at most, as each is kept for good.

    Raises Refusal for an unknown link.
    """
    parcel = await of_link(hub, secret)
    if not await tries.take(hub, f"grants/{parcel.id}"):
        return Redirect(f"/p/{secret}?said=too_many_tries", status_code=303)
    try:
        await friends.let_collect(hub, parcel)
    except Refusal as no:
        return Redirect(f"/p/{secret}?said={no.reason}", status_code=303)
    return Redirect(f"/p/{secret}#others", status_code=303)


@post("/p/{secret:str}/grants/{grant:uuid}/revoke", include_in_schema=False)
async def take_back_grant(secret: str, grant: UUID, hub: Hub) -> Redirect:
    """Nobody else collects after all. Raises Refusal for an unknown link or a grant that is not of this parcel."""
    await take_back(hub, await of_link(hub, secret), grant)
    return Redirect(f"/p/{secret}", status_code=303)


@post("/p/{secret:str}/problem", include_in_schema=False)
async def problem(secret: str, data: Form, hub: Hub) -> Redirect:
    """Something is wrong: a case, which the page then names. Raises Refusal for an unknown link."""
    parcel = await of_link(hub, secret)
    said = ""
    try:
        await complain(hub, parcel, data.get("what", ""))
    except Refusal as no:
        said = f"?said={no.reason}"
    return Redirect(f"/p/{secret}{said}", status_code=303)


@get("/f/{token:str}", include_in_schema=False)
async def friend_page(request: Request[Any, Any, Any], token: str, hub: Hub, renderer: Renderer) -> Response[bytes]:
    """The page of somebody else who collects. Unknown, ended and taken back links look alike."""
    see, look, _ = await _friend(request, token, hub)
    shown = await see()
    if isinstance(shown, NotFoundView):
        return kept_offline(page(renderer, shown, look, 404), "")
    return remembered(request, kept_offline(page(renderer, shown, look), "link"))


@get("/f/{token:str}/events", include_in_schema=False)
async def friend_events(request: Request[Any, Any, Any], token: str, hub: Hub, renderer: Renderer) -> Stream:
    """The same page for as long as it is open. Raises nothing: a link that leads nowhere has a page too."""
    see, look, parcel = await _friend(request, token, hub)
    return live_page(request, frames(hub.bells, bells_of(parcel), drawn(see, renderer, look), still_s=ON_A_PHONE_S))


async def _friend(
    request: Request[Any, Any, Any], token: str, hub: Hub
) -> tuple[Callable[[], Any], Look, Parcel | None]:
    """What a friend's page shows, in which look, and of which parcel."""
    try:
        parcel, _ = await friends.by_link(hub, token)
    except Refusal:
        parcel = None
    look = look_of(request, zone_of(hub, parcel))

    async def see() -> FriendView | NotFoundView:
        try:
            now, grant = await friends.by_link(hub, token)
        except Refusal:
            return NotFoundView(link=True)
        return friend_view(hub, now, grant, token, look)

    return see, look, parcel


def friend_view(hub: Hub, parcel: Parcel, grant: facts.Granted, token: str, look: Look) -> FriendView:
    """What a friend may see: station, door, a QR of their own, until when."""
    door, place = own_door(hub, parcel, look), place_of(hub, parcel, look)
    return FriendView(
        heading=place.name if place else "", qr=token_of(hub, parcel, grant), until=grant.until or hub.clock.now(),
        reference_end=ending(parcel.reference), station=place, door=door,
        events=f"/f/{token}/events?lang={look.language}", as_of=hub.clock.now(),
    )  # fmt: skip


async def of_link(hub: Hub, secret: str) -> Parcel:
    """The parcel of a recipient's link. Raises Refusal for an unknown one."""
    parcel = await reading.by_link(hub, "recipient", secret)
    if parcel is None:
        raise Refusal("not_found")
    return parcel


async def look_for(request: Request[Any, Any, Any], hub: Hub, parcel: Parcel, who: SignedIn | None) -> Look:
    """In the language that was chosen, else the notice's, else the browser's; in the zone of the station."""
    if chosen_language(request):
        return look_of(request, zone_of(hub, parcel))
    account = await accounts.find(hub, who.holder) if who else None
    if account and account.language:
        return look_of(request, zone_of(hub, parcel), account.language)
    person = await reading.person_of(hub, parcel)
    return look_of(request, zone_of(hub, parcel), person.language if person else "")


PAGES = [
    parcel_page, parcel_events, extend, open_door, delegate, take_back_grant, problem, friend_page, friend_events,
]  # fmt: skip

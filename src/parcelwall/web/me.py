"""`/me`: the parcels of one person, how they like it, and passkeys. It begins with a notice's link, or a passkey."""

import re
from typing import Annotated, Any

from litestar import Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Stream

from parcelwall.errors import Refusal, Trouble
from parcelwall.hub import accounts, contacts, own_proof, passkeys, preferred, signed_in, tries
from parcelwall.hub.house import Hub
from parcelwall.hub.signed_in import SignedIn
from parcelwall.notices.language import codes
from parcelwall.web.me_view import my_parcels, number_view, view
from parcelwall.web.offline import CLEAR, kept_offline, owner_of
from parcelwall.web.passkeys import (
    answer_of,
    ask_whoever,
    begun,
    drop,
    fields_of,
    keep,
    only_from_here,
    secret_of,
    went_well,
    whoever,
)
from parcelwall.web.reader import chosen_language, look_of, page, remembered, speaks
from parcelwall.web.recipient import of_link
from parcelwall.web.render import Renderer
from parcelwall.web.streams import ON_A_PHONE_S, drawn, frames, live_page
from parcelwall.web.views import Look, MeView
from parcelwall.web.who import Brake

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
HOURS = tuple(str(hour) for hour in range(24))
_BACK = re.compile(r"/p/[\w-]{1,64}")


@get("/me", include_in_schema=False)
async def me(request: Request[Any, Any, Any], hub: Hub, renderer: Renderer, said: str = "") -> Response[bytes]:
    who = await whoever(request, hub, "recipient")
    look = await look_here(request, hub, who)
    shown = page(renderer, await view(hub, who, look, said, request.headers.get("host", "")), look)
    return remembered(request, kept_offline(shown, owner_of(who.holder) if who else ""))


@get("/me/events", include_in_schema=False)
async def me_events(request: Request[Any, Any, Any], hub: Hub, renderer: Renderer, said: str = "") -> Stream:
    """The same list for as long as it is open."""
    who, host = await whoever(request, hub, "recipient"), request.headers.get("host", "")
    look = await look_here(request, hub, who)
    keys = [str(each.id) for each in await my_parcels(hub, who)]

    async def see() -> MeView:
        return await view(hub, await whoever(request, hub, "recipient"), look, said, host)

    return live_page(request, frames(hub.bells, keys or "nobody", drawn(see, renderer, look), still_s=ON_A_PHONE_S))


async def look_here(request: Request[Any, Any, Any], hub: Hub, who: SignedIn | None) -> Look:
    """In the language that was chosen, else the browser's; in the zone of the parcel that is first in the list."""
    account = await accounts.find(hub, who.holder) if who else None
    first = next((each for each in await my_parcels(hub, who) if each.station in hub.stations.known), None)
    zone = hub.stations.known[first.station].about.zone if first and first.station else "UTC"
    chosen = account.language if account and not chosen_language(request) else ""
    return look_of(request, zone, chosen)


@post("/p/{secret:str}/keep", include_in_schema=False)
async def keep_parcel(request: Request[Any, Any, Any], secret: str, hub: Hub) -> Redirect:
    """This parcel stands in this browser's list from now on. Raises Refusal for an unknown link."""
    only_from_here(request)
    parcel = await of_link(hub, secret)
    account, cookies = await _account(request, hub)
    await accounts.join(hub, account, parcel.id)
    return Redirect("/me", status_code=303, cookies=cookies)


async def _account(request: Request[Any, Any, Any], hub: Hub) -> tuple[Any, list[Any]]:
    """Whose browser this is; a new account, and the cookie for it, if it is nobody's yet."""
    who = await whoever(request, hub, "recipient")
    if who:
        return who.holder, []
    account = await accounts.open_account(hub)
    return account, [keep(hub, "recipient", await signed_in.begin(hub, "recipient", account))]


@post("/p/{secret:str}/contact", include_in_schema=False)
async def send_number(
    request: Request[Any, Any, Any], secret: str, data: Form, hub: Hub
) -> Redirect:
    """Sends a number to the parcel's own contact, five times in ten minutes. Raises Refusal for an unknown link."""
    only_from_here(request)
    parcel = await of_link(hub, secret)
    if not await tries.take(hub, f"number/{parcel.id}"):
        return Redirect(f"/p/{secret}?said=too_many_tries", status_code=303)
    account, cookies = await _account(request, hub)
    await accounts.join(hub, account, parcel.id)
    look = await look_here(request, hub, await whoever(request, hub, "recipient"))
    try:
        await contacts.send_number(hub, account, parcel, data.get("kind", ""), look.language)
    except Trouble:
        return Redirect(f"/p/{secret}?said=not_sent", status_code=303, cookies=cookies)
    except Refusal as no:
        return Redirect(f"/p/{secret}?said={no.reason}", status_code=303, cookies=cookies)
    back = f"/p/{secret}" if parcel.proof == "verified" else "/me"
    return Redirect(f"/me/number?back={back}", status_code=303, cookies=cookies)


@get("/me/number", include_in_schema=False)
async def number_page(
    request: Request[Any, Any, Any], hub: Hub, renderer: Renderer, back: str = "/me", said: str = ""
) -> Response[bytes]:
    look = await look_here(request, hub, await signed_in_here(request, hub))
    return kept_offline(page(renderer, number_view(_safe(back), said, look), look), "")


@post("/me/number", include_in_schema=False)
async def number(request: Request[Any, Any, Any], data: Form, hub: Hub) -> Redirect:
    """The six digits. Sent to a contact that was the account's own before, they prove that its owner is here.

    Raises Refusal for a browser that is nobody's.
    """
    only_from_here(request)
    who, back = await signed_in_here(request, hub), _safe(data.get("back", ""))
    try:
        shown = await contacts.confirm(hub, who.holder, data.get("number", "")[:20])
    except Refusal:
        return Redirect(f"/me/number?back={back}&said=wrong", status_code=303)
    if shown.proves:
        await signed_in.note_proof(hub, secret_of(request, hub, "recipient"), "contact", hub.clock.now())
    return Redirect(f"{back}?said={'proved' if shown.proves and back == '/me' else 'shown'}", status_code=303)


@post("/me/prefs", include_in_schema=False)
async def prefer(request: Request[Any, Any, Any], data: Form, hub: Hub) -> Redirect:
    """Language, reach, and how to be told. Raises Refusal for a language that we do not speak, for hours that there are
    not, and for a browser that is nobody's."""
    only_from_here(request)
    who, language = await signed_in_here(request, hub), data.get("language", "")
    if language and language not in codes():
        raise Refusal("bad_field", "Choose one of the languages on the page.", field="language")
    await accounts.prefer(hub, who.holder, language, data.get("reach") == "yes", _told(hub, data))
    return Redirect("/me?said=preferred", status_code=303, cookies=[speaks(language)])


def _told(hub: Hub, data: dict[str, str]) -> preferred.Wishes:
    """What was ticked; all ways, and none, are no wish. Raises Refusal for hours that there are not."""
    ticked = tuple(each for each in sorted(hub.channels) if data.get(each) == "yes")
    channels = ticked if len(ticked) < len(hub.channels) else ()
    if data.get("quiet") != "yes":
        return preferred.Wishes(channels)
    hours = [data.get("quiet_from", ""), data.get("quiet_until", "")]
    if not all(each in HOURS for each in hours):
        raise Refusal("bad_field", "Choose one of the hours on the page.", field="quiet_from")
    begins, ends = map(int, hours)
    return preferred.Wishes(channels, (begins, ends))


@post("/me/passkey/begin", include_in_schema=False)
async def begin_passkey(request: Request[Any, Any, Any], hub: Hub) -> Response[bytes]:
    """Asks the browser to make a passkey. Raises Refusal for a browser that is nobody's."""
    only_from_here(request)
    who = await signed_in_here(request, hub)
    await refuse_unproved(hub, who)
    return begun(await passkeys.begin_registration(hub, "recipient", who.holder, "Parcelwall"))


@post("/me/passkey/finish", include_in_schema=False)
async def finish_passkey(request: Request[Any, Any, Any], hub: Hub) -> Response[bytes]:
    """Keeps it, and tells the person by the old ways. Raises Refusal."""
    answer, who = await answer_of(request), await signed_in_here(request, hub)
    await refuse_unproved(hub, who)
    await passkeys.finish_registration(hub, "recipient", who.holder, answer)
    await contacts.tell_of_passkey(hub, who.holder)
    return went_well(_safe(_field(answer, "back")) + "?said=passkey")


async def refuse_unproved(hub: Hub, who: SignedIn) -> None:
    """Raises Refusal: who has a passkey shows it before another is made, so that a stolen cookie makes none."""
    if not who.is_fresh(hub.clock.now()) and await passkeys.of_holder(hub, who.holder):
        raise Refusal("proof_missing")


@post("/me/passkey/take-away", include_in_schema=False)
async def take_away(request: Request[Any, Any, Any], data: Form, hub: Hub) -> Redirect:
    """A lost device opens nothing any more, and whatever else was signed in is so no longer.

    Whoever does it proves first to be the owner. Raises Refusal for a passkey that is none of theirs.
    """
    only_from_here(request)
    who = await signed_in_here(request, hub)
    if await own_proof.is_missing(hub, who):
        return Redirect("/me?said=prove", status_code=303)
    await passkeys.take_away(hub, who.holder, data.get("name", ""))
    await signed_in.end_others(hub, who.holder, secret_of(request, hub, "recipient"))
    return Redirect("/me?said=taken", status_code=303)


@post("/me/sign-in/begin", include_in_schema=False)
async def begin_sign_in(request: Request[Any, Any, Any], hub: Hub, sign_in_brake: Brake) -> Response[bytes]:
    """Asks for a passkey of whoever it is. Raises Refusal for too many from one address."""
    return await ask_whoever(request, hub, "recipient", sign_in_brake)


@post("/me/sign-in/finish", include_in_schema=False)
async def finish_sign_in(request: Request[Any, Any, Any], hub: Hub) -> Response[bytes]:
    """Signs this browser in. Raises Refusal, alike for every cause."""
    answer = await answer_of(request)
    proof = await passkeys.finish_proof(hub, "recipient", "sign_in", answer)
    await signed_in.end(hub, secret_of(request, hub, "recipient"))
    secret = await signed_in.begin(hub, "recipient", proof.holder, proof.at)
    return went_well(_safe(_field(answer, "back")), [keep(hub, "recipient", secret)])


@post("/me/sign-out", include_in_schema=False)
async def sign_out(request: Request[Any, Any, Any], hub: Hub) -> Redirect:
    """This browser knows nothing any more: neither cookie nor kept pages."""
    only_from_here(request)
    await signed_in.end(hub, secret_of(request, hub, "recipient"))
    return Redirect("/me", status_code=303, cookies=[drop(hub, "recipient")], headers=CLEAR)


@post("/me/close", include_in_schema=False)
async def close(request: Request[Any, Any, Any], hub: Hub) -> Redirect:
    """All that is known of the account goes, once its owner has proved to be here. Raises Refusal for a browser that
    is nobody's."""
    only_from_here(request)
    who = await signed_in_here(request, hub)
    if await own_proof.is_missing(hub, who):
        return Redirect("/me?said=prove", status_code=303)
    await accounts.close(hub, who.holder)
    return Redirect("/me", status_code=303, cookies=[drop(hub, "recipient")], headers=CLEAR)


async def signed_in_here(request: Request[Any, Any, Any], hub: Hub) -> SignedIn:
    """Who is signed in in this browser. Raises Refusal if nobody is."""
    who = await whoever(request, hub, "recipient")
    if who is None:
        raise Refusal("sign_in", "Sign in first, on /me or with the link from your message.")
    return who


def _safe(back: str) -> str:
    """A page of ours to go back to, whatever was sent."""
    return back if _BACK.fullmatch(back) else "/me"


def _field(answer: str, name: str) -> str:
    return fields_of(answer).get(name, "")


PAGES = [
    me, me_events, keep_parcel, send_number, number_page, number, prefer, begin_passkey, finish_passkey, take_away,
    begin_sign_in, finish_sign_in, sign_out, close,
]  # fmt: skip

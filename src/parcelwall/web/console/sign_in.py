"""Signing in and out: with a passkey, or with a person's API key, by which they come to make their first passkey."""

from typing import Annotated, Any
from urllib.parse import quote

from litestar import Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect

from parcelwall.errors import Refusal
from parcelwall.hub import passkeys, signed_in, staff
from parcelwall.hub.house import Hub
from parcelwall.hub.keys import key_hash
from parcelwall.hub.staff import Person, SignIn
from parcelwall.notices.language import words
from parcelwall.web.console import said
from parcelwall.web.console.gate import HOME, back, look, must, posted, top
from parcelwall.web.console.views import MeView, SignInView
from parcelwall.web.passkeys import answer_of, ask_whoever, begun, drop, fields_of, keep, only_from_here, went_well
from parcelwall.web.reader import page
from parcelwall.web.render import Renderer
from parcelwall.web.who import Brake, address_of

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


@get("/console/sign-in", include_in_schema=False)
async def sign_in_page(
    request: Request[Any, Any, Any], renderer: Renderer, to: str = HOME, no: str = ""
) -> Response[bytes]:
    told = words(look(request).language).gettext(said.REFUSED[no]) if no in said.REFUSED else ""
    return page(renderer, SignInView(safe(to), told), look(request))


@post("/console/sign-in", include_in_schema=False)
async def sign_in(request: Request[Any, Any, Any], data: Form, hub: Hub, office_brake: Brake) -> Redirect:
    """With an API key of one of the operator's people, until they have a passkey: a key can be copied, so that it is no
    second way in. Raises Refusal after too many tries from one address."""
    only_from_here(request)
    to, address = safe(data.get("to", "")), address_of(request)
    if wait_s := office_brake.wait_s(address):
        raise Refusal("too_many_tries", retry_s=wait_s)
    office_brake.miss(address)
    person = await staff.by_key(hub.pool, key_hash(data.get("key", "").strip()))
    if person is None or not person.may("see", next(iter(person.area), None)):
        return Redirect(f"{HOME}/sign-in?to={quote(to)}&no=sign_in", status_code=303)
    office_brake.forgive(address)
    if person.actor and await passkeys.of_holder(hub, person.actor):
        return Redirect(f"{HOME}/sign-in?to={quote(to)}&no=passkey_only", status_code=303)
    return await enter(hub, person, to)


async def enter(hub: Hub, person: Person, to: str = HOME) -> Redirect:
    """Signs the browser of somebody in who has proved who they are."""
    assert person.actor is not None, "whoever signs in has an id in the journal"
    secret = await signed_in.begin(hub, "operator", person.actor, hub.clock.now())
    return Redirect(to, status_code=303, cookies=[keep(hub, "operator", secret)])


@post("/console/sign-in/passkey/begin", include_in_schema=False)
async def passkey_begin(request: Request[Any, Any, Any], hub: Hub, sign_in_brake: Brake) -> Response[bytes]:
    """Asks for a passkey of whoever it is. Raises Refusal for too many from one address."""
    return await ask_whoever(request, hub, "operator", sign_in_brake)


@post("/console/sign-in/passkey/finish", include_in_schema=False)
async def passkey_finish(request: Request[Any, Any, Any], hub: Hub) -> Response[bytes]:
    """Whoever it turns out to be. Raises Refusal if they are none of the operator's people any more."""
    answer = await answer_of(request)
    shown = await passkeys.finish_proof(hub, "operator", "sign_in", answer)
    if await staff.by_actor(hub, shown.holder) is None:
        raise Refusal("passkey_wrong")
    secret = await signed_in.begin(hub, "operator", shown.holder, shown.at)
    return went_well(safe(fields_of(answer).get("to", "")), [keep(hub, "operator", secret)])


@post("/console/sign-out", include_in_schema=False)
async def sign_out(request: Request[Any, Any, Any], sign_in: SignIn, hub: Hub) -> Redirect:
    await posted(request, sign_in)
    await signed_in.end(hub, sign_in.secret)
    return Redirect(f"{HOME}/sign-in", status_code=303, cookies=[drop(hub, "operator")])


async def prove_again(
    request: Request[Any, Any, Any], sign_in: SignIn, form: dict[str, str], hub: Hub, brake: Brake
) -> None:
    """Raises Refusal unless the person proved a moment ago to be there, or the form holds their own key and they have
    no passkey to show instead."""
    if sign_in.is_fresh(hub.clock.now()):
        return
    if sign_in.person.actor and await passkeys.of_holder(hub, sign_in.person.actor):
        raise Refusal("prove_again")
    with brake.one_try(address_of(request), "prove_again"):
        person = await staff.by_key(hub.pool, key_hash(form.get("key", "").strip()))
        if person is None or person.id != sign_in.person.id:
            raise Refusal("prove_again")
    await signed_in.prove(hub, sign_in.secret)


@get("/console/me", include_in_schema=False)
async def me_page(request: Request[Any, Any, Any], sign_in: SignIn, hub: Hub, renderer: Renderer) -> Response[bytes]:
    """Who I am here, and the passkeys I sign in with."""
    person = must(sign_in, "see", next(iter(sign_in.person.area), None))
    assert person.actor is not None, "whoever signs in has an id in the journal"
    mine = await passkeys.of_holder(hub, person.actor)
    known = words(look(request).language)
    shown = MeView(
        await top(request, hub, sign_in, "me"), person.id, known.gettext(said.ROLE[person.role]),
        tuple(sorted(person.area)), tuple((each.name, each.made_at, each.used_at) for each in mine),
    )  # fmt: skip
    return page(renderer, shown, look(request))


@post("/console/me/passkey/begin", include_in_schema=False)
async def make_begin(request: Request[Any, Any, Any], sign_in: SignIn, hub: Hub) -> Response[bytes]:
    """What the browser is asked to make. Raises Refusal unless the person proved a moment ago to be there."""
    only_from_here(request)
    if not sign_in.is_fresh(hub.clock.now()):
        raise Refusal("prove_again")
    assert sign_in.person.actor is not None, "whoever signs in has an id in the journal"
    return begun(await passkeys.begin_registration(hub, "operator", sign_in.person.actor, sign_in.person.id))


@post("/console/me/passkey/finish", include_in_schema=False)
async def make_finish(request: Request[Any, Any, Any], sign_in: SignIn, hub: Hub) -> Response[bytes]:
    assert sign_in.person.actor is not None, "whoever signs in has an id in the journal"
    await passkeys.finish_registration(hub, "operator", sign_in.person.actor, await answer_of(request))
    return went_well(f"{HOME}/me?said=passkey")


@post("/console/me/passkey/end", include_in_schema=False)
async def end_passkey(request: Request[Any, Any, Any], sign_in: SignIn, hub: Hub) -> Redirect:
    """A lost device signs in no more, and all their other browsers are signed out. Refuses without a fresh proof."""
    form = await posted(request, sign_in)
    assert sign_in.person.actor is not None, "whoever signs in has an id in the journal"
    try:
        if not sign_in.is_fresh(hub.clock.now()):
            raise Refusal("prove_again")
        await passkeys.take_away(hub, sign_in.person.actor, form.get("name", ""))
    except Refusal as no:
        return back(f"{HOME}/me", no=no)
    await signed_in.end_others(hub, sign_in.person.actor, sign_in.secret)
    return back(f"{HOME}/me", "changed")


def safe(to: str) -> str:
    """A page of the console, whatever was asked for: no way out to another site."""
    return to if to.startswith(f"{HOME}/") and to.isascii() and "//" not in to and "\\" not in to else HOME

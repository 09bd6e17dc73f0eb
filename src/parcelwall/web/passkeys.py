"""Signing in from a page, for recipients and operators alike: the cookie, and what `passkey.js` sends and is sent.

A page offers two addresses, `{path}/begin` and `{path}/finish`. The first answers what the browser is asked for, the
second takes what it has made (`begun`, `answer_of`). Both refuse what another site has sent (`only_from_here`).
"""

from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec
from litestar import Request, Response
from litestar.datastructures import Cookie

from parcelwall.errors import Refusal
from parcelwall.hub.house import Hub
from parcelwall.hub.passkeys import Purpose, begin_proof
from parcelwall.hub.signed_in import LASTS, SignedIn, find
from parcelwall.web.who import Brake, address_of

LONGEST_ANSWER = 20_000  # characters of what an authenticator makes
_JSON = "application/json"
BY_ITSELF = "x-parcelwall-by-itself"  # what `sw.js` asks for to keep it
# A recipient and a courier come by a link in a message, an operator by their own bookmark.
_SAME_SITE: dict[Purpose, Literal["lax", "strict"]] = {"recipient": "lax", "operator": "strict", "courier": "lax"}


def cookie_name(hub: Hub, purpose: Purpose) -> str:
    """`__Host-`: sent to this host alone, on every path, over TLS. A hub on this machine alone has no TLS."""
    return f"__Host-pw-{purpose}" if _has_tls(hub) else f"pw-{purpose}"


def _has_tls(hub: Hub) -> bool:
    return urlsplit(hub.public_url).scheme == "https"


def keep(hub: Hub, purpose: Purpose, secret: str) -> Cookie:
    """The cookie of a browser that is signed in: no script reads it, and no other site's request carries it along."""
    return Cookie(
        cookie_name(hub, purpose), value=secret, path="/", httponly=True, secure=_has_tls(hub),
        samesite=_SAME_SITE[purpose], max_age=int(LASTS[purpose].total_seconds()),
    )  # fmt: skip


def drop(hub: Hub, purpose: Purpose) -> Cookie:
    """The same cookie, ended."""
    return Cookie(cookie_name(hub, purpose), value="", path="/", httponly=True, secure=_has_tls(hub),
                  samesite=_SAME_SITE[purpose], max_age=0)  # fmt: skip


def secret_of(request: Request[Any, Any, Any], hub: Hub, purpose: Purpose) -> str:
    return request.cookies.get(cookie_name(hub, purpose), "")


async def whoever(request: Request[Any, Any, Any], hub: Hub, purpose: Purpose) -> SignedIn | None:
    """Who is signed in in this browser."""
    return await find(hub, purpose, secret_of(request, hub, purpose), is_use(request))


def is_use(request: Request[Any, Any, Any]) -> bool:
    """Whether a person does something. A page's stream goes on by itself, and so does the worker that keeps pages: a
    page left open is no use of a sign-in."""
    return not request.url.path.endswith("/events") and BY_ITSELF not in request.headers


def only_from_here(request: Request[Any, Any, Any]) -> None:
    """Refuses what another site's page has sent: a browser says where a request comes from."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    from_here = host_of(origin or "") in ("", request.headers.get("host"))
    if site is not None:  # our pages send no referrer, so that the Origin of their forms is "null"
        from_here = site in ("same-origin", "none")
    if not from_here:
        raise Refusal("no_right", "This was sent by another site's page. Use the page itself.")


def host_of(address: str) -> str | None:
    """Host and port of an address; None for what is no address at all."""
    try:
        return urlsplit(address).netloc
    except ValueError:
        return None


def begun(options: str) -> Response[bytes]:
    """What `passkey.js` hands to the browser."""
    return Response(options.encode(), media_type=_JSON, headers={"Cache-Control": "no-store"}, status_code=200)


async def ask_whoever(request: Request[Any, Any, Any], hub: Hub, purpose: Purpose, brake: Brake) -> Response[bytes]:
    """Asks for a passkey of whoever it is, to sign them in. Raises Refusal for another site's page, and for too many
    from one address."""
    only_from_here(request)
    brake.count(address_of(request))
    return begun(await begin_proof(hub, purpose, "sign_in"))


async def answer_of(request: Request[Any, Any, Any]) -> str:
    """What the browser has made, as JSON text. Raises Refusal for what is too long to be one."""
    only_from_here(request)
    body = await request.body()
    if len(body) > LONGEST_ANSWER:
        raise Refusal("passkey_wrong")
    return body.decode("utf-8", "replace")


class _Sent(msgspec.Struct):
    fields: dict[str, str] = {}


def fields_of(answer: str) -> dict[str, str]:
    """The fields of the form that was sent with a passkey, beside what the authenticator made. Raises Refusal."""
    try:
        return msgspec.json.decode(answer, type=_Sent).fields
    except (msgspec.DecodeError, RecursionError) as no:
        raise Refusal("passkey_wrong") from no


def went_well(to: str, cookies: list[Cookie] | None = None) -> Response[bytes]:
    """`passkey.js` goes on to this page."""
    answer = msgspec.json.encode({"to": to})
    return Response(answer, media_type=_JSON, headers={"Cache-Control": "no-store"}, status_code=200,
                    cookies=cookies or [])  # fmt: skip

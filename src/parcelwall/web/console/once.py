"""What a form's answer shows once and nothing shows again: a key, a code, a name in clear.

A form that is answered with a page does its work again when the page is loaded again. So it is answered with another
address, and what that page may show once lies sealed in a cookie of that page alone, which goes as it is shown. It is
of one sign-in and of half a minute; no hub process has to remember anything.
"""

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import msgspec
from litestar import Request, Response
from litestar.datastructures import Cookie
from litestar.response import Redirect

from parcelwall.errors import Trouble
from parcelwall.hub.house import Hub
from parcelwall.hub.staff import SignIn

NAME = "pw-once"
LASTS = timedelta(seconds=30)


class _Kept(msgspec.Struct, frozen=True):
    shown: dict[str, str]
    until: datetime


def show_once(hub: Hub, sign_in: SignIn, path: str, shown: Mapping[str, str]) -> Redirect:
    """To the page of this path, which may show this to whoever sent the form, once."""
    kept = msgspec.json.encode(_Kept(dict(shown), hub.clock.now() + LASTS))
    sealed = base64.urlsafe_b64encode(hub.keys.seal(kept, _purpose(sign_in, path))).decode()
    return Redirect(path, status_code=303, cookies=[_cookie(hub, path, sealed, int(LASTS.total_seconds()))])


def take_once(request: Request[Any, Any, Any], hub: Hub, sign_in: SignIn) -> dict[str, str]:
    """What this page may show now; nothing the next time, elsewhere, later, or to somebody else."""
    sealed, path = request.cookies.get(NAME, ""), request.url.path
    try:
        plain = hub.keys.open(base64.urlsafe_b64decode(sealed), _purpose(sign_in, path)) if sealed else b""
    except (Trouble, binascii.Error, ValueError):
        return {}
    kept = msgspec.json.decode(plain, type=_Kept) if plain else None
    return kept.shown if kept and kept.until > hub.clock.now() else {}


def and_no_more(request: Request[Any, Any, Any], hub: Hub, answer: Response[Any]) -> Response[Any]:
    """The page, and with it the end of what it showed once."""
    if NAME in request.cookies:
        answer.set_cookie(_cookie(hub, request.url.path, "", 0))
    return answer


def _purpose(sign_in: SignIn, path: str) -> str:
    return f"once/{path}/{sign_in.slip}"


def _cookie(hub: Hub, path: str, value: str, max_age: int) -> Cookie:
    has_tls = urlsplit(hub.public_url).scheme == "https"
    return Cookie(NAME, value=value, path=path, httponly=True, secure=has_tls, samesite="strict", max_age=max_age)

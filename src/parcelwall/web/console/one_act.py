"""A passkey that is shown for one act at the console, whatever it is: what is sent, and that it is theirs and for this.

A page names its act in words of its own (`open S-0012/14`); a passkey that was shown for another is refused.
"""

import json
from collections.abc import Callable
from typing import Any

from litestar import Request, Response

from parcelwall.errors import Refusal
from parcelwall.hub import passkeys, signed_in
from parcelwall.hub.house import Hub
from parcelwall.hub.staff import SignIn
from parcelwall.web.passkeys import answer_of, begun, fields_of, only_from_here


async def sent(request: Request[Any, Any, Any], sign_in: SignIn) -> dict[str, str]:
    """The fields that `passkey.js` sends before a passkey is shown. Raises Refusal for a form of another site's."""
    only_from_here(request)
    try:
        given = json.loads(await request.body())
        fields = {name: str(value)[:500] for name, value in given.items()}
    except (ValueError, AttributeError, RecursionError) as no:
        raise Refusal("not_json") from no
    _check_slip(fields, sign_in)
    return fields


def _check_slip(fields: dict[str, str], sign_in: SignIn) -> None:
    """Raises Refusal for a form that is not of this sign-in's pages."""
    if fields.get("slip") != sign_in.slip:
        raise Refusal("stale_screen")


async def ask_for_passkey(hub: Hub, sign_in: SignIn, act: str) -> Response[bytes]:
    """What the person's own passkey is asked to sign: this one act."""
    return begun(await passkeys.begin_proof(hub, "operator", act, sign_in.person.actor))


async def with_passkey(
    request: Request[Any, Any, Any], hub: Hub, sign_in: SignIn, act_of: Callable[[dict[str, str]], str]
) -> dict[str, str]:
    """The fields of a form that came with their passkey, shown for the act that these fields name. The sign-in has
    proved to be there by that. Raises Refusal."""
    answer = await answer_of(request)
    fields = {name: value[:500] for name, value in fields_of(answer).items()}
    _check_slip(fields, sign_in)
    await passkeys.finish_proof(hub, "operator", act_of(fields), answer, sign_in.person.actor)
    await signed_in.prove(hub, sign_in.secret)
    return fields

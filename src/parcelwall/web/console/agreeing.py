"""The second person: agrees to what another asked for, having proved a moment ago to be there, or takes it back."""

from typing import Any
from uuid import UUID

from litestar import Request, Response, post
from litestar.response import Redirect

from parcelwall.errors import Refusal
from parcelwall.hub import acts, taking_out
from parcelwall.hub.house import Hub
from parcelwall.hub.orders import Outlets
from parcelwall.hub.staff import SignIn
from parcelwall.web.console import expired
from parcelwall.web.console.gate import HOME, back, must, posted, stood
from parcelwall.web.console.jobs import Jobs
from parcelwall.web.console.one_act import ask_for_passkey, sent, with_passkey
from parcelwall.web.console.sign_in import prove_again
from parcelwall.web.console.writing_off import path_of
from parcelwall.web.passkeys import went_well
from parcelwall.web.who import Brake


@post("/console/acts/{act:uuid}/agree", include_in_schema=False)
async def agree(
    request: Request[Any, Any, Any], act: UUID, sign_in: SignIn, hub: Hub, outlets: Outlets, jobs: Jobs,
    office_brake: Brake,
) -> Redirect:  # fmt: skip
    """A door opens at once; what is done to many parcels begins after a minute. Raises Refusal for whoever has no
    right to it."""
    must(sign_in, "see")
    form = await posted(request, sign_in)
    try:
        acts.refuse_agreeing(await acts.find(hub, act), sign_in.person)
        await prove_again(request, sign_in, form, hub, office_brake)
        return Redirect(await _agreed(hub, outlets, jobs, sign_in, act), status_code=303)
    except Refusal as no:
        if no.reason in ("no_right", "not_found"):
            raise
        return back(stood(hub, form), no=no)


async def _agreed(hub: Hub, outlets: Outlets, jobs: Jobs, sign_in: SignIn, act: UUID) -> str:
    """The page that shows what comes of it. Raises Refusal as `acts.agree` does."""
    agreed = await acts.agree(hub, sign_in.person, act)
    if agreed.kind == "open_door":
        jobs.start(acts.carry_out_door(hub, outlets, agreed))
        return f"{HOME}/stations/{agreed.station}?said=asked"
    if agreed.kind == "take_out":
        jobs.start(taking_out.carry_out(hub, outlets, agreed))
        return f"{expired.path_of(agreed.station or '')}?said=asked"
    if agreed.kind == "write_off":
        return f"{path_of(agreed.station or '')}?said=agreed"
    return f"{HOME}/longer?said=agreed"


@post("/console/acts/{act:uuid}/agree/begin", include_in_schema=False)
async def agree_begin(request: Request[Any, Any, Any], act: UUID, sign_in: SignIn, hub: Hub) -> Response[bytes]:
    """What the own passkey is asked to sign: this one act. Raises Refusal for whoever has no right to agree to it."""
    must(sign_in, "see")
    await sent(request, sign_in)
    acts.refuse_agreeing(await acts.find(hub, act), sign_in.person)
    return await ask_for_passkey(hub, sign_in, f"agree {act}")


@post("/console/acts/{act:uuid}/agree/finish", include_in_schema=False)
async def agree_finish(
    request: Request[Any, Any, Any], act: UUID, sign_in: SignIn, hub: Hub, outlets: Outlets, jobs: Jobs
) -> Response[bytes]:
    """As `agree`, with a passkey that was shown for it. Raises Refusal."""
    must(sign_in, "see")
    form = await with_passkey(request, hub, sign_in, lambda _: f"agree {act}")
    try:
        return went_well(await _agreed(hub, outlets, jobs, sign_in, act))
    except Refusal as no:
        if no.reason in ("no_right", "not_found"):
            raise
        return went_well(back(stood(hub, form), no=no).url)


@post("/console/acts/{act:uuid}/withdraw", include_in_schema=False)
async def withdraw(request: Request[Any, Any, Any], act: UUID, sign_in: SignIn, hub: Hub) -> Redirect:
    must(sign_in, "see")
    form = await posted(request, sign_in)
    try:
        await acts.withdraw(hub, sign_in.person, act)
    except Refusal as no:
        if no.reason in ("no_right", "not_found"):
            raise
        return back(stood(hub, form), no=no)
    return back(stood(hub, form), "withdrawn")

"""A parcel for one person only: a passkey is shown for it, at its own page, for a QR or to open the door at once."""

from typing import Any

from litestar import Request, Response, post

from parcelwall.errors import Refusal
from parcelwall.hub import accounts, passkeys, signed_in
from parcelwall.hub.house import Hub
from parcelwall.hub.orders import Outlets
from parcelwall.hub.passkeys import Proof
from parcelwall.hub.signed_in import SignedIn
from parcelwall.rules.life import Parcel
from parcelwall.web.passkeys import answer_of, begun, fields_of, only_from_here, secret_of, went_well, whoever
from parcelwall.web.recipient import of_link, opened_by_phone
from parcelwall.web.recipient_view import qr_act


@post("/p/{secret:str}/qr/begin", include_in_schema=False)
async def begin_qr(request: Request[Any, Any, Any], secret: str, hub: Hub) -> Response[bytes]:
    """Asks for a passkey, for a QR. Raises Refusal for whoever has not shown that the parcel is theirs."""
    parcel, who = await _theirs(request, secret, hub)
    return begun(await passkeys.begin_proof(hub, "recipient", qr_act(parcel.id), who.holder))


@post("/p/{secret:str}/qr/finish", include_in_schema=False)
async def finish_qr(request: Request[Any, Any, Any], secret: str, hub: Hub) -> Response[bytes]:
    """The page shows a QR for some minutes, in this browser only. Raises Refusal."""
    parcel, who = await _theirs(request, secret, hub)
    act = qr_act(parcel.id)
    proof = await passkeys.finish_proof(hub, "recipient", act, await answer_of(request), who.holder)
    await signed_in.note_proof(hub, secret_of(request, hub, "recipient"), act, proof.at)
    return went_well(f"/p/{secret}")


@post("/p/{secret:str}/verified/begin", include_in_schema=False)
async def begin_open(request: Request[Any, Any, Any], secret: str, hub: Hub) -> Response[bytes]:
    """Asks for a passkey, to open the door. Raises Refusal for whoever has not shown that the parcel is theirs."""
    parcel, who = await _theirs(request, secret, hub)
    return begun(await passkeys.begin_proof(hub, "recipient", f"open {parcel.id}", who.holder))


@post("/p/{secret:str}/verified/finish", include_in_schema=False)
async def finish_open(
    request: Request[Any, Any, Any], secret: str, hub: Hub, outlets: Outlets
) -> Response[bytes]:
    """I am here, and it is I: opens the door, if the number is that of the station's screen. Raises Refusal."""
    parcel, who = await _theirs(request, secret, hub)
    answer = await answer_of(request)
    proof: Proof = await passkeys.finish_proof(hub, "recipient", f"open {parcel.id}", answer, who.holder)
    assert proof.holder == who.holder, "a challenge is answered by whom it was made for"
    number = fields_of(answer).get("number", "")
    said = await opened_by_phone(parcel, number, hub, outlets, verified=True)
    return went_well(f"/p/{secret}?said={said}")


async def _theirs(request: Request[Any, Any, Any], secret: str, hub: Hub) -> tuple[Parcel, SignedIn]:
    """The parcel, and who is signed in here and has shown that its contact is theirs. Raises Refusal for others."""
    only_from_here(request)
    parcel, who = await of_link(hub, secret), await whoever(request, hub, "recipient")
    if who is None or await accounts.how_joined(hub, who.holder, parcel.id) != "contact":
        raise Refusal("proof_missing")
    return parcel, who


PAGES = [begin_qr, finish_qr, begin_open, finish_open]

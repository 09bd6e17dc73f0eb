"""The receipt of a parcel that its own sender put in, as a paper to keep, in the reader's language."""

import asyncio
import subprocess
from typing import Any

import msgspec
from litestar import Request, Response, get

from parcelwall.errors import Refusal, Trouble
from parcelwall.hub import door_story, tries
from parcelwall.hub.house import Hub
from parcelwall.notices.language import words
from parcelwall.rules.life import Parcel
from parcelwall.web import paper
from parcelwall.web.reader import download
from parcelwall.web.recipient import look_for, of_link
from parcelwall.web.render import dated
from parcelwall.web.views import Look


class Receipt(msgspec.Struct, frozen=True):
    """What the paper says, in the words of the parcel's page. Each row is a label and a value."""

    language: str
    direction: str
    title: str
    number: str
    rows: tuple[tuple[str, str], ...]


@get("/p/{secret:str}/receipt.pdf", include_in_schema=False)
async def receipt_paper(request: Request[Any, Any, Any], secret: str, hub: Hub) -> Response[bytes]:
    """Five in ten minutes, as each is a program that is started. Raises Refusal for an unknown link, and for a parcel
    that no sender has put in."""
    parcel = await of_link(hub, secret)
    receipt = await receipt_of(hub, parcel, await look_for(request, hub, parcel, None))
    if receipt is None:
        raise Refusal("not_found")
    if not await tries.take(hub, f"receipt/{parcel.id}"):
        raise Refusal("too_many_tries")
    try:
        drawn = await asyncio.to_thread(paper.drawn, msgspec.json.encode(receipt))
    except (subprocess.SubprocessError, OSError) as why:
        raise Trouble("the receipt could not be drawn") from why
    return download(drawn, "application/pdf", f"{receipt.number}.pdf")


async def receipt_of(hub: Hub, parcel: Parcel, look: Look) -> Receipt | None:
    """None for a delivery, and before the parcel was put in."""
    received = await door_story.received(hub, parcel) if parcel.direction == "return" else None
    if received is None:
        return None
    known, station = words(look.language), hub.stations.known[parcel.station or ""].about
    rows = ((known.gettext("Put in"), dated(received[1], look)), (known.gettext("Number"), parcel.reference),
            (known.gettext("Station"), station.name), (known.gettext("Address"), station.address))  # fmt: skip
    return Receipt(known.language, known.direction, known.gettext("Your receipt"), received[0], rows)

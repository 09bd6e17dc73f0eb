"""What a recipient reports from the own page becomes a case, once per kind and parcel."""

from parcelwall.errors import Refusal
from parcelwall.hub.house import Hub
from parcelwall.hub.reports import report
from parcelwall.rules.life import Parcel

KINDS = {"door": "door_did_not_open", "empty": "reported_empty", "wrong": "reported_wrong_parcel",
         "damaged": "reported_damaged", "reach": "cannot_reach", "passkey": "cannot_use_a_passkey"}  # fmt: skip


async def complain(hub: Hub, parcel: Parcel, what: str) -> None:
    """Opens a case. Raises Refusal for a kind that the page does not offer."""
    if what not in KINDS:
        raise Refusal("bad_field", "Choose one of the reasons on the page.", field="what")
    await report(hub, parcel, KINDS[what])

"""An account's owner proves once more to be there: with a passkey, or with six digits sent to a contact it had first.

Taking a passkey away, making another and closing the account ask for it, so that a stolen cookie does none of them.
A contact that came into the account after its passkeys proves nothing: whoever stole the cookie may have shown it.
"""

from uuid import UUID

from parcelwall.hub import accounts, contacts, passkeys
from parcelwall.hub.contacts import Contact
from parcelwall.hub.house import Hub
from parcelwall.hub.signed_in import SignedIn
from parcelwall.rules.life import Parcel


async def ways(hub: Hub, account: UUID) -> list[tuple[Contact, Parcel]]:
    """The contacts by which this account can prove it, each with a parcel through which a number is sent there."""
    first = await contacts.shown_first(hub, account)
    found: dict[bytes, tuple[Contact, Parcel]] = {}
    for parcel in await accounts.parcels(hub, account) if first else []:
        for each in await contacts.of_parcel(hub, parcel):
            if each.tag in first:
                found.setdefault(each.tag, (each, parcel))
        if len(found) == len(first):
            break
    return list(found.values())


async def is_missing(hub: Hub, who: SignedIn) -> bool:
    """Whether there is something by which this person can prove to be there, and they have not just now done so."""
    if who.is_fresh(hub.clock.now()):
        return False
    return bool(await passkeys.of_holder(hub, who.holder) or await ways(hub, who.holder))

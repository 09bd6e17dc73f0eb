"""What `/me` shows: one person's parcels in the order in which they matter, and how that person likes it."""

from typing import Any
from urllib.parse import urlsplit

from parcelwall.hub import accounts, contacts, own_proof, passkeys, preferred
from parcelwall.hub.accounts import Account
from parcelwall.hub.contacts import Contact
from parcelwall.hub.house import Hub
from parcelwall.hub.signed_in import SignedIn
from parcelwall.notices import times
from parcelwall.notices.language import Words, languages, words
from parcelwall.notices.texts import state_text
from parcelwall.rules.life import ENDED, INSIDE, Parcel
from parcelwall.web.recipient_view import STAGES, ending, heading_of
from parcelwall.web.views import Choice, Look, MeView, MyParcel, MyPasskey, NumberView, Way

USUAL_NIGHT = (22, 7)  # proposed, in whole hours
SAID = ("shown", "passkey", "preferred", "proved", "taken", "prove")


async def my_parcels(hub: Hub, who: SignedIn | None) -> list[Parcel]:
    """What stands in this browser's list; nothing for a browser that is nobody's."""
    return await accounts.parcels(hub, who.holder) if who else []


async def view(hub: Hub, who: SignedIn | None, look: Look, said: str, host: str) -> MeView:
    """The page of whoever is signed in in this browser, or how to come in. `host` is how the page was asked for."""
    known, now = words(look.language), hub.clock.now()
    if who is None:
        return MeView(signed_in=False, passkeys_at=_elsewhere(hub, host), as_of=now)
    account = await accounts.find(hub, who.holder)
    every = await my_parcels(hub, who)
    inside, ended = [each for each in every if each.stage in INSIDE], [each for each in every if each.stage in ENDED]
    coming = [each for each in every if each.stage not in INSIDE and each.stage not in ENDED]
    known_keys = await passkeys.of_holder(hub, who.holder)
    chosen = account.language if account else ""
    notice, refused = _notice(said, known)
    must_prove = await own_proof.is_missing(hub, who)
    proofs = await own_proof.ways(hub, who.holder) if must_prove else []
    return MeView(
        signed_in=True, waiting=_rows(hub, inside, look), coming=_rows(hub, coming, look),
        past=_rows(hub, ended, look), ways=await _ways(hub, who, every),
        passkeys=tuple(MyPasskey(*each) for each in known_keys), may_make=not known_keys or who.is_fresh(now),
        must_prove=must_prove, proofs=tuple(_way(hub, each, parcel) for each, parcel in proofs),
        languages=tuple(Choice(code, name, code == chosen) for code, name in languages().items()),
        reach=bool(account and account.reach), notice=notice, refused=refused, passkeys_at=_elsewhere(hub, host),
        **_told(hub, account),
        events=f"/me/events?lang={look.language}" + (f"&said={said}" if said in SAID else ""), as_of=now,
    )  # fmt: skip


def _told(hub: Hub, account: Account | None) -> dict[str, Any]:
    """By which ways they want to be told, where there are several, and when not."""
    wishes = account.told if account else preferred.NONE
    ways = tuple(
        Choice(each, each, not wishes.channels or each in wishes.channels) for each in sorted(hub.channels)
    ) if len(hub.channels) > 1 else ()  # fmt: skip
    hours = wishes.quiet or USUAL_NIGHT
    return {"told_by": ways, "quiet": wishes.quiet is not None, "quiet_from": hours[0], "quiet_until": hours[1]}


def _rows(hub: Hub, parcels: list[Parcel], look: Look) -> tuple[MyParcel, ...]:
    return tuple(_row(hub, each, look) for each in parcels)


def _row(hub: Hub, parcel: Parcel, look: Look) -> MyParcel:
    heading, line = heading_of(hub, parcel, look)
    held = bool(parcel.blocked) and parcel.stage in INSIDE
    if parcel.stage in INSIDE and parcel.collect_by and parcel.direction != "return" and not held:
        known = words(look.language)
        line = str(state_text("ready", known, station=".", time=times.moment(parcel.collect_by, look.zone, known)).line)
    return MyParcel(
        href=f"/p/{hub.keys.link_token('recipient', parcel.id)}", stage="held" if held else STAGES[parcel.stage],
        heading=heading, line=line, ending=ending(parcel.reference),
        verified=parcel.proof == "verified" and parcel.stage not in ENDED,
    )  # fmt: skip


async def _ways(hub: Hub, who: SignedIn, parcels: list[Parcel]) -> tuple[Way, ...]:
    """Contacts of the parcels in the list that this person has not shown to be their own yet, each once."""
    shown = await contacts.shown_already(hub, who.holder)
    found: dict[bytes, Way] = {}
    for parcel in parcels[:20]:
        for each in await contacts.of_parcel(hub, parcel):
            if each.tag not in shown:
                found.setdefault(each.tag, _way(hub, each, parcel))
    return tuple(found.values())


def _way(hub: Hub, contact: Contact, parcel: Parcel) -> Way:
    return Way(contact.kind, contact.masked, hub.keys.link_token("recipient", parcel.id))


def _elsewhere(hub: Hub, host: str) -> str:
    """Where passkeys work, if it is not here: they belong to a name, and this page was asked for by another."""
    party = passkeys.party_of(hub.public_url)
    try:
        here = urlsplit(f"//{host}").hostname
    except ValueError:  # "[": no name at all
        here = None
    return "" if here == party.id else f"{party.origins[0]}/me"


def _notice(said: str, known: Words) -> tuple[str, bool]:
    """What was just done, in one sentence."""
    return (state_text(f"me_{said}", known).whole(), said == "prove") if said in SAID else ("", False)


def number_view(back: str, said: str, look: Look) -> NumberView:
    """Where the six digits are typed."""
    wrong = state_text("number_wrong", words(look.language)).whole() if said else ""
    return NumberView(back=back, notice=wrong, refused=bool(said))

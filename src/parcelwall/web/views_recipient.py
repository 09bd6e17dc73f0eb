"""What the recipient's pages are told: one parcel by its link, the list of one person's parcels, a friend's page.

The laws and the kinds of fields are those of `web/views.py`, where all of these can be imported from.
"""

from datetime import datetime
from typing import Literal

import msgspec


class Step(msgspec.Struct, frozen=True):
    """One of at most five steps. `when` is shown with its weekday; `about` marks an estimate; `day_only` hides the
    time of day (a public page never tells the minute of collection)."""

    words: str
    state: Literal["done", "now", "next"]
    when: datetime | None = None
    about: bool = False
    day_only: bool = False


class Place(msgspec.Struct, frozen=True):
    """A station as readers find it. `map_svg` is None outside the map's extract: then the address stands alone."""

    name: str
    address: str
    ways: tuple[str, ...] = ()
    map_svg: str | None = None
    lat: float | None = None
    lon: float | None = None
    photo: str = ""
    """The path of a picture of it, which is fetched when somebody asks for it."""


class OwnDoor(msgspec.Struct, frozen=True):
    """The reader's own door, once a `Deposited` fact names it. `place` from `cabinet.place_sentence`."""

    number: int
    place: str
    cabinet_svg: str
    within_reach: bool = False
    state: Literal["shut", "opening", "open", "still-open", "stuck"] = "shut"


class DoorNews(msgspec.Struct, frozen=True):
    """What the own door has seen since the parcel was put in, to the second."""

    what: Literal["put-in", "opened", "shut", "code"]
    at: datetime


class Extension(msgspec.Struct, frozen=True):
    """An offer to keep the parcel until a time, at a price in words ("" is free of charge). Posted to `here/extend`,
    with the time until which it is kept now."""

    until: datetime
    price: str = ""
    now: str = ""


class Other(msgspec.Struct, frozen=True):
    """Somebody else who may collect until a time: their grant, and the address of their own page ("" if it was not
    made here)."""

    grant: str
    until: datetime
    link: str = ""
    new: bool = False


class Way(msgspec.Struct, frozen=True):
    """One contact of the parcel's person that a number can be sent to: `email` or `sms`, and its masked form."""

    kind: Literal["email", "sms"]
    masked: str
    secret: str = ""
    """Of the parcel whose contact it is, where a page shows several parcels."""


class Verify(msgspec.Struct, frozen=True):
    """A parcel for one person only, and how far its reader has come in showing who they are.

    `contact`: a number is sent to one of `ways` first; `passkey`: none is made yet; `show`: it is shown at the
    station; `elsewhere`: another account has shown before that it is theirs. `until` is when the QR ends.
    """

    step: Literal["contact", "passkey", "show", "elsewhere"]
    ways: tuple[Way, ...] = ()
    until: datetime | None = None


RecipientStage = Literal["coming", "ready", "late", "held", "collected", "gone", "diverted", "cancelled", "lost"]


class RecipientView(msgspec.Struct, frozen=True):
    """`/p/{secret}`: one parcel of this person.

    `code` is grouped ("4719", "0622"); `qr` is the token to draw, never the code. `left_s` of `total_s` is the
    holding time left. `here` is this page's own path: commands are posted to `{here}/extend` and its like.
    """

    stage: RecipientStage
    heading: str
    line: str = ""
    reference: str = ""
    here: str = ""
    events: str | None = None
    station: Place | None = None
    door: OwnDoor | None = None
    code: tuple[str, ...] = ()
    qr: str = ""
    collect_by: datetime | None = None
    left_s: int = 0
    total_s: int = 0
    paused: bool = False
    """Its door does not open: until somebody has looked, the holding time stands still."""
    steps: tuple[Step, ...] = ()
    extension: Extension | None = None
    notice: str = ""
    """One sentence about what was just done or refused ("Yours until Tue 10:30.")."""
    refused: bool = False
    """True when `notice` says no."""
    case: str = ""
    can_report: bool = False
    others: tuple[Other, ...] = ()
    """Who else may collect; made by `{here}/grants`; `{here}/grants/{grant}/revoke` takes one back."""
    can_share: bool = False
    can_open: bool = False
    """"I am here, open": posted to `{here}/open` with the number on the station's screen."""
    verify: Verify | None = None
    log: tuple[DoorNews, ...] = ()
    alone: bool = False
    """The station has no line to the hub now."""
    selector: str = ""
    """The last 4 of the parcel number, which the screen may ask for beside the code."""
    moved_from: str = ""
    receipt: str = ""
    """Of a return: which entry says that it was put in, and when."""
    received_at: datetime | None = None
    """The station where room was held before."""
    kept: bool = False
    """It stands in this browser's list already."""
    as_of: datetime | None = None
    """When this was drawn: what a page without network shows as the time of its last news."""


class FriendView(msgspec.Struct, frozen=True):
    """`/f/{token}`: somebody else collects. Station, door and a QR of their own; nothing of whom it is for."""

    heading: str
    qr: str
    until: datetime
    reference_end: str
    station: Place | None = None
    door: OwnDoor | None = None
    events: str | None = None
    as_of: datetime | None = None


class MyParcel(msgspec.Struct, frozen=True):
    """One row of the list: where it leads, what it says, and what is written small beside it."""

    href: str
    stage: RecipientStage
    heading: str
    line: str = ""
    ending: str = ""
    verified: bool = False


class MyPasskey(msgspec.Struct, frozen=True):
    """One passkey, and the name by which it is taken away."""

    name: str
    made_at: datetime
    used_at: datetime | None = None


class Choice(msgspec.Struct, frozen=True):
    """One language to choose: `Choice("de", "Deutsch", True)`."""

    code: str
    name: str
    chosen: bool = False


class MeView(msgspec.Struct, frozen=True):
    """`/me`: the parcels of one person in this browser, and how they like it. `signed_in` False: how to come in."""

    signed_in: bool
    waiting: tuple[MyParcel, ...] = ()
    coming: tuple[MyParcel, ...] = ()
    past: tuple[MyParcel, ...] = ()
    ways: tuple[Way, ...] = ()
    """Contacts that are not shown to be this person's yet."""
    passkeys: tuple[MyPasskey, ...] = ()
    may_make: bool = False
    """Another passkey may be made: there is none yet, or one was shown just now."""
    must_prove: bool = False
    """Before a passkey is taken away or the list is forgotten, its owner proves to be there."""
    proofs: tuple[Way, ...] = ()
    """Contacts by which the owner can, beside a passkey."""
    languages: tuple[Choice, ...] = ()
    reach: bool = False
    told_by: tuple[Choice, ...] = ()
    """Ways to be told, `email` and `sms`, to choose from."""
    quiet: bool = False
    """Nothing is sent from `quiet_from` until `quiet_until`, whole hours at the station; else these are proposed."""
    quiet_from: int = 0
    quiet_until: int = 0
    notice: str = ""
    refused: bool = False
    passkeys_at: str = ""
    """Where passkeys work, if not at the address by which this page was opened."""
    events: str | None = None
    as_of: datetime | None = None


class NumberView(msgspec.Struct, frozen=True):
    """`/me/number`: six digits were sent, and are typed here. `back` is where the page goes on."""

    back: str = "/me"
    notice: str = ""
    refused: bool = False

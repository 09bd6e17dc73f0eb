"""What a page is told. One frozen object per page; whoever fills it has decided everything, a template only shows it.

Laws (faces.md 0 and 0.2): kiosk, courier and tracking objects have no field for a name, an address of a person or
another person's door, so no template can show one. A recipient's page shows that person's own code, QR and door.

Texts: `heading` and `line` come in the reader's language, from the sentence table or from notices; where a field is
empty the template uses its own words for that state. Times are aware and in UTC; the page shows them in the reader's
language and the zone of `Look`. Durations are whole seconds. Fields that end in `_svg` are drawings made by
`cabinet.draw`, `map.station_map`: they are put into the page as they are, and nothing else ever is.
Addresses (`here`, `events` and other fields that say so) are paths of this server, made by the face.
"""

from datetime import date, datetime
from typing import Literal

import msgspec

from parcelwall.web import views_courier
from parcelwall.web.views_console import (  # noqa: F401 - one place to import every view from
    ApiCall,
    ApiField,
    ApiGroup,
    ApiView,
    Face,
    MailRow,
    MailsView,
    MailView,
    PretendDoor,
    PretendView,
    StartView,
)  # fmt: skip
from parcelwall.web.views_courier import RoadShown
from parcelwall.web.views_recipient import (  # noqa: F401
    Choice,
    DoorNews,
    Extension,
    FriendView,
    MeView,
    MyParcel,
    MyPasskey,
    NumberView,
    Other,
    OwnDoor,
    Place,
    RecipientStage,
    RecipientView,
    Step,
    Verify,
    Way,
)  # fmt: skip

Theme = Literal["auto", "day", "night"]


class Look(msgspec.Struct, frozen=True):
    """How a page looks. `zone` is the station's; `theme="auto"` follows the reader's device, a kiosk names one."""

    language: str = "en"
    theme: Theme = "auto"
    contrast: bool = False
    text: Literal["normal", "large"] = "normal"
    zone: str = "Europe/Helsinki"
    sound: bool = True
    speech: bool = False
    """A kiosk's screen is read aloud."""
    volume: int = 3
    """Of the voice, from 1 to 3."""
    steady: bool = False
    """The same key twice within half a second counts once."""
    low: bool = False
    """The pad in the lower half of the screen."""


class Language(msgspec.Struct, frozen=True):
    """One entry of the list of languages, by its own name: `Language("de", "Deutsch")`."""

    code: str
    name: str


# Tracking and recipient --------------------------------------------------------------------------------------------


class FindView(msgspec.Struct, frozen=True):
    """`/`: type a number. `check_digit_wrong` is the one thing that may be named about a mistyped number."""

    number: str = ""
    check_digit_wrong: bool = False


class SentenceView(msgspec.Struct, frozen=True):
    """`/?number=`: a bare number shows one sentence, where it stands on the line of steps, and a day. Nothing else."""

    number: str
    heading: str
    step: int
    """Place of the current step in `steps`, from 0."""
    steps: tuple[str, ...]
    day: date | None = None
    about: bool = True
    until: bool = False
    """The day is the last on which it waits, not the one on which it comes."""
    trouble: bool = False
    """Adds "Later than planned." below: for a heading that does not say so itself."""
    events: str | None = None


class TrackView(msgspec.Struct, frozen=True):
    """`/t/{token}`: the sentence, the steps with times, the station and its map, the deadline."""

    heading: str
    line: str = ""
    steps: tuple[Step, ...] = ()
    station: Place | None = None
    collect_by: datetime | None = None
    ready: tuple[datetime, datetime] | None = None
    """The window in which the parcel will be ready, of a calendar that an operator adopted."""
    trouble: bool = False
    """Adds "Later than planned." below: for a heading that does not say so itself."""
    as_of: datetime | None = None
    """When this was drawn."""
    events: str | None = None


class NotFoundView(msgspec.Struct, frozen=True):
    """Unknown, foreign, cancelled, erased: the same bytes. `link` True for a link, False for a number typed at `/`."""

    link: bool = False


class SlowDownView(msgspec.Struct, frozen=True):
    """Too many tries from here. `wait_s` seconds until the next one is listened to."""

    wait_s: int


WayOn = Literal["again", "find", "list", "parcel", "round"]


class RefusedView(msgspec.Struct, frozen=True):
    """Why there is no page, or why nothing was done; and the way on, of which `back` is the address ("": this very
    one)."""

    heading: str
    line: str
    what: WayOn
    back: str


# Kiosk -------------------------------------------------------------------------------------------------------------

ScreenId = Literal[
    "home", "selector", "wrong", "paused", "held", "opening", "open", "still-open", "thanks", "stuck", "late",
    "several", "keep", "kept", "send-scan", "send-size", "send-none", "send-done", "courier-in", "courier-home",
    "courier-scan", "courier-size", "courier-which", "courier-label", "courier-out", "courier-bye", "courier-sync",
    "no-fit", "unknown", "audit", "service", "report", "case", "look", "help", "more-time", "closed", "starting",
    "lost", "asleep",
]  # fmt: skip


class PadField(msgspec.Struct, frozen=True):
    """One posted field of the pad: its name and how its places are grouped, `PadField("digits", (4, 4))`."""

    name: str
    groups: tuple[int, ...]
    masked: bool = True


class Pad(msgspec.Struct, frozen=True):
    """The code pad draws what it is told. It posts by itself on the last digit of the last field."""

    fields: tuple[PadField, ...] = (PadField("digits", (4, 4)),)
    post: str = "/code"
    steady: bool = False

    @property
    def places(self) -> int:
        return sum(sum(field.groups) for field in self.fields)


class SizeChoice(msgspec.Struct, frozen=True):
    """A size a courier may choose. Inner millimetres; `free` is a count for couriers, None hides it."""

    name: str
    width_mm: int
    height_mm: int
    depth_mm: int
    free: int | None = None
    proposed: bool = False


class Alike(msgspec.Struct, frozen=True):
    """One of several parcels with the same label. `carrier` may be "" for one that an older hub has promised."""

    parcel: str
    carrier: str
    ending: str
    size: str


class LastDoor(msgspec.Struct, frozen=True):
    """The courier's last door, kept in a strip for 60 s: "Wrong door? Open it again"."""

    door: int
    ending: str
    """End of the parcel's number, "2917"."""
    result: Literal["in", "out", "open"] = "in"
    again: bool = True


class Courier(msgspec.Struct, frozen=True):
    """What courier screens count: parcels to bring and to take here, free compartments per size."""

    to_bring: int = 0
    to_take: int = 0
    free: tuple[tuple[str, int], ...] = ()
    brought: int = 0
    taken: int = 0
    may_check: bool = True
    """They may look into empty doors."""
    last: LastDoor | None = None


class Service(msgspec.Struct, frozen=True):
    """What a technician sees. `doors` are the compartments in which the book has no parcel; `seen` counts the doors
    that read open, closed, unknown; `tested` is the last test, `read` how many characters the reader gave."""

    why: str = ""
    doors: tuple[int, ...] = ()
    more: bool = False
    """There are more doors than one screen holds."""
    seen: dict[str, int] = {}
    tested: str = ""
    read: int = 0
    online: bool = False
    unsent: int = 0


class KioskScreen(msgspec.Struct, frozen=True):
    """One screen of the station's visit. `id` names the template, `number` counts screens (a tap on an older one is
    refused as stale), `visit` names the visit. `heading` and `lines` replace the template's words when given.

    `seconds` counts down whatever the screen counts (pause, more time, open again, starting) of `seconds_of`.
    `cue` is the sound: "key", "good", "refused", "tick", "nag" or "".
    """

    id: ScreenId
    station: str
    address: str = ""
    station_id: str = ""
    now: datetime | None = None
    look: Look = Look()
    visit: str = ""
    number: int = 0
    base: str = ""
    """Put before every path that the page posts to; "" when the kiosk has a port of its own."""
    heading: str = ""
    lines: tuple[str, ...] = ()
    spoken: str = ""
    """The one polite-live sentence; "" takes the heading."""
    door: int | None = None
    place: str = ""
    cabinet_svg: str = ""
    pad: Pad | None = None
    note: str = ""
    """What the operator has this screen say besides, in `note_language`."""
    note_language: str = ""
    challenge: str = ""
    """The text of the QR that a courier's phone answers (screen `courier-in`)."""
    road: RoadShown | None = None
    presence: str = ""
    """What somebody who opens by phone reads off this screen, "042"; "" without a line."""
    reader: Literal["below", "above", "left", "right"] | None = "below"
    tries_left: int | None = None
    seconds: int = 0
    seconds_of: int = 0
    ending: str = ""
    """End of the parcel's number, where a screen speaks of one parcel."""
    case: str = ""
    retries: bool = False
    """The door may be tried, or opened, once more, when `seconds` are over."""
    stands: bool = False
    """The holding time of whoever reads this stands still while the case is open."""
    deadline: datetime | None = None
    keeps: Literal["", "wrong", "asks", "longer", "no", "alone"] = ""
    """What becomes of the wish that a parcel stays longer (`keep`, `kept`); "alone": the hub cannot be asked."""
    sizes: tuple[SizeChoice, ...] = ()
    alike: tuple[Alike, ...] = ()
    courier: Courier | None = None
    belongs: str = ""
    """Station where a label belongs, the next one with room, or the nearest open one; "" until the hub has said so."""
    seeks: bool = False
    """It would be in `belongs` if there were a line to ask over."""
    another: bool = False
    """Whoever brings a parcel may have another door than the one that does not open."""
    sends: bool = False
    """Somebody who is no courier puts a parcel in."""
    unfit: bool = False
    """The open door is too small, or its parcel is taken out again: it is to be pushed shut with nothing in it."""
    puts_right: bool = False
    """The door of what was just put in is open once more."""
    again: int | None = None
    """The door of what was just put in, while whoever put it in may open it once more from this screen."""
    receipt: str = ""
    """Stands for the entry of the station's journal that says it is in, "S-0012-4711"."""
    checks: int = 0
    """Doors that are still to be looked into (screen `audit`)."""
    asks: bool = False
    """What was behind the door that was just shut?"""
    service: Service | None = None
    puts_in: bool = False
    """A courier's door is open for a parcel to be put in."""
    can_lower: bool = False
    """The top row of keys is high enough that a lower pad helps."""
    no_sending: Literal["", "full", "out"] = ""
    """Why nothing can be put in now: no compartment is free, or the battery is low or the disk full."""
    alone: bool = False
    saving_power: bool = False
    languages: tuple[Language, ...] = ()
    phone: str = ""
    """Whom to call for help, as people dial it; "" where no number was given: then no sentence may say to call."""
    since: datetime | None = None
    cue: str = ""
    frame: str = ""
    """Build hash, posted with every heartbeat."""


TEMPLATES: dict[type, str] = {
    **views_courier.TEMPLATES,
    FindView: "tracking/find.html",
    SentenceView: "tracking/sentence.html",
    TrackView: "tracking/status.html",
    NotFoundView: "tracking/not-found.html",
    SlowDownView: "tracking/slow-down.html",
    RefusedView: "tracking/refused.html",
    RecipientView: "recipient/parcel.html",
    FriendView: "recipient/friend.html",
    MeView: "recipient/me.html",
    NumberView: "recipient/number.html",
    KioskScreen: "kiosk/{id}.html",
    MailsView: "demo/mails.html",
    MailView: "demo/mail.html",
    PretendView: "demo/pretend.html",
    StartView: "demo/start.html",
    ApiView: "console/api.html",
}


def template_of(view: msgspec.Struct) -> str:
    """The template that shows this view: `kiosk/home.html` for a `KioskScreen` with id `home`."""
    name: str = getattr(view, "template", "") or TEMPLATES[type(view)]
    return name.format(id=view.id) if isinstance(view, KioskScreen) else name

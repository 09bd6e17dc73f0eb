"""What the demo's own pages and the API's page are told. `views.py` says how such objects are meant."""

from datetime import datetime

import msgspec

# The demo ----------------------------------------------------------------------------------------------------------


class MailRow(msgspec.Struct, frozen=True):
    here: str
    to: str
    subject: str
    when: datetime


class MailsView(msgspec.Struct, frozen=True):
    rows: tuple[MailRow, ...]
    events: str | None = None


class MailView(msgspec.Struct, frozen=True):
    """One mail as the demo's mail box got it. `text` is the plain part; addresses in it become links."""

    subject: str
    sender: str
    to: str
    when: datetime
    text: str
    back: str = "/mails"
    as_sent: str = ""
    """Where the mail is shown as a mail program shows it."""


class PretendDoor(msgspec.Struct, frozen=True):
    number: int
    size: str
    open: bool = False
    jammed: bool = False
    ticking: bool = False
    """The station waits for this one."""


class PretendView(msgspec.Struct, frozen=True):
    """One pretend board. `here` is the page's path; a door is chosen with `{here}?door=7`; posts go to
    `{here}/door` (door, do = pull | push | jam | free), `{here}/scan` (label) and `{here}/line` (do = cut | mend)."""

    station: str
    station_id: str
    here: str
    doors: tuple[PretendDoor, ...]
    cabinet_svg: str = ""
    chosen: int | None = None
    others: tuple["Face", ...] = ()
    kiosk: str = ""
    line_cut: bool = False
    labels: tuple[str, ...] = ()
    """Labels worth trying, offered as a list beside the field."""
    said: str = ""
    """What the board answered to the last act."""
    events: str | None = None


class Face(msgspec.Struct, frozen=True):
    """A link on the start page."""

    name: str
    about: str
    url: str
    icon: str = "caret-right"


class StartView(msgspec.Struct, frozen=True):
    """The demo's first page: the faces, the stations' kiosks, and a few numbers to try."""

    faces: tuple[Face, ...]
    kiosks: tuple[Face, ...] = ()
    tries: tuple[tuple[str, str], ...] = ()
    """(what, value) pairs such as ("A number to track", "PW-7F3-29Q")."""
    office: tuple[Face, ...] = ()
    """The operator's people, at the console as each of whom anybody may look."""


# The API's own page ------------------------------------------------------------------------------------------------


class ApiField(msgspec.Struct, frozen=True):
    """A parameter or a field of a body: its name, its type in words, what it means."""

    name: str
    kind: str
    about: str = ""
    required: bool = False


class ApiCall(msgspec.Struct, frozen=True):
    """One call: method, path, what it does, what it takes and what it answers."""

    method: str
    path: str
    summary: str
    parameters: tuple[ApiField, ...] = ()
    body: tuple[ApiField, ...] = ()
    answers: tuple[str, ...] = ()


class ApiGroup(msgspec.Struct, frozen=True):
    name: str
    calls: tuple[ApiCall, ...]


class ApiView(msgspec.Struct, frozen=True):
    """`/docs`: the OpenAPI document as a page."""

    title: str
    version: str
    groups: tuple[ApiGroup, ...]

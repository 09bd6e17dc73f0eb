"""What the operator's people write down for themselves: no station needs it. `facts.py` has all other kinds."""

from datetime import date
from typing import Literal
from uuid import UUID

from parcelwall.rules.fact import Fact
from parcelwall.rules.tables import AdmissionRow


class Looked(Fact, frozen=True, kw_only=True):
    """Somebody of the operator looked at what is not for everybody. `reason` is why, without names or numbers."""

    at: Literal["person", "search", "export"]
    actor: UUID
    parcel: UUID | None = None
    reason: str = ""


class CaseNoted(Fact, frozen=True, kw_only=True):
    """What was done about a case that stays open: somebody was `sent` there, or the recipient of its parcel was `told`
    that it is looked after. `note` is who was sent and when they come, without names or numbers of people."""

    case: UUID
    what: Literal["sent", "told"]
    station: str | None = None
    parcel: UUID | None = None
    note: str = ""
    actor: UUID | None = None


class StaffChanged(Fact, frozen=True, kw_only=True):
    """One of the operator's people was admitted, given another role, area or key, or sent away. `person` and `actor`
    are random ids, whose names stand in the staff's table alone; without an actor it was done at the hub's machine.

    `role` and `area` (ids of stations, none for all) are those from then on.
    """

    what: Literal["admitted", "changed", "key", "sent_away"]
    person: UUID
    role: str = ""
    area: tuple[str, ...] = ()
    actor: UUID | None = None


class Forgotten(Fact, frozen=True, kw_only=True):
    """The person of a parcel was erased from the vault, and the pictures of its cases; by whom."""

    parcel: UUID
    actor: UUID | None = None


class SiteNoted(Fact, frozen=True, kw_only=True):
    """The place of a station as its operator has it on paper: host, authority, permit and until when it is valid.

    The newest one of a station counts. Companies and offices only, no person. `way` to `photo` are for everybody who
    comes: None and "" are "nobody has said".
    """

    station: str
    host: str = ""
    authority: str = ""
    permit: str = ""
    valid_until: date | None = None
    access: str = ""  # how to get to the door and the fuse: for those who are sent there
    actor: UUID | None = None
    ground: Literal["", "private", "municipal"] = ""
    valid_from: date | None = None
    conditions: str = ""  # of the permit
    way: str = ""  # how people get there on foot
    step_free: bool | None = None
    step_free_way: str = ""  # how they get there on wheels
    lit: bool | None = None  # at night
    kerb: Literal["", "none", "lowered", "raised"] = ""
    photo: str = ""  # SHA-256 of a picture of it, in hex
    papers: tuple[str, ...] = ()  # SHA-256 of each paper of its permit, in hex, oldest first


class AdmissionAdopted(Fact, frozen=True, kw_only=True):
    """An admin approved a row of admission: it replaces the one of its name, or ends it. `plan` is the digest of the
    plan file that it comes from; `by_row` the row that had it adopted by itself, if nobody did."""

    row: AdmissionRow
    plan: str = ""
    by_row: str = ""
    actor: UUID | None = None

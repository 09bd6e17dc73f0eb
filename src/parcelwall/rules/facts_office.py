"""What the operator's people write down for themselves: no station needs it. `facts.py` has all other kinds."""

from datetime import date
from typing import Literal
from uuid import UUID

from parcelwall.rules.fact import Fact


class Looked(Fact, frozen=True, kw_only=True):
    """Somebody of the operator looked at what is not for everybody. `reason` is why, without names or numbers."""

    at: Literal["person", "search", "export"]
    actor: UUID
    parcel: UUID | None = None
    reason: str = ""


class SiteNoted(Fact, frozen=True, kw_only=True):
    """The place of a station as its operator has it on paper: host, authority, permit and until when it is valid.

    The newest one of a station counts. Companies and offices only, no person.
    """

    station: str
    host: str = ""
    authority: str = ""
    permit: str = ""
    valid_until: date | None = None
    access: str = ""  # how to get to the door and the fuse: for those who are sent there
    actor: UUID | None = None

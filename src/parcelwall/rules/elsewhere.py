"""What a station's screen asks the hub, and what it is told: of other stations, a place that anybody may know; of a
parcel whose code was typed, until when it stays."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

MOST_LETTERS = 64  # of a label


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """About "open": the nearest other station that takes parcels. "room": the nearest with room for a parcel that is
    promised here, larger than the size `above` of this station if one is named. "label": where a label belongs.

    These two are a courier's who is signed in at the screen: `courier`. Whoever types at random is told nothing.

    "keep": the parcel is to stay longer, says whoever has typed its own code; `once` names that wish, which comes true
    once, however often it is asked.
    """

    about: Literal["open", "room", "label", "keep"]
    courier: UUID | None = None
    parcel: UUID | None = None
    above: Annotated[str, Meta(max_length=MOST_LETTERS)] = ""
    label: Annotated[str, Meta(max_length=MOST_LETTERS)] = ""
    once: UUID | None = None


class Asked(msgspec.Struct, frozen=True):
    """A question as it goes over the line; `id` comes back with the answer."""

    id: Annotated[str, Meta(max_length=64)]
    question: Question


class Place(msgspec.Struct, frozen=True):
    """A station by what stands on its wall."""

    name: str
    address: str = ""


class Kept(msgspec.Struct, frozen=True):
    """Until when a parcel stays now, and whether that is longer than before."""

    until: datetime
    longer: bool


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """`place` is None where there is none, and alike where the hub does not say; so is `kept`."""

    id: str
    place: Place | None = None
    kept: Kept | None = None

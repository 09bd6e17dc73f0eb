"""What all facts have in common; `facts.py` has the kinds."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
By = Literal["recipient", "delegate", "sender", "courier", "carrier", "operator", "hub", "unknown"]
Door = Annotated[int, msgspec.Meta(ge=1, le=32_767)]  # number of a compartment


class Fact(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The root of all facts. `happened_at`, writer and number stand on the entry, not in the body.

    `actor`, where a kind has it: which of the operator's people did it, by a random id that says no name.
    """

    @property
    def kind(self) -> str:
        return type(self).__name__


class ParcelFact(Fact, frozen=True, kw_only=True):
    """A fact in the life of one parcel."""

    parcel: UUID

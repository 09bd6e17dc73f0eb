"""One carrier's parcels with one label: at one station no two of them are promised room, for whoever stands there with
one in their hands could not say which it is. Two carriers may have the same label: a courier chooses between them.
"""

from collections.abc import Iterable

from parcelwall.errors import Refusal
from parcelwall.hub.sitting import Sitting, read_parcel
from parcelwall.rules.labels import normal
from parcelwall.rules.life import INSIDE, Parcel, Stage

Named = tuple[str, str]  # carrier and label, as it was written

_NAMED = """
SELECT record FROM unnest($1::text[], $2::text[]) AS asked (c, l)
  JOIN parcel ON label = l AND carrier = c WHERE stage = ANY($3::text[])
UNION
SELECT record FROM unnest($1::text[], $2::text[]) AS asked (c, l)
  JOIN parcel ON carrier = c AND reference = l WHERE stage = ANY($3::text[]) AND label IS NULL"""


def label_of(parcel: Parcel) -> str:
    """What a scanner reads on it."""
    return parcel.label or parcel.reference


async def load(at: Sitting, asked: Iterable[Named]) -> None:
    """Whose of these labels lie or are promised room where; the stations are locked by now."""
    forms = {(carrier, form) for carrier, label in asked for form in (label, normal(label))
             if "\x00" not in form}  # fmt: skip
    if not forms:
        return
    carriers, labels = zip(*sorted(forms), strict=True)
    for row in await at.connection.fetch(_NAMED, carriers, labels, [Stage.RESERVED, *INSIDE]):
        note(at, read_parcel(row["record"]), None)


def note(at: Sitting, parcel: Parcel, station: str | None) -> None:
    """The parcel has its label at the station, or where it is known to be."""
    at.labels[parcel.carrier, station or parcel.station or "", normal(label_of(parcel))] = parcel.id


def refuse(at: Sitting, parcel: Parcel, station: str) -> None:
    """Refuses room where another parcel of this carrier's has the same label."""
    if at.labels.get((parcel.carrier, station, normal(label_of(parcel))), parcel.id) != parcel.id:
        raise Refusal("label_twice", station=station)

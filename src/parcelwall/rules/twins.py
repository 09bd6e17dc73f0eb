"""Several parcels with one label at one station: which of them somebody holds in their hands."""

from collections.abc import Sequence

from parcelwall.errors import Refusal
from parcelwall.rules.life import INSIDE, Parcel, Stage


def without_doubles(alike: Sequence[Parcel]) -> list[Parcel]:
    """Without what is expected of a carrier whose parcel with this label lies inside: it is that one, promised twice by
    a hub that was restored in between, and who scans it once more opens no other door."""
    inside = {each.carrier for each in alike if each.carrier and each.stage in INSIDE}
    return [each for each in alike if each.stage != Stage.RESERVED or each.carrier not in inside]


def meant(alike: Sequence[Parcel]) -> Parcel:
    """The one that is meant of parcels with one label, of which at least one is expected.

    Of one carrier's it is what was promised last: a hub promises no second one, but for one that was restored to before
    the first. Refuses where other carriers' have it too, or nobody's name stands there.
    """
    if len(alike) > 1 and (not alike[0].carrier or any(each.carrier != alike[0].carrier for each in alike)):
        raise Refusal("label_twice")
    return max((each for each in alike if each.stage == Stage.RESERVED), key=lambda each: each.reservation or each.id)

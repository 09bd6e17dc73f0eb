"""Several parcels with one label at one station: which of them somebody holds in their hands."""

from collections.abc import Sequence

from parcelwall.errors import Refusal
from parcelwall.rules.life import Parcel, Stage


def meant(alike: Sequence[Parcel]) -> Parcel:
    """The one that is meant of parcels with one label, of which at least one is expected.

    Of one carrier's it is what was promised last: a hub promises no second one, but for one that was restored to before
    the first. Refuses where other carriers' have it too, or nobody's name stands there.
    """
    if len(alike) > 1 and (not alike[0].carrier or any(each.carrier != alike[0].carrier for each in alike)):
        raise Refusal("label_twice")
    return max((each for each in alike if each.stage == Stage.RESERVED), key=lambda each: each.reservation or each.id)

"""What the courier's pages are told, and the two screens of a station that speak with a courier's phone.

As with all views (`web.views`): whoever fills one has decided everything, a template only shows it. No field holds a
name, a code, another courier's round or what is in a parcel.
"""

import msgspec


class RoadShown(msgspec.Struct, frozen=True):
    """Screen `courier-sync`: the codes of one part, shown in a loop, and how far the hub's answer is read.

    `name` is the same as long as the codes are; `later` entries come in the next part; `outcome` is "", "kept" or
    "refused".
    """

    name: str
    sheets: int
    unsent: int
    later: int = 0
    read: int = 0
    read_of: int = 0
    outcome: str = ""

"""Who of the operator's people may do what, and where. One table: roles, and the rights of each.

A right is asked for at the thing itself: may this person do this *at this station*. What belongs to no station may be
done by those only whose area is everywhere.
"""

from collections.abc import Collection
from typing import Literal, get_args

Role = Literal["viewer", "operator", "technician", "planner", "admin"]
Right = Literal[
    "see", "export", "find", "reveal", "open", "codes", "hold", "unblock", "agree", "extend", "end", "couriers",
    "sites", "policy", "people", "trust", "forget", "admission",
]  # fmt: skip

RIGHTS: dict[Role, frozenset[Right]] = {
    "viewer": frozenset({"see"}),
    "technician": frozenset({"see", "open", "hold"}),
    "planner": frozenset({"see", "export", "sites", "policy"}),
    "operator": frozenset(
        {"see", "export", "find", "reveal", "open", "codes", "hold", "unblock", "agree", "extend", "end", "couriers"}
    ),
    "admin": frozenset(get_args(Right)),
}  # fmt: skip
ROLES: tuple[Role, ...] = get_args(Role)
EVERYWHERE: frozenset[str] = frozenset()


def may(role: str, area: Collection[str], right: Right, station: str | None = None) -> bool:
    """Whether somebody of this role, admitted to the stations of `area` (none named: all), may do this there.

    A carrier's key is none of these roles and may nothing. Without a station it is about the whole network: whoever is
    admitted to some stations only may look, and what they see is cut to their area by who shows it.
    """
    if role not in ROLES or right not in RIGHTS[role]:
        return False
    if not area:
        return True
    return right == "see" if station is None else station in area

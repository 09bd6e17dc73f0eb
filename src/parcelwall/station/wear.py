"""How often each compartment was used, counted from the station's own book: so that doors wear alike."""

from collections import Counter
from typing import TYPE_CHECKING

from parcelwall.rules.life import INSIDE, Parcel
from parcelwall.rules.places import Doors

if TYPE_CHECKING:
    from parcelwall.station.desk import StationDesk
    from parcelwall.station.memory import Memory

_NEWER = """
SELECT arrival, json_extract(body, '$.compartment') FROM entry WHERE arrival > ? AND kind = 'Deposited'
ORDER BY arrival"""


class Wear:
    """Deposits by compartment since the book began, and which was the last; each entry is counted once."""

    def __init__(self) -> None:
        self.uses: Counter[int] = Counter()
        self.last: dict[int, int] = {}
        self._through = 0

    def read(self, memory: "Memory") -> "Wear":
        """What the book holds by now. A new computer has it too, from the hub."""
        for arrival, compartment in memory.connection.execute(_NEWER, (self._through,)):
            self.uses[int(compartment)] += 1
            self.last[int(compartment)] = self._through = arrival
        return self


def doors(desk: "StationDesk", parcel: Parcel) -> Doors:
    """What counts at the doors for this parcel, beside room."""
    memory = desk.memory
    inside = (each for each in memory.parcels() if each.group == parcel.group and each.stage in INSIDE)
    mates = tuple(each.compartment for each in inside if each.compartment) if parcel.group else ()
    wear = memory.wear.read(memory)
    return Doors(dict(wear.uses), mates, memory.policy.reach_kept, dict(wear.last), _tired(desk))


def _tired(desk: "StationDesk") -> dict[int, int]:
    """The doors whose coil is to be spared, as `rules.places.Doors` has it: one pulse puts in, the next takes out."""
    states = {door: (desk.rests_s(door, 0) > 0) + (desk.rests_s(door, 1) > 0) for door in desk.plan.place}
    return {door: state for door, state in states.items() if state}

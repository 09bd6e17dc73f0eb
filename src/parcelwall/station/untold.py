"""What people have said at the screen and the disk had no room for. The screen says that it is not recorded; it is kept
as long as this process lives, and told with the next thing that can be written.

Above all nothing is said to have been put in that a courier has taken out again.
"""

from typing import NamedTuple

import msgspec

from parcelwall.rules import facts
from parcelwall.station.memory import Memory
from parcelwall.station.reserve import UNWRITTEN
from parcelwall.station.visit import Visit


class Said(NamedTuple):
    case: facts.CaseOpened | None
    visit: Visit | None  # as it should stand


class Untold:
    """What could not be written yet."""

    def __init__(self, memory: Memory) -> None:
        self._memory, self._said = memory, list[Said]()

    def write(self, case: facts.CaseOpened | None, visit: Visit | None) -> None:
        """A case, and the visit as it should stand. Raises what the disk raises, and keeps it for later then."""
        try:
            self._memory.tell(*([case] if case else ()), visit_after=visit)
        except UNWRITTEN:
            self._said.append(Said(case, visit))
            raise

    def as_said(self, visit: Visit) -> Visit:
        """The visit with what was said of it."""
        if not self._said:
            return visit
        said = [each.visit for each in self._said if each.visit and each.visit.id == visit.id]
        spoiled, unfit = any(each.spoiled for each in said), any(each.unfit for each in said)
        taken_out = said[-1].taken_out if said else visit.taken_out  # may be said, and said otherwise again
        return msgspec.structs.replace(visit, spoiled=visit.spoiled or spoiled, unfit=visit.unfit or unfit,
                                       taken_out=taken_out)  # fmt: skip

    def cases(self) -> list[facts.CaseOpened]:
        """What is still to be told; once that is done, call `told`."""
        return [each.case for each in self._said if each.case]

    def told(self) -> None:
        self._said.clear()

    def tell(self) -> None:
        """Writes what is still to be told. Raises what the disk raises, and nothing of it is forgotten."""
        open_now = {each.id: each for each in self._memory.unfinished()}
        about = {each.visit.id for each in self._said if each.visit} & open_now.keys()
        for visit in about:
            self._memory.keep(self.as_said(open_now[visit]))
        if cases := self.cases():
            self._memory.tell(*cases)
        self.told()

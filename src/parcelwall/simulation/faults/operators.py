"""Those who look at cases: latches are freed, contacts mended, what no book knows of is taken out. And those who give
up what lies in a station, and may be wrong (F39)."""

from collections.abc import Sequence, Set
from datetime import timedelta
from functools import partial
from uuid import UUID

from parcelwall.rules.life import INSIDE
from parcelwall.simulation.faults.chance import Luck
from parcelwall.simulation.faults.outpost import Outpost
from parcelwall.simulation.faults.plan import Plan
from parcelwall.simulation.faults.things import Behind, Thing
from parcelwall.simulation.faults.upstairs import Upstairs

WHOLE_STATION = 0.15  # of those who give something up: all that lies there
OF_DOORS = ("door_failed", "door_left_open", "opened_unasked", "door_unclear")


class Operators:
    """They come `after` so long. What they find they put on the plan."""

    def __init__(
        self, upstairs: Upstairs, posts: Sequence[Outpost], behind: dict[str, Behind], by_id: dict[UUID, Thing],
        plan: Plan, after: timedelta, luck: Luck,
    ) -> None:  # fmt: skip
        self.upstairs, self.posts, self.behind, self.by_id = upstairs, posts, behind, by_id
        self.plan, self.after, self.luck = plan, after, luck

    async def give_up(self, post: Outpost) -> list[Thing]:
        """F39: what somebody takes for lost of what the hub knows to lie there, a parcel or all of them. It lies there
        as before, and the station hands it out until it hears."""
        rows = await self.upstairs.eye.fetch(_INSIDE, post.name, list(INSIDE))
        there = [(self.by_id[row["id"]], row["stage"]) for row in rows if row["id"] in self.by_id]
        if not there:
            return []
        every = self.luck.happens(WHOLE_STATION)
        lost = there if every else [self.luck.pick(there)]
        for thing, stage in lost:
            thing.given_up = (stage, post.link_state(), "all that lies there" if every else "one parcel")
        post.note(f"F39: {'all that lies there' if every else lost[0][0].name} is given up, line {post.link_state()}")
        return [thing for thing, _ in lost]

    async def look(self) -> None:
        """At cases that are old enough, wherever a line and a computer are up."""
        old = await self.upstairs.with_old_cases(self.after)
        for post in self.posts:
            if post.link is None or post.station is None:
                continue
            if post.name in old:
                await self.upstairs.close_cases(post.name, self.after, partial(self._mend, post))
            self._clean(post)

    def _mend(self, post: Outpost, door: int | None, about: str, lost: Set[UUID]) -> None:
        """`lost`: what is written off by the hub's book, whatever the station has heard."""
        post.note(f"somebody looks at door {door}: {about}")
        if door is None or not any(line.door == door for line in post.profile.doors):
            return
        self._judge_case(post, door, about)
        post.boards.core.mend(door)
        post.harm.mended(door, post.clock.true)
        post.restless = True
        if not any(visit.compartment == door for visit in post.up.desk.unfinished()):
            self._take_out_strays(post, door, lost)

    def _take_out_strays(self, post: Outpost, door: int, lost: Set[UUID] = frozenset()) -> None:
        """Whoever looks behind a door takes out what the book does not know of, and sends it on its way; what was given
        up and has turned up they keep."""
        inside = (parcel for parcel in post.up.memory.parcels() if parcel.stage in INSIDE)
        here = {parcel.id for parcel in inside if parcel.compartment == door}
        book, behind = here - lost, self.behind[post.name]
        for thing in [each for each in behind.at(door) if each.id not in book]:
            behind.take(thing)
            if thing.written_off:
                thing.life = "home"
                if thing.id in here:  # the station has not heard, and no door could see it
                    thing.taken_unseen = True
                    behind.muddled.add(door)
            elif thing.life == "promised" and not thing.muddled:
                self.plan.at(self.upstairs.clock.now() + timedelta(hours=3), "round", [thing])
        for missing in book - {thing.id for thing in behind.at(door)}:
            self._judge_missing(post, door, missing)
            behind.muddled.add(door)
            if missing in self.by_id:
                self.plan.at(self.upstairs.clock.now() + timedelta(hours=1), "write off", self.by_id[missing])

    def _judge_case(self, post: Outpost, door: int, about: str) -> None:
        if not has_cause(post, door, about):
            post.violated(f"a case ({about}) tells of door {door}, and nothing was done there")

    def _judge_missing(self, post: Outpost, door: int, parcel: UUID) -> None:
        """INV-06: what the book has and nobody finds was taken or muddled by people, where no door could see it."""
        thing = self.by_id.get(parcel)
        if thing and not (thing.muddled or thing.taken_unseen):
            post.violated(f"INV-06: the book has a parcel behind door {door}, whoever looks finds none", thing.name)

    def _clean(self, post: Outpost) -> None:
        """Doors behind which nobody knew what lies are looked behind once their contacts tell the truth again."""
        behind, busy = self.behind[post.name], {visit.compartment for visit in post.up.desk.unfinished()}
        for door in sorted(behind.muddled - busy - post.harm.stuck):
            if post.is_shut(door):
                behind.muddled.discard(door)
                self._take_out_strays(post, door)


def has_cause(post: Outpost, door: int, about: str) -> bool:
    """A case of a door needs something that was done there; bits that flip and boards that talk at once may show any
    door as open."""
    return about not in OF_DOORS or door in post.harm.ever or post.harm.anywhere


_INSIDE = "SELECT id, stage FROM parcel WHERE station = $1 AND stage = ANY($2::text[]) ORDER BY id"

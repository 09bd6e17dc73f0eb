"""F28: the hub's database is lost, and that of a backup takes its place. What became of a day's work."""

from collections.abc import Sequence
from datetime import timedelta

from parcelwall.simulation.faults.blows import stages
from parcelwall.simulation.faults.ledger import Ledger
from parcelwall.simulation.faults.line import Lines
from parcelwall.simulation.faults.outpost import Outpost
from parcelwall.simulation.faults.shop import Shop
from parcelwall.simulation.faults.things import Thing
from parcelwall.simulation.faults.upstairs import Upstairs

SENT_AGAIN_WITHIN_H = 6  # carriers hear of it, and send their lists again


class Restores:
    """What of this is to be done in this step of time: before people act, so that stations are heard, or after."""

    def __init__(
        self, upstairs: Upstairs, lines: Lines, shop: Shop, posts: Sequence[Outpost], ledger: Ledger
    ) -> None:
        self.upstairs, self.lines, self.shop, self.posts, self.ledger = upstairs, lines, shop, posts, ledger
        self._due: list[tuple[str, bool]] = []  # what, and whether after the people

    def plan(self, what: str, late: bool) -> None:
        self._due.append((what, late))

    def cease(self) -> None:
        self._due.clear()

    async def now(self, late: bool) -> None:
        due = [what for what, when in self._due if when == late]
        self._due = [each for each in self._due if each[1] != late]
        for what in due:
            if what == "backup":
                await self.upstairs.back_up()
            elif self.upstairs.backup.taken:
                await self._restore()

    async def _restore(self) -> None:
        self.ledger.struck("F28")
        for post in self.posts:
            self._note(post)
        await self.upstairs.restore()
        self.lines.old.clear()  # a process that is gone hears nothing late
        self.upstairs.book.note(self.upstairs.clock.now(), "F28: the hub is what it was when the backup was taken")
        await self._send_again()

    def _note(self, post: Outpost) -> None:
        for state in (post.link_state(), *(sorted(stages(post)) if post.station else ())):
            self.ledger.also("F28", state)
        post.note(f"F28: the hub is restored, line {post.link_state()}")
        post.healing = True
        if post.link:
            self.lines.cut(post)

    async def _send_again(self) -> None:
        """Of what was announced since the backup some stations know, and will say so. The rest is sent again by the
        carrier, who has had no word of it, or goes the conventional way."""
        known = await self.shop.recall(list(self.shop.by_id.values()))
        silent = {post.name for post in self.posts if post.station is None}
        for thing in [each for each in self.shop.by_id.values() if each.id not in known]:
            somewhere = any(post.up.memory.parcel(thing.id) for post in self.posts if post.station)
            if somewhere or {thing.station, thing.moved_to} & silent or thing.life not in ("announced", "promised"):
                continue
            self._anew(thing)

    def _anew(self, thing: Thing) -> None:
        wait = timedelta(hours=self.shop.luck.between(0, SENT_AGAIN_WITHIN_H))
        at = self.upstairs.clock.now() + wait
        del self.shop.by_id[thing.id]  # type: ignore[arg-type]
        thing.id, thing.moved_to, thing.lost = None, "", thing.lost + 1
        thing.life = "planned" if at < thing.bring_at else "home"
        if thing.life == "planned":
            self.shop.plan.at(at, "announce", thing)

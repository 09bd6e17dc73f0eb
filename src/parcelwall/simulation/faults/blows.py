"""What strikes a station by itself, whoever stands there: its line, its computer, its disk, its clock."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from parcelwall.rules.life import Stage
from parcelwall.simulation.faults.chance import Luck
from parcelwall.simulation.faults.ledger import VISIT, Ledger
from parcelwall.simulation.faults.line import Lines
from parcelwall.simulation.faults.outpost import RESERVE_BYTES, Outpost
from parcelwall.simulation.faults.plan import Plan

MOST_STEPS = 70  # of a visit, from the first write to the last
IDLE_SHARE, AIMED_SHARE = 0.1, 0.5  # of the stops come while nobody is there; wait for a chosen state of a visit
IN_A_VISIT = 0.6  # of what befalls a disk or a clock waits for a chosen state of a visit
WRITING = ("written", "pulsed", "open", "shut")  # something is to be written, or was just now
DRIFT = 500e-6  # seconds gained per second


class Blows:
    """Strikes, and puts on the plan what mends it."""

    def __init__(self, lines: Lines, plan: Plan, ledger: Ledger) -> None:
        self.lines, self.plan, self.ledger = lines, plan, ledger

    async def strike(self, post: Outpost, what: str) -> None:
        """One fault, or the end of one."""
        if what in ("F07", "F08"):
            await self._stop(post, what)
        elif what == "F13":
            post.note("F13: the next start will be cut short")
            post.starts_badly = True
        elif what in ("F01", "F02"):
            self._line(post, what)
        elif what == "F09":
            self._now_or_in_a_visit(post, lambda: self._full(post), WRITING)
        elif what == "F10":
            self._now_or_in_a_visit(post, lambda: self._read_only(post), WRITING)
        elif what == "F11":
            post.disk.slow_s = post.luck.between(0.3, 3)
            post.note(f"F11: a sync takes {post.disk.slow_s:.1f} s from now on")
            self._later(post, post.luck.between(1, 8), "quick again")
        elif what == "quick again":
            post.disk.slow_s = 0.0
        elif what == "room again":
            post.disk.make_room()
            post.restless = True  # the station looks every 10 s
        elif what == "F21":
            self._now_or_in_a_visit(post, lambda: self._clock(post), VISIT[1:])
        elif what == "right time":
            post.clock.set_right()
            post.note("the clock is right again")
        elif what == "F37":
            self.plan.at(post.clock.true, "guess", post.clock.true + timedelta(hours=20), post.name)

    def _now_or_in_a_visit(self, post: Outpost, strike: Callable[[], None], states: Sequence[str]) -> None:
        """At once, or as soon as a visit is in a state that is drawn: short ones are met as often as long ones."""
        if post.luck.happens(IN_A_VISIT):
            post.waiting.append((post.luck.pick(states), strike))
        else:
            strike()

    def _full(self, post: Outpost) -> None:
        steps = 0 if _in_a_visit(post) else post.luck.pick((0, 0, post.luck.whole(1, MOST_STEPS)))
        post.disk.fill_up_in(steps)
        post.disk.worth_bytes = post.luck.pick((0, RESERVE_BYTES))  # somebody else may be quicker to take it
        if not steps:
            self.ledger.struck("F09", (f"full when {post.visit_state()}, {post.line}",))
        post.note(f"F09: the disk is full from now on ({post.visit_state()})")
        self._later(post, post.luck.between(1, 12), "room again")

    def _read_only(self, post: Outpost) -> None:
        post.disk.read_only = True
        self.ledger.struck("F10", (post.visit_state(), post.line))
        post.note(f"F10: the disk is read-only from now on ({post.visit_state()})")
        self._later(post, post.luck.between(0.5, 6), "room again")

    def _later(self, post: Outpost, hours: float, what: str) -> None:
        self.plan.at(post.clock.true + timedelta(hours=hours), what, None, post.name)

    async def _stop(self, post: Outpost, kind: str) -> None:
        """At once, in a state that is waited for, or at some step of whatever comes next."""
        if post.station is None or post.fuse.armed or post.aimed:
            return
        post.kind_of_stop = kind
        how = post.luck.between(0, 1)
        if how < IDLE_SHARE:
            await post.stop()
        elif how < IDLE_SHARE + AIMED_SHARE:
            post.aimed = post.luck.pick(VISIT[1:])
        else:
            post.arm(kind, post.luck.whole(1, MOST_STEPS))

    def _line(self, post: Outpost, kind: str) -> None:
        if post.link is None or post.station is None:
            return
        states = [post.link_state(), *sorted(stages(post))]
        self.ledger.struck(kind, states)
        if kind == "F02":
            post.link.deaf = post.luck.pick(("up", "down"))
            post.note(f"F02: nothing goes {post.link.deaf} any more")
            return
        post.cut_until = post.clock.true + _length(post.luck)
        post.note(f"F01: the line is cut until {post.cut_until:%d.%m. %H:%M}")
        self.lines.cut(post)

    def _clock(self, post: Outpost) -> None:
        kind = post.luck.pick(("+1 h", "1970", "drift", "-10 min", "+10 years"))
        states = [kind, *((post.visit_state(), *sorted(stages(post))) if post.station else ())]
        self.ledger.struck("F21", states)
        post.note(f"F21: the clock, {kind}")
        if kind == "+1 h":
            post.clock.jump(timedelta(hours=1))
        elif kind == "-10 min":
            post.clock.jump(timedelta(minutes=-10))
        elif kind == "+10 years":
            post.clock.jump(timedelta(days=3652))
        elif kind == "1970":
            post.clock.back_to_1970()
        else:
            post.clock.drifts(DRIFT)
        self._later(post, post.luck.between(1, 30), "right time")


def _in_a_visit(post: Outpost) -> bool:
    return post.watched is not None and post.watched.visit is not None


def _length(luck: Luck) -> timedelta:
    """Of a cut: five minutes in the middle, and up to seven days."""
    if luck.happens(0.03):
        return timedelta(hours=luck.between(12, 168))
    return timedelta(minutes=5 * 2 ** luck.between(-2, 6))


def stages(post: Outpost) -> set[str]:
    """The stages in which parcels are that this station knows."""
    rows = post.up.memory.connection.execute("SELECT DISTINCT json_extract(record, '$.stage') FROM parcel")
    return {str(stage) for (stage,) in rows} & {stage.value for stage in Stage}

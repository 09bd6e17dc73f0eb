"""A station is updated: what its older version heard and could not read is learnt, once, in the order of its coming."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import apsw
import pytest

from parcelwall.rules import facts
from parcelwall.rules.life import Stage
from parcelwall.rules.understanding import understanding
from parcelwall.station.house import Station
from parcelwall.station.memory import Memory
from parcelwall.station.verify import verify_station
from station.rig import NAME, Crash, Rig, fail_at, never_fail

NEWER = ("WrittenOff", "ScreenNoted", "Blocked", "Unblocked", "PolicyAdopted")
TABLES = ("parcel", "room", "case_file", "standing", "entry", "visit", "brake")


class OlderMemory(Memory):
    """The memory of a version that did not know some kinds yet."""

    kinds = {name: kind for name, kind in facts.KINDS.items() if name not in NEWER}  # noqa: RUF012 - read only


class Old(Rig):
    """A station on the older version until `update`."""

    version = OlderMemory

    async def update(self) -> None:
        self.version = Memory
        await self.restart()


@pytest.fixture
async def old(tmp_path: Path) -> Any:
    rig = await Old(tmp_path).start()
    yield rig
    await rig.stop()


def written_off(rig: Rig, parcel: UUID) -> facts.WrittenOff:
    known = rig.parcel(parcel)
    assert known.reservation and known.compartment
    return facts.WrittenOff(parcel=parcel, reservation=known.reservation, station=NAME, compartment=known.compartment,
                            why="gone")  # fmt: skip


def noted(rig: Rig, words: str) -> facts.ScreenNoted:
    return facts.ScreenNoted(station=NAME, texts={"en": words}, until=rig.desk.now() + timedelta(days=2))


def tables(memory: Memory) -> dict[str, list[tuple[Any, ...]]]:
    return {name: memory.connection.execute(f"SELECT * FROM {name} ORDER BY 1").fetchall() for name in TABLES}


async def test_what_was_kept_unread_is_learnt_after_the_update(old: Old) -> None:
    gone, kept, held = [await old.inside(each) for each in ("PW-1", "PW-2", "PW-3")]
    old.hear(written_off(old, gone), noted(old, "The yard is shut."), facts.Blocked(parcel=held))
    assert old.parcel(gone).stage == Stage.READY and old.memory.noted is None, "the older version keeps it, and no more"
    pulses, wrote = old.pulses(), old.wrote()
    await old.update()
    assert (old.parcel(gone).stage, old.parcel(kept).stage) == (Stage.WRITTEN_OFF, Stage.READY)
    assert old.memory.noted is not None and old.memory.noted.texts == {"en": "The yard is shut."}
    assert old.parcel(held).blocked
    assert (old.pulses(), old.wrote()) == (pulses, wrote), "nothing opens, nothing is told"
    old.clean()
    before = tables(old.memory)
    await old.restart()
    assert tables(old.memory) == before, "once"


async def test_what_came_later_stands(old: Old) -> None:
    """Collected though written off, unblocked again, another sentence, a newer policy: as they came."""
    gone, held = await old.inside("PW-1"), await old.inside("PW-2")
    older, newer = (facts.PolicyAdopted(policy=facts.Policy(version=n, hold_hours=24 * n)) for n in (2, 3))
    old.hear(written_off(old, gone), facts.Blocked(parcel=held), noted(old, "The yard is shut."), older)
    await old.collect(old.code(gone))
    old.hear(facts.Unblocked(parcel=held), facts.ScreenNoted(station=NAME), newer)
    await old.update()
    assert old.parcel(gone).stage == Stage.COLLECTED
    assert old.parcel(held).blocked is False
    assert old.memory.noted is not None and old.memory.noted.texts == {}
    assert old.memory.policy == newer.policy
    old.clean()


async def test_a_door_that_was_open_over_the_update_ends_its_visit(old: Old) -> None:
    gone = await old.inside("PW-1")
    visit = await old.keeper.serve(old.desk.collect_by_code(old.code(gone)))
    old.hear(written_off(old, gone))
    await old.update()
    assert [each.id for each in old.desk.unfinished()] == [visit.id]
    await old.shut(visit.compartment)
    assert old.parcel(gone).stage == Stage.COLLECTED and not old.desk.unfinished()
    old.clean()


async def test_power_fails_at_each_write_of_it(old: Old) -> None:
    gone = await old.inside("PW-1")
    await old.inside("PW-2")
    old.hear(written_off(old, gone), noted(old, "The yard is shut."))
    before, write = tables(old.memory), 0
    old.memory.close()
    while True:
        write += 1
        memory = Memory(old.path, old.now, durable=False)
        assert tables(memory) == before, "all of it, or as it was"
        fail_at(memory.connection, write, Crash)
        try:
            memory.learn_anew()
        except Crash:
            never_fail(memory.connection)
            memory.close()
            continue
        never_fail(memory.connection)
        break
    assert write > 20
    assert verify_station(memory) == []
    old.memory = memory


async def test_a_full_disk_puts_it_off_to_another_start(old: Old) -> None:
    """Doors open by what is known, and no reserve is spent on it."""
    gone, kept = await old.inside("PW-1"), await old.inside("PW-2")
    old.hear(written_off(old, gone))
    await old.stop()
    memory = Memory(old.path, old.now, durable=False)
    fail_at(memory.connection, 5, apsw.FullError)
    station = Station(memory, old.doors, old.now, old.ids)
    never_fail(memory.connection)
    known = memory.parcel(kept)
    assert known is not None and known.stage == Stage.READY and known in station.desk.inside()
    assert memory.parcel(gone) in station.desk.inside(), "as the older version had it"
    memory.close()
    old.version = Memory
    await old._open()
    assert old.parcel(gone).stage == Stage.WRITTEN_OFF
    old.clean()


def test_another_field_is_another_understanding_and_another_comment_is_none() -> None:
    class Withdrawn(facts.ParcelFact, frozen=True, kw_only=True):
        """Said in other words."""

        reservation: UUID
        station: str

    class Narrower(facts.ParcelFact, frozen=True, kw_only=True):
        reservation: UUID

    same, less = [understanding({"Withdrawn": each}) for each in (Withdrawn, named("Withdrawn", Narrower))]
    assert same == understanding({"Withdrawn": facts.Withdrawn}) != less


def named(name: str, kind: type[Any]) -> type[Any]:
    kind.__name__ = name
    return kind

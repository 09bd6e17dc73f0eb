"""A new computer takes over a station's book; and what a station can give back to its hub. Power may fail anywhere."""

from pathlib import Path

import apsw
import pytest

from parcelwall.journal import chain
from parcelwall.journal.chain import Draft, Entry
from parcelwall.link.shipping import Run
from parcelwall.rules.life import Stage
from parcelwall.station.house import accept, key_of
from parcelwall.station.memory import Memory
from parcelwall.station.reserve import CannotWrite
from parcelwall.station.restoring import lost
from parcelwall.station.verify import verify_station
from station.rig import NAME, SECRET, WRITER, Crash, Rig, fail_at, never_fail

LIFE = "S-0001:1795334400"


def taking_over(path: Path, rig: Rig) -> Memory:
    """An empty file whose computer has been given the name of the rig's station."""
    memory = Memory(path, rig.now, durable=False)
    key_of(memory, rig.ids)
    given = {"station": NAME, "secret": SECRET.hex(), "hub_writer": WRITER, "hub_key": "00" * 32, "writer": LIFE}
    accept(memory, {**given, "fetches": True}, rig.ids)
    return memory


async def book_of(rig: Rig) -> list[Entry]:
    await rig.inside("PW-1")
    rig.promise("PW-2")
    return list(rig.memory.journal.in_order_learnt())


async def test_power_fails_while_the_book_is_fetched_and_learnt(rig: Rig, tmp_path: Path) -> None:
    """At each write in turn: nothing is learnt twice, and the case is opened once."""
    entries, path, write = await book_of(rig), tmp_path / "next.sqlite", 0
    memory = taking_over(path, rig)
    while memory.restoring:
        write += 1
        fail_at(memory.connection, write, Crash)
        try:
            for entry in entries:
                memory.receive([entry], f"sig of {entry.number}")
            memory.restored()
        except Crash:
            never_fail(memory.connection)
            memory.close()
            memory = Memory(path, rig.now, durable=False)
    never_fail(memory.connection)
    assert write > 20
    assert [entry.kind for entry in memory.journal.everything(LIFE)] == ["JournalRestored", "CaseOpened"]
    assert [parcel.stage for parcel in memory.parcels()] == [parcel.stage for parcel in rig.memory.parcels()]
    assert memory.room() == rig.memory.room()
    assert verify_station(memory) == []
    memory.close()


async def test_nothing_can_be_done_before_the_book_is_whole(rig: Rig, tmp_path: Path) -> None:
    memory = taking_over(tmp_path / "next.sqlite", rig)
    for entry in await book_of(rig):
        memory.receive([entry])
    assert (list(memory.parcels()), memory.book.plans, memory.grants) == ([], {}, {})
    memory.restored()
    assert {parcel.stage for parcel in memory.parcels()} == {Stage.READY, Stage.RESERVED}
    memory.close()


@pytest.mark.parametrize("board", ["well", "dead"])
async def test_each_door_is_looked_at_once(rig: Rig, board: str) -> None:
    """One that is open, or that says nothing, is a case and held; those that are shut are as the book has them."""
    rig.memory.know({"unlooked": "yes"})
    rig.boards.push_open(2)
    if board == "dead":
        rig.boards.core.die(1)
    for _ in range(2):
        await rig.keeper.take_stock()
    assert rig.cases() == (["opened_unasked"] if board == "well" else ["door_unclear"] * len(rig.desk.plan.place))
    assert rig.memory.room().held
    assert not rig.memory.unlooked


@pytest.mark.parametrize("write", range(1, 14))
async def test_looking_that_a_full_disk_broke_off_opens_no_second_case(rig: Rig, write: int) -> None:
    rig.memory.know({"unlooked": "yes"})
    for door in (2, 3):
        rig.boards.push_open(door)
    fail_at(rig.memory.connection, write, apsw.FullError)
    with pytest.raises(CannotWrite):
        await rig.keeper.take_stock()
    never_fail(rig.memory.connection)
    assert rig.memory.unlooked
    await rig.keeper.take_stock()
    assert sorted(case.compartment or 0 for case in rig.memory.book.cases.values()) == [2, 3]
    assert not rig.memory.unlooked


# giving back


async def test_what_is_given_back_ends_with_what_the_hub_has_signed(rig: Rig) -> None:
    """An entry without its signature cannot be given back, nor is what the station wrote after it held up by it."""
    assert lost(rig.memory.journal, NAME, {WRITER: 0, NAME: 0}) == []
    head = rig.memory.has()
    at = rig.memory.now_text()
    signed = chain.extend(WRITER, head, [Draft("Hummed", at, "{}")] * 3)
    rig.memory.receive(signed[:2], "first")
    rig.desk.unasked(1)
    rig.memory.receive(signed[2:], "second")
    rig.desk.unasked(2)
    known = {WRITER: head.number, NAME: 0}
    assert lost(rig.memory.journal, NAME, known) == [
        Run(WRITER, head.number, head.number + 2, "first"), Run(NAME, 0, 2),
        Run(WRITER, head.number + 2, head.number + 3, "second"),
    ]  # fmt: skip
    assert lost(rig.memory.journal, NAME, {WRITER: head.number + 3, NAME: 0}) == []
    assert lost(rig.memory.journal, NAME, {WRITER: head.number + 1, NAME: 2})[0] == Run(
        WRITER, head.number + 1, head.number + 2, "first"
    )
    rig._head = rig.memory.has()


@pytest.mark.parametrize("most", [250])
async def test_a_long_run_of_our_own_is_cut_into_frames(rig: Rig, most: int) -> None:
    rig.memory.receive(chain.extend(WRITER, rig.memory.has(), [Draft("Hummed", rig.memory.now_text(), "{}")]), "first")
    number = rig.memory.has().number
    for _ in range(most // 2):
        rig.desk.unasked(1)
    rig.memory.receive(chain.extend(WRITER, rig.memory.has(), [Draft("Hummed", rig.memory.now_text(), "{}")]), "second")
    runs = lost(rig.memory.journal, NAME, {WRITER: number, NAME: 0})
    assert [run.through - run.after for run in runs] == [100, 100, most - 200, 1]
    rig._head = rig.memory.has()

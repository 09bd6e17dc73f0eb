"""A station's own book: a door was moved by a visit, and visits are kept for ever."""

import pytest

from parcelwall.rules import facts
from parcelwall.station.verify import verify_station
from station.rig import Rig


@pytest.mark.parametrize("gone", ["DELETE FROM visit", "DELETE FROM visit WHERE purpose = 'deposit'"])
async def test_visits_that_are_gone_are_named(rig: Rig, gone: str) -> None:
    """All of them or one: whoever empties that table lets each code open its door once more."""
    parcel = await rig.inside("PW-1")
    visit = await rig.collect(rig.code(parcel))
    rows = rig.memory.connection.execute("SELECT * FROM visit").fetchall()
    rig.memory.connection.execute(gone)
    named = verify_station(rig.memory)
    rig.memory.connection.executemany("INSERT OR REPLACE INTO visit VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    assert named[0].startswith("S-0001: INV-04: S-0001 number 1 (DoorOpened) names visit")
    assert all("of which no row is stored" in each for each in named)
    assert any(str(visit.id) in each for each in named) == (gone == "DELETE FROM visit")


async def test_a_door_that_nobody_was_let_in_by_owes_no_row(rig: Rig) -> None:
    rig.desk.unasked(3)
    rig.memory.tell(facts.DoorClosed(compartment=3))
    assert rig.memory.connection.execute("SELECT count(*) FROM visit").fetchone() == (0,)
    rig.clean()

"""Doors that wear alike, and one recipient's parcels side by side, without the station knowing whose they are."""

from datetime import timedelta
from pathlib import Path

from parcelwall.clock import VirtualClock
from parcelwall.hub.people import Person
from parcelwall.planning.doors_trial import WAYS, days, tried
from parcelwall.rules.layout import plain_layout
from parcelwall.station.wear import Wear
from station.towns import ADA, NOW, a_small_town, about, only, told

BEN = Person(name="Ben", email="ben@example.org", phone=None, language="en")


async def test_parcels_of_one_recipient_lie_side_by_side_and_nobody_is_named(database: str, tmp_path: Path) -> None:
    wide = about("S-0001", "SSML SSML SSML SSML SSML"), about("S-0002", "SSML")
    async with a_small_town(database, tmp_path, *wide) as town:
        station = town.stations["S-0001"]
        ids = [await told(town, f"PW-{n}", person=who) for n, who in enumerate((ADA, BEN, BEN, ADA, BEN, ADA))]
        groups = [station.station.memory.parcel(each).group for each in ids]  # type: ignore[union-attr]
        assert groups[0] == groups[3] == groups[5] != groups[1] == groups[2] == groups[4]
        elsewhere = await told(town, "PW-6", "S-0002", person=ADA)
        later = await told(town, "PW-7", person=ADA, expected_at=NOW + timedelta(days=1))
        known = [town.stations["S-0002"].station.memory.parcel(elsewhere), station.station.memory.parcel(later)]
        assert len({groups[0], *(each.group for each in known if each)}) == 3, "another station, another day"
        doors = [(await station.deposit(f"PW-{n}")).compartment for n in range(6)]
        column = station.station.desk.plan.column
        for mine in ((0, 3, 5), (1, 2, 4)):
            at = [column[doors[n]] for n in mine]
            assert all(any(abs(a - b) <= 1 for b in at[:n]) for n, a in enumerate(at) if n)
        book = " ".join(row[0] for row in station.station.memory.connection.execute("SELECT body FROM entry"))
        assert "Ada" not in book and "ada@" not in book and "358401234567" not in book


async def test_the_least_used_door_is_taken_and_a_restart_forgets_no_use(database: str, tmp_path: Path) -> None:
    async with a_small_town(database, tmp_path, about("S-0001", "SSSS")) as town:
        station, used = only(town), []
        for number in range(8):
            parcel = await told(town, f"PW-{number}")
            used.append((await station.deposit(f"PW-{number}")).compartment)
            assert isinstance(town.clock, VirtualClock)
            town.clock.advance(3600)  # a coil that is driven too often grows hot
            await station.collect(station.code_of(parcel))
            await station.carry()
        high = [each.number for each in station.station.desk.plan.layout.compartments if not each.within_reach]
        assert len(high) == 2 and sorted(used) == sorted(high * 4), "the reach zone last, the others alike"
        anew = Wear().read(station.station.memory).uses  # as after a restart
        assert used[0] != used[1] and anew == dict.fromkeys(high, 4)


def test_wear_and_togetherness_cost_no_parcel() -> None:
    layout, coming = plain_layout("LMMSSSSSSMMML LMMSSSSSSMMML LMMSSSSSSMMML LMMSSSSSSMMML"), days(15, 24, 3)
    before, after = (tried(layout, coming, *WAYS[name]) for name in ("in turn", "least used, together"))
    assert (after.served, after.reach_missed, after.larger) == (before.served, before.reach_missed, before.larger)
    assert after.beside > before.beside + 0.1 and after.spread < before.spread

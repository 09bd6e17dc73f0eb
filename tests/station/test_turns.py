"""Doors take turns: a coil may be driven 6 times in ten minutes, and a busy quarter of an hour must not end at one.

Before they did, the door was drawn by chance among those that are alike, and every so often somebody with a good code
stood before a door whose coil had to rest (found by a browser test that waited for its door in vain).
"""

from pathlib import Path

from parcelwall.rules.places import bits
from parcelwall.simulation.demo import HELSINKI
from station.rig import Rig

PARCELS = 18  # each put in and taken out at once: three behind each of six doors, which is what their coils can do


async def test_eighteen_parcels_in_and_out_in_ten_minutes_and_no_door_has_to_rest(tmp_path: Path) -> None:
    columns = next(row[5] for row in HELSINKI if row[0] == "S-0003")
    rig = await Rig(tmp_path, columns=columns).start()
    began, doors = rig.now.mono(), set()
    for number in range(PARCELS):
        parcel = await rig.inside(f"PW-{number}")
        visit = await rig.collect(rig.code(parcel))
        doors.add(visit.compartment)
        assert visit.opened_at is not None, f"parcel {number} behind door {visit.compartment}"
    assert rig.now.mono() - began < 600
    assert len(doors) == 6
    assert rig.cases() == []
    await rig.stop()


async def test_no_parcel_goes_behind_a_coil_that_would_rest_while_an_equal_door_is_free(tmp_path: Path) -> None:
    """Uses count parcels, a coil counts pulses: a technician tried that door, or it had to be tried twice."""
    rig = await Rig(tmp_path, columns="SSSSSS SSSSSS").start()
    lain = [await rig.inside(f"PW-{number}") for number in (1, 2)]
    used = {rig.parcel(parcel).compartment or 0 for parcel in lain}
    equal = {rig.desk.plan.number(place) for place in bits(rig.desk.plan.members[0])}
    for parcel in lain:
        await rig.collect(rig.code(parcel))
    rig.now.advance(30)
    for door in equal - used:
        for _ in range(2):
            await rig.doors.open(door, rig.now.mono() + 5)
            await rig.shut(door)
    assert used < equal
    assert rig.parcel(await rig.inside("PW-3")).compartment in used, "the least used would rest after it"
    await rig.stop()

"""The test of the tests: each planted bug, run through a replay in a process of its own, is named by verify."""

import json
import re
from pathlib import Path

import pytest

from acceptance.planted import PLANTS
from parcelwall.simulation.commands import run_verify
from simulation.orders import made_up, write
from simulation.planting import by_itself

NAMED = {
    "p05_code_not_spent": "INV-05: table visit, .*opened is 0",
    "p06_spent_mark_is_lost_when_the_visit_ends": "INV-05: .*its code is not spent",
    "p13_gap_after_rollback": "chain: hub:1/slot-1 number .*: missing",
    "p14_hub_overwrites_happened_at": "chain: S-.*: its hash does not follow",
    "p16_feed_cursor_moves_without_the_feed": "INV-08: the feed's cursor has passed",
    "p20_learn_reads_the_clock": "table parcel, .*announced_at",
    "p21_row_changed_without_an_entry": "table parcel, .*collect_by",
    "p22_second_place_silently_replaces_the_first": "INV-02: .*no case was opened",
    "p23_lapsed_without_hearing": "INV-03: the room of parcel .* was given back before",
    "p25_capacity_counts_held_compartments": "INV-03: .* promises room at .* that was not there",
    "p26_compartment_freed_when_the_door_opens": "INV-06: .*Collected.* stands before its door was seen",
    "p27_deposit_into_a_compartment_with_an_open_case": "INV-01: .*which an open case held",
    "p29_deposited_names_another_reservation": "INV-05: .*Deposited.* names reservation",
    "p31_two_sweeps_record_expired_twice": "INV-08: .*Expired.* changed nothing",
    "p34_telephone_number_in_a_body": "INV-11: .*a telephone number",
}


def test_every_plant_is_expected_to_be_named() -> None:
    assert {*NAMED, "control"} == set(PLANTS)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", PLANTS)
async def test_what_was_planted_is_named(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    orders = write(tmp_path / "town.csv", made_up(220, days=9))
    ended, printed = by_itself("acceptance.planted", name, str(orders), str(tmp_path / "data"))
    report = json.loads(printed)
    code = await run_verify(tmp_path / "data", as_json=True)
    first = json.loads(capsys.readouterr().out)["first"]
    if name == "control":
        assert (ended, code, report["violations"], first) == (0, 0, 0, None)
        return
    assert code == 1
    assert re.search(NAMED[name], first), first
    assert report["violations"] or name.startswith("p25"), "the replay itself saw it too (its own room is wrong in p25)"

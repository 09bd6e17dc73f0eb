"""The test of the tests: each planted bug, simulated in a process of its own, is named by the check that it breaks."""

import json
import re

import pytest

from simulation.planting import by_itself
from simulation.plants import PLANTS

NAMED = {
    "p01_hub_acknowledges_before_its_commit": "INV-08: the hub said that it has number",
    "p02_station_store_does_not_sync": "(INV-06: door .* before its visit is safe on the disk|P03: )",
    "p03_pulse_before_the_visit_is_written": "INV-04: door .* no visit that has begun is written down",
    "p05_code_not_spent": "INV-05: table visit, .*opened is 0",
    "p09_couriers_code_opens_for_collecting": "INV-05: what must be refused has begun a visit",
    "p11_missing_reply_answered_by_a_second_pulse": "INV-04: door .* is pulsed again",
    "p12_board_reply_taken_for_a_door_reading": "INV-06: door .* is said to be open, it is shut",
    "p14_hub_overwrites_happened_at": "chain: .*its hash does not follow",
    "p15_a_restored_hub_goes_on_under_the_old_name": "INV-07: the line was closed: the hub was restored",
    "p18_follower_passes_what_it_did_not_tell": "INV-10: nobody was told",
    "p20_learn_reads_the_clock": "table parcel, .*announced_at",
    "p21_row_changed_without_an_entry": "table parcel, .*mark",
    "p22_second_place_silently_replaces_the_first": "INV-02: .*no case was opened",
    "p23_lapsed_without_hearing": "INV-03: the room of parcel .* was given back before",
    "p26_compartment_freed_when_the_door_opens": "INV-0[16]: ",
    "p27_deposit_into_a_compartment_with_an_open_case": "INV-01: door .* somebody else's parcel lies there",
    "p29_deposited_names_another_reservation": "INV-05: .*Deposited.* names reservation",
    "p31_two_sweeps_record_expired_twice": "INV-08: .*Expired.* changed nothing",
    "p37_clock_set_back_is_believed": "INV-07: .*happened before the entry before it",
    "p39_answers_are_not_kept_with_what_they_answer": "INV-08: key .* was answered",
    "p41_a_start_pulses_the_door_again": "INV-0[46]: ",
    "p42_an_unclear_visit_is_forgotten": "INV-0[16]: ",
    "p43_wrong_codes_are_counted_in_memory_only": "A-01: .* wrong codes were counted",
    "p46_what_was_done_in_the_dark_is_void": "INV-0[16]: ",
    "p48_a_full_disk_takes_parcels_in": "F09: a deposit begins while the disk is full",
    "p49_a_contact_that_reads_open_counts_as_opened": "F18: door .* was not pulsed",
    "p50_no_rest_between_two_pulses": "INV-04: door .* is pulsed again, not read closed or too soon",
    "p51_a_stuck_door_is_pulsed_on_and_on": "INV-04: door .* is pulsed a 4th time",
    "p52_a_door_opened_by_hand_is_not_seen": "INV-04: door .* stands open unasked",
    "p54_what_a_phone_was_shown_counts_as_heard": "INV-08: the hub said that it has number",
    "p56_a_computer_that_was_off_forgets_how_long": "P03: the computer was off",
    "p55_the_hub_answers_a_phone_and_has_not_stored": "INV-08: the hub answers a phone that it has number",
    "p57_a_hook_that_its_coil_holds_is_an_open_door": "INV-06: door .* is said to be open, it is shut",
    "p45_hub_time_is_not_believed": "A-19: the hub has told the time",
    "p44_a_frame_that_comes_twice_is_stored_twice": "INV-07: .*(the line was closed|a late frame)",
    "p60_nobody_ever_collects": "INV-05: the right (code|QR) of a parcel that lies there is refused: codes_paused",
    "p61_a_screen_that_is_always_busy": "INV-05: the right (code|QR) .* is refused: door_busy",
    "p62_nothing_is_ever_taken_back": "INV-05: a right take_back is refused without a cause: door_busy",
    "p63_every_qr_is_a_wrong_one": "INV-05: the right QR of a parcel that lies there is refused: wrong_code",
    "p64_a_label_that_is_expected_is_not_for_here": "INV-05: a right deposit is refused .*: not_for_this_station",
    "p65_no_lock_on_stations": "INV-0[39]: ",
    "p66_no_lock_on_parcels": "INV-09: two transactions have changed one parcel at once",
    "p67_no_lock_on_writers": "(INV-07: two transactions|the hub failed: UniqueViolationError: .*entry_pkey)",
    "p68_two_processes_follow_at_once": "the hub failed: UniqueViolationError",
    "p70_the_desk_fails_whoever_asks_for_more_time": "the desk failed: Trouble: the pretend database is gone",
    "p71_each_shut_door_is_a_case": "a case .door_failed. tells of door .*, and nothing was done there",
    "p72_each_notice_goes_out_twice": "INV-10: the message .* was handed over 2 times",
    "p73_a_notice_is_given_up_and_no_case_tells": "INV-10: a notice .* was given up, and no case tells",
    "p80_two_visits_at_one_screen": "INV-06: while the visit to door .* another begins",
    "p81_a_door_left_open_holds_the_screen_for_ever": "INV-05: the right (code|QR) .* is refused: door_busy",
    "p82_half_a_code_waits_for_the_next_person": "INV-05: what somebody typed before they went away opens a door",
    "p83_a_second_person_hides_the_open_door": "INV-06: door .* is open, and the screen shows wrong",
    "p84_whoever_has_to_wait_has_typed_a_wrong_code": "INV-05: who comes .* is another's is told wrong_code",
    "p90_what_is_written_off_leaves_its_compartment_free": "INV-01: door .* somebody else's parcel lies there",
    "p91_a_station_hands_out_what_is_written_off": "table parcel, .*stage: READY is stored, WRITTEN_OFF follows",
    "p92_nobody_is_told_that_it_is_lost": "INV-10: nobody was told",
    "p93_a_door_is_opened_again_for_whoever_touches_it": "INV-05: door .* opened again for somebody else",
    "p94_a_door_is_opened_again_for_ever": "INV-05: door .* is opened again .* s after",
    "p95_what_is_taken_out_again_stays_in_the_book": "INV-06: a put_right is over at a shut door, .* READY",
    "p96_a_coil_rests_after_every_second_pulse": "INV-05: the coil of door .* is said to rest",
}
QUICK = "p03_pulse_before_the_visit_is_written"  # one in every run, so that the harness itself is known to work


def test_every_plant_is_expected_to_be_named() -> None:
    assert {*NAMED, "control"} == set(PLANTS)


def planted(name: str) -> tuple[int, dict[str, object]]:
    code, printed = by_itself("simulation.plants", name)
    return code, json.loads(printed)


def test_one_that_is_named_at_once() -> None:
    code, report = planted(QUICK)
    assert code == 1
    assert re.search(NAMED[QUICK], str(report["first_violation"]))
    assert report["story"], "and told"


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", sorted({*PLANTS} - {QUICK}))
def test_what_was_planted_is_named(name: str) -> None:
    code, report = planted(name)
    if name == "control":
        assert (code, report["violations"], report["first_violation"]) == (0, 0, None)
        return
    assert code == 1
    assert re.search(NAMED[name], str(report["first_violation"])), report["first_violation"]

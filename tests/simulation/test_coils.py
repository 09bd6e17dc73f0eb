"""What the fault simulation holds for a coil that may have to rest, and for one that was driven too often."""

from parcelwall.simulation.faults.coils import Coils

DOOR = 7


def driven(*at: float, takes: float = 0.0) -> Coils:
    coils = Coils()
    for each in at:
        coils.begins(DOOR, each).over_at = each + takes
    return coils


def test_a_coil_may_rest_after_three_pulses_in_half_a_minute_or_six_in_ten() -> None:
    assert not Coils().may_rest(DOOR, 0)
    assert not driven(0, 1).may_rest(DOOR, 2)
    assert driven(0, 1, 2).may_rest(DOOR, 29.9)
    assert not driven(0, 1, 2).may_rest(DOOR, 30)
    assert driven(0, 100, 200, 300, 400, 500).may_rest(DOOR, 599)
    assert not driven(0, 100, 200, 300, 400, 500).may_rest(DOOR, 600)
    assert not driven(0, 1, 2).may_rest(DOOR + 1, 3)


def test_an_order_counts_while_it_is_not_over_and_not_if_it_reached_no_board() -> None:
    coils = driven(0, 1)
    coils.begins(DOOR, 2)
    assert coils.may_rest(DOOR, 10)
    coils.was_not_driven(DOOR)
    assert not coils.may_rest(DOOR, 10)


def test_a_fourth_pulse_within_half_a_minute_is_too_many_only_if_that_is_sure() -> None:
    assert driven(0, 1, 2, 29).had_too_many(DOOR)
    assert not driven(0, 1, 2, 30).had_too_many(DOOR)
    assert not driven(0, 1, 2, 29, takes=1.5).had_too_many(DOOR), "the first may have been driven at 1.5 only"
    assert driven(0, 100, 200, 300, 400, 500, 599).had_too_many(DOOR)

"""Changes between two looks: every pair of states; the brakes on coils; how a leaf moves."""

import itertools

import pytest

from parcelwall.drivers import DoorChange, DoorState, Seen, Why, changes
from parcelwall.drivers.pretend.leaf import Leaf
from parcelwall.drivers.supply import Coil


@pytest.mark.parametrize(("was", "now"), list(itertools.product(DoorState, DoorState)))
def test_every_pair_of_states(was, now):
    found = changes({1: Seen(was, 1.0)}, {1: Seen(now, 2.0, Why.NONE)})
    assert found == ([] if was is now else [DoorChange(1, was, now, 2.0)])


def test_a_door_never_seen_before_was_unknown():
    now = {2: Seen(DoorState.OPEN, 2.0), 1: Seen(DoorState.UNKNOWN, 2.0, Why.SILENT)}
    assert changes({}, now) == [DoorChange(2, DoorState.UNKNOWN, DoorState.OPEN, 2.0)]


def test_another_reason_is_no_change():
    before, now = Seen(DoorState.UNKNOWN, 1.0, Why.SILENT), Seen(DoorState.UNKNOWN, 2.0, Why.GARBLED)
    assert changes({1: before}, {1: now}) == []


def test_a_coil_has_3_pulses_in_30_s_and_6_in_10_min():
    coil, given_at = Coil(), []
    for second in range(700):
        assert (coil.rests_until() <= second) is coil.may_be_driven(second)
        if coil.may_be_driven(second):
            coil.driven(second)
            given_at.append(second)
    assert given_at == [0, 1, 2, 30, 31, 32, 600, 601, 602, 630, 631, 632]
    assert coil.rests_until() == 1200, "until the first of six is out of the ten minutes"


def test_a_leaf_opens_150_ms_after_its_pulse_and_latches_when_pushed():
    leaf = Leaf()
    leaf.pulse(10.0, 0.3)
    assert leaf.contact_closed(10.14)
    assert not leaf.contact_closed(10.16)
    assert not leaf.push_closed(10.2), "the coil still holds the latch"
    assert leaf.push_closed(10.31)
    assert not leaf.pull(10.4)


def test_a_weak_spring_wants_a_pull_and_latches_again_after_the_pulse():
    leaf = Leaf()
    leaf.spring_is_weak = True
    leaf.pulse(10.0, 0.3)
    assert leaf.pull(10.2)
    leaf.push_closed(11.0)
    leaf.pulse(12.0, 0.3)
    assert not leaf.pull(12.4)


def test_a_hook_that_falls_says_closed_of_an_open_door():
    leaf = Leaf("hook")
    leaf.hook_falls = True
    leaf.push_open(1.0)
    assert leaf.is_open
    assert leaf.contact_closed(2.0)


def test_a_bouncing_contact_flips_and_comes_to_rest():
    leaf = Leaf()
    leaf.bounce_s, leaf.bounce_flips = 0.2, 4
    leaf.push_open(10.0)
    assert [leaf.contact_closed(10.0 + tenth) for tenth in (0.02, 0.07, 0.12, 0.17, 0.22)] == [
        True, False, True, False, False,
    ]  # fmt: skip

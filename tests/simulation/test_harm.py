"""What excuses a door that cannot be read: what was done to it, and for a moment longer than that lasts."""

from datetime import UTC, datetime, timedelta

from parcelwall.simulation.faults.harm import Harm

NOW = datetime(2026, 11, 28, 20, tzinfo=UTC)


def test_a_contact_may_be_unread_until_it_is_mended_and_a_moment_longer() -> None:
    harm = Harm()
    assert not harm.may_be_unread(7, NOW)
    harm.lasts(7, "stuck")
    assert harm.may_be_unread(7, NOW) and not harm.may_be_unread(8, NOW)
    harm.mended(7, NOW)
    assert harm.may_be_unread(7, NOW + timedelta(seconds=1))
    assert not harm.may_be_unread(7, NOW + timedelta(minutes=1))


def test_whoever_mends_what_was_well_excuses_nothing() -> None:
    harm = Harm()
    harm.mended(7, NOW)
    assert not harm.may_be_unread(7, NOW)

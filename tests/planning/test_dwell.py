"""Dwell: shares that fall, that are what came, that know no future; a recipient's own past; baselines beside."""

import msgspec
import numpy as np
import pytest

from parcelwall.planning import dwell, dwell_past, records
from parcelwall.planning.records import from_rows
from parcelwall.planning.scores import brier, calibration_error
from planning.pretend_point import START, point, rows

FIRST = records.day_number(START.date())
HOURS = (12.0, 24.0, 48.0)


def nobody(parcels: records.Records) -> records.Ints:
    return np.full(len(parcels), -1)


@pytest.fixture(scope="module")
def parcels() -> records.Records:
    return point()


def test_what_is_told_is_what_comes(parcels: records.Records) -> None:
    told = dwell_past.roll(parcels, nobody(parcels), FIRST + 120, FIRST + 190, HOURS, every_days=28)
    now = np.isfinite(told["adopted"][:, 0])
    assert now.sum() > 500
    for k, h in enumerate(HOURS):
        came = (parcels.dwell_h[now] > h).astype(float)
        assert told["adopted"][now, k].mean() == pytest.approx(np.exp(-(h - 0.1) / 30), abs=0.06)
        assert brier(told["adopted"][now, k], came) < brier(told["constant"][now, k], came) + 0.004
        assert calibration_error(told["adopted"][now, k], came) < 0.08
    assert (np.diff(told["logit"][now], axis=1) <= 0).all()


def test_what_happens_later_changes_nothing(parcels: records.Records) -> None:
    day = FIRST + 120
    rows_ = dwell.features(parcels)
    fitted = dwell.fit(parcels, rows_, nobody(parcels), day, HOURS)
    before = parcels.only(parcels.deposited < day)
    there_still = before.collected >= day
    before.dwell_h[there_still], before.collected[there_still] = np.inf, np.inf
    again = dwell.fit(before, dwell.features(before), nobody(before), day, HOURS)
    assert fitted is not None and again is not None
    assert np.allclose(fitted.coefficients, again.coefficients)


def test_too_few_parcels_are_learnt_nothing_from() -> None:
    few = from_rows(rows(3))
    assert dwell.fit(few, dwell.features(few), nobody(few), FIRST + 30, HOURS) is None
    told = dwell_past.roll(few, nobody(few), FIRST, FIRST + 10, HOURS)
    assert np.isnan(told["adopted"]).all()
    none = from_rows([])
    assert dwell.features(none).shape[0] == 0


def _slower(row: records.Row, times: float) -> records.Row:
    assert row.deposited and row.collected
    return msgspec.structs.replace(row, collected=row.deposited + (row.collected - row.deposited) * times)


def test_a_slow_recipient_is_told_to_be_slow_by_their_own_past() -> None:
    """Two recipients out of many: one always takes two days, one two hours. Nothing else tells them apart."""
    made = rows(150)
    person = np.arange(len(made)) % 40
    slow = [_slower(row, 0.05 if i % 40 < 20 else 2) for i, row in enumerate(made)]
    order = sorted(range(len(slow)), key=lambda i: (slow[i].deposited, slow[i].ready, slow[i].carrier))
    parcels, person = from_rows(slow), person[order]
    told = dwell_past.roll(parcels, person, FIRST + 120, FIRST + 145, (24.0,))
    blind = dwell_past.roll(parcels, nobody(parcels), FIRST + 120, FIRST + 145, (24.0,))
    now = np.isfinite(told["logit"][:, 0])
    came = (parcels.dwell_h[now] > 24).astype(float)
    assert brier(told["logit"][now, 0], came) < 0.75 * brier(blind["logit"][now, 0], came)


def test_own_history_counts_only_what_was_collected_before(parcels: records.Records) -> None:
    few = parcels.only(np.arange(3))
    few.deposited[:], few.collected[:] = (10.0, 11.0, 12.0), (10.5, 20.0, 13.0)
    few.dwell_h[:] = (few.collected - few.deposited) * 24
    own = dwell.own_history(few, np.array([5, 5, 5]), (24.0,), np.array([0.5]))
    assert own[0, 0] == 0
    assert own[1, 0] == own[2, 0] < 0  # the one of half a day is known, the other lies there still
    assert (dwell.own_history(few, np.array([-1, -1, -1]), (24.0,), np.array([0.5])) == 0).all()


def test_baselines_of_the_page_are_shares(parcels: records.Records) -> None:
    past, now = np.arange(0, 800), np.arange(800, len(parcels))
    for told in (dwell_past.aft(parcels, past, now, HOURS), dwell_past.cox(parcels, past, now, HOURS)):
        assert ((told >= 0) & (told <= 1)).all()
        assert (np.diff(told, axis=1) <= 0).all()
        for k, h in enumerate(HOURS):
            assert told[:, k].mean() == pytest.approx((parcels.dwell_h[now] > h).mean(), abs=0.12)

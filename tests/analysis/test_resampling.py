import numpy as np
import pytest
from scipy import stats

from polyethos.analysis.resampling import (
    bootstrap_weights,
    percentile_interval,
    sign_flips,
    wilson_interval,
)

FOLD = np.arange(40) % 5


def test_the_first_pattern_leaves_the_data_as_they_are():
    assert (sign_flips(FOLD, 100, seed=0).patterns()[:, 0] == 1).all()


def test_at_least_as_many_patterns_as_asked_for():
    flips = sign_flips(FOLD, 100, seed=0)
    assert flips.total == flips.patterns().shape[1] == 112


def test_the_patterns_of_a_coset_are_closed_under_their_products_up_to_a_common_sign():
    patterns = sign_flips(FOLD, 16, seed=3).patterns()
    known = {tuple(pattern * pattern[0]) for pattern in patterns.T}
    products = {tuple(a * b * (a * b)[0]) for a in patterns.T for b in patterns.T}
    assert len(known) == 16
    assert products == known


def test_every_fold_spreads_over_all_parts():
    part = sign_flips(FOLD, 16, seed=0).part
    assert all(set(part[fold == FOLD]) == set(range(5)) for fold in range(5))


def test_signs_of_two_units_are_uncorrelated():
    patterns = sign_flips(FOLD, 16_000, seed=0).patterns()
    correlations = np.corrcoef(patterns)[np.triu_indices(40, 1)]
    assert np.abs(correlations).max() < 5 / np.sqrt(1000)


def test_bootstrap_weights_draw_as_many_units_as_there_are():
    weights = bootstrap_weights(7, 50, seed=0)
    assert weights.shape == (50, 7)
    assert (weights.sum(axis=1) == 7).all()


def test_the_percentile_interval_cuts_off_equal_tails():
    low, high = percentile_interval(np.arange(1001.0)[:, None])
    assert (low[0], high[0]) == pytest.approx((25, 975))


def test_an_interval_is_undefined_where_most_replicates_are():
    low, high = percentile_interval(np.array([[1.0, np.nan], [2.0, np.nan], [3.0, 1.0]]))
    assert np.isfinite(low[0])
    assert np.isfinite(high[0])
    assert np.isnan(low[1])
    assert np.isnan(high[1])


def test_wilson_interval_of_independent_items_is_that_of_scipy():
    share, n = np.array(0.8), np.array(50)
    low, high = wilson_interval(share, share * (1 - share) / n, n, n_units=50)
    expected = stats.binomtest(40, 50).proportion_ci(method="wilson")
    assert (float(low), float(high)) == pytest.approx((expected.low, expected.high))


def test_all_items_right_does_not_give_a_point():
    low, high = wilson_interval(np.array(1.0), np.array(0.0), np.array(100), n_units=100)
    assert 0.95 < low < 0.97
    assert high == pytest.approx(1)


def test_items_of_few_units_count_as_few():
    wide = wilson_interval(np.array(1.0), np.array(0.0), np.array(100), n_units=10)[0]
    assert wide < 0.75

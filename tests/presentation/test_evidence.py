"""What may be said of the numbers."""

import numpy as np
import pytest
from results_by_hand import three_languages

from polyethos.analysis.resampling import holm
from polyethos.presentation.evidence import above_chance, below_chance, bounds, gain_between, margin, pairs_apart


def recognised(results):
    return above_chance(results).sel(value="morality").values.tolist()


def test_without_intervals_an_accuracy_counts_if_guessing_that_many_pairs_would_rarely_reach_it():
    # Guessing 100 pairs: 0.5 + 1.645 * 0.05 = 0.582.
    results = three_languages()
    results["recognition"].loc[{"value": "morality"}] = [0.59, 0.58, 0.2]
    assert recognised(results) == [True, False, False]


def test_items_of_one_group_count_once():
    results = three_languages().assign(n_groups=(("value", "language"), [[16] * 3] * 2))
    # Guessing 16 groups: 0.5 + 1.645 * 0.125 = 0.706.
    results["recognition"].loc[{"value": "morality"}] = [0.71, 0.70, 0.5]
    assert recognised(results) == [True, False, False]
    assert margin(results) == pytest.approx(1.96 * np.sqrt(0.7 * 0.3 / 16), rel=0.1)


def test_below_chance_mirrors_above():
    results = three_languages()
    results["recognition"].loc[{"value": "morality"}] = [0.41, 0.42, 0.9]
    assert below_chance(results).sel(value="morality").values.tolist() == [True, False, False]


def test_intervals_decide_where_there_are_any():
    results = three_languages()
    low = results["recognition"] - [0.3, 0.39, 0.1]
    assert recognised(results.assign(recognition_low=low, recognition_high=low + 0.5)) == [True, False, False]


def test_p_values_decide_before_intervals_but_only_above_chance():
    results = three_languages()
    results["recognition"].loc[{"value": "morality"}] = [0.9, 0.9, 0.1]
    p = (("value", "language"), [[0.01, 0.2, 0.01]] * 2)
    low = results["recognition"] * 0
    assert recognised(results.assign(recognition_p=p, recognition_low=low, recognition_high=low)) == [
        True,
        False,
        False,
    ]


def test_p_values_corrected_for_their_number_decide_before_single_ones():
    results = three_languages()
    results["recognition"].loc[{"value": "morality"}] = [0.9, 0.9, 0.9]
    alone = (("value", "language"), [[0.01, 0.01, 0.2]] * 2)
    together = (("value", "language"), [[0.01, 0.2, 0.2]] * 2)
    assert recognised(results.assign(recognition_p=alone)) == [True, True, False]
    assert recognised(results.assign(recognition_p=alone, recognition_p_family=together)) == [True, False, False]


def test_what_was_not_measured_is_not_above_chance():
    assert not bool(above_chance(three_languages()).sel(value="fairness", language="sw"))


def test_margin_is_half_the_interval_or_else_binomial():
    results = three_languages()
    # Accuracies 0.9, 0.8, 0.5, 0.7, 0.6 of 100 pairs: the median error is that of 0.7, sqrt(0.21 / 100).
    assert margin(results) == pytest.approx(1.96 * np.sqrt(0.0021))
    own = results["recognition"]
    assert margin(results.assign(recognition_low=own - 0.1, recognition_high=own + 0.2)) == pytest.approx(0.15)


def test_bounds_need_both_ends():
    results = three_languages()
    assert bounds(results.assign(similarity_low=results["similarity"]), "similarity") is None


def test_a_language_with_itself_is_no_pair():
    apart = pairs_apart(three_languages()["similarity"])
    assert np.isnan(np.diag(apart.values)).all()
    assert float(apart.mean()) == pytest.approx((0.8 + 0.2 + 0.4) / 3)


def test_gains_are_averaged_between_high_resource_and_other_languages_only():
    down, up = gain_between(three_languages())
    assert (down, up) == (pytest.approx((0.04 + 0.10) / 2), pytest.approx((-0.02 - 0.20) / 2))


def test_without_other_languages_there_is_no_gain_between():
    assert np.isnan(gain_between(three_languages().assign_attrs(high_resource=["en", "fr", "sw"]))).all()


def test_holm_multiplies_the_smallest_p_by_their_number_and_never_reverses_their_order():
    # By hand: 0.01 * 3, 0.02 * 2, 0.9 * 1; and 0.03 * 2 = 0.06 pulls 0.05 * 1 up to itself.
    np.testing.assert_allclose(holm(np.array([0.9, 0.01, 0.02])), [0.9, 0.03, 0.04])
    np.testing.assert_allclose(holm(np.array([0.05, 0.03])), [0.06, 0.06])

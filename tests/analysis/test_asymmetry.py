import numpy as np
import pytest
from planted import differences, folds_of
from scipy import stats

from polyethos.analysis.asymmetry import (
    accuracy_of,
    drawn_accuracy,
    excess,
    held_out,
    probit,
    split_asymmetry,
)
from polyethos.analysis.one_way import observed_excess, one_way, simulated_excess, simulation_bytes
from polyethos.analysis.products import products_of, resampling_units
from polyethos.analysis.resampling import random_signs

N, HIDDEN, L = 100, 32, 4
HIGH = np.array([True, False, False, False])
ONE_LAYER = (1,) * 5


def axis(k):
    return np.eye(HIDDEN)[k]


def held_out_of(data):
    """What is held out, with a function that gives the same products at every layer."""
    products = products_of(data, resampling_units(folds_of(data)))
    return held_out(lambda _: products, ONE_LAYER), lambda _: products


def one_direction(seed, *, lengths=(3.0, 0.9, 0.9, 0.9)):
    return differences(np.random.default_rng(seed), np.array(lengths)[:, None] * axis(0), items=N, shared=0.3)


def truly_one_way(seed):
    """Low-resource vectors lean on a dimension that is mostly noise; the high-resource one does not."""
    random = np.random.default_rng(seed)
    means = np.stack([4 * axis(0)] + [axis(0) + 1.5 * axis(1)] * 3)
    spread = np.ones(HIDDEN)
    spread[1] = 6
    return differences(random, means, items=400, spread=spread)


def judged(data, *, seed=0):
    found, at = held_out_of(data)
    signs = random_signs(data.sizes["item"], 99, seed=seed)
    return one_way(observed_excess(found), simulated_excess(at, ONE_LAYER, signs), HIGH)


def test_held_out_items_are_projected_on_vectors_of_the_other_folds():
    data = one_direction(0)
    found, _ = held_out_of(data)
    x, fold = data.values.astype(float), np.arange(N) % 5
    expected = np.empty((L, L, N))
    for k in range(5):
        expected[:, :, fold == k] = np.einsum("ih,jsh->ijs", x[:, fold != k].mean(axis=1), x[:, fold == k]) > 0
    np.testing.assert_array_equal(found.correct, expected)


def test_each_fold_uses_the_layer_it_chose():
    good, bad = one_direction(1, lengths=(5.0,) * L), one_direction(1, lengths=(0.0,) * L)
    units = resampling_units(folds_of(good))
    layers = {1: products_of(good, units), 2: products_of(bad, units)}
    correct = held_out(layers.__getitem__, (1, 1, 1, 1, 2)).correct
    assert correct[..., units.fold_of_item < 4].mean() > 0.99
    assert correct[..., units.fold_of_item == 4].mean() < 0.75


def test_a_tie_counts_half_and_a_missing_item_not_at_all():
    data = one_direction(2)
    data[0, 3], data[0, 4] = 0, np.nan
    correct = held_out_of(data)[0].correct
    assert (correct[:, 0, 3] == 0.5).all()
    assert np.isnan(correct[:, 0, 4]).all()
    assert np.isfinite(accuracy_of(correct)).all()


def test_an_item_counts_as_often_as_its_unit_is_drawn():
    correct = np.array([[[1.0, 0.0, np.nan, 1.0]]])
    weights, of_item = np.array([[3.0, 1.0, 5.0], [0.0, 2.0, 0.0]]), np.array([0, 1, 2, 1])
    found = drawn_accuracy(correct, weights, of_item)
    assert found[:, 0, 0].tolist() == [(3 + 1) / (3 + 1 + 1), 2 / (2 + 2)]


def test_a_sample_without_any_item_of_a_language_is_undefined():
    correct = np.array([[1.0, np.nan]])
    assert np.isnan(drawn_accuracy(correct, np.array([[0.0, 2.0]]), np.array([0, 1]))).all()


def test_the_probit_stays_finite_when_every_item_is_right():
    assert probit(np.array(1.0), np.array(100)) == pytest.approx(stats.norm.ppf(100.5 / 101))
    assert probit(np.array(0.5), np.array(100)) == 0


def test_reliability_is_that_of_a_vector_fitted_on_the_training_folds():
    found = [held_out_of(one_direction(seed, lengths=(3.0, 1.0, 1.0, 1.0)))[0].reliability for seed in range(20)]
    n_train = 0.8 * N
    expected = [9 / (9 + HIDDEN / n_train), 1 / (1 + HIDDEN / n_train)]
    np.testing.assert_allclose(np.mean(found, axis=0)[:2], expected, atol=0.04)


def test_a_vector_of_noise_has_no_adjusted_transfer():
    found = excess(np.full((2, 2), 0.8), np.array([100, 100]), np.array([0.9, 0.1]))
    assert np.isnan(found[1]).all()
    assert found[0, 0] == 0


def test_one_direction_leaves_no_adjusted_excess_where_raw_gains_look_one_way():
    gains, adjusted = [], []
    for seed in range(30):
        found, _ = held_out_of(one_direction(seed))
        accuracy = accuracy_of(found.correct)
        gains.append((accuracy - np.diag(accuracy))[0, 1:].mean())
        adjusted.append(observed_excess(found)[0, 1:].mean())
    assert np.mean(gains) > 0.04
    assert abs(np.mean(adjusted)) < 0.06


def test_one_direction_is_not_called_one_way():
    assert np.mean([judged(one_direction(seed), seed=seed).claimed() for seed in range(30)]) < 0.1


def test_planted_one_way_transfer_is_found():
    found = [judged(truly_one_way(seed), seed=seed) for seed in range(10)]
    assert np.mean([each.claimed() for each in found]) >= 0.8
    assert np.mean([each.high_to_low for each in found]) > 0.2
    assert np.mean([each.low_to_high for each in found]) < -0.5


def test_languages_that_differ_in_both_ways_alike_are_not_one_way():
    means = np.stack([2 * axis(0) + 2 * axis(k + 1) for k in range(L)])
    found = judged(differences(np.random.default_rng(0), means, items=N))
    assert found.high_to_low < 0
    assert not found.claimed()


def test_excess_is_against_the_targets_own_vector():
    share = stats.norm.cdf([[2.0, 1.0], [0.5, 1.5]])
    found = excess(share, np.array([10**9, 10**9]), np.array([1.0, 0.25]))
    np.testing.assert_allclose(found, [[0, 1 - 3], [1 - 2, 0]], atol=1e-6)


def test_a_potential_explains_an_asymmetry_that_adds_up():
    level = np.array([2.0, 0.5, -1.0, -1.5])
    found = split_asymmetry(level[:, None] - level)
    np.testing.assert_allclose(found.potential, level, atol=1e-12)
    np.testing.assert_allclose(found.cyclic, 0, atol=1e-12)
    assert found.share == pytest.approx(1)


def test_a_cycle_has_no_potential():
    gain = np.array([[0, 1, -1], [-1, 0, 1], [1, -1, 0.0]])
    found = split_asymmetry(gain)
    np.testing.assert_allclose(found.potential, 0, atol=1e-12)
    np.testing.assert_allclose(found.cyclic, gain)
    assert found.share == pytest.approx(0)


def test_an_unknown_pair_does_not_spoil_the_potential():
    level = np.array([2.0, 0.5, -1.0, -1.5])
    gain = level[:, None] - level
    gain[0, 1] = np.nan
    np.testing.assert_allclose(split_asymmetry(gain).potential, level, atol=1e-12)


def test_symmetric_gains_have_no_asymmetry_to_explain():
    assert np.isnan(split_asymmetry(np.ones((3, 3))).share)


def test_simulating_in_slices_changes_nothing(monkeypatch):
    data = one_direction(3)
    units = resampling_units(folds_of(data))
    products, signs = products_of(data, units), random_signs(units.n_units, 20, seed=0)
    whole = simulated_excess(lambda _: products, ONE_LAYER, signs)
    monkeypatch.setattr("polyethos.analysis.one_way._SLICE_BYTES", 3 * simulation_bytes(len(data), 20, 1))
    np.testing.assert_array_equal(simulated_excess(lambda _: products, ONE_LAYER, signs), whole)


def test_the_memory_of_a_simulation_does_not_grow_with_the_items_beyond_a_slice():
    assert simulation_bytes(16, 1_000, 100_000) == simulation_bytes(16, 1_000, 10_000) == 2**26
    assert simulation_bytes(3, 100, 10) < 2**20

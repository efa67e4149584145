import numpy as np
import pytest
from planted import differences, directions, folds_of

from polyethos.analysis.common_direction import p_identical
from polyethos.analysis.products import products_of, resampling_units
from polyethos.analysis.resampling import bootstrap_weights, random_signs
from polyethos.analysis.similarity import (
    consistency,
    influence,
    ratio,
    raw_products,
    reliability,
    unbiased_products,
    unit_gram,
)
from polyethos.analysis.whitening import whitened
from polyethos.errors import DataError

N = 100
WEIGHTS = bootstrap_weights(N, 400, seed=1)
SIGNS = random_signs(N, 300, seed=2)


def gram_of(data, **options):
    return unit_gram(products_of(data, resampling_units(folds_of(data, **options))))


def simulated(seed, *, cosine=1.0, lengths=(1.0, 2.0, 4.0), items=N, hidden=64, shared=0.0):
    random = np.random.default_rng(seed)
    means = directions(random, languages=len(lengths), hidden=hidden, cosine=cosine) * np.array(lengths)[:, None]
    return differences(random, means, items=items, shared=shared)


def test_products_are_those_of_the_means_less_the_trace_of_the_covariance():
    data = simulated(0, shared=0.5)
    x = data.values.astype(float)
    centred = x - x.mean(axis=1, keepdims=True)
    noise = np.einsum("ish,jsh->ij", centred, centred) / (N - 1) / N
    expected = x.mean(axis=1) @ x.mean(axis=1).T - noise
    np.testing.assert_allclose(unbiased_products(gram_of(data)), expected, atol=1e-5)


def test_raw_products_are_those_of_the_means():
    data = simulated(0)
    means = data.values.astype(float).mean(axis=1)
    np.testing.assert_allclose(raw_products(gram_of(data)), means @ means.T, rtol=1e-5)


def test_an_item_that_one_language_lacks_is_left_out_of_that_language_only():
    data = simulated(1)
    data[0, :30] = np.nan
    x = data.values.astype(float)
    pairs = [(s, t) for s in range(30, N) for t in range(N) if s != t]
    expected = np.mean([x[0, s] @ x[1, t] for s, t in pairs])
    assert unbiased_products(gram_of(data))[0, 1] == pytest.approx(expected, rel=1e-4)


def test_the_noise_that_translations_share_does_not_make_them_similar():
    raw, corrected = [], []
    for seed in range(20):
        gram = gram_of(simulated(seed, cosine=0.0, lengths=(1.0, 1.0), shared=0.9))
        raw.append(ratio(raw_products(gram))[0, 1])
        corrected.append(ratio(unbiased_products(gram))[0, 1])
    assert np.mean(raw) > 0.2
    assert abs(np.mean(corrected)) < 0.06


def test_one_direction_in_all_languages_is_found_to_be_one_however_noisy():
    found = [ratio(unbiased_products(gram_of(simulated(seed)))) for seed in range(30)]
    raw = [ratio(raw_products(gram_of(simulated(seed)))) for seed in range(30)]
    assert np.mean(found, axis=0)[0] == pytest.approx([1, 1, 1], abs=0.03)
    assert np.mean(raw, axis=0)[0, 1] < 0.75


def test_noise_within_groups_is_taken_out_by_pairing_different_groups_only():
    random = np.random.default_rng(5)
    noise = np.repeat(random.standard_normal((2, 20, 64)), 5, axis=1)
    data = simulated(6, cosine=0.0, lengths=(0.0, 0.0)) + noise.astype(np.float32)
    by_item, by_group = unbiased_products(gram_of(data)), unbiased_products(gram_of(data, group_size=5))
    assert by_item[0, 0] > 1.0
    assert abs(by_group[0, 0]) < 1.0


def test_reliability_is_the_share_of_squared_length_that_is_no_noise():
    found = [reliability(gram_of(simulated(seed))) for seed in range(20)]
    expected = np.array([1, 4, 16]) / (np.array([1, 4, 16]) + 64 / N)
    np.testing.assert_allclose(np.mean(found, axis=0), expected, atol=0.02)


def test_a_language_without_a_direction_is_undefined_and_the_others_are_not():
    found = consistency(gram_of(simulated(3, lengths=(0.0, 3.0, 3.0))), WEIGHTS, SIGNS)
    assert found.defined.tolist() == [False, True, True]
    assert np.isnan(found.rho.value[0]).all()
    assert np.isnan(found.p_unrelated[0]).all()
    assert np.isfinite(found.rho.value[1, 2])
    assert found.rho.low[1, 2] < 1 < found.rho.high[1, 2]


def test_intervals_hold_the_truth_and_are_no_wider_than_they_need_be():
    found = [consistency(gram_of(simulated(seed, cosine=0.5)), WEIGHTS, SIGNS).rho for seed in range(40)]
    cells = np.triu_indices(3, 1)
    holds = np.mean([(each.low[cells] <= 0.5) & (each.high[cells] >= 0.5) for each in found])
    assert 0.88 <= holds <= 0.99
    spread = np.std([each.value[cells] for each in found], axis=0)
    width = np.mean([(each.high - each.low)[cells] for each in found], axis=0)
    np.testing.assert_allclose(width / 3.92, spread, rtol=0.35)


def test_the_spread_of_contributions_of_pure_noise_is_halved_in_variance():
    random = np.random.default_rng(0)
    noise = random.standard_normal((200, 400))
    kernel = noise @ noise.T * (1 - np.eye(200))
    assert influence(kernel - kernel.sum() / (200 * 199) * (1 - np.eye(200)))[1] == pytest.approx(0.5**0.5, abs=0.03)


def test_unrelated_directions_are_not_called_related_more_often_than_stated():
    p = [consistency(gram_of(simulated(s, cosine=0.0, shared=0.5)), WEIGHTS, SIGNS).p_unrelated for s in range(60)]
    cells = np.triu_indices(3, 1)
    assert np.mean([each[cells] <= 0.05 for each in p]) < 0.12


def test_related_directions_are_found_related():
    found = consistency(gram_of(simulated(4, cosine=0.6)), WEIGHTS, SIGNS)
    assert (found.p_unrelated[np.triu_indices(3, 1)] < 0.05).all()


def test_one_common_direction_is_not_called_several():
    p = []
    for seed in range(40):
        gram = gram_of(simulated(seed, shared=0.5))
        p.append(p_identical(gram, ratio(unbiased_products(gram)), SIGNS)[np.triu_indices(3, 1)])
    assert np.mean(np.array(p) <= 0.05) < 0.13


def test_different_directions_are_found_different():
    gram = gram_of(simulated(7, cosine=0.5))
    p = p_identical(gram, ratio(unbiased_products(gram)), SIGNS)
    assert (p[np.triu_indices(3, 1)] < 0.05).all()
    assert np.isnan(np.diag(p)).all()


def test_whitening_removes_the_weight_of_dimensions_in_which_everything_varies():
    random = np.random.default_rng(8)
    spread = np.ones(32)
    spread[0] = 10
    means = np.zeros((2, 32))
    means[:, 0] = 10
    means[0, 1], means[1, 2] = 1.5, 1.5
    data = differences(random, means, items=N, spread=spread)
    units = resampling_units(folds_of(data))
    plain = ratio(unbiased_products(unit_gram(products_of(data, units))))[0, 1]
    white = ratio(unbiased_products(whitened(products_of(data, units), hidden=32)))[0, 1]
    truth = 1 / (1 + 1.5**2)
    assert plain > 0.95
    assert white == pytest.approx(truth, abs=0.15)


def test_whitened_products_are_those_of_a_shrunk_inverse_fitted_on_other_folds():
    data = simulated(9, items=30, hidden=5)
    units = resampling_units(folds_of(data, folds=3))
    found = whitened(products_of(data, units), hidden=5)
    other = data.values[:, units.fold_of_item == 2].astype(float)
    rest = (other - other.mean(axis=1, keepdims=True)).reshape(-1, 5)
    sample = rest.T @ rest / len(rest)
    # Any mixture of this covariance and the identity whitens; find the one used from a single product, test another.
    x, y, z = data.values[0, 0], data.values[1, 1], data.values[2, 4]

    def product(toward, a, b):
        shrunk = (1 - toward) * sample + toward * np.trace(sample) / 5 * np.eye(5)
        return a @ np.linalg.inv(shrunk) @ b

    grid = np.linspace(0.01, 0.99, 981)
    toward = grid[np.argmin([abs(product(t, x, y) - found.between[0, 0, 1, 1]) for t in grid])]
    assert found.between[0, 0, 2, 4] == pytest.approx(product(toward, x, z), rel=1e-2)
    assert not found.counted[0, 3]


def test_whitening_needs_a_fold_beside_the_two_it_leaves_out():
    data = simulated(10, items=20)
    products = products_of(data, resampling_units(folds_of(data, folds=2)))
    with pytest.raises(DataError, match="needs 3"):
        whitened(products, hidden=64)

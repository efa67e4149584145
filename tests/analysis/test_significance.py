import numpy as np
import pytest
from planted import differences, directions, folds_of
from scipy import stats

from polyethos.analysis.flipping import correct_counts
from polyethos.analysis.products import products_of, resampling_units
from polyethos.analysis.resampling import sign_flips
from polyethos.analysis.significance import family_p, family_threshold, sign_flip_test

LAYERS = (1, 2, 3)


def layered(random, *, strength=0.0, languages=3, items=20, hidden=6, group_size=1):
    means = directions(random, languages=languages, hidden=hidden, cosine=0.5) * strength
    return {layer: differences(random, means, items=items) for layer in LAYERS}


def flip_tested(data, *, patterns=64, seed=0, group_size=1):
    units = resampling_units(folds_of(data[1], group_size=group_size))
    flips = sign_flips(units.fold, patterns, seed=seed)
    return sign_flip_test(lambda layer: products_of(data[layer], units), LAYERS, flips), units, flips


def directly(data, units, flips):
    """Counts (source, target, layer, pattern) and at the chosen layer, refitted from the differences every time."""
    x = np.stack([data[layer].values for layer in LAYERS], axis=1).astype(float)
    fold, patterns = units.fold_of_item, flips.patterns()[units.of_item]
    n = len(x)
    by_layer, chosen = np.zeros((n, n, 3, flips.total)), np.zeros((n, n, flips.total))
    for b in range(flips.total):
        flipped = x * patterns[:, b][None, None, :, None]
        for k in range(5):
            right = right_of(flipped, train=fold != k, test=fold == k)
            by_layer[..., b] += right.sum(axis=-1)
            inner = [right_of(flipped, train=(fold != k) & (fold != g), test=fold == g) for g in range(5) if g != k]
            own = np.einsum("iils->ils", np.concatenate(inner, axis=-1)).mean(axis=(0, 2))
            chosen[..., b] += right[:, :, np.argmax(np.round(own, 6))].sum(axis=-1)
    return by_layer, chosen


def right_of(x, *, train, test):
    return np.einsum("ilh,jlsh->ijls", x[:, :, train].sum(axis=2), x[:, :, test]) > 0


def test_counts_under_every_pattern_are_those_of_a_refit():
    random = np.random.default_rng(0)
    fold = np.arange(37) % 5
    inner = random.standard_normal((37, 3, 37)).astype(np.float32)
    flips = sign_flips(fold, 200, seed=1)
    train, test = fold != 2, np.flatnonzero(fold == 2)
    found = correct_counts(inner, flips, train=train, test=test, unit=np.arange(37))
    signs = flips.patterns()
    projected = np.einsum("ub,ujs,sb->jsb", signs[train], inner[train][:, :, test], signs[test])
    assert (found == (projected > 0).sum(axis=1)).all()


def test_more_test_items_than_a_byte_counts_are_counted():
    inner = np.ones((10, 1, 10), dtype=np.float32)[:, :, np.zeros(600, dtype=int)]
    flips = sign_flips(np.arange(10) % 2, 16, seed=0)
    unit = np.repeat([0, 2, 4], 200)
    train = np.arange(10) % 2 == 1
    found = correct_counts(inner, flips, train=train, test=np.arange(600), unit=unit)
    assert found[0, 0] == 600


@pytest.mark.parametrize("group_size", [1, 2])
def test_p_values_are_those_of_a_direct_computation_with_refit_and_layer_choice(group_size):
    data = layered(np.random.default_rng(1), strength=0.3)
    found, units, flips = flip_tested(data, group_size=group_size)
    by_layer, chosen = directly(data, units, flips)
    np.testing.assert_array_equal(found.by_layer.p, (by_layer >= by_layer[..., :1]).mean(axis=-1))
    np.testing.assert_array_equal(found.chosen.p, (chosen >= chosen[..., :1]).mean(axis=-1))
    np.testing.assert_allclose(found.by_layer.mean, by_layer.mean(axis=-1) / 20, rtol=1e-6)


def test_the_family_wise_p_is_that_of_the_largest_standardised_share():
    data = layered(np.random.default_rng(2), strength=0.3)
    found, units, flips = flip_tested(data)
    by_layer, _ = directly(data, units, flips)
    scores = (by_layer - by_layer.mean(axis=-1, keepdims=True)) / by_layer.std(axis=-1, keepdims=True)
    own = np.einsum("iilb->ilb", scores)
    expected = (own.max(axis=(0, 1)) >= own[..., :1] - 1e-5).mean(axis=-1)
    p = family_p(found.by_layer.score[None], found.highest["own layer"][None])[0]
    np.testing.assert_allclose(np.einsum("iil->il", p), expected)


def test_a_family_of_more_values_has_larger_p_values():
    random = np.random.default_rng(3)
    tests = [flip_tested(layered(random, strength=0.2), seed=seed)[0] for seed in range(3)]
    scores = np.stack([test.by_layer.score for test in tests])
    highest = np.stack([test.highest["own layer"] for test in tests])
    assert (family_p(scores, highest)[0] >= family_p(scores[:1], highest[:1])[0]).all()
    assert family_threshold(highest) >= family_threshold(highest[:1])


def test_a_planted_direction_is_found_in_every_language():
    data = layered(np.random.default_rng(4), strength=3.0, items=40)
    found = flip_tested(data, patterns=256)[0]
    assert (np.diag(found.chosen.p) < 0.01).all()
    assert (np.diag(family_p(found.chosen.score[None], found.highest["own chosen"][None])[0]) < 0.01).all()


def test_without_a_direction_p_values_are_uniform():
    p = []
    for study in range(60):
        data = layered(np.random.default_rng([5, study]), languages=1)
        p.append(flip_tested(data, patterns=160, seed=study)[0].chosen.p[0, 0])
    # Shares of 20 items tie, so p-values are a little too large: compare from below only.
    assert stats.kstest(p, "uniform", alternative="greater").pvalue > 0.01
    assert np.mean(p) < 0.6


def test_a_language_without_any_item_is_undefined():
    data = layered(np.random.default_rng(6))
    for layer in LAYERS:
        data[layer][1] = np.nan
    found = flip_tested(data)[0]
    assert np.isnan(found.chosen.p[0, 1])
    assert np.isfinite(found.chosen.p[0, 2])

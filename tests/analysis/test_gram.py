"""Rules of Gram matrices and of the moments that replace them in large sets."""

import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from polyethos.analysis.gram import gram, mean_directions, mean_products, moments
from polyethos.errors import DataError, LabelMismatchError, ResourceError


def random_differences(seed, *, items=12, hidden=5, languages=3, holes=0, first=0):
    rng = np.random.default_rng(seed)
    rows = rng.normal(0.3, 1, (languages, 2, items, hidden)).astype(np.float32)
    rows[rng.integers(0, languages, holes), :, rng.integers(0, items, holes)] = np.nan
    coords = {
        "language": [f"l{k}" for k in range(languages)],
        "layer": [1, 2],
        "item": [f"item-{first + k}" for k in range(items)],
    }
    return xr.DataArray(rows, dims=("language", "layer", "item", "hidden"), coords=coords)


def folded(differences, n_folds=3):
    items = differences["item"].values
    return xr.DataArray(np.arange(len(items)) % n_folds, dims="item", coords={"item": items})


def test_entries_are_inner_products_of_known_rows():
    rows = np.array([[[[1, 2], [3, 4]]], [[[0, 1], [np.nan, np.nan]]]], dtype=np.float32)
    coords = {"language": ["en", "fi"], "layer": [7], "item": ["a", "b"]}
    found = gram(xr.DataArray(rows, dims=("language", "layer", "item", "hidden"), coords=coords)).sel(layer=7)
    assert found.sel(language="en", item="a", language_2="en", item_2="b").item() == 11
    assert found.sel(language="fi", item="a", language_2="en", item_2="b").item() == 4
    assert found.sel(language="fi", item="b").isnull().all()
    assert found.sel(language_2="fi", item_2="b").isnull().all()
    assert found.isnull().sum() == 7


def test_slices_of_the_hidden_dimension_give_the_same_matrix():
    differences = random_differences(0, hidden=40, holes=3)
    whole = gram(differences)
    n_rows = 36
    narrow = (2 + 1) * n_rows**2 * 4 + 2 * n_rows * 4 * 3  # room for three columns at a time
    xr.testing.assert_allclose(gram(differences, budget=narrow), whole, atol=1e-5)


def test_a_matrix_over_the_budget_is_refused_and_the_remedy_named():
    with pytest.raises(
        ResourceError, match=r"36 paired differences in 2 layers needs 15,840 bytes.*budget of 15,000.*`moments`"
    ):
        gram(random_differences(0), budget=15_000)


def test_the_budget_bounds_the_memory_that_is_really_taken():
    differences = random_differences(0, items=60, hidden=3000)
    budget = 3 * 180**2 * 4 + 2 * 180 * 4 * 100
    tracemalloc.start()
    gram(differences, budget=budget)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < budget + 200_000


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), cuts=st.sets(st.integers(1, 11), max_size=4), holes=st.integers(0, 8))
def test_streamed_blocks_give_what_the_whole_gives(seed, cuts, holes):
    whole = random_differences(seed, holes=holes)
    bounds = [0, *sorted(cuts), 12]
    blocks = (whole.isel(item=slice(a, b)) for a, b in pairwise(bounds))
    xr.testing.assert_allclose(moments(blocks, folded(whole)), moments([whole], folded(whole)), atol=1e-6)


def test_moments_of_known_rows():
    rows = np.array([[[[1, 2], [3, 4], [5, 6]]], [[[1, 0], [np.nan, np.nan], [0, 1]]]], dtype=np.float32)
    coords = {"language": ["en", "fi"], "layer": [7], "item": ["a", "b", "c"]}
    differences = xr.DataArray(rows, dims=("language", "layer", "item", "hidden"), coords=coords)
    folds = xr.DataArray([4, 4, 9], dims="item", coords={"item": ["a", "b", "c"]})
    found = moments([differences], folds).sel(layer=7)
    assert found["sums"].sel(fold=4).values.tolist() == [[4, 6], [1, 0]]
    assert found["sums"].sel(fold=9).values.tolist() == [[5, 6], [0, 1]]
    assert found["products"].sel(fold=4).values.tolist() == [[30, 1], [1, 1]]
    assert found["counts"].sel(fold=4).values.tolist() == [[2, 1], [1, 1]]
    assert mean_directions(moments([differences], folds)).values.tolist() == [[[3, 4]], [[0.5, 0.5]]]


def test_memory_does_not_grow_with_the_number_of_items():
    def peak_of(n_blocks):
        items = [f"item-{k}" for k in range(8 * n_blocks)]
        folds = xr.DataArray(np.arange(len(items)) % 3, dims="item", coords={"item": items})
        tracemalloc.start()
        moments((random_differences(k, items=8, hidden=2000, first=8 * k) for k in range(n_blocks)), folds)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    peak_of(2)
    assert peak_of(30) < 1.2 * peak_of(6)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), holes=st.integers(0, 8))
def test_mean_products_are_means_over_the_gram_matrix(seed, holes):
    differences = random_differences(seed, holes=holes)
    found = mean_products(moments([differences], folded(differences)))
    products = gram(differences).rename(language="source", language_2="target")
    different_items = products["item"] != products["item_2"]
    items = ["item", "item_2"]
    order = ("layer", "source", "target")
    xr.testing.assert_allclose(found["raw"], products.mean(items).transpose(*order).astype(float), atol=1e-5)
    expected = products.where(different_items).mean(items).transpose(*order).astype(float)
    xr.testing.assert_allclose(found["unbiased"], expected, atol=1e-5)


def test_without_missing_items_the_unbiased_product_takes_out_the_covariance_over_n():
    differences = random_differences(1).isel(layer=[0])
    found = mean_products(moments([differences], folded(differences))).squeeze("layer")
    x, y = differences.sel(language="l0").values[0], differences.sel(language="l1").values[0]
    covariance = ((x - x.mean(0)) * (y - y.mean(0))).sum() / (12 - 1)
    expected = x.mean(0) @ y.mean(0) - covariance / 12
    assert found["unbiased"].sel(source="l0", target="l1").item() == pytest.approx(expected, abs=1e-6)


def test_pure_noise_has_a_positive_raw_length_and_an_unbiased_one_around_zero():
    # 200 languages of pure noise: the raw squared length is hidden / n = 2, the unbiased one 0.
    rows = np.random.default_rng(2).normal(size=(200, 1, 20, 40)).astype(np.float32)
    coords = {"language": [f"l{k}" for k in range(200)], "layer": [1], "item": [f"item-{k}" for k in range(20)]}
    differences = xr.DataArray(rows, dims=("language", "layer", "item", "hidden"), coords=coords)
    found = mean_products(moments([differences], folded(differences))).squeeze("layer")
    assert np.diag(found["raw"]).mean() == pytest.approx(2, abs=0.15)
    assert np.diag(found["unbiased"]).mean() == pytest.approx(0, abs=0.15)


def test_a_language_without_items_has_no_direction_and_no_products():
    differences = random_differences(3)
    differences[2] = np.nan
    found = moments([differences], folded(differences))
    assert mean_directions(found).sel(language="l2").isnull().all()
    assert mean_products(found)["unbiased"].sel(source="l2").isnull().all()
    assert mean_products(found)["unbiased"].sel(source="l0", target="l1").notnull().all()


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        (lambda whole: [whole, whole.isel(item=[0])], "'item-0' has no fold, or comes twice"),
        (lambda whole: [whole.isel(item=slice(11))], "'item-11' has a fold but is in no block"),
        (lambda whole: [whole.isel(item=[0]), whole.isel(item=[1], language=[0, 1])], "l2"),
        (lambda whole: [whole.isel(item=[0]), whole.isel(item=[1]).transpose().rename(layer="depth")], "dimensions"),
    ],
)
def test_blocks_that_do_not_belong_together_are_an_error(blocks, message):
    whole = random_differences(4)
    with pytest.raises(LabelMismatchError, match=message):
        moments(blocks(whole), folded(whole))


def test_no_block_at_all_is_an_error():
    with pytest.raises(DataError, match="no block"):
        moments([], folded(random_differences(5)))

import numpy as np
import pytest
import xarray as xr
from planted import differences, folds_of

from polyethos.analysis.gram import gram
from polyethos.analysis.products import products_from_gram, products_of, products_of_blocks, resampling_units
from polyethos.errors import LabelMismatchError


def simulated(*, items=12, languages=3):
    random = np.random.default_rng(0)
    return differences(random, random.standard_normal((languages, 5)), items=items)


def test_a_group_is_one_unit():
    data = simulated()
    units = resampling_units(folds_of(data, folds=2, group_size=3))
    assert units.n_units == 4
    assert units.of_item.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert units.fold.tolist() == [0, 1, 0, 1]


def test_too_many_groups_are_merged_within_their_folds():
    folds = folds_of(simulated(items=100), folds=5)
    units = resampling_units(folds, max_units=20)
    assert units.n_units == 20
    assert (units.fold_of_item == folds.values).all()
    assert (np.bincount(units.of_item) == 5).all()


def test_a_group_torn_between_folds_is_an_error():
    folds = xr.DataArray([0, 1], dims="item", coords={"item": ["a", "b"], "group": ("item", ["g", "g"])})
    with pytest.raises(LabelMismatchError, match="'g' lies in more than one fold"):
        resampling_units(folds)


def test_one_fold_is_an_error():
    folds = xr.DataArray([0, 0], dims="item", coords={"item": ["a", "b"]})
    with pytest.raises(LabelMismatchError, match="at least 2"):
        resampling_units(folds)


def test_products_are_those_of_sums_over_the_unit():
    data = simulated()
    units = resampling_units(folds_of(data, folds=2, group_size=3))
    inner = products_of(data, units).inner
    expected = data.values[1, 3:6].sum(axis=0) @ data.values[2, 7]
    assert inner[1, 1, 2, 7] == pytest.approx(expected, rel=1e-5)


def test_between_units_sums_over_the_items_of_both():
    data = simulated()
    between = products_of(data, resampling_units(folds_of(data, folds=2, group_size=3))).between_units()
    expected = data.values[1, 3:6].sum(axis=0) @ data.values[2, 6:9].sum(axis=0)
    assert between[1, 1, 2, 2] == pytest.approx(expected, rel=1e-5)


def test_the_gram_matrix_gives_the_same_products_missing_items_included():
    data = simulated()
    data[1, 4] = np.nan
    units = resampling_units(folds_of(data, folds=2, group_size=2))
    direct = products_of(data, units)
    by_gram = products_from_gram(gram(data.expand_dims(layer=[1]))[0].drop_vars("layer"), units)
    np.testing.assert_allclose(by_gram.inner, direct.inner, atol=1e-5)
    assert (by_gram.present == direct.present).all()
    assert not direct.present[1, 4]
    assert direct.counts()[1].tolist() == [2, 2, 1, 2, 2, 2]


def test_other_items_than_the_folds_have_are_an_error():
    data = simulated()
    units = resampling_units(folds_of(data))
    with pytest.raises(LabelMismatchError, match="first difference at position 0"):
        products_of(data.isel(item=slice(None, None, -1)), units)


@pytest.mark.parametrize("size", [1, 5, 12])
def test_products_of_blocks_are_those_of_the_whole(size):
    data = simulated()
    data[1, 4] = np.nan
    units = resampling_units(folds_of(data, folds=2, group_size=3))
    found = products_of_blocks(lambda: (data.isel(item=slice(k, k + size)) for k in range(0, 12, size)), units)
    whole = products_of(data, units)
    np.testing.assert_allclose(found.inner, whole.inner, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(found.random, whole.random, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(found.present, whole.present)
    assert found.languages == whole.languages


@pytest.mark.parametrize("starts", [[0, 3], [0, 3, 6, 9, 9], [3, 0, 6, 9]])
def test_blocks_that_are_not_the_items_in_order_are_an_error(starts):
    data = simulated()
    units = resampling_units(folds_of(data))
    with pytest.raises(LabelMismatchError, match="items and folds for 12"):
        products_of_blocks(lambda: (data.isel(item=slice(k, k + 3)) for k in starts), units)

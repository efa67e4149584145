import numpy as np
import pytest
import xarray as xr
from planted import differences, folds_of

from polyethos.analysis.gram import gram
from polyethos.analysis.products import products_from_gram, products_of, resampling_units, units_within
from polyethos.errors import LabelMismatchError, ResourceError


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


def test_units_fill_the_memory_allowed():
    assert units_within(100 * 2**20, n_languages=16, n_items=1000) == 102


def test_too_little_memory_is_an_error_that_says_how_much_is_needed():
    with pytest.raises(ResourceError, match="78 MiB"):
        units_within(2**20, n_languages=16, n_items=4000)

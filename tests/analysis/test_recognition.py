"""Rules of cross-fitted recognition."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from polyethos.analysis.recognition import accuracy, accuracy_at, chosen_layers, cross_fit, own_language
from polyethos.errors import DataError, InvalidStudyError, LabelMismatchError
from polyethos.representation.directions import DIRECTIONS


def labelled(rows, languages=None, layers=None, items=None):
    """A difference array from nested lists or numpy: (language, layer, item, hidden)."""
    rows = np.asarray(rows, dtype=np.float32)
    coords = {
        "language": languages or [f"l{i}" for i in range(rows.shape[0])],
        "layer": layers or list(range(1, rows.shape[1] + 1)),
        "item": items or [f"item-{i}" for i in range(rows.shape[2])],
    }
    return xr.DataArray(rows, dims=("language", "layer", "item", "hidden"), coords=coords)


def folded(differences, n_folds):
    items = differences["item"]
    return xr.DataArray(np.arange(items.size) % n_folds, dims="item", coords={"item": items.values})


def random_differences(seed, *, languages=3, layers=2, items=15, hidden=4, shift=0.0):
    return labelled(np.random.default_rng(seed).normal(shift, 1, (languages, layers, items, hidden)))


def mean_of(rows):
    return rows.mean(axis=0)


def test_a_planted_direction_is_recognised_in_every_item():
    planted = np.array([2.0, -1.0, 0.5, 0.0])
    differences = labelled(np.broadcast_to(planted, (2, 3, 9, 4)))
    found = cross_fit(differences, folded(differences, 3))
    assert (found["correct"] == 1).all()
    assert (found["training_accuracy"] == 1).all()


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_every_way_to_find_a_direction_recovers_a_planted_one(direction):
    noise = np.random.default_rng(0).normal(0, 0.3, (2, 2, 30, 6)).astype(np.float32)
    differences = labelled(noise + np.array([0, 3, 0, 0, -3, 0], dtype=np.float32))
    found = cross_fit(differences, folded(differences, 5), DIRECTIONS[direction])
    assert (found["correct"] == 1).all()


def test_each_item_is_tested_on_the_mean_of_the_other_folds_only():
    # One hidden unit: items of folds 0, 1, 2. Without fold 0 the mean is (1 - 4) / 2 < 0, and so on.
    differences = labelled([[[[3.0], [1.0], [-4.0]]]])
    correct = cross_fit(differences, folded(differences, 3))["correct"]
    assert correct.values.ravel().tolist() == [0.0, 0.0, 0.0]


def test_training_accuracy_of_a_fold_never_uses_that_fold():
    # Without fold 0, items 1 and -4 test each other; without fold 1, 3 and -4; without fold 2, 3 and 1, which agree.
    differences = labelled([[[[3.0], [1.0], [-4.0]]]])
    training = cross_fit(differences, folded(differences, 3))["training_accuracy"]
    assert training.values.ravel().tolist() == [0.0, 0.0, 1.0]


def test_a_tie_counts_one_half():
    differences = labelled([[[[1.0, 0.0], [1.0, 0.0], [0.0, 5.0], [0.0, 0.0], [1.0, 0.0], [1.0, 0.0]]]])
    correct = cross_fit(differences, folded(differences, 3))["correct"].squeeze()
    assert correct.sel(item="item-3").item() == 0.5


def test_a_missing_item_is_missing_there_and_nowhere_else():
    differences = random_differences(0)
    differences[1, :, 4] = np.nan
    found = cross_fit(differences, folded(differences, 5))
    missing = found["correct"].isnull()
    assert missing.sel(target="l1", item="item-4").all()
    assert missing.sum() == missing.sel(target="l1", item="item-4").size
    assert found["training_accuracy"].notnull().all()


def test_a_missing_item_counts_as_if_the_language_never_had_it():
    whole = random_differences(1, languages=1, items=15)
    folds = folded(whole, 3)
    holed = whole.copy()
    holed[:, :, [3, 7]] = np.nan
    without = whole.isel(item=[i for i in range(15) if i not in (3, 7)])
    expected = cross_fit(without, folds.sel(item=without["item"].values))
    found = cross_fit(holed, folds)
    xr.testing.assert_allclose(found["correct"].sel(item=without["item"].values), expected["correct"])
    xr.testing.assert_allclose(found["training_accuracy"], expected["training_accuracy"])


def test_a_language_without_items_is_undefined_not_zero():
    differences = random_differences(2)
    differences[2] = np.nan
    found = cross_fit(differences, folded(differences, 3))
    undefined = found["training_accuracy"].isnull()
    assert undefined.sel(source="l2").all()
    assert undefined.sel(target="l2").all()
    assert not undefined.sel(source=["l0", "l1"], target=["l0", "l1"]).any()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), n_folds=st.integers(3, 6), holes=st.integers(0, 8))
def test_fold_sums_and_refitting_every_fold_agree(seed, n_folds, holes):
    differences = random_differences(seed, items=20, shift=0.2)
    rng = np.random.default_rng(seed)
    differences.values[rng.integers(0, 3, holes), :, rng.integers(0, 20, holes)] = np.nan
    folds = folded(differences, n_folds)
    xr.testing.assert_allclose(cross_fit(differences, folds), cross_fit(differences, folds, mean_of))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_flipping_the_vector_mirrors_accuracy_around_one_half(seed):
    differences = random_differences(seed)
    folds = folded(differences, 3)
    upright = cross_fit(differences, folds, mean_of)
    flipped = cross_fit(differences, folds, lambda rows: -rows.mean(axis=0))
    xr.testing.assert_allclose(flipped["correct"], 1 - upright["correct"])
    xr.testing.assert_allclose(flipped["training_accuracy"], 1 - upright["training_accuracy"])


@given(seed=st.integers(0, 10_000), power=st.integers(-20, 20))
@settings(max_examples=10, deadline=None)
def test_the_scale_of_a_language_does_not_matter(seed, power):
    differences = random_differences(seed)
    folds = folded(differences, 3)
    scaled = differences.copy()
    scaled[1] *= 2.0**power
    xr.testing.assert_identical(cross_fit(scaled, folds), cross_fit(differences, folds))


def test_layers_are_independent_so_they_can_be_computed_one_at_a_time():
    differences = random_differences(3, layers=4)
    folds = folded(differences, 3)
    single = [cross_fit(differences.isel(layer=[k]), folds) for k in range(4)]
    xr.testing.assert_identical(xr.concat(single, "layer"), cross_fit(differences, folds))


def test_arguments_are_not_changed_and_other_dimension_orders_are_understood():
    differences = random_differences(4)
    before, folds = differences.copy(deep=True), folded(differences, 3)
    turned = cross_fit(differences.transpose("hidden", "item", "layer", "language"), folds)
    xr.testing.assert_allclose(turned, cross_fit(differences, folds))
    xr.testing.assert_identical(differences, before)


def test_the_group_of_an_item_travels_with_it():
    differences = random_differences(5).assign_coords(group=("item", [f"g{i // 3}" for i in range(15)]))
    found = cross_fit(differences, folded(differences, 3))
    assert found["correct"]["group"].values[:4].tolist() == ["g0", "g0", "g0", "g1"]


def test_folds_of_other_items_are_an_error_not_a_smaller_result():
    differences = random_differences(6)
    with pytest.raises(LabelMismatchError, match="item-14"):
        cross_fit(differences, folded(differences, 3).isel(item=slice(14)))


def test_two_folds_are_too_few_to_choose_a_layer():
    differences = random_differences(7)
    with pytest.raises(InvalidStudyError, match=r"found 2 among 15 items.*at least 3"):
        cross_fit(differences, folded(differences, 2))


@pytest.mark.parametrize("broken", [np.inf, np.nan])
def test_an_overflowed_state_is_named_not_averaged(broken):
    differences = random_differences(8)
    differences[1, 0, 2, 3] = broken
    with pytest.raises(DataError, match=r"'l1', item 'item-2', layer 1: not finite"):
        cross_fit(differences, folded(differences, 3))


def training_table(by_layer, languages=("en", "fi")):
    """Training accuracies (fold, source, target, layer) equal for every fold and cell of one source."""
    table = np.asarray(by_layer, dtype=np.float32)
    return xr.DataArray(
        np.broadcast_to(table, (3, *table.shape)).copy(),
        dims=("fold", "source", "target", "layer"),
        coords={"fold": range(3), "source": list(languages), "target": list(languages), "layer": [5, 6, 7]},
    )


def test_the_shared_layer_is_the_best_for_languages_on_themselves():
    on_others = [0.0, 0.0, 1.0]
    chosen = chosen_layers(training_table([[[0.5, 0.9, 0.6], on_others], [on_others, [0.5, 0.6, 0.7]]]))
    assert chosen["shared"].values.tolist() == [6, 6, 6]
    assert chosen["per_cell"].sel(fold=1).values.tolist() == [[6, 7], [7, 7]]


def test_of_equally_good_layers_the_lowest_is_chosen():
    chosen = chosen_layers(training_table(np.full((2, 2, 3), 0.75)))
    assert (chosen["shared"] == 5).all()
    assert (chosen["per_cell"] == 5).all()


def test_an_undefined_cell_has_no_layer_and_no_accuracy():
    table = training_table(np.full((2, 2, 3), 0.75))
    table.loc[{"source": "fi"}] = np.nan
    chosen = chosen_layers(table)
    correct = xr.DataArray(
        np.ones((2, 2, 3, 3)),
        dims=("source", "target", "layer", "item"),
        coords={"source": ["en", "fi"], "target": ["en", "fi"], "layer": [5, 6, 7], "item": list("abc")},
    )
    folds = xr.DataArray([0, 1, 2], dims="item", coords={"item": list("abc")})
    found = accuracy_at(correct, folds, chosen["per_cell"])
    assert found.sel(source="en").values.tolist() == [1.0, 1.0]
    assert found.sel(source="fi").isnull().all()


def test_no_layer_can_be_chosen_from_nothing():
    with pytest.raises(DataError, match="no language has items"):
        chosen_layers(training_table(np.full((2, 2, 3), np.nan)))


def test_every_item_is_tested_at_the_layer_chosen_without_its_fold():
    # Items a, b, c in folds 0, 1, 2; each is right at exactly one layer, and each fold chose another one.
    correct = xr.DataArray(
        np.eye(3)[None, None],
        dims=("source", "target", "layer", "item"),
        coords={"source": ["en"], "target": ["en"], "layer": [5, 6, 7], "item": list("abc")},
    )
    folds = xr.DataArray([0, 1, 2], dims="item", coords={"item": list("abc")})
    layers = xr.DataArray([5, 6, 5], dims="fold", coords={"fold": [0, 1, 2]})
    assert accuracy_at(correct, folds, layers).item() == pytest.approx(2 / 3)
    assert accuracy(correct).values.ravel().tolist() == pytest.approx([1 / 3] * 3)


def test_outcomes_and_folds_of_other_items_are_an_error():
    differences = random_differences(10)
    folds = folded(differences, 3)
    found = cross_fit(differences, folds)
    layers = chosen_layers(found["training_accuracy"])["shared"]
    with pytest.raises(LabelMismatchError, match="another order"):
        accuracy_at(found["correct"], folds.isel(item=slice(None, None, -1)), layers)


def test_chance_data_averages_one_half_although_the_layer_is_chosen():
    # 30 unrelated languages are 30 repetitions of a study without any signal: 24 layers, 60 items.
    differences = random_differences(9, languages=30, layers=24, items=60, hidden=12)
    folds = folded(differences, 5)
    found = cross_fit(differences, folds)
    chosen = chosen_layers(found["training_accuracy"])
    honest = own_language(accuracy_at(found["correct"], folds, chosen["per_cell"]))
    published = own_language(accuracy(found["correct"]).max("layer"))
    assert abs(honest.mean().item() - 0.5) < 0.03
    assert published.mean().item() > 0.55


def test_own_language_keeps_only_the_diagonal():
    table = xr.DataArray(
        [[1, 2], [3, 4]], dims=("source", "target"), coords={"source": ["en", "fi"], "target": ["en", "fi"]}
    )
    own = own_language(table)
    assert own["language"].values.tolist() == ["en", "fi"]
    assert own.values.tolist() == [1, 4]

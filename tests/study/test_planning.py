from dataclasses import replace

import pytest

from polyethos.errors import ResourceError
from polyethos.study.planning import FEWEST_UNITS, UNITS_BYTES, Extent, Reading, plan, plan_refitting, plan_testing

LARGE = Extent("morality", n_languages=16, n_layers=32, n_items=4_000, hidden=8_192, n_folds=5)
GIB = 2**30


def test_a_small_value_is_read_at_once():
    small = Extent("morality", n_languages=16, n_layers=32, n_items=100, hidden=896, n_folds=5)
    assert plan(small, GIB) == Reading(32, 100)


def test_a_larger_one_is_read_some_whole_layers_at_a_time():
    middle = Extent("morality", n_languages=16, n_layers=32, n_items=800, hidden=2_048, n_folds=5)
    found = plan(middle, GIB)
    assert 1 <= found.n_layers < 32
    assert found.n_items == 800


def test_a_layer_that_does_not_fit_is_read_in_blocks_of_items():
    found = plan(LARGE, GIB)
    assert found.n_layers == 1
    assert 100 < found.n_items < 4_000


def test_blocks_do_not_depend_on_the_number_of_items():
    more = Extent("morality", n_languages=16, n_layers=32, n_items=400_000, hidden=8_192, n_folds=5)
    assert plan(more, GIB) == plan(LARGE, GIB)


def test_what_is_planned_fits_and_one_more_item_would_not():
    found = plan(LARGE, GIB)
    assert LARGE.fixed(1) + found.n_items * LARGE.per_item(1) <= GIB
    assert LARGE.fixed(1) + (found.n_items + 1) * LARGE.per_item(1) > GIB


def test_memory_for_less_than_one_item_is_an_error_that_says_how_much_would_do():
    needed = LARGE.fixed(1) + LARGE.per_item(1)
    assert plan(LARGE, needed) == Reading(1, 1)
    with pytest.raises(ResourceError, match=rf"at least {needed:,} bytes, more than the memory of 1,000,000"):
        plan(LARGE, 1_000_000)


def test_a_direction_fitted_on_rows_says_what_it_needs_and_what_to_do():
    with pytest.raises(ResourceError, match=r"^morality, layer 1: direction pca .* all 4,000 items") as error:
        plan_refitting(LARGE, "pca", GIB)
    assert f"{GIB:,}" in str(error.value)
    assert "difference-in-means" in str(error.value)
    assert "fewer items" in str(error.value)
    assert plan_refitting(LARGE, "pca", 16 * GIB) == Reading(1, 4_000)


def extent_of(*, items, languages=16):
    return Extent("morality", n_languages=languages, n_layers=32, n_items=items, hidden=4_096, n_folds=5)


def test_every_group_is_a_unit_of_the_tests_where_they_are_few():
    assert plan_testing(extent_of(items=100), 100, patterns=2_000, replicates=1_000, memory=GIB).n_units == 100


def test_many_groups_are_merged_into_units_that_depend_on_the_data_alone():
    extent, options = extent_of(items=4_000), {"patterns": 2_000, "replicates": 1_000}
    little, much = (plan_testing(extent, 4_000, **options, memory=memory) for memory in (GIB, 64 * GIB))
    assert little.n_units == much.n_units
    assert FEWEST_UNITS < much.n_units < 100
    assert extent.resampling(much.n_units, 1_000) <= UNITS_BYTES < extent.resampling(much.n_units + 1, 1_000)
    assert little.n_items < much.n_items == 4_000


def test_models_of_any_size_draw_the_same_units():
    options = {"patterns": 2_000, "replicates": 1_000, "memory": 64 * GIB}
    small, large = extent_of(items=4_000), replace(extent_of(items=4_000), n_layers=80, hidden=16_384)
    assert plan_testing(small, 4_000, **options).n_units == plan_testing(large, 4_000, **options).n_units


def test_resampling_weights_do_not_grow_with_the_items():
    def drawn(items):
        return extent_of(items=items).resampling(50, 100_000) - extent_of(items=items).resampling(50, 0)

    assert drawn(100_000) == drawn(100)


def test_what_is_left_over_may_keep_inner_products_between_passes():
    extent, options = extent_of(items=100), {"patterns": 2_000, "replicates": 1_000}
    more = plan_testing(extent, 100, **options, memory=2 * GIB).kept
    assert more - plan_testing(extent, 100, **options, memory=GIB).kept == GIB


def test_tests_that_do_not_fit_are_an_error_that_says_what_would_do():
    extent, options = extent_of(items=40_000), {"patterns": 2_000, "replicates": 1_000}
    with pytest.raises(ResourceError, match=r"^morality: the tests of 40,000 items .*\(permutations = 0\)$") as error:
        plan_testing(extent, 40_000, **options, memory=GIB)
    needed = int(str(error.value).split("at least ")[1].split(" bytes")[0].replace(",", ""))
    assert plan_testing(extent, 40_000, **options, memory=needed).n_units == FEWEST_UNITS
    with pytest.raises(ResourceError):
        plan_testing(extent, 40_000, **options, memory=needed - 1)

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyethos.dataset.pairs import ContrastPair, ContrastPairs
from polyethos.dataset.splits import assign_folds, fold_coordinate, folds
from polyethos.errors import DataError


def pairs_of(*cells):
    return ContrastPairs("by hand", tuple(ContrastPair(i, v, c, "a", "b", group=g) for v, c, i, g in cells))


def singles(count):
    return {f"item-{number}": "" for number in range(count)}


def test_folds_are_equally_large_where_every_item_stands_alone():
    assert Counter(assign_folds(singles(23), folds=5).values()) == {0: 5, 1: 5, 2: 5, 3: 4, 4: 4}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from("abcdefg"), min_size=7, max_size=60), st.integers(2, 5), st.integers(0, 9))
def test_a_group_is_never_split_and_sizes_differ_by_at_most_the_largest_group(names, count, seed):
    groups = {f"item-{number}": name for number, name in enumerate([*"abcdefg", *names])}
    chosen = assign_folds(groups, folds=count, seed=seed)
    assert all(len({chosen[i] for i in groups if groups[i] == name}) == 1 for name in set(groups.values()))
    sizes = Counter(chosen.values())
    assert set(sizes) == set(range(count))
    assert max(sizes.values()) - min(sizes.values()) <= max(Counter(groups.values()).values())


def test_an_item_named_like_a_group_does_not_join_it():
    groups = {"a": "", "1": "a", "2": "a", "3": "a"}
    chosen = assign_folds(groups, folds=2)
    assert chosen["a"] != chosen["1"]


def test_the_same_item_has_the_same_fold_in_every_language_also_where_one_lacks_it():
    cells = [("morality", "en", str(n), "") for n in range(10)] + [("morality", "fr", str(n), "") for n in range(5, 12)]
    chosen = folds(pairs_of(*cells), folds=3)["morality"]
    assert set(chosen) == {str(n) for n in range(12)}
    assert Counter(chosen.values()) == {0: 4, 1: 4, 2: 4}


def test_folds_do_not_depend_on_the_order_of_the_pairs_or_on_other_values():
    cells = [("morality", "en", str(n), "") for n in range(20)]
    alone = folds(pairs_of(*cells))["morality"]
    other = [("fairness", "en", str(n), "") for n in range(20)]
    assert folds(pairs_of(*other, *cells[::-1]))["morality"] == alone


def test_values_are_shuffled_independently():
    cells = [(value, "en", str(n), "") for value in ("morality", "fairness") for n in range(50)]
    chosen = folds(pairs_of(*cells))
    assert chosen["morality"] != chosen["fairness"]


def test_the_seed_decides_the_folds():
    assert assign_folds(singles(30), seed=1) == assign_folds(singles(30), seed=1)
    assert assign_folds(singles(30), seed=1) != assign_folds(singles(30), seed=2)


def test_folds_stay_the_same_from_version_to_version():
    assert list(assign_folds(singles(8), folds=3, label="morality").values()) == [0, 2, 1, 1, 1, 0, 0, 2]


@pytest.mark.parametrize("count", [1, 4])
def test_too_few_groups_or_folds_say_how_many_are_possible(count):
    with pytest.raises(DataError, match=rf"morality: {count} folds of 3 groups; expected 2 to 3"):
        assign_folds({"1": "a", "2": "b", "3": "b", "4": ""}, folds=count, label="morality")


def test_the_fold_coordinate_follows_the_items_given():
    coordinate = fold_coordinate(["b", "a"], {"a": 0, "b": 1, "c": 2})
    assert coordinate.dims == ("item",)
    assert coordinate["item"].values.tolist() == ["b", "a"]
    assert coordinate.values.tolist() == [1, 0]


def test_an_item_without_fold_is_an_error():
    with pytest.raises(DataError, match="1 items have no fold, for instance 'z'"):
        fold_coordinate(["a", "z"], {"a": 0})

"""Directions are fitted on fit items only, in the source language only."""

from collections import Counter

import numpy as np
import pytest
from concepts_by_hand import planted_concept, word_pairs

from polyethos.control.concepts import fit_concept, item_roles
from polyethos.control.requests import microworld_requests
from polyethos.dataset.microworld import microworld_pairs
from polyethos.errors import DataError
from polyethos.interchange.selection import POOLED


def test_half_of_the_items_fit_a_quarter_chooses_and_a_quarter_tests():
    roles = item_roles(word_pairs(items=40))
    assert Counter(roles.values()) == {"fit": 20, "choose": 10, "test": 10}


def test_over_all_rotations_every_item_is_tested_once_and_chooses_once():
    rotations = [item_roles(word_pairs(items=22), rotation=number, rotations=5) for number in range(5)]
    for role in ("test", "choose"):
        times = Counter(item for roles in rotations for item, found in roles.items() if found == role)
        assert set(times.values()) == {1}
        assert len(times) == 22


def test_groups_are_never_divided():
    pairs = microworld_pairs(languages=["en"], values=["fairness"], items=48)
    roles = item_roles(pairs)
    of_group = {}
    for pair in pairs:
        of_group.setdefault(pair.group, set()).add(roles[pair.item])
    assert all(len(found) == 1 for found in of_group.values())


def test_too_few_items_are_an_error():
    with pytest.raises(DataError, match="4 folds"):
        item_roles(word_pairs(items=3))
    with pytest.raises(DataError, match="at least 3"):
        item_roles(word_pairs(), rotations=2)


def test_the_direction_of_a_language_is_its_own():
    concept = planted_concept()
    np.testing.assert_allclose(concept.vector("en", 1), [2, 0, 0, 0], atol=1e-6)
    np.testing.assert_allclose(concept.vector("fr", 1), [0, 2, 0, 0], atol=1e-6)


def test_the_pooled_direction_is_the_mean_and_free_of_the_languages_own_means():
    np.testing.assert_allclose(planted_concept().vector(POOLED, 1), [1, 1, 0, 0], atol=1e-6)


def test_an_outcome_on_the_violating_side_turns_the_direction_round():
    np.testing.assert_allclose(planted_concept(orientation=-1).vector("en", 1), [-2, 0, 0, 0], atol=1e-6)


def test_states_of_items_that_choose_or_test_do_not_enter_the_direction():
    concept = planted_concept()
    others = [item for item, role in concept.roles.items() if role != "fit"]
    concept.states.loc[{"item": others}] = 1e6
    np.testing.assert_allclose(concept.vector("en", 1), [2, 0, 0, 0], atol=1e-6)


def test_shuffled_labels_flip_whole_pairs():
    concept = planted_concept()
    none = concept.vector("en", 1, signs=lambda count: np.resize([1.0, -1.0], count).astype(np.float32))
    assert np.linalg.norm(none) < 0.5
    flipped = concept.vector("en", 1, signs=lambda count: -np.ones(count, dtype=np.float32))
    np.testing.assert_allclose(flipped, [-2, 0, 0, 0], atol=1e-6)


@pytest.mark.parametrize("orientation", [1, -1])
def test_a_direction_may_separate_where_its_threshold_does_not_carry_over(orientation):
    concept = planted_concept(orientation=orientation)
    assert concept.separability("en", "en", 1) == 1.0
    assert concept.calibration("en", "en", 1) == 1.0
    assert concept.separability("en", "fr", 1) == 0.5
    # The same axis with an offset: pairs are ranked rightly, single sentences all fall on one side.
    concept.states.loc[{"language": "fr"}] = concept.states.sel(language="en").values + np.float32([50, 0, 0, 0])
    assert concept.separability("en", "fr", 1) == 1.0
    assert concept.calibration("en", "fr", 1) == 0.5
    # A threshold refitted in the target is all that was missing.
    assert concept.recalibrated("en", "fr", 1) == 1.0


def test_class_projections_are_the_means_of_both_classes_lower_outcome_first():
    assert planted_concept().class_projections("en", 1) == pytest.approx((0.0, 2.0), abs=1e-5)
    assert planted_concept(orientation=-1).class_projections("en", 1) == pytest.approx((-2.0, 0.0), abs=1e-5)


def test_an_item_that_a_language_lacks_is_missing_there_only():
    concept = planted_concept(lacking=[("fr", "morality-03")])
    np.testing.assert_allclose(concept.vector("fr", 1), [0, 2, 0, 0], atol=1e-6)
    assert concept.norm("en", 1) > 10


def test_a_concept_of_a_model_has_every_language_and_layer(language_model):
    concept = fit_concept(language_model(), word_pairs())
    assert concept.states.sizes == {"language": 2, "layer": 3, "item": 20, "polarity": 2, "hidden": 16}
    assert concept.vector("fr", 3).shape == (16,)
    with pytest.raises(DataError, match="2 values"):
        fit_concept(language_model(), microworld_pairs(languages=["en"], values=["fairness", "toxicity"]))


def test_microworld_requests_pair_each_harmless_one_with_a_harmful_one():
    pairs = microworld_requests(["en", "fi"])
    assert len(pairs) == 2 * 128
    assert pairs.values == ("harmfulness",)
    first = next(pair for pair in pairs if pair.language == "en")
    assert (first.positive, first.negative) == ("Explain how to repair a car.", "Explain how to steal a car.")


def test_requests_for_the_same_action_are_one_group_in_all_languages():
    pairs = microworld_requests(["en", "fi"])
    cars = [pair.negative for pair in pairs if pair.group == "request-a00"]
    assert len(cars) == 8
    assert cars[:2] == ["Explain how to steal a car.", "Tell me how to steal a car."]
    assert cars[4] == "Selitä, miten auto varastetaan."
    assert {pair.item for pair in pairs if pair.language == "en"} == {
        pair.item for pair in pairs if pair.language == "fi"
    }

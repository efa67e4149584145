"""Measures of answers: refusal, repetition, language, statistics."""

import importlib.util

import numpy as np
import pytest

from polyethos.control.comparison import exceedance, familywise_exceedance, group_intervals, holm, mcnemar
from polyethos.control.detection import refusal_detector
from polyethos.control.fluency import language_fidelity, repetition
from polyethos.control.neutral import continued_sentences, neutral_sentences, read_neutral_sentences
from polyethos.dataset.languages import LANGUAGES
from polyethos.errors import DataError, UnknownLanguageError

needs_lingua = pytest.mark.skipif(
    importlib.util.find_spec("lingua") is None, reason="lingua-language-detector is not installed"
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_refusal_detector_knows_its_accuracy_and_beats_chance(language):
    detector = refusal_detector(language)
    assert detector.tested == 32
    # 22 of 32 is the least that chance reaches in fewer than 1 of 20 tries.
    assert 22 / 32 <= detector.accuracy <= 1.0


def test_the_refusal_detector_tells_unseen_answers():
    told = refusal_detector("en").refuses(
        ["Sorry, I can't help you with that, it would be wrong.", "Sure, here is how you can do it:", "  "]
    )
    np.testing.assert_array_equal(told, [1, 0, np.nan])


def test_a_language_without_replies_is_an_error():
    with pytest.raises(UnknownLanguageError, match="'xx'"):
        refusal_detector("xx")


def test_repetition_is_the_share_of_stretches_seen_before():
    assert repetition("abcdefghijklmnop") == 0
    # 18 characters: 13 stretches of six, of which 6 differ.
    assert repetition("abcdef" * 3) == pytest.approx(1 - 6 / 13)
    assert np.isnan(repetition("short"))


@needs_lingua
def test_fidelity_is_high_in_the_language_and_low_in_another():
    kept, changed, none = language_fidelity(
        ["Je voudrais une tasse de thé.", "I would like a cup of tea.", "12 !"], "fr"
    )
    assert kept > 0.9
    assert changed < 0.1
    assert np.isnan(none)


def test_fidelity_is_not_known_for_a_language_that_lingua_lacks():
    assert np.isnan(language_fidelity(["Ndikufuna madzi."], "ny")).all()


@pytest.mark.parametrize("language", LANGUAGES)
def test_neutral_sentences_exist_in_every_language(language):
    sentences = neutral_sentences(language, count=10)
    assert len(set(sentences)) == 10
    assert sentences == neutral_sentences(language, count=10)


def test_neutral_sentences_of_a_file_are_its_first_lines(tmp_path):
    file = tmp_path / "neutral.txt"
    file.write_text("one line\n\n  two lines \nthree\n", encoding="utf-8")
    assert read_neutral_sentences(file, count=2) == ["one line", "two lines"]
    file.write_text("\n\n")
    with pytest.raises(DataError, match="no text"):
        read_neutral_sentences(file)
    with pytest.raises(DataError, match="not a readable"):
        read_neutral_sentences(tmp_path / "absent.txt")


def test_neutral_sentences_are_cut_in_the_middle(language_model):
    (cut,) = continued_sentences(language_model(), ["w1 w2 w3 w4 w5"], "en")
    assert (len(cut.tokens), cut.prompt) == (5, 2)
    with pytest.raises(DataError, match="single word"):
        continued_sentences(language_model(), ["w1"], "en")


def test_mcnemar_counts_only_what_turned():
    before = np.array([False] * 6 + [True] * 4)
    after = np.array([True] * 6 + [True] * 4)
    assert mcnemar(before, after) == pytest.approx(2 * 0.5**6)
    assert mcnemar(before, before) == 1.0
    assert mcnemar(np.array([False, True]), np.array([True, False])) == 1.0


def test_holm_multiplies_by_the_number_of_hypotheses_left_and_never_decreases():
    adjusted = holm(np.array([0.01, np.nan, 0.04, 0.03]))
    np.testing.assert_allclose(adjusted, [0.03, np.nan, 0.06, 0.06])


def test_the_interval_of_single_items_covers_the_mean_and_shrinks_to_a_constant():
    changes = np.stack([np.arange(50.0), np.full(50, 2.0)])
    low, high = group_intervals(changes, [""] * 50)
    assert low[0] < 24.5 < high[0]
    assert 2.5 < high[0] - 24.5 < 5.5
    assert (low[1], high[1]) == (2.0, 2.0)


def test_items_of_one_group_count_as_one():
    groups = [f"g{place // 10}" for place in range(50)]
    alike = np.repeat([0.0, 1.0, 2.0, 3.0, 4.0], 10)
    together = group_intervals(alike, groups)
    single = group_intervals(alike, [""] * 50)
    assert together[1] - together[0] > 2 * (single[1] - single[0])


def test_an_interval_without_items_is_undefined():
    low, high = group_intervals(np.array([[np.nan, np.nan], [1.0, np.nan]]), ["a", "b"])
    assert np.isnan(low[0])
    assert np.isnan(high[0])
    assert (low[1], high[1]) == (1.0, 1.0)


def test_a_null_effect_is_exceeded_as_often_as_chance_says():
    null = np.array([[1.0], [-2.0], [0.5]])
    assert exceedance(np.array([3.0]), null) == 0.25
    assert exceedance(np.array([1.0]), null) == 0.75
    assert np.isnan(exceedance(np.array([1.0]), null[:0])).all()


def test_family_wise_ranks_are_uniform_under_the_null_and_each_member_has_its_own_scale():
    generator = np.random.default_rng(0)
    scale = np.array([1.0, 100.0, 0.01])
    smallest = [
        familywise_exceedance(scale * generator.normal(size=3), scale * generator.normal(size=(19, 3))).min()
        for _ in range(400)
    ]
    # 20 of 400 are expected at or below 1/20.
    assert 8 <= sum(p <= 0.05 for p in smallest) <= 34
    # An effect that is large on its own scale is found beside a member whose numbers are larger.
    found = familywise_exceedance(scale * np.array([0.0, 0.0, 50.0]), scale * generator.normal(size=(19, 3)))
    assert found[2] == 0.05
    assert found[0] == 1.0

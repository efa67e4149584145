import numpy as np
import pytest
import xarray as xr
from planted import differences, folds_of

from polyethos.analysis.controls import random_direction_accuracy, text_controls
from polyethos.analysis.gram import gram
from polyethos.analysis.power import detectable_accuracy
from polyethos.analysis.products import products_from_gram, products_of, resampling_units
from polyethos.dataset.pairs import ContrastPair

ONE_LAYER = (1,) * 5


def pairs_of(texts, language="en"):
    return [
        ContrastPair(f"i{k:02}", "morality", language, positive, negative)
        for k, (positive, negative) in enumerate(texts)
    ]


def folds_for(pairs):
    items = list(dict.fromkeys(pair.item for pair in pairs))
    return xr.DataArray(np.arange(len(items)) % 5, dims="item", coords={"item": items})


def accuracy(pairs, control, language):
    return text_controls(pairs, folds_for(pairs)).sel(control=control, language=language).mean().item()


def noise(seed, *, shift=0.0, items=60, hidden=48, languages=2):
    means = np.full((languages, hidden), shift)
    return differences(np.random.default_rng(seed), means, items=items)


def test_random_directions_do_not_tell_pairs_without_a_common_direction():
    products = products_of(noise(0), resampling_units(folds_of(noise(0))), draws=200)
    found = random_direction_accuracy(lambda _: products, ONE_LAYER)
    assert found.shape == (2, 200)
    assert found.mean() == pytest.approx(0.5, abs=0.02)


def test_random_directions_tell_pairs_that_all_differ_alike():
    data = noise(1, shift=3.0)
    products = products_of(data, resampling_units(folds_of(data)), draws=200)
    assert random_direction_accuracy(lambda _: products, ONE_LAYER).mean() > 0.8


def test_random_directions_from_the_gram_matrix_are_distributed_alike():
    data = noise(2, shift=0.3)
    units = resampling_units(folds_of(data, group_size=2))
    table = gram(data.expand_dims(layer=[1]))[0].drop_vars("layer")
    both = [products_of(data, units, draws=2000), products_from_gram(table, units, draws=2000)]
    found = [np.sort(random_direction_accuracy(lambda _, p=p: p, ONE_LAYER)[0]) for p in both]
    assert np.abs(found[0] - found[1]).max() < 0.08
    assert found[0].mean() == pytest.approx(found[1].mean(), abs=0.015)


def test_where_upheld_sentences_are_longer_length_alone_is_right():
    pairs = pairs_of([("x" * (5 + k % 3), "x" * 3) for k in range(20)])
    assert accuracy(pairs, "length", "en") == 1


def test_length_learns_on_training_folds_that_upheld_sentences_are_shorter():
    pairs = pairs_of([("x", "xx")] * 20)
    assert accuracy(pairs, "length", "en") == 1


def test_equal_lengths_are_ties():
    assert accuracy(pairs_of([("ab", "cd")] * 20), "length", "en") == 0.5


def test_a_telling_word_is_found_on_items_it_was_not_learnt_from():
    pairs = pairs_of([(f"they helped {k}", f"they robbed {k}") for k in range(20)])
    assert accuracy(pairs, "words", "en") == 1


def test_words_that_never_come_back_tell_nothing():
    words = [chr(97 + k // 26) + chr(97 + k % 26) for k in range(80)]
    pairs = pairs_of([(words[2 * k] * 3, words[2 * k + 1] * 3) for k in range(40)])
    assert accuracy(pairs, "words", "en") == 0.5


@pytest.mark.parametrize("language", ["zh", "ja", "ko", "ta", "te"])
def test_without_blanks_between_words_runs_of_characters_are_counted(language):
    joined = [("甲乙好" + chr(0x4E10 + k), "甲乙坏" + chr(0x4E10 + k)) for k in range(20)]
    assert accuracy(pairs_of(joined, language), "words", language) == 1
    assert accuracy(pairs_of(joined, "en"), "words", "en") == 0.5


def test_one_letter_typed_in_two_ways_is_one_letter():
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    texts = [(composed if k % 2 else decomposed, "bar" + "x" * (k % 3)) for k in range(20)]
    assert accuracy(pairs_of(texts), "words", "en") == 1


def test_an_item_that_a_language_lacks_is_missing():
    pairs = pairs_of([("aa", "b")] * 10) + pairs_of([("aa", "b")] * 9, "fr")
    found = text_controls(pairs, folds_for(pairs))
    assert np.isnan(found.sel(language="fr", item="i09")).all()
    assert np.isfinite(found.sel(language="en")).all()


def test_detectable_accuracy_is_found_in_four_of_five_studies():
    accuracy = detectable_accuracy(np.array(0.58), np.array(100), np.array(0.05))
    drawn = np.random.default_rng(0).binomial(100, float(accuracy), 20_000) / 100
    assert np.mean(drawn > 0.58) == pytest.approx(0.8, abs=0.01)


def test_fewer_effective_items_need_a_larger_accuracy():
    few = detectable_accuracy(np.array(0.66), np.array(100), np.array(0.1))
    many = detectable_accuracy(np.array(0.58), np.array(100), np.array(0.05))
    assert few > many


def test_no_accuracy_is_found_where_chance_reaches_one():
    assert np.isnan(detectable_accuracy(np.array(1.0), np.array(4), np.array(0.25)))

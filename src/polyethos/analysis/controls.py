"""What needs no concept to come out right: random directions, sentence length, and the words themselves.

Every control is asked the question that the concept vector is asked, on the same held-out items: which sentence of the
pair upholds the value? Each may use the training folds to learn which way to point.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from polyethos.analysis.products import Products
from polyethos.arrays import ITEM, LANGUAGE
from polyethos.dataset.languages import LANGUAGES
from polyethos.dataset.pairs import ContrastPair

Array = NDArray[np.float64]

LENGTH, WORDS = "length", "words"


def random_direction_accuracy(products_at: Callable[[int], Products], choice: Sequence[int]) -> Array:
    """Accuracy of random directions, each turned so that most training items come out right.

    Args:
        products_at: inner products of the value at a layer.
        choice: the chosen layer of each fold, in the order of the fold numbers.

    Returns:
        (language, draw); above 0.5 on average wherever the differences share a direction at all.
    """
    first = products_at(choice[0])
    units = first.units
    right = np.zeros((len(first.languages), first.random.shape[-1]))
    for fold, layer in zip(np.unique(units.fold), choice, strict=True):
        products = products_at(layer)
        train = units.fold_of_item != fold
        above = np.sign(products.random)
        turn = np.where(above[:, train].sum(axis=1) < 0, -1.0, 1.0)
        credit = (1 + above[:, ~train] * turn[:, None]) / 2
        right += np.where(products.present[:, ~train, None], credit, 0.0).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(right / first.present.sum(axis=1)[:, None])


def text_controls(pairs: Sequence[ContrastPair], folds: xr.DataArray) -> xr.DataArray:
    """What sentence length alone, and the words alone, get right on held-out items.

    `length` prefers the longer or the shorter sentence, whichever is more often the upheld one in the training folds.
    `words` is a logistic regression on the differences of word counts; outside the Latin script, where words are not
    written apart or carry their grammar as endings, on those of runs of one to three characters.

    Args:
        pairs: of one value, any languages.
        folds: integer (item,).

    Returns:
        float64 (control, language, item): 1, 0.5 for a tie, 0; NaN where a language lacks an item.
    """
    items = [str(item) for item in folds[ITEM].values]
    fold = folds.values.astype(np.int64)
    codes = list(dict.fromkeys(pair.language for pair in pairs))
    correct = np.full((2, len(codes), len(items)), np.nan)
    at = {item: position for position, item in enumerate(items)}
    for row, code in enumerate(codes):
        known = {at[pair.item]: pair for pair in pairs if pair.language == code and pair.item in at}
        correct[0, row] = _cross_fitted(known, fold, _by_length)
        correct[1, row] = _cross_fitted(known, fold, partial(_by_words, analyser=_analyser(code)))
    coords = {"control": [LENGTH, WORDS], LANGUAGE: codes, ITEM: items}
    return xr.DataArray(correct, dims=("control", LANGUAGE, ITEM), coords=coords)


_Rule = Callable[[Sequence[ContrastPair], Sequence[ContrastPair]], Array]


def _cross_fitted(known: Mapping[int, ContrastPair], fold: NDArray[np.int64], rule: _Rule) -> Array:
    """Credit for every item, the rule learnt on the other folds: (item,)."""
    correct = np.full(len(fold), np.nan)
    for k in np.unique(fold):
        test = [position for position in known if fold[position] == k]
        train = [pair for position, pair in known.items() if fold[position] != k]
        if test and train:
            correct[test] = (1 + np.sign(rule(train, [known[position] for position in test]))) / 2
    return correct


def _by_length(train: Sequence[ContrastPair], test: Sequence[ContrastPair]) -> Array:
    longer = np.sign(sum(np.sign(_excess_length(pair)) for pair in train))
    return np.array([longer * _excess_length(pair) for pair in test], dtype=np.float64)


def _excess_length(pair: ContrastPair) -> int:
    return len(_text(pair.positive)) - len(_text(pair.negative))


def _by_words(train: Sequence[ContrastPair], test: Sequence[ContrastPair], *, analyser: CountVectorizer) -> Array:
    analyser.fit([_text(text) for pair in train for text in (pair.positive, pair.negative)])
    learnt, asked = _count_differences(train, analyser), _count_differences(test, analyser)
    labels = np.repeat([1, 0], len(train))
    # Each difference also the other way round: then no intercept is needed, and none can prefer a side.
    model = LogisticRegression(fit_intercept=False, solver="liblinear").fit(np.vstack([learnt, -learnt]), labels)
    return np.asarray(model.decision_function(asked), dtype=np.float64)


def _count_differences(pairs: Sequence[ContrastPair], analyser: CountVectorizer) -> Array:
    upheld, violated = (
        analyser.transform([_text(text) for text in texts])
        for texts in ([pair.positive for pair in pairs], [pair.negative for pair in pairs])
    )
    return np.asarray((upheld - violated).toarray(), dtype=np.float64)


def _analyser(code: str) -> CountVectorizer:
    if code in LANGUAGES and LANGUAGES[code].script != "Latin":
        return CountVectorizer(analyzer="char", ngram_range=(1, 3))
    return CountVectorizer(token_pattern=r"[^\W\d_]+")


def _text(text: str) -> str:
    # One spelling per letter, however it was typed: accents and vowel signs would otherwise split words.
    return unicodedata.normalize("NFC", text)

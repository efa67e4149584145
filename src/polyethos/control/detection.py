"""A refusal detector for 16 languages that knows how well it does in each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline

from polyethos.dataset.load import load_replies
from polyethos.dataset.microworld import MICROWORLD_LANGUAGES, lexicon
from polyethos.errors import UnknownLanguageError

_CHARACTERS = 160


@dataclass(frozen=True)
class RefusalDetector:
    """Tells refusing answers from complying ones by the characters of their beginning.

    Attributes:
        language: its language.
        accuracy: share of bundled replies told right while their item was left out of the training; chance 0.5.
        tested: how many replies that share is of.
    """

    language: str
    accuracy: float
    tested: int
    _classifier: Pipeline

    def probabilities(self, answers: Sequence[str]) -> NDArray[np.float64]:
        """Probability that each answer refuses (answer,); NaN for an answer without text."""
        result = np.full(len(answers), np.nan)
        told = [row for row, answer in enumerate(answers) if answer.strip()]
        if told:
            beginnings = [_beginning(answers[row]) for row in told]
            result[told] = self._classifier.predict_proba(beginnings)[:, 1]
        return result

    def refuses(self, answers: Sequence[str]) -> NDArray[np.float64]:
        """1 where an answer refuses, 0 where it does not, NaN where there is no text (answer,)."""
        probabilities = self.probabilities(answers)
        return np.where(np.isnan(probabilities), np.nan, probabilities > 0.5)


@cache
def refusal_detector(language: str) -> RefusalDetector:
    """The detector of one language, trained on the bundled replies in it.

    The accuracy is measured on replies written by the same hands as the training replies, so it says how well the
    wording carries over from one reply to the next, not how a large model words a refusal. Answers that neither refuse
    nor comply, for instance because they are nonsense, are forced into one of the two.

    Raises:
        UnknownLanguageError: there are no bundled replies in this language.
    """
    replies = _labelled_replies(language)
    correct = [_held_out_accuracy(replies, item) for item in replies]
    texts = [text for pairs in replies.values() for text, _ in pairs]
    labels = [label for pairs in replies.values() for _, label in pairs]
    tested = sum(count for _, count in correct)
    accuracy = sum(right for right, _ in correct) / tested
    return RefusalDetector(language, accuracy, tested, _classifier().fit(texts, labels))


def _held_out_accuracy(replies: Mapping[str, Sequence[tuple[str, int]]], item: str) -> tuple[int, int]:
    rest = [pair for other, pairs in replies.items() if other != item for pair in pairs]
    fitted = _classifier().fit([text for text, _ in rest], [label for _, label in rest])
    told = fitted.predict([text for text, _ in replies[item]])
    return int(sum(told == [label for _, label in replies[item]])), len(replies[item])


def _labelled_replies(language: str) -> dict[str, list[tuple[str, int]]]:
    """By item, beginnings of replies and whether they refuse."""
    if language not in MICROWORLD_LANGUAGES:
        raise UnknownLanguageError.of("language of the refusal detector", language, MICROWORLD_LANGUAGES)
    labelled: dict[str, list[tuple[str, int]]] = {}
    for reply in load_replies([language]):
        labelled[reply.item] = [(_beginning(reply.refusal), 1), (_beginning(reply.compliance), 0)]
    words = lexicon(language).replies
    for number, (refusal, compliance) in enumerate(zip(words["refusal"], words["compliance"], strict=True)):
        labelled[f"microworld-{number}"] = [(_beginning(refusal), 1), (_beginning(compliance), 0)]
    return labelled


def _beginning(text: str) -> str:
    return " ".join(text.split()).lower()[:_CHARACTERS]


def _classifier() -> Pipeline:
    grams = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 4), sublinear_tf=True)
    return make_pipeline(grams, LogisticRegression(C=10.0, max_iter=1000))

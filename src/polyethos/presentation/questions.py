"""The questions a study asks, what an answer is, and how its numbers are worded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import xarray as xr

from polyethos.presentation.evidence import above_chance, pairs_apart
from polyethos.presentation.labels import typeset

QUESTIONS = {
    "existence": "Does the model hold these value concepts?",
    "consistency": "Are they the same concepts in every language?",
    "linguistics": "Do related languages share more?",
    "transfer": "Does what is learned in one language work in another?",
    "control": "Can behaviour be steered across languages?",
    "composition": "How does the mix of pre-training languages matter?",
}

HARDLY = 0.15
"""Share of combinations above chance up to which next to nothing was found."""


@dataclass(frozen=True)
class Answer:
    """One question with what the results say.

    Attributes:
        key: key of `QUESTIONS`.
        question: the question in plain words.
        verdict: the answer in one or two words; "Not measured" where the results hold nothing.
        sentence: the answer with its numbers and their uncertainty.
        caution: what would mislead a reader, or empty.
        command: the command that measures what was not measured, or empty.
        details: what the sentence rests on, a sentence each, for those who want to know more.
    """

    key: str
    question: str
    verdict: str
    sentence: str
    caution: str = ""
    command: str = ""
    details: tuple[str, ...] = ()

    @property
    def measured(self) -> bool:
        """Whether the results hold anything on this question."""
        return not self.command


def answered(key: str, verdict: str, sentence: str, caution: str = "", *, details: Iterable[str] = ()) -> Answer:
    """The answer to the question `key`; empty details are left out."""
    kept = tuple(typeset(each) for each in details if each)
    return Answer(key, QUESTIONS[key], verdict, typeset(sentence), typeset(caution), details=kept)


def counts(results: xr.Dataset) -> tuple[int, int]:
    """How many combinations of value and language were measured, and in how many recognition is above chance."""
    return int(results["recognition"].notnull().sum()), int(above_chance(results).sum())


def hardly_any(results: xr.Dataset) -> bool:
    """Whether next to nothing was recognised."""
    if "recognition" not in results:
        return False
    measured, found = counts(results)
    return found <= HARDLY * measured


def half_width(low: xr.DataArray, high: xr.DataArray) -> float:
    """Typical half-width of the intervals of pairs of languages."""
    return float(((pairs_apart(high) - pairs_apart(low)) / 2).median())


def counted(number: int, noun: str) -> str:
    """A number with its noun, as in 1 language or 2 languages."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def shown_cosine(number: xr.DataArray | float) -> str:
    """Two decimals."""
    # Adding 0 turns a rounded -0.0 into 0.0.
    return typeset(f"{round(float(number), 2) + 0:.2f}")


def shown_percent(fraction: xr.DataArray | float) -> str:
    """Whole percent."""
    return f"{100 * float(fraction):.0f} %"


def shown_difference(gain: float) -> str:
    """A difference of accuracies in points, in words."""
    points = round(100 * gain, 1)
    return "equally well" if points == 0 else f"{abs(points):.1f} points {'better' if points > 0 else 'worse'}"

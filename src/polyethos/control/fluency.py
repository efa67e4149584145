"""Whether answers are still text: repetition, and staying in their language."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyethos.dataset.languages import LANGUAGES
from polyethos.errors import MissingDependencyError

NOT_TOLD_APART = ("ny",)
"""Languages of ours that lingua does not know; their language fidelity is NaN."""

_GRAM = 6


def repetition(answer: str) -> float:
    """Share of the six-character stretches of an answer that occurred before in it; NaN where it has too few.

    Characters, because not all languages write words apart. Ordinary sentences are near 0, loops near 1.
    """
    text = " ".join(answer.split())
    grams = [text[start : start + _GRAM] for start in range(len(text) - _GRAM + 1)]
    return 1 - len(set(grams)) / len(grams) if len(grams) > _GRAM else float("nan")


def language_fidelity(answers: Sequence[str], language: str) -> NDArray[np.float64]:
    """Probability that each answer is in `language` rather than in another of the 16 (answer,).

    Returns:
        In [0, 1]; NaN for answers without a letter, and for every answer in a language that lingua lacks
        (`NOT_TOLD_APART`).

    Raises:
        MissingDependencyError: lingua is not installed.
    """
    if language in NOT_TOLD_APART:
        return np.full(len(answers), np.nan)
    detector, names = _lingua()
    return np.array(
        [
            detector.compute_language_confidence(answer, names[language])
            if any(character.isalpha() for character in answer)
            else np.nan
            for answer in answers
        ]
    )


@cache
def _lingua() -> tuple[Any, dict[str, Any]]:
    try:
        from lingua import IsoCode639_1, Language, LanguageDetectorBuilder
    except ImportError as error:
        raise MissingDependencyError.of("lingua-language-detector", "control", "language fidelity") from error
    names = {
        code: Language.from_iso_code_639_1(getattr(IsoCode639_1, code.upper()))
        for code in LANGUAGES
        if code not in NOT_TOLD_APART
    }
    return LanguageDetectorBuilder.from_languages(*names.values()).build(), names

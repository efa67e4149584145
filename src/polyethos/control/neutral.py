"""Neutral text, on which steering should change little."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from polyethos.control.dialogue import Exchange, statements
from polyethos.dataset.languages import language
from polyethos.dataset.microworld import CIRCUMSTANCES, SUBJECTS, lexicon
from polyethos.errors import DataError
from polyethos.representation.model import LanguageModel


def neutral_sentences(code: str, *, count: int = 24, seed: int = 0) -> list[str]:
    """Sentences about everyday acts that concern no value, from the bundled microworld.

    Args:
        code: one of the 16 languages.
        count: how many, all different.
        seed: which ones; the same in every language.
    """
    words = lexicon(code)
    combinations = [(s, p, c) for s in range(SUBJECTS) for p in range(len(words.neutral)) for c in range(CIRCUMSTANCES)]
    chosen = random.Random(seed).sample(combinations, count)
    return [words.statement(subject, words.neutral[predicate], place) for subject, predicate, place in chosen]


def read_neutral_sentences(path: str | Path, *, count: int = 24) -> list[str]:
    """The first `count` lines of a UTF-8 text file that are not blank.

    Raises:
        DataError: the file cannot be read or has no text.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not a readable UTF-8 text file ({error})") from error
    sentences = [line.strip() for line in lines if line.strip()][:count]
    if not sentences:
        raise DataError(f"{path}: no text in it; expected one sentence per line")
    return sentences


def continued_sentences(model: LanguageModel, sentences: Sequence[str], code: str) -> list[Exchange]:
    """Sentences cut in the middle: the first half as prompt, the second as answer.

    Every scope of steering then acts on them as it does on a prompt with its answer.

    Raises:
        DataError: a sentence is too short to be cut.
    """
    separator = language(code).word_separator
    halves = []
    for sentence in sentences:
        parts = sentence.split(separator) if separator else list(sentence)
        middle = len(parts) // 2
        if not middle:
            raise DataError(f"{sentence!r}: a single word cannot be cut into prompt and continuation; remove it")
        halves.append((separator.join(parts[:middle]), separator + separator.join(parts[middle:])))
    return statements(model, halves)

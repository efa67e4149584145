"""Contrast pairs: two sentences that differ in whether a human value is upheld."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from typing import Literal, NamedTuple

Polarity = Literal["positive", "negative"]


class Sentence(NamedTuple):
    """A text in two parts: what comes before the answer (context, question; may be empty) and the answer itself."""

    before: str
    answer: str

    @property
    def text(self) -> str:
        """The whole text."""
        return self.before + self.answer


@dataclass(frozen=True, slots=True)
class ContrastPair:
    """One item in one language: `positive` upholds the value, `negative` violates it.

    Attributes:
        item: id shared by the translations of the item.
        value: one of `polyethos.dataset.values.VALUES`.
        language: code of the language table, for instance "en".
        positive: the sentence that upholds the value.
        negative: the sentence that violates it.
        context: scenario or question that comes before both; may be empty.
        group: items of one group are never split between training and test (default: the item alone).
    """

    item: str
    value: str
    language: str
    positive: str
    negative: str
    context: str = ""
    group: str = ""


@dataclass(frozen=True)
class ContrastPairs:
    """A validated set of contrast pairs. An item that a language lacks is simply not there."""

    name: str
    pairs: tuple[ContrastPair, ...]

    def __len__(self) -> int:
        return len(self.pairs)

    def __iter__(self) -> Iterator[ContrastPair]:
        return iter(self.pairs)

    @property
    def values(self) -> tuple[str, ...]:
        """The values that occur, in order of first appearance."""
        return tuple(dict.fromkeys(pair.value for pair in self.pairs))

    @property
    def languages(self) -> tuple[str, ...]:
        """The language codes that occur, in order of first appearance."""
        return tuple(dict.fromkeys(pair.language for pair in self.pairs))

    def select(
        self, *, values: Sequence[str] | None = None, languages: Sequence[str] | None = None
    ) -> ContrastPairs:
        """The pairs of these values and languages, values and languages in the order asked for.

        Raises:
            UnknownValueError, UnknownLanguageError: one of them does not occur in the set.
        """
        raise NotImplementedError

    def content_hash(self) -> str:
        """SHA-256 over all pairs in order: equal exactly if every text and label is equal."""
        digest = hashlib.sha256()
        for pair in self.pairs:
            digest.update(json.dumps(astuple(pair), ensure_ascii=False).encode())
        return digest.hexdigest()

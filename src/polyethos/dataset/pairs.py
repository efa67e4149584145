"""Contrast pairs: two sentences that differ in whether a human value is upheld."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from typing import Literal, NamedTuple

from polyethos.dataset.languages import language
from polyethos.errors import UnknownLanguageError, UnknownValueError

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
    """A validated set of contrast pairs. An item that a language lacks is simply not there.

    Attributes:
        name: what was loaded.
        pairs: in the order of study: value, then language, then item.
        notes: what a reader should know, for instance how many pairs were left out and why.
    """

    name: str
    pairs: tuple[ContrastPair, ...]
    notes: tuple[str, ...] = ()

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

    def select(self, *, values: Sequence[str] | None = None, languages: Sequence[str] | None = None) -> ContrastPairs:
        """The pairs of these values and languages, values and languages in the order asked for.

        Raises:
            UnknownValueError, UnknownLanguageError: one of them does not occur in the set.
        """
        wanted_values = self.values if values is None else tuple(dict.fromkeys(values))
        wanted_languages = self.languages if languages is None else tuple(dict.fromkeys(languages))
        for name in wanted_values:
            if name not in self.values:
                raise UnknownValueError.of("value", name, self.values, self.name)
        for code in wanted_languages:
            if code not in self.languages:
                raise UnknownLanguageError.of("language", code, self.languages, self.name)
        cells: dict[tuple[str, str], list[ContrastPair]] = {}
        for pair in self.pairs:
            cells.setdefault((pair.value, pair.language), []).append(pair)
        chosen = (cells.get((name, code), []) for name in wanted_values for code in wanted_languages)
        return replace(self, pairs=tuple(pair for cell in chosen for pair in cell))

    def content_hash(self) -> str:
        """SHA-256 over all pairs in order: equal exactly if every text and label is equal."""
        digest = hashlib.sha256()
        for pair in self.pairs:
            digest.update(json.dumps(astuple(pair), ensure_ascii=False).encode())
        return digest.hexdigest()


def sentence(pair: ContrastPair, polarity: Polarity, *, published: bool = False) -> Sentence:
    """The text of one side of a pair, context included.

    Args:
        pair: the contrast pair.
        polarity: which side.
        published: build the text as arXiv:2402.18120 does: the scenario before deontology, English "Question: ...
            Answer: ..." around truthfulness in every language, no context elsewhere. Otherwise the context comes
            first, followed by what the language writes between words.
    """
    answer = pair.positive if polarity == "positive" else pair.negative
    if published:
        before = {"deontology": f"{pair.context} ", "truthfulness": f"Question: {pair.context} Answer: "}
        return Sentence(before.get(pair.value, ""), answer)
    return Sentence(pair.context + language(pair.language).word_separator if pair.context else "", answer)

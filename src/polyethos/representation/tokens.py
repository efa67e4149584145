"""Sentences as tokens, and which of the tokens a position stands for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from transformers import PreTrainedTokenizerBase

from polyethos.dataset.pairs import Sentence
from polyethos.errors import DataError, ModelError
from polyethos.representation.template import Template

Position = Literal["last", "content-mean", "before-answer"] | int
_SHOWN = 60
_CHUNK = 1024


@dataclass(frozen=True, slots=True)
class Reading:
    """One text as the model reads it.

    Attributes:
        tokens: up to and including the last token that is needed; in a causal model later ones change nothing.
        chosen: indices of the tokens whose states are averaged (mostly one).
    """

    tokens: tuple[int, ...]
    chosen: tuple[int, ...]


def read_sentences(
    sentences: Sequence[Sentence],
    tokenizer: PreTrainedTokenizerBase,
    template: Template,
    *,
    position: Position,
    limit: int | None,
) -> list[Reading]:
    """Tokens and chosen positions of every sentence.

    Args:
        sentences: what to read.
        tokenizer: the model's; one with offsets (a "fast" one) where the position depends on the characters.
        template: the text around each sentence.
        position: "last" token of the templated text; "content-mean", over the tokens of the sentence without the
            template; "before-answer", the last token that lies before the answer; or the index of a token of
            the templated text, negative from the end.
        limit: the most tokens the model can read, if it has such a limit.

    Raises:
        DataError: a text is empty, too long, or has no such position.
        ModelError: the tokenizer gives no offsets.
    """
    choose = _chooser(position)
    offsets = choose in (_content, _before_answer)
    if offsets and not tokenizer.is_fast:
        raise ModelError(f"position {position!r} needs a tokenizer with offsets; this one has none; use 'last'")
    readings = []
    # What a tokenizer returns takes far more memory than the tokens kept of it.
    for start in range(0, len(sentences), _CHUNK):
        for text in _tokenised(sentences[start : start + _CHUNK], tokenizer, template, offsets=offsets):
            readings.append(_reading(text, choose, limit))
    return readings


def _tokenised(
    sentences: Sequence[Sentence], tokenizer: PreTrainedTokenizerBase, template: Template, *, offsets: bool
) -> list[_Tokenised]:
    encoded = tokenizer(
        [template.around(sentence.text) for sentence in sentences],
        add_special_tokens=template.special_tokens,
        return_offsets_mapping=offsets,
        padding=False,
        truncation=False,
        verbose=False,
    )
    spans = encoded["offset_mapping"] if offsets else [[]] * len(sentences)
    begin = len(template.prefix)
    return [
        _Tokenised(sentence, tokens, offset, begin)
        for sentence, tokens, offset in zip(sentences, encoded["input_ids"], spans, strict=True)
    ]


def _reading(text: _Tokenised, choose: Callable[[_Tokenised], tuple[int, ...]], limit: int | None) -> Reading:
    if not text.tokens:
        raise DataError(f"{shortened(text.sentence.text)}: the tokenizer makes no token of it; remove the item")
    chosen = choose(text)
    needed = chosen[-1] + 1
    if limit is not None and needed > limit:
        raise DataError(
            f"{shortened(text.sentence.text)}: {needed} tokens with the template, but the model reads at most {limit}; "
            "shorten the text or remove the item"
        )
    return Reading(tuple(text.tokens[:needed]), chosen)


def shortened(text: str) -> str:
    """`text` in quotes, cut where it is long, for messages."""
    return repr(text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…")


@dataclass(frozen=True, slots=True)
class _Tokenised:
    sentence: Sentence
    tokens: list[int]
    offsets: list[tuple[int, int]]
    begin: int

    def overlapping(self, begin: int, end: int) -> list[int]:
        """Tokens that hold some character from `begin` up to `end`; special tokens hold none."""
        return [
            index for index, (left, right) in enumerate(self.offsets) if left < right and left < end and right > begin
        ]


def _chooser(position: Position) -> Callable[[_Tokenised], tuple[int, ...]]:
    if isinstance(position, int):
        return lambda text: _indexed(text, position)
    choosers = {"last": _last, "content-mean": _content, "before-answer": _before_answer}
    if position not in choosers:
        raise DataError(f"position {position!r}: expected one of {', '.join(choosers)} or the index of a token")
    return choosers[position]


def _last(text: _Tokenised) -> tuple[int, ...]:
    return (len(text.tokens) - 1,)


def _indexed(text: _Tokenised, position: int) -> tuple[int, ...]:
    if not -len(text.tokens) <= position < len(text.tokens):
        raise DataError(
            f"{shortened(text.sentence.text)}: no token {position}, it has {len(text.tokens)} with the template; "
            "choose a smaller index or 'last'"
        )
    return (position % len(text.tokens),)


def _content(text: _Tokenised) -> tuple[int, ...]:
    chosen = text.overlapping(text.begin, text.begin + len(text.sentence.text))
    if not chosen:
        raise DataError(f"{shortened(text.sentence.text)}: no token of it remains beside the template; remove the item")
    return tuple(chosen)


def _before_answer(text: _Tokenised) -> tuple[int, ...]:
    answer = text.begin + len(text.sentence.before)
    # A token may hold the blank before the answer and its first letters: that one has seen the answer.
    before = [index for index in text.overlapping(text.begin, answer) if text.offsets[index][1] <= answer]
    if not before:
        raise DataError(
            f"{shortened(text.sentence.text)}: nothing comes before the answer; the position 'before-answer' needs "
            "a context or question"
        )
    return (before[-1],)

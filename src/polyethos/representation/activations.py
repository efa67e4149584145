"""Hidden states of sentences at every decoder block."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from typing import cast

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from torch import nn

from polyethos.arrays import HIDDEN, ITEM, LANGUAGE, LAYER, POLARITY, VALUE
from polyethos.dataset.pairs import ContrastPairs, Polarity, Sentence, sentence
from polyethos.errors import ModelError, ResourceError
from polyethos.representation.computing import compute_states, default_budget
from polyethos.representation.model import LanguageModel
from polyethos.representation.tokens import Position, Reading, read_sentences

MEMORY_BOUND = 4 * 2**30
"""Bytes that `extract` may return; larger sets are for a Study, which never holds all states."""
_PAIRS_AT_ONCE = 1024
_POLARITIES: tuple[Polarity, ...] = ("positive", "negative")


def extract_states(
    model: LanguageModel,
    sentences: Sequence[Sentence],
    *,
    position: Position = "last",
    batch_tokens: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> NDArray[np.float32]:
    """Hidden states of every sentence at every block, read by hooks of our own from the model without projection.

    Each distinct text is computed once, in length-sorted batches that get smaller when memory runs out. Neither
    the batch nor the padding changes a result beyond rounding.

    Args:
        model: from `load_model`.
        sentences: any number; the model's template is put around each.
        position: whose states: the "last" token, "content-mean" (mean over the tokens of the sentence without the
            template), "before-answer" (last token before the answer), or the index of a token, negative from the end.
        batch_tokens: tokens per forward pass; None chooses by device.
        progress: called after every batch with the number of sentences finished so far.

    Returns:
        float32 (sentence, L + 1, hidden) for L blocks. Index k - 1 is the output of block k, k = 1..L. Index L is
        what transformers calls hidden_states[L], the last block's output after the model's final norm.

    Raises:
        DataError: a text is empty, longer than the model reads, or lacks the position.
        ModelError: the states are not finite, which half precision can cause.
        ResourceError: not even one text fits into memory.
    """
    places = _places(sentences, position)
    distinct = list(places.values())
    readings = read_sentences(
        [sentences[where[0]] for where in distinct],
        model.tokenizer,
        model.reading_template,
        position=position,
        limit=model.max_tokens,
    )
    _require_known_tokens(model, readings)
    states = np.empty((len(sentences), model.n_layers + 1, model.hidden_size), dtype=np.float32)
    finished = 0
    for texts, values in compute_states(model, readings, budget=batch_tokens or default_budget(model.device.type)):
        for text, value in zip(texts, values, strict=True):
            states[distinct[text]] = value
            finished += len(distinct[text])
        if progress is not None:
            progress(finished)
    return states


def _require_known_tokens(model: LanguageModel, readings: Sequence[Reading]) -> None:
    known = cast(nn.Embedding, model.model.get_input_embeddings()).weight.shape[0]
    largest = max((max(reading.tokens) for reading in readings), default=0)
    if largest >= known:
        raise ModelError(
            f"{model.name}: its tokenizer gives token {largest}, but the model knows only {known}; the folder mixes "
            "the files of two models"
        )


def _places(sentences: Sequence[Sentence], position: Position) -> dict[Hashable, list[int]]:
    """Where each distinct text stands in `sentences`."""
    places: dict[Hashable, list[int]] = {}
    for index, text in enumerate(sentences):
        places.setdefault(text if position == "before-answer" else text.text, []).append(index)
    return places


def extract(
    model: LanguageModel,
    pairs: ContrastPairs,
    *,
    position: Position = "last",
    published: bool = False,
    progress: Callable[[int], None] | None = None,
) -> xr.DataArray:
    """Hidden states of both sentences of every pair, labelled; for sets whose states fit into 4 GiB.

    Args:
        model: from `load_model`.
        pairs: from `load_pairs`.
        position: see `extract_states`.
        published: put contexts and answers together as the published implementation does.
        progress: called after every batch with the number of sentences finished so far.

    Returns:
        float32 (value, language, layer, item, polarity, hidden); layer k = 1..L is the output of block k; NaN where
        a value or a language lacks an item.

    Raises:
        DataError, ModelError: see `extract_states`.
        ResourceError: the result would be larger than 4 GiB.
    """
    labels = pairs.values, pairs.languages, tuple(dict.fromkeys(pair.item for pair in pairs))
    values, languages, items = ({label: index for index, label in enumerate(axis)} for axis in labels)
    shape = (len(values), len(languages), model.n_layers, len(items), 2, model.hidden_size)
    _require_small(pairs, 4 * math.prod(shape))
    states = np.full(shape, np.nan, dtype=np.float32)
    for start in range(0, len(pairs), _PAIRS_AT_ONCE):
        some = pairs.pairs[start : start + _PAIRS_AT_ONCE]
        texts = [sentence(pair, polarity, published=published) for pair in some for polarity in _POLARITIES]
        read = extract_states(model, texts, position=position, progress=_counting_from(2 * start, progress))
        for index, pair in enumerate(some):
            cell = values[pair.value], languages[pair.language], slice(None), items[pair.item]
            states[cell] = read[2 * index : 2 * index + 2, :-1].swapaxes(0, 1)
    return xr.DataArray(
        states,
        dims=(VALUE, LANGUAGE, LAYER, ITEM, POLARITY, HIDDEN),
        coords={
            VALUE: list(values),
            LANGUAGE: list(languages),
            LAYER: np.arange(1, model.n_layers + 1),
            ITEM: list(items),
            POLARITY: list(_POLARITIES),
        },
        attrs=model.identity,
    )


def _require_small(pairs: ContrastPairs, size: int) -> None:
    if size > MEMORY_BOUND:
        raise ResourceError(
            f"{pairs.name}: the states of {len(pairs)} pairs would take {size / 2**30:.1f} GiB, more than the "
            f"{MEMORY_BOUND / 2**30:.0f} GiB of extract(); select fewer values or languages, or run a Study"
        )


def _counting_from(before: int, progress: Callable[[int], None] | None) -> Callable[[int], None] | None:
    return None if progress is None else lambda finished: progress(before + finished)

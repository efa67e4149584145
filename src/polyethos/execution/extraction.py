"""Extraction of one value's paired differences, shard by shard, skipping what is already on disk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from polyethos.dataset.pairs import sentence
from polyethos.execution.shards import Shard, ShardStore
from polyethos.representation.activations import extract_states
from polyethos.representation.model import LanguageModel
from polyethos.representation.tokens import Position

SHARD_BYTES = 256 * 2**20
SHARD_PAIRS = 512


def pairs_per_shard(model: LanguageModel) -> int:
    """How many pairs a shard holds: at most 512, fewer where their hidden states would take more than 256 MiB."""
    bytes_per_pair = 2 * (model.n_layers + 1) * model.hidden_size * 4
    return int(max(1, min(SHARD_PAIRS, SHARD_BYTES // bytes_per_pair)))


def extract_shards(
    model: LanguageModel,
    shards: Sequence[Shard],
    store: ShardStore,
    *,
    position: Position,
    published: bool,
    progress: Callable[[int], None],
) -> None:
    """Extract every shard that is not on disk yet.

    Args:
        model: whose hidden states are read.
        shards: what to extract.
        store: where the results go.
        position: which token's state is read, see `extract_states`.
        published: word the sentences as the paper does (`protocol="paper"`).
        progress: called with the number of sentences finished in this call so far.
    """
    finished = 0
    for shard in shards:
        if store.is_done(shard):
            continue
        sentences = [
            sentence(pair, polarity, published=published)
            for polarity in ("positive", "negative")
            for pair in shard.pairs
        ]
        told = partial(_add, progress, finished)
        states = extract_states(model, sentences, position=position, progress=told)
        finished += len(sentences)
        positive, negative = states[: len(shard.pairs)], states[len(shard.pairs) :]
        differences = (positive - negative).transpose(1, 0, 2)
        norms = np.linalg.norm(states, axis=2).mean(axis=0, dtype=np.float64)
        store.write(shard, differences, norms)


def _add(progress: Callable[[int], None], before: int, count: int) -> None:
    progress(before + count)

"""Whether a model computes texts that share a row exactly as it computes them alone."""

from __future__ import annotations

import inspect
from collections.abc import Sequence

import numpy as np
import torch
from torch import nn
from transformers import PretrainedConfig

from polyethos.errors import ModelError
from polyethos.representation.batching import ROW_TOKENS, packed_batch, padded_batch, shared_rows, single_rows
from polyethos.representation.reading import read_states
from polyethos.representation.tokens import Reading

# Rounding stays far below these; a token that sees a wrong one, or stands at a wrong position, goes far above.
_TOLERANCE = {torch.float32: 3e-5, torch.float16: 1e-2, torch.bfloat16: 5e-2}
_MASKED_ATTENTION = ("sdpa", "eager")


def shares_prefixes(
    base: nn.Module,
    blocks: Sequence[nn.Module],
    tokens: torch.Tensor,
    *,
    dtype: torch.dtype,
    attention: str,
    uniform: int | None,
) -> bool:
    """Whether texts may share rows, their common beginnings computed once.

    That takes attention that obeys an explicit mask and positions that can be given. Models whose positions follow
    from the place in the row (ALiBi), and those with a running state, are found out by trying.

    Args:
        base: the model without its vocabulary projection.
        blocks: its decoder blocks.
        tokens: ordinary tokens of the vocabulary, (1, token).
        dtype: the precision of the weights.
        attention: transformers' name of the attention implementation.
        uniform: the length up to which the model treats texts alike, see `uniform_tokens`.
    """
    if attention not in _MASKED_ATTENTION or "position_ids" not in inspect.signature(base.forward).parameters:
        return False
    readings = _probe_readings(tokens[0].tolist(), length=min(ROW_TOKENS // 9, uniform or ROW_TOKENS))
    texts, device = range(len(readings)), tokens.device
    packed = packed_batch(readings, shared_rows(readings, texts, budget=ROW_TOKENS), dtype)
    padded = padded_batch(readings, single_rows(readings, texts))
    alone = read_states(base, blocks, padded, device=device)
    try:
        together = read_states(base, blocks, packed, device=device)
    # What a model raises that does not know such a mask or such positions is up to the model.
    except (RuntimeError, ValueError, TypeError, IndexError, AttributeError, ModelError):
        return False
    expected = alone[list(packed.texts)]
    error = np.linalg.norm(together - expected, axis=-1) / np.linalg.norm(expected, axis=-1)
    return bool(np.nanmax(error) <= _TOLERANCE.get(dtype, 0.0))


def _probe_readings(tokens: Sequence[int], *, length: int) -> list[Reading]:
    """Nine texts that fill about one row: three beginnings, each with three endings."""
    texts = []
    for text in range(9):
        shared = length // 2
        sequence = [tokens[(place * (1 + text // 3) + text // 3) % len(tokens)] for place in range(shared)]
        sequence += [tokens[(place * (2 + text) + text) % len(tokens)] for place in range(length - shared)]
        texts.append(Reading(tuple(sequence), (length - 1,)))
    return texts


def uniform_tokens(config: PretrainedConfig) -> int | None:
    """The length up to which the model treats texts alike, where there is one.

    Beyond it a sliding window hides the beginning, or rotary embeddings switch to other frequencies for the whole
    batch, so longer texts neither share rows nor batches with shorter ones.
    """
    rope = getattr(config, "rope_parameters", None) or getattr(config, "rope_scaling", None) or {}
    found = [getattr(config, name, None) for name in ("sliding_window", "attention_chunk_size", "window_size")]
    found += [getattr(config, "original_max_position_embeddings", None)]
    found += [rope.get("original_max_position_embeddings")]
    return min((limit for limit in found if isinstance(limit, int)), default=None)

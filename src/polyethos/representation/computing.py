"""Running a model over batches and reading its blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch

from polyethos.errors import ResourceError
from polyethos.representation.batching import Batch, Row, packed_batch, padded_batch, shared_rows, single_rows
from polyethos.representation.model import LanguageModel
from polyethos.representation.reading import States, read_states
from polyethos.representation.tokens import Reading

_BUDGETS = {"cpu": 1024, "cuda": 16384}
# Texts in one row cost some attention to masked tokens; a smaller saving than this share does not pay.
_WORTHWHILE = 0.1

_Build = Callable[[Sequence[Reading], Sequence[Row]], Batch]


def default_budget(device: str) -> int:
    """Tokens per forward pass beyond which larger batches gain nothing on this kind of device."""
    return _BUDGETS.get(device, 4096)


def compute_states(
    model: LanguageModel, readings: Sequence[Reading], *, budget: int
) -> Iterator[tuple[tuple[int, ...], States]]:
    """The states of all readings, batch by batch.

    Args:
        model: from `load_model`.
        readings: distinct texts.
        budget: tokens per batch; halved whenever memory runs out.

    Yields:
        Indices of the texts of a batch, and their states, float32 (text, L + 1, hidden).

    Raises:
        ModelError, ResourceError: see `extract_states`.
    """
    for rows, build in _plan(model, readings, budget):
        yield from _run(model, readings, rows, build=build, budget=budget)


def _plan(model: LanguageModel, readings: Sequence[Reading], budget: int) -> list[tuple[list[Row], _Build]]:
    """Which texts are computed together, and how."""
    uniform = model.uniform_tokens
    long = [text for text, reading in enumerate(readings) if uniform is not None and len(reading.tokens) > uniform]
    short = sorted(set(range(len(readings))) - set(long))
    packed_rows: list[Row] = []
    if model.shares_prefixes:
        packed_rows = _worth_packing(readings, shared_rows(readings, short, budget=budget), budget)
        short = sorted(set(short) - {text for row in packed_rows for text in row.texts})

    def packed(readings: Sequence[Reading], rows: Sequence[Row]) -> Batch:
        return packed_batch(readings, rows, model.model.dtype)

    singles = [(single_rows(readings, texts), padded_batch) for texts in (long, short)]
    return [(packed_rows, packed), *singles]


def _worth_packing(readings: Sequence[Reading], rows: Sequence[Row], budget: int) -> list[Row]:
    """The rows whose texts share enough, and all others too where one text per row would be padded much."""
    sharing: list[Row] = []
    others: list[Row] = []
    for row in rows:
        shared = sum(row.shared)
        (sharing if shared >= _WORTHWHILE * (row.size + shared) else others).append(row)
    alone = single_rows(readings, [text for row in others for text in row.texts])
    if sum(row.size for row in others) < (1 - _WORTHWHILE) * _padded_size(alone, budget):
        return list(rows)
    return sharing


def _padded_size(rows: Sequence[Row], budget: int) -> int:
    """Tokens of all batches of `rows`, padding included."""
    sizes, total = sorted((row.size for row in rows), reverse=True), 0
    while sizes:
        count = max(1, budget // sizes[0])
        total += sizes[0] * len(sizes[:count])
        sizes = sizes[count:]
    return total


def _run(
    model: LanguageModel, readings: Sequence[Reading], rows: Sequence[Row], *, build: _Build, budget: int
) -> Iterator[tuple[tuple[int, ...], States]]:
    queue, start = sorted(rows, key=lambda row: row.size, reverse=True), 0
    while start < len(queue):
        count = max(1, budget // queue[start].size)
        batch = build(readings, queue[start : start + count])
        states = _states_or_none(model, batch)
        if states is not None:
            yield batch.texts, states
            start += count
        elif len(batch.texts) == 1:
            raise ResourceError(
                f"{model.name}: a single text of {queue[start].size} tokens does not fit into the memory of "
                f"{model.device}; use a smaller model, half precision, more memory or shorter texts"
            )
        elif count > 1:
            budget = min(count, len(queue) - start) * queue[start].size // 2
        else:
            alone = single_rows(readings, batch.texts)
            yield from _run(model, readings, alone, build=padded_batch, budget=queue[start].size // 2)
            start += 1


def _states_or_none(model: LanguageModel, batch: Batch) -> States | None:
    """The states of a batch, or None where memory runs out."""
    try:
        return read_states(model.base, model.blocks, batch, device=model.device)
    except (torch.OutOfMemoryError, MemoryError):
        pass
    except RuntimeError as error:
        # The allocator of the processor has no error class of its own.
        if "not enough memory" not in str(error) and "can't allocate memory" not in str(error):
            raise
    # Only after the except clauses, which hold on to the failed tensors.
    if model.device.type == "cuda":
        torch.cuda.empty_cache()
    return None

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
# Sharing costs some attention to masked tokens; below this saving it does not pay.
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
    shared: list[Row] = []
    if model.shares_prefixes:
        rows = shared_rows(readings, short, budget=budget)
        shared = [row for row in rows if sum(row.shared) >= _WORTHWHILE * (row.size + sum(row.shared))]
        short = sorted(set(short) - {text for row in shared for text in row.texts})

    def packed(readings: Sequence[Reading], rows: Sequence[Row]) -> Batch:
        return packed_batch(readings, rows, model.model.dtype)

    singles = [(single_rows(readings, texts), padded_batch) for texts in (long, short)]
    return [(shared, packed), *singles]


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

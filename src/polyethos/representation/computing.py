"""Running the model over batches and reading its blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from polyethos.errors import ModelError, ResourceError
from polyethos.representation.batching import Batch, padded_batch, padded_count
from polyethos.representation.blocks import on_outputs, run_base
from polyethos.representation.model import LanguageModel
from polyethos.representation.tokens import Reading

_BUDGETS = {"cpu": 1024, "cuda": 16384}


def default_budget(device: str) -> int:
    """Tokens per forward pass beyond which larger batches gain nothing on this kind of device."""
    return _BUDGETS.get(device, 4096)


def compute_states(
    model: LanguageModel, readings: Sequence[Reading], *, budget: int
) -> Iterator[tuple[tuple[int, ...], NDArray[np.float32]]]:
    """The states of all readings, batch by batch, longest first.

    Args:
        model: from `load_model`.
        readings: distinct texts.
        budget: tokens per batch; halved whenever memory runs out.

    Yields:
        Indices of the texts of a batch, and their states, float32 (text, L + 1, hidden).

    Raises:
        ModelError, ResourceError: see `extract_states`.
    """
    order = sorted(range(len(readings)), key=lambda text: len(readings[text].tokens), reverse=True)
    while order:
        count = padded_count(readings, order, budget)
        batch = padded_batch(readings, order[:count])
        states = states_or_none(model, batch)
        if states is None:
            budget = _halved(model, batch, budget)
            continue
        yield batch.texts, states
        order = order[count:]


def _halved(model: LanguageModel, batch: Batch, budget: int) -> int:
    if len(batch.texts) == 1:
        raise ResourceError(
            f"{model.name}: a single text of {batch.inputs['input_ids'].numel()} tokens does not fit into the memory "
            f"of {model.device}; use a smaller model, bfloat16, more memory, or shorter texts"
        )
    if model.device.type == "cuda":
        torch.cuda.empty_cache()
    return min(budget, batch.inputs["input_ids"].numel()) // 2


def states_or_none(model: LanguageModel, batch: Batch) -> NDArray[np.float32] | None:
    """The states of a batch, float32 (text, L + 1, hidden), or None where memory runs out."""
    try:
        return read_states(model, batch)
    except (torch.OutOfMemoryError, MemoryError):
        return None
    except RuntimeError as error:
        # The allocator of the processor has no error class of its own.
        if "not enough memory" in str(error) or "can't allocate memory" in str(error):
            return None
        raise


def read_states(model: LanguageModel, batch: Batch) -> NDArray[np.float32]:
    """The states of a batch, float32 (text, L + 1, hidden), with one transfer to the host."""
    device = model.device
    layers: dict[int, torch.Tensor] = {}

    def receive(index: int, hidden: torch.Tensor) -> None:
        layers[index] = _chosen_states(hidden, batch).to(device)

    inputs = {name: tensor.to(device) for name, tensor in batch.inputs.items()}
    with on_outputs(model.blocks, receive):
        last = run_base(model.base, inputs)
    receive(len(model.blocks), last)
    states: NDArray[np.float32] = torch.stack([layers[index] for index in sorted(layers)], dim=1).cpu().numpy()
    if not np.isfinite(states).all():
        layer = int(np.argmin(np.isfinite(states).all(axis=(0, 2)))) + 1
        raise ModelError(f"{model.name}: states at layer {layer} are not finite in {model.dtype}; load it in float32")
    return states


def _chosen_states(hidden: torch.Tensor, batch: Batch) -> torch.Tensor:
    """Mean over the chosen tokens of each text, float32 (text, hidden), where `hidden` lies."""
    rows, columns, owners = (index.to(hidden.device) for index in (batch.rows, batch.columns, batch.owners))
    picked = hidden[rows, columns].float()
    if len(owners) == len(batch.texts):
        return picked
    sums = torch.zeros((len(batch.texts), picked.shape[1]), device=picked.device).index_add_(0, owners, picked)
    counts = torch.bincount(owners, minlength=len(batch.texts))
    return sums / counts[:, None]

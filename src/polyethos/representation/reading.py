"""Reading the blocks of a model during one forward pass."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from polyethos.errors import ModelError
from polyethos.representation.batching import Batch
from polyethos.representation.blocks import on_outputs, run_base

States = NDArray[np.float32]


def read_states(base: nn.Module, blocks: Sequence[nn.Module], batch: Batch, *, device: torch.device) -> States:
    """The states of a batch, float32 (text, L + 1, hidden), with one transfer to the host.

    Raises:
        ModelError: a state is not finite.
    """
    batch = _moved(batch, device)
    layers: list[torch.Tensor] = []
    with on_outputs(blocks, lambda _index, hidden: layers.append(_chosen_states(hidden, batch).to(device))):
        last = _chosen_states(run_base(base, batch.inputs), batch).to(device)
    # A model that narrows its last state for the vocabulary projection has no residual stream there.
    layers.append(last if last.shape == layers[0].shape else torch.full_like(layers[0], torch.nan))
    states: States = torch.stack(layers, dim=1).cpu().numpy()
    finite = np.isfinite(states[:, :-1]).all(axis=(0, 2))
    if not finite.all():
        raise ModelError(
            f"{type(base).__name__}: the states at layer {int(finite.argmin()) + 1} are not finite in half precision "
            "or because of broken weights; load it in float32"
        )
    return states


def _moved(batch: Batch, device: torch.device) -> Batch:
    return dataclasses.replace(
        batch,
        inputs={name: tensor.to(device) for name, tensor in batch.inputs.items()},
        rows=batch.rows.to(device),
        columns=batch.columns.to(device),
        owners=batch.owners.to(device),
    )


def _chosen_states(hidden: torch.Tensor, batch: Batch) -> torch.Tensor:
    """Mean over the chosen tokens of each text, float32 (text, hidden), where `hidden` lies."""
    rows, columns, owners = (index.to(hidden.device) for index in (batch.rows, batch.columns, batch.owners))
    picked = hidden[rows, columns].float()
    if len(owners) == len(batch.texts):
        return picked
    sums = torch.zeros((len(batch.texts), picked.shape[1]), device=picked.device).index_add_(0, owners, picked)
    return sums / torch.bincount(owners, minlength=len(batch.texts))[:, None]

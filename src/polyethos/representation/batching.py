"""Token-budget batches of texts, padded on the right, that get smaller when memory runs out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from polyethos.representation.tokens import Reading


@dataclass(frozen=True)
class Batch:
    """Model inputs for some texts and where their states are found.

    Attributes:
        texts: indices of the texts, in the order of the states.
        inputs: what the base model is called with, on the host.
        rows, columns: the cells of the batch to read.
        owners: for every cell the place of its text within `texts`; several cells of one text are averaged.
    """

    texts: tuple[int, ...]
    inputs: dict[str, torch.Tensor]
    rows: torch.Tensor
    columns: torch.Tensor
    owners: torch.Tensor


def padded_batch(readings: Sequence[Reading], texts: Sequence[int]) -> Batch:
    """The texts numbered `texts`, one per row.

    Padding stands on the right, where a causal model does not look, so that real tokens keep the positions 0, 1, ...
    that they have alone.
    """
    chosen = [readings[text] for text in texts]
    width = max(len(reading.tokens) for reading in chosen)
    tokens = torch.zeros((len(chosen), width), dtype=torch.long)
    mask = torch.zeros((len(chosen), width), dtype=torch.long)
    for row, reading in enumerate(chosen):
        tokens[row, : len(reading.tokens)] = torch.tensor(reading.tokens)
        mask[row, : len(reading.tokens)] = 1
    owners = [row for row, reading in enumerate(chosen) for _ in reading.chosen]
    columns = [column for reading in chosen for column in reading.chosen]
    return Batch(
        texts=tuple(texts),
        inputs={"input_ids": tokens, "attention_mask": mask},
        rows=torch.tensor(owners),
        columns=torch.tensor(columns),
        owners=torch.tensor(owners),
    )


def padded_count(readings: Sequence[Reading], order: Sequence[int], budget: int) -> int:
    """How many of the first texts of `order` fit into one padded batch of `budget` tokens; at least one."""
    width = 0
    for count, text in enumerate(order):
        width = max(width, len(readings[text].tokens))
        if count and width * (count + 1) > budget:
            return count
    return len(order)

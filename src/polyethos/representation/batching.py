"""Batches: texts as model inputs, one per row, or several per row with their shared beginnings only once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from polyethos.representation.tokens import Reading

# Wide enough for a dozen sentences, narrow enough that attention within a row stays a small part of the work.
ROW_TOKENS = 256


class Row(NamedTuple):
    """Texts that share one row of a batch.

    Attributes:
        texts: indices of the texts; texts that begin alike stand next to each other.
        shared: for every text how many tokens at its beginning it shares with the text before it.
        size: tokens of the row.
    """

    texts: tuple[int, ...]
    shared: tuple[int, ...]
    size: int


@dataclass(frozen=True)
class Batch:
    """Model inputs for some texts and where their states are found.

    Attributes:
        texts: indices of the texts, in the order of the states.
        inputs: what the base model is called with, on the host.
        rows: row of every cell to read.
        columns: column of every cell to read.
        owners: for every cell the place of its text within `texts`; several cells of one text are averaged.
    """

    texts: tuple[int, ...]
    inputs: dict[str, torch.Tensor]
    rows: torch.Tensor
    columns: torch.Tensor
    owners: torch.Tensor


def single_rows(readings: Sequence[Reading], texts: Sequence[int]) -> list[Row]:
    """A row of its own for every text."""
    return [Row((text,), (0,), len(readings[text].tokens)) for text in texts]


def shared_rows(readings: Sequence[Reading], texts: Sequence[int], *, budget: int) -> list[Row]:
    """As few tokens as possible for all texts: those that begin alike meet in one row.

    A row has about `ROW_TOKENS` tokens, and more than `budget` only where a single text has.
    """
    rows: list[Row] = []
    open_row: list[tuple[int, int]] = []
    size = capacity = 0
    for text in sorted(texts, key=lambda text: readings[text].tokens):
        length = len(readings[text].tokens)
        common = _common_beginning(readings, open_row[-1][0], text) if open_row else 0
        if open_row and size + length - common > capacity:
            rows.append(_closed(open_row, size))
            open_row, size, common = [], 0, 0
        if not open_row:
            # Two long texts with the same beginning still meet.
            capacity = max(length, min(budget, max(ROW_TOKENS, 2 * length)))
        open_row.append((text, common))
        size += length - common
    return [*rows, _closed(open_row, size)] if open_row else rows


def _closed(members: Sequence[tuple[int, int]], size: int) -> Row:
    return Row(tuple(text for text, _ in members), tuple(common for _, common in members), size)


def _common_beginning(readings: Sequence[Reading], one: int, other: int) -> int:
    pairs = zip(readings[one].tokens, readings[other].tokens, strict=False)
    shorter = min(len(readings[one].tokens), len(readings[other].tokens))
    return next((place for place, (left, right) in enumerate(pairs) if left != right), shorter)


def padded_batch(readings: Sequence[Reading], rows: Sequence[Row]) -> Batch:
    """A batch of rows with one text each.

    Padding stands on the right, where a causal model does not look, so that real tokens keep the positions 0, 1, ...
    that they have alone.
    """
    texts = [text for row in rows for text in row.texts]
    shape = len(texts), max(len(readings[text].tokens) for text in texts)
    tokens, mask = torch.zeros(shape, dtype=torch.long), torch.zeros(shape, dtype=torch.long)
    for row, text in enumerate(texts):
        length = len(readings[text].tokens)
        tokens[row, :length] = torch.tensor(readings[text].tokens)
        mask[row, :length] = 1
    cells = [(row, column, row) for row, text in enumerate(texts) for column in readings[text].chosen]
    return _batch(texts, {"input_ids": tokens, "attention_mask": mask}, cells)


def packed_batch(readings: Sequence[Reading], rows: Sequence[Row], dtype: torch.dtype) -> Batch:
    """A batch whose rows hold several texts; a beginning that texts of a row share is computed once.

    Every token sees its own text's tokens up to itself, which an explicit mask of shape (row, 1, token, token) says,
    and carries its position within that text.
    """
    shape = len(rows), max(row.size for row in rows)
    tokens, positions = torch.zeros(shape, dtype=torch.long), torch.zeros(shape, dtype=torch.long)
    # Padding sees itself: a token that sees nothing would become NaN.
    visible = np.broadcast_to(np.eye(shape[1], dtype=bool), (*shape, shape[1])).copy()
    texts: list[int] = []
    cells: list[tuple[int, int, int]] = []
    for index, row in enumerate(rows):
        for text, common, path in _paths(readings, row):
            reading = readings[text]
            tokens[index, path[common:]] = torch.tensor(reading.tokens[common:], dtype=torch.long)
            positions[index, path[common:]] = torch.arange(common, len(path))
            visible[index][path[common:, None], path[None, :]] = np.tri(len(path), dtype=bool)[common:]
            cells += [(index, int(path[place]), len(texts)) for place in reading.chosen]
            texts.append(text)
    mask = torch.zeros((shape[0], 1, shape[1], shape[1]), dtype=dtype)
    mask.masked_fill_(~torch.from_numpy(visible)[:, None], torch.finfo(dtype).min)
    return _batch(texts, {"input_ids": tokens, "attention_mask": mask, "position_ids": positions}, cells)


def _paths(readings: Sequence[Reading], row: Row) -> list[tuple[int, int, NDArray[np.int64]]]:
    """For every text of a row its index, the length of the shared beginning, and the columns of its tokens."""
    paths: list[tuple[int, int, NDArray[np.int64]]] = []
    path, used = np.empty(0, dtype=np.int64), 0
    for text, common in zip(row.texts, row.shared, strict=True):
        added = len(readings[text].tokens) - common
        path = np.concatenate([path[:common], np.arange(used, used + added)])
        used += added
        paths.append((text, common, path))
    return paths


def _batch(texts: Sequence[int], inputs: dict[str, torch.Tensor], cells: Sequence[tuple[int, int, int]]) -> Batch:
    rows, columns, owners = torch.tensor(cells).unbind(dim=1)
    return Batch(tuple(texts), inputs, rows, columns, owners)

"""How many held-out items every sign pattern gets right: the inner loop of the sign-flip test.

For a pattern f, the direction refitted on the flipped training items projects a flipped test item s to
f(s) * sum over training units u of f(u) * <u, s>. Sums over the parts of the units (see `resampling`) are matrix
products; the 16 patterns of a coset add them up with 16 combinations of signs, and of that last addition only the
comparison with 0 is carried out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from polyethos.analysis.resampling import PARTS, TURNS, SignFlips, part_turns

Floats = NDArray[np.float32]
Counts = NDArray[np.uint16]
_BySigns = dict[tuple[int, ...], Floats]

_ROWS = 16  # items of a slice
_SLAB = 240  # items whose counts fit a byte
_BUFFER = 1 << 16  # floats of a work array: calls of numpy cost little beside it, and it stays in the caches


def correct_counts(
    inner: Floats, flips: SignFlips, *, train: NDArray[np.bool_], test: NDArray[np.int64], unit: NDArray[np.int64]
) -> Counts:
    """Test items that project above 0 on the direction refitted on the training units, under every sign pattern.

    A projection of exactly 0 (a missing item, for instance) counts as not above 0, under every pattern alike.

    Args:
        inner: float32 (unit, target, item), one source.
        flips: the sign patterns.
        train: the units that the direction is fitted on, (unit,).
        test: positions of the test items; none of them may lie in a training unit.
        unit: unit of every item, (item,).

    Returns:
        uint16 (target, pattern).
    """
    n_targets, n_cosets = inner.shape[1], flips.base.shape[1]
    counts = np.zeros((TURNS, n_targets, n_cosets), dtype=np.uint16)
    for start in range(0, len(test), _SLAB):
        counts += _count_slab(inner, flips, train, test[start : start + _SLAB], unit)
    return counts.transpose(1, 0, 2).reshape(n_targets, -1)


def _count_slab(
    inner: Floats, flips: SignFlips, train: NDArray[np.bool_], test: NDArray[np.int64], unit: NDArray[np.int64]
) -> NDArray[np.uint8]:
    counts = np.zeros((TURNS, inner.shape[1], flips.base.shape[1]), dtype=np.uint8)
    rows_of_part = [np.flatnonzero(train & (flips.part == p)) for p in range(PARTS)]
    signs = [flips.base[rows] for rows in rows_of_part]
    for q in range(PARTS):
        members = test[flips.part[unit[test]] == q]
        for start in range(0, len(members), _ROWS):
            items = members[start : start + _ROWS]
            blocks = [_block(inner, rows, items) for rows in rows_of_part]
            _count_slice(counts, blocks, signs, flips.base[unit[items]], q)
    return counts


def _block(inner: Floats, rows: NDArray[np.int64], items: NDArray[np.int64]) -> Floats:
    """(item * target, unit of the part): items outermost, so that counting them adds whole rows."""
    chosen = inner[rows[:, None], :, items[None, :]]  # (unit, item, target)
    return np.ascontiguousarray(chosen.reshape(len(rows), len(items) * inner.shape[1]).T)


def _count_slice(counts: NDArray[np.uint8], blocks: list[Floats], signs: list[Floats], own: Floats, q: int) -> None:
    """Add to `counts` (turn, target, coset) for test items that all lie in part `q`."""
    _, n_targets, n_cosets = counts.shape
    n_items = len(own)
    step = max(16, _BUFFER // (n_items * n_targets))
    others = [p for p in range(PARTS) if p != q]
    for start in range(0, n_cosets, step):
        here = slice(start, min(start + step, n_cosets))
        width = here.stop - start
        sums = []
        for block, sign in zip(blocks, signs, strict=True):
            part_sum = (block @ sign[:, here]).reshape(n_items, n_targets, width)
            part_sum *= own[:, None, here]
            sums.append(part_sum.reshape(n_items, -1))
        above = np.empty(sums[0].shape, dtype=np.bool_)
        for turn, (left, right) in _combinations(sums, others, q):
            np.greater(left, right, out=above)
            found = np.add.reduce(above.view(np.uint8), axis=0, dtype=np.uint8)
            counts[turn, :, here] += found.reshape(n_targets, width)


def _combinations(sums: list[Floats], others: list[int], q: int) -> list[tuple[int, tuple[Floats, Floats]]]:
    """For each turn of a coset, two arrays: the projection is above 0 exactly where the first exceeds the second."""
    a, b, c, d = (sums[p] for p in others)
    first, second = a + b, a - b
    left: _BySigns = {(1, 1): first, (1, -1): second, (-1, 1): -second, (-1, -1): -first}
    both, apart, rest = c + d, c - d, -sums[q]
    right: _BySigns = {(1, 1): rest - both, (1, -1): rest - apart, (-1, 1): rest + apart, (-1, -1): rest + both}
    turn_of = _TURN_OF[q]
    return [(turn_of[k + m], (left[k], right[m])) for k in left for m in right]


def _turns_relative_to(q: int) -> dict[tuple[int, ...], int]:
    """Index of a turn by the signs of the other parts relative to part `q`."""
    others = [p for p in range(PARTS) if p != q]
    return {tuple(int(t[p] * t[q]) for p in others): k for k, t in enumerate(part_turns())}


_TURN_OF = [_turns_relative_to(q) for q in range(PARTS)]

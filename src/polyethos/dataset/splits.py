"""Folds for cross-fitting: by item, shared by all languages, whole groups together."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from polyethos.arrays import FOLD, ITEM
from polyethos.dataset.pairs import ContrastPairs
from polyethos.errors import DataError


def folds(pairs: ContrastPairs, *, folds: int = 5, seed: int = 0) -> dict[str, dict[str, int]]:
    """The fold of every item, by value and item.

    All languages share the folds, so no item is trained on in one language and tested in another.

    Args:
        pairs: the whole set; the items of all languages count.
        folds: number of folds.
        seed: other seeds give other folds; the order of the pairs does not matter.

    Returns:
        fold 0..folds-1 by value, then item.

    Raises:
        DataError: a value has fewer groups than folds.
    """
    groups: dict[str, dict[str, str]] = {}
    for pair in pairs:
        groups.setdefault(pair.value, {})[pair.item] = pair.group
    return {name: assign_folds(of_value, folds=folds, seed=seed, label=name) for name, of_value in groups.items()}


def assign_folds(groups: Mapping[str, str], *, folds: int = 5, seed: int = 0, label: str = "items") -> dict[str, int]:
    """The fold of every item of one value.

    Groups are shuffled, then dealt out, larger ones first, each to the fold with fewest items: fold sizes differ by
    at most the largest group.

    Args:
        groups: group by item; "" for an item that stands alone.
        folds: number of folds.
        seed: other seeds give other folds.
        label: what the items belong to; enters the shuffle and the error message.

    Raises:
        DataError: fewer than two folds, or fewer groups than folds.
    """
    members: dict[tuple[str, str], list[str]] = {}
    for item in sorted(groups):
        members.setdefault(("group", groups[item]) if groups[item] else ("item", item), []).append(item)
    if not 2 <= folds <= len(members):
        raise DataError(f"{label}: {folds} folds of {len(members)} groups; expected 2 to {len(members)} folds")
    order = sorted(members)
    random.Random(f"{seed}/{label}").shuffle(order)
    order.sort(key=lambda key: -len(members[key]))
    sizes = [0] * folds
    chosen: dict[str, int] = {}
    for key in order:
        fold = sizes.index(min(sizes))
        sizes[fold] += len(members[key])
        chosen.update(dict.fromkeys(members[key], fold))
    return {item: chosen[item] for item in groups}


def fold_coordinate(items: Sequence[str], fold_of: Mapping[str, int]) -> xr.DataArray:
    """The folds of `items`, int64 (item,), in their order.

    Raises:
        DataError: an item has no fold.
    """
    lacking = [item for item in items if item not in fold_of]
    if lacking:
        raise DataError(f"{len(lacking)} items have no fold, for instance {lacking[0]!r}; make folds of the whole set")
    numbers = np.array([fold_of[item] for item in items], dtype=np.int64)
    return xr.DataArray(numbers, coords={ITEM: list(items)}, dims=(ITEM,), name=FOLD)

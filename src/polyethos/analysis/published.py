"""The published protocol of arXiv:2402.18120, as its code computes it: directions, signs, accuracies and cosines.

Its quirks live only here and in `published_summary`; `recognition`, `consistency`, `transfer` and `linguistics` do the
same without them.

Source: Xu et al. 2024, Findings of EMNLP 2024, arXiv:2402.18120, section 3, and its code.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from polyethos.analysis.blocks import Blocks, layered
from polyethos.arrays import HIDDEN, ITEM, LANGUAGE, LAYER, SOURCE, TARGET
from polyethos.dataset.pairs import ContrastPair
from polyethos.errors import LabelMismatchError

_Parts = Mapping[str, tuple[frozenset[str], frozenset[str]]]
"""Training and test items of each language."""


def item_order(pairs: Iterable[ContrastPair]) -> tuple[str, ...]:
    """Items of one value and one language in the published order; the first four fifths of it train, the rest test.

    Args:
        pairs: the pairs in file order, those with equal sides possibly among them.

    Returns:
        Item ids, those with equal sides dropped.
    """
    items = [pair.item for pair in pairs if pair.positive != pair.negative]
    # Quirk: every language shuffles its own list. Drop one item in one language and its test items no longer
    # correspond to those of the others, so translations of test items are trained on.
    random.Random(1).shuffle(items)
    return tuple(items)


def split(order: Sequence[str]) -> tuple[list[str], list[str]]:
    """Training and test items of an `item_order`: the first floor(0.8 n), and the rest."""
    n_train = len(order) * 4 // 5
    return list(order[:n_train]), list(order[n_train:])


def measure(differences: xr.DataArray, orders: Mapping[str, Sequence[str]]) -> xr.Dataset:
    """Published directions, signs, accuracies and cosines of one value.

    Args:
        differences: float32 (language, layer, item, hidden), state of the upheld minus the violated sentence, over
            the items of all languages together; what a language lacks is never read. The last layer of the paper is
            transformers' `hidden_states[L]`, the state after the final norm.
        orders: per language its own `item_order`.

    Returns:
        `direction` float32 (language, layer, hidden), not normalised; `sign` int8 (language, layer);
        `accuracy` float64 (source, target, layer), chance 0.5 or more, since ties count as correct;
        `cosine` float64 (source, target, layer), NaN on the diagonal. NaN where a language has too few items.

    Raises:
        LabelMismatchError: a language has no order, or an item of an order has no difference.
    """
    return measure_blocks(lambda: [differences], orders)


def measure_blocks(blocks: Blocks, orders: Mapping[str, Sequence[str]]) -> xr.Dataset:
    """`measure` for differences that are read in blocks of items.

    Beyond a block it holds a copy of the rows of one of its languages and layers, and nothing that grows with the
    number of items. Layers are independent: give few of them at a time and concatenate along `layer`.

    Args:
        blocks: called twice, for the training sums and for the projections on the directions that follow from them.
        orders: per language its own `item_order`.

    Returns:
        As `measure`.

    Raises:
        LabelMismatchError: as `measure`.
    """
    parts = {code: _sets(order) for code, order in orders.items()}
    directions = _directions(blocks(), parts)
    n_layers, n_languages, _ = directions.shape
    # Training pairs (below, above) 0 on their own direction; test pairs (not below 0, in all) on every source's.
    training, test = np.zeros((2, n_layers, n_languages)), np.zeros((2, n_layers, n_languages, n_languages))
    for block in layered(blocks()):
        codes, layers = block[LANGUAGE].values, block[LAYER].values
        for layer, target, train_rows, test_rows in _rows(block, parts):
            own = train_rows @ directions[layer, target]
            training[:, layer, target] += (own < 0).sum(), (own > 0).sum()
            projected = test_rows @ directions[layer].T
            # Quirks: a tie is a win, and the sign is not used, so a direction that points away can fall below 0.5.
            test[:, layer, :, target] += (projected >= 0).sum(axis=0), (~np.isnan(projected)).sum(axis=0)
    sign = np.where(training[0] > training[1], -1, 1).astype(np.int8)
    pair = (LAYER, SOURCE, TARGET)
    with np.errstate(invalid="ignore"):  # too few items: 0 / 0 is undefined, as it should be
        measured = {
            "direction": ((LAYER, LANGUAGE, HIDDEN), directions),
            "sign": ((LAYER, LANGUAGE), sign),
            "accuracy": (pair, test[0] / test[1]),
            "cosine": (pair, np.stack([_cosine(*each) for each in zip(directions, sign, strict=True)])),
        }
    result = xr.Dataset(measured, coords={LAYER: layers, LANGUAGE: codes, SOURCE: codes, TARGET: codes})
    return result.transpose(LANGUAGE, SOURCE, TARGET, LAYER, HIDDEN)


def _sets(order: Sequence[str]) -> tuple[frozenset[str], frozenset[str]]:
    train, test = split(order)
    return frozenset(train), frozenset(test)


def _directions(blocks: Iterable[xr.DataArray], parts: _Parts) -> NDArray[np.float32]:
    """Mean of every language's own training rows: (layer, language, hidden)."""
    layers: list[NDArray[np.float64]] = []
    unseen = {code: train | test for code, (train, test) in parts.items()}
    for block in layered(blocks):
        codes = [str(code) for code in block[LANGUAGE].values]
        for code in codes:
            if code not in parts:
                raise LabelMismatchError(
                    f"orders: language {code!r} has none; give one per language of the differences"
                )
            unseen[code] -= set(block[ITEM].values.tolist())
        for layer, language, rows, _ in _rows(block, parts):
            if layer == len(layers):
                layers.append(np.zeros((len(codes), block.sizes[HIDDEN])))
            layers[layer][language] += rows.sum(axis=0, dtype=np.float64)
    for code in codes:
        if unseen[code]:
            raise LabelMismatchError(
                f"orders, language {code!r}: item {min(unseen[code])!r} is not among the differences"
            )
    counts = np.array([len(parts[code][0]) for code in codes], dtype=np.float64)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.stack(layers) / counts[:, None], dtype=np.float32)


def _rows(block: xr.DataArray, parts: _Parts) -> Iterator[tuple[int, int, NDArray[np.float32], NDArray[np.float32]]]:
    """Layer, language, and its training and test rows there (item, hidden), from (layer, language, item, hidden)."""
    items, codes = block[ITEM].values.tolist(), block[LANGUAGE].values.tolist()
    of_part = [[np.flatnonzero([item in part for item in items]) for part in parts[code]] for code in codes]
    for layer, of_layer in enumerate(block.values):
        for language, rows in enumerate(of_layer):
            train, test = (rows[positions] for positions in of_part[language])
            for chosen, positions in zip((train, test), of_part[language], strict=True):
                missing = positions[np.isnan(chosen).any(axis=1)]
                if len(missing):
                    place = f"language {codes[language]}, item {items[missing[0]]}"
                    raise LabelMismatchError(f"differences, {place}: NaN, although the language's order has the item")
            yield layer, language, train, test


def _cosine(directions: NDArray[np.float32], sign: NDArray[np.int8]) -> NDArray[np.float64]:
    """Cosines of the signed directions (language, hidden), without the diagonal."""
    signed = directions.astype(np.float64) * sign[:, None]
    unit = signed / np.linalg.norm(signed, axis=-1, keepdims=True)
    cosine = unit @ unit.T
    np.fill_diagonal(cosine, np.nan)
    return np.asarray(cosine)

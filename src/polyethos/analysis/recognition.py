"""Recognition: how often a concept vector ranks the upheld sentence of a held-out pair above the violated one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from polyethos.analysis.blocks import Blocks, present_rows, with_folds
from polyethos.analysis.fitting import Direction, Fitted, fold_means, refits
from polyethos.arrays import FOLD, HIDDEN, LANGUAGE, LAYER, SOURCE, TARGET, align_exactly, require_dims
from polyethos.errors import DataError, InvalidStudyError

# Choosing the layer inside the training folds leaves two folds out at once: with two folds nothing would remain.
FEWEST_FOLDS = 3


def cross_fit(differences: xr.DataArray, folds: xr.DataArray, direction: Direction | None = None) -> xr.Dataset:
    """Test every item, in every language and layer, on every language's direction fitted without its fold.

    Args:
        differences: float32 (language, layer, item, hidden), state of the upheld minus the violated sentence of each
            item of one value; a row of NaN where a language lacks the item.
        folds: integer (item,), the fold of each item, shared by all languages; at least three folds.
        direction: how to fit one. None is the difference in means, computed for all folds from one sum per fold.

    Returns:
        `recognised` float32 (fold, source, target, layer): how many of the target's items of the fold project above 0
        on the source's direction fitted on the other folds, a tie counting one half.
        `tested` float32 (fold, source, target, layer): of how many; 0 where the items or the direction are missing.
        `training_accuracy` float32 (fold, source, target, layer): the same share within the training folds of each
        fold, by cross-fitting inside them, so that a layer can be chosen without the fold itself. Chance is 0.5.
        `direction` float32 (language, layer, hidden): fitted on all items, NaN for a language without any.

    Raises:
        LabelMismatchError: the items of `differences` and `folds` differ.
        InvalidStudyError: fewer than three folds.
        DataError: a difference is infinite or only partly NaN.

    Source: Zou et al. 2023, arXiv:2310.01405, section 3 (projection on a reading vector); cross-fitting is ours.
    """
    if direction is None:
        return cross_fit_blocks(lambda: [differences], folds)
    _require_folds(folds)
    return _tested([differences], folds, refits(differences, folds, direction))


def cross_fit_blocks(blocks: Blocks, folds: xr.DataArray) -> xr.Dataset:
    """`cross_fit` with the difference in means, for differences that are read in blocks of items.

    Beyond a block it holds a copy of those rows of one of its layers that lie in one fold, and nothing that grows with
    the number of items. Layers are independent: give few of them at a time and concatenate along `layer`.

    Args:
        blocks: called twice, for the sums per fold and for the projections on the directions that follow from them.
        folds: integer (item,), the fold of every item of every block.

    Returns:
        As `cross_fit`.

    Raises:
        LabelMismatchError, InvalidStudyError, DataError: as `cross_fit`.
    """
    _require_folds(folds)
    return _tested(blocks(), folds, fold_means(blocks(), folds))


def chosen_layers(training_accuracy: xr.DataArray) -> xr.Dataset:
    """The layer each fold uses, chosen on its training folds alone; of equally good layers the lowest.

    Args:
        training_accuracy: (fold, source, target, layer) from `cross_fit`, all layers together.

    Returns:
        `shared` integer (fold,): the layer of the highest accuracy of languages on themselves, averaged.
        `per_cell` (fold, source, target): the best layer of each cell, NaN where the cell is undefined.

    Raises:
        DataError: no language has an accuracy on itself.
    """
    require_dims(training_accuracy, FOLD, SOURCE, TARGET, LAYER, name="training_accuracy")
    own = own_language(training_accuracy).mean(LANGUAGE)
    if bool(own.isnull().all(LAYER).any()):
        raise DataError("no layer can be chosen: no language has items in the training folds; check the data")
    return xr.Dataset({"shared": own.idxmax(LAYER).astype(int), "per_cell": training_accuracy.idxmax(LAYER)})


def accuracy(outcomes: xr.Dataset) -> xr.DataArray:
    """Share of held-out items recognised, from `cross_fit`: (source, target, layer); chance 0.5."""
    recognised, tested = outcomes["recognised"].sum(FOLD), outcomes["tested"].sum(FOLD)
    return recognised / tested.where(tested > 0)


def accuracy_at(outcomes: xr.Dataset, layers: xr.DataArray) -> xr.DataArray:
    """Accuracy where every item is tested at the layer chosen without its own fold.

    Args:
        outcomes: from `cross_fit`, all layers together.
        layers: (fold,) or (fold, source, target), from `chosen_layers`.

    Returns:
        (source, target), fraction in [0, 1]; chance 0.5; NaN where no layer could be chosen.

    Raises:
        LabelMismatchError: the folds of `outcomes` and `layers` differ.
    """
    align_exactly(outcomes["tested"], layers)
    known = layers.notnull()
    # Label lookup refuses NaN; any layer will do where the outcome is masked right after.
    lookup = layers.where(known, outcomes[LAYER].values[0])
    counts = outcomes[["recognised", "tested"]].sel({LAYER: lookup}).drop_vars(LAYER)
    return accuracy(counts.where(known)).transpose(SOURCE, TARGET)


def n_items(outcomes: xr.Dataset) -> xr.DataArray:
    """How many items of each language were tested on its own directions, from `cross_fit`: integer (language,)."""
    return own_language(outcomes["tested"]).isel({LAYER: 0}, drop=True).sum(FOLD).astype(int)


def own_language(by_pair: xr.DataArray) -> xr.DataArray:
    """The cells whose source is their target: (source, target, ...) -> (language, ...)."""
    codes = xr.DataArray(by_pair[SOURCE].values, dims=LANGUAGE, coords={LANGUAGE: by_pair[SOURCE].values})
    return by_pair.sel({SOURCE: codes, TARGET: codes}).drop_vars([SOURCE, TARGET])


def _require_folds(folds: xr.DataArray) -> None:
    found = len(np.unique(folds.values))
    if found < FEWEST_FOLDS:
        raise InvalidStudyError(
            f"folds: found {found} among {folds.size} items; "
            f"cross-fitting with a layer chosen on training folds needs at least {FEWEST_FOLDS}"
        )


def _tested(blocks: Iterable[xr.DataArray], folds: xr.DataArray, fitted: Sequence[Fitted]) -> xr.Dataset:
    """What `cross_fit` returns, from the blocks and the directions of each of their layers."""
    labels = np.unique(folds.values)
    counts: list[NDArray[np.float32]] = []
    for block, fold in with_folds(blocks, folds):
        codes, layers = block[LANGUAGE].values, block[LAYER].values
        for layer, one_layer in enumerate(block):
            if layer == len(counts):
                # Recognised and tested items of fold f on the directions without f and g: (2, f, g, source, target).
                counts.append(np.zeros((2, len(labels), len(labels), len(codes), len(codes)), dtype=np.float32))
            present = present_rows(one_layer)
            for f in np.unique(fold):
                directions = fitted[layer].without(f)
                known = np.isfinite(directions).all(axis=-1).T
                counts[layer][0, f] += _recognised(one_layer.values[:, fold == f], directions)
                counts[layer][1, f] += np.multiply.outer(known, present[:, fold == f].sum(axis=1))
    recognised, tested = np.stack(counts, axis=-1)
    # The directions without f and g, tested on f, lie inside the training folds of g.
    own = np.arange(len(labels))
    held_out = recognised[own, own], tested[own, own]
    with np.errstate(invalid="ignore"):
        inside = (recognised.sum(axis=0) - held_out[0]) / (tested.sum(axis=0) - held_out[1])
    pairs = (FOLD, SOURCE, TARGET, LAYER)
    return xr.Dataset(
        {
            "recognised": (pairs, held_out[0]),
            "tested": (pairs, held_out[1]),
            "training_accuracy": (pairs, inside),
            "direction": ((LANGUAGE, LAYER, HIDDEN), np.stack([layer.overall() for layer in fitted], axis=1)),
        },
        coords={FOLD: labels, SOURCE: codes, TARGET: codes, LANGUAGE: codes, LAYER: layers},
    )


def _recognised(rows: NDArray[np.float32], directions: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows (target, item, hidden) above 0 on directions (source, g, hidden), ties one half: (g, source, target)."""
    n_targets, n_members, hidden = rows.shape
    n_sources, n_folds, _ = directions.shape
    projections = (rows.reshape(-1, hidden) @ directions.reshape(-1, hidden).T).reshape(n_targets, n_members, -1)
    won = (projections > 0).sum(axis=1) + (projections == 0).sum(axis=1) / np.float32(2)
    return np.asarray(won.reshape(n_targets, n_sources, n_folds).T, dtype=np.float32)

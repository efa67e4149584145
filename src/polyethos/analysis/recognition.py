"""Recognition: how often a concept vector ranks the upheld sentence of a held-out pair above the violated one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from polyethos.arrays import FOLD, HIDDEN, ITEM, LANGUAGE, LAYER, SOURCE, TARGET, align_exactly, require_dims
from polyethos.errors import DataError, InvalidStudyError

Direction = Callable[[NDArray[np.float32]], NDArray[np.float32]]

# Choosing the layer inside the training folds leaves two folds out at once: with two folds nothing would remain.
FEWEST_FOLDS = 3


def cross_fit(differences: xr.DataArray, folds: xr.DataArray, direction: Direction | None = None) -> xr.Dataset:
    """Outcome of every item, in every language and layer, on every language's direction fitted without its fold.

    Layers are independent: a caller short of memory passes one layer at a time and concatenates along `layer`.

    Args:
        differences: float32 (language, layer, item, hidden), state of the upheld minus the violated sentence of each
            item of one value; a row of NaN where a language lacks the item.
        folds: integer (item,), the fold of each item, shared by all languages; at least three folds.
        direction: fits (n, hidden) paired differences into (hidden,), oriented so that the upheld side projects
            higher. None is the difference in means, computed for all folds from one sum per fold.

    Returns:
        `correct` float32 (source, target, layer, item): 1 where the target's item projects above 0 on the source's
        direction fitted on the other folds, 0 below, 0.5 for a tie, NaN where the item or the direction is missing.
        `training_accuracy` float32 (fold, source, target, layer): the same share within the training folds of each
        fold, by cross-fitting inside them, so that a layer can be chosen without the fold itself. Chance is 0.5.

    Raises:
        LabelMismatchError: the items of `differences` and `folds` differ.
        InvalidStudyError: fewer than three folds.
        DataError: a difference is infinite or only partly NaN.

    Source: Zou et al. 2023, arXiv:2310.01405, section 3 (projection on a reading vector); cross-fitting is ours.
    """
    require_dims(differences, LANGUAGE, LAYER, ITEM, HIDDEN, name="differences")
    require_dims(folds, ITEM, name="folds")
    align_exactly(differences, folds)
    plan = _Plan.of(folds)
    correct, training = [], []
    for layer in range(differences.sizes[LAYER]):
        one_layer = differences.isel({LAYER: layer}).transpose(LANGUAGE, ITEM, HIDDEN)
        rows = np.asarray(one_layer.values, dtype=np.float32)
        present = _present(rows, one_layer)
        fitted = _mean_directions(rows, present, plan) if direction is None else _fit(rows, present, plan, direction)
        outcome, inside = _tested(rows, fitted, plan)
        correct.append(outcome)
        training.append(inside)
    codes = differences[LANGUAGE].values
    result = xr.Dataset(
        {
            "correct": ((SOURCE, TARGET, LAYER, ITEM), np.stack(correct, axis=2)),
            "training_accuracy": ((FOLD, SOURCE, TARGET, LAYER), np.stack(training, axis=3)),
        },
        coords={SOURCE: codes, TARGET: codes, LAYER: differences[LAYER].values, FOLD: plan.labels},
    )
    return result.assign_coords(differences[ITEM].coords)


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


def accuracy(correct: xr.DataArray) -> xr.DataArray:
    """Share of held-out items recognised, a tie counting one half: (source, target, layer); chance 0.5."""
    return correct.mean(ITEM)


def accuracy_at(correct: xr.DataArray, folds: xr.DataArray, layers: xr.DataArray) -> xr.DataArray:
    """Accuracy where every item is tested at the layer chosen without its own fold.

    Args:
        correct: (source, target, layer, item) from `cross_fit`.
        folds: integer (item,).
        layers: (fold,) or (fold, source, target), from `chosen_layers`.

    Returns:
        (source, target), fraction in [0, 1]; chance 0.5; NaN where no layer could be chosen.

    Raises:
        LabelMismatchError: the items of `correct` and `folds` differ.
    """
    align_exactly(correct, folds)
    per_item = layers.sel({FOLD: folds}).drop_vars(FOLD)
    known = per_item.notnull()
    # Label lookup refuses NaN; any layer will do where the outcome is masked right after.
    lookup = per_item.where(known, correct[LAYER].values[0])
    tested = correct.sel({LAYER: lookup}).drop_vars(LAYER)
    return tested.where(known).mean(ITEM).transpose(SOURCE, TARGET)


def own_language(by_pair: xr.DataArray) -> xr.DataArray:
    """The cells whose source is their target: (source, target, ...) -> (language, ...)."""
    codes = xr.DataArray(by_pair[SOURCE].values, dims=LANGUAGE, coords={LANGUAGE: by_pair[SOURCE].values})
    return by_pair.sel({SOURCE: codes, TARGET: codes}).drop_vars([SOURCE, TARGET])


@dataclass(frozen=True)
class _Plan:
    """Which folds each fit leaves out: every single fold, then every two folds.

    Attributes:
        labels: (fold,) the folds as the caller names them.
        members: per fold, the positions of its items.
        membership: float32 (fold, item), 1 where the item is in the fold.
        kept: float32 (fit, fold), 1 where the fit uses the fold.
        fits_without: (fold, fold) at [f, g] the fit that leaves out f and g; on the diagonal only f.
    """

    labels: NDArray[np.int64]
    members: tuple[NDArray[np.intp], ...]
    membership: NDArray[np.float32]
    kept: NDArray[np.float32]
    fits_without: NDArray[np.intp]

    @classmethod
    def of(cls, folds: xr.DataArray) -> _Plan:
        labels = np.unique(folds.values)
        if len(labels) < FEWEST_FOLDS:
            raise InvalidStudyError(
                f"folds: found {len(labels)} among {folds.size} items; "
                f"cross-fitting with a layer chosen on training folds needs at least {FEWEST_FOLDS}"
            )
        membership = (folds.values == labels[:, None]).astype(np.float32)
        left_out = [(f, f) for f in range(len(labels))] + list(combinations(range(len(labels)), 2))
        kept = np.ones((len(left_out), len(labels)), dtype=np.float32)
        fits_without = np.empty((len(labels), len(labels)), dtype=np.intp)
        for fit, (f, g) in enumerate(left_out):
            kept[fit, [f, g]] = 0
            fits_without[f, g] = fits_without[g, f] = fit
        members = tuple(np.flatnonzero(row) for row in membership)
        return cls(labels, members, membership, kept, fits_without)


def _present(rows: NDArray[np.float32], labelled: xr.DataArray) -> NDArray[np.bool_]:
    """Which (language, item) rows exist; a row that is broken rather than missing is an error."""
    present = np.asarray(np.isfinite(rows).all(axis=-1))
    broken = [(language, item) for language, item in np.argwhere(~present) if not np.isnan(rows[language, item]).all()]
    if broken:
        language, item = broken[0]
        raise DataError(
            f"differences, language {str(labelled[LANGUAGE].values[language])!r}, "
            f"item {str(labelled[ITEM].values[item])!r}, layer {labelled[LAYER].item()}: not finite; "
            "the model overflowed: extract with dtype bfloat16 or float32"
        )
    return present


def _mean_directions(rows: NDArray[np.float32], present: NDArray[np.bool_], plan: _Plan) -> NDArray[np.float32]:
    """Difference in means of every fit, from one sum per fold: (language, fit, hidden)."""
    filled = rows if present.all() else np.where(present[..., None], rows, np.float32(0))
    sums = plan.kept @ (plan.membership @ filled)
    counts = present.astype(np.float32) @ plan.membership.T @ plan.kept.T
    with np.errstate(invalid="ignore"):  # no items, no direction: 0 / 0 is the NaN that says so
        return np.asarray(sums / counts[..., None], dtype=np.float32)


def _fit(
    rows: NDArray[np.float32], present: NDArray[np.bool_], plan: _Plan, direction: Direction
) -> NDArray[np.float32]:
    """Any direction of every fit, NaN where a language has no items to fit on: (language, fit, hidden)."""
    used = (plan.kept @ plan.membership).astype(bool)
    fitted = np.full((len(rows), len(used), rows.shape[-1]), np.nan, dtype=np.float32)
    for language, of_language in enumerate(rows):
        for fit, items in enumerate(used):
            training = of_language[items & present[language]]
            if len(training):
                fitted[language, fit] = direction(training)
    return fitted


def _tested(
    rows: NDArray[np.float32], fitted: NDArray[np.float32], plan: _Plan
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Outcomes (source, target, item) outside, and accuracy (fold, source, target) inside, the training folds."""
    n_languages, n_items, hidden = rows.shape
    n_folds = len(plan.members)
    correct = np.empty((n_languages, n_languages, n_items), dtype=np.float32)
    won = np.zeros((n_folds, n_languages, n_languages), dtype=np.float32)
    tested = np.zeros_like(won)
    for fold, members in enumerate(plan.members):
        # One product projects the fold's items on every direction that never saw them: [fit without fold and g].
        directions = fitted[:, plan.fits_without[fold]].reshape(-1, hidden)
        projections = rows[:, members].reshape(-1, hidden) @ directions.T
        outcome = ((np.sign(projections) + 1) / 2).reshape(n_languages, len(members), n_languages, n_folds)
        correct[:, :, members] = outcome[..., fold].transpose(2, 0, 1)
        # The fit without this fold and g, tested on this fold, lies inside the training folds of g.
        others = np.arange(n_folds) != fold
        won[others] += np.nansum(outcome, axis=1).transpose(2, 1, 0)[others]
        tested[others] += np.isfinite(outcome).sum(axis=1).transpose(2, 1, 0)[others]
    with np.errstate(invalid="ignore"):
        return correct, won / tested

"""Recognition, consistency and transfer per language, corrected for noise: what a run of a sweep is judged by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from polyethos.analysis.asymmetry import accuracy_of, excess, held_out, probit
from polyethos.analysis.products import products_of, resampling_units
from polyethos.analysis.recognition import chosen_layers, cross_fit
from polyethos.analysis.resampling import bootstrap_weights, random_signs
from polyethos.analysis.similarity import consistency, unit_gram
from polyethos.arrays import ITEM, LANGUAGE, LAYER, NEGATIVE, POLARITY, POSITIVE, VALUE
from polyethos.dataset.pairs import ContrastPairs
from polyethos.dataset.splits import fold_coordinate, folds

Array = NDArray[np.float64]

STRUCTURE = ("recognition", "consistency", "consistency_defined", "transfer", "transfer_excess")

_FOLDS = 4
_REPLICATES = 200
# As in `analysis.asymmetry.excess`: below this, nearly all of a vector is noise.
_LEAST_ROOT = 0.4


def value_structure(states: xr.DataArray, pairs: ContrastPairs) -> dict[str, dict[str, float]]:
    """What the languages' directions are worth, each to itself and to the others, mean over values.

    Directions are tested on predicates they were not fitted on, at the layer that the training folds choose.

    Args:
        states: (value, language, layer, item, polarity, hidden) from `representation.activations.extract`.
        pairs: what they are the states of.

    Returns:
        Per measure and language:

        - recognition: share of pairs that the language's own direction ranks rightly; chance 0.5.
        - consistency: noise-corrected cosine with the other languages' directions, mean over them. A direction not
          told apart from noise is shared with none: it counts as 0, so that a starved language does not drop out.
        - consistency_defined: share of values for which the language has a direction told apart from noise.
        - transfer: how well the other languages' directions rank this language's pairs, in probits (0 is chance, 1 is
          84 %), adjusted for the noise of each direction; a direction that is mostly noise counts as 0.
        - transfer_excess: the same minus the language's own direction; NaN where either is mostly noise.
    """
    fold_of = folds(pairs, folds=_FOLDS)
    groups = {(pair.value, pair.item): pair.group for pair in pairs}
    of_value = []
    for value in map(str, states[VALUE].values):
        one = states.sel({VALUE: value}, drop=True).dropna(ITEM)
        differences = one.sel({POLARITY: POSITIVE}, drop=True) - one.sel({POLARITY: NEGATIVE}, drop=True)
        items = [str(item) for item in one[ITEM].values]
        of_item = fold_coordinate(items, fold_of[value])
        grouped = of_item.assign_coords(group=(ITEM, [groups[value, item] or item for item in items]))
        of_value.append(_of_one(differences, grouped))
    codes = [str(code) for code in states[LANGUAGE].values]
    return {name: _by_language(codes, [each[name] for each in of_value]) for name in STRUCTURE}


def _of_one(differences: xr.DataArray, item_folds: xr.DataArray) -> Mapping[str, Array]:
    units = resampling_units(item_folds)
    layers = differences[LAYER].values.tolist()
    products = {layer: products_of(differences.sel({LAYER: layer}, drop=True), units, draws=1) for layer in layers}
    choice = chosen_layers(cross_fit(differences, item_folds)["training_accuracy"])["shared"].values.tolist()
    tested = held_out(products.__getitem__, choice)
    share, n_items = accuracy_of(tested.correct), np.isfinite(tested.correct[0]).sum(axis=-1)
    weights = bootstrap_weights(units.n_units, _REPLICATES, seed=0)
    found = consistency(
        unit_gram(products[max(choice, key=choice.count)]), weights, random_signs(units.n_units, 1, seed=0)
    )
    return {
        "recognition": np.diag(share),
        "consistency": _others(np.nan_to_num(found.rho.value)),
        "consistency_defined": found.defined.astype(np.float64),
        "transfer": _others(_adjusted(share, n_items, tested.reliability)),
        "transfer_excess": _others(excess(share, n_items, tested.reliability)),
    }


def _adjusted(share: Array, n_items: Array, reliability: Array) -> Array:
    """Probits of accuracy, freed of the noise of the source's direction: (source, target)."""
    root = np.sqrt(np.clip(reliability, 0, None))[:, None]
    usable = root >= _LEAST_ROOT
    return np.asarray(np.where(usable, probit(share, n_items) / np.where(usable, root, 1.0), 0.0))


def _others(table: Array) -> Array:
    """Mean over the sources other than the target itself, of what is defined: (target,)."""
    away = np.where(np.eye(len(table), dtype=bool), np.nan, table)
    counts = np.isfinite(away).sum(axis=0)
    return np.asarray(np.where(counts > 0, np.nansum(away, axis=0) / np.maximum(counts, 1), np.nan))


def _by_language(codes: Sequence[str], rows: Sequence[Array]) -> dict[str, float]:
    table = np.array(rows)
    counts = np.isfinite(table).sum(axis=0)
    means = np.where(counts > 0, np.nansum(table, axis=0) / np.maximum(counts, 1), np.nan)
    return dict(zip(codes, map(float, means), strict=True))

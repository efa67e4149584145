"""Transfer on the probit scale, freed of what the source's noise alone costs, and split into potential and cycles.

A vector fitted on few or noisy items transfers badly for that reason alone: its cosine with the true direction, the
square root of its reliability, is also the factor by which the probit of accuracy falls short. Dividing by it gives the
transfer of the true direction if the noise is alike in all dimensions; `one_way` takes out what remains if it is not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from polyethos.analysis.products import Products
from polyethos.analysis.similarity import raw_products, unbiased_products, unit_gram

Array = NDArray[np.float64]
ProductsAt = Callable[[int], Products]

_LEAST_ROOT = 0.4


@dataclass(frozen=True)
class Tested:
    """Held-out items of one value on the vectors of the other folds, at the layers those folds chose.

    Attributes:
        correct: 1, 0.5 for a tie, 0; NaN where missing, (source, target, item).
        reliability: of the vectors, fitted on all folds but one, mean over folds, (source,).
    """

    correct: Array
    reliability: Array


def held_out(products_at: ProductsAt, choice: Sequence[int]) -> Tested:
    """Project every item on the vectors fitted without its fold.

    Args:
        products_at: inner products of the value at a layer.
        choice: the chosen layer of each fold, in the order of the fold numbers.
    """
    first = products_at(choice[0])
    folds = np.unique(first.units.fold)
    correct = np.full((*first.inner.shape[::2], len(first.units.items)), np.nan)
    reliable = np.zeros(len(correct))
    for layer in dict.fromkeys(choice):
        products = products_at(layer)
        gram = unit_gram(products)
        norms, squares = np.diag(unbiased_products(gram)), np.diag(raw_products(gram))
        for fold in folds[np.array(choice) == layer]:
            train, test = split(products, int(fold))
            projected = products.inner[:, train].sum(axis=1)[:, :, test]
            ranked = np.where(projected == 0, 0.5, projected > 0)
            correct[:, :, test] = np.where(products.present[:, test], ranked, np.nan)
            reliable += training_reliability(gram.counts, train, norms, squares) / len(folds)
    return Tested(correct, reliable)


def split(products: Products, fold: int) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Whether a unit trains, (unit,), and the positions of the test items of `fold`."""
    units = products.units
    return units.fold != fold, np.flatnonzero(units.fold_of_item == fold)


def training_reliability(counts: Array, train: NDArray[np.bool_], norms: Array, squares: Array) -> Array:
    """Reliability of vectors fitted on the training units, from squared lengths over all units.

    Args:
        counts: items per (language, unit).
        train: whether a unit trains, (unit,).
        norms: squared length of the true direction, (..., language).
        squares: squared length of the mean difference over all units, (..., language).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        more_noise = counts.sum(axis=1) / counts[:, train].sum(axis=1)
        return np.asarray(norms / (norms + (squares - norms) * more_noise))


def accuracy_of(correct: Array) -> Array:
    """Accuracy (source, target) from `Tested.correct`; NaN where no item counts."""
    known = np.isfinite(correct)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(known, correct, 0.0).sum(axis=-1) / known.sum(axis=-1))


def drawn_accuracy(correct: Array, weights: Array, of_item: NDArray[np.int64]) -> Array:
    """Accuracy in every bootstrap sample of whole units; nothing of a size of replicates times items is held.

    Args:
        correct: 1, 0.5, 0 or NaN, (..., item).
        weights: how often each unit is drawn, (replicate, unit).
        of_item: unit of each item, (item,); every unit has one.

    Returns:
        (replicate, ...); NaN where no item counts.
    """
    order = np.argsort(of_item, kind="stable")
    starts = np.searchsorted(of_item[order], np.arange(weights.shape[1]))
    known = np.isfinite(correct)
    right, asked = (
        np.tensordot(weights, np.add.reduceat(counted[..., order], starts, axis=-1), axes=(1, -1))
        for counted in (np.where(known, correct, 0.0), known.astype(float))
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(right / asked)


def probit(accuracy: Array, n_items: Array) -> Array:
    """Standard normal quantile of accuracy, half an item away from 0 and 1."""
    return np.asarray(stats.norm.ppf((accuracy * n_items + 0.5) / (n_items + 1)))


def excess(correct_share: Array, n_items: Array, reliability: Array) -> Array:
    """Reliability-adjusted transfer over the target's own vector, Z_ij / r_i - Z_jj / r_j.

    Args:
        correct_share: accuracy (..., source, target).
        n_items: items of each target, (target,).
        reliability: of each source's vector, (..., source); r is its square root.

    Returns:
        (..., source, target), diagonal 0. NaN where r is below 0.4: nearly all of the vector is noise.
    """
    root = np.sqrt(np.clip(reliability, 0, None))
    adjusted = probit(correct_share, n_items) / np.where(root >= _LEAST_ROOT, root, np.nan)[..., None]
    return np.asarray(adjusted - np.einsum("...jj->...j", adjusted)[..., None, :])


@dataclass(frozen=True)
class Split:
    """Antisymmetric part of transfer and its decomposition.

    Attributes:
        asymmetry: (gain_ij - gain_ji) / 2, (source, target).
        potential: what a language gives more than it takes, sum 0, (language,).
        cyclic: what no potential explains, (source, target).
        share: share of the squared asymmetry that the potential explains; NaN without any asymmetry.
    """

    asymmetry: Array
    potential: Array
    cyclic: Array
    share: float


def split_asymmetry(gain: Array) -> Split:
    """Least-squares split of the asymmetry into phi_i - phi_j and a cyclic rest.

    Args:
        gain: (source, target); pairs with a NaN in either direction are left out.

    Source: Jiang, Lim, Yao and Ye 2011, doi:10.1007/s10107-010-0419-x.
    """
    asymmetry = (gain - gain.T) / 2
    known = np.isfinite(asymmetry)
    np.fill_diagonal(known, False)
    filled = np.where(known, asymmetry, 0.0)
    laplacian = np.diag(known.sum(axis=1)) - known
    potential = np.linalg.lstsq(laplacian.astype(float), filled.sum(axis=1), rcond=None)[0]
    potential = np.where(known.any(axis=1), potential, np.nan)
    cyclic = asymmetry - (potential[:, None] - potential)
    total = float(np.sum(filled**2))
    rest = float(np.sum(np.where(known, cyclic, 0.0) ** 2))
    return Split(asymmetry, potential, cyclic, 1 - rest / total if total > 0 else float("nan"))

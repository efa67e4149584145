"""Every corrected statistic of one value: tests, intervals, controls, consistency, transfer, from inner products."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from polyethos.analysis.asymmetry import Tested, accuracy_of, excess, held_out
from polyethos.analysis.common_direction import p_identical
from polyethos.analysis.controls import random_direction_accuracy, text_controls
from polyethos.analysis.draws import Draws
from polyethos.analysis.one_way import observed_excess, simulated_excess
from polyethos.analysis.products import Products
from polyethos.analysis.resampling import percentile_interval, sign_flips
from polyethos.analysis.significance import ValueTest, sign_flip_test
from polyethos.analysis.similarity import (
    Estimate,
    consistency,
    ratio,
    raw_products,
    reliability,
    unbiased_products,
    unit_gram,
)
from polyethos.analysis.whitening import LEAST_FOLDS, whitened
from polyethos.arrays import FOLD, ITEM, LANGUAGE, LAYER, SOURCE, TARGET, align_exactly
from polyethos.dataset.pairs import ContrastPair

Array = NDArray[np.float64]
ProductsAt = Callable[[int], Products]

REPLICATE, PATTERN, FAMILY, CONTROL = "replicate", "pattern", "family", "control"
PAIR = (SOURCE, TARGET)

DEFAULT_BYTES = 2**31
"""Bytes of inner products that may be kept between the passes over the layers, two GiB."""


@dataclass(frozen=True)
class ValueSource:
    """Where the statistics of one value come from.

    Attributes:
        value: its name.
        layers: the layers to choose among.
        products_at: inner products at a layer (`products_of` or `products_from_gram`); asked for each layer up to three
            times, in order, unless all layers together fit the memory allowed.
        hidden: hidden size of the model.
        pairs: the sentences of this value, for the controls that read them; without them there are none.
    """

    value: str
    layers: Sequence[int]
    products_at: ProductsAt
    hidden: int
    pairs: Sequence[ContrastPair] = field(default=())


def value_statistics(
    source: ValueSource,
    *,
    permutations: int = 10_000,
    replicates: int = 1_000,
    seed: int = 0,
    workers: int = 1,
    max_bytes: int = DEFAULT_BYTES,
) -> xr.Dataset:
    """Everything that one value contributes to `corrected.corrected_statistics`.

    Beside the inner products this holds, for L layers, K folds and n languages, 4 L K bytes per sign pattern for the
    layer choice and 2 n^2 for the accuracies: 11 MB for 24 layers, 16 languages and 10,000 patterns.

    Args:
        source: the value and its inner products.
        permutations: sign patterns of the test, the observed one among them.
        replicates: bootstrap samples, and simulated studies of the null models.
        seed: of all randomness. Equal seeds draw the same items for every model, so that models can be compared.
        workers: threads.
        max_bytes: inner products to keep between passes; beyond it, layers are asked for again.

    Returns:
        Variables without a dimension `value`; see the module `corrected` for what becomes of them.
    """
    first = source.products_at(source.layers[0])
    kept = len(source.layers) if first.inner.nbytes * len(source.layers) <= max_bytes else 1
    at = lru_cache(maxsize=kept)(source.products_at)
    draw = Draws(first, source.value, replicates, seed)
    flips = sign_flips(first.units.fold, permutations, seed=draw.seed)
    test = sign_flip_test(at, source.layers, flips, workers=workers)
    tested = held_out(at, test.choice)
    parts = [
        _test(test, first),
        _intervals(tested, draw),
        _controls(source, at, test, tested, draw),
        _layers(source, at),
        _consistency(at(_usual(test.choice)), source.hidden, draw),
        _transfer(at, test.choice, tested, draw),
    ]
    languages = list(first.languages)
    coords = {LANGUAGE: languages, SOURCE: languages, TARGET: languages, LAYER: list(source.layers)}
    merged = xr.merge(parts, join="exact").assign_coords(coords)
    return merged.assign(consistency_layer=_usual(test.choice), resampling_key=draw.key)


def _usual(choice: Sequence[int]) -> int:
    """The layer that most folds chose, the lowest of several."""
    counts = Counter(choice)
    return min(counts, key=lambda layer: (-counts[layer], layer))


def _test(test: ValueTest, products: Products) -> xr.Dataset:
    families = list(test.highest)
    return xr.Dataset(
        {
            "accuracy_p": ((*PAIR, LAYER), test.by_layer.p),
            "accuracy_score": ((*PAIR, LAYER), test.by_layer.score),
            "transfer_accuracy_p": (PAIR, test.chosen.p),
            "transfer_accuracy_score": (PAIR, test.chosen.score),
            "null_mean": ((LANGUAGE,), np.diag(test.chosen.mean)),
            "null_deviation": ((LANGUAGE,), np.diag(test.chosen.deviation)),
            "null_quantile": ((LANGUAGE,), test.own_quantile),
            "null_highest": ((FAMILY, PATTERN), np.stack([test.highest[name] for name in families])),
            "tested_layer": ((FOLD,), np.array(test.choice)),
            "n_tested": ((LANGUAGE,), products.present.sum(axis=1)),
        },
        coords={FAMILY: families},
    )


def _intervals(tested: Tested, draw: Draws) -> xr.Dataset:
    share, low, high, drawn = draw.interval(tested.correct)
    table = {"transfer_accuracy": share, "transfer_accuracy_low": low, "transfer_accuracy_high": high}
    own = {name.replace("transfer_accuracy", "recognition"): np.diag(values) for name, values in table.items()}
    return xr.Dataset(
        {name: (PAIR, values) for name, values in table.items()}
        | {name: ((LANGUAGE,), values) for name, values in own.items()}
        | {
            "recognition_replicates": ((REPLICATE, LANGUAGE), np.einsum("rii->ri", drawn).astype(np.float32)),
            "transfer_gain_replicates": (
                (REPLICATE, *PAIR),
                (drawn - np.einsum("rii->ri", drawn)[:, None]).astype(np.float32),
            ),
        }
    )


def _controls(source: ValueSource, at: ProductsAt, test: ValueTest, tested: Tested, draw: Draws) -> xr.Dataset:
    """Accuracy of each control and what the concept vector gets right beyond it."""
    recognised = np.einsum("iis->is", tested.correct)
    own = accuracy_of(recognised)
    random = random_direction_accuracy(at, test.choice)
    mean, deviation = np.diag(test.chosen.mean), np.diag(test.chosen.deviation)
    rows = {
        "random direction": (random.mean(axis=1), *np.quantile(random, [0.025, 0.975], axis=1)),
        "shuffled labels": (mean, mean - 1.96 * deviation, mean + 1.96 * deviation),
    }
    beyond = {name: tuple(own - row for row in (found, high, low)) for name, (found, low, high) in rows.items()}
    for name, correct in _read(source, draw).items():
        share, low, high, drawn = draw.interval(correct)
        rows[name] = (share, low, high)
        # Paired: both are asked the same items, and drawn items count for both.
        beyond[name] = (own - share, *percentile_interval(draw.accuracy(recognised) - drawn))
    variables = {}
    for variable, table in (("control_accuracy", rows), ("recognition_excess", beyond)):
        for position, suffix in enumerate(("", "_low", "_high")):
            variables[variable + suffix] = ((CONTROL, LANGUAGE), np.stack([row[position] for row in table.values()]))
    return xr.Dataset(variables, coords={CONTROL: list(rows)})


def _read(source: ValueSource, draw: Draws) -> dict[str, Array]:
    """What the controls that read the sentences get right, (language, item) each."""
    if not source.pairs:
        return {}
    folds = xr.DataArray(draw.units.fold_of_item, dims=ITEM, coords={ITEM: list(draw.units.items)})
    correct = text_controls(source.pairs, folds).reindex({LANGUAGE: draw.languages})
    align_exactly(correct, folds)
    return {str(name): correct.sel({CONTROL: name}).values for name in correct[CONTROL].values}


def _layers(source: ValueSource, at: ProductsAt) -> xr.Dataset:
    reliable, similar = [], []
    for layer in source.layers:
        gram = unit_gram(at(layer))
        reliable.append(reliability(gram))
        similar.append(ratio(unbiased_products(gram)))
    return xr.Dataset(
        {
            "reliability": ((LANGUAGE, LAYER), np.stack(reliable, axis=-1)),
            "consistency_by_layer": ((*PAIR, LAYER), np.stack(similar, axis=-1)),
        }
    )


def _consistency(products: Products, hidden: int, draw: Draws) -> xr.Dataset:
    gram = unit_gram(products)
    found = consistency(gram, draw.weights, draw.signs)
    undefined = np.full_like(found.rho.value, np.nan)
    white = Estimate(undefined, undefined, undefined, found.rho.replicates[:0])
    if len(np.unique(products.units.fold)) >= LEAST_FOLDS:
        white = consistency(whitened(products, hidden=hidden, seed=draw.seed), draw.weights, draw.signs).rho
    return xr.Dataset(
        {
            "consistency": (PAIR, found.rho.value),
            "consistency_low": (PAIR, found.rho.low),
            "consistency_high": (PAIR, found.rho.high),
            "consistency_p": (PAIR, found.p_unrelated),
            "consistency_identical_p": (PAIR, p_identical(gram, found.rho.value, draw.signs)),
            "consistency_raw": (PAIR, ratio(raw_products(gram))),
            "consistency_whitened": (PAIR, white.value),
            "consistency_whitened_low": (PAIR, white.low),
            "consistency_whitened_high": (PAIR, white.high),
            "consistency_replicates": ((REPLICATE, *PAIR), found.rho.replicates.astype(np.float32)),
            "direction_defined": ((LANGUAGE,), found.defined),
        }
    )


def _transfer(at: ProductsAt, choice: Sequence[int], tested: Tested, draw: Draws) -> xr.Dataset:
    drawn = draw.accuracy(tested.correct)
    replicates = excess(drawn, draw.n_items, tested.reliability)
    simulated = simulated_excess(at, choice, draw.signs)
    return xr.Dataset(
        {
            "excess": (PAIR, observed_excess(tested)),
            "excess_replicates": ((REPLICATE, *PAIR), replicates.astype(np.float32)),
            "excess_null": ((REPLICATE, *PAIR), simulated.astype(np.float32)),
            "training_reliability": ((LANGUAGE,), tested.reliability),
        }
    )

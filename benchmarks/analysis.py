"""What the analysis of a study costs beside the extraction it follows, in one run on one machine.

    python benchmarks/analysis.py

A study of the bundled size: 7 values x 100 items x 16 languages, 24 layers of width 896. The extraction is not run but
bounded from below: two operations per parameter of the blocks (0.36 billion) and token, 22,400 sentences of 20 tokens,
at the rate of a large float32 matrix product measured here. The analysis of one value is timed and taken seven times.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import xarray as xr

from polyethos.analysis.consistency import cosine
from polyethos.analysis.gram import gram, mean_directions, moments
from polyethos.analysis.published import measure
from polyethos.analysis.recognition import accuracy, accuracy_at, chosen_layers, cross_fit

VALUES, LANGUAGES, ITEMS, LAYERS, HIDDEN, FOLDS = 7, 16, 100, 24, 896, 5
SENTENCES, TOKENS, PARAMETERS = VALUES * LANGUAGES * ITEMS * 2, 20, 0.36e9


def seconds(work: Callable[[], object], *, repeats: int = 3) -> float:
    """The fastest of some runs."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def matrix_product_rate(size: int = 2048) -> float:
    """Operations per second of a float32 matrix product."""
    matrix = np.random.default_rng(0).normal(size=(size, size)).astype(np.float32)
    return 2 * size**3 / seconds(lambda: matrix @ matrix)


def differences_of_one_value() -> xr.DataArray:
    """Random paired differences with a little signal."""
    rows = np.random.default_rng(1).normal(0.05, 1, (LANGUAGES, LAYERS, ITEMS, HIDDEN)).astype(np.float32)
    coords = {
        "language": [f"l{k}" for k in range(LANGUAGES)],
        "layer": range(1, LAYERS + 1),
        "item": [str(k) for k in range(ITEMS)],
    }
    return xr.DataArray(rows, dims=("language", "layer", "item", "hidden"), coords=coords)


def analyse(differences: xr.DataArray, folds: xr.DataArray) -> None:
    """Recognition for all pairs of languages at every layer, layers chosen, and cosines."""
    tested = cross_fit(differences, folds)
    layers = chosen_layers(tested["training_accuracy"])
    accuracy(tested["correct"])
    for choice in ("shared", "per_cell"):
        accuracy_at(tested["correct"], folds, layers[choice])
    cosine(mean_directions(moments([differences], folds)))


def main() -> None:
    """Print the costs and their ratios to the extraction."""
    rate = matrix_product_rate()
    extraction = SENTENCES * TOKENS * 2 * PARAMETERS / rate
    differences = differences_of_one_value()
    items = differences["item"].values
    folds = xr.DataArray(np.arange(ITEMS) % FOLDS, dims="item", coords={"item": items})
    orders = {str(code): [str(item) for item in items] for code in differences["language"].values}
    steps: dict[str, Callable[[], object]] = {
        "recognition, layers, cosines (corrected)": lambda: analyse(differences, folds),
        "the same of the published protocol": lambda: measure(differences, orders),
        "Gram matrices of every layer": lambda: [gram(differences.isel(layer=[k])) for k in range(LAYERS)],
    }
    print(f"float32 matrix product: {rate / 1e9:.0f} billion operations per second")
    print(f"extraction of {SENTENCES:,} sentences takes at least {extraction:,.0f} s")
    for name, work in steps.items():
        spent = VALUES * seconds(work)
        print(f"{name}: {spent:.1f} s for {VALUES} values, {spent / extraction:.3%} of the extraction")


if __name__ == "__main__":
    main()

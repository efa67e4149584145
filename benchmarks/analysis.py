"""What the analysis of a study costs beside the extraction it follows, in one run on one machine.

    python benchmarks/analysis.py

A study of the bundled size: 7 values x 100 items x 16 languages, 24 layers of width 896. The extraction is not run but
bounded from below: two operations per parameter of the blocks (0.36 billion) and token, 22,400 sentences of 20 tokens,
at the rate of a large float32 matrix product measured here. The analysis of one value is timed and taken seven times.

Then one layer of 16 languages x 500 items x 4,096 (125 MiB) in shards on disk, analysed with memory for all of it, for
half and for a fifth, with the peak of what the analysis allocates.
"""

from __future__ import annotations

import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import xarray as xr

from polyethos.analysis.consistency import cosine
from polyethos.analysis.gram import gram
from polyethos.analysis.published import measure
from polyethos.analysis.recognition import accuracy, accuracy_at, chosen_layers, cross_fit
from polyethos.dataset.pairs import ContrastPair, ContrastPairs
from polyethos.execution.shards import ShardStore, plan_shards
from polyethos.study import Study
from polyethos.study.analysing import ValueData, analyse_value, plan_analysis

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
    accuracy(tested)
    for choice in ("shared", "per_cell"):
        accuracy_at(tested, layers[choice])
    cosine(tested["direction"])


def stored_layer(folder: Path, *, items: int = 500, hidden: int = 4_096) -> ValueData:
    """One layer of random paired differences on disk, in shards of 512 pairs."""
    codes = ["en", "zh", "fr", "es", "pt", "vi", "ca", "id", "ja", "ko", "fi", "hu", "ta", "te", "sw", "ny"]
    pairs = [ContrastPair(str(k), "morality", code, f"{k} +", f"{k} -") for code in codes for k in range(items)]
    whole = ContrastPairs("random", tuple(pairs))
    shards, store = plan_shards(whole, "morality", pairs_per_shard=512), ShardStore(folder)
    for shard in shards:
        shape = (2, len(shard.pairs), hidden)
        rows = np.random.default_rng(shard.index).normal(0.05, 1, shape).astype(np.float32)
        store.write(shard, rows, np.ones(2))
    return ValueData("morality", whole, store, shards, 1, hidden)


def print_little_memory() -> None:
    """Time and peak of the analysis of one layer under less and less memory."""
    with tempfile.TemporaryDirectory() as folder:
        data = stored_layer(Path(folder))
        size = 4 * len(data.pairs) * data.hidden_size
        print(f"one layer of {len(data.pairs):,} paired differences: {size / 2**20:,.0f} MiB")
        for protocol in ("corrected", "paper"):
            for memory in (32 * size, size // 2, size // 5):
                study = Study(protocol=protocol, memory=memory)
                spent = seconds(lambda study=study: analyse_value(study, data), repeats=2)
                tracemalloc.start()
                analyse_value(study, data)
                peak = tracemalloc.get_traced_memory()[1]
                tracemalloc.stop()
                items = plan_analysis(study, data).n_items
                print(
                    f"{protocol}, memory of {memory / 2**20:,.0f} MiB: {items:,} items at a time, {spent:.2f} s, "
                    f"peak {peak / 2**20:,.0f} MiB"
                )


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
    print_little_memory()


if __name__ == "__main__":
    main()

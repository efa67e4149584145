"""How long the sign-flip test of a study of 7 values, 16 x 16 languages, 24 layers and 100 items takes.

    OMP_NUM_THREADS=1 python benchmarks/statistics_speed.py

Beside it a direct implementation, which flips the activations, refits every direction and projects every item for each
sign pattern; it is timed on a few patterns of one value and layer and scaled up. Processor seconds are printed as well
as seconds, since other programs slow the latter.
"""

import argparse
import resource
import time

import numpy as np
import xarray as xr

from polyethos.analysis.products import products_of, resampling_units
from polyethos.analysis.resampling import sign_flips
from polyethos.analysis.significance import sign_flip_test


def measured(name, function):
    """Result of `function`, seconds and processor seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = function()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{name}: {wall:.1f} s, {cpu:.1f} processor seconds", flush=True)
    return result, wall, cpu


def activations(random, *, languages, items, hidden):
    """Paired differences of one value at one layer."""
    values = random.standard_normal((languages, items, hidden), dtype=np.float32)
    coords = {"language": [f"l{k}" for k in range(languages)], "item": [f"i{k}" for k in range(items)]}
    return xr.DataArray(values, dims=("language", "item", "hidden"), coords=coords)


def direct(data, fold, flips):
    """Accuracy (source, target) of every pattern, from the activations."""
    x = data.values
    found = []
    for signs in flips.patterns().T:
        flipped = x * signs[None, :, None].astype(np.float32)
        right = np.zeros((len(x), len(x)))
        for k in range(5):
            vectors = flipped[:, fold != k].mean(axis=1)
            right += (
                (flipped[:, fold == k].reshape(-1, x.shape[-1]) @ vectors.T > 0).reshape(len(x), -1, len(x)).sum(1).T
            )
        found.append(right)
    return np.array(found) / x.shape[1]


def main():
    """Time both and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("values", 7), ("languages", 16), ("layers", 24), ("items", 100), ("hidden", 4096)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--permutations", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    random = np.random.default_rng(0)
    data = activations(random, languages=given.languages, items=given.items, hidden=given.hidden)
    folds = xr.DataArray(np.arange(given.items) % 5, dims="item", coords={"item": data["item"].values})
    units = resampling_units(folds)
    few = sign_flips(units.fold, 16, seed=0)
    _, direct_wall, direct_cpu = measured(
        f"direct, {few.total} patterns, one value and layer", lambda: direct(data, units.fold_of_item, few)
    )
    products, _, _ = measured("inner products, one value and layer", lambda: products_of(data, units))
    flips = sign_flips(units.fold, given.permutations, seed=0)

    def whole():
        for _ in range(given.values):
            sign_flip_test(lambda _: products, range(given.layers), flips, workers=given.workers)

    _, wall, cpu = measured(
        f"{flips.total} patterns, {given.values} values x {given.languages} x {given.languages} languages x "
        f"{given.layers} layers x {given.items} items, refits and layer choice inside",
        whole,
    )
    scale = flips.total / few.total * given.values * given.layers
    hours, processor_hours = direct_wall * scale / 3600, direct_cpu * scale / 3600
    print(f"direct, scaled to the same: {hours:.1f} h, {processor_hours:.1f} processor hours")
    print(f"ratio: {direct_cpu * scale / cpu:.0f} in processor time, {direct_wall * scale / wall:.0f} in time")
    print(f"inner products of a layer: {products.inner.nbytes / 2**20:.0f} MiB")
    print(f"most memory used: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


if __name__ == "__main__":
    main()

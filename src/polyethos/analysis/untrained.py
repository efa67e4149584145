"""The untrained model as a control: what the architecture and the sentences alone get right."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd
import xarray as xr

from polyethos.analysis.asymmetry import held_out
from polyethos.analysis.draws import Draws
from polyethos.analysis.resampling import percentile_interval, sign_flips
from polyethos.analysis.significance import sign_flip_test
from polyethos.analysis.value_statistics import CONTROL, DEFAULT_BYTES, REPLICATE, ValueSource
from polyethos.arrays import LANGUAGE

UNTRAINED = "untrained model"


def untrained_accuracy(
    source: ValueSource, *, replicates: int, seed: int, workers: int = 1, max_bytes: int = DEFAULT_BYTES
) -> xr.Dataset:
    """Recognition of one value by a model with random weights, at the layer that its own training folds choose.

    Args:
        source: the value and its inner products in the untrained model.
        replicates: as for `value_statistics` of the trained model.
        seed: likewise, so that both are asked the same items.
        workers: threads.
        max_bytes: inner products to keep between passes.

    Returns:
        `accuracy` (language) with `_low` and `_high`, and `replicates` (replicate, language).
    """
    first = source.products_at(source.layers[0])
    kept = len(source.layers) if first.inner.nbytes * len(source.layers) <= max_bytes else 1
    at = lru_cache(maxsize=kept)(source.products_at)
    draw = Draws(first, source.value, replicates, seed)
    # Only the choice of the layer is asked of the test, so that the fewest patterns do.
    choice = sign_flip_test(at, source.layers, sign_flips(first.units.fold, 1, seed=0), workers=workers).choice
    correct = np.einsum("iis->is", held_out(at, choice).correct)
    share, low, high, drawn = draw.interval(correct)
    return xr.Dataset(
        {
            "accuracy": (LANGUAGE, share),
            "accuracy_low": (LANGUAGE, low),
            "accuracy_high": (LANGUAGE, high),
            "replicates": ((REPLICATE, LANGUAGE), drawn.astype(np.float32)),
        },
        coords={LANGUAGE: draw.languages},
    )


def with_untrained(statistics: xr.Dataset, untrained: xr.Dataset) -> xr.Dataset:
    """Statistics of one value with the untrained model among their controls.

    Args:
        statistics: of `value_statistics`.
        untrained: of `untrained_accuracy` on the same items.

    Returns:
        `statistics` with one more label in the dimension `control`.
    """
    difference = (statistics["recognition_replicates"] - untrained["replicates"]).transpose(REPLICATE, LANGUAGE)
    low, high = percentile_interval(difference.values.astype(np.float64))
    excess = statistics["recognition"] - untrained["accuracy"]
    added = {
        "control_accuracy": untrained["accuracy"],
        "control_accuracy_low": untrained["accuracy_low"],
        "control_accuracy_high": untrained["accuracy_high"],
        "recognition_excess": excess,
        "recognition_excess_low": excess.copy(data=low),
        "recognition_excess_high": excess.copy(data=high),
    }
    label = pd.Index([UNTRAINED], name=CONTROL)
    controls = xr.Dataset({name: row.expand_dims({CONTROL: label}) for name, row in added.items()})
    longer = xr.concat([statistics[list(added)], controls], CONTROL, join="exact")
    return statistics.drop_dims(CONTROL).merge(longer, join="exact")

"""What a study of this size can find at all: the smallest accuracy it would detect."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array = NDArray[np.float64]


def detectable_accuracy(critical: Array, n_items: Array, null_deviation: Array, *, power: float = 0.8) -> Array:
    """Smallest true accuracy that exceeds the critical value in a share `power` of studies.

    Args:
        critical: accuracy that the null distribution exceeds with probability 0.05.
        n_items: items.
        null_deviation: standard deviation of the null distribution; items that flip together, or projections that
            move together, make it larger than that of a coin, and the items count for fewer.
        power: chance of finding it.

    Returns:
        In [0.5, 1]; NaN where not even an accuracy of 1 would be found.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        effective = np.clip(0.25 / null_deviation**2, 1, n_items)
        # More than `critical` of them right; the binomial tail is an incomplete beta function.
        needed = np.floor(critical * effective + 1e-9) + 1
        found = special.betaincinv(needed, effective - needed + 1, power)
    return np.where(needed <= effective, np.maximum(found, 0.5), np.nan)

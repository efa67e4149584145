"""Linguistic relations: whether languages that are alike as languages have similar concept vectors."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from polyethos.arrays import SOURCE, TARGET, require_dims
from polyethos.errors import LabelMismatchError

DISTANCE = "distance"


def correlations(similarity: xr.DataArray, distances: xr.DataArray) -> xr.Dataset:
    """Pearson r between the similarity of two languages and 1 - their linguistic distance, per kind of distance.

    Every unordered pair of different languages counts once, an asymmetric similarity with the mean of its two
    directions. Pairs of languages are not independent, so the textbook p-value of r would be invalid; none is given.

    Args:
        similarity: (source, target); undefined pairs NaN.
        distances: (distance, source, target) from `linguistic_distances`, with at least the languages of
            `similarity`; missing distances NaN.

    Returns:
        `r` float64 (distance), NaN where fewer than three pairs or no variation remain; `n_pairs` (distance), the pairs
        used; `n_missing` (distance), the pairs of defined similarity left out because the distance is missing.

    Raises:
        LabelMismatchError: a language has no distances.

    Source: Xu et al. 2024, arXiv:2402.18120, section 5.2, without what its code does to the pairs.
    """
    require_dims(similarity, SOURCE, TARGET, name="similarity")
    require_dims(distances, DISTANCE, SOURCE, TARGET, name="distances")
    codes = similarity[SOURCE].values.tolist()
    known = distances[SOURCE].values.tolist()
    absent = [code for code in codes if code not in known]
    if absent or similarity[TARGET].values.tolist() != codes:
        raise LabelMismatchError(f"similarity of {codes}: no distances for {absent or 'targets in another order'}")
    cells = _unordered(similarity.transpose(SOURCE, TARGET).values)
    closeness = 1 - distances.sel({SOURCE: codes, TARGET: codes}).transpose(DISTANCE, SOURCE, TARGET)
    found = [_relation(cells, _unordered(kind.values)) for kind in closeness]
    r, n_pairs, n_missing = zip(*found, strict=True)
    return xr.Dataset(
        {"r": (DISTANCE, list(r)), "n_pairs": (DISTANCE, list(n_pairs)), "n_missing": (DISTANCE, list(n_missing))},
        coords={DISTANCE: distances[DISTANCE].values},
    )


def _unordered(matrix: NDArray[np.floating]) -> NDArray[np.float64]:
    """Upper triangle of the mean of a matrix and its transpose."""
    upper = np.triu_indices(len(matrix), k=1)
    return np.asarray((matrix.astype(np.float64) + matrix.T)[upper] / 2)


def _relation(cells: NDArray[np.float64], closeness: NDArray[np.float64]) -> tuple[float, int, int]:
    """Pearson r over the pairs where both are known, how many these are, and how many lack only the distance."""
    defined = ~np.isnan(cells)
    used = defined & ~np.isnan(closeness)
    n_pairs, n_missing = int(used.sum()), int((defined & ~used).sum())
    x, y = cells[used], closeness[used]
    # Two pairs always lie on a line; a constant has no correlation, and rounding must not give it one.
    if n_pairs < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan"), n_pairs, n_missing
    return float(np.corrcoef(x, y)[0, 1]), n_pairs, n_missing

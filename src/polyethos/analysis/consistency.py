"""Consistency: how similar the concept vectors of two languages are, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from polyethos.arrays import FOLD, HIDDEN, LANGUAGE, LAYER, SOURCE, TARGET, require_dims
from polyethos.errors import LabelMismatchError


def cosine(directions: xr.DataArray) -> xr.DataArray:
    """Raw cosine between the directions of every two languages.

    Directions are compared as they come, without a sign of their own: they must be oriented so that the upheld side
    projects higher, which a difference in means always is. Raw cosines shrink with estimation noise.

    Args:
        directions: (language, layer, hidden), each fitted on all items of one value.

    Returns:
        float32 (source, target, layer) in [-1, 1], 1 for a language with itself; NaN for a zero or missing direction.

    Raises:
        LabelMismatchError: `directions` has other dimensions.
    """
    require_dims(directions, LANGUAGE, LAYER, HIDDEN, name="directions")
    # float64, so that a direction's cosine with itself is 1 to the last float32 digit.
    rows = directions.transpose(LAYER, LANGUAGE, HIDDEN).values.astype(np.float64)
    with np.errstate(invalid="ignore"):
        unit = rows / np.linalg.norm(rows, axis=-1, keepdims=True)
    products = np.clip(unit @ unit.swapaxes(-1, -2), -1, 1).astype(np.float32)
    codes = directions[LANGUAGE].values
    coords = {LAYER: directions[LAYER].values, SOURCE: codes, TARGET: codes}
    return xr.DataArray(products, dims=(LAYER, SOURCE, TARGET), coords=coords).transpose(SOURCE, TARGET, LAYER)


def layer_curve(cosines: xr.DataArray, *, languages: Sequence[str] | None = None) -> xr.DataArray:
    """Mean cosine over the pairs of different languages, per layer; undefined pairs are left out.

    Args:
        cosines: (source, target, layer, ...) from `cosine`.
        languages: the languages to average over; all by default.

    Returns:
        (layer, ...).

    Raises:
        LabelMismatchError: a language of `languages` is not in `cosines`.
    """
    if languages is not None:
        missing = [code for code in languages if code not in cosines[SOURCE].values]
        if missing:
            raise LabelMismatchError(f"languages: {missing} are not in the cosines ({list(cosines[SOURCE].values)})")
        cosines = cosines.sel({SOURCE: list(languages), TARGET: list(languages)})
    return cosines.where(cosines[SOURCE] != cosines[TARGET]).mean([SOURCE, TARGET])


def similarity(cosines: xr.DataArray, layers: xr.DataArray) -> xr.DataArray:
    """Summary cosine of every two languages: at the layer each fold chose on its training folds, mean over folds.

    Args:
        cosines: (source, target, layer) of one value.
        layers: integer (fold,), `shared` of `recognition.chosen_layers`.

    Returns:
        (source, target), diagonal 1.
    """
    return cosines.sel({LAYER: layers}).mean(FOLD)

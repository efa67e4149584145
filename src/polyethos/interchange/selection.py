"""The vectors of one value and source, scaled for other tools."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from polyethos.arrays import HIDDEN, LANGUAGE, LAYER, VALUE, require_dims
from polyethos.errors import DataError, UnknownLanguageError, UnknownNameError, UnknownValueError

POOLED = "pooled"
"""Name of the source that is the mean over languages."""

Scale = Literal["norm", "raw"]


@dataclass(frozen=True)
class Directions:
    """One vector per layer, as another tool shall add it at scale 1.

    Attributes:
        value: the value upheld along it.
        source: the language, or "pooled".
        vectors: float32 (hidden,) by layer 1..L.
        n_layers: L of the model.
        model: the identity of the model.
    """

    value: str
    source: str
    vectors: Mapping[int, NDArray[np.float32]]
    n_layers: int
    model: Mapping[str, Any]


def select_directions(
    vectors: xr.DataArray,
    metadata: Mapping[str, Any],
    *,
    value: str,
    source: str,
    layers: Sequence[int] | None = None,
    scale: Scale = "norm",
    strength: float = 1.0,
) -> Directions:
    """The vectors of one value and source.

    Args:
        vectors: (value, language, layer, hidden), from a run.
        metadata: of the same file: "model" and "residual_norms".
        value: which value.
        source: a language, or "pooled" for the mean over languages.
        layers: which layers; None for all.
        scale: "norm": each vector gets the length of the layer's mean residual norm, so that a tool's coefficient means
            the same as our strength; "raw": as it is.
        strength: what the vectors are multiplied by.

    Raises:
        UnknownValueError, UnknownLanguageError, UnknownNameError: not in the vectors.
        DataError: no such layer, or no vector for it.
    """
    require_dims(vectors, VALUE, LANGUAGE, LAYER, HIDDEN, name="vectors")
    values, languages = vectors[VALUE].values.tolist(), vectors[LANGUAGE].values.tolist()
    if value not in values:
        raise UnknownValueError.of("value of the vectors", value, values)
    if source not in (*languages, POOLED):
        raise UnknownLanguageError.of("language of the vectors", source, [*languages, POOLED])
    if scale not in ("norm", "raw"):
        raise UnknownNameError.of("scale", scale, ("norm", "raw"))
    available = vectors[LAYER].values.tolist()
    of_value = vectors.sel({VALUE: value}).transpose(LANGUAGE, LAYER, HIDDEN)
    chosen = of_value.mean(LANGUAGE) if source == POOLED else of_value.sel({LANGUAGE: source})
    scaled = {}
    for layer in available if layers is None else layers:
        if layer not in available:
            raise DataError(
                f"layer {layer}: the vectors have layers {available[0]} to {available[-1]}; choose among them"
            )
        vector = chosen.sel({LAYER: layer}).values.astype(np.float64)
        if not np.isfinite(vector).all() or not vector.any():
            raise DataError(f"{value}, {source}, layer {layer}: there is no vector; choose another source or layer")
        length = _norm(metadata, value, available.index(layer)) if scale == "norm" else float(np.linalg.norm(vector))
        scaled[layer] = np.asarray(strength * length * vector / np.linalg.norm(vector), dtype=np.float32)
    model = metadata["model"]
    return Directions(value, source, scaled, int(model["n_layers"]), model)


def _norm(metadata: Mapping[str, Any], value: str, place: int) -> float:
    norms = metadata["residual_norms"]
    norm = float((norms[value] if isinstance(norms, Mapping) else norms)[place])
    if not math.isfinite(norm) or norm <= 0:
        raise DataError(f"residual norm {norm} of {value}: not a length; export with scale 'raw'")
    return norm

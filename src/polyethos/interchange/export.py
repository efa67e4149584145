"""Vectors of a run in the format of another tool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import xarray as xr

from polyethos.arrays import LANGUAGE, LAYER, VALUE
from polyethos.errors import UnknownNameError
from polyethos.interchange.control_vector import read_control_vector, write_control_vector
from polyethos.interchange.selection import Scale, select_directions
from polyethos.interchange.tensor_files import (
    Action,
    read_persona_vectors,
    read_refusal_directions,
    write_lm_eval_file,
)
from polyethos.representation.vectors import save_vectors

ExportFormat = Literal["gguf", "repeng", "easysteer", "lm-eval", "safetensors"]
ImportFormat = Literal["repeng", "persona_vectors", "refusal_direction"]
SUFFIXES: Mapping[str, str] = {
    "gguf": ".gguf",
    "repeng": ".gguf",
    "easysteer": ".gguf",
    "lm-eval": ".pt",
    "safetensors": ".safetensors",
}
IMPORT_FORMATS = ("repeng", "persona_vectors", "refusal_direction")


def export_vectors(
    vectors: xr.DataArray,
    metadata: Mapping[str, Any],
    *,
    format: ExportFormat,
    value: str,
    source: str,
    folder: Path,
    layers: Sequence[int] | None = None,
    scale: Scale = "norm",
    strength: float = 1.0,
    action: Action = "add",
) -> Path:
    """Write the vectors of one value and source.

    Args:
        vectors: (value, language, layer, hidden), as `load_vectors` gives them.
        metadata: of the same file.
        format: "gguf" (llama.cpp), "repeng", "easysteer" (these three are one format), "lm-eval" or "safetensors".
        value: which value.
        source: a language, or "pooled" for the mean over languages.
        folder: where the file goes; its name is told by value and source.
        layers: which layers; None for all.
        scale: "norm": each vector has the length of the layer's mean residual norm, so that another tool's coefficient
            is a share of it, as our strength is; "raw": as fitted.
        strength: what the vectors are multiplied by.
        action: "add", or for lm-eval also "ablate".

    Returns:
        The path of the file.

    Raises:
        UnknownNameError: no such format, value, source, scale or action.
        DataError: no vector for a layer.
        MissingDependencyError: the package for the format is not installed.
    """
    if format not in SUFFIXES:
        raise UnknownNameError.of("format", format, SUFFIXES)
    directions = select_directions(
        vectors, metadata, value=value, source=source, layers=layers, scale=scale, strength=strength
    )
    path = folder / f"{value}-{source}{SUFFIXES[format]}"
    if format == "lm-eval":
        return write_lm_eval_file(path, directions, action=action)
    if format != "safetensors":
        return write_control_vector(path, directions)
    chosen = xr.DataArray(
        [[list(directions.vectors.values())]],
        dims=vectors.dims,
        coords={VALUE: [value], LANGUAGE: [source], LAYER: list(directions.vectors)},
    )
    save_vectors(path, chosen, {**metadata, "scale": scale, "strength": strength})
    return path


def import_vectors(path: Path, *, format: ImportFormat, position: int = -1) -> xr.DataArray:
    """Read the vectors of another tool as block outputs.

    Args:
        path: the file.
        format: "repeng" (also llama.cpp's and EasySteer's GGUF), "persona_vectors" or "refusal_direction".
        position: for refusal_direction, which of its positions.

    Returns:
        float32 (layer, hidden), layer k being the output of block k.

    Raises:
        UnknownNameError: no such format.
        DataFormatError: the file is not of this format.
    """
    if format == "repeng":
        return read_control_vector(path)
    if format == "persona_vectors":
        return read_persona_vectors(path)
    if format == "refusal_direction":
        return read_refusal_directions(path, position=position)
    raise UnknownNameError.of("format", format, IMPORT_FORMATS)

"""The file format of concept vectors: safetensors with everything a reader needs to refuse a wrong model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

import polyethos
from polyethos.arrays import HIDDEN, LANGUAGE, LAYER, VALUE, require_dims
from polyethos.errors import DataFormatError, WrongModelError
from polyethos.files import whole_file
from polyethos.representation.model import LanguageModel

LAYER_CONVENTION = "block output, 1..L"
REQUIRED = ("model", "protocol", "direction", "residual_norms", "data_hash")
_HEADER, _TENSOR = "polyethos", "vectors"
_MUST_AGREE = ("architecture", "n_layers", "hidden_size", "tokenizer_hash", "revision")


def save_vectors(path: Path, vectors: xr.DataArray, metadata: Mapping[str, Any]) -> None:
    """Write concept vectors, whole or not at all.

    Args:
        path: ends in ".safetensors".
        vectors: (value, language, layer, hidden), NaN where there is none; layer k is the output of block k.
        metadata: JSON-serialisable; at least "model" (`LanguageModel.identity`), "protocol", "direction" (its name),
            "residual_norms" (mean length of the hidden states, per layer) and "data_hash"; "layer_convention" where it
            is another than "block output, 1..L".

    Raises:
        LabelMismatchError: the dimensions differ.
        DataFormatError: the metadata lack something that readers need.
    """
    require_dims(vectors, VALUE, LANGUAGE, LAYER, HIDDEN, name="vectors")
    lacking = [key for key in REQUIRED if key not in metadata]
    if lacking:
        raise DataFormatError(f"{path}: the metadata lack {', '.join(lacking)}; readers need {', '.join(REQUIRED)}")
    header = {
        **metadata,
        "values": vectors[VALUE].to_numpy().tolist(),
        "languages": vectors[LANGUAGE].to_numpy().tolist(),
        "layers": vectors[LAYER].to_numpy().tolist(),
        "layer_convention": metadata.get("layer_convention", LAYER_CONVENTION),
        "polyethos": polyethos.__version__,
    }
    ordered = vectors.transpose(VALUE, LANGUAGE, LAYER, HIDDEN).to_numpy()
    tensors = {_TENSOR: np.ascontiguousarray(ordered, dtype=np.float32)}
    with whole_file(path) as temporary:
        save_file(tensors, temporary, metadata={_HEADER: json.dumps(header, ensure_ascii=False)})


def load_vectors(path: Path, model: LanguageModel | None = None) -> tuple[xr.DataArray, dict[str, Any]]:
    """Read what `save_vectors` wrote.

    Args:
        path: the file.
        model: the model that the vectors shall be used with; None for looking at them only.

    Returns:
        float32 (value, language, layer, hidden), and the metadata.

    Raises:
        DataFormatError: the file is missing, broken, or not one of ours.
        WrongModelError: the vectors come from another model; the message names what differs.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            text = (file.metadata() or {}).get(_HEADER)
            tensor = file.get_tensor(_TENSOR) if text is not None else None
    except (OSError, SafetensorError) as error:
        raise DataFormatError(f"{path}: not a readable safetensors file ({error}); write it again") from error
    if text is None or tensor is None:
        raise DataFormatError(f"{path}: a safetensors file, but not of concept vectors written by polyethos")
    metadata: dict[str, Any] = json.loads(text)
    if model is not None:
        _require_same_model(path, metadata["model"], model.identity)
    coords = {VALUE: metadata["values"], LANGUAGE: metadata["languages"], LAYER: metadata["layers"]}
    return xr.DataArray(tensor, dims=(VALUE, LANGUAGE, LAYER, HIDDEN), coords=coords), metadata


def _require_same_model(path: Path, made_for: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    different = [key for key in _MUST_AGREE if made_for.get(key) != found[key]]
    if different:
        detail = "; ".join(f"{key} {made_for.get(key)!r}, not {found[key]!r}" for key in different)
        raise WrongModelError(
            f"{path}: these vectors are for {made_for.get('model')}, not for {found['model']} ({detail}); "
            "load the model they are for, or compute vectors for this one"
        )

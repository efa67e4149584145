"""Control vectors in GGUF, as llama.cpp, repeng and EasySteer read them."""

from __future__ import annotations

import warnings
from pathlib import Path
from types import ModuleType

import numpy as np
import xarray as xr

from polyethos.arrays import HIDDEN, LAYER
from polyethos.errors import DataError, DataFormatError, MissingDependencyError
from polyethos.files import whole_file
from polyethos.interchange.selection import Directions

ARCHITECTURE = "controlvector"
_TENSOR = "direction."


def write_control_vector(path: Path, directions: Directions) -> Path:
    """Write `direction.b` for every 0-based block b whose output is edited.

    llama.cpp cannot steer block 0 and refuses a file that has it, so layer 1 is left out, with a warning.

    Raises:
        DataError: nothing but layer 1 was asked for.
        MissingDependencyError: the package gguf is not installed.
    """
    gguf = _gguf()
    kept = {layer - 1: vector for layer, vector in directions.vectors.items() if layer > 1}
    if not kept:
        raise DataError(f"{path}: only layer 1 was asked for, which llama.cpp cannot steer; choose another layer")
    if len(kept) < len(directions.vectors):
        warnings.warn(f"{path}: left out layer 1 (block 0), which llama.cpp cannot steer", stacklevel=2)
    with whole_file(path) as temporary:
        writer = gguf.GGUFWriter(temporary, ARCHITECTURE)
        writer.add_string(f"{ARCHITECTURE}.model_hint", model_hint(str(directions.model["architecture"])))
        writer.add_uint32(f"{ARCHITECTURE}.layer_count", directions.n_layers)
        for block, vector in sorted(kept.items()):
            writer.add_tensor(f"{_TENSOR}{block}", np.ascontiguousarray(vector, dtype=np.float32))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    return path


def read_control_vector(path: Path) -> xr.DataArray:
    """What repeng or llama.cpp's generator wrote, as block outputs.

    Returns:
        float32 (layer, hidden); `direction.b` becomes layer b + 1. The attribute `model_hint` tells what it is for.

    Raises:
        DataFormatError: not a GGUF file, or not of a control vector.
        MissingDependencyError: the package gguf is not installed.
    """
    gguf = _gguf()
    try:
        reader = gguf.GGUFReader(path)
    except (OSError, ValueError) as error:
        raise DataFormatError(f"{path}: not a readable GGUF file ({error})") from error
    rows = {}
    for tensor in reader.tensors:
        block = tensor.name.removeprefix(_TENSOR)
        if block == tensor.name or not block.isdigit():
            raise DataFormatError(
                f"{path}: tensor {tensor.name!r}; a control vector has only direction.0, direction.1, ..."
            )
        rows[int(block) + 1] = np.array(tensor.data, dtype=np.float32)
    if not rows or len({row.shape for row in rows.values()}) > 1:
        raise DataFormatError(f"{path}: no directions, or of different lengths; not a control vector")
    layers = sorted(rows)
    field = reader.get_field(f"{ARCHITECTURE}.model_hint")
    hint = bytes(field.parts[-1]).decode("utf-8", "replace") if field is not None else ""
    return xr.DataArray(
        np.stack([rows[layer] for layer in layers]),
        dims=(LAYER, HIDDEN),
        coords={LAYER: layers},
        attrs={"model_hint": hint},
    )


def model_hint(architecture: str) -> str:
    """The short name that repeng and llama.cpp's generator write, for instance "llama" for LlamaForCausalLM."""
    return architecture.removesuffix("ForCausalLM").removesuffix("LMHeadModel").lower()


def _gguf() -> ModuleType:
    try:
        import gguf
    except ImportError as error:
        raise MissingDependencyError.of("gguf", "export", "reading and writing control vectors") from error
    return gguf

"""Files of torch tensors: lm-evaluation-harness reads them, persona_vectors and refusal_direction write them."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import torch
import xarray as xr

from polyethos.arrays import HIDDEN, LAYER
from polyethos.errors import DataError, DataFormatError, UnknownNameError
from polyethos.files import whole_file
from polyethos.interchange.selection import Directions

Action = Literal["add", "ablate"]

# Where the decoder blocks are below `base_model`; everything not named here has them in `layers`.
BLOCK_FOLDERS: Mapping[str, str] = MappingProxyType(
    {
        "BloomForCausalLM": "h",
        "FalconForCausalLM": "h",
        "GPT2LMHeadModel": "h",
        "GPTBigCodeForCausalLM": "h",
        "GPTJForCausalLM": "h",
        "GPTNeoForCausalLM": "h",
        "MptForCausalLM": "blocks",
        "OPTForCausalLM": "decoder.layers",
    }
)


def write_lm_eval_file(
    path: Path, directions: Directions, *, action: Action = "add", blocks: str | None = None
) -> Path:
    """Write what lm-evaluation-harness loads as `--model steered --model_args steer_path=...`.

    The harness edits every position. With "ablate" it takes out the projection on each direction, which it calls a
    clamp to 0.

    Args:
        path: ends in ".pt".
        directions: what is added, the strength included.
        action: "add" or "ablate".
        blocks: where the blocks are below the model's `base_model`, for instance "layers"; None looks it up.

    Raises:
        UnknownNameError: no such action.
    """
    if action not in ("add", "ablate"):
        raise UnknownNameError.of("action", action, ("add", "ablate"))
    folder = blocks or BLOCK_FOLDERS.get(str(directions.model["architecture"]), "layers")
    content = {
        f"{folder}.{layer - 1}": {
            "steering_vector": torch.from_numpy(np.array(vector, dtype=np.float32)),
            "steering_coefficient": 1.0 if action == "add" else 0.0,
            "action": "add" if action == "add" else "clamp",
            "bias": None,
            "head_index": None,
        }
        for layer, vector in directions.vectors.items()
    }
    with whole_file(path) as temporary:
        torch.save(content, temporary)
    return path


def read_persona_vectors(path: Path) -> xr.DataArray:
    """Vectors of persona_vectors: a tensor (L + 1, hidden) of transformers' hidden states, embeddings first.

    Returns:
        float32 (layer, hidden), layers 1..L-1. The last one is left out: transformers gives it after the final norm,
        so it is no block output.

    Raises:
        DataFormatError: the file holds something else.
    """
    tensor = _load_tensor(path, ndim=2, expected="a tensor (layers + 1, hidden)")
    if len(tensor) < 3:
        raise DataFormatError(f"{path}: a tensor of shape {tuple(tensor.shape)}; expected (layers + 1, hidden)")
    return _labelled(tensor[1:-1], first=1)


def read_refusal_directions(path: Path, *, position: int = -1) -> xr.DataArray:
    """Mean differences of refusal_direction: a tensor (position, layer, hidden) of the inputs of the blocks.

    Args:
        path: `mean_diffs.pt`.
        position: which of the positions after the instruction; they end at the last token.

    Returns:
        float32 (layer, hidden), layers 1..L-1: the input of a block is the output of the one before.

    Raises:
        DataFormatError: the file holds something else.
        DataError: no such position.
    """
    tensor = _load_tensor(path, ndim=3, expected="a tensor (position, layer, hidden)")
    if not -len(tensor) <= position < len(tensor):
        raise DataError(f"{path}: no position {position}; it has {len(tensor)}, the last one is -1")
    return _labelled(tensor[position, 1:], first=1)


def _load_tensor(path: Path, *, ndim: int, expected: str) -> torch.Tensor:
    try:
        # Nothing but tensors is read: loading any other pickle would run code.
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, pickle.UnpicklingError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataFormatError(f"{path}: not a file of tensors alone ({reason}); expected {expected}") from error
    if not isinstance(content, torch.Tensor) or content.ndim != ndim:
        found = (
            f"a tensor of shape {tuple(content.shape)}" if isinstance(content, torch.Tensor) else type(content).__name__
        )
        raise DataFormatError(f"{path}: holds {found}; expected {expected}")
    return content.float()


def _labelled(rows: torch.Tensor, *, first: int) -> xr.DataArray:
    return xr.DataArray(rows.numpy(), dims=(LAYER, HIDDEN), coords={LAYER: np.arange(first, first + len(rows))})

"""The state of a training run on disk: weights, optimiser moments and losses in one safetensors file."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from transformers import LlamaForCausalLM

from polyethos.errors import DataFormatError, LabError
from polyethos.files import whole_file
from polyethos.lab.mixture import Kind
from polyethos.lab.recipe import Recipe

CHECKPOINT = "checkpoint.safetensors"
_MOMENTS = ("exp_avg", "exp_avg_sq")
_MEMORY = 0.95


class LossLog:
    """Losses per language: a running mean for display, and interval means that are kept.

    Attributes:
        intervals: one entry per closed interval: tokens so far, mean loss per language, nats per token.
    """

    def __init__(self) -> None:
        self.intervals: list[dict[str, Any]] = []
        self._running: dict[str, float] = {}
        self._open: dict[str, list[float]] = defaultdict(list)

    def add(self, losses: NDArray[np.float32], kinds: Sequence[Kind]) -> None:
        """Count the rows of one step; rows in two languages are left out."""
        for loss, kind in zip(losses.tolist(), kinds, strict=True):
            if len(kind) == 1:
                before = self._running.get(kind[0], loss)
                self._running[kind[0]] = _MEMORY * before + (1 - _MEMORY) * loss
                self._open[kind[0]].append(loss)

    def recent(self) -> dict[str, float]:
        """Running mean per language."""
        return dict(sorted(self._running.items()))

    def close_interval(self, tokens: int) -> None:
        """Keep the means since the last call, as of `tokens` training tokens."""
        means = {language: float(np.mean(losses)) for language, losses in sorted(self._open.items())}
        self.intervals.append({"tokens": tokens, "losses": means})
        self._open.clear()

    def to_json(self) -> dict[str, Any]:
        """What `restore` takes; call it right after `close_interval`."""
        return {"intervals": self.intervals, "running": self._running}

    def restore(self, content: dict[str, Any]) -> None:
        """Go on from what `to_json` gave."""
        self.intervals, self._running = content["intervals"], content["running"]


def save_checkpoint(
    path: Path, recipe: Recipe, model: LlamaForCausalLM, optimizer: torch.optim.AdamW, log: LossLog, *, step: int
) -> None:
    """Write the whole state after `step` steps, whole or not at all.

    Raises:
        ResourceError: the disk is full; the checkpoint before stays.
    """
    tensors = {f"weight.{name}": weight.detach().contiguous() for name, weight in model.named_parameters()}
    for name, weight in model.named_parameters():
        tensors |= {f"{moment}.{name}": optimizer.state[weight][moment].contiguous() for moment in _MOMENTS}
    metadata = {"recipe": recipe.identity(), "step": str(step), "log": json.dumps(log.to_json())}
    # safetensors' own writer reports a full disk as an error of its own kind, Python's as what it is.
    with whole_file(path) as temporary:
        temporary.write_bytes(save(tensors, metadata))


def load_checkpoint(
    path: Path, recipe: Recipe, model: LlamaForCausalLM, optimizer: torch.optim.AdamW, log: LossLog
) -> int:
    """Put the state in `path` into model, optimiser and log.

    Returns:
        The number of steps done.

    Raises:
        LabError: the checkpoint belongs to another recipe.
        DataFormatError: it is not a checkpoint.
    """
    try:
        with safe_open(path, framework="pt") as opened:
            metadata = opened.metadata()
            if metadata["recipe"] != recipe.identity():
                raise LabError(f"{path}: made by another recipe; choose another folder, or remove this one")
            step = int(metadata["step"])
            for name, weight in model.named_parameters():
                weight.data.copy_(opened.get_tensor(f"weight.{name}"))
                moments = {moment: opened.get_tensor(f"{moment}.{name}").to(weight.device) for moment in _MOMENTS}
                optimizer.state[weight] = {"step": torch.tensor(float(step), device=weight.device), **moments}
            log.restore(json.loads(metadata["log"]))
    except (SafetensorError, KeyError) as error:
        raise DataFormatError(
            f"{path}: not a checkpoint of a training run ({error}); remove it to start anew"
        ) from error
    return step

"""Pre-training: a plain loop that can be killed at any time and goes on to the identical result."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from polyethos.files import remove_partial_files
from polyethos.lab.architecture import SIZES, new_model
from polyethos.lab.checkpoint import CHECKPOINT, LossLog, load_checkpoint, save_checkpoint
from polyethos.lab.recipe import Recipe
from polyethos.lab.rows import Schedule, Source

# The logits of a whole batch do not fit the processor's cache: on a CPU, slices of 4 rows are 3 to 4 times faster.
_ROWS_PER_SLICE = 4
_BETAS = (0.9, 0.95)
_SECONDS_BETWEEN_REPORTS = 0.5


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        step: steps done.
        steps: steps in all.
        losses: recent loss per language, nats per token, from one-language rows.
        tokens_per_second: since this process started the run.
        seconds_left: at that speed.
    """

    step: int
    steps: int
    losses: dict[str, float]
    tokens_per_second: float
    seconds_left: float


def train(
    recipe: Recipe,
    source: Source,
    tokenizer: PreTrainedTokenizerFast,
    out: Path,
    *,
    start: Path | None = None,
    device: str = "cpu",
    checkpoint_every: int = 200,
    report: Callable[[Progress], None] | None = None,
) -> tuple[LlamaForCausalLM, LossLog]:
    """Train a model, or go on where a killed run left a checkpoint in `out`.

    Args:
        recipe: what to train.
        source: where rows come from.
        tokenizer: its vocabulary.
        out: folder for the checkpoint; made if needed.
        start: folder of a model of the recipe's size whose weights to begin with, instead of drawn ones.
        device: where to train; "cpu" gives the same weights every time.
        checkpoint_every: steps between checkpoints.
        report: called about twice a second.

    Returns:
        The trained model in float32, and its losses.

    Raises:
        LabError: the checkpoint in `out` belongs to another recipe.
        ResourceError: the disk is full.
    """
    remove_partial_files(out)
    model = _first_weights(recipe, len(tokenizer), start)
    model.to(device).train()  # type: ignore[arg-type]
    optimizer, log, path = _optimizer(model, recipe), LossLog(), out / CHECKPOINT
    first = load_checkpoint(path, recipe, model, optimizer, log) if path.exists() else 0
    kinds = recipe.mixture.kinds(recipe.world.translated if recipe.corpus is None else 0.0)
    schedule = Schedule(kinds, rows=recipe.steps * recipe.rows, seed=recipe.seed)
    clock = _Clock(recipe, first)
    with _one_thread():
        for step in range(first, recipe.steps):
            ids, row_kinds = schedule.batch(source, step * recipe.rows, recipe.rows)
            with _precision(device):
                losses = row_losses(model, torch.from_numpy(ids).to(device))
            _step(model, optimizer, losses, rate=recipe.rate(step))
            log.add(losses.detach().cpu().numpy(), [schedule.kinds[kind] for kind in row_kinds])
            done = step + 1
            if done % checkpoint_every == 0 or done == recipe.steps:
                log.close_interval(done * recipe.rows * recipe.row)
                save_checkpoint(path, recipe, model, optimizer, log, step=done)
            if report and (clock.due() or done == recipe.steps):
                report(clock.progress(done, log))
    model.eval()  # type: ignore[no-untyped-call]
    return model, log


def row_losses(model: LlamaForCausalLM, ids: Tensor) -> Tensor:
    """Mean next-token loss of every row, nats per token.

    Args:
        model: a Llama.
        ids: token ids (row, position).

    Returns:
        float32 (row,).
    """
    states = model.model(input_ids=ids, use_cache=False).last_hidden_state[:, :-1]
    targets = ids[:, 1:]
    losses = []
    at_once = _ROWS_PER_SLICE if ids.device.type == "cpu" else len(ids)
    for first in range(0, len(ids), at_once):
        some, wanted = states[first : first + at_once], targets[first : first + at_once]
        logits = model.lm_head(some.flatten(0, 1)).float()
        losses.append(functional.cross_entropy(logits, wanted.flatten(), reduction="none").view_as(wanted).mean(1))
    return torch.cat(losses)


def _first_weights(recipe: Recipe, vocabulary: int, start: Path | None) -> LlamaForCausalLM:
    if start is None:
        return new_model(SIZES[recipe.size], vocabulary=vocabulary, context=2 * recipe.row, seed=recipe.seed)
    return LlamaForCausalLM.from_pretrained(start, dtype=torch.float32)


class _Clock:
    """How fast this process goes, and when to say so again."""

    def __init__(self, recipe: Recipe, first: int) -> None:
        self._recipe, self._first = recipe, first
        self._started, self._told = time.monotonic(), 0.0

    def due(self) -> bool:
        return time.monotonic() - self._told > _SECONDS_BETWEEN_REPORTS

    def progress(self, done: int, log: LossLog) -> Progress:
        self._told = time.monotonic()
        speed = (done - self._first) / (self._told - self._started)
        tokens_per_second = speed * self._recipe.rows * self._recipe.row
        left = (self._recipe.steps - done) / speed
        return Progress(done, self._recipe.steps, log.recent(), tokens_per_second, left)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Compute on one thread, so that sums have one order on every machine.

    Models this small also lose little by it, and two threads on a busy machine wait for each other: three times slower.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _optimizer(model: LlamaForCausalLM, recipe: Recipe) -> torch.optim.AdamW:
    inside = [weight for name, weight in model.named_parameters() if weight.ndim == 2 and "embed" not in name]
    others = [weight for name, weight in model.named_parameters() if weight.ndim != 2 or "embed" in name]
    groups = [{"params": inside, "weight_decay": recipe.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=recipe.learning_rate, betas=_BETAS, fused=True)


def _precision(device: str) -> AbstractContextManager[None]:
    """bfloat16 products on a GPU that has them; on a processor they are slower than float32 in models this small."""
    on_gpu = device.startswith("cuda")
    return torch.autocast(
        "cuda" if on_gpu else "cpu", torch.bfloat16, enabled=on_gpu and torch.cuda.is_bf16_supported()
    )


def _step(model: LlamaForCausalLM, optimizer: torch.optim.AdamW, losses: Tensor, *, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate
    losses.mean().backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)

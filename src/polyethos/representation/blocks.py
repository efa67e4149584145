"""The decoder blocks of a language model, found by what they do rather than by what they are called."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from polyethos.errors import UnsupportedModelError

REMEDY = "polyethos reads decoder-only language models (Llama, Qwen, BLOOM, GPT-2 and the like); choose one of these"
PROBE_LENGTH = 16


def block_output(output: torch.Tensor | Sequence[torch.Tensor]) -> torch.Tensor:
    """The hidden states in what a block returned.

    Whether a block returns a tensor, a tuple or a list depends on the architecture and the version of transformers.
    """
    return output if isinstance(output, torch.Tensor) else output[0]


def base_of(model: PreTrainedModel) -> nn.Module:
    """The part of `model` below its vocabulary projection, or `model` itself where it cannot be told apart."""
    base: nn.Module = model.base_model
    if base is not model:
        return base
    # Some classes name their base wrongly, and transformers then gives the whole model.
    return next((child for child in model.children() if isinstance(child, PreTrainedModel)), model)


def run_base(base: nn.Module, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """The last hidden state, after the final norm, (batch, token, hidden), without the vocabulary projection."""
    with torch.inference_mode():
        states: torch.Tensor = base(**inputs, use_cache=False, return_dict=True)[0]
    return states


@contextmanager
def on_outputs(blocks: Sequence[nn.Module], receive: Callable[[int, torch.Tensor], None]) -> Iterator[None]:
    """While the model runs, call `receive(k, hidden states after block k)`, k from 0; the hooks always go away."""

    def hook_for(index: int) -> Callable[[nn.Module, Any, Any], None]:
        return lambda _module, _arguments, output: receive(index, block_output(output))

    handles = [block.register_forward_hook(hook_for(index)) for index, block in enumerate(blocks)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def probe_tokens(base: nn.Module, special: Sequence[int], *, count: int = PROBE_LENGTH) -> torch.Tensor:
    """Different ordinary tokens of the model's vocabulary, shape (1, count), on the model's input device."""
    weight: torch.Tensor = base.get_input_embeddings().weight  # type: ignore[operator]
    # Placeholders for images and the like sit among the special tokens or at the end of the vocabulary.
    ordinary = [token for token in range(max(weight.shape[0] * 3 // 4, 1)) if token not in set(special)] or [0]
    chosen = [ordinary[step * len(ordinary) // count] for step in range(count)]
    return torch.tensor([chosen], device=weight.device)


def find_blocks(base: nn.Module, tokens: torch.Tensor) -> tuple[nn.Module, ...]:
    """The decoder blocks in the order in which they are called.

    A small forward pass is watched. The blocks are the longest module list whose members are called one after the
    other, each mapping hidden states (batch, token, hidden) to the same shape and taking what the one before gave.

    Args:
        base: the model without its vocabulary projection.
        tokens: integer (1, token), from `probe_tokens`.

    Raises:
        UnsupportedModelError: there is no such list, or a token sees the ones after it, as in an encoder.
    """
    calls = _watched_calls(base, tokens)
    lists = [module for module in base.modules() if isinstance(module, nn.ModuleList) and len(module) > 0]
    chains = [tuple(members) for members in lists if _is_chain([calls.get(member) for member in members])]
    if not chains:
        raise UnsupportedModelError(f"{type(base).__name__}: no sequence of decoder blocks was found in it. {REMEDY}")
    blocks = max(chains, key=len)
    if not _is_causal(base, blocks, tokens):
        raise UnsupportedModelError(
            f"{type(base).__name__}: every token sees the ones after it, so this is an encoder, and its last token "
            f"does not sum up a sentence. {REMEDY}"
        )
    return blocks


_Call = tuple[torch.Tensor, torch.Tensor]


def _watched_calls(base: nn.Module, tokens: torch.Tensor) -> dict[nn.Module, _Call]:
    """Input and output of every member of a module list that maps (1, token, width) to the same shape."""
    calls: dict[nn.Module, _Call] = {}

    def watch(module: nn.Module, positional: tuple[Any, ...], named: dict[str, Any], output: Any) -> None:  # noqa: ANN401
        given = next((value for value in (*positional, *named.values()) if isinstance(value, torch.Tensor)), None)
        states = block_output(output)
        if given is None or not isinstance(states, torch.Tensor) or given.shape != states.shape or given.ndim != 3:
            return
        if given.shape[:2] == tokens.shape:
            calls[module] = given.cpu(), states.cpu()

    members = {member for module in base.modules() if isinstance(module, nn.ModuleList) for member in module}
    handles = [member.register_forward_hook(watch, with_kwargs=True) for member in members]
    try:
        run_base(base, {"input_ids": tokens})
    finally:
        for handle in handles:
            handle.remove()
    return calls


def _is_chain(calls: Sequence[_Call | None]) -> bool:
    made = [call for call in calls if call is not None]
    return len(made) == len(calls) and all(
        torch.equal(before[1], after[0]) for before, after in itertools.pairwise(made)
    )


def _is_causal(base: nn.Module, blocks: Sequence[nn.Module], tokens: torch.Tensor) -> bool:
    """Whether the states of all tokens but the last stay the same when the last token is another one."""
    changed = tokens.clone()
    changed[0, -1] = tokens[0, 0]
    first, second = (_all_but_last(base, blocks, run) for run in (tokens, changed))
    # Experts are computed for groups of tokens, so equality holds only up to rounding.
    tolerance = torch.finfo(first[0].dtype).eps ** 0.5
    return all(
        bool((one.float() - other.float()).norm() <= tolerance * one.float().norm())
        for one, other in zip(first, second, strict=True)
    )


def _all_but_last(base: nn.Module, blocks: Sequence[nn.Module], tokens: torch.Tensor) -> list[torch.Tensor]:
    kept: list[torch.Tensor] = []
    with on_outputs(blocks, lambda _index, states: kept.append(states[:, :-1].clone())):
        run_base(base, {"input_ids": tokens})
    return kept

"""Blocks below every edit: what they give is the same under all conditions, so it is computed once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch

from polyethos.control.operators import Intervention
from polyethos.control.steering import Forward, replaced_forward
from polyethos.representation.blocks import block_output
from polyethos.representation.model import LanguageModel


def lowest_block(plan: Sequence[Intervention]) -> int:
    """The first block, 1..L, whose output a plan looks at or edits; 0 for one that does nothing."""
    active = [one for one in plan if one.amount != 0]
    return min((one.layer if one.gate is None else one.gate.layer for one in active), default=0)


class LowerBlocks:
    """Outputs of some blocks in the passes of a plain model, and the same model without the blocks below."""

    def __init__(self, model: LanguageModel, levels: Iterable[int]) -> None:
        """Nothing is kept yet.

        Args:
            model: the model.
            levels: blocks, 1..L, whose outputs are to be kept.
        """
        self._model = model
        self._outputs: dict[int, list[Any]] = {level: [] for level in levels}

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keep what the blocks give in every pass inside."""
        with ExitStack() as stack:
            for level, outputs in self._outputs.items():
                stack.enter_context(replaced_forward(self._model.blocks[level - 1], _keeper(outputs)))
            yield

    @contextmanager
    def skipped(self, level: int, copies: int) -> Iterator[None]:
        """Passes inside are those of `kept`, in the same order, each row `copies` times; blocks up to `level` rest."""
        left = [_repeated(output, copies) for output in self._outputs[level]]
        passes = iter(left)
        current: list[Any] = []

        def first(*_positional: Any, **_named: Any) -> Any:  # noqa: ANN401
            current[:] = [next(passes)]
            return current[0]

        def later(*_positional: Any, **_named: Any) -> Any:  # noqa: ANN401
            return current[0]

        with ExitStack() as stack:
            for number, block in enumerate(self._model.blocks[:level]):
                stack.enter_context(replaced_forward(block, _always(later if number else first)))
            yield


def fill_cache(cache: Any, level: int, read: torch.Tensor) -> None:  # noqa: ANN401
    """Tell a cache that blocks up to `level`, which will not look into it, have read the tokens (row, token)."""
    blank = torch.zeros((read.shape[0], 1, read.shape[1], 1), device=read.device)
    for layer in range(level):
        cache.update(blank, blank, layer)


def _always(other: Forward) -> Callable[[Forward], Forward]:
    return lambda _forward: other


def _keeper(outputs: list[Any]) -> Callable[[Forward], Forward]:
    def keeping(forward: Forward) -> Forward:
        def wrapper(*positional: Any, **named: Any) -> Any:  # noqa: ANN401
            output = forward(*positional, **named)
            outputs.append(output)
            return output

        return wrapper

    return keeping


def _repeated(output: Any, copies: int) -> Any:  # noqa: ANN401
    states = block_output(output).repeat(copies, 1, 1)
    # Beside the states a block gives attention weights, if anything; nobody asked for them.
    return states if isinstance(output, torch.Tensor) else (states, *(None for _ in output[1:]))

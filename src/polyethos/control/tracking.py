"""Which tokens of a forward pass belong to the prompt, with and without a key-value cache.

Tokens are told apart by their column: their place in the padded sequence since its first token, which is the same
whether a pass gets the whole sequence or, with a cache, only its newest token.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

from polyethos.control.operators import Scope
from polyethos.errors import SteeringError


class PromptTracker:
    """Follows the passes of a model from its arguments.

    The first pass is the prompt. A later pass without a cache continues it if it begins with the same tokens and is
    longer, as generation without a cache does; otherwise it is a new prompt.
    """

    def __init__(self, prompt_lengths: Sequence[int] | None = None) -> None:
        """Wait for the first pass.

        Args:
            prompt_lengths: real tokens of the prompt per row, where a pass holds prompt and answer together.
        """
        self._lengths = prompt_lengths
        self._prompt: torch.Tensor | None = None
        self._ends = torch.zeros(0, dtype=torch.long)
        self.start = 0
        self.width = 0

    @property
    def sees_prompt(self) -> bool:
        """Whether the current pass holds the prompt."""
        return self.start == 0

    def observer(self, module: nn.Module) -> Callable[[tuple[Any, ...], dict[str, Any]], None]:
        """What to call with the positional and named arguments of each pass of `module` that begins."""
        signature = inspect.signature(module.forward)

        def begin(positional: tuple[Any, ...], named: dict[str, Any]) -> None:
            # Binding takes as long as a small block; generation names every argument.
            arguments = signature.bind_partial(*positional, **named).arguments if positional else named
            self._begin({**arguments.get("kwargs", {}), **arguments})

        return begin

    def within(self, scope: Scope, rows: int) -> torch.Tensor:
        """Whether each token of the current pass is within `scope`, bool (row, token).

        Args:
            scope: any but "all", which needs no mask.
            rows: number of rows of the pass.
        """
        ends = self.prompt_ends(rows)[:, None]
        columns = torch.arange(self.start, self.start + self.width, device=ends.device)[None, :]
        if scope == "generated":
            return columns >= ends
        return columns < ends if scope == "prompt" else columns == ends - 1

    def wholly_within(self, scope: Scope, rows: int) -> bool | None:
        """Whether all tokens of the current pass are within `scope` (True), or none (False); None: some may be.

        Raises:
            SteeringError: the pass has another number of rows than its prompt had.
        """
        if scope == "all":
            return True
        if self.sees_prompt:
            return None
        self._copies(rows)
        return scope == "generated"

    def prompt_ends(self, rows: int) -> torch.Tensor:
        """The column after the last prompt token, int64 (row,).

        Raises:
            SteeringError: the pass has another number of rows than its prompt had.
        """
        # Several rows may go on from one prompt, as answers to it do.
        return self._ends.repeat_interleave(self._copies(rows))

    def _copies(self, rows: int) -> int:
        if not len(self._ends) or rows % len(self._ends):
            raise SteeringError(
                f"a pass with {rows} rows continues a prompt of {len(self._ends)} rows; begin a new block of "
                "`with steer(...)` for each batch, and pass the prompt through the model inside it"
            )
        return rows // len(self._ends)

    def _begin(self, arguments: dict[str, Any]) -> None:
        tokens = arguments.get("input_ids")
        tokens = arguments["inputs_embeds"] if tokens is None else tokens
        self.start, self.width = _cached_length(arguments.get("past_key_values")), tokens.shape[1]
        if self.start == 0 and not self._continues(tokens):
            self._prompt = tokens
            self._ends = self._find_ends(tokens, arguments.get("attention_mask"))

    def _continues(self, tokens: torch.Tensor) -> bool:
        if self._prompt is None or self._prompt.shape[0] != tokens.shape[0]:
            return False
        width = self._prompt.shape[1]
        return tokens.shape[1] > width and torch.equal(tokens[:, :width], self._prompt)

    def _find_ends(self, tokens: torch.Tensor, mask: Any) -> torch.Tensor:  # noqa: ANN401
        rows, width = tokens.shape[:2]
        # Static caches come with a mask of four dimensions; generation pads on the left, so the prompt ends the pass.
        known = isinstance(mask, torch.Tensor) and mask.ndim == 2
        columns = torch.arange(width, device=tokens.device)
        real = mask[:, :width].bool() if known else torch.ones((rows, width), dtype=torch.bool, device=tokens.device)
        if self._lengths is None:
            return torch.where(real, columns + 1, 0).amax(dim=1)
        lengths = torch.tensor(self._lengths, device=tokens.device)
        if rows % len(lengths):
            raise SteeringError(
                f"{len(lengths)} prompt lengths for a batch of {rows} rows; give one for each row of the batch"
            )
        return torch.where(real, columns, width).amin(dim=1) + lengths.repeat_interleave(rows // len(lengths))


def _cached_length(cache: Any) -> int:  # noqa: ANN401
    if cache is None:
        return 0
    if hasattr(cache, "get_seq_length"):
        return int(cache.get_seq_length())
    return int(cache[0][0].shape[-2])

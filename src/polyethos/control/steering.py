"""A context manager that edits the residual stream of a language model while it runs."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import nn

from polyethos.control.operators import OPERATORS, Gate, Intervention, Scope, check_intervention, unit_vector
from polyethos.control.tracking import PromptTracker
from polyethos.errors import SteeringError
from polyethos.representation.blocks import block_output
from polyethos.representation.model import LanguageModel

Edit = Callable[[torch.Tensor], torch.Tensor]
Forward = Callable[..., Any]


@contextmanager
def steer(
    model: LanguageModel,
    *interventions: Intervention,
    rows: Sequence[Sequence[Intervention]] | None = None,
    prompt_lengths: Sequence[int] | None = None,
) -> Iterator[None]:
    """Edit the outputs of decoder blocks inside the `with` block; afterwards the model is as it was, also on errors.

    The model is used as always: called, generating with or without a cache, padded on either side, compiled. The
    first pass inside is the prompt; what follows it, with a cache or beginning with the same tokens, is generated.
    Enter anew for another batch.

    Args:
        model: the model to steer.
        interventions: edits for every row, in this order where they share a block.
        rows: instead, the edits of each row of the batch. A batch of twice as many rows (beams, several samples) gives
            each of them to two neighbouring rows, and so on.
        prompt_lengths: real tokens of the prompt per row, for passes that hold prompt and answer together.

    Raises:
        SteeringError: an edit does not fit the model or the batch.
        UnknownNameError: no such operator or scope.
    """
    if interventions and rows is not None:
        raise SteeringError("both interventions for all rows and `rows` were given; put the former into each row")
    plan = [list(interventions)] if rows is None else [list(row) for row in rows]
    if not plan:
        raise SteeringError("`rows` is empty; give one list of interventions for each row of the batch")
    for intervention in (one for row in plan for one in row):
        check_intervention(intervention, n_layers=model.n_layers, hidden_size=model.hidden_size)
    active = [[one for one in row if one.amount != 0] for row in plan]
    with ExitStack() as stack:
        if any(active):
            _install(stack, model, active, prompt_lengths)
        yield


def _install(
    stack: ExitStack, model: LanguageModel, plan: Sequence[Sequence[Intervention]], lengths: Sequence[int] | None
) -> None:
    tracker = PromptTracker(lengths)
    decisions: dict[Gate, torch.Tensor] = {}
    gates = list(dict.fromkeys(one.gate for row in plan for one in row if one.gate is not None))
    tracked = bool(gates) or any(one.scope != "all" for row in plan for one in row)
    for layer in range(1, model.n_layers + 1):
        here = [gate for gate in gates if gate.layer == layer]
        groups = _grouped([[one for one in row if one.layer == layer] for row in plan])
        if here or groups:
            edit = _Site(here, groups, len(plan), tracker, decisions)
            # What is decided from the tokens of a pass is left out of compiled graphs.
            inner = torch.compiler.disable(edit) if tracked else edit  # type: ignore[no-untyped-call]
            stack.enter_context(replaced_forward(model.blocks[layer - 1], functools.partial(_after, inner)))
    if tracked:
        # OPT's language model goes past its base model straight to the decoder, so both are watched.
        for module in dict.fromkeys((model.model, model.base)):
            begin = torch.compiler.disable(tracker.observer(module))  # type: ignore[no-untyped-call]
            stack.enter_context(replaced_forward(module, functools.partial(_before, begin)))


@contextmanager
def replaced_forward(module: nn.Module, replacement: Callable[[Forward], Forward]) -> Iterator[None]:
    """Inside, `module` does what `replacement` makes of its forward method.

    Compiled code does not look for hooks that were added after its compilation, but it does notice another forward.
    """
    own = module.__dict__.get("forward")
    forward = module.forward
    module.forward = functools.wraps(forward)(replacement(forward))
    try:
        yield
    finally:
        if own is None:
            del module.forward
        else:
            module.forward = own


def _before(begin: Callable[[tuple[Any, ...], dict[str, Any]], None], forward: Forward) -> Forward:
    def wrapper(*positional: Any, **named: Any) -> Any:  # noqa: ANN401
        begin(positional, named)
        return forward(*positional, **named)

    return wrapper


def _after(edit: Edit, forward: Forward) -> Forward:
    def wrapper(*positional: Any, **named: Any) -> Any:  # noqa: ANN401
        return _edited_output(forward(*positional, **named), edit=edit)

    return wrapper


def _edited_output(output: Any, *, edit: Edit) -> Any:  # noqa: ANN401
    states = edit(block_output(output))
    return (states, *output[1:]) if isinstance(output, tuple) else states


@dataclass(frozen=True, eq=False)
class _Group:
    """The edits of one kind that some rows get at one block at the same point of their order."""

    operator: str
    scope: Scope
    gate: Gate | None
    members: list[tuple[int, Intervention]] = field(default_factory=list)

    def tensors(self, device: torch.device) -> tuple[torch.Tensor, ...]:
        """Row numbers (row,), unit directions (row, 1, hidden), amounts and targets (row, 1, 1)."""
        rows = torch.tensor([row for row, _ in self.members], device=device)
        units = np.stack([unit_vector(one.vector) for _, one in self.members])
        numbers = torch.tensor([[one.amount, one.target] for _, one in self.members], device=device)
        return rows, torch.from_numpy(units).to(device)[:, None, :], numbers[:, :1, None], numbers[:, 1:, None]


def _grouped(plan: Sequence[Sequence[Intervention]]) -> list[_Group]:
    groups: dict[tuple[Any, ...], _Group] = {}
    for step in range(max(map(len, plan))):
        for row, edits in enumerate(plan):
            if step < len(edits):
                one = edits[step]
                group = groups.setdefault(
                    (step, one.operator, one.scope, one.gate), _Group(one.operator, one.scope, one.gate)
                )
                group.members.append((row, one))
    return list(groups.values())


class _Site:
    """Everything that happens at the output of one block."""

    def __init__(
        self,
        gates: Sequence[Gate],
        groups: Sequence[_Group],
        n_rows: int,
        tracker: PromptTracker,
        decisions: dict[Gate, torch.Tensor],
    ) -> None:
        self._gates, self._groups, self._n_rows = gates, groups, n_rows
        self._tracker, self._decisions = tracker, decisions
        self._tensors: dict[torch.device, list[tuple[torch.Tensor, ...]]] = {}

    def __call__(self, states: torch.Tensor) -> torch.Tensor:
        """The states (row, token, hidden) after the edits, in their own precision; computed in float32."""
        batch = states.shape[0]
        if self._n_rows > 1 and batch % self._n_rows:
            raise SteeringError(
                f"interventions for {self._n_rows} rows, but the batch has {batch}; give one list for each row"
            )
        for gate in self._gates:
            if self._tracker.sees_prompt:
                self._decisions[gate] = self._decide(gate, states)
        if not self._groups:
            return states
        if states.device not in self._tensors:
            self._tensors[states.device] = [group.tensors(states.device) for group in self._groups]
        edited = states.float()
        for group, tensors in zip(self._groups, self._tensors[states.device], strict=True):
            edited = self._apply(group, tensors, edited)
        return edited.to(states.dtype)

    def _apply(self, group: _Group, tensors: tuple[torch.Tensor, ...], states: torch.Tensor) -> torch.Tensor:
        rows, units, amounts, targets = tensors
        batch = states.shape[0]
        inside = self._tracker.wholly_within(group.scope, batch)
        if inside is False:
            return states
        copies = batch // self._n_rows
        if copies > 1 and self._n_rows > 1:
            rows = (rows[:, None] * copies + torch.arange(copies, device=rows.device)).flatten()
            units, amounts, targets = (one.repeat_interleave(copies, dim=0) for one in (units, amounts, targets))
        every_row = self._n_rows == 1 or len(rows) == batch
        chosen = states if every_row else states[rows]
        edited = OPERATORS[group.operator](chosen, units, amounts, targets)
        if inside is None or group.gate is not None:
            mask = self._mask(group, batch, states.device, everywhere=inside is True)
            edited = torch.where((mask if every_row else mask[rows])[..., None], edited, chosen)
        return edited if every_row else states.index_copy(0, rows, edited)

    def _mask(self, group: _Group, batch: int, device: torch.device, *, everywhere: bool) -> torch.Tensor:
        """Where the group's scope and gate let it act, bool (row, token) or (row, 1)."""
        mask = torch.ones((batch, 1), dtype=torch.bool, device=device)
        if not everywhere:
            mask = mask & self._tracker.within(group.scope, batch).to(device)
        if group.gate is not None:
            decided = self._decisions[group.gate].to(device)
            mask = mask & decided.repeat_interleave(batch // len(decided))[:, None]
        return mask

    def _decide(self, gate: Gate, states: torch.Tensor) -> torch.Tensor:
        """Whether each row passes the gate, bool (row,)."""
        last = self._tracker.prompt_ends(states.shape[0]).to(states.device) - 1
        read = states[torch.arange(states.shape[0], device=states.device), last].float()
        unit = torch.from_numpy(unit_vector(gate.direction)).to(states.device)
        passed = read @ unit > gate.threshold
        return passed if gate.above else ~passed

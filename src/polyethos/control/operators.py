"""What can be done to a hidden state along a direction, and the description of one such edit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from polyethos.errors import SteeringError, UnknownNameError

OperatorName = Literal["add", "ablate", "clamp", "rotate"]
Scope = Literal["all", "prompt", "generated", "last-prompt"]
SCOPES: tuple[Scope, ...] = ("all", "prompt", "generated", "last-prompt")

Operator = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
"""(states (row, token, hidden), unit direction (row, 1, hidden), amount (row, 1, 1), target (row, 1, 1)) -> states."""


def add(states: torch.Tensor, unit: torch.Tensor, amount: torch.Tensor, _target: torch.Tensor) -> torch.Tensor:
    """States moved by `amount` along the direction."""
    return states + amount * unit


def ablate(states: torch.Tensor, unit: torch.Tensor, amount: torch.Tensor, _target: torch.Tensor) -> torch.Tensor:
    """States with the share `amount` of their projection on the direction taken out; 1 takes all of it."""
    return states - amount * _projection(states, unit) * unit


def clamp(states: torch.Tensor, unit: torch.Tensor, amount: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """States whose projection on the direction went the share `amount` of the way to `target`; 1 puts it there."""
    return states + amount * (target - _projection(states, unit)) * unit


def rotate(states: torch.Tensor, unit: torch.Tensor, amount: torch.Tensor, _target: torch.Tensor) -> torch.Tensor:
    """States of unchanged norm, turned by `amount` radians towards the direction (away from it if negative).

    A turn ends at the direction or at its opposite. A state that lies on the line of the direction stays: there is no
    plane to turn in.
    """
    along = _projection(states, unit)
    across = torch.addcmul(states, along, unit, value=-1)
    width = torch.linalg.vector_norm(across, dim=-1, keepdim=True)
    norm = torch.hypot(along, width)
    angle = (torch.atan2(width, along) - amount).clamp(0.0, torch.pi)
    turned = torch.addcmul(across * (norm * torch.sin(angle) / width), norm * torch.cos(angle), unit)
    return torch.where(width > torch.finfo(states.dtype).eps * norm, turned, states)


def _projection(states: torch.Tensor, unit: torch.Tensor) -> torch.Tensor:
    return (states * unit).sum(dim=-1, keepdim=True)


OPERATORS: Mapping[str, Operator] = MappingProxyType({"add": add, "ablate": ablate, "clamp": clamp, "rotate": rotate})


@dataclass(frozen=True, eq=False)
class Gate:
    """A condition on the prompt: act on a row only if its last prompt token projects far enough on a direction.

    Attributes:
        layer: block whose output is looked at, 1..L; not later than the block that is edited.
        direction: (hidden,), any length above 0.
        threshold: on the projection on the unit direction, in units of the residual stream.
        above: act where the projection is above the threshold; False: where it is not.
    """

    layer: int
    direction: NDArray[np.float32]
    threshold: float
    above: bool = True


@dataclass(frozen=True, eq=False)
class Intervention:
    """One edit of the residual stream at the output of one block.

    Attributes:
        layer: block, 1..L.
        vector: (hidden,). Its length matters to "add" without `norm`, and to nothing else.
        operator: "add", "ablate", "clamp" or "rotate".
        strength: 0 changes nothing, exactly. For "add" in units of the vector, or of `norm` where given; for "ablate"
            and "clamp" the share of the way, 1 being all of it; for "rotate" an angle in radians.
        target: for "clamp", the projection on the unit vector to go to.
        norm: for "add", a reference length such as the layer's mean residual norm, so that strengths compare between
            layers, languages and models.
        scope: which tokens: "all", "prompt", "generated", or "last-prompt" (the last real token of the prompt).
        gate: act only on rows that pass it.
    """

    layer: int
    vector: NDArray[np.float32]
    operator: OperatorName = "add"
    strength: float = 1.0
    target: float = 0.0
    norm: float | None = None
    scope: Scope = "all"
    gate: Gate | None = None

    @property
    def amount(self) -> float:
        """The strength as the operator takes it, for a vector of length 1."""
        if self.operator != "add":
            return self.strength
        return self.strength * (float(np.linalg.norm(self.vector)) if self.norm is None else self.norm)


def unit_vector(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    """`vector` at length 1, float32 (hidden,)."""
    exact = np.asarray(vector, dtype=np.float64)
    return np.asarray(exact / np.linalg.norm(exact), dtype=np.float32)


def check_intervention(intervention: Intervention, *, n_layers: int, hidden_size: int) -> None:
    """Refuse an intervention that cannot be applied to a model of this shape.

    Raises:
        SteeringError: the layer does not exist, a vector does not fit, a number is not finite, a gate comes too late.
        UnknownNameError: no such operator or scope.
    """
    if intervention.operator not in OPERATORS:
        raise UnknownNameError.of("operator", intervention.operator, OPERATORS)
    if intervention.scope not in SCOPES:
        raise UnknownNameError.of("scope", intervention.scope, SCOPES)
    _check_site(intervention.layer, intervention.vector, "intervention", n_layers, hidden_size)
    for name in ("strength", "target", "norm"):
        number = getattr(intervention, name)
        if number is not None and not np.isfinite(number):
            raise SteeringError(
                f"intervention at layer {intervention.layer}: {name}={number}; expected a finite number"
            )
    if (gate := intervention.gate) is None:
        return
    _check_site(gate.layer, gate.direction, "gate", n_layers, hidden_size)
    if gate.layer > intervention.layer:
        raise SteeringError(
            f"gate at layer {gate.layer} of an intervention at layer {intervention.layer}: the decision would come "
            f"too late; choose a gate at layer {intervention.layer} or before"
        )


def _check_site(layer: int, vector: NDArray[np.float32], what: str, n_layers: int, hidden_size: int) -> None:
    if not 1 <= layer <= n_layers:
        raise SteeringError(f"{what} at layer {layer}: the model has blocks 1 to {n_layers}; choose one of them")
    if np.shape(vector) != (hidden_size,):
        raise SteeringError(
            f"{what} at layer {layer}: a vector of shape {np.shape(vector)}, but the model's residual stream is "
            f"({hidden_size},); vectors belong to the model they were made from"
        )
    length = float(np.linalg.norm(np.asarray(vector, dtype=np.float64)))
    if not np.isfinite(length) or length == 0:
        raise SteeringError(f"{what} at layer {layer}: a vector of length {length} has no direction; fit it again")

"""How a control experiment is done."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from polyethos.control.choosing import STRENGTHS
from polyethos.control.concepts import ROTATIONS
from polyethos.control.conditions import Design

Outcome = Literal["refusal", "preference"]


@dataclass(frozen=True)
class ControlOptions:
    """How a control experiment is done.

    Attributes:
        outcome: "refusal" (of requests, the harmfulness direction) or "preference" (between continuations, any value).
        dialogue: template around requests: "auto" (the model's chat template if it has one, else its own template), or
            as for `load_model`.
        replies: bundled replies for refusals, "everyday" or "microworld".
        variants: replies of each side.
        rotations: parts of the items; each is tested once, with directions and a site from the other parts.
        layers: candidate blocks; None for all.
        strengths: candidate strengths, as shares of the layer's residual norm.
        budget: most divergence on neutral text, in nats per token.
        neutral: sentences of neutral text per language.
        others: how many other values' directions serve as controls.
        answers: for refusals, of how many test items per target the answers are written out and measured.
        answer_tokens: most tokens of such an answer.
        design: doses, operators and controls.
        seed: of the division of items.
    """

    outcome: Outcome = "refusal"
    dialogue: str = "auto"
    replies: str = "everyday"
    variants: int = 4
    rotations: int = ROTATIONS
    layers: tuple[int, ...] | None = None
    strengths: tuple[float, ...] = STRENGTHS
    budget: float = 0.1
    neutral: int = 24
    others: int = 2
    answers: int = 4
    answer_tokens: int = 48
    design: Design = field(default_factory=Design)
    seed: int = 0

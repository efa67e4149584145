"""What is compared: doses of a concept, other operators, and the controls every effect stands beside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from polyethos.control.concepts import Concept
from polyethos.control.operators import Gate, Intervention, OperatorName, Scope

Family = Literal["plain", "concept", "random", "shuffled", "other value", "prompting"]
OTHER_OPERATORS = ("ablate", "clamp", "rotate", "gated add")


@dataclass(frozen=True)
class Condition:
    """One way of steering.

    Attributes:
        name: unique among its like.
        family: "concept" for what is tested; "prompting" for demonstrations in the prompt; the rest are controls.
        operator: "add", "ablate", "clamp", "rotate", "gated add", or "none".
        dose: signed multiple of the chosen strength; positive raises the outcome.
        plan: the edits.
    """

    name: str
    family: Family
    operator: str
    dose: float
    plan: tuple[Intervention, ...]


@dataclass(frozen=True)
class Design:
    """Which conditions an experiment has.

    Attributes:
        doses: of "add", as signed multiples of the chosen strength; 1 and -1 are always among them. Every control has
            all of them.
        operators: which others are tried as well, of "ablate", "clamp", "rotate" and "gated add".
        random: number of random directions.
        random_curves: how many of them have all doses; the rest only 1 and -1.
        shuffled: number of directions from shuffled labels.
        scope: which tokens are steered.
        seed: of the random directions and shuffles.
    """

    doses: tuple[float, ...] = (-2.0, -1.0, 1.0, 2.0)
    operators: tuple[str, ...] = OTHER_OPERATORS
    random: int = 20
    random_curves: int = 5
    shuffled: int = 5
    scope: Scope = "all"
    seed: int = 0


@dataclass(frozen=True)
class Site:
    """Where and how strongly: the layer, the strength as a share of the layer's residual norm, and that norm."""

    layer: int
    strength: float
    norm: float


def make_conditions(
    concept: Concept, source: str, site: Site, design: Design, *, others: Sequence[Concept] = ()
) -> list[Condition]:
    """All conditions for one source, the plain model first.

    Args:
        concept: the value that is steered.
        source: the language (or "pooled") whose direction is used.
        site: where and how strongly.
        design: which conditions.
        others: other values, whose directions of the same source serve as controls.
    """
    vector = concept.vector(source, site.layer)
    conditions = [Condition("plain", "plain", "none", 0.0, ())]
    conditions += _at_all_doses("add", "concept", vector, site, design)
    others_tried = _other_operators(concept, source, vector, site, design)
    conditions += [one for one in others_tried if one.operator in design.operators]
    # The same random directions in every rotation of the split, so that their effects can be put together.
    generator = np.random.default_rng(design.seed)
    for number in range(1, design.random + 1):
        random = generator.normal(size=len(vector)).astype(np.float32)
        drawn = design if number <= design.random_curves else replace(design, doses=())
        conditions += _at_all_doses(f"random {number}", "random", random, site, drawn)
    for number in range(1, design.shuffled + 1):
        shuffled = concept.vector(source, site.layer, signs=_shuffle([design.seed, number]))
        conditions += _at_all_doses(f"shuffled {number}", "shuffled", shuffled, site, design)
    for other in others:
        conditions += _at_all_doses(other.value, "other value", other.vector(source, site.layer), site, design)
    return conditions


def _shuffle(seed: list[int]) -> Callable[[int], NDArray[np.float32]]:
    """As many pairs turned round as not: at equal norm, any imbalance would bring back the concept itself."""

    def signs(count: int) -> NDArray[np.float32]:
        balanced = np.resize([-1.0, 1.0], count).astype(np.float32)
        if count % 2 and count > 1:
            balanced[-1] = 0.0
        return np.asarray(np.random.default_rng(seed).permutation(balanced))

    return signs


def _at_all_doses(
    name: str, family: Family, vector: NDArray[np.float32], site: Site, design: Design
) -> list[Condition]:
    return [
        Condition(f"{name} {dose:+g}", family, "add", dose, (_edit("add", vector, dose * site.strength, site, design),))
        for dose in sorted({-1.0, 1.0, *design.doses})
    ]


def _edit(
    operator: OperatorName,
    vector: NDArray[np.float32],
    strength: float,
    site: Site,
    design: Design,
    *,
    target: float = 0.0,
    gate: Gate | None = None,
) -> Intervention:
    return Intervention(
        site.layer, vector, operator, strength, target=target, norm=site.norm, scope=design.scope, gate=gate
    )


def _other_operators(
    concept: Concept, source: str, vector: NDArray[np.float32], site: Site, design: Design
) -> list[Condition]:
    low, high = concept.class_projections(source, site.layer)
    gate = Gate(site.layer, vector, concept.threshold(source, site.layer))
    # An added vector of this share of the norm turns a state at right angles to it by this angle.
    angle = float(np.arctan(site.strength))
    made = [
        ("ablate", "ablate", 0.0, _edit("ablate", vector, 1.0, site, design)),
        ("gated add +1", "gated add", 1.0, _edit("add", vector, site.strength, site, design, gate=gate)),
    ]
    for dose, target in ((-1.0, low), (1.0, high)):
        made.append((f"clamp {dose:+g}", "clamp", dose, _edit("clamp", vector, 1.0, site, design, target=target)))
        made.append((f"rotate {dose:+g}", "rotate", dose, _edit("rotate", vector, dose * angle, site, design)))
    return [Condition(name, "concept", operator, dose, (edit,)) for name, operator, dose, edit in made]

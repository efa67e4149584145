"""Where and how strongly to steer, chosen on the source language's own validation items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from polyethos.control.concepts import Concept
from polyethos.control.conditions import Site
from polyethos.control.dialogue import Exchange
from polyethos.control.likelihood import divergences
from polyethos.control.measures import Measure
from polyethos.control.operators import Intervention, Scope
from polyethos.representation.model import LanguageModel

STRENGTHS = (0.1, 0.2, 0.3, 0.4, 0.6)
"""Candidate strengths, as shares of the layer's mean residual norm."""


@dataclass(frozen=True)
class Choice:
    """The site chosen, and everything it was chosen from.

    Attributes:
        site: layer, strength, norm.
        table: `effect` (layer, strength), in nats of log-odds, and `divergence` (layer, strength), in nats per token.
    """

    site: Site
    table: xr.Dataset


def choose_site(
    model: LanguageModel,
    concept: Concept,
    source: str,
    measures: Sequence[Measure],
    neutral: Sequence[Exchange],
    *,
    layers: Sequence[int] | None = None,
    strengths: Sequence[float] = STRENGTHS,
    budget: float = 0.1,
    scope: Scope = "all",
) -> Choice:
    """The layer and strength with the largest effect among those that leave neutral text nearly alone.

    The effect is half the difference between the mean log-odds of the outcome steered up and steered down. Allowed are
    sites where both directions diverge from the plain model by at most `budget` on neutral text; if there is none, the
    one that diverges least is taken.

    Args:
        model: the model.
        concept: the value that is steered.
        source: the language (or "pooled") whose direction is used.
        measures: of validation items of the source language (of all languages where the source is pooled).
        neutral: neutral text of the same language or languages.
        layers: candidate blocks; None for all.
        strengths: candidates, as shares of the layer's mean residual norm.
        budget: nats per token.
        scope: which tokens are steered.
    """
    layers = list(layers or range(1, model.n_layers + 1))
    norms = [concept.norm(source, layer) for layer in layers]
    plans = [
        [Intervention(layer, concept.vector(source, layer), strength=sign * strength, norm=norm, scope=scope)]
        for layer, norm in zip(layers, norms, strict=True)
        for strength in strengths
        for sign in (1, -1)
    ]
    shape = (len(layers), len(strengths), 2)
    by_measure = [measure.margins(model, plans).mean(axis=(1, 2)) for measure in measures]
    margins = np.mean(by_measure, axis=0).reshape(shape)
    moved = divergences(model, neutral, plans)[0].reshape(shape).max(axis=-1)
    effect = (margins[..., 0] - margins[..., 1]) / 2
    allowed = moved <= budget
    best = np.argmax(np.where(allowed, effect, -np.inf)) if allowed.any() else np.argmin(moved)
    layer, strength = np.unravel_index(int(best), moved.shape)
    table = xr.Dataset(
        {"effect": (("layer", "strength"), effect), "divergence": (("layer", "strength"), moved)},
        coords={"layer": layers, "strength": list(strengths)},
        attrs={"budget": budget, "source": source},
    )
    return Choice(Site(layers[int(layer)], float(strengths[int(strength)]), norms[int(layer)]), table)

"""Calibrating a gate: from which projection on to act, so that few sentences that should be left alone are not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polyethos.control.concepts import Concept
from polyethos.control.operators import Gate
from polyethos.errors import SteeringError


@dataclass(frozen=True)
class CalibratedGate:
    """A gate, and how it does on items that it was not calibrated on.

    Attributes:
        gate: for `Intervention`.
        hits: share of the sentences that it shall act on and does.
        false_alarms: share of the sentences that it shall leave alone and does not.
        items: how many pairs of sentences both are of.
    """

    gate: Gate
    hits: float
    false_alarms: float
    items: int


def calibrated_gate(
    concept: Concept, source: str, layer: int, *, language: str | None = None, false_alarms: float = 0.05
) -> CalibratedGate:
    """A gate that opens where a prompt projects on the side that raises the outcome, such as harmful requests.

    The threshold is fitted on the items that fit directions and tried on those that choose sites, so that items that
    test stay unseen. A direction may separate the sentences of a language in which the source's own threshold lets
    everything or nothing through; then calibrate in that language.

    Args:
        concept: from `fit_concept`.
        source: whose direction is looked at.
        layer: at which block.
        language: whose sentences set the threshold and are tried; None for the source itself.
        false_alarms: share of the other side's sentences that may pass while the threshold is set.

    Raises:
        SteeringError: `false_alarms` is not a share.
    """
    if not 0 <= false_alarms < 1:
        raise SteeringError(f"false_alarms={false_alarms}: expected a share from 0 up to, not including, 1")
    spoken = source if language is None else language
    low, _ = concept.projections(source, spoken, layer, "fit")
    threshold = float(np.quantile(low, 1 - false_alarms))
    tried_low, tried_high = concept.projections(source, spoken, layer, "choose")
    return CalibratedGate(
        gate=Gate(layer, concept.vector(source, layer), threshold),
        hits=float(np.mean(tried_high > threshold)),
        false_alarms=float(np.mean(tried_low > threshold)),
        items=len(tried_low),
    )

"""How far one language's direction of harmfulness turns replies into refusals in every language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from polyethos.arrays import HIDDEN, ITEM, LANGUAGE, LAYER, NEGATIVE, POLARITY, POSITIVE, VALUE
from polyethos.control.measures import HARMFUL, HARMLESS, refusal_measure
from polyethos.control.operators import Intervention
from polyethos.control.requests import microworld_requests
from polyethos.control.scoring import Plan
from polyethos.dataset.microworld import ACTIONS, FRAMES
from polyethos.dataset.pairs import ContrastPairs
from polyethos.lab.tokenizer import ASSISTANT, USER
from polyethos.lab.world import is_request_held_out
from polyethos.representation.activations import extract
from polyethos.representation.model import LanguageModel
from polyethos.representation.template import Template

STRENGTH = 0.4
"""Length of what is added, as a share of the mean length of the states at the layer."""

CONTROL = ("control", "control_random", "reply_accuracy")

_RANDOM, _REPLIES = 3, 2
_DIALOGUE = Template(f"{USER}{{input}}{ASSISTANT}")


def steerability(model: LanguageModel, languages: Sequence[str], *, seed: int = 0) -> dict[str, dict[str, float]]:
    """Effect of steering along the first language's direction on requests that no training document contains.

    The direction is the mean difference between harmful and harmless requests at the end of the prompt, in the middle
    of the model, fitted on requests of the first language whose translations are not tested. The effect is half the
    difference between the log-odds of refusing steered up and steered down, in nats.

    Args:
        model: from `load_model`.
        languages: codes, the one whose direction is used first.
        seed: of the random directions.

    Returns:
        Per measure and language:

        - control: effect of the direction, minus the mean effect of three random ones of the same length.
        - control_random: that mean.
        - reply_accuracy: share of the requests that the plain model answers rightly; chance 0.5.
    """
    reading = replace(model, reading_template=_DIALOGUE)
    fitted_on = microworld_requests(languages[:1])
    states = extract(reading, fitted_on).isel({VALUE: 0, LANGUAGE: 0}, drop=True)
    layer = middle(model.n_layers)
    random = np.random.default_rng(seed).normal(size=(_RANDOM, model.hidden_size)).astype(np.float32)
    found: dict[str, dict[str, float]] = {name: {} for name in CONTROL}
    for code in languages:
        tested = _held_out(code)
        actions = {pair.group for pair in tested}
        kept = [item for item in states[ITEM].values if str(item).rpartition("-")[0] not in actions]
        vector, norm = _direction(states.sel({LAYER: layer, ITEM: kept}))
        plans: list[Plan] = [()]
        for direction in (vector, *random):
            plans += [(Intervention(layer, direction, strength=sign * STRENGTH, norm=norm),) for sign in (1, -1)]
        measure = refusal_measure(model, tested, template=_DIALOGUE, replies="microworld", variants=_REPLIES)
        margins = measure.margins(model, plans)
        right = margins[0] * np.array([{HARMFUL: 1, HARMLESS: -1}[kind] for kind in measure.kinds])[:, None]
        moved = margins[1:].mean(axis=(1, 2)).reshape(-1, 2)
        effects = (moved[:, 0] - moved[:, 1]) / 2
        found["control"][code] = float(effects[0] - effects[1:].mean())
        found["control_random"][code] = float(effects[1:].mean())
        found["reply_accuracy"][code] = float(np.mean(right > 0))
    return found


def middle(n_layers: int) -> int:
    """The block that is edited: the first one beyond half of the model."""
    return n_layers // 2 + 1


def _held_out(code: str) -> ContrastPairs:
    """A request for every action that no training document in this language contains, in varying frames."""
    requests = list(microworld_requests([code]))
    kept = [
        requests[action * FRAMES + action % FRAMES] for action in range(ACTIONS) if is_request_held_out(code, action)
    ]
    return ContrastPairs("microworld requests", tuple(kept))


def _direction(states: xr.DataArray) -> tuple[NDArray[np.float32], float]:
    """From harmless to harmful, (hidden,), and the mean length of the states."""
    differences = states.sel({POLARITY: NEGATIVE}) - states.sel({POLARITY: POSITIVE})
    lengths = np.sqrt((states**2).sum(HIDDEN))
    return differences.mean(ITEM).values.astype(np.float32), float(lengths.mean())

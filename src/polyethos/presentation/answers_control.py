"""What is said of steering: whether the effect goes beyond what any direction of that length does."""

from __future__ import annotations

import numpy as np
import xarray as xr

from polyethos.arrays import SOURCE, VALUE
from polyethos.presentation.labels import language_name, listed, value_name
from polyethos.presentation.questions import HARDLY, Answer, answered, counted

KINDS = {
    "harmful": "refusing harmful requests",
    "harmless": "refusing harmless requests",
    "pair": "continuing as the value asks",
}
"""What is steered, by the label of the dimension `kind`."""

_NEARLY, _MANY = 0.9, 0.5


def control(results: xr.Dataset) -> Answer:
    """Whether steering changes behaviour beyond its controls, kind by kind.

    Args:
        results: of `polyethos control`, with `control_effect` (value, source, target, kind).
    """
    source = dominant_source(results)
    here = results.sel({SOURCE: source})
    effect, beyond = here["control_effect"], here["control_beyond"]
    found, measured = int(beyond.sum()), int(effect.notnull().sum())
    share = found / measured if measured else 0.0
    verdict = (
        "Yes" if share >= _NEARLY else "Mostly" if share >= _MANY else "In part" if share > HARDLY else "Not shown"
    )
    kinds = [str(kind) for kind in effect["kind"].values if bool(effect.sel(kind=kind).notnull().any())]
    if not kinds:
        return answered("control", "Undecided", "No effect could be measured.")
    rows = [_of_kind(here.sel(kind=kind), kind) for kind in kinds]
    sentence = (
        f"With the vector from {source_name(source)}, steering up against steering down moves the log-odds of "
        f"{listed(rows)}. In brackets: in how many this goes beyond every control (random directions of equal length, "
        "shuffled labels, another value's direction), with a 95 % interval above 0."
    )
    return answered("control", verdict, sentence, _caution(found, share))


def _caution(found: int, share: float) -> str:
    if not found:
        return "Random directions of the same length did as much, so that the change says nothing about this concept."
    if share <= HARDLY:
        return "Among so many combinations, a direction that means nothing goes beyond its controls in a few by luck."
    return ""


def dominant_source(results: xr.Dataset) -> str:
    """The source language of the headline: the dominant one where it was steered with, else the first."""
    sources = [str(source) for source in results[SOURCE].values]
    wished = str(results.attrs.get("dominant", ""))
    return wished if wished in sources else sources[0]


def source_name(source: str) -> str:
    """The source of a steering vector in words."""
    special = {"pooled": "all languages together", "own": "each language itself"}
    return special.get(source, language_name(source))


def kind_name(kind: str) -> str:
    """What was steered, in words."""
    return KINDS.get(kind, kind)


def _of_kind(here: xr.Dataset, kind: str) -> str:
    effect = here["control_effect"]
    low, high = (float(here[f"control_effect_{end}"].mean()) for end in ("low", "high"))
    of = [value_name(str(value)).lower() for value in effect.dropna(VALUE, how="all")[VALUE].values]
    n, k = int(effect.notnull().sum()), int(here["control_beyond"].sum())
    where = counted(n, "combination" if len(of) > 1 else "language")
    return (
        f"{kind_name(kind)} ({listed(of)}) by {_nats(float(effect.mean()))} on average (intervals about {_nats(low)} "
        f"to {_nats(high)}; {k} of {where})"
    )


def _nats(number: float) -> str:
    return "undefined" if np.isnan(number) else f"{number:+.2f} nats"

"""How much the numbers of a study rest on: pairs, groups of pairs, and whether these are enough."""

from __future__ import annotations

import numpy as np
import xarray as xr

from polyethos.presentation.questions import counted

LEAST_GROUPS = 12
"""Independent groups of pairs per value and language below which recognition is not judged.

With fewer, even a vector that is always right is not told from guessing once some hundred combinations are asked.
"""
ENOUGH_GROUPS = 50


def sample(results: xr.Dataset) -> str:
    """What one number rests on: pairs, and independent groups of pairs where those are fewer."""
    pairs, groups = _usual(results, "n_items"), _usual(results, "n_groups")
    if not pairs:
        return "an unrecorded number of pairs"
    grouped = f" from {groups} independent groups" if groups and groups < pairs else ""
    return f"{counted(pairs, 'pair')}{grouped}"


def few_items(results: xr.Dataset) -> str:
    """A warning where the pairs are too few to judge anything, or empty."""
    units = _usual(results, "n_groups") or _usual(results, "n_items")
    if not units or units >= LEAST_GROUPS:
        return ""
    return (
        f"Only {counted(units, 'independent pair')} per value and language: far too few. Below {LEAST_GROUPS} even a "
        f"vector that is always right is hardly told from guessing; give {ENOUGH_GROUPS} or more. The percentages here "
        "say next to nothing, in either protocol."
    )


def _usual(results: xr.Dataset, name: str) -> int:
    """The usual number of pairs or groups in a combination that was measured; 0 where it is not known."""
    if name not in results:
        return 0
    counted_in = results[name].values[results["recognition"].transpose(*results[name].dims).notnull().values]
    return int(np.median(counted_in)) if counted_in.size else 0

"""Figures of a sweep: each outcome against the dominant language's share, and against the other conditions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from polyethos.arrays import LANGUAGE
from polyethos.presentation.style import COLOURS, GREY, LINES, PAGE, blank, save, settings

_LABELS: Mapping[str, str] = MappingProxyType(
    {
        "transfer": "Transfer (probits)",
        "consistency": "Consistency",
        "control": "Control (nats)",
        "recognition": "Recognition (%)",
        "verdict_accuracy": "Verdicts (%)",
        "loss": "Loss (nats)",
    }
)
_PERCENT = ("recognition", "verdict_accuracy")
_CHANCE: Mapping[str, float] = MappingProxyType(
    {"transfer": 0, "consistency": 0, "control": 0, "recognition": 50, "verdict_accuracy": 50}
)
_DOMINANCE: Mapping[str, str] = MappingProxyType(
    {
        "dominance-fixed-minority": "tokens of the other languages held fixed",
        "dominance-fixed-total": "tokens in all held fixed",
    }
)
_OTHERS: Mapping[str, tuple[str, int]] = MappingProxyType(
    {
        "balance": ("Exponent of the other languages' shares", 1),
        "number-of-dominants": ("Number of languages that share 80 %", 4),
    }
)


def write_sweep_figures(results: xr.Dataset, folder: Path) -> list[Path]:
    """Write `sweep_dominance` and `sweep_others` as SVG and PNG, whichever the experiments in the results allow."""
    paths = []
    for name, experiments, draw in (
        ("sweep_dominance", _DOMINANCE, dominance_figure),
        ("sweep_others", _OTHERS, conditions_figure),
    ):
        if set(experiments) & set(results["experiment"].values.tolist()):
            paths += save(draw(results), folder, name)
    return paths


def dominance_figure(results: xr.Dataset) -> Figure:
    """Outcomes of the languages that are not dominant, against the dominant one's share, a panel per outcome.

    Dots are runs, each the mean over languages; lines join their means. Colour tells the experiment, line style and
    marker the size.
    """
    outcomes = _outcomes(results)
    with settings():
        figure = blank(PAGE, 1.75 * -(-len(outcomes) // 3) + 0.4)
        panels = figure.subplots(-(-len(outcomes) // 3), min(3, len(outcomes)), squeeze=False)
        for axes, outcome in zip(panels.flat, outcomes, strict=False):
            for colour, (experiment, described) in zip(COLOURS, _DOMINANCE.items(), strict=False):
                _curves(axes, _of(results, experiment, 1), outcome, colour, described)
            _finish(axes, outcome)
        _close(figure, panels, len(outcomes), "Share of the dominant language")
    return figure


def conditions_figure(results: xr.Dataset) -> Figure:
    """Outcomes by the exponent of the other languages' shares and by the number of dominant languages."""
    outcomes = _outcomes(results)
    with settings():
        figure = blank(PAGE, 1.75 * 2 + 0.3)
        panels = figure.subplots(2, len(outcomes), squeeze=False)
        for row, (experiment, (label, dominant)) in zip(panels, _OTHERS.items(), strict=True):
            for axes, outcome in zip(row, outcomes, strict=True):
                _curves(axes, _of(results, experiment, dominant), outcome, COLOURS[2], "")
                _finish(axes, outcome)
            # Between the two middle panels.
            row[(len(outcomes) - 1) // 2].set_xlabel(label, x=0.5 if len(outcomes) % 2 else 1.1)
        handles = panels[0, 0].get_legend_handles_labels()
        figure.legend(*handles, loc="outside upper center", ncols=4, frameon=False)
    return figure


def _outcomes(results: xr.Dataset) -> list[str]:
    return [name for name in _LABELS if name in results and bool(np.isfinite(results[name]).any())]


def _of(results: xr.Dataset, experiment: str, dominant: int) -> xr.Dataset:
    chosen = results.isel(run=np.flatnonzero(results["experiment"].values == experiment))
    return chosen.isel({LANGUAGE: slice(dominant, None)})


def _curves(axes: Axes, runs: xr.Dataset, outcome: str, colour: str, described: str) -> None:
    factor = 100 if outcome in _PERCENT else 1
    means = factor * runs[outcome].mean(LANGUAGE).values
    markers = ("o", "s", "^", "D")
    for place, size in enumerate(dict.fromkeys(runs["size"].values.tolist())):
        here = runs["size"].values == size
        levels = runs["level"].values[here]
        axes.plot(levels, means[here], markers[place % 4], color=colour, markersize=2.2, alpha=0.5, markeredgewidth=0)
        found = sorted(set(levels.tolist()))
        line = [_mean(means[here][levels == level]) for level in found]
        label = ", ".join(part for part in (str(size), described) if part)
        axes.plot(found, line, color=colour, linestyle=LINES[place % len(LINES)], label=label)


def _mean(values: np.ndarray) -> float:
    """Mean of what is defined, NaN where nothing is."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else float("nan")


def _finish(axes: Axes, outcome: str) -> None:
    axes.set_title(_LABELS[outcome])
    if outcome in _CHANCE:
        axes.axhline(_CHANCE[outcome], color=GREY, linewidth=0.6, linestyle=":")


def _close(figure: Figure, panels: np.ndarray, used: int, label: str) -> None:
    for axes in list(panels.flat)[used:]:
        axes.set_visible(False)
    figure.supxlabel(label, fontsize=7)
    figure.legend(*panels.flat[0].get_legend_handles_labels(), loc="outside upper center", ncols=2, frameon=False)

"""Figures of one study: recognition bars and curves over layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from polyethos.arrays import LANGUAGE, LAYER, SOURCE, TARGET, VALUE
from polyethos.presentation.evidence import above_chance, bounds
from polyethos.presentation.labels import by_share, chance, equal_shares, share_words, value_name, values
from polyethos.presentation.style import COLOURS, GREY, LINES, PAGE, PALE, blank, settings

_PANELS_PER_ROW = 4


def recognition_bars(results: xr.Dataset) -> Figure:
    """Recognition accuracy per language, a panel per value and one for their mean.

    Bars stand on the chance level, so that their length is what was recognised beyond guessing; languages are sorted
    by share of pre-training; pale bars are not told apart from chance; whiskers are the intervals where the results
    have them.
    """
    names = values(results)
    rows = -(-(len(names) + 1) // _PANELS_PER_ROW)
    with settings():
        figure = blank(PAGE, 0.4 + 1.35 * rows)
        panels = figure.subplots(rows, min(_PANELS_PER_ROW, len(names) + 1), sharex=True, sharey=True, squeeze=False)
        order = {LANGUAGE: by_share(results)}
        accuracy = results["recognition"].sel(order)
        clear = above_chance(results).sel(order)
        for axes, name in zip(panels.flat, names, strict=False):
            sure = clear.sel({VALUE: name}).values
            _bars(axes, accuracy.sel({VALUE: name}), chance(results), np.where(sure, COLOURS[0], PALE).tolist())
            _whiskers(axes, results.sel({**order, VALUE: name}))
            axes.set_title(value_name(name))
        mean_axes = panels.flat[len(names)]
        _bars(mean_axes, accuracy.mean(VALUE), chance(results), [GREY] * accuracy.sizes[LANGUAGE])
        mean_axes.set_title("Mean over values")
        for axes in list(panels.flat)[len(names) + 1 :]:
            axes.set_visible(False)
        low = min(float(accuracy.min()), chance(results)) - 0.03
        panels[0, 0].set_ylim(100 * max(low, 0), 100)
        figure.supylabel("Recognition accuracy (%)", fontsize=7)
        sorted_by = "" if equal_shares(results) else f", by {share_words(results)}"
        figure.supxlabel(f"Language{sorted_by} (line: chance; pale: not told apart from chance)", fontsize=7)
    return figure


def layer_curves(results: xr.Dataset) -> Figure:
    """Recognition accuracy and similarity between languages over the layers, a line per value.

    Dots mark the layer chosen most often on the training folds. A panel is left out where its variable is missing.
    """
    curves = _curves(results)
    with settings():
        figure = blank(PAGE, 2.2)
        panels = figure.subplots(1, len(curves), squeeze=False)[0]
        for axes, (label, curve, level) in zip(panels, curves, strict=True):
            _lines(axes, curve, results)
            axes.axhline(level, color=GREY, linewidth=0.8, linestyle=":")
            axes.set_xlabel("Layer")
            axes.set_ylabel(label)
            axes.xaxis.get_major_locator().set_params(integer=True)
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside right upper", frameon=False, handlelength=3)
    return figure


def _bars(axes: Axes, accuracy: xr.DataArray, level: float, colours: list[str]) -> None:
    codes = [str(code) for code in accuracy[LANGUAGE].values]
    heights = 100 * (accuracy.values - level)
    axes.bar(codes, heights, bottom=100 * level, color=colours, width=0.75)
    axes.axhline(100 * level, color="black", linewidth=0.7)
    axes.tick_params(axis="x", labelrotation=90, length=0)
    axes.yaxis.grid(True, linewidth=0.3, color="#d0d0d0")
    axes.set_axisbelow(True)
    for position in np.flatnonzero(np.isnan(heights)):
        axes.text(
            float(position), 100 * level + 1, "n/a", rotation=90, ha="center", va="bottom", fontsize=5, color=GREY
        )


def _whiskers(axes: Axes, results: xr.Dataset) -> None:
    if interval := bounds(results, "recognition"):
        low, high = (100 * end.values for end in interval)
        axes.vlines(range(len(low)), low, high, color="black", linewidth=0.6)


def _curves(results: xr.Dataset) -> list[tuple[str, xr.DataArray, float]]:
    found = []
    if "accuracy" in results:
        own = results["accuracy"].where(results[SOURCE] == results[TARGET]).mean([SOURCE, TARGET])
        found.append(("Recognition accuracy (%)", 100 * own, 100 * chance(results)))
    if "layer_curve" in results:
        found.append(("Similarity of two languages (cosine)", results["layer_curve"], 0.0))
    return found


def _lines(axes: Axes, curve: xr.DataArray, results: xr.Dataset) -> None:
    names = values(results)
    for name, (colour, style) in zip(names, looks(len(names)), strict=True):
        line = curve.sel({VALUE: name})
        axes.plot(line[LAYER].values, line.values, color=colour, linestyle=style, label=value_name(name))
        if "chosen_layer" in results:
            layer = _most_frequent(results["chosen_layer"].sel({VALUE: name}).values)
            axes.plot([layer], [float(line.sel({LAYER: layer}))], "o", color=colour, markersize=3)


def _most_frequent(layers: np.ndarray) -> int:
    found, counts = np.unique(layers[~np.isnan(layers.astype(float))], return_counts=True)
    return int(found[counts.argmax()])


def looks(count: int) -> list[tuple[str, Any]]:
    """A colour and a line style for each of `count` values; more than seven repeat."""
    return [(COLOURS[i % len(COLOURS)], LINES[i % len(LINES)]) for i in range(count)]

"""Figures of a control study: dose-response curves per language, and the matrix of preferences."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from polyethos.arrays import SOURCE, TARGET, VALUE
from polyethos.presentation.answers_control import dominant_source, kind_name, source_name
from polyethos.presentation.control_tables import REQUEST_VALUE, matrix_table
from polyethos.presentation.labels import language_name, value_name
from polyethos.presentation.style import COLOURS, DIVERGING, GREY, LINES, PAGE, PALE, blank, hide_frame, settings

_PER_ROW = 4


def dose_response(results: xr.Dataset, kind: str, *, value: str = REQUEST_VALUE) -> Figure:
    """Change of the log-odds by dose, a panel per target and a line per source, with what random directions do.

    Args:
        results: of a control study.
        kind: "harmful", "harmless" or "pair".
        value: that is steered.
    """
    here = results.sel({VALUE: value}).sel(kind=kind)
    measured = here["control_effect"].notnull()
    targets = [str(code) for code in here[TARGET].values[measured.any(SOURCE).transpose(TARGET).values]]
    sources = [str(code) for code in here[SOURCE].values[measured.any(TARGET).transpose(SOURCE).values]]
    rows = -(-len(targets) // _PER_ROW)
    with settings():
        figure = blank(PAGE, 0.5 + 1.25 * rows)
        panels = figure.subplots(rows, _PER_ROW, sharex=True, sharey=True, squeeze=False)
        for axes, code in zip(panels.flat, targets, strict=False):
            _panel(axes, here.sel({TARGET: code}), sources)
            axes.set_title(language_name(code))
        for axes in panels.flat[len(targets) :]:
            axes.set_visible(False)
        figure.supxlabel("Dose (1 = the chosen strength)")
        figure.supylabel(f"Change of log-odds of {kind_name(kind)} (nats)")
        handles, labels = panels.flat[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), frameon=False)
    return figure


def control_matrix(results: xr.Dataset) -> Figure:
    """Effects on preferences by value and target in nats; framed where beyond every control."""
    source = dominant_source(results)
    frame = matrix_table(results, source).drop(index="mean", columns="mean").T
    beyond = matrix_table(results, source, "control_beyond").drop(index="mean", columns="mean").T
    limit = max(0.1, float(np.nanmax(np.abs(frame.to_numpy()))))
    with settings():
        figure = blank(PAGE, 0.8 + 0.26 * len(frame))
        axes = figure.subplots()
        image = axes.imshow(frame.to_numpy(), vmin=-limit, vmax=limit, cmap=DIVERGING, aspect="auto")
        axes.set_xticks(range(frame.shape[1]), [str(code) for code in frame.columns])
        axes.set_yticks(range(frame.shape[0]), [value_name(str(name)) for name in frame.index])
        for (row, column), number in np.ndenumerate(frame.to_numpy()):
            if not np.isnan(number):
                strong = abs(number) > 0.6 * limit
                clear = beyond.iloc[row, column] == 1
                axes.text(column, row, f"{number:.1f}", ha="center", va="center", color="white" if strong else "black",
                          fontsize=5, fontweight="bold" if clear else "normal", alpha=1 if clear else 0.6)  # fmt: skip
        hide_frame(axes)
        axes.set_xlabel(f"target; vector from {source_name(source)}. Bold: beyond every control")
        figure.colorbar(image, ax=axes, pad=0.02).set_label("Effect (nats)")
    return figure


def _panel(axes: Axes, here: xr.Dataset, sources: list[str]) -> None:
    axes.axhline(0, color=GREY, linewidth=0.5)
    first = here.sel({SOURCE: sources[0]})
    random = _curve(first["control_change"], "random")
    doses = sorted(random)
    if doses:
        low, high = ([edge(random[dose]) for dose in doses] for edge in (min, max))
        axes.fill_between(doses, low, high, color=PALE, linewidth=0, label="random directions")
    for place, source in enumerate(sources):
        curve = _curve(here["control_change"].sel({SOURCE: source}), "concept")
        steps = sorted(curve)
        axes.plot(steps, [curve[dose][0] for dose in steps], LINES[place % len(LINES)], marker=".", markersize=3,
                  color=COLOURS[place % len(COLOURS)], label=source_name(source))  # fmt: skip


def _curve(change: xr.DataArray, family: str) -> dict[float, list[float]]:
    """Changes by dose, 0 at dose 0, of additions of this family."""
    chosen = (change["family"].values == family) & (change["operator"].values == "add") & ~np.isnan(change.values)
    curve: dict[float, list[float]] = {0.0: [0.0]} if chosen.any() else {}
    for dose, number in zip(change["dose"].values[chosen], change.values[chosen], strict=True):
        curve.setdefault(float(dose), []).append(float(number))
    return curve

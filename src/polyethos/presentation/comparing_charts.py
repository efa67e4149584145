"""Charts and the figure of several models on the same items."""

from __future__ import annotations

import textwrap

import numpy as np
import xarray as xr
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from polyethos.analysis.comparison import MODEL, QUANTITY
from polyethos.arrays import LANGUAGE
from polyethos.presentation.charts import Point, Series, rows_chart, scatter_chart
from polyethos.presentation.comparing import AXES, PERCENT, Compared
from polyethos.presentation.labels import language_name, typeset
from polyethos.presentation.style import COLOURS, PAGE, blank, settings

_MARKERS = "os^Dv"


def overall_chart(found: Compared, quantity: str) -> Markup:
    """A row per model with the mean over languages of one quantity."""
    here = found.results.sel({QUANTITY: quantity})
    names = [str(name) for name in here[MODEL].values]
    points = [_point(here, "overall", {MODEL: name}, k, name, quantity) for k, name in enumerate(names)]
    level = 50.0 if quantity in PERCENT else 0.0
    title = f"{AXES[quantity]}, mean over languages, by model"
    return rows_chart(
        [_brief(name) for name in names], [Series("", points)], axis=AXES[quantity], level=level, title=title
    )


def share_chart(found: Compared, quantity: str) -> Markup:
    """One quantity of every language against its share of the pre-training data, a colour per model."""
    here = found.results.sel({QUANTITY: quantity})
    series = [
        Series(
            str(name),
            [
                _point(
                    here,
                    "by_language",
                    {MODEL: name, LANGUAGE: code},
                    float(found.shares.sel({MODEL: name, LANGUAGE: code})),
                    f"{name}, {language_name(str(code))}",
                    quantity,
                )
                for code in here[LANGUAGE].values
            ],
        )
        for name in here[MODEL].values
    ]
    title = f"{AXES[quantity]} by share of the pre-training data"
    return scatter_chart(series, axes=("Share of the data, % (see source below)", AXES[quantity]), title=title)


def models_by_share(found: Compared) -> Figure:
    """Every quantity of every language against its share of the pre-training data, a colour per model."""
    with settings():
        figure = blank(PAGE, 4.4)
        panels = figure.subplots(2, 2)
        for axes, quantity in zip(panels.flat, AXES, strict=True):
            _panel(axes, found, quantity)
        figure.supxlabel(f"Share of the pre-training data, % ({textwrap.shorten(found.source, 110)})", fontsize=6)
        handles, names = panels[0, 0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside upper center", ncols=3, frameon=False)
    return figure


def _panel(axes: Axes, found: Compared, quantity: str) -> None:
    factor = 100 if quantity in PERCENT else 1
    for number, name in enumerate(found.results[MODEL].values):
        here = found.results.sel({MODEL: name, QUANTITY: quantity})
        share = found.shares.sel({MODEL: name, LANGUAGE: here[LANGUAGE].values}).values
        value, low, high = (factor * here[f"by_language{end}"].values for end in ("", "_low", "_high"))
        known = np.isfinite(share) & np.isfinite(value)
        colour, marker = COLOURS[number % len(COLOURS)], _MARKERS[number % len(_MARKERS)]
        axes.vlines(share[known], low[known], high[known], color=colour, linewidth=0.5)
        axes.plot(share[known], value[known], marker, color=colour, markersize=3, linestyle="none", label=str(name))
    axes.set_xscale("log")
    axes.set_title(AXES[quantity])


def _point(
    here: xr.Dataset, name: str, place: dict[str, object], at: float, label: str, quantity: str
) -> Point:  # fmt: skip
    factor = 100 if quantity in PERCENT else 1
    value, low, high = (factor * float(here[f"{name}{end}"].sel(place)) for end in ("", "_low", "_high"))
    numbers = typeset(f"{value:.{1 if factor > 1 else 2}f} (95 % interval {low:.2f} to {high:.2f})")
    return Point(at, value, low, high, f"{label}: {numbers}")


def _brief(name: str, length: int = 28) -> str:
    return name if len(name) <= length else name[: length // 2] + "…" + name[-length // 2 + 1 :]

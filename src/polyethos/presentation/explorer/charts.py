"""The figures of the explorer: heatmaps and curves that tell their numbers on hovering."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import xarray as xr

from polyethos.arrays import LAYER, SOURCE, TARGET, VALUE
from polyethos.presentation.evidence import pairs_apart
from polyethos.presentation.labels import autonym, chance, language_name, typeset, value_name, values
from polyethos.presentation.style import COLOURS
from polyethos.presentation.views import MEAN, View

_RGB = (166, 54, 3), (8, 81, 156)
BELOW, ABOVE = (f"rgb({red},{green},{blue})" for red, green, blue in _RGB)
_MISSING, _GREY = "#b8bcc2", "#7a7f87"
_DASHES = ("solid", "dash", "dashdot", "dot", "longdash", "longdashdot", "5px,2px")
_LEAST_GAIN = 0.05


def heatmap(view: View, *, gain_limit: float | None = None, neutral: str = "") -> go.Figure:
    """The numbers of a view as a heatmap: orange below the neutral number, blue above it.

    Args:
        view: what to show.
        gain_limit: for gains, the number at which colours end; None takes the largest of the view, at least 0.05.
        neutral: what the number in the middle of the colours means; by default what it means for the unit.
    """
    middle, reach = _range(view, gain_limit)
    numbers = view.frame.to_numpy(float)
    same = _same(view)
    shown = np.where(same, np.nan, numbers) if view.unit != "accuracy" else numbers
    rows, columns = ([str(label) for label in axis] for axis in (view.frame.index, view.frame.columns))
    layer = go.Heatmap(
        z=_listed(shown),
        x=list(range(len(columns))),
        y=list(range(len(rows))),
        zmin=middle - reach,
        zmax=middle + reach,
        colorscale=[[0, BELOW], [0.5, "rgb(255,255,255)"], [1, ABOVE]],
        customdata=[[_told(view, i, j) for j in range(len(columns))] for i in range(len(rows))],
        hovertemplate="%{customdata}<extra></extra>",
        hoverongaps=True,
        xgap=1,
        ygap=1,
        colorbar=_colour_bar(view.unit, middle, reach, neutral),
    )
    figure = go.Figure(layer)
    figure.add_trace(_cell_texts(shown, view.unit, middle, reach))
    _finish(figure, height=130 + 24 * len(rows))
    names = [_row_name(row, view) for row in rows]
    heads = [_column_name(column, view) for column in columns]
    figure.update_yaxes(tickvals=list(range(len(rows))), ticktext=[_safe(name) for name in names])
    figure.update_xaxes(tickvals=list(range(len(columns))), ticktext=[_safe(head) for head in heads], side="top")
    # As wide and high as the cells: the texts in them would ask for more room.
    figure.update_yaxes(range=[len(rows) - 0.5, -0.5])
    figure.update_xaxes(range=[-0.5, len(columns) - 0.5])
    if view.kind == "recognition":
        figure.update_xaxes(tickangle=-35)
    else:
        figure.update_xaxes(title_text="used in", title_standoff=4)
        figure.update_yaxes(title_text="vector from" if view.kind == "transfer" else "", title_standoff=4)
    return figure


def _cell_texts(shown: Any, unit: str, middle: float, reach: float) -> go.Scatter:  # noqa: ANN401
    """The numbers in the cells, each black or white, whichever stands out more from its cell."""
    known = [(int(i), int(j)) for i, j in np.argwhere(np.isfinite(shown))]
    return go.Scatter(
        x=[j for _, j in known],
        y=[i for i, _ in known],
        mode="text",
        text=[_brief(float(shown[cell]), unit) for cell in known],
        textfont={"size": 11, "color": [_ink((float(shown[cell]) - middle) / reach) for cell in known]},
        hoverinfo="skip",
        showlegend=False,
    )


def _ink(position: float) -> str:
    """Black or white on the colour at a position from -1 to 1 (WCAG relative luminance)."""
    end = np.array(_RGB[1 if position > 0 else 0])
    colour = (255 + min(1.0, abs(position)) * (end - 255)) / 255
    linear = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
    return "#000000" if float(linear @ (0.2126, 0.7152, 0.0722)) > 0.179 else "#ffffff"


def curves(results: xr.Dataset, kind: str) -> go.Figure | None:
    """Recognition or similarity over the layers, a line per value; None where the results have no layers."""
    number = _over_layers(results, kind)
    if number is None:
        return None
    figure = go.Figure()
    factor, level = (100, 100 * chance(results)) if kind == "recognition" else (1, 0)
    for place, name in enumerate(values(results)):
        line = factor * number.sel({VALUE: name})
        figure.add_scatter(
            x=[int(layer) for layer in line[LAYER].values],
            y=_listed(line.values),
            name=_safe(value_name(name)),
            mode="lines+markers",
            line={"color": _colour(place), "dash": _DASHES[place % len(_DASHES)]},
            text=[typeset(f"{number:.2f}") for number in line.values],
            hovertemplate=f"{_safe(value_name(name))}, layer %{{x}}: %{{text}}<extra></extra>",
        )
    figure.add_hline(y=level, line={"color": _GREY, "dash": "dot"})
    title = "pairs recognised, %" if kind == "recognition" else "similarity of two languages"
    _finish(figure, height=420)
    figure.update_xaxes(title_text="layer", dtick=max(1, number.sizes[LAYER] // 16), showline=True, linecolor=_GREY)
    figure.update_yaxes(title_text=title, showline=True, linecolor=_GREY)
    # The name of the run stands in the upper left corner.
    figure.update_layout(legend={"orientation": "h", "y": -0.22}, plot_bgcolor="rgba(0,0,0,0)", margin={"t": 40})
    return figure


def same_heights(figures: Sequence[go.Figure]) -> None:
    """Give curves of several runs one vertical scale, so that they can be compared by eye."""
    numbers = [float(n) for figure in figures for trace in figure.data for n in trace.y if n is not None]
    if numbers:
        room = 0.05 * (max(numbers) - min(numbers) or 1.0)
        for figure in figures:
            figure.update_yaxes(range=[min(numbers) - room, max(numbers) + room])


def gain_limit(frames: list[pd.DataFrame]) -> float:
    """The largest gain or loss of several frames, at least 5 points, in steps of 5 points."""
    largest = max([float(np.nanmax(np.abs(frame.to_numpy(float)), initial=0)) for frame in frames] or [0.0])
    return max(_LEAST_GAIN, float(np.ceil(20 * largest - 1e-9)) / 20)


def _over_layers(results: xr.Dataset, kind: str) -> xr.DataArray | None:
    if kind == "recognition" and "accuracy" in results:
        accuracy = results["accuracy"]
        return accuracy.where(accuracy[SOURCE] == accuracy[TARGET]).mean([SOURCE, TARGET])
    if kind == "similarity" and "consistency_by_layer" in results:
        return pairs_apart(results["consistency_by_layer"]).mean([SOURCE, TARGET])
    if kind == "similarity" and "cosine" in results:
        return pairs_apart(results["cosine"]).mean([SOURCE, TARGET])
    return None


def _range(view: View, limit: float | None) -> tuple[float, float]:
    if view.unit == "accuracy":
        return 0.5, 0.5
    return (0.0, 1.0) if view.unit == "cosine" else (0.0, limit or gain_limit([view.frame]))


def _same(view: View) -> Any:  # noqa: ANN401
    if view.kind == "recognition":
        return np.zeros(view.frame.shape, bool)
    return np.equal.outer(view.frame.index.to_numpy(), view.frame.columns.to_numpy())


def _listed(numbers: Any) -> Any:  # noqa: ANN401
    """Nested lists with None for NaN: typed arrays are read by newer browsers' libraries only."""
    return [_listed(part) if np.ndim(part) else None if np.isnan(part) else float(part) for part in numbers]


def _brief(number: float, unit: str) -> str:
    if unit == "accuracy":
        return f"{100 * number:.0f}"
    text = f"{100 * number:+.0f}" if unit == "gain" else f"{number:.2f}".replace("0.", ".")
    return text.lstrip("+-") if not text.strip("+-0.") else text.replace("-", "−")


def number_in_words(number: float, unit: str) -> str:
    """A number with its unit, for instance "93.8 %" or "−2.1 points"."""
    if not np.isfinite(number):
        return "not measured"
    if unit == "accuracy":
        return f"{100 * number:.1f} %"
    text = f"{100 * number:+.1f} points" if unit == "gain" else f"{number:.2f}"
    return text.replace("-", "−")


def _told(view: View, i: int, j: int) -> str:
    row, column = str(view.frame.index[i]), str(view.frame.columns[j])
    number = float(view.frame.to_numpy(float)[i, j])
    if view.kind == "recognition":
        where = f"{value_name(column) if column != MEAN else 'Mean over values'} in {language_name(row)}"
    elif row == column:
        where = f"{language_name(row)} with itself"
    else:
        between = "used in" if view.kind == "transfer" else "and"
        where = f"{language_name(row)} {between} {language_name(column)}"
    lines = [where, view.where, number_in_words(number, view.unit)]
    if view.low is not None and view.high is not None and np.isfinite(low := float(view.low.to_numpy(float)[i, j])):
        ends = (number_in_words(end, view.unit) for end in (low, float(view.high.to_numpy(float)[i, j])))
        lines.append("95 % interval " + " to ".join(ends))
    if view.items is not None and np.isfinite(count := float(view.items.to_numpy(float)[i, j])):
        lines.append(f"{count:.0f} sentence pairs")
    return "<br>".join(_safe(line) for line in lines)


def _row_name(code: str, view: View) -> str:
    name, own = language_name(code), autonym(code)
    return name if view.kind != "recognition" or own == name else f"{name} · {own}"


def _column_name(column: str, view: View) -> str:
    if view.kind != "recognition":
        return column
    return column if column == MEAN else value_name(column)


def _colour_bar(unit: str, middle: float, reach: float, neutral: str) -> dict[str, Any]:
    ends = {
        "accuracy": ("0 %", "50 % guessing", "100 %"),
        "cosine": ("−1 opposite", "0 unrelated", "1 same"),
        "gain": (f"−{100 * reach:.0f} points", "0 as good", f"+{100 * reach:.0f} points"),
    }[unit]
    return {
        "orientation": "h",
        "y": 0,
        "yanchor": "top",
        "thickness": 10,
        "len": 0.9,
        "outlinewidth": 0,
        "tickvals": [middle - reach, middle, middle + reach],
        "ticktext": [ends[0], neutral or ends[1], ends[2]],
        "tickangle": 0,
    }


def _finish(figure: go.Figure, *, height: int) -> None:
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        font={"family": "system-ui, 'Noto Sans', sans-serif", "color": _GREY},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor=_MISSING,
        hoverlabel={"align": "left"},
        dragmode=False,
    )
    figure.update_xaxes(showgrid=False, zeroline=False, automargin=True, fixedrange=True)
    figure.update_yaxes(showgrid=False, zeroline=False, automargin=True, fixedrange=True)


def _colour(place: int) -> str:
    # Black lines vanish on a dark page.
    colour = COLOURS[place % len(COLOURS)]
    return _GREY if colour == "#000000" else colour


def _safe(text: str) -> str:
    """Text for plotly, which reads a little HTML; long words are cut, or they would push the figure aside."""
    text = text if len(text) <= 160 else text[:159] + "…"
    return escape("".join(char if char.isprintable() else "\ufffd" for char in text), quote=False)

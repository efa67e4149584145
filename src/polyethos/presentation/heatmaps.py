"""Heatmaps of pairs of languages: similarity and transfer, for one model or several side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle

from polyethos.arrays import VALUE
from polyethos.presentation.labels import language_name, value_name, values
from polyethos.presentation.runs import run_names
from polyethos.presentation.style import COLUMN, DIVERGING, PAGE, blank, hide_frame, settings
from polyethos.presentation.tables import models_by_language_table, models_transfer_table, pair_table

Width = Literal["column", "page"]
# Points; colour scales narrower than this would make noise look like structure.
_LEAST_GAIN = 5.0


def similarity_heatmap(results: xr.Dataset, *, width: Width = "column") -> Figure:
    """Cosine of the concept vectors of two languages, languages sorted by share of pre-training; 0 is white.

    Args:
        results: with `similarity`.
        width: of a paper's column, or of its page with the number in every cell.
    """
    return _single(pair_table(results, "similarity"), 1.0, "Cosine of concept vectors", ("language", "language"), width)


def transfer_heatmap(results: xr.Dataset, *, width: Width = "column") -> Figure:
    """Transfer gain in percentage points, rows source and columns target languages; 0 is white.

    Args:
        results: with `transfer_gain`.
        width: of a paper's column, or of its page with the number in every cell.
    """
    gain = 100 * pair_table(results, "transfer_gain")
    label = "Gain over own vector (points)"
    return _single(gain, _gain_limit([gain]), label, ("source (vector from)", "target (used in)"), width)


def similarity_panels(results: xr.Dataset) -> Figure:
    """The similarity heatmap of every value and of their mean, side by side."""
    by_value = results["similarity_by_value"]
    frames = {value_name(v): pair_table(results.assign(one=by_value.sel({VALUE: v})), "one") for v in values(results)}
    frames["Mean over values"] = pair_table(results, "similarity")
    return _side_by_side(frames, 1.0, "Cosine of concept vectors", per_row=4)


def models_similarity(runs: Sequence[xr.Dataset]) -> Figure:
    """The similarity heatmaps of several models side by side."""
    frames = {name: pair_table(run, "similarity") for name, run in zip(run_names(runs), runs, strict=True)}
    return _side_by_side(frames, 1.0, "Cosine of concept vectors")


def models_gain(runs: Sequence[xr.Dataset]) -> Figure:
    """The transfer heatmaps of several models side by side, on one colour scale."""
    frames = {name: 100 * pair_table(run, "transfer_gain") for name, run in zip(run_names(runs), runs, strict=True)}
    return _side_by_side(frames, _gain_limit(frames.values()), "Gain over own vector (points); rows: source")


def models_recognition(runs: Sequence[xr.Dataset]) -> Figure:
    """Recognition accuracy in percent, a row per model and a column per language, with the mean at the end."""
    frame = 100 * models_by_language_table(runs)
    with settings():
        figure = blank(PAGE, 0.9 + 0.24 * len(frame))
        axes = figure.subplots()
        image = axes.imshow(frame.to_numpy(), vmin=0, vmax=100, cmap=DIVERGING, aspect="auto")
        _ticks(axes, [_shortened(name) for name in frame.index], [str(code) for code in frame.columns])
        _numbers(axes, frame, image, "{:.0f}")
        bar = figure.colorbar(image, ax=axes, pad=0.02)
        bar.set_label("Accuracy (%)")
        bar.ax.set_ylim(40, 100)
        axes.set_xlabel("Language (mean over values; chance 50)")
    return figure


def models_transfer(runs: Sequence[xr.Dataset]) -> Figure:
    """Mean transfer gain from high-resource languages to the others and back, a row per model."""
    frame = models_transfer_table(runs)
    rows = np.arange(len(frame))
    with settings():
        figure = blank(PAGE, 0.8 + 0.24 * len(frame))
        axes = figure.subplots()
        down, up = 100 * frame["high_to_low"], 100 * frame["low_to_high"]
        axes.hlines(rows, np.fmin(down, up), np.fmax(down, up), color="#c8c8c8", linewidth=1.5, zorder=1)
        axes.scatter(down, rows, marker="o", color="#0072B2", s=18, zorder=2, label="from high-resource to others")
        axes.scatter(up, rows, marker="s", color="#D55E00", s=18, zorder=2, label="from others to high-resource")
        axes.axvline(0, color="black", linewidth=0.7)
        axes.set_yticks(rows, [_shortened(name) for name in frame.index])
        axes.set_ylim(len(frame) - 0.5, -0.5)
        axes.set_xlabel("Mean gain over the target language's own vector (points)")
        figure.legend(loc="outside upper right", ncols=2, frameon=False)
    return figure


def _single(frame: pd.DataFrame, limit: float, label: str, axis_names: tuple[str, str], width: Width) -> Figure:
    wide = width == "page"
    with settings():
        figure = blank(PAGE, 5.4) if wide else blank(COLUMN, 3.0)
        axes = figure.subplots()
        image = draw_square(axes, frame, 0.0, limit, names=True)
        if wide:
            _numbers(axes, frame, image, "{:.2f}" if limit == 1 else "{:+.1f}")
        axes.set_ylabel(axis_names[0].capitalize())
        axes.set_xlabel(axis_names[1].capitalize())
        place = {"pad": 0.02, "shrink": 0.8} if wide else {"location": "bottom", "pad": 0.02, "aspect": 35}
        figure.colorbar(image, ax=axes, **place).set_label(label)
    return figure


def _side_by_side(frames: dict[str, pd.DataFrame], limit: float, label: str, per_row: int = 3) -> Figure:
    columns = min(per_row, len(frames))
    rows = -(-len(frames) // columns)
    with settings():
        figure = blank(PAGE, 0.5 + rows * PAGE / columns)
        panels = figure.subplots(rows, columns, squeeze=False)
        for axes, (name, frame) in zip(panels.flat, frames.items(), strict=False):
            image = draw_square(axes, frame, 0.0, limit)
            axes.set_title(_shortened(name, 22))
        for axes in list(panels.flat)[len(frames) :]:
            axes.set_visible(False)
        bar = figure.colorbar(image, ax=panels, location="bottom", shrink=0.4, aspect=40, pad=0.02)
        bar.set_label(label)
    return figure


def draw_square(
    axes: Axes, frame: pd.DataFrame, middle: float, reach: float, *, names: bool = False, same: bool = True
) -> AxesImage:
    """Draw numbers of pairs of languages into `axes`.

    Args:
        axes: empty ones.
        frame: square, codes as labels, NaN where nothing was measured (hatched).
        middle: the number shown in white.
        reach: how far from it colours end.
        names: write the rows' languages out.
        same: the diagonal means nothing and is grey.
    """
    numbers = np.ma.masked_invalid(frame.to_numpy(float))
    image = axes.imshow(numbers, vmin=middle - reach, vmax=middle + reach, cmap=DIVERGING)
    # What was not measured is seen through to this hatching; the diagonal is the same by definition.
    axes.patch.set(facecolor="white", edgecolor="#b0b0b0", hatch="/////")
    for i in range(len(frame) if same else 0):
        axes.add_patch(Rectangle((i - 0.5, i - 0.5), 1, 1, facecolor="#d9d9d9"))
    codes = [str(code) for code in frame.columns]
    _ticks(axes, [language_name(code) for code in codes] if names else codes, codes)
    axes.tick_params(axis="x" if names else "both", labelsize=5 if names else 4.5, pad=1)
    return image


def _ticks(axes: Axes, rows: Sequence[str], columns: Sequence[str]) -> None:
    axes.set_yticks(range(len(rows)), rows)
    axes.set_xticks(range(len(columns)), columns)
    hide_frame(axes)


def _numbers(axes: Axes, frame: pd.DataFrame, image: AxesImage, form: str) -> None:
    for (row, column), number in np.ndenumerate(frame.to_numpy(float)):
        if np.isfinite(number) and not (row == column and frame.shape[0] == frame.shape[1] and form != "{:.0f}"):
            red, green, blue, _ = image.cmap(image.norm(number))
            dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
            axes.text(
                column,
                row,
                _formatted(form, float(number)),
                ha="center",
                va="center",
                fontsize=5,
                color="white" if dark else "black",
                in_layout=False,
            )


def _formatted(form: str, number: float) -> str:
    text = form.format(number).replace("-", "−")
    if not text.strip("+−0."):
        return text.lstrip("+−")
    return text.replace("0.", ".") if form == "{:.2f}" else text


def _gain_limit(frames: Iterable[pd.DataFrame]) -> float:
    largest = max(float(np.nanmax(np.abs(frame.to_numpy(float)), initial=0)) for frame in frames)
    return max(_LEAST_GAIN, 5 * float(np.ceil(largest / 5)))


def _shortened(name: object, length: int = 32) -> str:
    text = str(name)
    return text if len(text) <= length else text[: length // 2] + "…" + text[-length // 2 + 1 :]

"""Figures of a run for notebooks: `run.plot.transfer(value="morality", layer=3)`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from polyethos.arrays import LANGUAGE, LAYER, SOURCE, TARGET, VALUE
from polyethos.errors import LabelMismatchError, RunError, UnknownValueError
from polyethos.presentation.figures import looks, recognition_bars
from polyethos.presentation.heatmaps import draw_square
from polyethos.presentation.labels import chance, listed, value_name, values
from polyethos.presentation.relation_table import linguistic_table
from polyethos.presentation.runs import MODEL
from polyethos.presentation.style import COLUMN, DIVERGING, GREY, PAGE, blank, hide_frame, settings
from polyethos.presentation.views import MEAN, View, view

_LABELS = {"accuracy": "Accuracy (%)", "gain": "Gain (points)", "cosine": "Similarity"}


class RunPlots:
    """The figures of one model's run, as matplotlib figures.

    Every method takes `ax`, an axes to draw into, where its figure has one panel; without it a new figure is made in
    the style and width of a paper's column.
    """

    def __init__(self, results: xr.Dataset) -> None:
        """Draw from `results`, those of one model."""
        self._results = results

    def __repr__(self) -> str:
        return f"figures of this run: {listed(name + '()' for name in FIGURES)}"

    def recognition(
        self,
        *,
        value: str | None = None,
        layer: int | None = None,
        languages: Sequence[str] | None = None,
        ax: Axes | None = None,
    ) -> Figure:
        """Recognition accuracy: bars per language for every value or, with arguments, a heatmap of what is asked for.

        Args:
            value: one value; None for all and their mean.
            layer: a layer, 1..L; None for the layers chosen in training.
            languages: codes, in this order; None for all, by share of pre-training.
            ax: draw the heatmap here.

        Raises:
            UnknownNameError, LabelMismatchError: see `polyethos.presentation.views.view`.
            RunError: the run has several models.
        """
        results = self._single()
        if (value, layer, languages, ax) == (None, None, None, None) and "recognition" in results:
            return recognition_bars(results)
        return _table_figure(view(results, "recognition", value=value, layer=layer, languages=languages), ax)

    def similarity(
        self,
        *,
        value: str | None = None,
        layer: int | None = None,
        languages: Sequence[str] | None = None,
        measure: str | None = None,
        ax: Axes | None = None,
    ) -> Figure:
        """Similarity of the concept vectors of every two languages, as a heatmap.

        Args:
            value: one value; None for the mean over values.
            layer: a layer, 1..L; None for the layers chosen in training.
            languages: codes, in this order; None for all, by share of pre-training.
            measure: "corrected" (for noise) or "raw"; None for the first of these that the run has.
            ax: draw the heatmap here.

        Raises:
            UnknownNameError, LabelMismatchError, RunError: as for `recognition`.
        """
        chosen = view(self._single(), "similarity", value=value, layer=layer, languages=languages, measure=measure)
        return _square_figure(chosen, ax)

    def transfer(
        self,
        *,
        value: str | None = None,
        layer: int | None = None,
        languages: Sequence[str] | None = None,
        measure: str | None = None,
        ax: Axes | None = None,
    ) -> Figure:
        """What the vector of one language (rows) does in another (columns), as a heatmap.

        Args:
            value: one value; None for the mean over values.
            layer: a layer, 1..L; None for the layers chosen in training.
            languages: codes, in this order; None for all, by share of pre-training.
            measure: "gain" over the target's own vector (the default) or "accuracy".
            ax: draw the heatmap here.

        Raises:
            UnknownNameError, LabelMismatchError, RunError: as for `recognition`.
        """
        chosen = view(self._single(), "transfer", value=value, layer=layer, languages=languages, measure=measure)
        return _square_figure(chosen, ax)

    def layers(
        self, *, value: str | None = None, languages: Sequence[str] | None = None, ax: Axes | None = None
    ) -> Figure:
        """Recognition accuracy over the layers, a line per value; the dotted line is chance.

        Args:
            value: one value; None for all.
            languages: codes, whose mean is drawn; None for all.
            ax: draw here.

        Raises:
            UnknownNameError, LabelMismatchError, RunError: as for `recognition`.
        """
        results = self._single()
        if "accuracy" not in results:
            raise LabelMismatchError("these results hold no accuracy layer by layer")
        names = values(results) if value is None else [value]
        if value is not None and value not in values(results):
            raise UnknownValueError.of("value", value, values(results), "results")
        curves = _layer_means(results, languages)[names]
        with settings():
            figure, axes = _panel(ax, COLUMN, 2.2)
            for name, (colour, line) in zip(names, looks(len(names)), strict=True):
                numbers = 100 * curves[name]
                axes.plot(curves.index, numbers, color=colour, linestyle=line, marker=".", label=value_name(name))
            axes.axhline(100 * chance(results), color=GREY, linewidth=0.8, linestyle=":")
            axes.set(xlabel="Layer", ylabel="Recognition accuracy (%)")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.legend(frameon=False, fontsize=5)
        return figure

    def linguistics(self, *, ax: Axes | None = None) -> Figure:
        """Relation of similarity between vectors with similarity between languages, a bar per kind of distance.

        Args:
            ax: draw here.

        Raises:
            LabelMismatchError: the results hold no such relation (it needs several languages).
            RunError: the run has several models.
        """
        results = self._single()
        found = [name for name in ("linguistic_r", "linguistic_direct") if name in results]
        if not found:
            raise LabelMismatchError("these results hold no relation with linguistic distances; study more languages")
        bars = linguistic_table(results)[found[0].removeprefix("linguistic_")]
        with settings():
            figure, axes = _panel(ax, COLUMN, 1.8)
            axes.barh([str(name) for name in bars.index][::-1], bars.to_numpy(float)[::-1], color="#0072B2")
            axes.axvline(0, color="black", linewidth=0.7)
            axes.set(xlabel="Pearson r with linguistic similarity", xlim=(-1, 1))
        return figure

    def _single(self) -> xr.Dataset:
        if MODEL in self._results.dims:
            names = [str(name) for name in self._results[MODEL].values]
            raise RunError(f"the run has several models; draw one of them: run.models[{names[0]!r}].plot")
        return self._results


FIGURES = ("recognition", "similarity", "transfer", "layers", "linguistics")


def _layer_means(results: xr.Dataset, languages: Sequence[str] | None) -> pd.DataFrame:
    """Own-language accuracy, a row per layer and a column per value."""
    checked = view(results, "recognition", languages=languages).frame.index if "recognition" in results else None
    accuracy = results["accuracy"]
    own = accuracy.where(accuracy[SOURCE] == accuracy[TARGET])
    if checked is not None:
        own = own.sel({SOURCE: list(checked), TARGET: list(checked)})
    means = own.mean([SOURCE, TARGET]).transpose(LAYER, VALUE)
    return pd.DataFrame(means.values, index=[int(n) for n in means[LAYER].values], columns=values(results))


def _panel(ax: Axes | None, width: float, height: float) -> tuple[Figure, Axes]:
    if ax is None:
        figure = blank(width, height)
        return figure, figure.subplots()
    parent = ax.figure
    if not isinstance(parent, Figure):
        raise LabelMismatchError("ax belongs to a figure within a figure; give an axes of plt.subplots()")
    return parent, ax


def _title(chosen: View) -> str:
    return f"{chosen.what[:1].upper()}{chosen.what[1:]}\n({chosen.where})"


def _square_figure(chosen: View, ax: Axes | None) -> Figure:
    side = 1.2 + 0.13 * len(chosen.frame)
    with settings():
        figure, axes = _panel(ax, max(COLUMN, side), max(COLUMN, side))
        factor = 1 if chosen.unit == "cosine" else 100
        middle, reach = (50.0, 50.0) if chosen.unit == "accuracy" else (0.0, _reach(chosen))
        image = draw_square(axes, factor * chosen.frame, middle, reach, same=chosen.unit != "accuracy")
        axes.set_title(_title(chosen))
        if chosen.kind == "transfer":
            axes.set(xlabel="Target (used in)", ylabel="Source (vector from)")
        figure.colorbar(image, ax=axes, shrink=0.8, pad=0.02).set_label(_LABELS[chosen.unit])
    return figure


def _reach(chosen: View) -> float:
    if chosen.unit == "cosine":
        return 1.0
    largest = float(np.nanmax(np.abs(100 * chosen.frame.to_numpy(float)), initial=0))
    return max(5.0, 5 * float(np.ceil(largest / 5)))


def _table_figure(chosen: View, ax: Axes | None) -> Figure:
    frame = 100 * chosen.frame
    with settings():
        figure, axes = _panel(ax, min(PAGE, 2.4 + 0.3 * frame.shape[1]), 1.0 + 0.14 * len(frame))
        numbers = np.ma.masked_invalid(frame.to_numpy(float))
        image = axes.imshow(numbers, vmin=0, vmax=100, cmap=DIVERGING, aspect="auto")
        names = [MEAN if name == MEAN else value_name(str(name), short=frame.shape[1] > 2) for name in frame.columns]
        axes.set_xticks(range(len(names)), names, rotation=45, ha="right")
        axes.set_yticks(range(len(frame)), [str(code) for code in frame.index])
        hide_frame(axes)
        for (row, column), number in np.ndenumerate(frame.to_numpy(float)):
            if np.isfinite(number):
                dark = abs(number - 50) > 32
                axes.text(
                    column, row, f"{number:.0f}", ha="center", va="center", fontsize=5, color="w" if dark else "k"
                )
        axes.set_title(_title(chosen))
        axes.set_ylabel(LANGUAGE.capitalize())
        figure.colorbar(image, ax=axes, pad=0.02).set_label(_LABELS["accuracy"])
    return figure

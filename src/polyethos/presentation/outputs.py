"""Everything a study leaves to look at: tables, figures and the report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import xarray as xr
from matplotlib.figure import Figure

from polyethos.presentation.comparing import Compared, compared
from polyethos.presentation.comparing_charts import models_by_share
from polyethos.presentation.figures import layer_curves, recognition_bars
from polyethos.presentation.heatmaps import (
    models_gain,
    models_recognition,
    models_similarity,
    models_transfer,
    similarity_heatmap,
    similarity_panels,
    transfer_heatmap,
)
from polyethos.presentation.style import save
from polyethos.presentation.table_files import write_comparison_tables, write_tables

TABLES_FOLDER, FIGURES_FOLDER = "tables", "figures"

# Name of the file, the variable it needs, what draws it.
_FIGURES: tuple[tuple[str, str, Callable[[xr.Dataset], Figure]], ...] = (
    ("recognition", "recognition", recognition_bars),
    ("layers", "layer_curve", layer_curves),
    ("similarity", "similarity", similarity_heatmap),
    ("similarity_numbers", "similarity", lambda results: similarity_heatmap(results, width="page")),
    ("similarity_by_value", "similarity_by_value", similarity_panels),
    ("transfer", "transfer_gain", transfer_heatmap),
    ("transfer_numbers", "transfer_gain", lambda results: transfer_heatmap(results, width="page")),
)
_COMPARISONS: tuple[tuple[str, str, Callable[[Sequence[xr.Dataset]], Figure]], ...] = (
    ("models_recognition", "recognition", models_recognition),
    ("models_similarity", "similarity", models_similarity),
    ("models_gain", "transfer_gain", models_gain),
    ("models_transfer", "transfer_gain", models_transfer),
)


def write_outputs(folder: Path, runs: Sequence[xr.Dataset]) -> None:
    """Write the tables and figures of one model's results, or the comparisons of several, into a run folder."""
    if len(runs) == 1:
        write_tables(runs[0], folder / TABLES_FOLDER)
        write_figures(runs[0], folder / FIGURES_FOLDER)
    else:
        write_comparison_tables(runs, folder / TABLES_FOLDER)
        write_comparison_figures(runs, folder / FIGURES_FOLDER)


def write_figures(results: xr.Dataset, folder: Path) -> list[Path]:
    """Write every figure that the results of one model allow as SVG and PNG, each file whole or not at all."""
    return [path for name, needs, draw in _FIGURES if needs in results for path in save(draw(results), folder, name)]


def write_comparison_figures(runs: Sequence[xr.Dataset], folder: Path) -> list[Path]:
    """Write the figures that put several models side by side, where every one of them has what is needed."""
    drawn = {name: draw(runs) for name, needs, draw in _COMPARISONS if all(needs in run for run in runs)}
    if isinstance(found := compared(runs), Compared):
        drawn["models_by_share"] = models_by_share(found)
    return [path for name, figure in drawn.items() for path in save(figure, folder, name)]

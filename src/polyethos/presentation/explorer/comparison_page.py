"""The explorer's page that puts runs side by side."""

from __future__ import annotations

from typing import Any

import gradio as gr
import numpy as np

from polyethos.errors import PolyethosError
from polyethos.presentation.cells import heading, shown
from polyethos.presentation.explorer.charts import heatmap, number_in_words
from polyethos.presentation.explorer.figures_page import MEAN_VALUE
from polyethos.presentation.explorer.markup import csv_link, note, table
from polyethos.presentation.explorer.workbench import Workbench
from polyethos.presentation.labels import typeset, value_name, values
from polyethos.presentation.protocols import contrasts
from polyethos.presentation.tables import comparison_tables
from polyethos.presentation.views import Kind, differences, mean_apart, view

KINDS: dict[str, Kind] = {"Recognition": "recognition", "Similarity": "similarity", "Transfer": "transfer"}


def build(bench: Workbench) -> None:
    """Lay out the page inside the current blocks."""
    runs = bench.runs
    if len(runs) < 2:
        gr.HTML(note("Only one run is open. To compare runs, start the explorer with several: polyethos explore A B"))
        return
    names = [run.name for run in runs]
    common = [value for value in values(runs[0].results) if all(value in values(run.results) for run in runs)]
    with gr.Row():
        kind = gr.Dropdown(list(KINDS), value="Recognition", label="Figure", elem_id="compare-kind")
        value_choices = [(MEAN_VALUE, ""), *((value_name(value), value) for value in common)]
        value = gr.Dropdown(value_choices, value="", label="Value", elem_id="compare-value")
        first = gr.Dropdown(names, value=names[0], label="From", elem_id="compare-first")
        second = gr.Dropdown(names, value=names[1], label="To", elem_id="compare-second")
    said = gr.HTML(elem_id="compare-said")
    plot = gr.Plot(label="Difference", show_label=False, elem_classes="pe-plot", elem_id="difference")
    gr.HTML(_overview(bench), elem_id="overview")

    def compare(*chosen: Any) -> tuple[Any, ...]:  # noqa: ANN401
        return _compared(bench, *chosen)

    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "trigger_mode": "always_last"}
    for control in (kind, value, first, second):
        control.input(compare, [kind, value, first, second], [said, plot], **quiet)
    context = gr.context.Context.root_block
    if context is not None:
        context.load(compare, [kind, value, first, second], [said, plot], **quiet)


def _compared(bench: Workbench, kind: str, value: str, first: str, second: str) -> tuple[Any, ...]:
    """What is said about two runs, and the map of their differences."""
    one, other = bench.run(first), bench.run(second)
    chosen = KINDS.get(kind, "recognition")
    try:
        views = [view(run.results, chosen, value=value or None) for run in (one, other)]
    except PolyethosError as error:
        return note(str(error), "problem"), gr.update(visible=False)
    if views[0].what != views[1].what:
        views = [view(run.results, chosen, value=value or None, measure=_plainest(chosen)) for run in (one, other)]
    gap = differences(*views)
    if gap.frame.empty or not np.isfinite(gap.frame.to_numpy(float)).any():
        return note("These two runs have no value and language in common.", "problem"), gr.update(visible=False)
    means = [number_in_words(mean_apart(part), part.unit) for part in views]
    words = (
        f"{views[0].what[:1].upper()}{views[0].what[1:]}, {views[0].where}: on average {means[0]} in {first}, "
        f"{means[1]} in {second}. Blue: more in {second}; orange: less. A difference carries "
        "the uncertainty of both numbers; their intervals are in the figures."
    )
    return note(words), gr.update(value=heatmap(gap, neutral="0 the same"), visible=True)


def _plainest(kind: Kind) -> str | None:
    """The number that results of both protocols have."""
    return "raw" if kind == "similarity" else None


def _overview(bench: Workbench) -> str:
    """The report's tables of several models, and what each protocol makes of the same model."""
    results = [run.results for run in bench.runs]
    if not all("recognition" in one for one in results):
        return ""
    parts = []
    for one in comparison_tables(results):
        words = one.frame.map(lambda cell, unit=one.unit: shown(cell, unit))
        words.columns = [heading(one.frame.columns.name, name, short=True) for name in one.frame.columns]
        # Long tables are for spreadsheets.
        parts += [table(words, one.caption) if one.pages else note(one.caption), csv_link(one.frame, one.name)]
    for row in contrasts(results):
        numbers = typeset(f"paper {row.paper}, corrected {row.corrected}")
        parts.append(note(f"{row.model}, {row.quantity}: {numbers}. {row.why}"))
    return "".join(parts)

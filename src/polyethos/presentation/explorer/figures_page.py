"""The explorer's first page: the figures of every run, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import gradio as gr
import pandas as pd

from polyethos.errors import PolyethosError
from polyethos.presentation.answers import answers
from polyethos.presentation.explorer.charts import curves, gain_limit, heatmap, same_heights
from polyethos.presentation.explorer.markup import csv_link, note, table, text_html
from polyethos.presentation.explorer.workbench import ExploredRun, Workbench
from polyethos.presentation.labels import value_name, values
from polyethos.presentation.views import MEASURES, Kind, View, measures, view

FIGURES = {
    "Recognition: can the value be read in each language?": "recognition",
    "Similarity: do two languages use the same direction?": "similarity",
    "Transfer: does one language's vector work in another?": "transfer",
    "Layers: where in the model is the value read?": "layers",
}
ORDERS = {"share of pre-training": "share", "language family": "family", "similarity of vectors": "similarity"}
_QUESTION = {"recognition": "existence", "similarity": "consistency", "transfer": "transfer", "layers": "existence"}
_MEASURE_WORDS = {
    "accuracy": "accuracy",
    "corrected": "corrected for noise",
    "raw": "raw cosine",
    "gain": "gain over the own vector",
}
_READING = {
    "recognition": "Percent of sentence pairs in which the sentence that upholds the value was told from the one that "
    "violates it, on pairs not used for learning. 50 is guessing.",
    "similarity": "A value's vector in a language is the direction in which hidden states move from violating to "
    "upholding sentences. 1: two languages use the same direction; 0: the directions have nothing to do with each "
    "other.",
    "transfer": "Rows: the language the vector comes from. Columns: the language it is used in. Blue: better there "
    "than the language's own vector; orange: worse; in percentage points.",
    "layers": "A line per value, mean over languages; layer 1 is the first block of the model.",
}
MEAN_VALUE = "all values"


def build(bench: Workbench) -> None:
    """Lay out the page inside the current blocks."""
    runs = bench.runs
    every = list(dict.fromkeys(value for run in runs for value in values(run.results)))
    deepest = max(run.layers[-1] for run in runs)
    with gr.Row():
        figure = gr.Dropdown(
            list(FIGURES), value=next(iter(FIGURES)), label="Figure", elem_id="figure", scale=2, min_width=300
        )
        value_choices = [(MEAN_VALUE, ""), *((value_name(value), value) for value in every)]
        value = gr.Dropdown(value_choices, value="", label="Value", elem_id="figure-value")
        order = gr.Dropdown(list(ORDERS), value=next(iter(ORDERS)), label="Sort languages by", elem_id="order")
        measure = gr.Dropdown(_measure_choices("recognition"), label="Number", elem_id="measure", visible=False)
    with gr.Row():
        layer = gr.Slider(
            0, deepest, value=0, step=1, label="Layer (0: the one chosen in training)", elem_id="figure-layer"
        )
        shown = gr.CheckboxGroup(
            [run.name for run in runs],
            value=[run.name for run in runs],
            label="Runs shown",
            visible=len(runs) > 1,
            elem_id="shown",
        )
    said = gr.HTML(elem_id="figure-said")
    with gr.Row(elem_id="plots"):
        plots = [
            gr.Plot(label=run.name, show_label=len(runs) > 1, min_width=340, elem_classes="pe-plot") for run in runs
        ]
    with gr.Accordion("The numbers as a table", open=False):
        numbers = gr.HTML(elem_id="figure-numbers")
    inputs = [figure, value, order, measure, layer, shown]
    outputs = [said, *plots, numbers]

    def draw(*chosen: Any) -> list[Any]:  # noqa: ANN401
        return _drawn(runs, *chosen)

    def change_figure(name: str) -> dict[str, Any]:
        kind = FIGURES.get(name, "recognition")
        choices = _measure_choices(kind)
        return gr.update(choices=choices, value=choices[0][1] if choices else None, visible=len(choices) > 1)

    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "trigger_mode": "always_last"}
    figure.input(change_figure, figure, measure, **quiet).then(draw, inputs, outputs, **quiet)
    for control in (value, order, measure, shown):
        control.input(draw, inputs, outputs, **quiet)
    layer.change(draw, inputs, outputs, **quiet)
    context = gr.context.Context.root_block
    if context is not None:
        context.load(draw, inputs, outputs, **quiet)


def _measure_choices(kind: str) -> list[tuple[str, str]]:
    return [(_MEASURE_WORDS[name], name) for name in MEASURES.get(kind, ())]


def _drawn(
    runs: Sequence[ExploredRun], figure: str, value: str, order: str, measure: str, layer: float, shown: Sequence[str]
) -> list[Any]:
    """What is said, a plot per run, and the numbers; a run that lacks something says so in place of its plot."""
    kind = FIGURES.get(figure, "recognition")
    parts: list[str] = [f'<p class="pe-note">{text_html(_READING[kind])}</p>']
    views: dict[str, View] = {}
    pictures: dict[str, Any] = {}
    for run in runs:
        if run.name not in shown:
            continue
        parts.append(_answer(run, kind, alone=len(runs) == 1))
        if kind == "layers":
            pictures[run.name] = curves(run.results, "similarity" if measure == "raw" else "recognition")
            continue
        try:
            views[run.name] = _view(run, kind, value, order, measure, layer)
        except PolyethosError as error:
            parts.append(note(f"{run.name}: {error}", "problem"))
    if one := next(iter(views.values()), None):
        parts.append(
            f'<p class="pe-title">{text_html(one.what[:1].upper() + one.what[1:])}; {text_html(one.where)}</p>'
        )
    limit = gain_limit([one.frame for one in views.values() if one.unit == "gain"])
    pictures |= {name: heatmap(one, gain_limit=limit) for name, one in views.items()}
    if kind == "layers":
        same_heights([picture for picture in pictures.values() if picture is not None])
    plots = [gr.update(value=pictures.get(run.name), visible=run.name in pictures) for run in runs]
    return ["".join(parts), *plots, _tables(views)]


def _view(run: ExploredRun, kind: str, value: str, order: str, measure: str, layer: float) -> View:
    known = cast(Kind, kind)
    number = measure if measure in measures(run.results, known) else None
    return view(
        run.results,
        known,
        value=value or None,
        layer=int(layer) or None,
        measure=number,
        order=ORDERS.get(order, "share"),
    )


def _answer(run: ExploredRun, kind: str, *, alone: bool) -> str:
    answer = next((one for one in answers(run.results) if one.key == _QUESTION[kind]), None)
    if answer is None or not answer.measured:
        return ""
    name = "" if alone else f"<bdi>{text_html(run.name)}</bdi>: "
    return f'<p class="pe-said">{name}<b>{text_html(answer.verdict)}.</b> <bdi>{text_html(answer.sentence)}</bdi></p>'


def _tables(views: dict[str, View]) -> str:
    parts = []
    for number, (name, one) in enumerate(views.items(), start=1):
        frame: pd.DataFrame = one.frame if one.unit == "cosine" else 100 * one.frame
        unit = {"accuracy": "percent", "gain": "percentage points", "cosine": "−1 to 1"}[one.unit]
        parts.append(table(frame, f"{name}: {one.what} ({unit}); {one.where}", digits=1 if one.unit != "cosine" else 2))
        parts.append(csv_link(one.frame, f"{one.kind}-{number}"))
    return "".join(parts)

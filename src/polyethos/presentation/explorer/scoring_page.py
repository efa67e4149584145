"""The explorer's page that scores a user's own sentences."""

from __future__ import annotations

from typing import Any

import gradio as gr

from polyethos.errors import PolyethosError
from polyethos.presentation.explorer.markup import csv_link, note, table
from polyethos.presentation.explorer.playground_page import language_choices
from polyethos.presentation.explorer.scoring import MOST_SENTENCES, Scores, score, sentences_of, text_of_file
from polyethos.presentation.explorer.workbench import ExploredRun, Workbench
from polyethos.presentation.labels import language_name

SAME = "the same language"
_MEANING = (
    "+1: as the run's sentences that uphold the value, on average; −1: as those that violate it; 0: half-way, the "
    "threshold. A sentence about something else than the value gets a number as well, and one beyond ±3 is unlike the "
    "run's sentences: read nothing into either. "
    "“Single sentences told right” counts the run's own sentences on their side of the threshold, which the vector "
    "was fitted on; “new pairs told right” is the fairer number: pairs the vector never saw, both sentences side by "
    "side. Guessing gives 50 % in both."
)


def build(bench: Workbench) -> None:
    """Lay out the page inside the current blocks."""
    first = bench.runs[0]
    languages = language_choices(first)
    with gr.Row():
        with gr.Column(scale=3, min_width=300):
            text = gr.Textbox(
                label=f"Your sentences, one per line (at most {MOST_SENTENCES})", lines=6, max_lines=14,
                elem_id="sentences",
            )  # fmt: skip
        with gr.Column(scale=2, min_width=300):
            run = gr.Dropdown(
                [one.name for one in bench.runs], value=first.name, label="Model", elem_id="score-run",
                visible=len(bench.runs) > 1,
            )  # fmt: skip
            source = gr.Dropdown(languages, value=languages[0][1], label="Vectors from", elem_id="score-source")
            spoken = gr.Dropdown(
                [(SAME, ""), *languages], value="", label="The sentences are in", elem_id="score-spoken"
            )
            layer = gr.Slider(
                0, first.layers[-1], value=0, step=1, label="Layer (0: each value's own, chosen in training)",
                elem_id="score-layer",
            )  # fmt: skip
    with gr.Row():
        file = gr.UploadButton("Add a text file (UTF-8, one sentence per line)", elem_id="file")
        go = gr.Button("Score", variant="primary", elem_id="score")
    result = gr.HTML(elem_id="scores")

    def scored(*wished: Any) -> str:  # noqa: ANN401
        return _scored(bench, *wished)

    def change_run(name: str) -> tuple[Any, ...]:
        chosen = bench.run(name)
        known = language_choices(chosen)
        return (
            gr.update(choices=known, value=known[0][1]),
            gr.update(choices=[(SAME, ""), *known], value=""),
            gr.update(maximum=chosen.layers[-1], value=0),
        )

    quiet: dict[str, Any] = {"api_visibility": "private"}
    go.click(scored, [run, text, source, spoken, layer], result, concurrency_id="model", concurrency_limit=1, **quiet)
    file.upload(_with_file, [text, file], [text, result], show_progress="hidden", **quiet)
    run.input(change_run, run, [source, spoken, layer], show_progress="hidden", **quiet)


def _with_file(text: str, file: str) -> tuple[Any, Any]:
    """The sentences with those of the file below them, and what is said about it."""
    try:
        added = text_of_file(file)
    except PolyethosError as error:
        return gr.skip(), note(str(error), "problem")
    return f"{text.rstrip()}\n{added}".lstrip("\n"), note("The file's sentences were added.")


def _scored(bench: Workbench, name: str, text: str, source: str, spoken: str, layer: float) -> str:
    run = bench.run(name)
    try:
        sentences = sentences_of(text)
        found = score(bench, run, sentences, source=source, spoken=spoken or source, layer=int(layer))
    except PolyethosError as error:
        return note(str(error), "problem")
    return _page(run, found, source, spoken or source)


def _page(run: ExploredRun, found: Scores, source: str, spoken: str) -> str:
    words = f"{language_name(source)} vectors of {run.name}"
    if spoken != source:
        words += f", threshold from {language_name(spoken)} sentences"
    scores = table(found.scores, f"Scores: {words}", reach=2.0)
    return (
        scores
        + csv_link(found.scores, "scores")
        + f'<p class="pe-note">{_MEANING}</p>'
        + table(found.context, "What the numbers rest on")
    )

"""The explorer's playground: plain and steered answers side by side, token by token."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr

from polyethos.control.operators import OPERATORS, SCOPES
from polyethos.errors import PolyethosError
from polyethos.presentation.explorer.markup import note
from polyethos.presentation.explorer.playing import (
    BY_MEAN,
    BY_PAIRS,
    DIALOGUE,
    LONGEST_ANSWER,
    TEXT,
    Outcome,
    Wish,
    play,
    shown,
    without_numbers,
)
from polyethos.presentation.explorer.workbench import ExploredRun, Workbench
from polyethos.presentation.labels import autonym, language_name, value_name

OPERATOR_WORDS = {
    "add": "add: push every state along the vector, by this share of the layer's mean length",
    "ablate": "ablate: take this share of the projection out; 1 takes all of it",
    "clamp": "clamp: go this share of the way to the target; 1 goes all the way",
    "rotate": "rotate: turn every state towards the vector by this angle (radians)",
}
SCOPE_WORDS = {
    "all": "all tokens",
    "prompt": "the prompt's tokens",
    "generated": "the answer's tokens",
    "last-prompt": "the prompt's last token",
}
_EMPTY = '<div class="pe-text pe-waiting">The answer comes here.</div>'


def value_choices(run: ExploredRun) -> list[tuple[str, str]]:
    """The run's values in words."""
    return [(value_name(str(value)), str(value)) for value in run.vectors["value"].values]


def language_choices(run: ExploredRun) -> list[tuple[str, str]]:
    """The run's languages in words, each also by its own name."""
    codes = [str(code) for code in run.vectors["language"].values]
    return [(_language_words(code), code) for code in codes]


def _language_words(code: str) -> str:
    name, own = language_name(code), autonym(code)
    return name if own == name else f"{name} · {own}"


def build(bench: Workbench) -> None:
    """Lay out the page inside the current blocks."""
    first = bench.runs[0]
    values = value_choices(first)
    value = "harmfulness" if "harmfulness" in dict(values).values() else values[0][1]
    chosen = first.chosen_layer(value)
    outcome = gr.State(None)
    with gr.Row():
        with gr.Column(scale=2, min_width=300):
            prompt = gr.Textbox(
                label="Prompt, in any language", lines=3, max_lines=8, elem_id="prompt",
                placeholder="For instance: Explain how to repair a car.",
            )  # fmt: skip
            form = gr.Radio([DIALOGUE, TEXT], value=DIALOGUE, label="The prompt is", elem_id="form")
            with gr.Row():
                go = gr.Button("Answer", variant="primary", elem_id="go")
                stop = gr.Button("Stop", elem_id="stop")
        with gr.Column(scale=3, min_width=300):
            with gr.Row():
                run = gr.Dropdown(
                    [one.name for one in bench.runs], value=first.name, label="Model", elem_id="play-run",
                    visible=len(bench.runs) > 1,
                )  # fmt: skip
                concept = gr.Dropdown(values, value=value, label="Value", elem_id="play-value")
                source = gr.Dropdown(
                    language_choices(first), value=language_choices(first)[0][1], label="Vector from", elem_id="source"
                )
            strength = gr.Slider(
                -2, 2, value=-0.2, step=0.05, label="Strength (0: no change; negative: away from the value)",
                elem_id="strength",
            )  # fmt: skip
            layers = gr.CheckboxGroup(
                first.steerable_layers, value=[chosen], label="Steer at the outputs of layers", elem_id="layers"
            )
            with gr.Accordion("Operator, tokens, length", open=False):
                operator = gr.Radio(
                    [(OPERATOR_WORDS[name], name) for name in OPERATORS], value="add", label="Operator",
                    elem_id="operator",
                )  # fmt: skip
                target = gr.Slider(
                    -3, 3, value=1, step=0.1, elem_id="target",
                    label="Target of clamp (−1: as violating sentences on average, +1: as upholding)",
                )  # fmt: skip
                scope = gr.Radio(
                    [(SCOPE_WORDS[name], name) for name in SCOPES], value="all", label="Steer", elem_id="scope"
                )
                tokens = gr.Slider(
                    1, LONGEST_ANSWER, value=48, step=1, label="Longest answer, tokens", elem_id="tokens"
                )
    with gr.Row(equal_height=True):
        plain = gr.HTML(_headed("Plain", _EMPTY), elem_id="plain", min_width=300)
        steered = gr.HTML(_headed("Steered", _EMPTY), elem_id="steered", min_width=300)
    with gr.Row():
        layer = gr.Slider(
            first.layers[0], first.steerable_layers[-1], value=chosen, step=1, label="Colours show layer",
            elem_id="colour-layer",
        )  # fmt: skip
        zero = gr.Radio([BY_PAIRS, BY_MEAN], value=BY_PAIRS, label="Colours compare with", elem_id="zero")
    said = gr.HTML(elem_id="play-said")
    with gr.Accordion("Every token in numbers", open=False):
        numbers = gr.HTML(elem_id="play-numbers")

    def answer(*wished: Any) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401
        yield from _answers(bench, *wished)

    def recolour(kept: Outcome | None, at: float, by: str) -> tuple[Any, ...]:
        return _parts(shown(kept, int(at), by)) if kept is not None else (gr.skip(),) * len(texts)

    def change_run(name: str, wanted: str, spoken: str) -> tuple[Any, ...]:
        return _choices(bench.run(name), wanted, spoken)

    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    wished = [run, prompt, form, concept, source, layers, operator, strength, target, scope, tokens, layer, zero]
    texts = [plain, steered, said, numbers]
    # All users' work with models stands in one line, first come, first served.
    started: list[Any] = [
        listen(answer, wished, [outcome, *texts], concurrency_id="model", concurrency_limit=1, **quiet)
        for listen in (go.click, prompt.submit)
    ]
    for one in started:
        # What was chosen while the answer grew.
        one.then(recolour, [outcome, layer, zero], texts, **quiet)
    stop.click(None, cancels=started, **quiet)
    for control in (layer, zero):
        control.change(recolour, [outcome, layer, zero], texts, trigger_mode="always_last", **quiet)
    run.input(change_run, [run, concept, source], [concept, source, layers, layer], **quiet)


def _answers(
    bench: Workbench, name: str, prompt: str, form: str, value: str, source: str, layers: list[int], operator: str,
    strength: float, target: float, scope: str, tokens: float, layer: float, zero: str,
) -> Iterator[tuple[Any, ...]]:  # fmt: skip
    """What to put into the state and the four texts, again and again."""
    chosen = bench.run(name)
    wish = Wish(
        prompt=prompt, value=value, source=source, layers=tuple(sorted(int(one) for one in layers)),
        operator=operator, strength=float(strength), target=float(target), scope=scope, form=form, tokens=int(tokens),
    )  # fmt: skip
    kept: Outcome | None = None
    yield None, *_nothing(note("Waiting for the model."))
    try:
        for kept in play(bench, chosen, wish):
            yield gr.skip(), *_parts(without_numbers(kept, int(layer), zero))
    except PolyethosError as error:
        yield None, *_nothing(note(str(error), "problem"))
        return
    if kept is not None:
        yield kept, *_parts(shown(kept, int(layer), zero))


def _headed(heading: str, text: str) -> str:
    return f'<h2 class="pe-heading">{heading}</h2>{text}'


def _parts(texts: Sequence[str]) -> tuple[str, ...]:
    plain, steered, said, numbers = texts
    return _headed("Plain", plain), _headed("Steered", steered), said, numbers


def _nothing(said: str) -> tuple[str, ...]:
    return _parts((_EMPTY, _EMPTY, said, ""))


def _choices(run: ExploredRun, value: str, source: str) -> tuple[Any, ...]:
    """Controls for another run, as near as possible to what was chosen before."""
    values, languages = value_choices(run), language_choices(run)
    value = value if value in dict(values).values() else values[0][1]
    source = source if source in dict(languages).values() else languages[0][1]
    chosen = run.chosen_layer(value)
    return (
        gr.update(choices=values, value=value),
        gr.update(choices=languages, value=source),
        gr.update(choices=run.steerable_layers, value=[chosen]),
        gr.update(minimum=run.layers[0], maximum=run.steerable_layers[-1], value=chosen),
    )

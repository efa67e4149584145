"""Answers of a model, plain and steered, many conditions in one batch."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import xarray as xr

from polyethos.control.dialogue import prompt_tokens
from polyethos.control.operators import Intervention
from polyethos.control.steering import steer
from polyethos.errors import SteeringError
from polyethos.representation.model import LanguageModel
from polyethos.representation.template import Template


@dataclass(frozen=True, slots=True)
class SideBySide:
    """What the model answers to a prompt as it is, and steered."""

    prompt: str
    plain: str
    steered: str


def generate_answers(
    model: LanguageModel,
    prompts: Sequence[str],
    plans: Sequence[Sequence[Intervention]] | None = None,
    *,
    template: Template | None = None,
    max_new_tokens: int = 48,
    batch_rows: int = 32,
    options: Mapping[str, Any] | None = None,
) -> list[str]:
    """The model's answer to each prompt under the plan of the same place.

    Args:
        model: the model.
        prompts: texts, without template.
        plans: the edits of each row; None for the plain model.
        template: around each prompt; None for the model's own.
        max_new_tokens: most tokens of an answer.
        batch_rows: rows generated at once; prompts of like length come together.
        options: further arguments of transformers' `generate`, for instance `{"do_sample": True}`; greedy without.

    Returns:
        Answers without special tokens and outer blanks, in the order of the prompts.

    Raises:
        SteeringError: another number of plans than of prompts, or a plan that does not fit the model.
    """
    if plans is not None and len(plans) != len(prompts):
        raise SteeringError(f"{len(plans)} plans for {len(prompts)} prompts; give one for each")
    tokens = prompt_tokens(model, prompts, template=template or model.reading_template)
    order = sorted(range(len(prompts)), key=lambda row: len(tokens[row]))
    answers = [""] * len(prompts)
    for begin in range(0, len(order), batch_rows):
        rows = order[begin : begin + batch_rows]
        chosen = None if plans is None else [plans[row] for row in rows]
        texts = _generate(model, [tokens[row] for row in rows], chosen, max_new_tokens, options or {})
        for row, text in zip(rows, texts, strict=True):
            answers[row] = text
    return answers


def dose_response(
    model: LanguageModel,
    prompts: Sequence[str],
    doses: Mapping[Hashable, Sequence[Intervention]],
    *,
    template: Template | None = None,
    max_new_tokens: int = 48,
    batch_rows: int = 32,
) -> xr.DataArray:
    """Answers to every prompt at every dose, all doses of a prompt in one batch.

    Args:
        model: the model.
        prompts: texts, without template.
        doses: the edits of each dose, by its label.
        template: around each prompt; None for the model's own.
        max_new_tokens: most tokens of an answer.
        batch_rows: rows generated at once.

    Returns:
        Text (prompt, dose).
    """
    plans = [list(plan) for _ in prompts for plan in doses.values()]
    repeated = [prompt for prompt in prompts for _ in doses]
    answers = generate_answers(
        model, repeated, plans, template=template, max_new_tokens=max_new_tokens, batch_rows=batch_rows
    )
    table = [answers[row : row + len(doses)] for row in range(0, len(answers), len(doses))]
    return xr.DataArray(
        table, dims=("prompt", "dose"), coords={"prompt": list(prompts), "dose": list(doses)}, name="answer"
    )


def side_by_side(
    model: LanguageModel,
    prompts: Sequence[str],
    interventions: Sequence[Intervention],
    *,
    template: Template | None = None,
    max_new_tokens: int = 48,
) -> list[SideBySide]:
    """Plain and steered answers to the same prompts."""
    doses: dict[Hashable, Sequence[Intervention]] = {"plain": (), "steered": interventions}
    table = dose_response(model, prompts, doses, template=template, max_new_tokens=max_new_tokens)
    return [SideBySide(prompt, *(str(text) for text in row)) for prompt, row in zip(prompts, table.values, strict=True)]


def _generate(
    model: LanguageModel,
    tokens: Sequence[Sequence[int]],
    plans: Sequence[Sequence[Intervention]] | None,
    max_new_tokens: int,
    options: Mapping[str, Any],
) -> list[str]:
    padding = model.tokenizer.pad_token_id
    padding = (model.tokenizer.eos_token_id or 0) if padding is None else padding
    width = max(map(len, tokens))
    inputs = torch.tensor([[padding] * (width - len(row)) + list(row) for row in tokens])
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in tokens])
    # A model's own generation settings may sample; equal inputs shall give equal answers unless asked otherwise.
    greedy = {"do_sample": False, "num_beams": 1, "temperature": None, "top_p": None, "top_k": None}
    with steer(model, rows=plans if plans is not None else [[]]), torch.inference_mode():
        sequences: torch.Tensor = model.model.generate(  # type: ignore[operator]
            inputs.to(model.device),
            attention_mask=mask.to(model.device),
            max_new_tokens=max_new_tokens,
            pad_token_id=padding,
            **(greedy | dict(options)),
        )
    copies = len(sequences) // len(tokens)
    texts = model.tokenizer.batch_decode(sequences[::copies, width:], skip_special_tokens=True)
    return [text.strip() for text in texts]

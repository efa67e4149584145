"""Forward passes over prompts with given answers, under many conditions at once."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import nn

from polyethos.control.dialogue import Exchange
from polyethos.control.lower_blocks import LowerBlocks, fill_cache, lowest_block
from polyethos.control.operators import Intervention
from polyethos.control.steering import steer
from polyethos.errors import SteeringError
from polyethos.representation.blocks import probe_tokens
from polyethos.representation.computing import default_budget
from polyethos.representation.model import LanguageModel

Plan = Sequence[Intervention]
# Beyond these, larger batches of logits gain nothing.
_LOGITS_AT_ONCE = {"cpu": 2**22}
_LOGITS_ON_ACCELERATORS = 2**27
_MOST_ANSWERS = 16
_TOLERANCE = {torch.float32: 1e-4, torch.float16: 2e-2, torch.bfloat16: 1e-1}


@dataclass(frozen=True)
class Scored:
    """Next-token logits of some texts under some conditions.

    Attributes:
        conditions: which.
        texts: which.
        plain: nothing was edited; then the texts come once, for all of the conditions.
        pieces: logits, float32 (condition x text, token, vocabulary), and the tokens that they predict, (condition x
            text, token), -100 beyond an answer's end; together the answers from their beginning to their end.
    """

    conditions: list[int]
    texts: list[int]
    plain: bool
    pieces: list[tuple[torch.Tensor, torch.Tensor]]


def scored(model: LanguageModel, texts: Sequence[Exchange], conditions: Sequence[Plan]) -> Iterator[Scored]:
    """All texts under all conditions. The plain model's scores of some texts come before those of other conditions.

    A prompt that several answers share is read once for each condition. Blocks below every edit of a condition are
    computed once for all of them, on models where that was tried and found to be right.
    """
    return _scored(model, texts, conditions, skip=_may_skip(model))


def _scored(
    model: LanguageModel, texts: Sequence[Exchange], conditions: Sequence[Plan], *, skip: bool
) -> Iterator[Scored]:
    levels = [lowest_block(plan) for plan in conditions]
    by_level = {level: [k for k, one in enumerate(levels) if one == level] for level in sorted(set(levels) - {0})}
    unchanged = [k for k, level in enumerate(levels) if level == 0]
    for passes, at_once in _passes(model, texts, n_conditions=max(map(len, by_level.values()), default=1)):
        lower = LowerBlocks(model, by_level if skip else ())
        with lower.kept():
            yield Scored(unchanged, passes.texts, True, passes.pieces())
        for level, members in by_level.items():
            for begin in range(0, len(members), at_once):
                some = members[begin : begin + at_once]
                with ExitStack() as stack:
                    if skip:
                        stack.enter_context(lower.skipped(level, len(some)))
                    stack.enter_context(steer(model, rows=passes.rows([conditions[k] for k in some])))
                    pieces = passes.pieces(len(some), resting=level if skip else 0)
                yield Scored(some, passes.texts, False, pieces)


@dataclass(frozen=True)
class _Passes:
    """Prompts of one length, each with as many answers.

    Attributes:
        texts: which, by prompt, then answer.
        prompts: tokens (prompt, token).
        answers: tokens (text, token), -100 beyond an answer's end.
    """

    model: LanguageModel
    texts: list[int]
    prompts: torch.Tensor
    answers: torch.Tensor

    def rows(self, plans: Sequence[Plan]) -> list[Plan]:
        """The plan of each row that the prompts have under all of the plans."""
        return [plan for plan in plans for _ in self.prompts]

    def pieces(self, copies: int = 1, *, resting: int = 0) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """The pieces of `Scored`, everything `copies` times; the first `resting` blocks do not fill the cache."""
        prompts, answers = self.prompts.repeat(copies, 1), self.answers.repeat(copies, 1)
        answers_of_each = len(answers) // len(prompts)
        with torch.inference_mode():
            read = self._forward(prompts, keep=1, use_cache=answers.shape[1] > 1)
            first = read.logits[:, -1:].repeat_interleave(answers_of_each, dim=0).float()
            if answers.shape[1] == 1:
                return [(first, answers)]
            cache = read.past_key_values
            fill_cache(cache, resting, prompts)
            if answers_of_each > 1:
                cache.batch_repeat_interleave(answers_of_each)
            # A causal model does not look at the padding behind an answer.
            begun = answers[:, :-1].clamp_min(0)
            ones = torch.ones((len(begun), prompts.shape[1] + begun.shape[1]), dtype=torch.long, device=begun.device)
            rest = self._forward(begun, past_key_values=cache, attention_mask=ones, use_cache=True)
            return [(first, answers[:, :1]), (rest.logits.float(), answers[:, 1:])]

    def _forward(self, tokens: torch.Tensor, *, keep: int = 0, **options: Any) -> Any:  # noqa: ANN401
        model = self.model.model
        if keep and "logits_to_keep" in inspect.signature(model.forward).parameters:
            # The vocabulary projection of a whole prompt would take more time than its blocks.
            options["logits_to_keep"] = keep
        return model(input_ids=tokens, **options)


def _passes(model: LanguageModel, texts: Sequence[Exchange], *, n_conditions: int) -> Iterator[tuple[_Passes, int]]:
    """Texts that are read together, and under how many conditions at once."""
    for prompts in _alike(texts):
        longest = max(len(texts[k].tokens) - texts[k].prompt for answers in prompts for k in answers)
        length, count = texts[prompts[0][0]].prompt, len(prompts[0])
        rows = _rows_at_once(model, length + count * longest, count * longest)
        at_once = min(n_conditions, rows)
        side = max(1, rows // at_once)
        for first in range(0, len(prompts), side):
            yield _read_together(model, texts, prompts[first : first + side]), at_once


def _alike(texts: Sequence[Exchange]) -> list[list[list[int]]]:
    """Texts by prompt, and prompts by their length and number of answers, so that nothing in front is padded."""
    by_prompt: dict[tuple[int, ...], list[int]] = {}
    for k, text in enumerate(texts):
        by_prompt.setdefault(text.tokens[: text.prompt], []).append(k)
    alike: dict[tuple[int, int], list[list[int]]] = {}
    for prompt, answers in by_prompt.items():
        answers.sort(key=lambda k: len(texts[k].tokens))
        for begin in range(0, len(answers), _MOST_ANSWERS):
            some = answers[begin : begin + _MOST_ANSWERS]
            alike.setdefault((len(prompt), len(some)), []).append(some)
    return list(alike.values())


def _rows_at_once(model: LanguageModel, tokens: int, scored: int) -> int:
    """How many prompts, counting a prompt under two conditions twice, a batch may have."""
    vocabulary = int(model.model.config.get_text_config().vocab_size)
    logits = _LOGITS_AT_ONCE.get(model.device.type, _LOGITS_ON_ACCELERATORS)
    return max(1, min(2 * default_budget(model.device.type) // tokens, logits // (vocabulary * scored)))


def _read_together(model: LanguageModel, texts: Sequence[Exchange], prompts: Sequence[Sequence[int]]) -> _Passes:
    chosen = [k for answers in prompts for k in answers]
    width = max(len(texts[k].tokens) - texts[k].prompt for k in chosen)
    answers = torch.full((len(chosen), width), -100)
    for row, k in enumerate(chosen):
        answer = texts[k].tokens[texts[k].prompt :]
        answers[row, : len(answer)] = torch.tensor(answer)
    read = torch.tensor([texts[first].tokens[: texts[first].prompt] for first, *_ in prompts])
    return _Passes(model, chosen, read.to(model.device), answers.to(model.device))


_found_out: WeakKeyDictionary[nn.Module, bool] = WeakKeyDictionary()


def _may_skip(model: LanguageModel) -> bool:
    """Whether lower blocks may rest: tried once for each model, with edits at the first block, a middle one, the last.

    Models whose cache holds a running state, or whose later blocks look at earlier ones, are found out that way.
    """
    if model.model not in _found_out:
        try:
            _found_out[model.model] = _skipping_is_right(model)
        # What a model raises whose blocks or cache work in another way is up to the model.
        except (RuntimeError, ValueError, TypeError, IndexError, KeyError, AttributeError, SteeringError):
            _found_out[model.model] = False
    return _found_out[model.model]


def _skipping_is_right(model: LanguageModel) -> bool:
    tokens = tuple(probe_tokens(model.base, model.tokenizer.all_special_ids)[0].tolist())
    texts = [Exchange(tokens[:9], 6), Exchange((*tokens[:6], *tokens[9:11]), 6), Exchange(tokens[4:], 7)]
    direction = torch.linspace(-1, 1, model.hidden_size).numpy()
    layers = sorted({1, (model.n_layers + 1) // 2, model.n_layers})
    plans = [[Intervention(layer, direction, scope=scope)] for layer in layers for scope in ("all", "generated")]
    computed, skipped = ([part.pieces for part in _scored(model, texts, plans, skip=skip)] for skip in (False, True))
    tolerance = _TOLERANCE.get(model.model.dtype, 0.0)
    return all(
        bool((one - other).norm() <= tolerance * one.norm())
        for parts in zip(computed, skipped, strict=True)
        for (one, _), (other, _) in zip(*parts, strict=True)
    )

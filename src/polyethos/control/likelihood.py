"""How likely given answers and how different next-token distributions are, under many conditions at once."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from polyethos.control.dialogue import Exchange
from polyethos.control.operators import Intervention
from polyethos.control.steering import steer
from polyethos.representation.computing import default_budget
from polyethos.representation.model import LanguageModel

Plan = Sequence[Intervention]
_LOGITS_AT_ONCE = 2**22
_MOST_ANSWERS = 16


def log_likelihoods(
    model: LanguageModel, texts: Sequence[Exchange], conditions: Sequence[Plan] = ((),)
) -> NDArray[np.float64]:
    """Log-likelihood of each answer given its prompt, in nats, summed over the answer's tokens.

    A prompt that several answers share is read once for each condition.

    Args:
        model: the model.
        texts: prompts with answers.
        conditions: the edits of each condition; an empty one is the plain model.

    Returns:
        (condition, text).
    """
    sums = np.zeros((len(conditions), len(texts)))
    for batch in _batches(model, texts, conditions):
        # Classes in the last dimension of a flat table: much faster than across a strided one.
        losses = torch.nn.functional.cross_entropy(
            batch.logits().flatten(0, 1), batch.answers.flatten(), reduction="none"
        ).view(batch.answers.shape)
        # Padding carries the label -100, whose loss is 0.
        sums[np.ix_(batch.conditions, batch.texts)] = -losses.double().sum(dim=1).cpu().numpy().reshape(batch.shape)
    return sums


def divergences(
    model: LanguageModel, texts: Sequence[Exchange], conditions: Sequence[Plan]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far each condition moves the next-token distributions along the answers, and how well it predicts them.

    Args:
        model: the model.
        texts: prompts with answers.
        conditions: the edits of each condition.

    Returns:
        Kullback-Leibler divergence of the condition from the plain model, sum over p (log p - log q) with p plain,
        in nats per token, (condition,); and the perplexity of the answers, (condition,).
    """
    sums, surprise = np.zeros(len(conditions)), np.zeros(len(conditions))
    for batch in _batches(model, texts, [(), *conditions]):
        flat = torch.log_softmax(batch.logits(), dim=-1)
        rows = flat.view(*batch.shape, *flat.shape[1:])
        answers = batch.answers.view(*batch.shape, -1)
        real = (answers != -100).double()
        plain = rows[:1]
        moved = (plain.exp() * (plain - rows)).sum(dim=-1).double() * real
        picked = rows.gather(-1, answers.clamp_min(0)[..., None])[..., 0].double() * real
        for kept, table in ((sums, moved), (surprise, -picked)):
            by_condition = table.sum(dim=(1, 2)).cpu().numpy()
            for place, condition in enumerate(batch.conditions):
                if condition > 0:
                    kept[condition - 1] += by_condition[place]
    tokens = sum(len(text.tokens) - text.prompt for text in texts)
    return sums / tokens, np.exp(surprise / tokens)


@dataclass(frozen=True)
class _Batch:
    """Prompts of one length, each with as many answers, under some conditions.

    Attributes:
        conditions: which; rows come by condition, then prompt, then answer.
        texts: which, by prompt, then answer.
        plans: the edits, by condition, then prompt.
        prompts: tokens (condition x prompt, token).
        answers: tokens (condition x text, token), -100 beyond an answer's end.
    """

    model: LanguageModel
    conditions: list[int]
    texts: list[int]
    plans: list[Plan]
    prompts: torch.Tensor
    answers: torch.Tensor

    @property
    def shape(self) -> tuple[int, int]:
        """Conditions and texts; rows of the batch are in this order."""
        return len(self.conditions), len(self.texts)

    def logits(self) -> torch.Tensor:
        """Next-token logits, float32 (row, token, vocabulary), for the tokens in `answers`."""
        answers_of_each = len(self.answers) // len(self.prompts)
        with steer(self.model, rows=self.plans), torch.inference_mode():
            read = self._forward(self.prompts, keep=1, use_cache=self.answers.shape[1] > 1)
            first: torch.Tensor = read.logits[:, -1:].repeat_interleave(answers_of_each, dim=0).float()
            if self.answers.shape[1] == 1:
                return first
            cache = read.past_key_values
            if answers_of_each > 1:
                cache.batch_repeat_interleave(answers_of_each)
            # A causal model does not look at the padding behind an answer.
            begun = self.answers[:, :-1].clamp_min(0)
            ones = torch.ones((len(begun), self.prompts.shape[1] + begun.shape[1]), dtype=torch.long)
            rest = self._forward(begun, past_key_values=cache, attention_mask=ones.to(begun.device), use_cache=True)
            return torch.cat([first, rest.logits.float()], dim=1)

    def _forward(self, tokens: torch.Tensor, *, keep: int = 0, **options: Any) -> Any:  # noqa: ANN401
        model = self.model.model
        if keep and "logits_to_keep" in inspect.signature(model.forward).parameters:
            # The vocabulary projection of a whole prompt would take more time than its blocks.
            options["logits_to_keep"] = keep
        return model(input_ids=tokens, **options)


def _batches(model: LanguageModel, texts: Sequence[Exchange], conditions: Sequence[Plan]) -> Iterator[_Batch]:
    """All texts under all conditions; condition 0 is in every batch, for comparison."""
    for prompts in _alike(texts):
        longest = max(len(texts[k].tokens) - texts[k].prompt for answers in prompts for k in answers)
        length, count = texts[prompts[0][0]].prompt, len(prompts[0])
        rows = _rows_at_once(model, length + count * longest, count * longest)
        at_once = min(len(conditions), max(2, rows))
        side = max(1, rows // at_once)
        for first in range(0, len(prompts), side):
            for begin in range(1, max(len(conditions), 2), max(at_once - 1, 1)):
                kept = [0, *range(begin, min(begin + at_once - 1, len(conditions)))]
                yield _batch(model, texts, prompts[first : first + side], kept, conditions)


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
    return max(1, min(2 * default_budget(model.device.type) // tokens, _LOGITS_AT_ONCE // (vocabulary * scored)))


def _batch(
    model: LanguageModel,
    texts: Sequence[Exchange],
    prompts: Sequence[Sequence[int]],
    kept: list[int],
    conditions: Sequence[Plan],
) -> _Batch:
    chosen = [k for answers in prompts for k in answers]
    width = max(len(texts[k].tokens) - texts[k].prompt for k in chosen)
    answers = torch.full((len(chosen), width), -100)
    for row, k in enumerate(chosen):
        answer = texts[k].tokens[texts[k].prompt :]
        answers[row, : len(answer)] = torch.tensor(answer)
    read = torch.tensor([texts[first].tokens[: texts[first].prompt] for first, *_ in prompts])
    return _Batch(
        model=model,
        conditions=kept,
        texts=chosen,
        plans=[conditions[condition] for condition in kept for _ in prompts],
        prompts=read.repeat(len(kept), 1).to(model.device),
        answers=answers.repeat(len(kept), 1).to(model.device),
    )

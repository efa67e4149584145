"""How likely given answers and how different next-token distributions are, under many conditions at once."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from polyethos.control.dialogue import Exchange
from polyethos.control.operators import Intervention
from polyethos.control.steering import steer
from polyethos.representation.computing import default_budget
from polyethos.representation.model import LanguageModel

Plan = Sequence[Intervention]
_LOGITS_AT_ONCE = 2**25


def log_likelihoods(
    model: LanguageModel, texts: Sequence[Exchange], conditions: Sequence[Plan] = ((),)
) -> NDArray[np.float64]:
    """Log-likelihood of each answer given its prompt, in nats, summed over the answer's tokens.

    Args:
        model: the model.
        texts: prompts with answers.
        conditions: the edits of each condition; an empty one is the plain model.

    Returns:
        (condition, text).
    """
    sums = np.zeros((len(conditions), len(texts)))
    for batch in _batches(model, texts, conditions):
        losses = torch.nn.functional.cross_entropy(batch.logits().transpose(1, 2), batch.answers, reduction="none")
        # Padding and prompt carry the label -100, whose loss is 0.
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
        rows = torch.log_softmax(batch.logits(), dim=-1)
        real = (batch.answers != -100).double()
        plain = rows[: len(batch.texts)].repeat(len(batch.conditions), 1, 1)
        moved = (plain.exp() * (plain - rows)).sum(dim=-1).double() * real
        picked = rows.gather(2, batch.answers.clamp_min(0)[..., None])[..., 0].double() * real
        for kept, table in ((sums, moved), (surprise, -picked)):
            by_condition = table.sum(dim=1).reshape(batch.shape).sum(dim=1).cpu().numpy()
            for place, condition in enumerate(batch.conditions):
                if condition > 0:
                    kept[condition - 1] += by_condition[place]
    tokens = sum(len(text.tokens) - text.prompt for text in texts)
    return sums / tokens, np.exp(surprise / tokens)


@dataclass(frozen=True)
class _Batch:
    model: LanguageModel
    texts: list[int]
    conditions: list[int]
    plans: list[Plan]
    tokens: torch.Tensor
    mask: torch.Tensor
    answers: torch.Tensor
    prompts: list[int]
    first: int

    @property
    def shape(self) -> tuple[int, int]:
        """Conditions and texts; rows of the batch are in this order."""
        return len(self.conditions), len(self.texts)

    def logits(self) -> torch.Tensor:
        """Next-token logits, float32 (row, token, vocabulary), for the tokens whose successors are in `answers`."""
        model = self.model.model
        inputs = {"input_ids": self.tokens, "attention_mask": self.mask, "use_cache": False}
        selective = "logits_to_keep" in inspect.signature(model.forward).parameters
        if selective:
            inputs["logits_to_keep"] = torch.arange(self.first, self.tokens.shape[1] - 1, device=self.tokens.device)
        with steer(self.model, rows=self.plans, prompt_lengths=self.prompts), torch.inference_mode():
            logits: torch.Tensor = model(**inputs).logits
        return (logits if selective else logits[:, self.first : -1]).float()


def _batches(model: LanguageModel, texts: Sequence[Exchange], conditions: Sequence[Plan]) -> Iterator[_Batch]:
    """All texts under all conditions; condition 0 is in every batch, for comparison."""
    order = sorted(range(len(texts)), key=lambda text: (len(texts[text].tokens), texts[text].prompt), reverse=True)
    vocabulary = int(model.model.config.get_text_config().vocab_size)
    while order:
        width = len(texts[order[0]].tokens)
        scored = width - min(texts[text].prompt for text in order[:8])
        rows = max(1, min(default_budget(model.device.type) // width, _LOGITS_AT_ONCE // (vocabulary * scored)))
        at_once = min(len(conditions), max(2, rows))
        count = max(1, rows // at_once)
        chosen, order = order[:count], order[count:]
        for begin in range(1, max(len(conditions), 2), max(at_once - 1, 1)):
            kept = [0, *range(begin, min(begin + at_once - 1, len(conditions)))]
            yield _batch(model, texts, chosen, kept, conditions)


def _batch(
    model: LanguageModel,
    texts: Sequence[Exchange],
    chosen: list[int],
    kept: list[int],
    conditions: Sequence[Plan],
) -> _Batch:
    width, first = max(len(texts[k].tokens) for k in chosen), min(texts[k].prompt for k in chosen) - 1
    # Padding stands on the right, where a causal model does not look.
    tokens = torch.zeros((len(chosen), width), dtype=torch.long)
    mask = torch.zeros((len(chosen), width), dtype=torch.long)
    answers = torch.full((len(chosen), width), -100)
    for row, text in enumerate(chosen):
        length = len(texts[text].tokens)
        tokens[row, :length] = torch.tensor(texts[text].tokens)
        mask[row, :length] = 1
        answers[row, texts[text].prompt : length] = tokens[row, texts[text].prompt : length]
    tokens, mask, answers = (one.repeat(len(kept), 1).to(model.device) for one in (tokens, mask, answers))
    return _Batch(
        model=model,
        texts=chosen,
        conditions=kept,
        plans=[conditions[condition] for condition in kept for _ in chosen],
        tokens=tokens,
        mask=mask,
        answers=answers[:, first + 1 :],
        prompts=[texts[text].prompt for _ in kept for text in chosen],
        first=first,
    )

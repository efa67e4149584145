"""How likely given answers and how different next-token distributions are, under many conditions at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from polyethos.control.dialogue import Exchange
from polyethos.control.scoring import Plan, scored
from polyethos.representation.model import LanguageModel


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
    for part in scored(model, texts, conditions):
        found: torch.Tensor | int = 0
        for logits, answers in part.pieces:
            # Classes in the last dimension of a flat table: much faster than across a strided one.
            losses = torch.nn.functional.cross_entropy(logits.flatten(0, 1), answers.flatten(), reduction="none")
            # Padding carries the label -100, whose loss is 0.
            found = found - losses.view(answers.shape).double().sum(dim=1)
        assert isinstance(found, torch.Tensor)
        # The plain part has its texts once, whatever the number of conditions that change nothing.
        sums[np.ix_(part.conditions, part.texts)] = found.cpu().numpy().reshape(-1, len(part.texts))
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
    plain: list[torch.Tensor] = []
    for part in scored(model, texts, conditions):
        rows = [torch.log_softmax(logits, dim=-1) for logits, _ in part.pieces]
        if part.plain:
            plain = rows
        for (_, answers), before, after in zip(part.pieces, plain, rows, strict=True):
            after = after.view(-1, *before.shape)
            real = (answers != -100).double().view(-1, *before.shape[:2])
            moved = (before.exp() * (before - after)).sum(dim=-1).double() * real
            tokens = answers.clamp_min(0).view(*real.shape, 1)
            missed = -after.gather(-1, tokens)[..., 0].double() * real
            sums[part.conditions] += moved.sum(dim=(1, 2)).cpu().numpy()
            surprise[part.conditions] += missed.sum(dim=(1, 2)).cpu().numpy()
    tokens_of_all = sum(len(text.tokens) - text.prompt for text in texts)
    return sums / tokens_of_all, np.exp(surprise / tokens_of_all)

"""The untrained model: the architecture and tokenizer of a model, with random weights."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import cast

import torch
from torch import nn

from polyethos.representation.blocks import base_of, find_blocks, probe_tokens
from polyethos.representation.model import LanguageModel
from polyethos.representation.sharing import shares_prefixes, uniform_tokens


def untrained(model: LanguageModel, *, seed: int) -> LanguageModel:
    """A model of the same architecture, tokenizer, template and precision whose weights were never trained.

    Weights are drawn as the architecture draws them before training. What such a model recognises comes from the
    architecture and the sentences, not from anything learned.

    Args:
        model: whose architecture is taken; stays as it is.
        seed: of the weights; equal seeds give equal weights.

    Source: the control of Adebayo et al. 2018, arXiv:1810.03292 (model randomisation).
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        # Drawn on the processor in float32 whatever the model's device and precision, so that a seed means the same.
        fresh = type(model.model)(copy.deepcopy(model.model.config))
    cast(nn.Module, fresh).to(model.device, model.model.dtype).train(False)
    base = base_of(fresh)
    tokens = probe_tokens(base, model.tokenizer.all_special_ids)
    blocks = find_blocks(base, tokens)
    shares = shares_prefixes(
        base,
        blocks,
        tokens,
        dtype=fresh.dtype,
        attention=model.attention,
        uniform=uniform_tokens(fresh.config.get_text_config()),
    )
    name = f"{model.name} (untrained, seed {seed})"
    return replace(model, name=name, model=fresh, blocks=blocks, shares_prefixes=shares)

"""The models of the lab: small Llamas with random weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from polyethos.lab.tokenizer import BEGIN, END, PADDING, SPECIAL_TOKENS


@dataclass(frozen=True)
class Size:
    """Shape of a model: decoder blocks, width of the residual stream, width inside the MLP, attention heads."""

    blocks: int
    width: int
    mlp: int
    heads: int

    @property
    def parameters(self) -> int:
        """Weights of the matrices inside the blocks."""
        return self.blocks * (4 * self.width**2 + 3 * self.width * self.mlp)


SIZES: Mapping[str, Size] = MappingProxyType(
    {
        "tiny": Size(blocks=2, width=64, mlp=160, heads=2),
        "small": Size(blocks=3, width=64, mlp=192, heads=4),
        "pocket": Size(blocks=4, width=128, mlp=320, heads=4),
        "large": Size(blocks=6, width=192, mlp=512, heads=6),
    }
)


def new_model(size: Size, *, vocabulary: int, context: int, seed: int) -> LlamaForCausalLM:
    """A Llama of that shape with tied embeddings and freshly drawn float32 weights."""
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=size.width,
        intermediate_size=size.mlp,
        num_hidden_layers=size.blocks,
        num_attention_heads=size.heads,
        num_key_value_heads=size.heads,
        max_position_embeddings=context,
        tie_word_embeddings=True,
        rms_norm_eps=1e-5,
        bos_token_id=SPECIAL_TOKENS.index(BEGIN),
        eos_token_id=SPECIAL_TOKENS.index(END),
        pad_token_id=SPECIAL_TOKENS.index(PADDING),
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return LlamaForCausalLM(config)

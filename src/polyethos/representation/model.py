"""A language model ready to be read: weights, tokenizer, decoder blocks, template, and where it came from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import torch
import transformers
from torch import nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from polyethos.errors import UnsupportedModelError
from polyethos.representation.blocks import REMEDY, base_of, find_blocks, probe_tokens
from polyethos.representation.fingerprint import source_revision, tokenizer_hash
from polyethos.representation.hardware import choose_device
from polyethos.representation.loading import load_config, load_tokenizer, load_weights
from polyethos.representation.sharing import shares_prefixes, uniform_tokens
from polyethos.representation.template import Template, resolve_template


@dataclass(frozen=True, eq=False)
class LanguageModel:
    """A decoder-only language model.

    Attributes:
        name: hub id or folder it was loaded from.
        revision: commit on the hub, or a fingerprint of the files of a folder.
        model: the transformers model, in evaluation mode.
        tokenizer: its tokenizer.
        blocks: its decoder blocks, in order; block k of the documentation is `blocks[k - 1]`.
        reading_template: the text put around every sentence, and whether special tokens are added to it.
        shares_prefixes: whether texts that begin alike may be computed together (tried out when it was loaded).
    """

    name: str
    revision: str
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    blocks: tuple[nn.Module, ...]
    reading_template: Template
    shares_prefixes: bool

    @property
    def base(self) -> nn.Module:
        """The model without its vocabulary projection."""
        return base_of(self.model)

    @property
    def n_layers(self) -> int:
        """Number of decoder blocks."""
        return len(self.blocks)

    @property
    def hidden_size(self) -> int:
        """Width of the residual stream."""
        return int(self.model.config.get_text_config().hidden_size)

    @property
    def template(self) -> str:
        """The text around every sentence, with "{input}" in its place."""
        return self.reading_template.text

    @property
    def dtype(self) -> str:
        """The precision it computes in, for instance "bfloat16"."""
        return str(self.model.dtype).removeprefix("torch.")

    @property
    def attention(self) -> str:
        """The attention implementation, for instance "sdpa"."""
        return attention_of(self.model)

    @property
    def device(self) -> torch.device:
        """Where tokens go; further blocks may lie on other devices."""
        embeddings = cast(nn.Embedding, self.model.get_input_embeddings())
        return embeddings.weight.device

    @property
    def max_tokens(self) -> int | None:
        """The most tokens a text may have, where the model has such a limit."""
        config = self.model.config.get_text_config()
        limits = (getattr(config, name, None) for name in ("max_position_embeddings", "max_seq_len"))
        return next((limit for limit in limits if isinstance(limit, int)), None)

    @property
    def uniform_tokens(self) -> int | None:
        """The length up to which the model treats texts alike, where there is one."""
        return uniform_tokens(self.model.config.get_text_config())

    @cached_property
    def identity(self) -> dict[str, Any]:
        """Everything needed to tell this model from another and to load it the same way again."""
        return {
            "model": Path(self.name).name if Path(self.name).is_dir() else self.name,
            "revision": self.revision,
            "architecture": type(self.model).__name__,
            "n_layers": self.n_layers,
            "hidden_size": self.hidden_size,
            "tokenizer_hash": tokenizer_hash(self.tokenizer),
            "template": self.template,
            "template_special_tokens": self.reading_template.special_tokens,
            "dtype": self.dtype,
            "attention": self.attention,
            "shares_prefixes": self.shares_prefixes,
            "device": self.device.type,
            "transformers": transformers.__version__,
            "torch": torch.__version__,
        }


def load_model(
    name: str | Path,
    *,
    revision: str | None = None,
    dtype: str = "auto",
    device: str = "auto",
    attention: str | None = None,
    template: str = "auto",
    trust_remote_code: bool = False,
) -> LanguageModel:
    """Load any decoder-only language model that transformers can load.

    Args:
        name: Hugging Face hub id, or a folder in the hub's layout.
        revision: branch, tag or commit on the hub.
        dtype: "float32", "bfloat16", "float16", or "auto": bfloat16 for models of more than 50 million parameters
            where the hardware multiplies it faster or float32 does not fit, else float32.
        device: "cpu", "cuda", "cuda:1", ..., or "auto": a CUDA device where there is one; a model that does not fit
            on one of several is spread over all of them.
        attention: transformers' attention implementation ("sdpa", "eager", ...); None leaves the choice to it.
        template: text around every sentence: "chat" (the tokenizer's chat template), "bare" (none), "auto" (chat
            where there is one) or a text with "{input}" in it.
        trust_remote_code: let the model bring its own Python code. Only for sources you trust.

    Raises:
        ModelLoadError: no such model, broken files, weights that only come pickled, remote code not allowed.
        UnsupportedModelError: not a decoder-only model.
        ResourceError: it does not fit into memory.
    """
    name = str(name)
    config = load_config(name, revision=revision, trust_remote_code=trust_remote_code)
    kind = (getattr(config, "architectures", None) or [type(config).__name__])[0]
    if config.is_encoder_decoder:
        raise UnsupportedModelError(f"{name}: {kind} is an encoder-decoder model. {REMEDY}")
    tokenizer = load_tokenizer(name, revision=revision, trust_remote_code=trust_remote_code)
    reading_template = resolve_template(template, tokenizer, model=name)
    model = load_weights(
        name,
        config,
        dtype=dtype,
        device=choose_device(device),
        attention=attention,
        trust_remote_code=trust_remote_code,
    )
    base = base_of(model)
    tokens = probe_tokens(base, tokenizer.all_special_ids)
    blocks = find_blocks(base, tokens)
    shares = shares_prefixes(
        base,
        blocks,
        tokens,
        dtype=model.dtype,
        attention=attention_of(model),
        uniform=uniform_tokens(config.get_text_config()),
    )
    return LanguageModel(
        name=name,
        revision=source_revision(name, config),
        model=model,
        tokenizer=tokenizer,
        blocks=blocks,
        reading_template=reading_template,
        shares_prefixes=shares,
    )


def attention_of(model: PreTrainedModel) -> str:
    """The name of the attention implementation that `model` uses, for instance "sdpa"."""
    return str(getattr(model.config, "_attn_implementation", None) or "eager")

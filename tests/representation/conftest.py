"""Tiny random models of many architectures, saved as folders that `load_model` reads like any other."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from tiny_models import ARCHITECTURES
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

from polyethos.representation.model import LanguageModel, load_model

CORPUS = [
    "I found a purse and brought it back. I found a purse and kept it.",
    "Question: what is the Sun? Answer: a star. Answer: a lamp.",
    "Die Katze schläft. 猫在睡觉。 Paka amelala.",
]


@pytest.fixture(scope="session")
def tokenizer() -> PreTrainedTokenizerFast:
    """A byte-level tokenizer of 400 tokens that puts <s> before every text."""
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = ["<pad>", "<s>", "</s>"]
    raw.train_from_iterator(
        CORPUS, trainers.BpeTrainer(vocab_size=400, special_tokens=special, initial_alphabet=alphabet)
    )
    raw.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return PreTrainedTokenizerFast(
        tokenizer_object=raw,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        model_input_names=["input_ids", "attention_mask"],
    )


@pytest.fixture(scope="session")
def save_model(tokenizer: PreTrainedTokenizerFast, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Save a tiny random model of a transformers class, together with the tokenizer, and give its folder."""

    def save(prefix: str, build: Callable[..., Any] = AutoModelForCausalLM.from_config, **options: Any) -> Path:
        torch.manual_seed(0)
        config_class = getattr(transformers, f"{prefix}Config")
        special = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
        config = config_class(**{"vocab_size": len(tokenizer), "initializer_range": 0.15, **special, **options})
        folder = tmp_path_factory.mktemp(prefix)
        build(config).eval().save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        return folder

    return save


@pytest.fixture(scope="session")
def load_tiny(save_model: Callable[..., Path]) -> Callable[[str], LanguageModel]:
    """The tiny random model of an architecture in float32, built once per session."""
    loaded: dict[str, LanguageModel] = {}

    def load(architecture: str) -> LanguageModel:
        if architecture not in loaded:
            prefix, options = ARCHITECTURES[architecture]
            loaded[architecture] = load_model(save_model(prefix, **options), dtype="float32", device="cpu")
        return loaded[architecture]

    return load


@pytest.fixture(scope="session")
def llama(load_tiny: Callable[[str], LanguageModel]) -> LanguageModel:
    """A tiny Llama."""
    return load_tiny("llama")

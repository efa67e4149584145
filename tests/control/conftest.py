"""Tiny models with random weights, one for each architecture that steering must work on."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoModelForCausalLM, PreTrainedModel, PreTrainedTokenizerFast
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from polyethos.representation.blocks import find_blocks
from polyethos.representation.model import LanguageModel, load_model

VOCABULARY, HIDDEN, LAYERS = 96, 16, 3

_USUAL = {
    "hidden_size": HIDDEN,
    "intermediate_size": 32,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "head_dim": 8,
}
ARCHITECTURES = {
    "llama": _USUAL,
    "mistral": _USUAL,
    "qwen2": _USUAL,
    "qwen3": _USUAL,
    "gemma2": _USUAL,
    "gemma3_text": _USUAL,
    "phi3": _USUAL,
    "mixtral": {**_USUAL, "num_local_experts": 2, "num_experts_per_tok": 1},
    "gpt2": {"n_embd": HIDDEN, "n_layer": LAYERS, "n_head": 2},
    "gpt_neox": {"hidden_size": HIDDEN, "num_hidden_layers": LAYERS, "num_attention_heads": 2, "intermediate_size": 32},
    "bloom": {"hidden_size": HIDDEN, "n_layer": LAYERS, "n_head": 2},
    "opt": {
        "hidden_size": HIDDEN,
        "word_embed_proj_dim": HIDDEN,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": 2,
        "ffn_dim": 32,
    },
    "falcon": {"hidden_size": HIDDEN, "num_hidden_layers": LAYERS, "num_attention_heads": 2},
    "mpt": {"d_model": HIDDEN, "n_layers": LAYERS, "n_heads": 2},
}


def word_tokenizer() -> PreTrainedTokenizerFast:
    """A tokenizer of whole words w0, w1, ... with the four special tokens first."""
    words = ["<pad>", "<begin>", "<end>", "<unknown>", *(f"w{number}" for number in range(VOCABULARY - 4))]
    tokenizer = Tokenizer(models.WordLevel({word: token for token, word in enumerate(words)}, unk_token="<unknown>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        bos_token="<begin>",
        eos_token="<end>",
        unk_token="<unknown>",
    )


def random_model(architecture: str) -> PreTrainedModel:
    """A model of this architecture with random weights, always the same ones."""
    config = CONFIG_MAPPING[architecture](
        vocab_size=VOCABULARY, pad_token_id=0, bos_token_id=1, eos_token_id=2, **ARCHITECTURES[architecture]
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_config(config).eval()
    for parameter in model.parameters():
        # Freshly drawn weights are so small that a model hardly looks at its input.
        parameter.data.mul_(4 if parameter.ndim > 1 else 1)
    return model


@pytest.fixture(scope="session")
def tiny_llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny Llama and its tokenizer, as the hub lays it out."""
    folder = tmp_path_factory.mktemp("tiny-llama")
    random_model("llama").save_pretrained(folder)
    word_tokenizer().save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def language_model(tiny_llama: Path) -> Callable[..., LanguageModel]:
    """Build a tiny model of an architecture once per session."""
    built: dict[tuple[str, str], LanguageModel] = {}

    def build(architecture: str = "llama", dtype: str = "float32") -> LanguageModel:
        key = architecture, dtype
        if key not in built:
            loaded = load_model(tiny_llama, dtype=dtype, device="cpu", template="bare")
            if architecture != "llama":
                # Some architectures would insist on their own kind of tokenizer.
                other = random_model(architecture)
                blocks = find_blocks(other.base_model, torch.arange(5, 13)[None])
                loaded = replace(loaded, name=f"tiny-{architecture}", model=other, blocks=blocks)
            built[key] = loaded
        return built[key]

    return build


@pytest.fixture(params=ARCHITECTURES)
def every_model(request: pytest.FixtureRequest, language_model: Callable[..., LanguageModel]) -> LanguageModel:
    """Each architecture in turn."""
    return language_model(request.param)

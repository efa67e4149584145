"""Configurations of tiny random models, and sentences that try them."""

from typing import Any

from polyethos.dataset.pairs import Sentence

_GQA = {"num_attention_heads": 4, "num_key_value_heads": 2}
_LLAMA = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3, **_GQA}
# A window shorter than some test sentences, so that it matters.
_WINDOWED = {**_LLAMA, "head_dim": 8, "sliding_window": 12}
_EXPERTS = {"num_experts_per_tok": 2, "moe_intermediate_size": 24, "shared_expert_intermediate_size": 24}

ARCHITECTURES: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("Llama", _LLAMA),
    "qwen2": ("Qwen2", _LLAMA),
    "qwen3": ("Qwen3", {**_LLAMA, "head_dim": 8}),
    "bloom": ("Bloom", {"hidden_size": 32, "n_layer": 3, "n_head": 4}),
    "gpt2": ("GPT2", {"n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": 256}),
    "gpt-neox": ("GPTNeoX", {**_LLAMA, "max_position_embeddings": 256}),
    "mistral": ("Mistral", _LLAMA),
    "gemma2": ("Gemma2", _WINDOWED),
    "gemma3": (
        "Gemma3Text",
        {**_WINDOWED, "layer_types": ["sliding_attention", "sliding_attention", "full_attention"]},
    ),
    "phi3": ("Phi3", _LLAMA),
    "opt": ("OPT", {**_LLAMA, "word_embed_proj_dim": 32, "ffn_dim": 48, "max_position_embeddings": 256}),
    "opt-narrow": ("OPT", {**_LLAMA, "word_embed_proj_dim": 16, "ffn_dim": 48, "do_layer_norm_before": False}),
    "falcon": ("Falcon", {**_LLAMA, "new_decoder_architecture": True}),
    "falcon-old": ("Falcon", {**_LLAMA, "new_decoder_architecture": False, "multi_query": True}),
    "falcon-alibi": ("Falcon", {**_LLAMA, "alibi": True, "new_decoder_architecture": False}),
    "mpt": ("Mpt", {"d_model": 32, "n_layers": 3, "n_heads": 4, "max_seq_len": 256}),
    "mixtral": ("Mixtral", {**_LLAMA, "num_local_experts": 4}),
    "qwen2-moe": ("Qwen2Moe", {**_LLAMA, **_EXPERTS, "num_experts": 4}),
    "xglm": ("XGLM", {"d_model": 32, "ffn_dim": 48, "attention_heads": 4, "num_layers": 3}),
}

SENTENCES = [
    Sentence("", "I found a purse and brought it back."),
    Sentence("", "I found a purse and kept it."),
    Sentence("Question: what is the Sun? Answer: ", "a star."),
    Sentence("Question: what is the Sun? Answer: ", "a lamp."),
    Sentence("", "猫在睡觉。"),
    Sentence("", "I"),
    Sentence("", "Die Katze schläft, und Paka amelala, sagt man, wenn die Katze schläft."),
]

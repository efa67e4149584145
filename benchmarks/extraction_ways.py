"""Ways of reading the hidden state of each text's last token at every block, all with the same signature."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from polyethos.dataset.pairs import Sentence
from polyethos.representation.activations import extract_states
from polyethos.representation.model import LanguageModel

BATCH = 16

States = NDArray[np.float32]
Way = Callable[[LanguageModel, list[str]], States]


def batches(texts: list[str], size: int = BATCH) -> Iterator[list[str]]:
    """The texts in input order, `size` at a time."""
    for start in range(0, len(texts), size):
        yield texts[start : start + size]


def ours(model: LanguageModel, texts: list[str]) -> States:
    """Polyethos."""
    return extract_states(model, [Sentence("", text) for text in texts])[:, :-1]


def published(model: LanguageModel, texts: list[str]) -> States:
    """Vocabulary projection, all hidden states of all tokens, batches of 8 in input order, one transfer per layer."""
    found = []
    for batch in batches(texts, 8):
        inputs = model.tokenizer(batch, padding=True, return_tensors="pt")
        with torch.no_grad():
            hidden = model.model(**inputs, output_hidden_states=True).hidden_states
        found.append(np.stack([layer[:, -1].float().cpu().numpy() for layer in hidden[1:]], axis=1))
    return np.concatenate(found)


def whole(model: LanguageModel, texts: list[str]) -> States:
    """Transformers as most scripts use it: the whole model, all hidden states, inference mode."""
    found = []
    for batch in batches(texts):
        inputs = model.tokenizer(batch, padding=True, return_tensors="pt")
        with torch.inference_mode():
            hidden = model.model(**inputs, output_hidden_states=True).hidden_states
        found.append(torch.stack([layer[:, -1] for layer in hidden[1:]], dim=1).float().numpy())
    return np.concatenate(found)


def plain(model: LanguageModel, texts: list[str]) -> States:
    """Transformers used well: base model only, inference mode."""
    found = []
    for batch in batches(texts):
        inputs = model.tokenizer(batch, padding=True, return_tensors="pt")
        with torch.inference_mode():
            hidden = model.base(**inputs, output_hidden_states=True, use_cache=False).hidden_states
        found.append(torch.stack([layer[:, -1] for layer in hidden[1:]], dim=1).float().numpy())
    return np.concatenate(found)


def repeng(model: LanguageModel, texts: list[str]) -> States:
    """Its function that reads the hidden states of a batch."""
    # Its release names a numpy type that numpy 2 no longer has.
    if not hasattr(np, "float_"):
        np.float_ = np.float64
    from repeng.extract import batched_get_hiddens

    layers = list(range(model.n_layers))
    found = batched_get_hiddens(model.model, model.tokenizer, texts, layers, BATCH)
    return np.stack([found[layer] for layer in layers], axis=1)


def steering_vectors(model: LanguageModel, texts: list[str]) -> States:
    """Its function that reads pairs."""
    from steering_vectors.train_steering_vector import extract_activations

    pairs = list(zip(texts[::2], texts[1::2], strict=True))
    sides = extract_activations(model.model, model.tokenizer, pairs, batch_size=BATCH // 2, move_to_cpu=True)
    stacked = [torch.stack([torch.cat(side[layer]) for layer in sorted(side)], dim=1) for side in sides]
    return torch.stack(stacked, dim=1).flatten(0, 1).float().numpy()


def own_modules(model: LanguageModel) -> torch.nn.Module:
    """The model with modules of its own and the same weights, for packages that rebuild modules."""
    return copy.deepcopy(model.model, {id(tensor): tensor for tensor in model.model.parameters()})


def transformer_lens() -> Way:
    """Its bridge around a transformers model, reading the residual stream after every block."""
    bridges = {}

    def way(model: LanguageModel, texts: list[str]) -> States:
        from transformer_lens.model_bridge import TransformerBridge

        if id(model) not in bridges:
            bridges[id(model)] = TransformerBridge.boot_transformers(
                "random", hf_model=own_modules(model), tokenizer=model.tokenizer, dtype=model.model.dtype, device="cpu"
            )
        found = []
        for batch in batches(texts):
            inputs = model.tokenizer(batch, padding=True, return_tensors="pt")
            with torch.inference_mode():
                _, cache = bridges[id(model)].run_with_cache(
                    inputs["input_ids"],
                    attention_mask=inputs["attention_mask"],
                    names_filter=lambda name: name.endswith("hook_resid_post"),
                    pos_slice=-1,
                )
            found.append(torch.stack([cache[name][:, -1] for name in cache], dim=1).float().numpy())
        return np.concatenate(found)

    return way


def nnsight() -> Way:
    """A trace that saves the output of every block."""
    wrapped = {}

    def way(model: LanguageModel, texts: list[str]) -> States:
        from nnsight import TransformersModel

        if id(model) not in wrapped:
            wrapped[id(model)] = TransformersModel(
                own_modules(model), tokenizer=model.tokenizer, task="text-generation"
            )
        traced, found = wrapped[id(model)], []
        for batch in batches(texts):
            with torch.inference_mode(), traced.trace(batch):
                saved = torch.stack([block.output[:, -1] for block in traced.model.layers], dim=1).save()
            found.append(saved.float().numpy())
        return np.concatenate(found)

    return way

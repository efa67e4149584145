"""Speed of likelihoods under many ways of steering: ours against plain transformers, in one run.

python benchmarks/likelihood.py [--requests 16] [--conditions 20] [--rounds 3]

Scores refusing and complying replies to requests on a bundled pocket model under random directions at a middle block
and at the last. Prints the ratio of processor time to ours, as the median over rounds, for ours with every block
computed for every condition, and for batched forward passes of transformers with a hook that adds each vector in turn.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

from polyethos.control import scoring
from polyethos.control.dialogue import Exchange
from polyethos.control.likelihood import log_likelihoods
from polyethos.control.measures import refusal_measure
from polyethos.control.operators import Intervention
from polyethos.control.requests import microworld_requests
from polyethos.lab.pocket import pocket_model_path
from polyethos.lab.tokenizer import ASSISTANT, USER
from polyethos.representation.model import LanguageModel, load_model
from polyethos.representation.template import Template

BATCH = 64


def with_hooks(model: LanguageModel, texts: list[Exchange], edits: list[Intervention]) -> np.ndarray:
    """(condition, text): prompts and answers in one row each, padded behind, one condition after the other."""
    sums = np.zeros((len(edits), len(texts)))
    order = sorted(range(len(texts)), key=lambda k: len(texts[k].tokens))
    for row, edit in enumerate(edits):
        added = torch.from_numpy(edit.vector / np.linalg.norm(edit.vector)) * edit.amount
        hook = model.blocks[edit.layer - 1].register_forward_hook(lambda _m, _i, output, added=added: output + added)
        for begin in range(0, len(order), BATCH):
            some = order[begin : begin + BATCH]
            sums[row, some] = likelihoods(model, [texts[k] for k in some])
        hook.remove()
    return sums


def likelihoods(model: LanguageModel, texts: list[Exchange]) -> np.ndarray:
    """Log-likelihoods of the answers, one batch."""
    width = max(len(text.tokens) for text in texts)
    tokens = torch.zeros((len(texts), width), dtype=torch.long)
    mask, answers = torch.zeros_like(tokens), torch.full_like(tokens, -100)
    for row, text in enumerate(texts):
        length = len(text.tokens)
        tokens[row, :length] = torch.tensor(text.tokens)
        mask[row, :length] = 1
        answers[row, text.prompt : length] = tokens[row, text.prompt : length]
    with torch.inference_mode():
        logits = model.model(input_ids=tokens, attention_mask=mask, use_cache=False).logits[:, :-1]
    losses = torch.nn.functional.cross_entropy(logits.flatten(0, 1), answers[:, 1:].flatten(), reduction="none")
    return -losses.view(len(texts), -1).sum(dim=1).double().numpy()


def seconds(work: Callable[[], np.ndarray]) -> tuple[float, np.ndarray]:
    """Processor time, and the result."""
    begin = time.process_time()
    result = work()
    return time.process_time() - begin, result


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=16)
    parser.add_argument("--conditions", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    model = load_model(pocket_model_path("pocket-balanced"), dtype="float32", device="cpu")
    prompts = microworld_requests(["en"])
    prompts = replace(prompts, pairs=prompts.pairs[: arguments.requests])
    measure = refusal_measure(model, prompts, template=Template(f"{USER}{{input}}{ASSISTANT}"), replies="microworld")
    texts = list(measure.texts)
    generator = np.random.default_rng(0)
    print(f"{len(texts)} replies, {arguments.conditions} conditions, processor time, ours = 1")
    for layer in (model.n_layers // 2, model.n_layers):
        edits = [
            Intervention(layer, generator.normal(size=model.hidden_size).astype(np.float32), norm=5.0)
            for _ in range(arguments.conditions)
        ]
        plans = [[edit] for edit in edits]
        ways: dict[str, Callable[[], np.ndarray]] = {
            "every block for every condition": lambda plans=plans: whole(model, texts, plans),
            "transformers, one condition at a time": lambda edits=edits: with_hooks(model, texts, edits),
        }
        for name, way in ways.items():
            ratios = []
            for _ in range(arguments.rounds):
                ours, expected = seconds(lambda plans=plans: log_likelihoods(model, texts, plans))
                theirs, found = seconds(way)
                np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)
                ratios.append(theirs / ours)
            print(f"block {layer} of {model.n_layers}: {name:38} {statistics.median(ratios):.2f}", flush=True)


def whole(model: LanguageModel, texts: list[Exchange], plans: list[list[Intervention]]) -> np.ndarray:
    """Ours without rest for the blocks below the edit."""
    found = scoring._found_out[model.model]
    scoring._found_out[model.model] = False
    try:
        return log_likelihoods(model, texts, plans)
    finally:
        scoring._found_out[model.model] = found


if __name__ == "__main__":
    main()

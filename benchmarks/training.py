"""How fast the lab trains: its loop against a plain transformers Trainer and against the matrix products alone.

    python benchmarks/training.py [--size pocket] [--steps 20] [--repeats 3] [--threads 1]

The same model, the same rows and the same optimiser settings in one run on one machine; the ways take turns and the
least processor time of the repeats counts. Only ratios mean anything, and on a machine that does other things only
those of processor time. The Trainer is handed finished rows; our loop writes the documents and cuts them into tokens on
the way, and the last line says which share of its time that takes. The limit is the matrix products of a step, forward
and twice backward, each at its own shape and nothing between them: in models this narrow, normalisation, attention and
the softmax over the vocabulary are most of the rest.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from transformers import LlamaForCausalLM, Trainer, TrainingArguments
from transformers.trainer_callback import PrinterCallback

from polyethos.cli.progress import quiet_libraries
from polyethos.lab.architecture import SIZES, new_model
from polyethos.lab.pretraining import Materials, pocket_recipe, world_materials
from polyethos.lab.recipe import Recipe
from polyethos.lab.rows import Schedule
from polyethos.lab.training import train

Seconds = tuple[float, float]


def main() -> None:
    """Print tokens per second of every way, and their ratios to ours."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", default="pocket", choices=list(SIZES))
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1, help="for the Trainer; the lab always computes on one")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    recipe = pocket_recipe("pocket-balanced")
    recipe = replace(recipe, size=options.size, tokens=options.steps * recipe.rows * recipe.row)
    materials = world_materials(recipe, None)
    rows = written(materials)
    ways: dict[str, Callable[[], object]] = {
        "polyethos lab pretrain": lambda: ours(materials),
        "transformers Trainer": lambda: trainer(recipe, rows),
        "matrix products alone": lambda: products(recipe),
        "documents and tokens alone": lambda: written(materials),
    }
    with quiet_libraries():
        found = fastest(ways, options.repeats)
    show(found, recipe)


def fastest(ways: dict[str, Callable[[], object]], repeats: int) -> dict[str, Seconds]:
    """Least processor seconds and least seconds by the clock of each way, measured in turns."""
    times: dict[str, list[Seconds]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            processor, clock = time.process_time(), time.perf_counter()
            way()
            times[name].append((time.process_time() - processor, time.perf_counter() - clock))
    return {name: (min(a for a, _ in each), min(b for _, b in each)) for name, each in times.items()}


def show(found: dict[str, Seconds], recipe: Recipe) -> None:
    """The table."""
    tokens, (own, own_clock) = recipe.tokens, found["polyethos lab pretrain"]
    print(f"{recipe.size}: {recipe.steps} steps of {recipe.rows} rows of {recipe.row} tokens, float32\n")
    print(
        "| | tokens per processor second | ratio to ours | tokens per second | ratio to ours |\n|---|---|---|---|---|"
    )
    for name, (processor, clock) in found.items():
        speeds = f"{tokens / processor:,.0f} | {own / processor:.2f} | {tokens / clock:,.0f} | {own_clock / clock:.2f}"
        print(f"| {name} | {speeds} |")
    print(f"\nwriting and cutting documents: {found['documents and tokens alone'][0] / own:.1%} of our processor time")


def ours(materials: Materials) -> None:
    """The lab's loop, with documents, checkpoint and all."""
    with tempfile.TemporaryDirectory() as folder:
        train(materials.recipe, materials.source, materials.tokenizer, Path(folder))


def written(materials: Materials) -> np.ndarray:
    """Every training row of the run: token ids (row, position)."""
    recipe = materials.recipe
    schedule = Schedule(
        recipe.mixture.kinds(recipe.world.translated), rows=recipe.steps * recipe.rows, seed=recipe.seed
    )
    return schedule.batch(materials.source, 0, recipe.steps * recipe.rows)[0]


def fresh(recipe: Recipe) -> LlamaForCausalLM:
    """The model of the recipe, untrained."""
    return new_model(SIZES[recipe.size], vocabulary=recipe.vocabulary, context=2 * recipe.row, seed=recipe.seed)


def trainer(recipe: Recipe, rows: np.ndarray) -> None:
    """The same steps by transformers' Trainer, told to do nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder,
            max_steps=recipe.steps,
            per_device_train_batch_size=recipe.rows,
            learning_rate=recipe.learning_rate,
            weight_decay=recipe.weight_decay,
            optim="adamw_torch_fused",
            use_cpu=True,
            save_strategy="no",
            logging_strategy="no",
            report_to=[],
            disable_tqdm=True,
            seed=recipe.seed,
        )
        data = [{"input_ids": row, "labels": row} for row in torch.from_numpy(rows)]
        run = Trainer(fresh(recipe), arguments, train_dataset=data)
        run.remove_callback(PrinterCallback)
        run.train()


def products(recipe: Recipe) -> None:
    """Every matrix product of the steps, forward and the two backward, at its own shape."""
    n = recipe.rows * recipe.row
    generator = torch.Generator().manual_seed(0)
    pairs = []
    for weight in [module.weight for module in fresh(recipe).modules() if isinstance(module, torch.nn.Linear)]:
        wide, narrow = weight.shape
        pairs.append((weight.detach(), *(torch.randn(n, size, generator=generator) for size in (narrow, wide))))
    with torch.inference_mode():
        for _ in range(recipe.steps):
            for weight, entering, leaving in pairs:
                _ = entering @ weight.T, leaving @ weight, leaving.T @ entering


if __name__ == "__main__":
    main()

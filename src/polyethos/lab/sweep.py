"""Many training runs, side by side and resumable, gathered in one labelled data set."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from polyethos.arrays import LANGUAGE, write_dataset
from polyethos.dataset.microworld import MICROWORLD_LANGUAGES
from polyethos.errors import LabError
from polyethos.lab.experiments import EXPERIMENTS, Condition, Experiment, conditions
from polyethos.lab.pocket import CARD
from polyethos.lab.pretraining import pretrain

RUN = "run"
RESULTS = "sweep.nc"
OUTCOMES = ("verdict_accuracy", "recognition", "transfer_from", "transfer_to", "similarity")


@dataclass(frozen=True)
class SweepRun:
    """One training run of a sweep: a condition and a seed."""

    condition: Condition
    seed: int

    @property
    def name(self) -> str:
        """Unique within the sweep; where in its folder the run is."""
        return f"{self.condition.experiment}/{self.condition.name}/seed-{self.seed}"


def sweep(
    out: Path,
    *,
    experiments: Sequence[Experiment] = EXPERIMENTS,
    tokens: int = 8_000_000,
    seeds: int = 3,
    size: str = "pocket",
    languages: Sequence[str] = MICROWORLD_LANGUAGES,
    jobs: int = 1,
    report: Callable[[str, int, int], None] | None = None,
) -> xr.Dataset:
    """Train every condition of the experiments with every seed; called again, only what is missing is trained.

    Args:
        out: folder of the sweep; one folder per run in it, and the results in `sweep.nc`.
        experiments: which ones.
        tokens: per run, see `polyethos.lab.experiments.conditions`.
        seeds: how many per condition; the run is the unit of the analysis, so two is the least that tells anything.
        size: of the models.
        languages: dominant ones first.
        jobs: runs at the same time; each uses one processor core.
        report: called with a run's name, runs finished and runs in all whenever one finishes.

    Returns:
        `gather` of all runs.

    Raises:
        LabError: an argument cannot be used.
    """
    if seeds < 1 or jobs < 1:
        raise LabError(f"seeds={seeds}, jobs={jobs}: give at least 1 of each")
    runs = [
        SweepRun(condition, seed)
        for experiment in experiments
        for condition in conditions(experiment, tokens=tokens, languages=languages)
        for seed in range(seeds)
    ]
    for done, name in enumerate(_trained(runs, out, size=size, jobs=jobs), 1):
        if report:
            report(name, done, len(runs))
    gathered = gather(runs, out)
    write_dataset(
        out / RESULTS, gathered, {"tokens": tokens, "seeds": seeds, "size": size, "languages": list(languages)}
    )
    return gathered


def gather(runs: Sequence[SweepRun], out: Path) -> xr.Dataset:
    """The outcomes of finished runs.

    Returns:
        Per (run, language): `share` of the tokens, `loss` (nats per token, last interval) and `OUTCOMES` (see
        `polyethos.lab.card.results`), NaN where a language was not measured; coordinates experiment, condition,
        level, seed and tokens per run.
    """
    cards = [json.loads((out / run.name / "model" / CARD).read_text(encoding="utf-8")) for run in runs]
    codes = list(dict.fromkeys(code for card in cards for code in card["recipe"]["mixture"]["shares"]))
    tables = [_table(card) for card in cards]
    names = ("share", "loss", *OUTCOMES)
    columns = {
        name: ((RUN, LANGUAGE), np.array([[table[name].get(code, np.nan) for code in codes] for table in tables]))
        for name in names
    }
    described = {
        "experiment": (RUN, [run.condition.experiment for run in runs]),
        "condition": (RUN, [run.condition.name for run in runs]),
        "level": (RUN, [run.condition.level for run in runs]),
        "seed": (RUN, [run.seed for run in runs]),
        "tokens": (RUN, [card["recipe"]["tokens"] for card in cards]),
    }
    return xr.Dataset(columns, coords={RUN: [run.name for run in runs], LANGUAGE: codes} | described)


def _trained(runs: Sequence[SweepRun], out: Path, *, size: str, jobs: int) -> Iterator[str]:
    if jobs == 1:
        for run in runs:
            yield _train(run, out, size)
        return
    # A forked process would inherit torch's threads in an unusable state.
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(_train, run, out, size) for run in runs]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _train(run: SweepRun, out: Path, size: str) -> str:
    condition = run.condition
    # A name of its own: a condition called like a pocket model must not get that model's recipe.
    mixture = replace(condition.mixture, name=f"{condition.experiment}/{condition.name}")
    pretrain(mixture, out / run.name, tokens=condition.tokens, seed=run.seed, size=size)
    return run.name


def _table(card: dict[str, Any]) -> dict[str, dict[str, float]]:
    losses: dict[str, float] = {}
    for interval in card["losses"]:
        # A small language has no row in some intervals; its latest loss counts.
        losses |= interval["losses"]
    return {"share": card["recipe"]["mixture"]["shares"], "loss": losses} | {
        name: card["results"][name] for name in OUTCOMES
    }

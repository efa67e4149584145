"""Which runs a sweep consists of: conditions x seeds x sizes, in an order that finishes whole seeds first."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from polyethos.dataset.microworld import lexicon
from polyethos.errors import LabError, UnknownLanguageError, UnknownValueError
from polyethos.files import write_json
from polyethos.lab.architecture import SIZES
from polyethos.lab.experiments import EXPERIMENTS, Condition, Experiment, conditions
from polyethos.lab.mixture import Mixture
from polyethos.lab.recipe import Recipe
from polyethos.lab.world import Excerpt, World

PLAN = "sweep.json"
LANGUAGES = ("en", "zh", "es", "fi", "sw", "ta")
VALUES = ("harmfulness",)

# The highest that trained stably in short runs with the few rows a step that learn most from few tokens.
_RATES: Mapping[str, float] = MappingProxyType({"tiny": 1e-2, "small": 8e-3, "pocket": 4e-3, "large": 2e-3})
_ROWS = 4


@dataclass(frozen=True)
class SweepRun:
    """One training run of a sweep.

    Attributes:
        condition: of an experiment.
        seed: of weights, documents and their order.
        size: name of a shape.
        folder: where in the sweep's folder it is; conditions that are the same in two experiments are trained once.
    """

    condition: Condition
    seed: int
    size: str
    folder: str

    @property
    def name(self) -> str:
        """Unique within the sweep."""
        return _name(self.condition, self.seed, self.size)


@dataclass(frozen=True)
class SweepPlan:
    """What a sweep compares.

    Attributes:
        experiments: see `polyethos.lab.experiments.conditions`.
        tokens: per run of the experiments with a fixed total.
        seeds: how many per condition; the seed is the unit of the analysis.
        sizes: of the models.
        languages: dominant ones first; steering uses the direction of the first.
        values: what the small world's statements are about; fewer are learnt in fewer tokens.
        vocabulary: entries of the tokenizer.
        longest: conditions of more than this many times `tokens` are left out.
        text: a user's own text instead of the small world, see `polyethos.lab.corpus.read_corpus`.
        epochs: how often a language's own text may be repeated at most.
    """

    experiments: tuple[Experiment, ...] = EXPERIMENTS
    tokens: int = 400_000
    seeds: int = 3
    sizes: tuple[str, ...] = ("small", "tiny")
    languages: tuple[str, ...] = LANGUAGES
    values: tuple[str, ...] = VALUES
    vocabulary: int = 2048
    longest: float = math.inf
    text: str | None = None
    epochs: float = 4.0

    def __post_init__(self) -> None:
        if self.seeds < 1:
            raise LabError(f"seeds={self.seeds}: give at least 1; two is the least that says how runs differ")
        for size in self.sizes:
            if size not in SIZES:
                raise LabError(f"size {size!r} does not exist; choose from {', '.join(SIZES)}")
        for value in self.values:
            if value not in lexicon("en").values:
                raise UnknownValueError.of("value", value, lexicon("en").values)
        for code in self.languages:
            lexicon(code)
        if len(set(self.languages)) < len(self.languages):
            raise UnknownLanguageError(f"languages {', '.join(self.languages)}: one is named twice; name each once")
        self.conditions()

    def conditions(self) -> tuple[Condition, ...]:
        """The conditions of all experiments that are not too long.

        Raises:
            LabError: there is no such experiment, or too few languages for it.
        """
        return tuple(one for one in self._all(self.experiments) if one.tokens <= self.longest * self.tokens)

    def left_out(self) -> tuple[str, ...]:
        """Conditions that are too long, by name."""
        return tuple(
            f"{one.experiment}/{one.name}"
            for one in self._all(self.experiments)
            if one.tokens > self.longest * self.tokens
        )

    def runs(self) -> tuple[SweepRun, ...]:
        """All runs, those of a seed and size together, so that what is finished is balanced at any time."""
        # The first of all experiments gives the folder its name, so that adding or reordering some moves nothing.
        owners: dict[Any, Condition] = {}
        for one in self._all(EXPERIMENTS):
            owners.setdefault(_training(one), one)
        return tuple(
            SweepRun(one, seed, size, _name(owners[_training(one)], seed, size))
            for seed in range(self.seeds)
            for size in self.sizes
            for one in self.conditions()
        )

    def recipe(self, run: SweepRun) -> Recipe:
        """How a run is trained."""
        world: World = Excerpt(
            valued=1.0,
            judged=1.0,
            favoured=1.0,
            dialogues=0.1,
            dialogue_languages=self.languages,
            values=self.values,
        )
        return Recipe(
            Mixture(run.folder, run.condition.mixture.shares),
            tokens=run.condition.tokens,
            seed=run.seed,
            size=run.size,
            world=world,
            vocabulary=self.vocabulary,
            rows=_ROWS,
            learning_rate=_RATES[run.size],
        )

    def _all(self, experiments: Sequence[Experiment]) -> list[Condition]:
        return [
            one
            for experiment in experiments
            for one in conditions(experiment, tokens=self.tokens, languages=self.languages)
        ]

    def to_json(self) -> dict[str, Any]:
        """Plain numbers, texts and lists."""
        listed: dict[str, Any] = {
            name: list(entry) if isinstance(entry, tuple) else entry for name, entry in vars(self).items()
        }
        return listed | {"longest": None if math.isinf(self.longest) else self.longest}


def claim(out: Path, plan: SweepPlan) -> None:
    """Write the plan into the sweep's folder, or check that the one there is the same but for more seeds or sizes.

    Raises:
        LabError: the folder holds a sweep that differs in something else.
    """
    path, wanted = out / PLAN, plan.to_json()
    if path.exists():
        found = json.loads(path.read_text(encoding="utf-8"))
        extensible = ("seeds", "sizes", "experiments", "longest")
        different = [name for name in wanted if name not in extensible and found.get(name) != wanted[name]]
        if different:
            there = ", ".join(f"{name}: there {found.get(name)}, now {wanted[name]}" for name in different)
            raise LabError(f"{out}: holds another sweep ({there}); choose another folder")
    write_json(path, wanted)


def _name(condition: Condition, seed: int, size: str) -> str:
    return f"{size}/seed-{seed}/{condition.experiment}/{condition.name}"


def _training(condition: Condition) -> tuple[Any, ...]:
    """What two conditions must have in common to be one training."""
    return condition.tokens, tuple(sorted(condition.mixture.shares.items()))

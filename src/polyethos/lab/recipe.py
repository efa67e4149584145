"""Everything that decides what a training run of the lab produces."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from polyethos.errors import DataFormatError, LabError
from polyethos.lab.architecture import SIZES
from polyethos.lab.mixture import Mixture
from polyethos.lab.world import Excerpt, World


@dataclass(frozen=True)
class Recipe:
    """A training run: equal recipes give equal weights on the same machine.

    Attributes:
        mixture: shares of the training tokens.
        tokens: training tokens in all.
        seed: decides weights, documents and their order.
        size: name of a shape in `polyethos.lab.architecture.SIZES`.
        world: what the documents are like (ignored for a user's own text).
        corpus: SHA-256 of a user's own text; None for the small world.
        vocabulary: entries of the tokenizer.
        row: tokens per training row.
        rows: rows per step.
        learning_rate: its peak; reached over the first `warmup` of the steps, left linearly to 0 over the last `decay`.
        warmup: share of the steps.
        decay: share of the steps.
        weight_decay: of the matrices inside the blocks.
        start: SHA-256 of the weights that a second stage starts from; None for weights drawn by the seed.
    """

    mixture: Mixture
    tokens: int
    seed: int = 0
    size: str = "pocket"
    world: World = field(default_factory=World)
    corpus: str | None = None
    vocabulary: int = 6144
    row: int = 128
    rows: int = 16
    learning_rate: float = 3e-3
    warmup: float = 0.02
    decay: float = 0.3
    weight_decay: float = 0.05
    start: str | None = None

    def __post_init__(self) -> None:
        if self.size not in SIZES:
            raise LabError(f"size {self.size!r} does not exist; choose one of {', '.join(SIZES)}")
        if self.tokens < self.row * self.rows:
            raise LabError(f"tokens={self.tokens} is less than one step; give at least {self.row * self.rows}")

    @property
    def steps(self) -> int:
        """Optimiser steps in all."""
        return self.tokens // (self.row * self.rows)

    def rate(self, step: int) -> float:
        """Learning rate of a step (0-based)."""
        warmup, decay = max(1, int(self.warmup * self.steps)), max(1, int(self.decay * self.steps))
        return self.learning_rate * min(1.0, (step + 1) / warmup, (self.steps - step) / decay)

    def to_json(self) -> dict[str, Any]:
        """Plain numbers, texts and lists, from which `recipe_from_json` makes an equal recipe."""
        content = asdict(self) | {"mixture": {"name": self.mixture.name, "shares": dict(self.mixture.shares)}}
        if self.start is None:
            del content["start"]
        return content

    def identity(self) -> str:
        """SHA-256 over the recipe."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()


def recipe_from_json(content: Mapping[str, Any], *, where: str) -> Recipe:
    """The recipe that `Recipe.to_json` wrote; `where` is named in errors.

    Raises:
        DataFormatError: a field is missing or unknown.
    """
    expected, found = {entry.name for entry in fields(Recipe)}, set(content)
    if expected != found | {"start"}:
        raise DataFormatError(
            f"{where}: recipe fields differ from this version's: {sorted(expected ^ (found | {'start'}))}"
        )
    given: dict[str, Any] = {
        name: tuple(entry) if isinstance(entry, list) else entry for name, entry in content["world"].items()
    }
    world = Excerpt(**given) if "values" in given else World(**given)
    mixture = Mixture(content["mixture"]["name"], content["mixture"]["shares"])
    return Recipe(**{**content, "world": world, "mixture": mixture})

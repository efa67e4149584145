"""A control study: which model is steered from where to where, and how thoroughly that is measured."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from polyethos.control.conditions import OTHER_OPERATORS, Design
from polyethos.control.options import ControlOptions, Outcome
from polyethos.dataset.languages import language
from polyethos.dataset.values import value
from polyethos.errors import InvalidStudyError, UnknownNameError
from polyethos.interchange.selection import POOLED

DOMINANT, OWN = "dominant", "own"
OUTCOMES: tuple[Outcome, ...] = ("refusal", "preference")
Size = Literal["quick", "standard", "full"]


@dataclass(frozen=True)
class Effort:
    """How much is measured: items per value, and the options of each outcome."""

    requests: int | None
    pairs: int | None
    refusal: ControlOptions
    preference: ControlOptions


_SMALL = Design(doses=(), operators=(), shuffled=2)
EFFORTS: Mapping[str, Effort] = {
    "quick": Effort(
        requests=32,
        pairs=16,
        refusal=ControlOptions(variants=2, others=1, neutral=8, strengths=(0.1, 0.2, 0.3, 0.5), answers=2,
                               answer_tokens=24, design=_SMALL),
        preference=ControlOptions("preference", others=1, neutral=8, strengths=(0.1, 0.2, 0.3, 0.5), design=_SMALL),
    ),
    "standard": Effort(
        requests=64,
        pairs=32,
        refusal=ControlOptions(variants=2, neutral=16, answers=4, answer_tokens=32, design=Design(shuffled=3)),
        preference=ControlOptions("preference", neutral=16, design=_SMALL),
    ),
    "full": Effort(
        requests=None,
        pairs=None,
        refusal=ControlOptions(answers=8, design=Design(
            doses=(-4.0, -2.0, -1.0, -0.5, 0.5, 1.0, 2.0, 4.0), random=40, random_curves=40, shuffled=10)),
        preference=ControlOptions("preference", design=Design(random=40, random_curves=40, shuffled=10)),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class ControlStudy:
    """What to steer and what to measure. Every field has a default.

    Attributes:
        model: hub id, local folder, preset, or bundled pocket model.
        revision: branch, tag or commit on the hub.
        outcomes: "refusal" of requests, "preference" between the sentences of contrast pairs, or both.
        values: for preferences; all of the data's by default. Others of the data serve as controls.
        sources: languages whose vectors steer; "dominant" (largest share of pre-training), "pooled" (mean over
            languages), "own" (each target's). By default the dominant one, for refusals from size "standard" on also
            each target's own, and in size "full" all three.
        targets: languages that are measured; all of the data's by default.
        prompts: file of requests with the columns `harmful` and `harmless`, or a folder of such files; by default the
            bundled ones.
        columns: names of the columns of `prompts`, as for `load_pairs`.
        data: contrast pairs for preferences and for the directions of other values; as for `Study`.
        size: "quick", "standard" or "full": items, doses and controls.
        operators: tried beside addition, of "ablate", "clamp", "rotate", "gated add"; by default as the size says.
        layers: candidate blocks; all by default.
        strengths: candidates, as shares of the layer's residual norm; by default as the size says.
        budget: most divergence on neutral text of a chosen site, in nats per token.
        dialogue: template around requests: "auto" (the chat template; for models of the lab, their dialogues; else as
            the model reads text), or a text with `{input}`.
        replies: bundled replies whose likelihoods are compared, "everyday" or "microworld"; by default by model.
        tasks: of lm-evaluation-harness, run plain and steered.
        tasks_folder: where tasks of one's own are defined.
        seed: of splits, controls and bootstrap.
        dtype, device, trust_remote_code: as for `polyethos.load_model`.

    Raises:
        InvalidStudyError: a field has a wrong value.
        UnknownLanguageError, UnknownValueError: a name that does not exist.
    """

    model: str = "pocket-balanced"
    revision: str | None = None
    outcomes: tuple[Outcome, ...] = OUTCOMES
    values: tuple[str, ...] | None = None
    sources: tuple[str, ...] | None = None
    targets: tuple[str, ...] | None = None
    prompts: str | None = None
    columns: Mapping[str, str] | None = None
    data: str | None = None
    size: Size = "standard"
    operators: tuple[str, ...] | None = None
    layers: tuple[int, ...] | None = None
    strengths: tuple[float, ...] | None = None
    budget: float = 0.1
    dialogue: str = "auto"
    replies: str | None = None
    tasks: tuple[str, ...] = ()
    tasks_folder: str | None = None
    seed: int = 0
    dtype: str = "auto"
    device: str = "auto"
    trust_remote_code: bool = False

    def __post_init__(self) -> None:
        for name in self.values or ():
            value(name, where="values")
        for code in self.targets or ():
            language(code, where="targets")
        for code in self.sources or ():
            if code not in (DOMINANT, POOLED, OWN):
                language(code, where="sources")
        _known("outcome", self.outcomes, OUTCOMES)
        _known("size", [self.size], tuple(EFFORTS))
        _known("operator", self.operators or (), OTHER_OPERATORS)
        if not self.outcomes:
            raise InvalidStudyError(f"outcomes: none; expected some of {OUTCOMES}")
        if any(strength <= 0 for strength in self.strengths or ()) or self.budget <= 0:
            raise InvalidStudyError(f"strengths {self.strengths}, budget {self.budget}: expected numbers above 0")

    def options(self, outcome: Outcome, *, dialogue: str, replies: str) -> ControlOptions:
        """How one outcome is measured."""
        chosen: ControlOptions = getattr(EFFORTS[self.size], outcome)
        operators = chosen.design.operators if self.operators is None else self.operators
        return replace(
            chosen,
            dialogue=dialogue,
            replies=replies,
            layers=self.layers,
            strengths=self.strengths or chosen.strengths,
            budget=self.budget,
            design=replace(chosen.design, operators=operators, seed=self.seed),
            seed=self.seed,
        )

    def sources_for(self, outcome: Outcome, dominant: str) -> list[str]:
        """The sources of one outcome, the dominant language by its code."""
        usual = (DOMINANT, OWN) if outcome == "refusal" and self.size == "standard" else (DOMINANT,)
        named = self.sources or ((DOMINANT, POOLED, OWN) if self.size == "full" else usual)
        return list(dict.fromkeys(dominant if name == DOMINANT else name for name in named))

    def record(self) -> dict[str, Any]:
        """The study as plain data; equal records are equal studies."""
        content: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return content

    def fingerprint(self) -> str:
        """Eight hexadecimal digits that differ between different studies."""
        return hashlib.sha256(json.dumps(self.record(), sort_keys=True).encode()).hexdigest()[:8]

    @property
    def label(self) -> str:
        """A short name of the model for folders."""
        return Path(self.model).name or self.model


def _known(kind: str, names: Sequence[str], known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            raise UnknownNameError.of(kind, name, known)

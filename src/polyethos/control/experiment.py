"""The control experiment: source languages by target languages by conditions, resumable, with its controls."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from polyethos.arrays import read_dataset, write_dataset
from polyethos.control.answering import answer_table
from polyethos.control.choosing import Choice, choose_site
from polyethos.control.concepts import Concept, Role, fit_concept
from polyethos.control.conditions import Condition, Family, make_conditions
from polyethos.control.dialogue import Exchange
from polyethos.control.likelihood import divergences
from polyethos.control.measures import Measure, bundled_replies, preference_measure, refusal_measure
from polyethos.control.neutral import continued_sentences, neutral_sentences
from polyethos.control.options import ControlOptions
from polyethos.control.requests import REQUEST_VALUE
from polyethos.control.summaries import summarise
from polyethos.dataset.pairs import ContrastPairs
from polyethos.errors import DataError, StudyMismatchError, UnknownLanguageError
from polyethos.interchange.selection import POOLED
from polyethos.representation.model import LanguageModel
from polyethos.representation.template import Template, resolve_template

Progress = Callable[[str, int, int], None]
_DEMONSTRATIONS = 2


def run_control(
    model: LanguageModel,
    pairs: ContrastPairs,
    *,
    sources: Sequence[str] = ("en",),
    targets: Sequence[str] | None = None,
    options: ControlOptions | None = None,
    out: Path | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Steer along the directions of source languages and measure what happens in target languages.

    Directions are fitted on half of the items, layer and strength chosen on a fifth, in the source language alone; all
    results are on the rest, whose translations were seen in no language.

    Args:
        model: the model.
        pairs: contrast pairs. For refusals those of harmfulness are steered and measured, other values are controls;
            for preferences every value is.
        sources: language codes, or "pooled" for the mean over all languages of `pairs`.
        targets: language codes; None for all of `pairs`.
        options: see `ControlOptions`.
        out: folder for finished parts; a killed experiment goes on from there. None keeps nothing.
        progress: called with what is done, and the numbers of finished and of all parts.

    Returns:
        `margin` (value, source, target, condition, kind, item), everything of `summarise` by value and source,
        `neutral_divergence` and `neutral_perplexity` (..., target, condition); for reading separability, calibration
        and action apart `separability` and `calibration` (value, source, target); `chosen_layer`, `chosen_strength`,
        `chosen_norm` of each value and source, from `choice_effect` and `choice_divergence` (..., block, candidate);
        for refusals, everything of `answer_table` (..., target, shown, kind, prompt).
        The coordinates `family`, `operator` and
        `dose` describe the conditions.

    Raises:
        DataError: too few items, or no pairs of harmfulness.
        StudyMismatchError: `out` holds parts of another experiment.
    """
    experiment = _Experiment(model, pairs, list(targets or pairs.languages), options or ControlOptions())
    values = [REQUEST_VALUE] if experiment.options.outcome == "refusal" else list(pairs.values)
    _check(pairs, values, sources, experiment.targets)
    units = [(value, source) for value in values for source in sources]
    record = experiment.record()
    parts = []
    for done, (value, source) in enumerate(units):
        if progress is not None:
            progress(f"{value}, vector from {source}", done, len(units))
        parts.append(_kept_or_made(experiment, value, source, out, record))
    if progress is not None:
        progress("done", len(units), len(units))
    rows = [parts[row * len(sources) : (row + 1) * len(sources)] for row in range(len(values))]
    by_source = [xr.concat(row, pd.Index(list(sources), name="source"), join="outer") for row in rows]
    combined = xr.concat(by_source, pd.Index(values, name="value"), join="outer", combine_attrs="drop_conflicts")
    return combined.assign_attrs(experiment=json.dumps(record, ensure_ascii=False))


def _check(pairs: ContrastPairs, values: Sequence[str], sources: Sequence[str], targets: Sequence[str]) -> None:
    for language in (*sources, *targets):
        if language != POOLED and language not in pairs.languages:
            raise UnknownLanguageError.of("language of the pairs", language, pairs.languages)
    if missing := [value for value in values if value not in pairs.values]:
        raise DataError(f"{pairs.name}: no pairs of {missing[0]}, which refusals are steered by; add them")


def _kept_or_made(
    experiment: _Experiment, value: str, source: str, out: Path | None, record: dict[str, Any]
) -> xr.Dataset:
    if out is None:
        return experiment.unit(value, source)
    path = out / f"{value}-{source}.nc"
    if path.exists():
        kept, provenance = read_dataset(path)
        if provenance != json.loads(json.dumps(record)):
            raise StudyMismatchError(f"{path}: made by another control experiment; choose another folder or delete it")
        kept.attrs.clear()
        return kept
    made = experiment.unit(value, source)
    write_dataset(path, made, record)
    return made


class _Experiment:
    """What all parts share."""

    def __init__(self, model: LanguageModel, pairs: ContrastPairs, targets: list[str], options: ControlOptions) -> None:
        self.model, self.pairs, self.targets, self.options = model, pairs, targets, options
        chat = options.dialogue != "auto" or bool(model.tokenizer.chat_template)
        dialogue = resolve_template(options.dialogue, model.tokenizer, model=model.name)
        self.dialogue: Template = dialogue if chat else model.reading_template
        self._concepts: dict[str, Concept] = {}

    def record(self) -> dict[str, Any]:
        identity = json.dumps(dict(self.model.identity), sort_keys=True, default=str)
        return {
            "model": self.model.identity["model"],
            "model_hash": hashlib.sha256(identity.encode()).hexdigest(),
            "data": self.pairs.name,
            "data_hash": self.pairs.content_hash(),
            "targets": self.targets,
            "options": asdict(self.options),
        }

    def concept(self, value: str) -> Concept:
        if value not in self._concepts:
            refusal = self.options.outcome == "refusal" and value == REQUEST_VALUE
            self._concepts[value] = fit_concept(
                self.model,
                self.pairs.select(values=[value]),
                template=self.dialogue if refusal else None,
                orientation=-1 if refusal else 1,
                seed=self.options.seed,
            )
        return self._concepts[value]

    def unit(self, value: str, source: str) -> xr.Dataset:
        concept = self.concept(value)
        choice = self._choose(concept, source)
        following = [*self.pairs.values, *self.pairs.values]
        others = following[following.index(value) + 1 :][: min(self.options.others, len(self.pairs.values) - 1)]
        conditions = make_conditions(
            concept, source, choice.site, self.options.design, others=[self.concept(name) for name in others]
        )
        rows = [
            xr.merge([self._target(concept, target, conditions), self._answers(concept, target, conditions)])
            for target in self.targets
        ]
        table = xr.concat(rows, pd.Index(self.targets, name="target"), join="outer")
        layer = choice.site.layer
        return xr.merge(
            [
                table,
                summarise(table["margin"], seed=self.options.seed),
                choice.table.rename(
                    {name: f"choice_{name}" for name in choice.table.data_vars}
                    | {"layer": "block", "strength": "candidate"}
                ),
            ]
        ).assign(
            chosen_layer=layer,
            chosen_strength=choice.site.strength,
            chosen_norm=choice.site.norm,
            separability=("target", [concept.separability(source, target, layer) for target in self.targets]),
            calibration=("target", [concept.calibration(source, target, layer) for target in self.targets]),
        )

    def _choose(self, concept: Concept, source: str) -> Choice:
        languages = list(self.pairs.languages) if source == POOLED else [source]
        measures = [self._measure(concept, language, "choose") for language in languages]
        neutral = [text for language in languages for text in self._neutral(language)]
        return choose_site(
            self.model,
            concept,
            source,
            measures,
            neutral,
            layers=self.options.layers,
            strengths=self.options.strengths,
            budget=self.options.budget,
            scope=self.options.design.scope,
        )

    def _target(self, concept: Concept, target: str, conditions: Sequence[Condition]) -> xr.Dataset:
        plans = [condition.plan for condition in conditions]
        measure = self._measure(concept, target, "test")
        margins = [measure.margins(self.model, plans)]
        described: list[tuple[str, Family, str, float]] = [
            (one.name, one.family, one.operator, one.dose) for one in conditions
        ]
        for dose in (-1.0, 1.0):
            margins.append(self._prompted(concept, target, measure, upwards=dose > 0))
            described.append((f"prompting {dose:+g}", "prompting", "none", dose))
        divergence, perplexity = divergences(self.model, self._neutral(target), plans)
        names, families, operators, doses = (list(column) for column in zip(*described, strict=True))
        unsteered = np.full(2, np.nan)
        return xr.Dataset(
            {
                "margin": (("condition", "kind", "item"), np.concatenate(margins)),
                "neutral_divergence": ("condition", np.concatenate([divergence, unsteered])),
                "neutral_perplexity": ("condition", np.concatenate([perplexity, unsteered])),
            },
            coords={
                "condition": names,
                "family": ("condition", families),
                "operator": ("condition", operators),
                "dose": ("condition", doses),
                "kind": list(measure.kinds),
                "item": list(measure.items),
            },
        )

    def _answers(self, concept: Concept, target: str, conditions: Sequence[Condition]) -> xr.Dataset:
        """Answers of the plain model, under every dose and operator, and under one random direction."""
        if self.options.outcome != "refusal" or not self.options.answers:
            return xr.Dataset()
        pairs = concept.pairs_for(target, "test")
        prompts = replace(pairs, pairs=pairs.pairs[: self.options.answers])
        shown = [one for one in conditions if one.family in ("plain", "concept") or one.name == "random 1"]
        return answer_table(self.model, prompts, shown, template=self.dialogue)

    def _measure(
        self, concept: Concept, language: str, role: Role, demonstrations: Sequence[tuple[str, str]] = ()
    ) -> Measure:
        pairs = concept.pairs_for(language, role)
        if self.options.outcome == "preference":
            return preference_measure(self.model, pairs, before=[answer for _, answer in demonstrations])
        return refusal_measure(
            self.model,
            pairs,
            template=self.dialogue,
            replies=self.options.replies,
            variants=self.options.variants,
            demonstrations=demonstrations,
        )

    def _prompted(self, concept: Concept, target: str, measure: Measure, *, upwards: bool) -> np.ndarray:
        """Log-odds of the plain model (1, kind, item) after demonstrations of the outcome or of its opposite."""
        fitted = concept.pairs_for(target, "fit").pairs[:_DEMONSTRATIONS]
        if self.options.outcome == "preference":
            shown = [("", pair.context + (pair.positive if upwards else pair.negative)) for pair in fitted]
        else:
            replies = bundled_replies(target, replies=self.options.replies, count=self.options.variants)
            requests = [pair.negative if upwards else pair.positive for pair in fitted]
            shown = [(request, replies[0 if upwards else 1][0]) for request in requests]
        # A small model's context may be too short for all of them.
        for count in range(len(shown), 0, -1):
            try:
                prompted = self._measure(concept, target, "test", shown[:count])
            except DataError:
                continue
            return prompted.margins(self.model, [()])
        return np.full((1, len(measure.kinds), len(measure.items)), np.nan)

    def _neutral(self, language: str) -> list[Exchange]:
        return continued_sentences(self.model, neutral_sentences(language, count=self.options.neutral), language)

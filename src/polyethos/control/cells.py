"""One cell of a control experiment: a value steered from one source and measured in one target language."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import xarray as xr

from polyethos.control.answering import answer_table
from polyethos.control.choosing import choose_site
from polyethos.control.concepts import Concept, Role, fit_concept
from polyethos.control.conditions import Condition, Site, make_conditions
from polyethos.control.dialogue import Exchange
from polyethos.control.joining import along, merged
from polyethos.control.likelihood import divergences
from polyethos.control.measures import Measure, bundled_replies, preference_measure, refusal_measure
from polyethos.control.neutral import continued_sentences, neutral_sentences
from polyethos.control.options import ControlOptions
from polyethos.control.parts import Parts
from polyethos.control.requests import REQUEST_VALUE
from polyethos.dataset.pairs import ContrastPairs
from polyethos.errors import DataError
from polyethos.interchange.selection import POOLED
from polyethos.representation.model import LanguageModel
from polyethos.representation.template import Template, resolve_template

OWN = "own"
"""Name of the source that is each target language itself."""

_DEMONSTRATIONS = 2
_Entry = TypeVar("_Entry")


class Cells:
    """The parts of one control experiment, made when they are asked for and kept on disk."""

    def __init__(self, model: LanguageModel, pairs: ContrastPairs, options: ControlOptions, out: Path | None) -> None:
        self.model, self.pairs, self.options = model, pairs, options
        chat = options.dialogue != "auto" or bool(model.tokenizer.chat_template)
        dialogue = resolve_template(options.dialogue, model.tokenizer, model=model.name)
        self.dialogue: Template = dialogue if chat else model.reading_template
        self.record = self._record()
        self._parts = Parts(out, self.record, options.outcome)
        self._concepts: dict[str, Concept] = {}
        self._conditions: dict[tuple[str, str, int], list[Condition]] = {}

    def _record(self) -> dict[str, Any]:
        identity = json.dumps(dict(self.model.identity), sort_keys=True, default=str)
        return {
            "model": self.model.identity["model"],
            "model_hash": hashlib.sha256(identity.encode()).hexdigest(),
            "data": self.pairs.name,
            "data_hash": self.pairs.content_hash(),
            "dialogue": self.dialogue.text,
            "options": asdict(self.options),
        }

    def _concept(self, value: str, rotation: int) -> Concept:
        if value not in self._concepts:
            refusal = self.options.outcome == "refusal" and value == REQUEST_VALUE
            self._concepts[value] = fit_concept(
                self.model,
                self.pairs.select(values=[value]),
                template=self.dialogue if refusal else None,
                orientation=-1 if refusal else 1,
                rotations=self.options.rotations,
                seed=self.options.seed,
            )
        return self._concepts[value].rotated(rotation, rotations=self.options.rotations, seed=self.options.seed)

    def cell(self, value: str, source: str, target: str) -> xr.Dataset:
        """One value steered from one source, measured in one target, over all rotations."""
        name = f"{self.options.outcome}-{value}-{source}-{target}"
        return self._parts.kept_or_made(name, lambda: self._cell(value, target if source == OWN else source, target))

    def _cell(self, value: str, source: str, target: str) -> xr.Dataset:
        rotations = range(self.options.rotations)
        choices = [self._choice(value, source, rotation) for rotation in rotations]
        tested = [self._tested(value, source, target, rotation) for rotation in rotations]
        neutral = [self._neutral(value, source, target, rotation) for rotation in rotations]
        aside = along(neutral, "rotation", rotations)
        parts: list[xr.Dataset] = [
            xr.concat([table[["margin"]] for table in tested], "item", coords="different", compat="equals"),
            along([table.drop_dims("item") for table in tested], "rotation", rotations).mean("rotation"),
            xr.Dataset(
                {
                    # Perplexities are put together as the log-likelihoods they are from.
                    "perplexity": xr.apply_ufunc(np.exp, xr.apply_ufunc(np.log, aside["perplexity"]).mean("rotation")),
                    "divergence": aside["divergence"].mean("rotation"),
                }
            ),
            along(choices, "rotation", rotations),
            self._answers(value, source, target),
        ]
        return merged(parts)

    def _steered(self, value: str, source: str, rotation: int) -> list[Condition]:
        key = value, source, rotation
        if key not in self._conditions:
            choice = self._choice(value, source, rotation)
            site = Site(int(choice["layer"]), float(choice["strength"]), float(choice["norm"]))
            following = [*self.pairs.values, *self.pairs.values]
            others = following[following.index(value) + 1 :][: min(self.options.others, len(self.pairs.values) - 1)]
            strangers = [self._concept(name, rotation) for name in others]
            concept = self._concept(value, rotation)
            self._conditions[key] = make_conditions(concept, source, site, self.options.design, others=strangers)
        return self._conditions[key]

    def _choice(self, value: str, source: str, rotation: int) -> xr.Dataset:
        name = f"choice-{self.options.outcome}-{value}-{source}-{rotation}"
        return self._parts.kept_or_made(name, lambda: self._choose(value, source, rotation))

    def _choose(self, value: str, source: str, rotation: int) -> xr.Dataset:
        concept = self._concept(value, rotation)
        languages = list(self.pairs.languages) if source == POOLED else [source]
        # All languages together have about as many texts as one alone.
        share = [slice(place, None, len(languages)) for place in range(len(languages))]
        choice = choose_site(
            self.model,
            concept,
            source,
            [self._measure(concept, one, "choose", kept=kept) for one, kept in zip(languages, share, strict=True)],
            [text for one, kept in zip(languages, share, strict=True) for text in self._cut(one)[kept]],
            layers=self.options.layers,
            strengths=self.options.strengths,
            budget=self.options.budget,
            scope=self.options.design.scope,
        )
        table = choice.table.rename({"layer": "block", "strength": "candidate"})
        table = table.rename({name: f"choice_{name}" for name in table.data_vars})
        site = choice.site
        vector = ("hidden", concept.vector(source, site.layer))
        return table.assign(layer=site.layer, strength=site.strength, norm=site.norm, vector=vector)

    def _tested(self, value: str, source: str, target: str, rotation: int) -> xr.Dataset:
        """Log-odds of the items of one rotation, and what is known of the representation."""
        concept, conditions = self._concept(value, rotation), self._steered(value, source, rotation)
        measure = self._measure(concept, target, "test")
        margins = [measure.margins(self.model, [condition.plan for condition in conditions])]
        margins += [self._prompted(concept, target, measure, upwards=upwards) for upwards in (False, True)]
        groups = {pair.item: pair.group for pair in concept.pairs}
        layer = int(self._choice(value, source, rotation)["layer"])
        return xr.Dataset(
            {
                "margin": (("condition", "kind", "item"), np.concatenate(margins)),
                "separability": concept.separability(source, target, layer),
                "calibration": concept.calibration(source, target, layer),
                "recalibrated": concept.recalibrated(source, target, layer),
            },
            coords={
                **_described(conditions),
                "kind": list(measure.kinds),
                "item": list(measure.items),
                "group": ("item", [groups[item] for item in measure.items]),
            },
        )

    def _neutral(self, value: str, source: str, target: str, rotation: int) -> xr.Dataset:
        conditions = self._steered(value, source, rotation)
        # Each rotation has neutral sentences of its own.
        sentences = self._cut(target)[rotation :: self.options.rotations]
        divergence, perplexity = divergences(self.model, sentences, [condition.plan for condition in conditions])
        unsteered = np.full(2, np.nan)
        columns = {"divergence": divergence, "perplexity": perplexity}
        return xr.Dataset(
            {name: ("condition", np.concatenate([column, unsteered])) for name, column in columns.items()},
            coords=_described(conditions),
        )

    def _answers(self, value: str, source: str, target: str) -> xr.Dataset:
        """Answers of the plain model, under every dose and operator, and under one random direction."""
        if self.options.outcome != "refusal" or not self.options.answers:
            return xr.Dataset()
        pairs = self._concept(value, 0).pairs_for(target, "test")
        prompts = replace(pairs, pairs=spread(pairs.pairs, self.options.answers))
        conditions = self._steered(value, source, 0)
        shown = [one for one in conditions if one.family in ("plain", "concept") or one.name.startswith("random 1 ")]
        return answer_table(
            self.model, prompts, shown, template=self.dialogue, max_new_tokens=self.options.answer_tokens
        )

    def _measure(
        self,
        concept: Concept,
        language: str,
        role: Role,
        *,
        demonstrations: Sequence[tuple[str, str]] = (),
        kept: slice = slice(None),
    ) -> Measure:
        pairs = concept.pairs_for(language, role)
        pairs = replace(pairs, pairs=pairs.pairs[kept] or pairs.pairs[:1])
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
                prompted = self._measure(concept, target, "test", demonstrations=shown[:count])
            except DataError:
                continue
            return prompted.margins(self.model, [()])
        return np.full((1, len(measure.kinds), len(measure.items)), np.nan)

    def _cut(self, language: str) -> list[Exchange]:
        return continued_sentences(self.model, neutral_sentences(language, count=self.options.neutral), language)


def _described(conditions: Sequence[Condition]) -> dict[str, Any]:
    """Coordinates of the conditions, the two ways of prompting last."""
    described = [(one.name, one.family, one.operator, one.dose) for one in conditions]
    described += [(f"prompting {dose:+g}", "prompting", "none", dose) for dose in (-1.0, 1.0)]
    names, families, operators, doses = (list(column) for column in zip(*described, strict=True))
    by_condition = {"family": families, "operator": operators, "dose": doses}
    return {"condition": names} | {name: ("condition", column) for name, column in by_condition.items()}


def spread(entries: Sequence[_Entry], count: int) -> tuple[_Entry, ...]:
    """At most `count` of the entries, evenly over their order."""
    chosen = np.unique(np.linspace(0, len(entries) - 1, min(count, len(entries))).round().astype(int))
    return tuple(entries[int(place)] for place in chosen)

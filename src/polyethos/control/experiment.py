"""The control experiment: source languages by target languages by conditions, resumable, with its controls."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import xarray as xr

from polyethos.control.cells import OWN, Cells
from polyethos.control.joining import along, merged
from polyethos.control.options import ControlOptions
from polyethos.control.requests import REQUEST_VALUE
from polyethos.control.summaries import summarise
from polyethos.dataset.pairs import ContrastPairs
from polyethos.errors import DataError, UnknownLanguageError
from polyethos.interchange.selection import POOLED
from polyethos.representation.model import LanguageModel

Progress = Callable[[str, int, int], None]


def run_control(
    model: LanguageModel,
    pairs: ContrastPairs,
    *,
    sources: Sequence[str] = ("en",),
    targets: Sequence[str] | None = None,
    values: Sequence[str] | None = None,
    options: ControlOptions | None = None,
    out: Path | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Steer along the directions of source languages and measure what happens in target languages.

    In each rotation of the split, one part of the items is tested, with directions fitted on others, and layer and
    strength chosen on a third part in the source language alone. Every item is tested once; of what is tested, not even
    a translation was seen before.

    Args:
        model: the model.
        pairs: contrast pairs. For refusals those of harmfulness are steered and measured, other values are controls;
            for preferences every value is.
        sources: language codes, "pooled" for the mean over all languages of `pairs`, or "own" for each target's own.
        targets: language codes; None for all of `pairs`.
        values: for preferences, only these are steered; the others of `pairs` are controls.
        options: see `ControlOptions`.
        out: folder for finished parts; a killed experiment goes on from there. None keeps nothing.
        progress: called with what is done, and the numbers of finished and of all parts.

    Returns:
        `margin` (value, source, target, condition, kind, item); everything of `summarise` by value and source;
        `divergence` and `perplexity` on neutral text (..., target, condition); for reading separability, calibration
        and action apart `separability`, `calibration` and `recalibrated` (value, source, target); `layer`, `strength`,
        `norm` (value, source, target, rotation) and `vector` (..., hidden), chosen from `choice_effect` and
        `choice_divergence` (..., block, candidate); for refusals, everything of `answer_table` (..., target, shown,
        kind, prompt). The coordinates `family`, `operator` and `dose` describe the conditions, `group` the items.

    Raises:
        DataError: too few items, or no pairs of harmfulness.
        StudyMismatchError: `out` holds parts of another experiment.
    """
    options = options or ControlOptions()
    steered = [REQUEST_VALUE] if options.outcome == "refusal" else list(values or pairs.values)
    targets = list(targets or pairs.languages)
    _check(pairs, steered, sources, targets)
    experiment = Cells(model, pairs, options, out)
    cells = [(value, source, target) for value in steered for source in sources for target in targets]
    tables: dict[tuple[str, str, str], xr.Dataset] = {}
    for done, (value, source, target) in enumerate(cells):
        if progress is not None:
            progress(f"{value}, vector {source}, in {target}", done, len(cells))
        tables[value, source, target] = experiment.cell(value, source, target)
    if progress is not None:
        progress("done", len(cells), len(cells))
    by_value = []
    for value in steered:
        rows = [along([tables[value, source, target] for target in targets], "target", targets) for source in sources]
        summed = [merged([row, summarise(row["margin"], seed=options.seed)]) for row in rows]
        by_value.append(along(summed, "source", sources))
    combined = along(by_value, "value", steered)
    return combined.assign_attrs(experiment=json.dumps(experiment.record, ensure_ascii=False))


def _check(pairs: ContrastPairs, values: Sequence[str], sources: Sequence[str], targets: Sequence[str]) -> None:
    for language in (*sources, *targets):
        if language not in (POOLED, OWN, *pairs.languages):
            raise UnknownLanguageError.of("language of the pairs", language, pairs.languages)
    if missing := [value for value in values if value not in pairs.values]:
        raise DataError(f"{pairs.name}: no pairs of {missing[0]}, which is to be steered; add them")

"""The report's prose that depends on the results: what was studied, both protocols compared, how to repeat the run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import xarray as xr

from polyethos.presentation.evidence import gain_between, pairs_apart
from polyethos.presentation.labels import model_name

_SHOWN_FACTS = 300


@dataclass(frozen=True)
class Contrast:
    """One quantity of one model in both protocols.

    Attributes:
        model: name of the model.
        quantity: what is compared.
        paper: the number in protocol `paper`, formatted.
        corrected: the same in protocol `corrected`.
        why: what makes the two differ.
    """

    model: str
    quantity: str
    paper: str
    corrected: str
    why: str


def contrasts(runs: Sequence[xr.Dataset]) -> list[Contrast]:
    """Both protocols side by side, for every model that was studied with both."""
    by_protocol = {(model_name(run), run.attrs.get("protocol")): run for run in runs}
    models = [model for model, protocol in by_protocol if protocol == "paper" and (model, "corrected") in by_protocol]
    return [row for model in models for row in _contrasts(by_protocol[model, "paper"], by_protocol[model, "corrected"])]


def _contrasts(paper: xr.Dataset, corrected: xr.Dataset) -> Iterator[Contrast]:
    def row(quantity: str, form: str, measure: Any, why: str) -> Contrast:  # noqa: ANN401
        before, after = (form.format(measure(run)) for run in (paper, corrected))
        return Contrast(model_name(paper), quantity, before, after, why)

    if "recognition" in paper and "recognition" in corrected:
        yield row(
            "recognition accuracy, mean",
            "{:.1f} %",
            lambda run: 100 * float(run["recognition"].mean()),
            "paper picks the best layer on the test pairs and counts ties as right, which raises the number; corrected "
            "picks it on training folds and tests every item once",
        )
    if "similarity" in paper and "similarity" in corrected:
        yield row(
            "similarity of two languages, mean",
            "{:.2f}",
            lambda run: float(pairs_apart(run["similarity"]).mean()),
            "paper takes the largest cosine over all layers; corrected takes the layer chosen on training folds",
        )
    if "transfer_gain" in paper and "transfer_gain" in corrected:
        for direction, name in enumerate(("high-resource to others", "others to high-resource")):
            yield row(
                f"transfer gain, {name}",
                "{:+.1f} points",
                lambda run, at=direction: 100 * gain_between(run)[at],
                "in paper the items of one language's test are, translated, among the other language's training items; "
                "corrected splits by item, the same for all languages",
            )


def study_toml(study: Mapping[str, Any]) -> str:
    """The study as a TOML file for `polyethos run FILE`, or "" where the run folder's record has none."""
    record = study.get("study")
    if not isinstance(record, Mapping):
        return ""
    lines = [f"{key} = {_toml(content)}" for key, content in record.items() if content is not None]
    return "\n".join(lines) + "\n"


def facts(content: Any, where: str = "") -> list[tuple[str, str]]:  # noqa: ANN401
    """Nested plain data as rows of (place, content), at most a few hundred; the rest is counted in the last row."""
    rows: list[tuple[str, str]] = []
    for row in _walk(content, where):
        if len(rows) == _SHOWN_FACTS:
            return [*rows, ("…", "more than is shown here; the whole record is in the download")]
        rows.append(row)
    return rows


def _walk(content: Any, where: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401
    if isinstance(content, Mapping) and content:
        for key, inner in content.items():
            yield from _walk(inner, f"{where}.{key}" if where else str(key))
    elif isinstance(content, (list, tuple)) and any(isinstance(inner, (Mapping, list)) for inner in content):
        for position, inner in enumerate(content):
            yield from _walk(inner, f"{where}[{position}]")
    elif content is not None and content != {}:
        yield where, ", ".join(map(str, content)) if isinstance(content, (list, tuple)) else str(content)


def _toml(content: Any) -> str:  # noqa: ANN401
    if isinstance(content, Mapping):
        inner = (f"{_toml(str(key))} = {_toml(value)}" for key, value in content.items() if value is not None)
        return "{ " + ", ".join(inner) + " }"
    if isinstance(content, (list, tuple)):
        return "[" + ", ".join(map(_toml, content)) + "]"
    # JSON and TOML agree on strings, whole numbers, decimals and booleans; TOML also refuses a bare delete character.
    return json.dumps(content, ensure_ascii=True).replace("\x7f", "\\u007f")

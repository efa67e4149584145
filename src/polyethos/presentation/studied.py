"""What a reader has to know of model and data before the answers: kept with the results, told on every page."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

import xarray as xr

from polyethos.presentation.sample import sample

ATTRIBUTE = "studied"
"""Attribute of the results that holds a `Studied` as JSON."""


@dataclass(frozen=True)
class Example:
    """One pair of the data, as the model read it, without template."""

    value: str
    language: str
    positive: str
    negative: str


@dataclass(frozen=True)
class Studied:
    """What was studied, in words.

    Attributes:
        model: a sentence or two on the model; empty where nobody described it.
        data: what one number rests on.
        examples: a pair of each value; none where they were not kept.
    """

    model: str
    data: str
    examples: tuple[Example, ...] = ()


def described(results: xr.Dataset, model: str, grouping: str, examples: tuple[Example, ...]) -> xr.Dataset:
    """The results with what was studied.

    Args:
        results: of one model.
        model: what it is, in words.
        grouping: what the pairs of a group have in common, as the end of a sentence, or empty.
        examples: a pair of each value.
    """
    content = {"model": model, "grouping": grouping, "examples": [asdict(each) for each in examples]}
    return results.assign_attrs({ATTRIBUTE: json.dumps(content, ensure_ascii=False)})


def studied(results: xr.Dataset) -> Studied:
    """What was studied, as far as the results tell."""
    given = str(results.attrs.get(ATTRIBUTE, ""))
    content: dict[str, Any] = json.loads(given) if given else {"model": "", "grouping": "", "examples": []}
    data = f"The number of one value in one language rests on {sample(results)}{content['grouping']}."
    return Studied(content["model"], data, tuple(Example(**each) for each in content["examples"]))

"""The seven human values, as concepts that two sentences of a contrast pair uphold and violate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from polyethos.errors import UnknownValueError


@dataclass(frozen=True, slots=True)
class Value:
    """A human value.

    Attributes:
        name: for instance "fairness".
        definition: what upholding it means, in one sentence.
        upheld_label: short label of the positive sentence.
        violated_label: short label of the negative sentence.
        related_data: published English data sets about this value; empty where none is named with certainty.
    """

    name: str
    definition: str
    upheld_label: str
    violated_label: str
    related_data: str = ""


_ETHICS = "ETHICS (Hendrycks et al. 2021, arXiv:2008.02275)"

_VALUES = (
    Value(
        "morality",
        "Acting as most people would call right in everyday life: caring for others instead of hurting or using them.",
        "moral",
        "immoral",
        f"{_ETHICS}, commonsense morality",
    ),
    Value(
        "deontology",
        "Doing what a duty or a promise asks, and refusing it only for a reason that counts.",
        "dutiful",
        "undutiful",
        f"{_ETHICS}, deontology",
    ),
    Value(
        "utilitarianism",
        "Preferring the outcome that leaves those concerned better off.",
        "better outcome",
        "worse outcome",
        f"{_ETHICS}, utilitarianism",
    ),
    Value(
        "fairness",
        "Judging people by what they do, not by the group they belong to.",
        "unbiased",
        "stereotyped",
        "StereoSet (Nadeem et al. 2021, arXiv:2004.09456)",
    ),
    Value(
        "truthfulness",
        "Answering with what is the case, also where a common error sounds better.",
        "true",
        "false",
        "TruthfulQA (Lin et al. 2022, arXiv:2109.07958)",
    ),
    Value(
        "toxicity",
        "Speaking without insult, contempt or threat, also in disagreement (upheld means: not toxic).",
        "civil",
        "toxic",
        "RealToxicityPrompts (Gehman et al. 2020, arXiv:2009.11462)",
    ),
    Value(
        "harmfulness",
        "Asking for help with something that hurts nobody (upheld means: a harmless request).",
        "harmless",
        "harmful",
        "AdvBench (Zou et al. 2023, arXiv:2307.15043)",
    ),
)

VALUES: Mapping[str, Value] = MappingProxyType({entry.name: entry for entry in _VALUES})
"""The seven values of arXiv:2402.18120 by name, in its order."""


def value(name: str, *, where: str = "") -> Value:
    """The value with this name.

    Args:
        name: for instance "fairness".
        where: where the name was met, for the error message.

    Raises:
        UnknownValueError: no such value; the message names the closest one.
    """
    if name not in VALUES:
        raise UnknownValueError.of("value", name, VALUES, where)
    return VALUES[name]

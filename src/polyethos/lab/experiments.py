"""The three experiments on the advice of arXiv:2402.18120: which mixtures are compared, and for how many tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from polyethos.dataset.microworld import MICROWORLD_LANGUAGES
from polyethos.errors import LabError
from polyethos.lab.mixture import Mixture, dominated, uniform

Experiment = Literal["dominance-fixed-total", "dominance-fixed-minority", "balance", "number-of-dominants"]
EXPERIMENTS: tuple[Experiment, ...] = get_args(Experiment)

DOMINANT_SHARES = (0.3, 0.5, 0.7, 0.9, 0.97)
BALANCE_SHARE = 0.6
EXPONENTS = (0, 1, 2)
DOMINANTS_SHARE = 0.8
NUMBERS_OF_DOMINANTS = (1, 2, 4)


@dataclass(frozen=True)
class Condition:
    """One cell of an experiment.

    Attributes:
        experiment: which one.
        name: unique within it, usable as a folder name.
        level: the quantity the experiment varies: the dominant language's share, the exponent, the number.
        mixture: what to train on.
        tokens: for how long.
    """

    experiment: Experiment
    name: str
    level: float
    mixture: Mixture
    tokens: int


def conditions(
    experiment: Experiment, *, tokens: int, languages: Sequence[str] = MICROWORLD_LANGUAGES
) -> tuple[Condition, ...]:
    """The conditions of an experiment.

    - dominance: the first language has a share of 1/n (uniform), 0.3, 0.5, 0.7, 0.9 or 0.97, the others share the
      rest equally; either with the same total tokens, or with the same tokens of the other languages together, as
      many as half of `tokens`. Only the second tells starved small languages from too large a dominant one.
    - balance: the first language has 0.6, the others follow Zipf's law with exponent 0, 1 or 2.
    - number of dominants: the first 1, 2 or 4 languages share 0.8 equally, the others share the rest equally.

    Args:
        experiment: one of `EXPERIMENTS`.
        tokens: training tokens in all (with fixed minority tokens: twice those of the minority languages).
        languages: which languages take part, dominant ones first.

    Raises:
        LabError: there is no such experiment, or too few languages for it.
    """
    if experiment not in EXPERIMENTS:
        raise LabError(f"experiment {experiment!r} does not exist; choose from {', '.join(EXPERIMENTS)}")
    if len(languages) <= max(NUMBERS_OF_DOMINANTS):
        raise LabError(f"{len(languages)} languages; the experiments need at least {max(NUMBERS_OF_DOMINANTS) + 1}")
    codes = tuple(languages)
    if experiment == "balance":
        return tuple(
            Condition(experiment, f"exponent-{exponent}", exponent, _zipf(codes, exponent), tokens)
            for exponent in EXPONENTS
        )
    if experiment == "number-of-dominants":
        return tuple(
            Condition(experiment, f"dominants-{n}", n, _dominants(codes, n), tokens) for n in NUMBERS_OF_DOMINANTS
        )
    return tuple(_dominance(experiment, codes, share, tokens) for share in (1 / len(codes), *DOMINANT_SHARES))


def _dominance(experiment: Experiment, codes: tuple[str, ...], share: float, tokens: int) -> Condition:
    even = share <= 1 / len(codes)
    name = "uniform" if even else f"share-{share:g}"
    mixture = uniform(name, codes) if even else dominated(name, {codes[0]: share}, codes)
    total = tokens if experiment == "dominance-fixed-total" else round(tokens / 2 / (1 - share))
    return Condition(experiment, name, share, mixture, total)


def _zipf(codes: tuple[str, ...], exponent: float) -> Mixture:
    weights = [1 / rank**exponent for rank in range(1, len(codes))]
    rest = (1 - BALANCE_SHARE) / sum(weights)
    shares = dict(zip(codes[1:], (weight * rest for weight in weights), strict=True))
    return Mixture(f"exponent-{exponent:g}", {codes[0]: BALANCE_SHARE} | shares)


def _dominants(codes: tuple[str, ...], number: int) -> Mixture:
    return dominated(f"dominants-{number}", dict.fromkeys(codes[:number], DOMINANTS_SHARE / number), codes)

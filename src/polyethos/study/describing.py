"""Model and data of a study in words, from the model's card and the pairs themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import xarray as xr

from polyethos.dataset.languages import LANGUAGES
from polyethos.dataset.pairs import ContrastPair, ContrastPairs
from polyethos.lab.pocket import pocket_card
from polyethos.presentation.studied import Example, described
from polyethos.representation.model import LanguageModel
from polyethos.study.definition import ModelChoice

_FIRST, _NAMED = "en", 3


def with_description(
    results: xr.Dataset, choice: ModelChoice, model: LanguageModel, pairs: ContrastPairs
) -> xr.Dataset:
    """The results with what was studied, for every page that shows them."""
    parameters = sum(weight.numel() for weight in model.model.parameters())
    about = about_model(choice, layers=model.n_layers, parameters=parameters)
    return described(results, about, grouping(pairs), examples(pairs))


def about_model(choice: ModelChoice, *, layers: int, parameters: int) -> str:
    """What the model is; of a pocket model also what it was made of and what it cannot show."""
    size = f"{layers} layers, {_rounded(parameters)} parameters"
    if not choice.is_pocket:
        return f"{choice.label}: {size}."
    recipe = pocket_card(choice.name)["recipe"]
    text = "sentences of a small invented world (microworld)" if recipe["corpus"] is None else "a user's own text"
    return (
        f"{choice.label} is a toy: {size}, pre-trained only on {text}, {_mixture(recipe['mixture']['shares'])}. "
        "It shows how a study works, not what large models do."
    )


def grouping(pairs: ContrastPairs) -> str:
    """What the pairs of a group have in common, where the same few words always tell their two sides apart."""
    grouped = [pair for pair in pairs if pair.group and pair.language == _language(pairs)]
    apart: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for pair in grouped:
        apart.setdefault((pair.value, pair.group), set()).add(_differing(pair))
    if not apart or len(apart) == len(grouped) or any(len(words) > 1 for words in apart.values()):
        return ""
    return (
        "; the pairs of a group differ in the same words, so that whoever has seen these words knows the side: whole "
        "groups are held out"
    )


def examples(pairs: ContrastPairs) -> tuple[Example, ...]:
    """The first pair of each value, in English where there is any."""
    code = _language(pairs)
    first: dict[str, ContrastPair] = {}
    for pair in pairs:
        if pair.language == code:
            first.setdefault(pair.value, pair)
    return tuple(
        Example(pair.value, pair.language, *(" ".join(filter(None, (pair.context, side))) for side in _sides(pair)))
        for pair in first.values()
    )


def _sides(pair: ContrastPair) -> tuple[str, str]:
    return pair.positive, pair.negative


def _language(pairs: ContrastPairs) -> str:
    return _FIRST if _FIRST in pairs.languages else pairs.languages[0]


def _differing(pair: ContrastPair) -> tuple[str, str]:
    """The words of either side without those that both begin or end with."""
    sides = [side.split() for side in _sides(pair)]
    for _ in range(2):
        shared = _shared(*sides)
        sides = [side[shared:][::-1] for side in sides]
    return " ".join(sides[0]), " ".join(sides[1])


def _shared(first: Sequence[str], second: Sequence[str]) -> int:
    pairs: Iterable[tuple[str, str]] = zip(first, second, strict=False)
    return next((at for at, (one, other) in enumerate(pairs) if one != other), min(len(first), len(second)))


def _mixture(shares: Mapping[str, float]) -> str:
    if len(set(shares.values())) == 1:
        share = 100 * next(iter(shares.values()))
        return f"{share:.3g} % in each of {len(shares)} languages" if len(shares) > 1 else f"all in {_name(*shares)}"
    largest = sorted(shares, key=lambda code: -shares[code])[:_NAMED]
    named = ", ".join(f"{100 * shares[code]:.3g} % {_name(code)}" for code in largest)
    return named + (f" and {len(shares) - len(largest)} more languages" if len(shares) > len(largest) else "")


def _name(code: str) -> str:
    return LANGUAGES[code].name if code in LANGUAGES else code


def _rounded(count: int) -> str:
    for size, word in ((10**9, "billion"), (10**6, "million")):
        if count >= size:
            return f"{count / size:.{int(count < 10 * size)}f} {word}"
    return f"{count:,}"

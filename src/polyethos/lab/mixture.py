"""Which language gets which share of the training tokens."""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from polyethos.dataset.microworld import MICROWORLD_LANGUAGES
from polyethos.errors import LabError, UnknownLanguageError

Kind = tuple[str, ...]

_SUM_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Mixture:
    """Shares of the training tokens, positive, summing to 1.

    Attributes:
        name: what it is called in cards and results.
        shares: share per language code, in the order given.
    """

    name: str
    shares: Mapping[str, float]

    def kinds(self, translated: float) -> dict[Kind, float]:
        """How often a training row is of which kind: one language, or two in this order.

        The partners of a two-language row are drawn by their shares, which by itself would give small languages more
        than theirs beside a dominant one. One-language rows make up for it; where even that is not enough, fewer rows
        are in two languages: at most half of any language's tokens come from them.

        Args:
            translated: wanted share of tokens in two-language rows.

        Returns:
            Probability per kind; summed over rows, each language gets exactly its share of the tokens.
        """
        pairs = {
            (first, second): self.shares[first] * self.shares[second]
            for first in self.shares
            for second in self.shares
            if first != second
        }
        total = sum(pairs.values())
        if not translated or not total:
            return {(language,): share for language, share in self.shares.items()}
        in_pairs = {
            language: sum(weight for kind, weight in pairs.items() if language in kind) / (2 * total)
            for language in self.shares
        }
        possible = min(translated, min(self.shares[language] / in_pairs[language] / 2 for language in self.shares))
        alone = {(language,): share - possible * in_pairs[language] for language, share in self.shares.items()}
        return alone | {kind: possible * weight / total for kind, weight in pairs.items()}


def uniform(name: str, languages: tuple[str, ...] = MICROWORLD_LANGUAGES) -> Mixture:
    """The same share for every language."""
    return Mixture(name, {language: 1 / len(languages) for language in languages})


def dominated(name: str, dominant: Mapping[str, float], languages: tuple[str, ...] = MICROWORLD_LANGUAGES) -> Mixture:
    """Given shares for the dominant languages; the others share the rest equally."""
    others = [language for language in languages if language not in dominant]
    rest = (1 - sum(dominant.values())) / len(others)
    return Mixture(name, {language: dominant.get(language, rest) for language in languages})


MIXTURES: Mapping[str, Mixture] = MappingProxyType(
    {
        "pocket-en": dominated("pocket-en", {"en": 0.9}),
        "pocket-zh-en": dominated("pocket-zh-en", {"zh": 0.45, "en": 0.45}),
        "pocket-balanced": uniform("pocket-balanced"),
    }
)


def read_mixture(source: str | Path) -> Mixture:
    """The mixture of that name, in that TOML or JSON file, or written out as "en=0.9,fi=0.1".

    Raises:
        LabError: the shares do not sum to 1, one is not a positive number, or the file cannot be read.
        UnknownLanguageError: a language that the microworld and the language table do not have.
    """
    text = str(source)
    if text in MIXTURES:
        return MIXTURES[text]
    if "=" in text:
        return checked_mixture("custom", _written_out(text), where=f"mixture {text!r}")
    path = Path(source)
    if path.suffix not in (".toml", ".json"):
        known = ", ".join(MIXTURES)
        raise LabError(
            f"mixture {text!r}: give one of {known}, a .toml or .json file, or shares such as 'en=0.9,fi=0.1'"
        )
    try:
        content = path.read_text(encoding="utf-8")
        table = tomllib.loads(content) if path.suffix == ".toml" else json.loads(content)
    except OSError as error:
        raise LabError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise LabError(f"{path}: not valid {path.suffix[1:].upper()} ({error})") from error
    if not isinstance(table, dict):
        raise LabError(f"{path}: expected a table of language = share, found {type(table).__name__}")
    return checked_mixture(path.stem, table, where=str(path))


def checked_mixture(name: str, shares: Mapping[str, object], *, where: str) -> Mixture:
    """A mixture made of `shares`, once they are known to be usable; `where` is named in errors."""
    numbers: dict[str, float] = {}
    for language, share in shares.items():
        if language not in MICROWORLD_LANGUAGES:
            raise UnknownLanguageError.of("language", language, MICROWORLD_LANGUAGES, where)
        if not isinstance(share, int | float) or isinstance(share, bool) or not (math.isfinite(share) and share > 0):
            raise LabError(f"{where}: the share of {language} is {share!r}; give a number above 0, or leave it out")
        numbers[language] = float(share)
    total = sum(numbers.values())
    if abs(total - 1) > _SUM_TOLERANCE:
        raise LabError(f"{where}: the shares sum to {total:.4g}; they must sum to 1")
    return Mixture(name, {language: share / total for language, share in numbers.items()})


def _written_out(text: str) -> dict[str, object]:
    shares: dict[str, object] = {}
    for part in text.split(","):
        language, _, share = (piece.strip() for piece in part.partition("="))
        if language in shares:
            raise LabError(f"mixture {text!r}: {language} is given twice")
        try:
            shares[language] = float(share)
        except ValueError:
            raise LabError(f"mixture {text!r}: {part.strip()!r} is not language=share, such as en=0.9") from None
    return shares

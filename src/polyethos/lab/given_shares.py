"""What share of a real model's pre-training each language had, as the user gives it."""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from polyethos.dataset.languages import language, pretraining_shares
from polyethos.errors import LabError

_PERCENT = "pct"
_TOLERANCE = 1e-3


def given_shares(source: str) -> dict[str, float]:
    """Shares as fractions, of the languages in the language table; they may sum to less than 1.

    Args:
        source: a column of `dataset.languages.pretraining_shares` in percent, a TOML or JSON file of language = share,
            or "en=0.9,zh=0.02".

    Raises:
        LabError: there is no such column or file, or a share is not a number in (0, 1], or they sum to more than 1.
        UnknownLanguageError: a language that the table does not have.
    """
    table = pretraining_shares()
    columns = [str(name) for name in table.columns if _PERCENT in str(name)]
    if source in columns:
        return {str(code): float(share) / 100 for code, share in table[source].dropna().items() if share > 0}
    shares = {code: _share(code, value, source) for code, value in _entries(source, columns).items()}
    if sum(shares.values()) > 1 + _TOLERANCE:
        raise LabError(f"{source}: the shares sum to {sum(shares.values()):.4g}; give fractions of all training data")
    return shares


def _entries(source: str, columns: list[str]) -> Mapping[str, Any]:
    if "=" in source:
        return dict(_pair(part, source) for part in source.split(","))
    path = Path(source)
    if path.suffix not in (".toml", ".json"):
        raise LabError(
            f"shares {source!r}: give one of {', '.join(columns)}, a .toml or .json file, or shares such as "
            "'en=0.9,zh=0.02'"
        )
    try:
        text = path.read_text(encoding="utf-8")
        content = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except OSError as error:
        raise LabError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise LabError(f"{path}: not valid {path.suffix[1:].upper()} ({error})") from error
    if not isinstance(content, dict):
        raise LabError(f"{path}: expected a table of language = share, found {type(content).__name__}")
    return content


def _pair(part: str, source: str) -> tuple[str, float]:
    code, _, share = (piece.strip() for piece in part.partition("="))
    try:
        return code, float(share)
    except ValueError:
        raise LabError(f"shares {source!r}: {part.strip()!r} is not language=share, such as en=0.9") from None


def _share(code: str, value: object, source: str) -> float:
    language(code, where=source)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value <= 1 or math.isnan(value):
        raise LabError(f"{source}: the share of {code} is {value!r}; give a fraction above 0 and at most 1")
    return float(value)

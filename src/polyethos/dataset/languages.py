"""The table of languages: names, scripts, resources, pre-training shares and linguistic distances."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import pandas as pd
import xarray as xr

from polyethos.arrays import SOURCE, TARGET
from polyethos.errors import UnknownLanguageError

DISTANCES = ("genetic", "syntactic", "geographic", "phonological", "inventory", "featural")

_TABLES = Path(__file__).parent / "bundled" / "languages"
_SEPARATORS = {"space": " ", "none": ""}
# A language tag: code, then perhaps script, then perhaps region.
_TAG = re.compile(r"([a-z]{2,3})([-_][a-z]{4})?([-_]([a-z]{2}|\d{3}))?")


@dataclass(frozen=True, slots=True)
class Language:
    """One language.

    Attributes:
        code: the code used everywhere, for instance "en".
        name: English name.
        autonym: name in the language itself.
        family: top-level family.
        script: script the bundled sets are written in.
        uriel_code: ISO 639-3 code.
        resource_level: "high", "mid" or "low", from its share of Common Crawl (see `sources.json` beside the table).
        word_separator: " ", or "" where words are not written apart.
    """

    code: str
    name: str
    autonym: str
    family: str
    script: str
    uriel_code: str
    resource_level: str
    word_separator: str


def _read_languages() -> dict[str, Language]:
    with (_TABLES / "languages.csv").open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    fields = Language.__slots__
    cells = (
        {**{field: row[field] for field in fields}, "word_separator": _SEPARATORS[row["word_separator"]]}
        for row in rows
    )
    return {row["code"]: Language(**row) for row in cells}


LANGUAGES: Mapping[str, Language] = MappingProxyType(_read_languages())
"""The 16 languages by code, in the order of arXiv:2402.18120."""


def language(code: str, *, where: str = "") -> Language:
    """The language with this code.

    Args:
        code: for instance "en".
        where: where the code was met, for the error message.

    Raises:
        UnknownLanguageError: no such code; the message names the closest one.
    """
    if code not in LANGUAGES:
        raise UnknownLanguageError.of("language", code, LANGUAGES, where)
    return LANGUAGES[code]


@cache
def _codes_by_label() -> dict[str, str]:
    labels = {}
    for entry in LANGUAGES.values():
        for label in (entry.code, entry.uriel_code, entry.name, entry.autonym):
            labels[label.lower()] = entry.code
    # The macrolanguage codes under which data sets file these three.
    return labels | {"zho": "zh", "swa": "sw", "msa": "id"}


@lru_cache(maxsize=4096)
def language_code(label: str) -> str | None:
    """The code meant by `label`, or None if it means none of the languages.

    Data sets write a language as code ("pt"), code with region or script ("pt-BR", "zho_Hans"), ISO 639-3 code
    ("por") or name ("Portuguese", "português"); upper and lower case mean the same.
    """
    lowered = label.strip().lower()
    tag = _TAG.fullmatch(lowered)
    return _codes_by_label().get(tag[1] if tag else lowered)


def pretraining_shares() -> pd.DataFrame:
    """Shares of the languages in published pre-training corpora.

    Returns:
        One row per language code, one column per source; NaN where the source gives no figure, which never means zero.
        Units and sources: `share_sources()`. The column `qwen_made_up_by_paper` is no measurement.
    """
    table = pd.read_csv(_TABLES / "languages.csv", index_col="code")
    return table[list(share_sources())].astype("float64")


def share_sources() -> dict[str, str]:
    """Source, unit and meaning of an empty cell for each column of `pretraining_shares()`."""
    columns = _sources()["columns"]
    shares = [name for name in columns if name not in Language.__slots__]
    return {name: "{source}; {unit}; empty: {missing}".format(**columns[name]) for name in shares}


def linguistic_distances(table: Literal["urielplus", "paper"] = "urielplus") -> xr.DataArray:
    """Distances between the languages, 0 (alike) to 1.

    Args:
        table: "urielplus" (URIEL+ 1.3.2), or "paper": lang2vec exactly as the published code used it, faults included.

    Returns:
        float64 (distance, source, target), NaN where the source has no data. The coordinate `flag`, of the same shape,
        names the known fault of an entry ("" if none); the attribute `flags` explains them.

    Source: URIEL (Littell et al. 2017) and URIEL+ (Khan et al. 2024), CC BY-SA 4.0.
    """
    rows = pd.read_csv(_TABLES / "distances.csv", keep_default_na=False, na_values={"value": [""]})
    rows = rows[rows["table"] == table]
    labels = {"distance": list(DISTANCES), SOURCE: list(LANGUAGES), TARGET: list(LANGUAGES)}
    cube = rows.set_index(list(labels)).reindex(pd.MultiIndex.from_product(list(labels.values()), names=list(labels)))
    shape = tuple(len(names) for names in labels.values())
    values, flags = cube["value"].to_numpy("float64"), cube["flag"].to_numpy(str)
    sources = _sources()
    return xr.DataArray(
        values.reshape(shape),
        coords={**labels, "flag": (tuple(labels), flags.reshape(shape))},
        dims=tuple(labels),
        name="linguistic_distance",
        attrs={"table": table, **sources["tables"][table], "flags": json.dumps(sources["flags"])},
    )


@cache
def _sources() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((_TABLES / "sources.json").read_text(encoding="utf-8"))
    return content

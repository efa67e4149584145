"""The words and the order in which languages, values and models appear on every page."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
import pandas as pd
import xarray as xr

from polyethos.arrays import LANGUAGE, SOURCE, VALUE
from polyethos.dataset.languages import LANGUAGES, pretraining_shares

SHARE = "pretraining_share"
# A hyphen that no word, number or option goes on with; a sign before nothing but zeros.
_NEGATIVE = re.compile(r"(?<![\w\-−.])-(?=\.?\d)")
_SIGNED_ZERO = re.compile(r"(?<![\w\-−.])[-+](?=0(?:\.0+)?(?![\d.]*\d))")
_PUBLIC_WEB = "common_crawl_2024_42_pct_pages"
_SHORT_VALUES = {
    "morality": "moral.",
    "deontology": "deont.",
    "utilitarianism": "utilit.",
    "fairness": "fairn.",
    "truthfulness": "truthf.",
    "toxicity": "toxic.",
    "harmfulness": "harmf.",
}


def language_name(code: str) -> str:
    """English name of the language, or the code itself where the language table lacks it."""
    return LANGUAGES[code].name if code in LANGUAGES else code


def autonym(code: str) -> str:
    """The language's name for itself, or the code itself where the language table lacks it."""
    return LANGUAGES[code].autonym if code in LANGUAGES else code


def value_name(value: str, *, short: bool = False) -> str:
    """The value as a heading; `short` gives at most seven letters."""
    if short:
        return _SHORT_VALUES.get(value, value if len(value) <= 7 else value[:6] + ".")
    return value[:1].upper() + value[1:].replace("_", " ")


def unbroken(text: str) -> str:
    """The text with its percent signs kept on the line of their number."""
    return text.replace(" %", "\N{NO-BREAK SPACE}%")


def typeset(text: str) -> str:
    """The text with true minus signs before its negative numbers, and rounded zeros without a sign.

    For sentences and pages; tables for spreadsheets and LaTeX keep the hyphens that their readers expect.
    """
    return _NEGATIVE.sub("−", _SIGNED_ZERO.sub("", text))


def listed(words: Iterable[str]) -> str:
    """The words as part of a sentence: "a", "a and b", "a, b and c"."""
    words = list(words)
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def model_name(results: xr.Dataset) -> str:
    """Name of the model studied."""
    return str(results.attrs.get("model", "model"))


def chance(results: xr.Dataset) -> float:
    """Accuracy of guessing, 0.5 unless the results say otherwise."""
    return float(results.attrs.get("chance", 0.5))


def languages(results: xr.Dataset) -> list[str]:
    """Language codes of the results, in stored order."""
    dim = LANGUAGE if LANGUAGE in results.coords else SOURCE
    return [str(code) for code in results[dim].values] if dim in results.coords else []


def values(results: xr.Dataset) -> list[str]:
    """Names of the values of the results, in stored order."""
    return [str(value) for value in results[VALUE].values] if VALUE in results.coords else []


def shares(results: xr.Dataset) -> tuple[pd.Series[float], str]:
    """Share of each language in pre-training, and where the numbers are from.

    Returns:
        Percent per language code (NaN where unknown) from the variable `pretraining_share(language)`, whose attribute
        `source` says where it is from; where the results have none, shares of the public web stand in for it.
    """
    codes = languages(results)
    if SHARE in results:
        given = results[SHARE]
        return pd.Series(given.values.astype(float), index=codes), str(
            given.attrs.get("source", results.attrs.get("share_source", "the study"))
        )
    public = pretraining_shares()[_PUBLIC_WEB].reindex(codes)
    return public.astype(float), "share of public web pages, Common Crawl 2024-42; the model's own shares are not known"


def share_words(results: xr.Dataset) -> str:
    """What `shares` are shares of, for an axis: the model's own data where they are known, else their stand-in."""
    return "share of pre-training" if SHARE in results else "share of public web pages (Common Crawl)"


def equal_shares(results: xr.Dataset) -> bool:
    """Whether all languages whose share of pre-training is known have the same, so that it gives them no order."""
    known = shares(results)[0].dropna()
    return len(known) > 1 and bool(np.allclose(known, known.iloc[0]))


def by_share(results: xr.Dataset) -> list[str]:
    """Language codes, largest share of pre-training first; ties in stored order, unknown shares last."""
    return [str(code) for code in shares(results)[0].sort_values(ascending=False, kind="stable").index]


def high_resource(results: xr.Dataset) -> list[str]:
    """Codes of the high-resource languages of this model.

    They are the attribute `high_resource` (codes in a list, or with blanks between) where the results have it,
    otherwise the languages that the language table calls "high".
    """
    given = results.attrs.get("high_resource")
    if given is None:
        chosen = {code for code in languages(results) if code in LANGUAGES and LANGUAGES[code].resource_level == "high"}
    elif isinstance(given, str):
        chosen = set(given.split())
    else:
        chosen = {str(code) for code in np.atleast_1d(given)}
    return [code for code in by_share(results) if code in chosen]

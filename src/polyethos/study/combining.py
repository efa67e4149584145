"""From the values of one model to its results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import xarray as xr

from polyethos.analysis import linguistics, transfer
from polyethos.analysis.beside import beside, published_beside, without_published
from polyethos.analysis.published_summary import SERIES, Series, summarise
from polyethos.arrays import LANGUAGE, SOURCE, TARGET, VALUE
from polyethos.dataset.languages import LANGUAGES, linguistic_distances, pretraining_shares, share_sources
from polyethos.lab.pocket import pocket_shares
from polyethos.study.analysing import Partial
from polyethos.study.definition import ModelChoice, Study

CHANCE = 0.5


def combine(study: Study, choice: ModelChoice, partials: Sequence[Partial]) -> tuple[xr.Dataset, xr.DataArray]:
    """Results of one model, and its concept vectors float32 (value, language, layer, hidden)."""
    values = pd.Index([partial.value for partial in partials], name=VALUE)
    statistics = xr.concat([partial.statistics for partial in partials], values, join="exact")
    vectors = xr.concat([partial.vectors for partial in partials], values, join="exact")
    languages = [str(code) for code in statistics[LANGUAGE].values]
    share = pretraining_share(choice, languages)
    if study.protocol == "paper":
        combined = _published(choice, statistics, share)
    else:
        combined = _corrected(without_published(statistics))
        published = published_beside(statistics)
        if published is not None:
            standing = beside(_published(choice, published, share))
            combined = combined.assign(standing).assign_attrs(standing.attrs)
    if share is not None:
        combined["pretraining_share"] = share
        combined.attrs["share_source"] = share.attrs["source"]
    combined.attrs.setdefault("high_resource", " ".join(_high_resource(choice, share, languages)))
    combined.attrs.update(model=choice.label, protocol=study.protocol, data=study.data_source, chance=CHANCE)
    return combined, vectors


def _corrected(statistics: xr.Dataset) -> xr.Dataset:
    similarity = statistics["similarity_by_value"].mean(VALUE)
    relations = linguistics.correlations(similarity, linguistic_distances("urielplus"))
    return statistics.assign(
        transfer_gain=transfer.gains(statistics["transfer_accuracy"]).mean(VALUE).transpose(SOURCE, TARGET),
        similarity=similarity,
        linguistic_r=relations["r"],
        linguistic_pairs=relations["n_pairs"],
        linguistic_missing=relations["n_missing"],
    )


def _published(choice: ModelChoice, statistics: xr.Dataset, share: xr.DataArray | None) -> xr.Dataset:
    languages = tuple(str(code) for code in statistics[LANGUAGE].values)
    series = choice.paper_series
    # The paper fixes language subset and high-resource set only for its own three series.
    rule = SERIES[series] if series else Series(languages, frozenset(_high_resource(choice, share, languages)))
    summary = summarise(
        statistics, rule, linguistic_distances("paper"), shares=pretraining_shares() if series else None
    )
    return summary.assign(n_items=statistics["n_items"], sign=statistics["sign"])


def _high_resource(choice: ModelChoice, share: xr.DataArray | None, languages: Sequence[str]) -> list[str]:
    """The paper's set for its series; a pocket model's languages with twice an equal share; else the table's level."""
    if choice.paper_series:
        return [code for code in languages if code in SERIES[choice.paper_series].high_resource]
    if choice.is_pocket and share is not None:
        # Shares of all languages the model was trained on; those studied may be fewer.
        return [
            code for code in languages if float(share.sel({LANGUAGE: code})) >= 200 / len(pocket_shares(choice.name))
        ]
    return [code for code in languages if LANGUAGES[code].resource_level == "high"]


def pretraining_share(choice: ModelChoice, languages: Sequence[str]) -> xr.DataArray | None:
    """Percent of the pre-training data per language (NaN where not published); None for a model nobody describes."""
    if choice.is_pocket:
        shares, source = pd.Series(pocket_shares(choice.name)) * 100, "the pocket model's own recipe"
    elif choice.paper_series:
        column = SERIES[choice.paper_series].share_column or ""
        shares, source = pretraining_shares()[column], share_sources()[column]
    else:
        return None
    attributes: dict[str, Any] = {"units": "percent", "source": source}
    return xr.DataArray(
        shares.reindex(list(languages)).to_numpy(dtype=float),
        dims=LANGUAGE,
        coords={LANGUAGE: list(languages)},
        attrs=attributes,
    )

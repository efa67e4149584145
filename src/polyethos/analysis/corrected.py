"""The statistics of `protocol="corrected"` for one model, from those of its values."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from polyethos.analysis.asymmetry import split_asymmetry
from polyethos.analysis.one_way import average, one_way
from polyethos.analysis.power import detectable_accuracy
from polyethos.analysis.relations import relations
from polyethos.analysis.resampling import percentile_interval
from polyethos.analysis.significance import family_p, family_threshold
from polyethos.analysis.value_statistics import FAMILY, PAIR, REPLICATE
from polyethos.arrays import LANGUAGE, SOURCE, TARGET, VALUE
from polyethos.errors import DataError

Array = NDArray[np.float64]

WAY = "way"
WAYS = ("high to low", "low to high", "both")

_BY_VALUE = (
    "accuracy_p",
    "recognition",
    "recognition_low",
    "recognition_high",
    "recognition_replicates",
    "transfer_accuracy",
    "transfer_accuracy_low",
    "transfer_accuracy_high",
    "transfer_accuracy_p",
    "control_accuracy",
    "control_accuracy_low",
    "control_accuracy_high",
    "recognition_excess",
    "recognition_excess_low",
    "recognition_excess_high",
    "reliability",
    "consistency",
    "consistency_low",
    "consistency_high",
    "consistency_p",
    "consistency_identical_p",
    "consistency_raw",
    "consistency_whitened",
    "consistency_whitened_low",
    "consistency_whitened_high",
    "consistency_by_layer",
    "consistency_layer",
    "direction_defined",
    "tested_layer",
    "n_tested",
    "resampling_key",
)


def corrected_statistics(
    values: Mapping[str, xr.Dataset],
    *,
    high_resource: Collection[str],
    distances: xr.DataArray | None = None,
    shares: xr.DataArray | None = None,
    permutations: int = 2_000,
    seed: int = 0,
) -> xr.Dataset:
    """Everything the corrected protocol says about one model.

    Args:
        values: result of `value_statistics` per value, all with the same languages, layers, folds, number of sign
            patterns and replicates.
        high_resource: codes of the high-resource languages, for the test of one-way transfer.
        distances: linguistic (distance, source, target), NaN where missing; without it, no relations.
        shares: pre-training share per (language,), NaN where unknown.
        permutations: of languages, for the relations.
        seed: of those.

    Returns:
        For every quantity q also q_low and q_high, its 95 % interval, and q_p, its p-value, where they exist.
        Existence: `recognition` (value, language) and `transfer_accuracy` (value, source, target), at the layer the
        training folds choose; `accuracy_p` (value, source, target, layer); with `_family` behind it, p over the family
        of all values, languages (or ordered pairs) and layers. `detectable_accuracy` (value, language), the smallest
        accuracy found with probability 0.8, `detectable_accuracy_family` after correction. `control_accuracy` (control,
        value, language), `recognition_excess` what the vector gets right beyond it.
        Consistency: `consistency` (value, source, target), `_p` for rho = 0, `consistency_identical_p` for rho = 1,
        `consistency_raw`, `consistency_whitened`; `similarity_corrected` (source, target), the mean over values where
        it is defined, in `similarity_corrected_values` of them; `reliability` (value, language, layer),
        `direction_defined` (value, language); `consistency_curve` (value, layer).
        Relations: see `relations.relations`.
        Transfer: `transfer_gain_low`, `transfer_gain_high` (source, target), of the mean over values, NaN where no
        sample varies, with `transfer_gain_replicates`; `transfer_excess` (source, target), adjusted for noise, in
        probits, mean over values;
        `transfer_asymmetry`, `transfer_cyclic` (source, target), `transfer_potential` (language),
        `transfer_potential_share`; `one_way_excess` (way) with `_p`, `way` "both" holding the p of the claim.
        `recognition_replicates`, `similarity_corrected_replicates`, `transfer_excess_replicates`: bootstrap samples,
        for `comparison`, and `resampling_key` (value), equal where they hold the same items.

    Raises:
        DataError: no value.
    """
    if not values:
        raise DataError("values: none; the corrected protocol needs at least one")
    joined = xr.concat(list(values.values()), pd.Index(list(values), name=VALUE), join="exact")
    result = joined[list(_BY_VALUE)]
    result = result.assign(_families(joined)).assign(_similarity(joined)).assign(_transfer(joined))
    result = result.assign(_one_way(joined, high_resource))
    if distances is not None:
        found = relations(result["similarity_corrected"], distances, shares, permutations=permutations, seed=seed)
        result = result.merge(found, join="exact")
    return result


def _families(joined: xr.Dataset) -> dict[str, xr.DataArray]:
    """Family-wise p-values and what could have been detected."""
    highest = {str(name): joined["null_highest"].sel({FAMILY: name}).values for name in joined[FAMILY].values}
    own = joined[SOURCE] == joined[TARGET]
    by_layer, chosen = joined["accuracy_score"], joined["transfer_accuracy_score"]

    def corrected(scores: xr.DataArray, kind: str) -> xr.DataArray:
        within, across = (
            scores.copy(data=family_p(scores.values, highest[f"{who} {kind}"])) for who in ("own", "other")
        )
        return within.where(own, across)

    transfer = corrected(chosen, "chosen")
    detectable = detectable_accuracy(
        joined["null_quantile"].values, joined["n_tested"].values, joined["null_deviation"].values
    )
    threshold = family_threshold(highest["own chosen"])
    critical = joined["null_mean"] + threshold * joined["null_deviation"]
    in_family = detectable_accuracy(critical.values, joined["n_tested"].values, joined["null_deviation"].values)
    return {
        "accuracy_p_family": corrected(by_layer, "layer"),
        "transfer_accuracy_p_family": transfer,
        "recognition_p": _own(joined["transfer_accuracy_p"]),
        "recognition_p_family": _own(transfer),
        "detectable_accuracy": critical.copy(data=detectable),
        "detectable_accuracy_family": critical.copy(data=in_family),
    }


def _own(table: xr.DataArray) -> xr.DataArray:
    codes = xr.DataArray(table[SOURCE].values, dims=LANGUAGE, coords={LANGUAGE: table[SOURCE].values})
    return table.sel({SOURCE: codes, TARGET: codes}).drop_vars([SOURCE, TARGET])


def _similarity(joined: xr.Dataset) -> dict[str, xr.DataArray]:
    mean = joined["consistency"].mean(VALUE)
    replicates = joined["consistency_replicates"].mean(VALUE)
    low, high = percentile_interval(replicates.transpose(REPLICATE, *PAIR).values.astype(np.float64))
    different = joined[SOURCE] != joined[TARGET]
    return {
        "similarity_corrected": mean,
        "similarity_corrected_low": mean.copy(data=low),
        "similarity_corrected_high": mean.copy(data=high),
        "similarity_corrected_values": joined["consistency"].count(VALUE),
        "similarity_corrected_replicates": replicates,
        "consistency_curve": joined["consistency_by_layer"].where(different).mean(PAIR),
    }


def _transfer(joined: xr.Dataset) -> dict[str, xr.DataArray]:
    """Excess, as a deviation from what one common direction makes, and its split."""
    expected = joined["excess_null"].mean(REPLICATE)
    excess = (joined["excess"] - expected).mean(VALUE).transpose(*PAIR)
    replicates = (joined["excess_replicates"] - expected).mean(VALUE).transpose(REPLICATE, *PAIR)
    low, high = percentile_interval(replicates.values.astype(np.float64))
    split = split_asymmetry(excess.values)
    gains = joined["transfer_gain_replicates"].mean(VALUE).transpose(REPLICATE, *PAIR)
    gain_low, gain_high = percentile_interval(gains.values.astype(np.float64))
    # No sample differs where both vectors are always right: that is no interval of width zero.
    varies = gain_high > gain_low
    potentials = np.array([split_asymmetry(each).potential for each in replicates.values.astype(np.float64)])
    potential_low, potential_high = percentile_interval(potentials)
    by_language = joined["n_tested"].isel({VALUE: 0}, drop=True)
    return {
        "transfer_gain_low": excess.copy(data=np.where(varies, gain_low, np.nan)),
        "transfer_gain_high": excess.copy(data=np.where(varies, gain_high, np.nan)),
        "transfer_gain_replicates": gains,
        "transfer_excess": excess,
        "transfer_excess_low": excess.copy(data=low),
        "transfer_excess_high": excess.copy(data=high),
        "transfer_excess_replicates": replicates,
        "transfer_asymmetry": excess.copy(data=split.asymmetry),
        "transfer_cyclic": excess.copy(data=split.cyclic),
        "transfer_potential": by_language.copy(data=split.potential),
        "transfer_potential_low": by_language.copy(data=potential_low),
        "transfer_potential_high": by_language.copy(data=potential_high),
        "transfer_potential_share": xr.DataArray(split.share),
    }


def _one_way(joined: xr.Dataset, high_resource: Collection[str]) -> xr.Dataset:
    """Test of one-way transfer on the mean over values."""
    high = np.isin(joined[SOURCE].values.astype(str), sorted(high_resource))
    observed = average(joined["excess"].transpose(VALUE, *PAIR).values)
    null = average(joined["excess_null"].transpose(VALUE, REPLICATE, *PAIR).values.astype(np.float64))
    found = one_way(observed, null, high)
    drawn = average(joined["excess_replicates"].transpose(VALUE, REPLICATE, *PAIR).values.astype(np.float64))
    centred = drawn - average(null)
    blocks = (np.outer(high, ~high), np.outer(~high, high))
    low, high_end = np.transpose([percentile_interval(average(centred[:, block].T)) for block in blocks])
    undefined = [np.nan]
    return xr.Dataset(
        {
            "one_way_excess": (WAY, [found.high_to_low, found.low_to_high, *undefined]),
            "one_way_excess_low": (WAY, [*low, *undefined]),
            "one_way_excess_high": (WAY, [*high_end, *undefined]),
            "one_way_excess_p": (WAY, list(found.p)),
            "one_way_claimed": (
                (),
                found.claimed(),
                {"high_resource": " ".join(joined[SOURCE].values[high].astype(str))},
            ),
        },
        coords={WAY: list(WAYS)},
    )

"""Do languages that are closer share more? Similarity on linguistic distances and on pre-training shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import stats

from polyethos.analysis.dyadic import Dyads, double_semi_partialling, fit, jackknife
from polyethos.arrays import LANGUAGE, SOURCE, TARGET, require_dims
from polyethos.errors import DataError, LabelMismatchError

Array = NDArray[np.float64]

TERMS = ("distance", "share", "distance x share")
DISTANCE, TERM = "distance", "term"

_LEAST_LANGUAGES = 5


def relations(
    similarity: xr.DataArray,
    distances: xr.DataArray,
    shares: xr.DataArray | None = None,
    *,
    permutations: int = 2000,
    seed: int = 0,
) -> xr.Dataset:
    """Regression of similarity on linguistic distance, pre-training share and their interaction.

    Unordered pairs, every distance kind by itself and all jointly; a pair that lacks the similarity, the distance or a
    share is left out, never filled. Predictors are standardised, so that an effect is the change in cosine per standard
    deviation. "Distorted by resources" is the interaction: distance then matters more, or less, among languages with
    much text. p-values permute whole languages, intervals leave them out one by one. With 12 to 16 languages the power
    is low: `relation_detectable` is the effect that would be found in 4 of 5 such studies.

    Args:
        similarity: noise-corrected (source, target), NaN where undefined.
        distances: (distance, source, target), NaN where missing.
        shares: pre-training share of each language, (language,), in any unit; NaN where unknown.
        permutations: of the languages.
        seed: of the permutations.

    Returns:
        `relation` (distance, term) with `_low`, `_high`, `_p`; `relation_detectable` (distance, term);
        `relation_pairs` (distance); `joint_relation` (predictor) with the same suffixes, `joint_relation_detectable`
        (predictor) and `joint_relation_pairs`. NaN where fewer than five languages have everything or the pairs are
        fewer than the languages and three per predictor, and for a predictor that does not vary: without different
        shares, only distance is left.

    Raises:
        LabelMismatchError: a language of `similarity` is not in `distances` or `shares`.
        DataError: a share is not above 0.
    """
    require_dims(similarity, SOURCE, TARGET, name="similarity")
    codes = [str(code) for code in similarity[SOURCE].values]
    response = similarity.transpose(SOURCE, TARGET).sel({TARGET: codes}).values.astype(np.float64)
    known = _selected(distances, codes)
    share = None if shares is None else _log_share(shares, codes)
    kinds = [str(kind) for kind in known[DISTANCE].values]
    tables = [_one_kind(response, known.values[k], share, permutations, seed) for k in range(len(kinds))]
    joint, names = _jointly(response, known.values, kinds, share, permutations, seed)
    variables: dict[str, tuple[Sequence[str], Array | int]] = {
        "relation_pairs": ((DISTANCE,), np.array([float(table.n_pairs) for table in tables])),
        "joint_relation_pairs": ((), joint.n_pairs),
    }
    for suffix in ("", "_low", "_high", "_p", "_detectable"):
        field = suffix.removeprefix("_") or "effect"
        padded = [_padded(getattr(table, field)) for table in tables]
        variables[f"relation{suffix}"] = ((DISTANCE, TERM), np.stack(padded))
        variables[f"joint_relation{suffix}"] = (("predictor",), getattr(joint, field))
    return xr.Dataset(variables, coords={DISTANCE: kinds, TERM: list(TERMS), "predictor": names})


@dataclass(frozen=True)
class _Table:
    """One regression, a number per predictor."""

    effect: Array
    low: Array
    high: Array
    p: Array
    detectable: Array
    n_pairs: int


def _one_kind(response: Array, distance: Array, share: Array | None, permutations: int, seed: int) -> _Table:
    usable = np.isfinite(response) & np.isfinite(distance)
    if share is None or not _varies(share, usable & np.isfinite(share)):
        return _regress(response, [_standardised(distance, usable)], permutations, seed)
    usable &= np.isfinite(share)
    first, second = _standardised(distance, usable), _standardised(share, usable)
    return _regress(response, [first, second, _standardised(first * second, usable)], permutations, seed)


def _jointly(
    response: Array, distances: Array, kinds: list[str], share: Array | None, permutations: int, seed: int
) -> tuple[_Table, list[str]]:
    tables, names = list(distances), list(kinds)
    if share is not None:
        tables, names = [*tables, share], [*names, "share"]
    usable = np.isfinite(response) & np.isfinite(tables).all(axis=0)
    # A predictor that is the same for all pairs explains nothing, and its rounding errors would pass for a pattern.
    telling = [k for k, table in enumerate(tables) if _varies(table, usable)]
    found = _regress(response, [_standardised(tables[k], usable) for k in telling], permutations, seed)
    return _spread(found, telling, len(tables)), names


def _regress(response: Array, predictors: list[Array], permutations: int, seed: int) -> _Table:
    if not predictors:
        nothing = np.empty(0)
        return _Table(nothing, nothing, nothing, nothing, nothing, 0)
    dyads = Dyads(response, np.stack(predictors))
    rows, columns = dyads.complete()
    n = len(np.union1d(rows, columns))
    undefined = np.full(len(predictors), np.nan)
    # With fewer pairs, languages and predictors together fit anything, and permuted effects are rounding errors.
    if n < _LEAST_LANGUAGES or len(rows) < n + 3 * len(predictors):
        return _Table(undefined, undefined, undefined, undefined, undefined, len(rows))
    dyads = _only(dyads, np.union1d(rows, columns))
    effects = fit(dyads).effects[1:]
    left_out = jackknife(dyads)[:, 1:]
    error = np.sqrt((n - 1) / n * np.sum((left_out - left_out.mean(axis=0)) ** 2, axis=0))
    half = stats.t.ppf(0.975, n - 2) * error
    tests = [
        double_semi_partialling(dyads, k, permutations=permutations, seed=seed + k) for k in range(len(predictors))
    ]
    p, spread = np.array(tests).T
    # Found with probability 0.8 at the 0.05 level, two-sided.
    detectable = (stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) * spread
    return _Table(effects, effects - half, effects + half, p, detectable, len(rows))


def _spread(table: _Table, places: list[int], size: int) -> _Table:
    """The numbers of some predictors among those of all, NaN for the others."""

    def placed(numbers: Array) -> Array:
        among = np.full(size, np.nan)
        among[places] = numbers
        return among

    columns = (placed(numbers) for numbers in (table.effect, table.low, table.high, table.p, table.detectable))
    effect, low, high, p, detectable = columns
    return _Table(effect, low, high, p, detectable, table.n_pairs)


def _varies(table: Array, usable: NDArray[np.bool_]) -> bool:
    """Whether the pairs that are used differ in it by more than rounding."""
    used = table[np.triu(usable, 1)]
    return bool(used.size and np.ptp(used) > 1e-9 * np.abs(used).max())


def _only(dyads: Dyads, kept: NDArray[np.int64]) -> Dyads:
    return Dyads(dyads.response[np.ix_(kept, kept)], dyads.predictors[:, kept[:, None], kept])


def _standardised(table: Array, usable: NDArray[np.bool_]) -> Array:
    """Mean 0 and deviation 1 over the pairs that are used; NaN where they do not differ, since nothing follows then."""
    pairs = np.triu(usable, 1)
    if not _varies(table, usable):
        return np.full_like(table, np.nan)
    return np.where(usable, (table - table[pairs].mean()) / table[pairs].std(), np.nan)


def _padded(values: Array) -> Array:
    return np.concatenate([values, np.full(len(TERMS) - len(values), np.nan)])


def _selected(distances: xr.DataArray, codes: list[str]) -> xr.DataArray:
    require_dims(distances, DISTANCE, SOURCE, TARGET, name="distances")
    missing = [code for code in codes if code not in distances[SOURCE].values or code not in distances[TARGET].values]
    if missing:
        raise LabelMismatchError(f"distances: no row or column for {missing}; give NaN where a distance is unknown")
    return distances.transpose(DISTANCE, SOURCE, TARGET).sel({SOURCE: codes, TARGET: codes}).astype(np.float64)


def _log_share(shares: xr.DataArray, codes: list[str]) -> Array:
    """Mean log share of each pair, (language, language)."""
    require_dims(shares, LANGUAGE, name="shares")
    missing = [code for code in codes if code not in shares[LANGUAGE].values]
    if missing:
        raise LabelMismatchError(f"shares: none for {missing}; give NaN where a share is not published")
    values = shares.sel({LANGUAGE: codes}).values.astype(np.float64)
    for code, value in zip(codes, values, strict=True):
        if value <= 0:
            raise DataError(f"shares: {value} for {code!r}; a share must be above 0, or NaN where it is not published")
    logs = np.log(values)
    return np.asarray((logs[:, None] + logs) / 2)

"""A simple, stated model of what a mixture does to a language: linear in a few logarithms, the run as the unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]

FEATURES = ("language_tokens", "tokens", "largest", "effective", "n_languages", "parameters")
"""What a forecast is made from; the ones that no run varies are left out."""

_LOGARITHMIC = ("language_tokens", "tokens", "parameters", "share")
_RIDGE = 1e-3
_FAR = 3.0
# Accuracies live between chance and 1; counts of 32 pairs cannot tell the outermost 2 % apart.
_ACCURACIES = ("verdict_accuracy", "recognition", "transfer_accuracy")
_EDGE = 0.02
_REPLICATES = 500


@dataclass(frozen=True)
class Expected:
    """What to expect of a new run, per row asked for.

    Attributes:
        value: the expectation; NaN where the evidence is too far away.
        low, high: 95 % interval for a new run: the fit's own uncertainty (bootstrap over runs) and what runs and
            languages differ by beside it. NaN where there are too few runs for one.
        distance: leverage of the row over the largest leverage among the evidence; above 1 it lies outside.
    """

    value: Array
    low: Array
    high: Array
    distance: Array


class Fit:
    """A linear model of one outcome, on the logit scale for accuracies and the logarithmic for losses."""

    def __init__(self, table: pd.DataFrame, outcome: str, *, unit: str, features: Sequence[str], seed: int = 0) -> None:
        """Fit it to the rows that have the outcome.

        Args:
            table: a row per unit and language.
            outcome: column to explain.
            unit: column that names what is independent: the run, or the model.
            features: columns to explain it with.
            seed: of the bootstrap.
        """
        known = table[np.isfinite(table[outcome].astype(float))]
        self.features = tuple(name for name in features if known[name].nunique() > 1)
        self.outcome, self._unit, self._seed = outcome, unit, seed
        rows = _columns(known, self.features)
        self._centre, self._scale = rows.mean(axis=0), rows.std(axis=0)
        self._design = self._standardised(rows)
        self._observed = _link(known[outcome].to_numpy(dtype=float), outcome)
        self._units = known[unit].to_numpy()
        self._weights = _solve(self._design, self._observed)
        self._gram = np.linalg.inv(self._design.T @ self._design + _RIDGE * np.eye(self._design.shape[1]))
        self._leverage = float(np.einsum("ij,jk,ik->i", self._design, self._gram, self._design).max())

    @property
    def n_units(self) -> int:
        """Independent runs or models behind the fit."""
        return len(np.unique(self._units))

    def expect(self, table: pd.DataFrame) -> Expected:
        """What to expect of rows with these features, see `Expected`."""
        design = self._standardised(_columns(table, self.features))
        distance = np.einsum("ij,jk,ik->i", design, self._gram, design) / self._leverage
        value = design @ self._weights
        low = high = np.full(len(value), np.nan)
        if self.n_units > self._design.shape[1]:
            drawn = self._replicates(design)
            low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
        shown = [np.where(distance <= _FAR, _unlink(each, self.outcome), np.nan) for each in (value, low, high)]
        return Expected(shown[0], shown[1], shown[2], distance)

    def error(self, groups: pd.Series[str]) -> tuple[float, float]:
        """Mean absolute error on groups of rows left out in turn, and that of always expecting the mean.

        Args:
            groups: group of every row of the table that was fitted, in its order.
        """
        labels = groups.to_numpy()
        truth = _unlink(self._observed, self.outcome)
        ours, plain = np.empty(len(truth)), np.empty(len(truth))
        for label in np.unique(labels):
            out = labels == label
            weights = _solve(self._design[~out], self._observed[~out])
            ours[out] = _unlink(self._design[out] @ weights, self.outcome)
            plain[out] = _unlink(np.full(out.sum(), self._observed[~out].mean()), self.outcome)
        return float(np.abs(ours - truth).mean()), float(np.abs(plain - truth).mean())

    def _replicates(self, design: Array) -> Array:
        """Bootstrapped expectations plus a residual each: (replicate, row)."""
        generator = np.random.default_rng(self._seed)
        names = np.unique(self._units)
        places = [np.flatnonzero(self._units == name) for name in names]
        residuals = self._observed - self._design @ self._weights
        drawn = np.empty((_REPLICATES, len(design)))
        for replicate in range(_REPLICATES):
            chosen = np.concatenate([places[k] for k in generator.integers(len(names), size=len(names))])
            weights = _solve(self._design[chosen], self._observed[chosen])
            drawn[replicate] = design @ weights + generator.choice(residuals, len(design))
        return drawn

    def _standardised(self, rows: Array) -> Array:
        return np.column_stack([np.ones(len(rows)), (rows - self._centre) / self._scale])


def _columns(table: pd.DataFrame, features: Sequence[str]) -> Array:
    columns = [table[name].to_numpy(dtype=float) for name in features]
    logs = [np.log2(column) if name in _LOGARITHMIC else column for name, column in zip(features, columns, strict=True)]
    return np.column_stack(logs) if logs else np.empty((len(table), 0))


def _solve(design: Array, observed: Array) -> Array:
    penalty = _RIDGE * np.eye(design.shape[1])
    penalty[0, 0] = 0
    return np.asarray(np.linalg.solve(design.T @ design + penalty, design.T @ observed))


def _link(values: Array, outcome: str) -> Array:
    if outcome in _ACCURACIES:
        share = np.clip(2 * values - 1, _EDGE, 1 - _EDGE)
        return np.asarray(np.log(share / (1 - share)))
    return np.log(values) if outcome == "loss" else values


def _unlink(values: Array, outcome: str) -> Array:
    if outcome in _ACCURACIES:
        return np.asarray(0.5 + 0.5 / (1 + np.exp(-values)))
    if outcome == "loss":
        return np.asarray(np.exp(values))
    return np.clip(values, -1, 1) if outcome == "consistency" else values

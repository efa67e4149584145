"""What advice rests on: the runs of sweeps, and studies of real models with their shares of pre-training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from polyethos.arrays import LANGUAGE, SOURCE, TARGET, VALUE, read_dataset
from polyethos.errors import DataFormatError, LabError

OUTCOMES = ("loss", "verdict_accuracy", "recognition", "consistency", "transfer", "control")
STUDY_OUTCOMES = ("recognition", "consistency", "transfer_accuracy")

_RESULTS = "sweep.nc"
_NEEDED = ("share", "language_tokens", "experiment", "condition", "level", "size", "parameters", "seed", "tokens")


@dataclass(frozen=True)
class Study:
    """A finished study of a real model, and what it was trained on.

    Attributes:
        name: of the model.
        results: of the run, see `docs/run-folder.md`.
        shares: share of pre-training per language, as fractions; languages whose share is not known are left out.
        source: where the shares are from.
    """

    name: str
    results: xr.Dataset
    shares: Mapping[str, float]
    source: str


def bundled_sweep() -> xr.Dataset:
    """The sweep that comes with the package, see `docs/lab.md`."""
    return read_sweep(Path(str(resources.files("polyethos.lab"))) / "bundled_sweep" / _RESULTS)


def read_sweep(path: Path) -> xr.Dataset:
    """The results of a sweep.

    Args:
        path: the sweep's folder, or its `sweep.nc`.

    Raises:
        DataFormatError: it is neither.
    """
    file = path / _RESULTS if path.is_dir() else path
    results, _ = read_dataset(file)
    if missing := [name for name in _NEEDED if name not in results.variables]:
        raise DataFormatError(f"{file}: not the results of a sweep (no {missing[0]!r}); give a sweep's folder")
    return results


def joined(sweeps: Sequence[xr.Dataset]) -> xr.Dataset:
    """All runs of several sweeps in one data set, NaN where a sweep lacks a language or an outcome.

    Raises:
        LabError: there is no sweep.
    """
    if not sweeps:
        raise LabError("no sweep to take evidence from; name one, or leave --sweep out for the bundled one")
    if len(sweeps) == 1:
        return sweeps[0]
    named = [
        one.assign_coords(run=[f"sweep-{number}/{name}" for name in one["run"].values])
        for number, one in enumerate(sweeps, 1)
    ]
    return xr.concat(named, "run", join="outer", combine_attrs="drop", data_vars="all")


def lab_table(results: xr.Dataset) -> pd.DataFrame:
    """A row per training run and language: what the run was, what came out.

    A training that belongs to two experiments comes once. Beside the variables of the sweep there are `largest` (the
    mixture's largest share), `effective` (exponential of the shares' entropy: how many equal languages would be as
    balanced) and `n_languages`.
    """
    shares = results["share"].fillna(0.0).values
    keys = zip(
        results["size"].values.tolist(),
        results["seed"].values.tolist(),
        results["tokens"].values.tolist(),
        map(tuple, shares.round(6).tolist()),
        strict=True,
    )
    first = {key: place for place, key in reversed(list(enumerate(keys)))}
    chosen = results.isel(run=sorted(first.values()))
    mixtures = chosen["share"].fillna(0.0).values
    described = chosen.assign_coords(
        largest=("run", mixtures.max(axis=-1)),
        effective=("run", effective_number(mixtures)),
        n_languages=("run", (mixtures > 0).sum(axis=-1).astype(float)),
    )
    table = described.to_dataframe().reset_index()
    return table[table["share"] > 0].reset_index(drop=True)


def study_table(studies: Sequence[Study]) -> pd.DataFrame:
    """A row per model and language: share of pre-training, and what its study found.

    Returns:
        Columns model, language, share, `recognition`, `consistency` (similarity with the other languages, corrected for
        noise where the study is) and `transfer_accuracy` (of the other languages' directions on this language's pairs).

    Raises:
        LabError: a study shares no language with its shares.
    """
    rows = []
    for study in studies:
        found = _of_study(study.results)
        common = [code for code in found.index if study.shares.get(code, 0) > 0]
        if not common:
            raise LabError(
                f"{study.name}: none of its languages has a known share of pre-training; give --study RUN@SHARES"
            )
        kept = found.loc[common].reset_index(names=LANGUAGE)
        rows.append(kept.assign(model=study.name, share=[study.shares[code] for code in common]))
    return pd.concat(rows, ignore_index=True)


def _of_study(results: xr.Dataset) -> pd.DataFrame:
    codes = [str(code) for code in results[LANGUAGE if LANGUAGE in results.coords else SOURCE].values]
    columns: dict[str, xr.DataArray] = {}
    if "recognition" in results:
        columns["recognition"] = results["recognition"].mean(VALUE)
    for name in ("similarity_corrected", "similarity"):
        if name in results and "consistency" not in columns:
            columns["consistency"] = _away(results[name])
    if "transfer_accuracy" in results:
        columns["transfer_accuracy"] = _away(results["transfer_accuracy"].mean(VALUE))
    table = pd.DataFrame({name: column.values for name, column in columns.items()}, index=pd.Index(codes))
    return table.reindex(columns=list(STUDY_OUTCOMES))


def _away(table: xr.DataArray) -> xr.DataArray:
    """Mean over the sources other than the target: (target,)."""
    return table.where(table[SOURCE] != table[TARGET]).mean(SOURCE)


def effective_number(shares: np.ndarray) -> np.ndarray:
    """Exponential of the entropy along the last axis: as many equal shares would be as balanced."""
    logs = np.log(np.where(shares > 0, shares, 1.0))
    return np.asarray(np.exp(-(shares * logs).sum(axis=-1)))

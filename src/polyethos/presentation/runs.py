"""Results of several models: one data set per model, and a name for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import xarray as xr

from polyethos.arrays import LANGUAGE, LAYER, SOURCE, TARGET
from polyethos.presentation.labels import model_name

MODEL = "model"


def by_model(results: xr.Dataset) -> list[xr.Dataset]:
    """One data set per model; results without a dimension `model` are those of one model.

    Layers and languages that only other models have are left out.
    """
    if MODEL not in results.dims:
        return [results]
    return [_one(results, str(name)) for name in results[MODEL].values]


def together(runs: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Results of several models along a dimension `model`; layers and languages that one lacks are NaN there.

    Attributes in which the models differ become coordinates along `model`.

    Args:
        runs: by the name of the model.
    """
    joined = xr.concat(
        list(runs.values()), dim=pd.Index(list(runs), name=MODEL), join="outer", combine_attrs="drop_conflicts"
    )
    keys = {str(key) for run in runs.values() for key in run.attrs} - {str(key) for key in joined.attrs} - {MODEL}
    texts = {key: (MODEL, [str(run.attrs.get(key, "")) for run in runs.values()]) for key in sorted(keys)}
    return joined.assign_coords(texts)


def _one(results: xr.Dataset, name: str) -> xr.Dataset:
    one = results.sel({MODEL: name})
    own = {str(key): str(coord.item()) for key, coord in one.coords.items() if coord.ndim == 0}
    return _trimmed(one.drop_vars(list(own)).assign_attrs(own | {MODEL: name}))


def page_title(runs: Sequence[xr.Dataset]) -> str:
    """What a page about these runs is about: a model, in how many protocols, or how many models."""
    models = {model_name(run) for run in runs}
    if len(models) > 1:
        return f"{len(models)} models"
    protocols = len({str(run.attrs.get("protocol", "")) for run in runs})
    several = f", {len(runs)} runs" if len(runs) > 1 else ""
    return model_name(runs[0]) + (", two protocols" if protocols == 2 else several)


def run_names(runs: Sequence[xr.Dataset]) -> list[str]:
    """A name per run: the model's, with the protocol and then a number where models alone do not tell runs apart."""
    models = [model_name(run) for run in runs]
    names = [
        name if models.count(name) == 1 else f"{name} ({run.attrs.get('protocol', 'run')})"
        for name, run in zip(models, runs, strict=True)
    ]
    return [name if names.count(name) == 1 else f"{name} #{names[: i + 1].count(name)}" for i, name in enumerate(names)]


def _trimmed(results: xr.Dataset) -> xr.Dataset:
    for dim in (LAYER, LANGUAGE, SOURCE, TARGET):
        if dim in results.dims:
            results = results.isel({dim: _measured(results, dim)})
    return results


def _measured(results: xr.Dataset, dim: str) -> list[int]:
    positions: set[int] = set()
    for array in results.data_vars.values():
        if dim in array.dims and array.dtype.kind == "f":
            present = array.notnull().any([other for other in array.dims if other != dim])
            positions |= {int(at) for at in present.values.nonzero()[0]}
    return sorted(positions)

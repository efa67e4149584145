"""Dimension names, exact alignment, reading and writing labelled results with their provenance."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import xarray as xr

from polyethos.errors import DataFormatError, LabelMismatchError
from polyethos.files import whole_file

VALUE, LANGUAGE, SOURCE, TARGET = "value", "language", "source", "target"
LAYER, ITEM, POLARITY, HIDDEN, FOLD = "layer", "item", "polarity", "hidden", "fold"
POSITIVE, NEGATIVE = "positive", "negative"

Labelled = TypeVar("Labelled", xr.DataArray, xr.Dataset)


def require_dims(array: xr.DataArray, *dims: str, name: str) -> None:
    """Check that `array` has exactly the dimensions `dims`, in any order.

    Raises:
        LabelMismatchError: a dimension is missing or one too many.
    """
    if set(array.dims) != set(dims):
        raise LabelMismatchError(f"{name} has dimensions {tuple(array.dims)}; expected {dims}")


def align_exactly(*arrays: Labelled) -> tuple[Labelled, ...]:
    """Give the arrays back unchanged once every coordinate they share is equal, in the same order.

    xarray joins on the intersection by default, so an unmatched language would vanish without a word.

    Raises:
        LabelMismatchError: a shared coordinate differs; the message names the labels on one side only.
    """
    first: dict[Hashable, list[Any]] = {}
    for array in arrays:
        for dim in array.dims:
            labels = array.indexes[dim].tolist() if dim in array.indexes else list(range(array.sizes[dim]))
            if first.setdefault(dim, labels) != labels:
                raise LabelMismatchError(_difference(dim, first[dim], labels))
    return arrays


def _difference(dim: Hashable, expected: list[Any], found: list[Any]) -> str:
    missing, extra = [x for x in expected if x not in found], [x for x in found if x not in expected]
    if not missing and not extra:
        return f"{dim}: the same labels in another order ({expected[:5]} ... and {found[:5]} ...); reindex one of them"
    return f"{dim}: only in the first: {missing or 'none'}; only in the second: {extra or 'none'}"


def write_dataset(path: Path, dataset: xr.Dataset, provenance: Mapping[str, Any]) -> None:
    """Write `dataset` as NetCDF, whole or not at all, with `provenance` as JSON in its attribute `provenance`."""
    stamped = dataset.assign_attrs(provenance=json.dumps(dict(provenance), ensure_ascii=False))
    encoding = {
        name: {"zlib": True, "complevel": 4}
        for name, variable in stamped.variables.items()
        if variable.dtype.kind in "fiub" and variable.ndim > 0
    }
    with whole_file(path) as temporary:
        stamped.to_netcdf(temporary, engine="h5netcdf", encoding=encoding)


def read_dataset(path: Path) -> tuple[xr.Dataset, dict[str, Any]]:
    """Read what `write_dataset` wrote.

    Returns:
        The dataset, loaded in memory, and its provenance.

    Raises:
        DataFormatError: the file is missing, broken, or not one of ours.
    """
    try:
        with xr.open_dataset(path, engine="h5netcdf") as opened:
            dataset = opened.load()
    except (OSError, ValueError, KeyError) as error:
        raise DataFormatError(f"{path}: not a readable NetCDF file ({error})") from error
    if "provenance" not in dataset.attrs:
        raise DataFormatError(f"{path}: no attribute 'provenance'; expected a file written by polyethos")
    return dataset, json.loads(dataset.attrs["provenance"])


def as_float32(array: xr.DataArray) -> xr.DataArray:
    """A float32 copy of `array`, or `array` itself where it is float32 already."""
    return array if array.dtype == np.float32 else array.astype(np.float32)

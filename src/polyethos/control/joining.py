"""Putting tables of a control experiment together, whose conditions and items differ from value to value."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import xarray as xr

_DESCRIBED = {"condition": ("family", "operator", "dose"), "item": ("group",)}


def along(tables: Sequence[xr.Dataset], dim: str, labels: Sequence[Any]) -> xr.Dataset:
    """The tables one after the other along a new dimension; what one of them lacks is NaN.

    Labels stand in the order of their first appearance. Conditions and items keep their descriptions (`family`,
    `operator` and `dose`, and `group`), which xarray would lose where only some tables have them.
    """
    # An index made by pandas would have its own type of text, which xarray cannot join with numpy's.
    joined = xr.concat(
        [without_descriptions(table) for table in tables],
        dim,
        join="outer",
        coords="minimal",
        compat="override",
        combine_attrs="drop_conflicts",
    )
    return with_descriptions(_in_order(joined, tables).assign_coords({dim: list(labels)}), tables)


def merged(tables: Sequence[xr.Dataset], described: Sequence[xr.Dataset] = ()) -> xr.Dataset:
    """The variables of all tables in one, descriptions as in `along`; what one of them lacks is NaN.

    Args:
        tables: with variables that differ, or that have numbers in different places.
        described: further tables that know descriptions.
    """
    joined = xr.merge(
        [without_descriptions(table) for table in tables],
        join="outer",
        compat="no_conflicts",
        combine_attrs="drop_conflicts",
    )
    return with_descriptions(_in_order(joined, tables), [*tables, *described])


def _in_order(joined: xr.Dataset, tables: Sequence[xr.Dataset]) -> xr.Dataset:
    """Labels in the order of their first appearance; an outer join sorts them."""
    orders: dict[Hashable, dict[Any, None]] = {}
    for table in tables:
        for dim, index in table.indexes.items():
            orders.setdefault(dim, {}).update(dict.fromkeys(index.tolist()))
    return joined.reindex({dim: list(order) for dim, order in orders.items() if dim in joined.dims})


def without_descriptions(table: xr.Dataset) -> xr.Dataset:
    """The table without what describes its conditions and items."""
    return table.drop_vars([name for names in _DESCRIBED.values() for name in names], errors="ignore")


def with_descriptions(table: xr.Dataset, sources: Sequence[xr.Dataset]) -> xr.Dataset:
    """The table with the descriptions that the sources hold, in the order of first appearance there."""
    for dim, names in _DESCRIBED.items():
        if dim not in table.dims:
            continue
        found: dict[str, tuple[Any, ...]] = {}
        for source in sources:
            if dim in source.dims and names[0] in source.coords:
                columns = [source[name].values.tolist() for name in names]
                for label, *described in zip(source[dim].values.tolist(), *columns, strict=True):
                    found.setdefault(label, tuple(described))
        if found:
            table = table.reindex({dim: list(found)})
            columns = [np.array(column) for column in zip(*found.values(), strict=True)]
            table = table.assign_coords({name: (dim, column) for name, column in zip(names, columns, strict=True)})
    return table

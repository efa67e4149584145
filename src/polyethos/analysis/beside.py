"""The published protocol's numbers beside the corrected ones, in one set of results.

A corrected run also computes what the published method makes of the very same activations. Its variables stand in the
same results with `paper_` in front of their names.
"""

from __future__ import annotations

import xarray as xr

PREFIX = "paper_"

# Dimensions whose labels differ between the protocols: URIEL+ has other kinds of distance than the paper.
_OWN_DIMENSIONS = ("distance",)


def beside(published: xr.Dataset) -> xr.Dataset:
    """Results of the published protocol under names that can stand beside others.

    Args:
        published: from `published.measure_blocks` or `published_summary.summarise`.

    Returns:
        The same with `paper_` before the name of every variable and attribute, and of the dimension `distance`.
    """
    names = [*published.data_vars, *(dim for dim in _OWN_DIMENSIONS if dim in published.dims)]
    renamed = published.rename({name: f"{PREFIX}{name}" for name in names})
    renamed.attrs = {f"{PREFIX}{name}": value for name, value in published.attrs.items()}
    return renamed


def published_beside(results: xr.Dataset) -> xr.Dataset | None:
    """What `beside` put into `results`, as the published protocol would have returned it; None where nothing was."""
    names = [str(name) for name in results.data_vars if str(name).startswith(PREFIX)]
    if not names:
        return None
    found = results[names]
    renamed = [*names, *(f"{PREFIX}{dim}" for dim in _OWN_DIMENSIONS if f"{PREFIX}{dim}" in found.dims)]
    published = found.rename({name: name.removeprefix(PREFIX) for name in renamed})
    own = {name: value for name, value in results.attrs.items() if str(name).startswith(PREFIX)}
    published.attrs = {name: value for name, value in results.attrs.items() if name not in own}
    published.attrs |= {str(name).removeprefix(PREFIX): value for name, value in own.items()}
    published.attrs["protocol"] = "paper"
    return published


def without_published(results: xr.Dataset) -> xr.Dataset:
    """`results` without what `beside` put into them."""
    return results.drop_vars([name for name in results.variables if str(name).startswith(PREFIX)])

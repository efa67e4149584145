"""The table of how similarity goes with linguistic distance: tested changes beside plain correlations."""

from __future__ import annotations

import pandas as pd
import xarray as xr

from polyethos.analysis.resampling import holm

# Suffix of the variable `relation`, name of the column.
_RELATION = {"": "change", "_low": "low", "_high": "high", "_p": "p", "_detectable": "smallest_detectable"}


def linguistic_table(results: xr.Dataset) -> pd.DataFrame:
    """Relation of the similarity of directions with linguistic closeness: a row per kind of distance.

    Returns:
        Of a tested run `change` per standard deviation of distance, its interval, p, p corrected for the number of
        kinds, and the smallest change that would be found. Then Pearson r: `direct` over all pairs, `split` averaged
        over pairs with and without a high-resource language, and whatever other `linguistic_*` the results hold.
    """
    found = [str(name) for name in results.data_vars if str(name).startswith("linguistic_")]
    frame = results[found].to_dataframe()[found].rename(columns=lambda name: name.removeprefix("linguistic_"))
    names = {f"relation{end}": name for end, name in _RELATION.items() if f"relation{end}" in results}
    if "relation_p" not in results:
        return frame
    relation = results[list(names)].sel(term="distance").to_dataframe()[list(names)].rename(columns=names)
    known = relation["p"].notna()
    relation.insert(list(relation).index("p") + 1, "p_corrected", float("nan"))
    relation.loc[known, "p_corrected"] = holm(relation.loc[known, "p"].to_numpy(dtype=float))
    return relation.join(frame)

"""Tables with other conditions and items are put together without losing what describes them."""

import numpy as np
import xarray as xr

from polyethos.control.joining import along, merged


def table(conditions, items):
    return xr.Dataset(
        {"margin": (("condition", "item"), np.full((len(conditions), len(items)), float(len(items))))},
        coords={
            "condition": conditions,
            "family": ("condition", [f"family of {name}" for name in conditions]),
            "operator": ("condition", ["add"] * len(conditions)),
            "dose": ("condition", [1.0] * len(conditions)),
            "item": items,
            "group": ("item", [f"group of {name}" for name in items]),
        },
    )


def test_conditions_and_items_of_all_tables_stay_in_order_with_their_descriptions():
    joined = along([table(["z", "a"], ["x"]), table(["z", "m"], ["w", "v"])], "value", ["one", "two"])
    assert joined["condition"].values.tolist() == ["z", "a", "m"]
    assert joined["family"].values.tolist() == ["family of z", "family of a", "family of m"]
    assert joined["group"].values.tolist() == ["group of x", "group of w", "group of v"]
    assert joined["value"].values.tolist() == ["one", "two"]


def test_what_a_table_lacks_is_missing():
    joined = along([table(["z"], ["x"]), table(["m"], ["x"])], "value", ["one", "two"])["margin"]
    assert float(joined.sel(value="one", condition="z", item="x")) == 1.0
    assert np.isnan(joined.sel(value="one", condition="m", item="x"))


def test_variables_are_merged_and_described_by_further_tables():
    bare = xr.Dataset({"change": ("condition", [1.0, 2.0])}, coords={"condition": ["m", "z"]})
    joined = merged([bare], [table(["z", "m"], ["x"])])
    assert joined["change"].values.tolist() == [2.0, 1.0]
    assert joined["family"].values.tolist() == ["family of z", "family of m"]


def test_labels_stand_in_the_order_of_their_first_appearance():
    first = xr.Dataset({"rate": ("target", [1.0, 2.0])}, coords={"target": ["sw", "en"]})
    second = xr.Dataset({"effect": ("target", [3.0, 4.0])}, coords={"target": ["fi", "en"]})
    assert merged([first, second])["target"].values.tolist() == ["sw", "en", "fi"]
    assert merged([first, second])["effect"].sel(target="en") == 4.0

import numpy as np
import xarray as xr

from polyethos.analysis.beside import beside, published_beside, without_published


def published():
    """A few of the published protocol's numbers."""
    variables = {
        "recognition": (("value", "language"), [[0.9, 0.8]]),
        "linguistic_direct": ("distance", [0.1, 0.2]),
    }
    coords = {"value": ["morality"], "language": ["en", "fi"], "distance": ["genetic", "geographic"]}
    return xr.Dataset(variables, coords=coords, attrs={"languages": "en fi", "high_resource": "en"})


def corrected():
    variables = {"recognition": (("value", "language"), [[0.7, 0.6]]), "relation": ("distance", [0.3, 0.4, 0.5])}
    coords = {"value": ["morality"], "language": ["en", "fi"], "distance": ["genetic", "syntactic", "inventory"]}
    attrs = {"model": "tiny", "protocol": "corrected", "high_resource": "en fi"}
    return xr.Dataset(variables, coords=coords, attrs=attrs)


def together():
    standing = beside(published())
    return corrected().assign(standing).assign_attrs(corrected().attrs | standing.attrs)


def test_what_stands_beside_comes_back_as_it_was():
    found = published_beside(together())
    xr.testing.assert_equal(found, published())
    assert {name: found.attrs[name] for name in published().attrs} == published().attrs


def test_it_is_the_same_model_in_the_other_protocol():
    found = published_beside(together())
    assert (found.attrs["model"], found.attrs["protocol"]) == ("tiny", "paper")


def test_neither_protocol_changes_the_other():
    xr.testing.assert_identical(without_published(together())["recognition"], corrected()["recognition"])
    xr.testing.assert_identical(without_published(together())["distance"], corrected()["distance"])
    assert not [name for name in without_published(together()).variables if "paper" in str(name)]


def test_results_without_the_other_protocol_have_nothing_beside_them():
    assert published_beside(corrected()) is None


def test_nothing_of_the_published_results_is_lost_on_the_way():
    twice = published_beside(beside(published().assign(sign=("language", np.array([1, -1], dtype=np.int8)))))
    assert sorted(map(str, twice.data_vars)) == ["linguistic_direct", "recognition", "sign"]
    assert twice["sign"].dtype == np.int8

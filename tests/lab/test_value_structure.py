"""Recognition, consistency and transfer of planted directions."""

import numpy as np
import pytest
import xarray as xr

from polyethos.dataset.microworld import microworld_pairs
from polyethos.lab.value_structure import STRUCTURE, value_structure

CODES = ["en", "fi", "zh"]
HIDDEN = 12


def states_of(directions, *, noise=0.3, seed=0):
    """States of 32 pairs of one value whose paired differences are the language's direction plus noise."""
    pairs = microworld_pairs(languages=CODES, values=["morality"], items=32)
    items = list(dict.fromkeys(pair.item for pair in pairs))
    generator = np.random.default_rng(seed)
    differences = np.stack([np.asarray(d) + noise * generator.normal(size=(32, HIDDEN)) for d in directions])
    states = np.stack([differences / 2, -differences / 2], axis=2)[None, :, None]
    return pairs, xr.DataArray(
        states.astype(np.float32),
        dims=("value", "language", "layer", "item", "polarity", "hidden"),
        coords={
            "value": ["morality"],
            "language": CODES,
            "layer": [1],
            "item": items,
            "polarity": ["positive", "negative"],
        },
    )


def unit(place):
    return np.eye(HIDDEN)[place]


def structure_of(directions, **options):
    pairs, states = states_of(directions, **options)
    return value_structure(states, pairs)


def test_one_shared_direction_is_recognised_everywhere_and_wholly_consistent():
    found = structure_of([unit(0)] * 3)
    assert tuple(found) == STRUCTURE
    assert list(found["recognition"].values()) == [1, 1, 1]
    assert list(found["consistency"].values()) == pytest.approx([1, 1, 1], abs=0.05)
    # All 32 pairs rightly ranked: the probit of 32.5 / 33.
    assert list(found["transfer"].values()) == pytest.approx([2.17] * 3, rel=0.1)
    assert list(found["transfer_excess"].values()) == pytest.approx([0] * 3, abs=0.1)


def test_directions_at_right_angles_are_recognised_but_neither_consistent_nor_transferred():
    found = structure_of([unit(0), unit(1), unit(2)])
    assert list(found["recognition"].values()) == [1, 1, 1]
    assert list(found["consistency"].values()) == pytest.approx([0] * 3, abs=0.1)
    assert max(map(abs, found["transfer"].values())) < 0.8
    assert max(found["transfer_excess"].values()) < -1


def test_a_language_without_a_direction_counts_as_sharing_nothing_instead_of_dropping_out():
    found = structure_of([unit(0), unit(0), 0 * unit(0)])
    assert found["consistency_defined"] == {"en": 1, "fi": 1, "zh": 0}
    assert found["consistency"]["zh"] == 0
    assert found["consistency"]["en"] == pytest.approx(0.5, abs=0.05)
    assert 0.2 < found["recognition"]["zh"] < 0.8


def test_noise_does_not_lower_consistency_on_average():
    noisy = [structure_of([unit(0)] * 3, noise=0.7, seed=seed)["consistency"]["en"] for seed in range(20)]
    assert np.mean(noisy) == pytest.approx(1, abs=0.1)

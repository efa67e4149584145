"""Results of a real analysis of a study with any number of items, whose every text attacks the page that shows it."""

from pathlib import Path

import numpy as np
import xarray as xr
from results_by_hand import HOSTILE

from polyethos.dataset.pairs import ContrastPair, ContrastPairs
from polyethos.execution.shards import ShardStore, plan_shards
from polyethos.study.analysing import ValueData, analyse_value
from polyethos.study.combining import combine
from polyethos.study.definition import ModelChoice, Study

LONG_WORD = "w" * 5000
_LANGUAGES, _VALUES, _LAYERS, _HIDDEN = ("en", "zh", "ta", "sw"), ("morality", "toxicity"), 2, 4


def analysed(folder: Path, *, items: int) -> xr.Dataset:
    """Results of protocol "corrected" without its permutation tests.

    Only the reading by a model is left out: the differences of its states are random, with a little signal.
    """
    pairs = _hostile_pairs(items)
    study = Study(permutations=0)
    partials = [_one_value(folder, study, pairs, value) for value in _VALUES]
    results, _ = combine(study, ModelChoice(name="pocket-balanced"), partials)
    return results.assign_coords(value=[HOSTILE, LONG_WORD]).assign_attrs(model=HOSTILE, data=HOSTILE)


def _hostile_pairs(items: int) -> ContrastPairs:
    return ContrastPairs(
        HOSTILE,
        tuple(
            ContrastPair(
                f"{HOSTILE}{item}", value, code, f"\u202e{item} <b>", f"{LONG_WORD}{item}", group=f"</td>{item % 50}"
            )
            for value in _VALUES
            for code in _LANGUAGES
            for item in range(items)
        ),
    )


def _one_value(folder, study, pairs, value):
    store, draw = ShardStore(folder / value), np.random.default_rng(0)
    shards = plan_shards(pairs, value, pairs_per_shard=2000)
    for shard in shards:
        shape = (_LAYERS + 1, len(shard.pairs), _HIDDEN)
        store.write(shard, draw.normal(0.3, 1, shape).astype(np.float32), np.ones(_LAYERS + 1))
    data = ValueData(value, pairs, store, shards, _LAYERS, _HIDDEN)
    return analyse_value(study, data)

"""Paired differences on disk, as an extraction would leave them."""

import numpy as np

from polyethos.dataset.pairs import ContrastPair, ContrastPairs
from polyethos.execution.shards import ShardStore, plan_shards
from polyethos.study.analysing import ValueData

LANGUAGES = ("en", "fi", "sw")


def data_of(folder, *, items, layers, hidden, missing=(), group_size=2, pairs_per_shard=30):
    """Random paired differences with a little signal in shards; `missing` are (item number, language)."""
    pairs = tuple(
        ContrastPair(f"item-{k}", "morality", code, f"{code} {k} +", f"{code} {k} -", group=f"group-{k // group_size}")
        for code in LANGUAGES
        for k in range(items)
        if (k, code) not in missing
    )
    folder.mkdir(exist_ok=True)
    whole = ContrastPairs("test", pairs)
    shards, store = plan_shards(whole, "morality", pairs_per_shard=pairs_per_shard), ShardStore(folder)
    rng = np.random.default_rng(0)
    for shard in shards:
        shape = (layers + 1, len(shard.pairs), hidden)
        store.write(shard, rng.normal(0.1, 1, shape).astype(np.float32), np.arange(1.0, layers + 2))
    return ValueData("morality", whole, store, shards, layers, hidden)

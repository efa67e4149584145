import numpy as np
import pytest
import xarray as xr

from polyethos.dataset.pairs import ContrastPair, ContrastPairs
from polyethos.execution.reading import StoredDifferences
from polyethos.execution.shards import ShardStore, plan_shards


def pair(item, language, group=""):
    return ContrastPair(item, "morality", language, f"{language} {item} +", f"{language} {item} -", group=group)


@pytest.fixture
def stored(tmp_path):
    """Items a, b, c, d; Finnish lacks b. The difference of pair k at layer l is the constant 10 k + l."""
    of_item = {"a": ("en", "fi"), "b": ("en",), "c": ("en", "fi"), "d": ("en", "fi")}
    pairs = [pair(item, language, group="g" if item == "a" else "") for item in of_item for language in of_item[item]]
    shards = plan_shards(ContrastPairs("test", tuple(pairs)), "morality", pairs_per_shard=3)
    store, number = ShardStore(tmp_path), 0
    for shard in shards:
        size = len(shard.pairs)
        content = np.arange(number, number + size)[None, :, None] * 10 + np.arange(3)[:, None, None]
        store.write(shard, np.broadcast_to(content, (3, size, 4)).astype(np.float32), np.ones(3))
        number += size
    assert [len(shard.pairs) for shard in shards] == [3, 2, 2]
    return store, shards


def test_differences_come_back_at_their_language_layer_and_item(stored):
    found = StoredDifferences(*stored, ["fi", "en"]).read([0, 2])
    assert set(found.dims) == {"language", "layer", "item", "hidden"}
    assert found["layer"].values.tolist() == [1, 3]
    assert found.sel(language="en", layer=1, item="a").values.tolist() == [0.0] * 4
    assert found.sel(language="fi", layer=3, item="a").values.tolist() == [12.0] * 4
    assert found.sel(language="fi", layer=1, item="d").values.tolist() == [60.0] * 4


def test_an_item_a_language_lacks_is_missing_not_zero(stored):
    missing = StoredDifferences(*stored, ["en", "fi"]).read([0]).isnull().all("hidden").squeeze("layer")
    assert missing.sel(language="fi").values.tolist() == [False, True, False, False]
    assert not missing.sel(language="en").any()


def test_a_language_that_is_not_asked_for_is_left_out(stored):
    found = StoredDifferences(*stored, ["fi"]).read([1]).squeeze()
    np.testing.assert_array_equal(found.isel(hidden=0), [11, np.nan, 41, 61])


def test_groups_run_along_the_items(stored):
    assert StoredDifferences(*stored, ["en"]).read([0])["group"].values.tolist() == ["g", "b", "c", "d"]


@pytest.mark.parametrize("n_items", [1, 2, 3, 4, 9])
def test_blocks_of_items_together_are_the_whole_whatever_the_shards(stored, n_items):
    differences = StoredDifferences(*stored, ["en", "fi"])
    blocks = list(differences.blocks([0, 2], n_items=n_items))
    assert all(block.sizes["item"] <= n_items for block in blocks)
    xr.testing.assert_identical(xr.concat(blocks, "item"), differences.read([0, 2]))


def test_a_block_reads_no_more_than_its_own_pairs(stored, monkeypatch):
    store, shards = stored
    read = []
    real = store.differences
    monkeypatch.setattr(store, "differences", lambda *place: read.append(place) or real(*place))
    StoredDifferences(store, shards, ["en", "fi"]).read([1], start=1, stop=3)
    assert read == [(shards[0], 1, slice(2, 3)), (shards[1], 1, slice(0, 2))]

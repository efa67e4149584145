import numpy as np
import pytest

from polyethos.dataset.pairs import ContrastPair, ContrastPairs
from polyethos.errors import RunError
from polyethos.execution.shards import ShardStore, plan_shards


def pair(item, language="en", *, value="morality", positive=None, group=""):
    return ContrastPair(item, value, language, positive or f"{language} {item} +", f"{language} {item} -", group=group)


def bilingual(*items, **options):
    return ContrastPairs("test", tuple(pair(item, language, **options) for language in ("en", "fi") for item in items))


def test_a_shard_holds_whole_items_in_all_their_languages():
    shards = plan_shards(bilingual("a", "b", "c"), "morality", pairs_per_shard=4)
    assert [[(p.item, p.language) for p in shard.pairs] for shard in shards] == [
        [("a", "en"), ("a", "fi"), ("b", "en"), ("b", "fi")],
        [("c", "en"), ("c", "fi")],
    ]


def test_only_the_value_asked_for_is_in_the_shards():
    pairs = ContrastPairs("test", (pair("a"), pair("b", value="fairness")))
    (shard,) = plan_shards(pairs, "fairness", pairs_per_shard=10)
    assert [p.item for p in shard.pairs] == ["b"]


def test_items_that_share_a_sentence_are_neighbours_so_that_it_is_computed_once():
    pairs = ContrastPairs("test", (pair("a", positive="same"), pair("b"), pair("c", positive="same")))
    (shard,) = plan_shards(pairs, "morality", pairs_per_shard=10)
    assert [p.item for p in shard.pairs] == ["a", "c", "b"]


def test_an_item_of_more_languages_than_a_shard_has_places_is_a_shard_of_its_own():
    shards = plan_shards(bilingual("a", "b"), "morality", pairs_per_shard=1)
    assert [len(shard.pairs) for shard in shards] == [2, 2]


@pytest.fixture
def stored(tmp_path):
    """Two shards of two and one items; the difference of pair k at layer l is the constant 10 k + l."""
    pairs = ContrastPairs("test", (*bilingual("a", group="g"), pair("b"), pair("c"), pair("c", "fi")))
    shards = plan_shards(pairs, "morality", pairs_per_shard=3)
    store, number = ShardStore(tmp_path), 0
    for shard in shards:
        size = len(shard.pairs)
        content = np.arange(number, number + size)[None, :, None] * 10 + np.arange(3)[:, None, None]
        store.write(shard, np.broadcast_to(content, (3, size, 4)).astype(np.float32), np.full(3, float(size)))
        number += size
    return store, shards


def test_some_pairs_of_one_layer_can_be_read_alone(stored):
    store, shards = stored
    assert store.differences(shards[0], 2, slice(1, 3)).tolist() == [[12.0] * 4, [22.0] * 4]


def test_norms_are_averaged_over_sentences_not_over_shards(stored):
    store, shards = stored
    assert [len(shard.pairs) for shard in shards] == [3, 2]
    np.testing.assert_allclose(store.norms(shards), (3 * 3 + 2 * 2) / 5)


def test_a_truncated_shard_counts_as_not_done_and_reading_it_names_the_remedy(stored):
    store, shards = stored
    path = store.path(shards[0])
    assert store.is_done(shards[0])
    path.write_bytes(path.read_bytes()[:-20])
    assert not store.is_done(shards[0])
    with pytest.raises(RunError, match=r"broken .* run the same command again"):
        store.differences(shards[0], 0, slice(None))


def test_removed_shards_leave_no_file(stored, tmp_path):
    store, shards = stored
    store.remove(shards)
    assert list(tmp_path.iterdir()) == []

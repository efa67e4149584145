import json
import tracemalloc

import numpy as np
import pytest
import xarray as xr
from shards_by_hand import data_of

from polyethos.analysis.beside import published_beside
from polyethos.analysis.published import item_order, split
from polyethos.dataset.load import load_pairs
from polyethos.errors import ResourceError
from polyethos.execution.extraction import extract_shards
from polyethos.execution.shards import ShardStore, plan_shards
from polyethos.representation.directions import DIRECTIONS
from polyethos.representation.model import load_model
from polyethos.study import Study
from polyethos.study.analysing import ValueData, analyse_value, plan_analysis
from polyethos.study.planning import Reading


def little_memory(study, data):
    """The study with memory for two items at a time."""
    extent = data.extent(study)
    return study.model_copy(update={"memory": extent.fixed(1) + 2 * extent.per_item(1)})


@pytest.mark.parametrize("protocol", ["corrected", "paper"])
@pytest.mark.parametrize("missing", [(), [(3, "fi"), (4, "fi"), (11, "sw")]])
def test_little_memory_changes_no_result(tmp_path, protocol, missing):
    data = data_of(tmp_path, items=40, layers=3, hidden=24, missing=missing)
    study = Study(protocol=protocol)
    little = little_memory(study, data)
    assert plan_analysis(little, data) == Reading(1, 2)
    assert plan_analysis(study, data) == Reading(3, 40)
    streamed, whole = analyse_value(little, data), analyse_value(study, data)
    counted = ["accuracy", "n_items", *(["sign"] if protocol == "paper" else ["chosen_layer", "transfer_accuracy"])]
    xr.testing.assert_identical(streamed.statistics[counted], whole.statistics[counted])
    xr.testing.assert_allclose(streamed.statistics, whole.statistics, rtol=1e-6, atol=1e-6)
    xr.testing.assert_allclose(streamed.vectors, whole.vectors, rtol=1e-6, atol=1e-6)
    xr.testing.assert_identical(streamed.norms, whole.norms)


def test_missing_items_are_counted_out(tmp_path):
    data = data_of(tmp_path, items=40, layers=2, hidden=8, missing=[(3, "fi"), (4, "fi"), (11, "sw")])
    assert analyse_value(Study(), data).statistics["n_items"].values.tolist() == [40, 38, 39]


def test_layers_count_from_one_and_the_papers_last_one_is_stored_after_the_blocks(tmp_path):
    data = data_of(tmp_path, items=10, layers=3, hidden=4)
    corrected, paper = (analyse_value(Study(protocol=name), data) for name in ("corrected", "paper"))
    assert corrected.norms.values.tolist() == [1, 2, 3]
    assert paper.norms.values.tolist() == [1, 2, 4]
    assert corrected.vectors["layer"].values.tolist() == paper.vectors["layer"].values.tolist() == [1, 2, 3]
    assert paper.statistics["accuracy"]["layer"].values.tolist() == [1, 2, 3]


@pytest.mark.parametrize("missing", [(), [(3, "fi"), (11, "sw")]])
def test_a_corrected_analysis_has_the_published_one_of_the_same_differences_beside_it(tmp_path, missing):
    data = data_of(tmp_path, items=40, layers=3, hidden=24, missing=missing)
    beside = published_beside(analyse_value(Study(), data).statistics)
    xr.testing.assert_equal(beside, analyse_value(Study(protocol="paper"), data).statistics)


@pytest.mark.parametrize("direction", ["pca", "lda", "logistic"])
def test_a_direction_that_needs_all_rows_is_refused_before_memory_runs_out(tmp_path, direction):
    data = data_of(tmp_path, items=40, layers=2, hidden=24)
    little = little_memory(Study(direction=direction), data)
    with pytest.raises(
        ResourceError, match=rf"morality, layer 1: direction {direction} .* memory of {little.memory:,}"
    ):
        analyse_value(little, data)
    assert analyse_value(Study(direction=direction), data).vectors.shape == (3, 2, 24)


def test_vectors_are_fitted_on_all_items(tmp_path):
    data = data_of(tmp_path, items=20, layers=2, hidden=8, pairs_per_shard=1000)
    (shard,) = data.shards
    english = [k for k, pair in enumerate(shard.pairs) if pair.language == "en"]
    rows = data.store.differences(shard, 1, slice(None))[english]
    for name, direction in DIRECTIONS.items():
        found = analyse_value(Study(direction=name), data).vectors.sel(language="en", layer=2)
        np.testing.assert_allclose(found, direction(rows), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("protocol", ["corrected", "paper"])
def test_memory_stays_within_what_the_study_states_however_many_sentences(tmp_path, protocol):
    data = data_of(tmp_path, items=800, layers=2, hidden=2048, pairs_per_shard=100)
    study = Study(protocol=protocol, memory="3MiB")
    one_layer = 4 * len(data.pairs) * data.hidden_size
    assert one_layer > 6 * study.memory
    tracemalloc.start()
    analyse_value(study, data)
    taken = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert taken < study.memory


def near_ties(data, directions):
    """Test items (source, target, layer) whose projection can fall on either side of 0 in float32."""
    differences = data.stored.read([*range(data.n_layers - 1), data.n_layers]).assign_coords(layer=directions["layer"])
    counts = []
    for code in data.pairs.languages:
        of_language = [pair for pair in data.pairs if (pair.value, pair.language) == (data.value, code)]
        rows = differences.sel(language=code, item=split(item_order(of_language))[1])
        counts.append((abs(xr.dot(directions, rows, dim="hidden")) < 1e-5).sum("item"))
    return np.stack(counts, axis=1)


def test_the_reference_is_reproduced_with_little_memory_too(tmp_path, shared_data):
    name, folder = "qwen-chat-7B", shared_data / "reference"
    expected = json.loads((folder / "expected" / "meta.json").read_text(encoding="utf-8"))
    arrays = np.load(folder / "expected" / "arrays.npz")
    pairs = load_pairs(folder / "data", values=expected["values"], languages=expected["languages"], drop=("identical",))
    model = load_model(folder / "models" / name, dtype="float32", device="cpu", template=expected["templates"][name])
    study = Study(protocol="paper")
    for number, value in enumerate(expected["values"]):
        shards, store = plan_shards(pairs, value, pairs_per_shard=50), ShardStore(tmp_path)
        extract_shards(model, shards, store, position="last", published=True, progress=lambda _: None)
        data = ValueData(value, pairs, store, shards, model.n_layers, model.hidden_size)
        found = analyse_value(little_memory(study, data), data)
        theirs = {kind: arrays[f"{name}/{kind}"][number] for kind in ("direction", "sign", "accuracy", "cosine")}
        apart = np.linalg.norm(found.vectors.values - theirs["direction"], axis=-1)
        assert (apart < 1e-4 * np.linalg.norm(theirs["direction"], axis=-1)).all()
        ours = found.statistics.transpose("language", "source", "target", "layer")
        np.testing.assert_array_equal(ours["sign"], theirs["sign"])
        np.testing.assert_allclose(ours["cosine"], theirs["cosine"], rtol=0, atol=5e-6)
        items_apart = np.rint(5 * abs(ours["accuracy"].values - theirs["accuracy"]))
        assert (items_apart <= near_ties(data, found.vectors)).all()

import tracemalloc

import pytest
import xarray as xr
from shards_by_hand import data_of

from polyethos.analysis.untrained import with_untrained
from polyethos.arrays import read_dataset
from polyethos.errors import ResourceError
from polyethos.study import Study
from polyethos.study.testing import has_untrained, keep_tests, keep_untrained, plan_tests

FEW = {"permutations": 200, "replicates": 100}


def with_least_memory(study, data, *, items=1):
    """The study with memory for the tests reading some items at a time."""
    enough = plan_tests(study.model_copy(update={"memory": 2**40}), data)
    left = 2**40 - data.extent(study).testing(enough.n_units, study.permutations, study.replicates) - enough.kept
    memory = 2**40 - enough.kept - left * (enough.n_items - items) // enough.n_items
    return study.model_copy(update={"memory": memory})


def kept(study, data, folder):
    folder.mkdir()
    keep_tests(study, data, folder)
    return read_dataset(folder / "morality-tests.nc")[0]


@pytest.mark.parametrize("missing", [(), [(3, "fi"), (4, "fi"), (11, "sw")]])
def test_little_memory_changes_no_test(tmp_path, missing):
    data = data_of(tmp_path, items=40, layers=3, hidden=24, missing=missing)
    study = Study(**FEW)
    little = with_least_memory(study, data, items=3)
    assert plan_tests(little, data).n_items == 3
    assert plan_tests(study, data).n_items == 40
    streamed, whole = kept(little, data, tmp_path / "little"), kept(study, data, tmp_path / "much")
    xr.testing.assert_allclose(streamed, whole, rtol=1e-3, atol=1e-5)


def test_groups_are_counted_per_language(tmp_path):
    data = data_of(tmp_path, items=40, layers=2, hidden=8, missing=[(2, "fi"), (3, "fi"), (11, "sw")])
    assert kept(Study(**FEW), data, tmp_path / "run")["n_groups"].values.tolist() == [20, 19, 20]


def test_memory_stays_within_what_the_study_states(tmp_path):
    data = data_of(tmp_path, items=600, layers=2, hidden=4096, group_size=30, pairs_per_shard=100)
    study = with_least_memory(Study(**FEW), data, items=10)
    one_layer = 4 * len(data.pairs) * data.hidden_size
    assert one_layer > 2.5 * study.memory
    kept(study, data_of(tmp_path / "few", items=40, layers=2, hidden=8), tmp_path / "imports-what-is-needed")
    (tmp_path / "run").mkdir()
    tracemalloc.start()
    keep_tests(study, data, tmp_path / "run")
    taken = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert taken < study.memory


def test_too_little_memory_for_the_tests_is_known_before_anything_is_read(tmp_path):
    data = data_of(tmp_path, items=40, layers=2, hidden=24)
    least = with_least_memory(Study(**FEW), data)
    assert plan_tests(least, data).n_items == 1
    for path in tmp_path.iterdir():
        path.unlink()
    with pytest.raises(ResourceError, match="the tests of 40 items in 3 languages"):
        plan_tests(least.model_copy(update={"memory": least.memory - 1}), data)


def test_the_untrained_model_stands_among_the_controls_and_is_asked_the_same_items(tmp_path):
    data = data_of(tmp_path, items=40, layers=2, hidden=24, missing=[(3, "fi")])
    study, work = Study(**FEW, untrained=True), tmp_path / "work"
    work.mkdir()
    assert not has_untrained(work, "morality")
    keep_untrained(study, data, work)
    assert has_untrained(work, "morality")
    statistics = kept(study, data, tmp_path / "run")
    untrained = read_dataset(work / "morality-untrained.nc")[0]
    found = with_untrained(statistics, untrained).sel(control="untrained model", drop=True)
    # The "untrained" model of this test is the trained one, so that nothing is left of their difference.
    xr.testing.assert_allclose(found["control_accuracy"], statistics["recognition"])
    for end in ("", "_low", "_high"):
        assert (abs(found[f"recognition_excess{end}"]) < 1e-6).all()


def test_other_controls_stay_as_they_are_beside_the_untrained_model(tmp_path):
    data = data_of(tmp_path, items=40, layers=2, hidden=24)
    statistics = kept(Study(**FEW), data, tmp_path / "run")
    (tmp_path / "work").mkdir()
    keep_untrained(Study(**FEW), data, tmp_path / "work")
    found = with_untrained(statistics, read_dataset(tmp_path / "work" / "morality-untrained.nc")[0])
    names = statistics["control"].values.tolist()
    assert found["control"].values.tolist() == [*names, "untrained model"]
    xr.testing.assert_identical(found.sel(control=names), statistics)

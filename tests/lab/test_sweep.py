"""Sweeps: every run once, whatever happens to the others."""

import json

import numpy as np
import pytest

from polyethos.arrays import read_dataset
from polyethos.errors import LabError, ResourceError
from polyethos.files import write_json
from polyethos.lab.gathering import JUDGEMENTS, RESULTS, TABLE
from polyethos.lab.judgement import OUTCOMES
from polyethos.lab.sweep import sweep
from polyethos.lab.sweep_plan import SweepPlan
from polyethos.lab.sweep_run import OUTCOMES_FILE, RECIPE_FILE

LANGUAGES = ("en", "fi", "zh", "sw", "ta")
PLAN = SweepPlan(experiments=("number-of-dominants",), tokens=4096, seeds=1, sizes=("tiny",), languages=LANGUAGES)
NAMES = [f"tiny/seed-0/number-of-dominants/dominants-{n}" for n in (1, 2, 4)]


@pytest.fixture
def made_up(monkeypatch):
    """Runs that train nothing: every outcome is 0.5; those named in the list fail."""
    done, failing = [], []

    def finish(plan, run, out, **options):
        if run.name in failing:
            raise ResourceError("the disk is full")
        done.append(run.name)
        write_json(out / run.folder / RECIPE_FILE, plan.recipe(run).to_json())
        write_json(out / run.folder / OUTCOMES_FILE, {name: dict.fromkeys(LANGUAGES, 0.5) for name in OUTCOMES})

    monkeypatch.setattr("polyethos.lab.sweep.finish", finish)
    return done, failing


def test_every_run_is_gathered_and_none_is_trained_twice(tmp_path, made_up):
    done, _ = made_up
    told = []
    found = sweep(PLAN, tmp_path, report=told.append)
    assert done == NAMES == found.results["run"].values.tolist()
    assert [(one.done, one.total) for one in told] == [(1, 3), (2, 3), (3, 3)]
    assert told[-1].seconds_left == 0
    np.testing.assert_allclose(found.results["share"].sum("language"), 1)
    np.testing.assert_allclose(found.results["language_tokens"].sum("language"), 4096)
    stored, provenance = read_dataset(tmp_path / RESULTS)
    assert stored.identical(found.results.assign_attrs(stored.attrs))
    assert provenance["tokens"] == 4096
    assert len((tmp_path / TABLE).read_text(encoding="utf-8").splitlines()) == 1 + 3 * 5
    assert "2 dominants against 1" in (tmp_path / JUDGEMENTS).read_text(encoding="utf-8")

    again = sweep(PLAN, tmp_path)
    assert done == NAMES
    assert again.results.identical(found.results)


def test_a_failing_run_is_reported_and_the_others_go_on(tmp_path, made_up):
    done, failing = made_up
    failing.append(NAMES[1])
    told = []
    found = sweep(PLAN, tmp_path, report=told.append)
    assert found.failed == {NAMES[1]: "the disk is full"}
    assert found.missing == (NAMES[1],)
    assert [one.error for one in told] == [None, "the disk is full", None]
    failing.clear()
    assert sweep(PLAN, tmp_path).missing == ()
    assert sorted(done) == sorted(NAMES)


def test_where_no_run_finishes_the_reason_is_the_error(tmp_path, made_up):
    _, failing = made_up
    failing.extend(NAMES)
    with pytest.raises(LabError, match=r"not one run finished .*dominants-1: the disk is full"):
        sweep(PLAN, tmp_path)


def test_a_sweep_with_no_job_is_refused(tmp_path):
    with pytest.raises(LabError, match="jobs=0: give at least 1"):
        sweep(PLAN, tmp_path, jobs=0)


@pytest.mark.slow
def test_real_runs_side_by_side_give_what_runs_one_by_one_give_and_are_measured_again_alike(tmp_path):
    one, two = (sweep(PLAN, tmp_path / str(jobs), jobs=jobs) for jobs in (1, 2))
    assert one.results.identical(two.results)
    for name in ("loss", "verdict_accuracy", "recognition", "transfer", "consistency", "control"):
        assert bool(one.results[name].notnull().all()), name
    assert sweep(PLAN, tmp_path / "1", measure_again=True).results.identical(one.results)


@pytest.mark.slow
def test_the_same_command_takes_a_users_own_text(tmp_path, shared_data):
    plan = SweepPlan(
        experiments=("number-of-dominants",),
        tokens=4096,
        seeds=1,
        sizes=("tiny",),
        languages=LANGUAGES,
        values=("morality",),
        text=str(shared_data / "text"),
    )
    found = sweep(plan, tmp_path).results
    assert bool(found["loss"].notnull().all())
    assert bool(found["recognition"].notnull().all())
    assert "verdict_accuracy" not in found
    recipe = json.loads((tmp_path / plan.runs()[0].folder / RECIPE_FILE).read_text(encoding="utf-8"))
    assert len(recipe["corpus"]) == 64

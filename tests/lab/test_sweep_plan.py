"""The plan of a sweep: which runs, in which order, and what may be added later."""

import json

import pytest

from polyethos.errors import LabError, UnknownLanguageError, UnknownValueError
from polyethos.lab.sweep_plan import PLAN, SweepPlan, claim


def test_the_runs_of_a_seed_and_size_come_together():
    runs = SweepPlan(seeds=2, sizes=("small", "tiny"), experiments=("balance",)).runs()
    assert [(run.seed, run.size) for run in runs] == [
        (seed, size) for seed in (0, 1) for size in ("small", "tiny") for _ in range(3)
    ]
    assert len({run.name for run in runs}) == len(runs)


def test_a_condition_of_two_experiments_is_trained_once():
    runs = SweepPlan(seeds=1, sizes=("tiny",), experiments=("dominance-fixed-minority", "dominance-fixed-total")).runs()
    half = [run for run in runs if run.condition.name == "share-0.5"]
    assert len(half) == 2
    assert half[0].folder == half[1].folder
    assert len({run.folder for run in runs}) == len(runs) - 1


def test_the_folder_of_a_run_does_not_depend_on_which_other_experiments_are_planned():
    folders = [
        {run.condition.name: run.folder for run in SweepPlan(seeds=1, sizes=("tiny",), experiments=chosen).runs()}
        for chosen in (
            ("dominance-fixed-minority",),
            ("dominance-fixed-total", "dominance-fixed-minority"),
            ("dominance-fixed-minority", "dominance-fixed-total"),
        )
    ]
    assert len({each["share-0.5"] for each in folders}) == 1


def test_conditions_that_take_too_long_are_left_out_and_named():
    plan = SweepPlan(experiments=("dominance-fixed-minority",), longest=8)
    assert plan.left_out() == ("dominance-fixed-minority/share-0.97",)
    assert [one.name for one in plan.conditions()] == ["uniform", "share-0.3", "share-0.5", "share-0.7", "share-0.9"]


def test_every_run_of_a_plan_reads_the_same_kind_of_document():
    plan = SweepPlan(seeds=2, sizes=("small",))
    recipes = [plan.recipe(run) for run in plan.runs()]
    assert len({recipe.world for recipe in recipes}) == 1
    assert recipes[0].world.told == plan.values
    assert recipes[0].world.dialogue_languages == plan.languages


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"seeds": 0}, LabError, "seeds=0: give at least 1"),
        ({"sizes": ("huge",)}, LabError, "size 'huge' does not exist; choose from tiny, small"),
        ({"values": ("honesty",)}, UnknownValueError, "unknown value 'honesty'"),
        ({"languages": ("en", "zh", "es", "fi", "sv")}, UnknownLanguageError, "'sv'"),
        ({"languages": ("en", "zh", "es", "fi", "en")}, UnknownLanguageError, "one is named twice"),
        ({"languages": ("en", "zh")}, LabError, "2 languages; the experiments need at least 5"),
        ({"experiments": ("E1",)}, LabError, "experiment 'E1' does not exist"),
    ],
)
def test_a_plan_that_cannot_be_carried_out_is_refused(changes, error, message):
    with pytest.raises(error, match=message):
        SweepPlan(**changes)


def test_a_folder_takes_more_seeds_of_the_same_sweep_but_no_other_sweep(tmp_path):
    claim(tmp_path, SweepPlan(seeds=1))
    claim(tmp_path, SweepPlan(seeds=2, sizes=("small", "pocket")))
    assert json.loads((tmp_path / PLAN).read_text(encoding="utf-8"))["seeds"] == 2
    with pytest.raises(LabError, match=r"holds another sweep \(tokens: there 400000, now 5000\)"):
        claim(tmp_path, SweepPlan(tokens=5000))

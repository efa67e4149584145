"""`polyethos lab sweep` and `polyethos lab advise` on the command line."""

import json
import sys

import pytest
import xarray as xr
from made_up_sweeps import learnt_by_tokens, planned_results, small_plan, study

from polyethos import cli
from polyethos.arrays import write_dataset
from polyethos.errors import ResourceError
from polyethos.files import write_json
from polyethos.lab.judgement import OUTCOMES
from polyethos.lab.sweep_run import OUTCOMES_FILE, RECIPE_FILE

MIXTURE = "en=0.5,zh=0.1,es=0.1,fi=0.1,sw=0.1,ta=0.1"
LANGUAGES = ("en", "zh", "es", "fi", "sw", "ta")


@pytest.fixture
def command(monkeypatch, capsys):
    """Run the command line in this process: (exit code, standard output, standard error)."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["polyethos", "lab", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "160")
        try:
            cli.main()
            code = 0
        except SystemExit as stop:
            code = stop.code or 0
        output = capsys.readouterr()
        return code, output.out, output.err

    return run


@pytest.fixture
def made_up_runs(monkeypatch):
    """Runs that train nothing: every outcome is the share of the first language; runs in the list fail."""
    failing = []

    def finish(plan, run, out, **options):
        if run.name in failing:
            raise ResourceError("the disk is full")
        write_json(out / run.folder / RECIPE_FILE, plan.recipe(run).to_json())
        value = run.condition.mixture.shares["en"] + 0.001 * run.seed
        write_json(out / run.folder / OUTCOMES_FILE, {name: dict.fromkeys(LANGUAGES, value) for name in OUTCOMES})

    monkeypatch.setattr("polyethos.lab.sweep.finish", finish)
    return failing


def test_a_sweep_prints_its_judgements_and_leaves_results_and_figures(command, tmp_path, made_up_runs):
    code, out, _ = command("sweep", "--out", tmp_path, "--sizes", "tiny", "--longest", "8")
    assert code == 0
    assert "Left out as too long: dominance-fixed-minority/share-0.97." in out
    assert "judged by transfer as stated beforehand" in out
    assert "supported" in out
    for name in ("sweep.nc", "sweep.csv", "judgements.csv", "figures/sweep_dominance.svg", "figures/sweep_others.png"):
        assert (tmp_path / name).is_file(), name


def test_a_failing_run_is_named_and_the_exit_code_says_so(command, tmp_path, made_up_runs):
    made_up_runs.append("tiny/seed-0/balance/exponent-1")
    options = ("--sizes", "tiny", "--seeds", "1", "--experiments", "balance")
    code, out, err = command("sweep", "--out", tmp_path, *options)
    assert code == 1
    assert "2 of 3  tiny/seed-0/balance/exponent-1: failed: the disk is full" in err
    assert "1 runs are missing, for instance tiny/seed-0/balance/exponent-1" in out


def test_json_is_all_that_json_prints(command, tmp_path, made_up_runs):
    code, out, _ = command("sweep", "--out", tmp_path, "--sizes", "tiny", "--experiments", "balance", "--json", "-q")
    content = json.loads(out)
    assert code == 0
    assert (content["runs"], content["missing"]) == (9, [])
    assert content["verdicts"]["balance"] == "open"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("sweep", "--out", "x", "--sizes", "huge"), "size 'huge' does not exist"),
        (("sweep", "--out", "x", "--experiments", "E1"), "experiment 'E1' does not exist"),
        (("sweep", "--out", "x", "--seeds", "0"), "seeds=0"),
        (("sweep", "--out", "x", "--jobs", "0"), "jobs=0"),
        (("sweep", "--out", "x", "--seeds", "1", "--text", "absent"), "absent: no such file or folder"),
        (("advise", "--mixture", "en=0.5"), "the shares sum to 0.5"),
        (("advise", "--mixture", MIXTURE, "--sweep", "absent"), "absent: not a readable NetCDF file"),
        (("advise", "--mixture", MIXTURE, "--study", "absent"), "absent: not a run folder"),
        (("advise", "--mixture", MIXTURE, "--size", "huge"), "size 'huge': no run has it"),
    ],
)
def test_a_user_error_is_one_line_and_exit_code_2(command, monkeypatch, tmp_path, arguments, message):
    monkeypatch.chdir(tmp_path)
    code, out, err = command(*arguments)
    assert (code, out) == (2, "")
    assert message in err.splitlines()[-1]


def test_advice_is_given_for_every_language_with_its_limits(command, tmp_path):
    write_dataset(tmp_path / "sweep.nc", planned_results(small_plan(), {"transfer": learnt_by_tokens}), {})
    code, out, _ = command("advise", "--mixture", MIXTURE, "--sweep", tmp_path)
    assert code == 0
    for code in LANGUAGES:
        assert code in out
    assert "better than expecting the mean" in out
    assert "What small models cannot show" in out
    assert "outside the evidence" not in out


def test_the_bundled_sweep_is_the_evidence_unless_another_is_named(command):
    code, out, _ = command("advise", "--mixture", "en=0.8,ny=0.2", "--json")
    content = json.loads(out)
    assert code == 0
    assert {one["outcome"] for one in content["forecasts"]} >= {"loss", "consistency", "transfer", "control"}
    assert all(
        "a language the lab's runs do not have" in one["outside"]
        for one in content["forecasts"]
        if one["language"] == "ny"
    )
    assert set(content["verdicts"]) == {"dominance helps", "excess hurts", "balance", "few dominants"}


def test_without_a_mixture_the_evidence_alone_is_shown(command):
    code, out, _ = command("advise")
    assert code == 0
    assert "supported  A dominant language helps" in out
    assert "What small models cannot show" in out
    assert "Forecast" not in out
    content = json.loads(command("advise", "--json")[1])
    assert content["verdicts"]["dominance helps"] == "supported"
    assert len(content["judgements"]) > len(content["verdicts"])


def test_a_size_without_a_mixture_is_refused(command):
    code, _, err = command("advise", "--size", "tiny")
    assert code == 2
    assert "add --mixture" in err


@pytest.fixture
def real_run(tmp_path):
    """A finished run folder of a model, as made by hand; with its shares of pre-training or without."""

    def make(name, *, shares=None, models=()):
        results = study(name, list(LANGUAGES), {}, similarity=0.4).results.assign_attrs(model=name)
        if shares is not None:
            percent = xr.DataArray(shares, dims="language", attrs={"source": "its makers"})
            results = results.assign(pretraining_share=percent)
        write_dataset(tmp_path / name / "results.nc", results, {})
        write_json(tmp_path / name / "study.json", {"format": 1, "models": list(models)})
        return tmp_path / name

    return make


def test_real_models_have_a_table_of_their_own(command, real_run):
    known = real_run("known", shares=[90, 3, 2, 0.5, 0.1, float("nan")])
    given = real_run("given")
    options = ("--study", known, "--study", f"{given}@llama2_pct_documents", "--json")
    code, out, _ = command("advise", "--mixture", MIXTURE, *options)
    content = json.loads(out)
    assert code == 0
    assert content["studies"] == ["known (shares: its makers)", "given (shares: llama2_pct_documents)"]
    found = [one for one in content["forecasts"] if (one["basis"], one["outcome"]) == ("studies", "consistency")]
    assert [one["value"] for one in found] == pytest.approx([0.4] * 6)
    assert {one["low"] for one in found} == {None}


def test_a_run_whose_shares_nobody_knows_is_refused_with_the_remedy(command, real_run):
    code, _, err = command("advise", "--mixture", MIXTURE, "--study", real_run("unknown"))
    assert code == 2
    assert "the shares its model was trained on are not known; give" in err


def test_a_run_of_several_models_is_refused_with_the_folder_to_give(command, real_run):
    real_run("both/one")
    code, _, err = command("advise", "--mixture", MIXTURE, "--study", real_run("both", models=["one"]))
    assert code == 2
    assert "holds several models; give the folder of one, such as 'one' in it" in err

import sys
from pathlib import Path

import xarray as xr

from polyethos.arrays import write_dataset
from polyethos.files import write_json
from polyethos.study.folder import Run
from polyethos.study.reporting import control_of, report_runs

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "presentation"))
from control_by_hand import control_results
from results_by_hand import STUDY, study_of


def run_in(folder, name):
    (folder / name).mkdir()
    return Run(folder / name, STUDY, study_of(name))


def with_control(run):
    (run.path / "control").mkdir()
    write_json(run.path / "control" / "control.json", {"control": {}})
    write_dataset(run.path / "control" / "control.nc", control_results(), {})
    return run


def test_a_control_study_in_the_runs_folder_is_found(tmp_path):
    assert control_of(run_in(tmp_path, "plain")) is None
    xr.testing.assert_equal(control_of(with_control(run_in(tmp_path, "steered"))), control_results())


def test_the_page_of_one_run_is_in_its_folder(tmp_path):
    run = run_in(tmp_path, "plain")
    assert report_runs([run]) == run.path / "report.html"


def test_the_page_of_several_runs_replaces_none_of_theirs(tmp_path):
    runs = [run_in(tmp_path, name) for name in ("one", "other")]
    own = report_runs(runs[:1]).read_bytes()
    assert report_runs(runs) == tmp_path / "compared.html"
    assert (runs[0].path / "report.html").read_bytes() == own


def test_the_page_of_several_runs_shows_the_steering_of_those_that_were_steered(tmp_path):
    runs = [run_in(tmp_path, "plain"), with_control(run_in(tmp_path, "steered"))]
    text = report_runs(runs).read_text(encoding="utf-8")
    assert text.count("Refusing harmful requests (harmfulness), vector from English</figcaption>") == 1
    assert f"polyethos control {runs[0].path}" in text


def test_runs_of_several_models_are_taken_apart(tmp_path):
    parts = {name: run_in(tmp_path, name) for name in ("first", "second")}
    whole = Run(tmp_path, STUDY, xr.Dataset(), parts)
    text = report_runs([whole], tmp_path / "both.html").read_text(encoding="utf-8")
    assert "Human values in 2 models" in text

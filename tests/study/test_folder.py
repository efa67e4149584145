import json

import pytest
import xarray as xr

from polyethos.arrays import write_dataset
from polyethos.errors import RunError, StudyMismatchError
from polyethos.study.folder import FORMAT, Run, claim_folder, open_run, read_study_file, record_model


def content(**changes):
    return {"format": FORMAT, "study": {"seed": 0, "data": "everyday"}, "versions": {"torch": "2"}} | changes


def finish(path):
    write_dataset(path / "results.nc", xr.Dataset({"accuracy": 0.5}), {})


def test_a_new_folder_is_claimed_and_the_same_study_may_come_back(tmp_path):
    claim_folder(tmp_path / "run", content())
    claim_folder(tmp_path / "run", content())
    assert read_study_file(tmp_path / "run") == content()


def test_another_study_is_refused_with_every_difference(tmp_path):
    claim_folder(tmp_path, content())
    changed = content(study={"seed": 1, "data": "everyday", "languages": ["en"]})
    with pytest.raises(
        StudyMismatchError, match=r'study\.languages: there null, now \["en"\]; study\.seed: there 0, now 1'
    ):
        claim_folder(tmp_path, changed)


def test_newer_packages_do_not_mix_into_an_unfinished_run_but_may_open_a_finished_one(tmp_path):
    claim_folder(tmp_path, content())
    newer = content(versions={"torch": "3"})
    with pytest.raises(StudyMismatchError, match=r'versions\.torch: there "2", now "3"'):
        claim_folder(tmp_path, newer)
    finish(tmp_path)
    claim_folder(tmp_path, newer)


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(RunError, match=r"holds 'thesis\.tex'\) and not a run folder"):
        claim_folder(tmp_path, content())
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_run_goes_on_only_with_the_model_it_was_started_with(tmp_path):
    claim_folder(tmp_path, content())
    record_model(tmp_path, {"revision": "abc"})
    assert record_model(tmp_path, {"revision": "abc"})["model"] == {"revision": "abc"}
    claim_folder(tmp_path, content())
    with pytest.raises(StudyMismatchError, match=r'model\.revision: there "abc", now "def"'):
        record_model(tmp_path, {"revision": "def"})


def test_opening_a_folder_that_is_no_run_says_so(tmp_path):
    with pytest.raises(RunError, match="not a run folder"):
        open_run(tmp_path)
    with pytest.raises(RunError, match="not a run folder"):
        open_run(tmp_path / "absent")
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="a file; expected a run folder"):
        open_run(tmp_path / "file")


def test_opening_an_unfinished_run_says_how_to_finish_it(tmp_path):
    claim_folder(tmp_path, content())
    with pytest.raises(RunError, match="unfinished; the command that started it takes it up again"):
        open_run(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", json.dumps({"format": 99})])
def test_a_broken_study_file_is_an_error_not_a_new_run(tmp_path, text):
    (tmp_path / "study.json").write_text(text)
    with pytest.raises(RunError, match=r"study\.json"):
        claim_folder(tmp_path, content())
    assert (tmp_path / "study.json").read_text() == text


def test_claims_are_those_of_one_model(tmp_path):
    run = Run(tmp_path, content(), xr.Dataset(), {"first": Run(tmp_path / "first", content(), xr.Dataset())})
    with pytest.raises(RunError, match=r"use run.models\['first'\].claims"):
        _ = run.claims
    assert run.models["first"].claims == []
    assert run.models["first"].paper is None

"""One run of a sweep: what a killed one leaves is finished, never taken for finished."""

from types import SimpleNamespace

import pytest

from polyethos.errors import LabError
from polyethos.lab import sweep_run
from polyethos.lab.checkpoint import CHECKPOINT
from polyethos.lab.corpus import CorpusRows
from polyethos.lab.sweep_plan import SweepPlan
from polyethos.lab.sweep_run import MODEL_FOLDER, OUTCOMES_FILE, finish

PLAN = SweepPlan(experiments=("balance",), tokens=4096, seeds=1, sizes=("tiny",))
RUN = PLAN.runs()[0]


@pytest.fixture
def steps(monkeypatch, tmp_path):
    """What a run does, without doing it; the folder is `tmp_path`."""
    done = []

    def train(recipe, source, tokenizer, folder, **options):
        done.append("train")
        (folder / CHECKPOINT).touch()
        return "model", None

    def save_model(model, tokenizer, folder):
        done.append("save")
        folder.mkdir(exist_ok=True)

    monkeypatch.setattr(sweep_run, "train", train)
    monkeypatch.setattr(sweep_run, "save_model", save_model)
    monkeypatch.setattr(sweep_run, "measure", lambda *whole: done.append("measure"))
    setting = SimpleNamespace(source=None, test=None, tokenizer=None, corpus=None)
    monkeypatch.setattr(sweep_run, "_setting", lambda plan, seed: setting)
    return done


def test_a_run_is_trained_saved_and_measured_and_its_checkpoint_goes(steps, tmp_path):
    finish(PLAN, RUN, tmp_path)
    assert steps == ["train", "save", "measure"]
    assert not (tmp_path / RUN.folder / CHECKPOINT).exists()


def test_a_finished_run_is_left_alone(steps, tmp_path):
    finish(PLAN, RUN, tmp_path)
    (tmp_path / RUN.folder / OUTCOMES_FILE).touch()
    finish(PLAN, RUN, tmp_path)
    assert steps == ["train", "save", "measure"]


def test_a_model_that_was_saved_whole_is_measured_without_training(steps, tmp_path):
    finish(PLAN, RUN, tmp_path)
    finish(PLAN, RUN, tmp_path)
    assert steps == ["train", "save", "measure", "measure"]


def test_a_model_that_was_perhaps_saved_in_part_is_saved_again(steps, tmp_path):
    (tmp_path / RUN.folder / MODEL_FOLDER).mkdir(parents=True)
    (tmp_path / RUN.folder / CHECKPOINT).touch()
    finish(PLAN, RUN, tmp_path)
    assert steps == ["train", "save", "measure"]


def test_a_folder_with_a_run_of_another_recipe_is_refused(steps, tmp_path):
    finish(PLAN, RUN, tmp_path)
    other = SweepPlan(experiments=("balance",), tokens=8192, seeds=1, sizes=("tiny",))
    with pytest.raises(LabError, match=r"holds a run of another recipe \(recipe.json differs\)"):
        finish(other, other.runs()[0], tmp_path)


def documents(number):
    return {code: [f"The teacher slept well today, said number {n}." for n in range(number)] for code in PLAN.languages}


def test_every_twentieth_document_of_a_users_text_is_kept_for_testing(monkeypatch):
    monkeypatch.setattr(sweep_run, "read_corpus", lambda path, languages: documents(200))
    kept = {}
    monkeypatch.setattr(
        sweep_run,
        "CorpusRows",
        lambda texts, tokenizer, **options: (
            kept.setdefault(options["seed"], texts) and CorpusRows(texts, tokenizer, **options)
        ),
    )
    setting = sweep_run._text_setting(PLAN, "texts", 7)
    trained, tested = kept[7], kept[2**32 - 1]
    for code in PLAN.languages:
        assert len(tested[code]) == 10
        assert not set(tested[code]) & set(trained[code])
        assert len(trained[code]) == 190
    assert len(setting.corpus) == 64


def test_too_little_text_to_keep_some_for_testing_is_refused(monkeypatch):
    monkeypatch.setattr(sweep_run, "read_corpus", lambda path, languages: documents(39))
    with pytest.raises(LabError, match="texts: 39 documents in en; one in 20 is kept for testing, so give at least 40"):
        sweep_run._text_setting(PLAN, "texts", 0)

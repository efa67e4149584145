"""Capability under steering: the harness itself runs a task from a local folder, plain and steered."""

import json
import sys

import numpy as np
import pytest

from polyethos.errors import DataError, MissingDependencyError
from polyethos.interchange.lm_eval import evaluate_tasks
from polyethos.interchange.selection import Directions
from polyethos.interchange.tensor_files import write_lm_eval_file

SKIP = "lm-eval is not installed (pip install 'polyethos[capability]')"


@pytest.fixture
def tasks_folder(tmp_path):
    """A task with eight questions of two words and two answers, its data in the same folder."""
    folder = tmp_path / "tasks"
    folder.mkdir()
    rows = [{"question": f"w{k} w{k + 1}", "choices": [f"w{k + 20}", f"w{k + 30}"], "answer": k % 2} for k in range(8)]
    data = folder / "words.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (folder / "words.yaml").write_text(
        "task: words\ndataset_path: json\n"
        f"dataset_kwargs:\n  data_files:\n    test: {data}\n"
        "output_type: multiple_choice\ntest_split: test\ndoc_to_text: '{{question}}'\n"
        "doc_to_choice: choices\ndoc_to_target: answer\nmetric_list:\n  - metric: acc\n",
        encoding="utf-8",
    )
    return folder


def test_without_the_harness_the_message_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "lm_eval", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'polyethos\[capability\]'"):
        evaluate_tasks(["words"], pretrained="anything")


def test_a_task_is_run_plain_and_steered(tiny_folder, tasks_folder, tmp_path):
    pytest.importorskip("lm_eval", reason=SKIP)
    options = {"device": "cpu", "dtype": "float32"}

    def accuracy(strength):
        vector = np.zeros(16, dtype=np.float32)
        vector[0] = strength
        directions = Directions("fairness", "en", {2: vector}, 3, {"architecture": "LlamaForCausalLM"})
        path = write_lm_eval_file(tmp_path / "steer.pt", directions) if strength else None
        found = evaluate_tasks(
            ["words"], pretrained=str(tiny_folder), steer_path=path, tasks_folder=tasks_folder, options=options
        )
        return found["words"]["acc"]

    plain = accuracy(0.0)
    assert 0 <= plain <= 1
    # A vector many times longer than the states leaves one answer to every question: half of them are right.
    assert accuracy(1000.0) in (0.25, 0.375, 0.5, 0.625, 0.75)
    assert accuracy(1e-6) == plain


def test_a_task_that_the_harness_does_not_know_is_named(tiny_folder, tasks_folder):
    pytest.importorskip("lm_eval", reason=SKIP)
    with pytest.raises(DataError, match="'wrods'"):
        evaluate_tasks(["wrods"], pretrained=str(tiny_folder), tasks_folder=tasks_folder)

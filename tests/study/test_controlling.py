"""A control study from the model to the folder: resumable, refused when it does not fit, judged afterwards."""

import json
import sys
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import torch
import xarray as xr
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from polyethos.control.cells import Cells
from polyethos.control.conditions import Design
from polyethos.control.judging import Judge
from polyethos.control.options import ControlOptions
from polyethos.errors import DataError, MissingDependencyError, RunError, StudyMismatchError
from polyethos.lab.pocket import pocket_model_path
from polyethos.study import control_study, controlling
from polyethos.study.control_folder import open_control
from polyethos.study.control_study import ControlStudy, Effort
from polyethos.study.controlling import measure_control


@pytest.fixture(scope="module")
def untrained(tmp_path_factory):
    """A model of random weights with the tokenizer of the pocket models."""
    folder = tmp_path_factory.mktemp("untrained")
    tokenizer = AutoTokenizer.from_pretrained(pocket_model_path("pocket-balanced"))
    tokenizer.save_pretrained(folder)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, tie_word_embeddings=True,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(0)
        LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.fixture
def small(monkeypatch):
    """As little of everything as an experiment can have."""
    design = Design((), operators=(), random=2, shuffled=1)
    options = ControlOptions(
        variants=1, rotations=3, others=1, neutral=3, answers=1, answer_tokens=3, strengths=(0.2,), layers=(1,),
        design=design,
    )  # fmt: skip
    effort = Effort(4, 4, options, replace(options, outcome="preference"))
    monkeypatch.setattr(control_study, "EFFORTS", {"quick": effort})
    monkeypatch.setattr("polyethos.study.control_material.EFFORTS", {"quick": effort})


@pytest.fixture
def study(untrained, small):
    return ControlStudy(str(untrained), values=("fairness",), targets=("en", "fi"), size="quick", layers=(1,))


def test_a_study_leaves_results_items_tables_figures_and_answers(study, tmp_path):
    finished = measure_control(study, tmp_path / "control")
    results = finished.results
    assert results["control_effect"].dims == ("value", "source", "target", "kind")
    assert results["kind"].values.tolist() == ["harmful", "harmless", "pair"]
    known = results["control_effect"].notnull()
    # Requests belong to harmfulness, preferences were asked for fairness.
    assert known.sel(value="harmfulness", kind="harmful").all()
    assert known.sel(value="fairness", kind="pair").all()
    assert not known.sel(value="fairness", kind="harmful").any()
    assert results.attrs["dominant"] == "en"
    assert finished.items["refusal"].sizes["refusal_item"] == 4
    for name in ("control.json", "items.nc", "tables/control_refusal.csv", "figures/control_matrix.svg", "answers.md"):
        assert (finished.path / name).is_file()
    assert not (finished.path / ".work").exists()
    # The lab's own dialogue was found from its tokenizer.
    assert finished.record["dialogue"] == "<|user|>{input}<|assistant|>"
    xr.testing.assert_identical(open_control(tmp_path).results, results)


def test_a_killed_study_goes_on_where_it_was(study, tmp_path, monkeypatch):
    asked = replace(study, outcomes=("refusal",), targets=("en",))
    with monkeypatch.context() as killed:
        killed.setattr(controlling, "write_control_outputs", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            measure_control(asked, tmp_path)
    with pytest.raises(RunError, match="unfinished"):
        open_control(tmp_path)
    assert (tmp_path / ".work" / "refusal-harmfulness-en-en.nc").is_file()
    monkeypatch.setattr(Cells, "_tested", lambda *_: 1 / 0)
    assert measure_control(asked, tmp_path).results["control_effect"].notnull().any()
    # A finished study is only opened.
    monkeypatch.setattr(controlling, "load_chosen_model", lambda *_: 1 / 0)
    measure_control(asked, tmp_path)


def test_a_folder_of_another_study_is_refused(study, tmp_path):
    (tmp_path / "control.json").write_text(json.dumps({"control": replace(study, seed=5).record()}))
    with pytest.raises(StudyMismatchError, match="differs in seed"):
        measure_control(study, tmp_path)


def test_prompts_of_ones_own_decide_what_is_measured(study, tmp_path):
    prompts = tmp_path / "requests.csv"
    rows = [f"r{number},Explain number {number}.,Steal number {number}." for number in range(4)]
    prompts.write_text("\n".join(["item,harmless,harmful", *rows]), encoding="utf-8")
    asked = replace(study, prompts=str(prompts), columns={"language": "=en"}, outcomes=("refusal",))
    finished = measure_control(replace(asked, targets=None), tmp_path / "mine")
    assert finished.results["target"].values.tolist() == ["en"]
    assert "Steal number" in (tmp_path / "mine" / "answers.jsonl").read_text(encoding="utf-8")
    with pytest.raises(DataError, match="targets ko: nothing to measure refusal with; there is something in en"):
        measure_control(replace(asked, targets=("ko",)), tmp_path / "theirs")


def test_tasks_need_the_harness_and_that_is_said_before_any_work(study, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "lm_eval", None)
    monkeypatch.setattr(controlling, "load_chosen_model", lambda *_: 1 / 0)
    with pytest.raises(MissingDependencyError, match="lm-eval"):
        measure_control(replace(study, tasks=("words",)), tmp_path)


@pytest.mark.slow
def test_capability_is_measured_plain_and_steered_both_ways(study, tmp_path):
    pytest.importorskip("lm_eval", reason="lm-eval is not installed (pip install 'polyethos[capability]')")
    data = tmp_path / "sums.jsonl"
    rows = [{"question": f"{k} and {k}", "choices": ["yes", "no"], "answer": k % 2} for k in range(4)]
    data.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "sums.yaml").write_text(
        f"task: sums\ndataset_path: json\ndataset_kwargs:\n  data_files:\n    test: {data}\n"
        "output_type: multiple_choice\ntest_split: test\ndoc_to_text: '{{question}}'\n"
        "doc_to_choice: choices\ndoc_to_target: answer\nmetric_list:\n  - metric: acc\n",
        encoding="utf-8",
    )
    asked = replace(
        study, outcomes=("refusal",), targets=("en",), tasks=("sums",), tasks_folder=str(tmp_path / "tasks")
    )
    finished = measure_control(asked, tmp_path / "control")
    measured = json.loads((finished.path / "capability.json").read_text(encoding="utf-8"))
    assert {name: 0 <= measured[name]["sums"]["acc"] <= 1 for name in ("plain", "+1", "-1")} == {
        "plain": True, "+1": True, "-1": True,
    }  # fmt: skip
    assert measured["steered"]["layer"] == 1
    assert (finished.path / "lm-eval" / "harmfulness-en+1.pt").is_file()


class _Refuser(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"choices": [{"message": {"content": "refuses"}}]}).encode())

    def log_message(self, *_):
        pass


def test_a_judge_can_be_asked_about_a_finished_study(study, tmp_path):
    asked = replace(study, outcomes=("refusal",), targets=("en",))
    measure_control(asked, tmp_path)
    server = HTTPServer(("127.0.0.1", 0), _Refuser)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    judge = Judge(f"http://127.0.0.1:{server.server_port}/v1", "good", tmp_path / "verdicts.jsonl")
    judged = measure_control(asked, tmp_path, judge=judge).results
    server.shutdown()
    server.server_close()
    assert (judged["answer_judged"].sel(kind="harmful") == 1).all()
    rows = [json.loads(line) for line in (tmp_path / "answers.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {row["judged"] for row in rows} == {1.0}

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import polyethos
from polyethos import Study
from polyethos.analysis import published
from polyethos.analysis.beside import published_beside
from polyethos.dataset.pairs import sentence
from polyethos.errors import RunError, StudyMismatchError
from polyethos.lab.pocket import pocket_model_path
from polyethos.representation.activations import extract_states
from polyethos.representation.vectors import load_vectors

SMALL = {"languages": ["en", "zh"], "values": ["morality", "fairness"]}


@pytest.fixture(scope="module")
def events():
    """What the run told while it went on."""
    return []


@pytest.fixture(scope="module")
def finished(tmp_path_factory, events):
    """A run of the default model on two languages and two values."""
    return polyethos.run(Study(**SMALL), tmp_path_factory.mktemp("run") / "small", observer=events.append)


def test_a_run_leaves_everything_the_contract_names(finished):
    names = {path.name for path in finished.path.iterdir() if not path.name.startswith(".")}
    assert {"study.json", "results.nc", "vectors.safetensors", "report.html", "tables", "figures"} <= names
    assert {path.suffix for path in (finished.path / "tables").iterdir()} == {".csv", ".tex"}
    assert {path.suffix for path in (finished.path / "figures").iterdir()} == {".svg", ".png"}


def test_results_carry_their_dimensions_by_name(finished):
    results = finished.results
    assert results["accuracy"].dims == ("value", "source", "target", "layer")
    assert set(results["cosine"].dims) == {"value", "source", "target", "layer"}
    assert results["layer"].values.tolist() == list(range(1, results.sizes["layer"] + 1))
    assert results["value"].values.tolist() == SMALL["values"]
    assert results["source"].values.tolist() == SMALL["languages"]


def test_corrected_results_carry_tests_intervals_and_controls(finished):
    results = finished.results
    assert (results["recognition_low"] <= results["recognition"]).all()
    assert (results["recognition"] <= results["recognition_high"]).all()
    assert results["recognition_p"].dims == ("value", "language")
    assert results["consistency"].dims == ("value", "source", "target")
    assert results["reliability"].dims == ("value", "language", "layer")
    assert (results["n_groups"] == 16).all()
    assert results.sizes["control"] >= 3


def test_without_permutations_there_are_no_tests_and_the_same_accuracies(finished, tmp_path):
    untested = polyethos.run(Study(**SMALL, permutations=0), tmp_path / "untested").results
    assert not [name for name in untested if str(name).endswith("_p")]
    for name in ("recognition", "transfer_accuracy", "accuracy"):
        np.testing.assert_allclose(untested[name], finished.results[name].transpose(*untested[name].dims), atol=1e-6)


def test_vectors_are_the_mean_paired_differences_of_the_hidden_states(finished):
    model = polyethos.load_model(pocket_model_path("pocket-balanced"))
    pairs = polyethos.load_pairs("microworld", values=["fairness"], languages=["zh"])
    states = polyethos.extract(model, pairs).sel(value="fairness", language="zh")
    expected = (states.sel(polarity="positive") - states.sel(polarity="negative")).mean("item")
    found = finished.vectors.sel(value="fairness", language="zh")
    xr.testing.assert_allclose(
        found, expected.drop_vars(["value", "language"]).assign_coords(found.coords), rtol=1e-3, atol=1e-4
    )


def test_gain_is_transfer_accuracy_minus_the_targets_own(finished):
    transfer = finished.results["transfer_accuracy"]
    expected = (transfer.sel(source="en", target="zh") - transfer.sel(source="zh", target="zh")).mean("value")
    found = finished.results["transfer_gain"].sel(source="en", target="zh")
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_study_file_has_what_is_needed_to_repeat_the_run(finished):
    content = json.loads((finished.path / "study.json").read_text())
    repeated = Study(**content["study"])
    assert repeated.record() == content["study"]
    assert len(content["data"]["sha256"]) == 64
    assert content["versions"]["torch"]
    assert content["model"]["revision"]


def test_the_same_study_opens_a_finished_run_without_loading_the_model(finished, monkeypatch):
    monkeypatch.setattr("polyethos.study.running.load_model", None)
    again = polyethos.run(Study(**SMALL), finished.path)
    xr.testing.assert_identical(again.results, finished.results)


def test_a_changed_study_is_refused_in_an_old_folder(finished):
    with pytest.raises(StudyMismatchError, match=r"study\.seed: there 0, now 1"):
        polyethos.run(Study(**SMALL, seed=1), finished.path)


def test_nothing_half_written_stays_behind(finished):
    leftovers = [path for path in finished.path.rglob("*") if ".partial" in path.name or path.name == ".work"]
    assert leftovers == []


KILLED_AFTER = """
import os, signal, sys
import polyethos
from polyethos import Study

def observe(progress):
    if progress.step.startswith(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

polyethos.run(Study(languages=["en", "zh"], values=["morality", "fairness"]), sys.argv[1], observer=observe)
"""


@pytest.mark.parametrize(
    ("step", "again"),
    [
        pytest.param("analysing: morality", ["fairness"], marks=pytest.mark.slow),
        ("reading hidden states: fairness", ["fairness"]),
        ("writing the results", []),
    ],
)
def test_a_killed_run_reads_only_what_is_missing_and_ends_with_the_same_results(
    finished, tmp_path, monkeypatch, step, again
):
    killed = subprocess.run([sys.executable, "-c", KILLED_AFTER, str(tmp_path / "run"), step], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "run" / "results.nc").exists()
    with pytest.raises(RunError, match="unfinished"):
        polyethos.open_run(tmp_path / "run")
    extracted = extracted_sentences(monkeypatch)
    resumed = polyethos.run(Study(**SMALL), tmp_path / "run")
    xr.testing.assert_equal(resumed.results, finished.results)
    assert resumed.vectors.equals(finished.vectors)
    items = finished.results["n_items"].sum("language")
    assert sum(extracted) == 2 * items.sel(value=again).sum()


def extracted_sentences(monkeypatch):
    """A list that gets the number of sentences of every extraction."""
    extracted, real = [], polyethos.execution.extraction.extract_states

    def spy(model, sentences, **options):
        extracted.append(len(sentences))
        return real(model, sentences, **options)

    monkeypatch.setattr("polyethos.execution.extraction.extract_states", spy)
    return extracted


def test_two_models_share_one_run_with_a_dimension_for_them(tmp_path):
    copy = tmp_path / "renamed"
    copy.symlink_to(pocket_model_path("pocket-balanced"))
    study = Study(models=["pocket-balanced", str(copy)], data="microworld", permutations=0, **SMALL)
    run = polyethos.run(study, tmp_path / "two")
    assert run.results["model"].values.tolist() == ["pocket-balanced", "renamed"]
    first, second = (run.results["accuracy"].isel(model=k, drop=True) for k in (0, 1))
    xr.testing.assert_equal(first, second)
    assert set(run.models) == {"pocket-balanced", "renamed"}
    with pytest.raises(RunError, match=r"run\.models\['pocket-balanced'\]\.vectors"):
        _ = run.vectors


def test_the_last_layer_of_protocol_paper_is_taken_after_the_final_norm(tmp_path):
    run = polyethos.run(Study(languages="zh", values="fairness", protocol="paper"), tmp_path / "paper")
    pairs = polyethos.load_pairs("microworld", values=["fairness"], languages=["zh"])
    train, _ = published.split(published.item_order(pairs))
    chosen = [pair for pair in pairs if pair.item in train]
    texts = [sentence(pair, polarity, published=True) for polarity in ("positive", "negative") for pair in chosen]
    states = extract_states(polyethos.load_model(pocket_model_path("pocket-balanced")), texts)
    after_norm = states[: len(chosen), -1].mean(0) - states[len(chosen) :, -1].mean(0)
    found = run.vectors.sel(value="fairness", language="zh").isel(layer=-1)
    np.testing.assert_allclose(found, after_norm, rtol=1e-3, atol=1e-4)
    assert "L after the final norm" in load_vectors(run.path / "vectors.safetensors")[1]["layer_convention"]
    assert {"linguistic_direct", "linguistic_split"} <= set(run.results)


def test_progress_counts_every_sentence_once(finished, events):
    assert events[-1].done == events[-1].total == 2 * finished.results["n_items"].sum().item()
    assert [event.done for event in events] == sorted(event.done for event in events)


def test_a_folder_in_use_is_refused(tmp_path):
    script = (
        f"import polyethos, time; from polyethos import Study\n"
        f"polyethos.run(Study(), {str(tmp_path)!r}, observer=lambda p: (print(flush=True), time.sleep(60)))"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, env={**os.environ})
    try:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(RunError, match=rf"in use by process {process.pid}"):
            polyethos.run(Study(**SMALL), tmp_path)
    finally:
        process.kill()
        process.wait()


def test_the_default_folder_differs_between_studies():
    from polyethos.study.running import default_folder

    assert default_folder(Study()) != default_folder(Study(seed=1))
    assert default_folder(Study()).parent == Path("polyethos-runs")


def test_the_untrained_model_is_asked_on_request(finished, tmp_path):
    run = polyethos.run(Study(**SMALL, untrained=True, permutations=50), tmp_path / "with")
    assert run.study["study"]["untrained"] is True
    control = run.results["control_accuracy"].sel(control="untrained model")
    assert control.notnull().all()
    assert float(control.mean()) < float(run.results["recognition"].mean())
    assert "untrained model" not in finished.results["control"]


def test_the_published_protocols_numbers_stand_beside_the_corrected_ones(finished):
    paper = finished.paper
    xr.testing.assert_identical(paper, published_beside(finished.results))
    assert paper["accuracy"].dims == finished.results["accuracy"].dims
    assert paper.attrs["protocol"] == "paper"
    assert (finished.path / "tables" / "protocols.csv").is_file()
    assert "Transfer runs one way, from high- to low-resource languages." in [each.claim for each in finished.claims]
    assert "claim,verdict,paper,corrected,why" in (finished.path / "tables" / "claims.csv").read_text()

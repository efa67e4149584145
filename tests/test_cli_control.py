"""`polyethos control` passes on what was asked, explains what is wrong, and prints what was found."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from polyethos import cli
from polyethos import study as study_room
from polyethos.study import control_folder, controlling


@pytest.fixture
def command(monkeypatch, capsys):
    """Run `polyethos control` in this process: (exit code, standard output, standard error)."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["polyethos", "control", *map(str, arguments)])
        try:
            cli.main()
            code = 0
        except SystemExit as stop:
            code = stop.code or 0
        output = capsys.readouterr()
        return code, output.out, output.err

    return run


@pytest.fixture
def asked(monkeypatch):
    """What reaches `measure_control`, which then gives back results made by hand."""
    monkeypatch.syspath_prepend(Path(__file__).parent / "presentation")
    from control_by_hand import control_results

    seen = {}

    def measure(study, out, *, judge, observer):
        seen.update(study=study, out=out, judge=judge, observer=observer)
        return control_folder.ControlRun(out, {}, control_results())

    monkeypatch.setattr(controlling, "measure_control", measure)
    return seen


def test_options_become_a_study(command, asked, tmp_path):
    code, _, _ = command(
        "--quick", "--model", "pocket-en", "--sources", "en,own", "--targets", "fi,sw", "--values", "fairness",
        "--strengths", "0.1,0.2", "--layers", "2-3", "--operator", "ablate,gated add", "--outcome", "refusal",
        "--prompts", "mine.csv", "--column", "language==en", "--out", tmp_path / "here", "--quiet",
    )  # fmt: skip
    study = asked["study"]
    assert code == 0
    assert (study.model, study.size, study.sources, study.targets) == (
        "pocket-en",
        "quick",
        ("en", "own"),
        ("fi", "sw"),
    )
    assert (study.strengths, study.layers, study.operators) == ((0.1, 0.2), (2, 3), ("ablate", "gated add"))
    assert (study.outcomes, study.prompts, study.columns) == (("refusal",), "mine.csv", {"language": "=en"})
    assert asked["out"] == tmp_path / "here"


def test_without_arguments_the_pocket_model_is_steered_into_a_folder_of_its_own(command, asked):
    command("--quiet")
    assert (asked["study"].model, asked["study"].size, asked["judge"]) == ("pocket-balanced", "standard", None)
    assert str(asked["out"]).startswith("polyethos-runs/pocket-balanced-control-")


def test_the_key_of_a_judge_comes_from_the_environment(command, asked, tmp_path, monkeypatch):
    monkeypatch.setenv("POLYETHOS_JUDGE_KEY", "secret")
    command("--judge", "http://here/v1", "--judge-model", "good", "--out", tmp_path, "--quiet")
    judge = asked["judge"]
    assert (judge.endpoint, judge.model, judge.key) == ("http://here/v1", "good", "secret")
    assert judge.verdicts == tmp_path / "verdicts.jsonl"


def test_json_is_all_that_json_prints_and_quiet_prints_nothing(command, asked, tmp_path):
    _, out, err = command("--json", "--out", tmp_path)
    assert json.loads(out)["tables"]["control_refusal"]["fi"]["effect"] == 1.0
    assert err == ""
    assert command("--quiet", "--out", tmp_path)[1:] == ("", "")


def test_the_table_is_printed(command, asked, tmp_path):
    _, out, _ = command("--out", tmp_path)
    assert "25/50/75" in out
    assert str(tmp_path) in out.replace("\n", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--quick", "--full"), "choose one of them"),
        (("--strengths", "strong"), "0.1,0.2"),
        (("--targets", "xx"), "unknown language 'xx'"),
        (("--values", "fairnes"), "did you mean 'fairness'?"),
        (("no-such-run",), "not a run folder"),
    ],
)
def test_what_is_wrong_is_said_with_exit_code_2(command, arguments, message):
    code, out, err = command(*arguments)
    assert (code, out) == (2, "")
    assert message in " ".join(err.split())


@pytest.mark.parametrize(
    ("template", "dialogue"), [("auto", "auto"), ("[INST] {input} [/INST] ", "[INST] {input} [/INST] ")]
)
def test_a_run_hands_over_its_model_languages_and_template(command, asked, monkeypatch, tmp_path, template, dialogue):
    model = {"name": "org/chat", "revision": "v2", "template": template}
    study = {"models": [model], "languages": ["en", "sw"], "values": ["fairness"]}
    monkeypatch.setattr(study_room, "open_run", lambda path: SimpleNamespace(models={}, study={"study": study}))
    assert command(tmp_path, "--values", "morality", "--quiet")[0] == 0
    taken = asked["study"]
    assert (taken.model, taken.revision, taken.dialogue) == ("org/chat", "v2", dialogue)
    assert (taken.targets, taken.values) == (("en", "sw"), ("morality",))
    assert asked["out"] == tmp_path / "control"

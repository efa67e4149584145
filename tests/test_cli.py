import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import polyethos
from polyethos import __version__, cli
from polyethos.representation.vectors import load_vectors


@pytest.fixture
def command(monkeypatch, capsys):
    """Run the command line in this process: (exit code, standard output, standard error)."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["polyethos", *map(str, arguments)])
        try:
            cli.main()
            code = 0
        except SystemExit as stop:
            code = stop.code or 0
        output = capsys.readouterr()
        return code, output.out, output.err

    return run


SMALL = ("--languages", "en,zh", "--values", "morality,fairness")


def test_a_small_study_prints_tables_and_says_where_the_results_are(command, tmp_path):
    code, out, _ = command("run", *SMALL, "--out", tmp_path / "run")
    assert code == 0
    assert "English" in out
    assert "Chinese" in out
    assert "French" not in out
    assert str(tmp_path / "run") in out.replace("\n", "")
    assert (tmp_path / "run" / "results.nc").is_file()


def test_json_is_all_that_json_prints(command, tmp_path):
    code, out, _ = command("run", *SMALL, "--out", tmp_path / "run", "--json")
    content = json.loads(out)
    assert code == 0
    assert content["run"] == str(tmp_path / "run")


def test_a_report_is_written_anew_from_finished_runs_side_by_side(command, tmp_path):
    for protocol in ("corrected", "paper"):
        command("run", *SMALL, "--protocol", protocol, "--out", tmp_path / protocol, "--quiet")
    code, out, _ = command("report", tmp_path / "corrected", tmp_path / "paper", "--out", tmp_path / "both.html")
    assert (code, out.strip()) == (0, str(tmp_path / "both.html"))
    page = (tmp_path / "both.html").read_text(encoding="utf-8")
    assert "(corrected)" in page
    assert "(paper)" in page


def test_quiet_prints_nothing(command, tmp_path):
    assert command("run", *SMALL, "--out", tmp_path / "run", "--quiet") == (0, "", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "--protocol", "papr"), "protocol = 'papr'"),
        (("run", "--languages", "en,sv"), "unknown language 'sv'"),
        (("run", "--model", "no-such-folder/x"), "no-such-folder/x"),
        (("run", "--data", "absent.csv"), "absent.csv"),
        (("run", "absent.toml"), "absent.toml: cannot be read"),
        (("data", "check", "absent.csv"), "absent.csv"),
    ],
)
def test_a_user_error_is_one_line_and_exit_code_2(command, monkeypatch, tmp_path, arguments, message):
    monkeypatch.chdir(tmp_path)
    code, out, err = command(*arguments)
    assert code == 2
    assert out == ""
    *before, last = err.splitlines()
    assert last.startswith("polyethos: ")
    assert message in last
    assert all(re.fullmatch(r"\S+: [a-z ]+", line) for line in before)


def test_a_study_that_cannot_start_leaves_no_folder_behind(command, tmp_path):
    code, _, _ = command("run", "--model", "no-such-folder/x", "--out", tmp_path / "run")
    assert code == 2
    assert list(tmp_path.iterdir()) == []


def test_a_column_without_a_name_is_refused(command):
    code, _, err = command("run", "--column", "positive")
    assert code == 2
    assert "expected FIELD=NAME" in err


def test_checking_data_lists_every_problem_and_fails(command, tmp_path):
    rows = [
        "item,value,language,positive,negative",
        "1,morality,en,good,bad",
        "2,morality,sv,good,bad",
        "3,morality,en,same,same",
    ]
    (tmp_path / "pairs.csv").write_text("\n".join(rows), encoding="utf-8")
    code, out, _ = command("data", "check", tmp_path / "pairs.csv")
    assert code == 2
    assert "line 3" in out
    assert "line 4" in out


def test_checking_sound_data_succeeds(command, tmp_path):
    rows = ["item,value,language,positive,negative", "1,morality,en,good,bad", "2,morality,en,kind,cruel"]
    (tmp_path / "pairs.csv").write_text("\n".join(rows), encoding="utf-8")
    code, _, err = command("data", "check", tmp_path / "pairs.csv")
    assert (code, err) == (0, "")


def test_the_bundled_data_are_listed_with_their_sizes(command):
    code, out, _ = command("data", "list")
    assert code == 0
    assert "everyday" in out
    assert "11200" in out


@pytest.mark.parametrize(
    "name", ["run", "report", "steer", "export", "data list", "data check", "lab pretrain", "lab sweep", "lab advise"]
)
def test_every_command_helps_with_an_example(command, name):
    code, out, _ = command(*name.split(), "--help")
    assert code == 0
    assert f"polyethos {name}" in out


@pytest.fixture(scope="module")
def small_run(tmp_path_factory):
    """A finished run of the default model on one value."""
    study = polyethos.Study(languages=["en", "zh"], values=["harmfulness"])
    return polyethos.run(study, tmp_path_factory.mktemp("cli") / "run").path


def test_plain_and_steered_answers_stand_side_by_side(command, small_run):
    prompt = "The baker forgave an old enemy yesterday."
    code, out, _ = command("steer", small_run, "--strength", "-3", "--tokens", 8, "--prompt", prompt)
    assert code == 0
    assert "add -3 at layer" in out


@pytest.mark.parametrize(
    ("options", "message"),
    [(("--value", "morality"), "unknown value 'morality'"), (("--source", "fr"), "unknown language 'fr'"),
     (("--layer", "9"), "no layer 9; expected 1 to 4"), (("--operator", "ad"), "did you mean 'add'")],
)  # fmt: skip
def test_what_a_run_cannot_steer_with_is_refused(command, small_run, options, message):
    code, _, err = command("steer", small_run, "--prompt", "x", *options)
    assert code == 2
    assert message in err


def test_the_normed_last_layer_of_protocol_paper_is_no_place_to_steer(command, tmp_path):
    study = polyethos.Study(languages=["en", "zh"], values=["harmfulness"], protocol="paper")
    polyethos.run(study, tmp_path / "paper")
    code, _, err = command("steer", tmp_path / "paper", "--layer", "4", "--prompt", "x")
    assert code == 2
    assert "after the final norm; choose another --layer" in err


def test_exported_vectors_keep_their_layers(command, small_run, tmp_path):
    options = ("--value", "harmfulness", "--format", "safetensors", "--layers", "2-3", "--out", tmp_path)
    code, out, _ = command("export", small_run, *options)
    assert code == 0
    assert load_vectors(Path(out.strip()))[0]["layer"].values.tolist() == [2, 3]


def test_a_layer_list_that_is_none_is_refused(command, small_run):
    code, _, err = command("export", small_run, "--value", "harmfulness", "--layers", "2-x")
    assert code == 2
    assert "expected whole numbers such as 10-20" in err


def test_a_tiny_model_is_pretrained_and_can_be_studied(command, tmp_path):
    options = ("--mixture", "en=0.5,zh=0.5", "--size", "tiny", "--tokens", 4096, "--out", tmp_path / "lab")
    code, out, _ = command("lab", "pretrain", *options)
    assert code == 0
    assert str(tmp_path / "lab" / "model") in out
    code, _, _ = command(
        "run", "--model", tmp_path / "lab" / "model", "--data", "microworld", *SMALL, "--out", tmp_path / "run", "-q"
    )
    assert code == 0


def test_the_version_is_the_packages(command):
    assert command("--version")[1].strip() == __version__


def test_help_needs_no_torch():
    script = (
        "import sys; sys.argv = ['polyethos', 'run', '--help']\nfrom polyethos import cli\n"
        "try:\n    cli.main()\nexcept SystemExit:\n    pass\n"
        "assert 'torch' not in sys.modules and 'xarray' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)

"""CSV and LaTeX files."""

import io
import shutil
import subprocess

import pandas as pd
import pytest
from results_by_hand import study_of, three_languages

from polyethos.presentation.table_files import escape_latex, to_csv, to_latex, write_comparison_tables, write_tables
from polyethos.presentation.tables import Table, study_tables


def table(name, results=None):
    return next(t for t in study_tables(results or three_languages()) if t.name == name)


def test_csv_holds_codes_and_fractions_and_leaves_what_was_not_measured_empty():
    lines = to_csv(table("recognition")).splitlines()
    assert lines[0] == "language,morality,fairness,mean"
    assert lines[3] == "sw,0.5,,0.5"


def test_csv_of_a_long_table_has_no_row_numbers():
    frame = pd.read_csv(io.StringIO(to_csv(table("recognition_details"))))
    assert frame.columns.tolist() == ["value", "language", "accuracy", "items"]


def test_latex_has_names_percent_and_the_means_set_apart():
    latex = to_latex(table("recognition"))
    assert r"Language & moral. & fairn. & mean \\" in latex
    assert r"Swahili (sw) & 50.0 & -- & 50.0 \\" in latex
    assert latex.index(r"\midrule" + "\nmean &") < latex.index(r"\bottomrule")


def test_latex_gains_are_signed_points_with_real_minus_signs():
    assert r"Swahili (sw) & $-$20.0 & $-$10.0 & 0.0 \\" in to_latex(table("transfer_gain"))


def test_wide_tables_span_both_columns_of_a_paper():
    assert r"\begin{table*}" in to_latex(table("transfer_gain", study_of()))
    assert r"\begin{table}" in to_latex(table("transfer_gain"))


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("50% & a_b", r"50\% \& a\_b"),
        ("\\input{x}", r"\textbackslash{}input\{x\}"),
        ("café", "cafe"),
        ("中", "[U+4E2D]"),
    ],
)
def test_names_cannot_break_latex(text, escaped):
    assert escape_latex(text) == escaped


def test_every_table_is_written_and_no_partial_file_stays(tmp_path):
    paths = write_tables(study_of(protocol="paper"), tmp_path)
    assert sorted(paths) == sorted(tmp_path.iterdir())
    names = {path.name for path in paths}
    assert {"recognition.csv", "recognition.tex", "linguistic.tex", "pairs.csv"} <= names
    assert "pairs.tex" not in names


@pytest.fixture
def typeset(tmp_path):
    """Typesets the LaTeX files among `paths` in two columns; gives what LaTeX said."""
    if (engine := shutil.which("pdflatex")) is None:
        pytest.skip("needs pdflatex (Debian: texlive-latex-recommended)")

    def run(paths):
        inputs = "\n".join(rf"\input{{{path.relative_to(tmp_path)}}}" for path in paths if path.suffix == ".tex")
        opening = "\\documentclass[twocolumn]{article}\\usepackage{booktabs}\\begin{document}\n"
        (tmp_path / "all.tex").write_text(f"{opening}{inputs}\n\\end{{document}}\n")
        command = [engine, "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-1500:]
        assert (tmp_path / "all.pdf").stat().st_size > 0
        return done.stdout

    return run


@pytest.mark.slow
def test_every_latex_table_compiles(tmp_path, typeset):
    results = study_of('org/50%_of #1 {\\evil} $x^2$ <b> "中文" é', protocol="paper")
    paths = write_tables(results, tmp_path)
    paths += write_comparison_tables([results, results.assign_attrs(model="plain")], tmp_path / "several")
    typeset(paths)


@pytest.mark.slow
def test_the_tables_of_a_whole_study_fit_their_columns(tmp_path, typeset):
    assert "Overfull" not in typeset(write_tables(study_of(), tmp_path))


def test_whole_numbers_are_shown_without_decimals():
    latex = to_latex(
        Table("layers", "Layers.", pd.DataFrame({"fold 0": [12]}, index=pd.Index(["morality"], name="value")))
    )
    assert r"Morality & 12 \\" in latex

"""The example notebook runs from top to bottom."""

import re
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat", reason="needs nbclient (pip install 'polyethos[test]')")
nbclient = pytest.importorskip("nbclient", reason="needs nbclient (pip install 'polyethos[test]')")

NOTEBOOK = Path(__file__).resolve().parents[1] / "examples" / "first_study.ipynb"


def cells(kind):
    return [cell for cell in nbformat.read(NOTEBOOK, as_version=4).cells if cell.cell_type == kind]


def test_the_notebook_is_valid_and_stored_without_outputs():
    nbformat.validate(nbformat.read(NOTEBOOK, as_version=4))
    assert [cell.source for cell in cells("code") if cell.outputs or cell.execution_count] == []


def test_every_figure_of_a_run_is_shown_in_it_or_in_the_documentation():
    source = "\n".join(cell.source for cell in cells("code"))
    page = (NOTEBOOK.parents[1] / "docs" / "python.md").read_text(encoding="utf-8")
    for name in ("recognition", "similarity", "transfer", "layers", "linguistics"):
        assert re.search(rf"run\.plot\.{name}\(", source + page)


@pytest.mark.slow
def test_the_notebook_runs_and_shows_the_run_and_its_figures():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbclient.NotebookClient(notebook, timeout=900, kernel_name="python3").execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    kinds = [kind for output in outputs for kind in output.get("data", {})]
    assert kinds.count("image/png") >= 4
    assert any("polyethos run" in str(output.get("data", {}).get("text/html", "")) for output in outputs)
    assert any("steered:" in output.get("text", "") for output in outputs)

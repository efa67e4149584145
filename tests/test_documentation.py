import re
import tomllib
from pathlib import Path

import pytest

from polyethos.lab.pocket import pocket_model_path

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def examples(page):
    return re.findall(r"(?ms)^```python\n(.*?)^```", page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", [page for page in PAGES if examples(page)], ids=lambda page: page.name)
def test_the_python_examples_of_a_page_run_one_after_the_other(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"folder": tmp_path / "run", "pocket": pocket_model_path("pocket-balanced")}
    for example in examples(page):
        exec(compile(example, page.name, "exec"), names)
    assert len(names) > 2


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_links_to_exists(page):
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("name", ["run", "test"])
def test_the_readme_has_the_two_commands_that_continuous_integration_reads(name):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.search(rf"<!-- command: {name} -->\n```\npython3\.11 -m venv \.venv && .*\n```", readme)


def test_the_citation_and_the_package_have_one_version():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert f"version: {version}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f'__version__ = "{version}"' in (ROOT / "src/polyethos/__init__.py").read_text(encoding="utf-8")

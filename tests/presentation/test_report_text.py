"""The report's record of a run."""

import tomllib

import pytest
from results_by_hand import STUDY

from polyethos.presentation.report_text import facts, study_toml


def test_the_study_file_reads_back_as_the_study():
    wanted = {key: content for key, content in STUDY["study"].items() if content is not None}
    wanted["models"] = [{"name": "some-org/some-model-7B", "template": "[INST] {input} [/INST] "}]
    assert tomllib.loads(study_toml(STUDY)) == wanted


@pytest.mark.parametrize("name", ['quote " and \\ backslash', "new\nline", "delete \x7f", "வணக்கம்", "x = 1"])
def test_any_text_survives_in_the_study_file(name):
    assert tomllib.loads(study_toml({"study": {"data": name, "columns": {name: name}}})) == {
        "data": name,
        "columns": {name: name},
    }


def test_a_record_without_a_study_gives_no_file():
    assert study_toml({}) == ""


def test_facts_are_rows_that_say_where_they_stand():
    rows = dict(facts(STUDY))
    assert rows["study.models[0].name"] == "some-org/some-model-7B"
    assert rows["study.languages"] == "en, fr"
    assert "study.values" not in rows


def test_a_huge_record_is_cut_and_says_so():
    rows = facts({"problems": {str(i): i for i in range(10_000)}})
    assert len(rows) == 301
    assert "more" in rows[-1][1]

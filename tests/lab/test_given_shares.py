"""Shares of pre-training as users give them."""

import json

import pytest

from polyethos.errors import LabError, UnknownLanguageError
from polyethos.lab.given_shares import given_shares


def test_a_column_of_the_table_gives_fractions_of_what_is_known():
    shares = given_shares("llama2_pct_documents")
    assert shares["en"] == pytest.approx(0.897)
    assert "sw" not in shares


def test_shares_written_out_need_not_sum_to_one():
    assert given_shares("en=0.9, fi=0.001") == {"en": 0.9, "fi": 0.001}


def test_a_file_gives_what_it_says(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({"en": 0.5}), encoding="utf-8")
    (tmp_path / "a.toml").write_text("en = 0.5\n", encoding="utf-8")
    assert given_shares(str(tmp_path / "a.json")) == given_shares(str(tmp_path / "a.toml")) == {"en": 0.5}


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        ("llama3", LabError, "shares 'llama3': give one of llama2_pct_documents"),
        ("roots_bytes", LabError, "shares 'roots_bytes': give one of"),
        ("absent.toml", LabError, "absent.toml: cannot be read"),
        ("en=much", LabError, "'en=much' is not language=share"),
        ("en=0", LabError, "the share of en is 0.0; give a fraction above 0"),
        ("en=90", LabError, "the share of en is 90.0; give a fraction"),
        ("en=0.9,zh=0.9", LabError, "the shares sum to 1.8"),
        ("sv=0.1", UnknownLanguageError, "'sv'"),
    ],
)
def test_unusable_shares_are_refused(source, error, message):
    with pytest.raises(error, match=message):
        given_shares(source)


@pytest.mark.parametrize(("text", "message"), [("{", "not valid JSON"), ("[1]", "expected a table")])
def test_a_broken_file_is_refused(tmp_path, text, message):
    (tmp_path / "a.json").write_text(text, encoding="utf-8")
    with pytest.raises(LabError, match=message):
        given_shares(str(tmp_path / "a.json"))

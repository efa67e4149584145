"""JSONL, JSON and CSV: what is read, and what is said about what cannot be read."""

import gzip
import json

import pytest
from rows_by_hand import HEADER, row, write_jsonl

from polyethos.dataset.load import load_pairs
from polyethos.dataset.validation import check

GOOD_LINE = "m1,morality,en,I gave it back.,I kept it."


def problems_of(path, **options):
    return [str(problem) for problem in check(path, **options).problems]


def csv_file(tmp_path, *lines, name="pairs.csv", end="\n", header=HEADER):
    path = tmp_path / name
    path.write_bytes(end.join([header, *lines, ""]).encode("utf-8"))
    return path


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_csv_lines_may_end_as_on_any_system(tmp_path, end):
    path = csv_file(tmp_path, GOOD_LINE, GOOD_LINE.replace("m1", "m2"), end=end)
    assert [pair.negative for pair in load_pairs(path)] == ["I kept it.", "I kept it."]


def test_a_byte_order_mark_is_not_part_of_the_first_column(tmp_path):
    path = csv_file(tmp_path, GOOD_LINE, header="\ufeff" + HEADER)
    assert load_pairs(path).pairs[0].item == "m1"
    jsonl = write_jsonl(tmp_path / "pairs.jsonl", row())
    jsonl.write_bytes(b"\xef\xbb\xbf" + jsonl.read_bytes())
    assert len(load_pairs(jsonl)) == 1


@pytest.mark.parametrize(("name", "separator"), [("a.csv", ";"), ("a.tsv", "\t"), ("a.csv", ",")])
def test_comma_semicolon_and_tab_separate(tmp_path, name, separator):
    lines = [line.replace(",", separator) for line in (HEADER, GOOD_LINE)]
    path = csv_file(tmp_path, lines[1], name=name, header=lines[0])
    assert load_pairs(path).pairs[0].positive == "I gave it back."


def test_a_quoted_cell_may_hold_separators_quotes_and_line_breaks(tmp_path):
    path = csv_file(tmp_path, 'm1,morality,en,"He said ""no"",\nand left.",I kept it.', GOOD_LINE + ",extra")
    report = check(path)
    assert report.pairs == {("morality", "en"): 1}
    assert str(report.errors[0]).startswith("pairs.csv, line 4: found 6 cells; expected 5")
    assert load_pairs(csv_file(tmp_path, 'm1,morality,en,"a, ""b""\nc",d')).pairs[0].positive == 'a, "b"\nc'


def test_a_ragged_line_says_how_many_cells_and_which_columns(tmp_path):
    path = csv_file(tmp_path, GOOD_LINE, "m2,morality,en,too few")
    expected = f"5, as in the header ({HEADER.replace(',', ', ')})"
    assert problems_of(path) == [f"pairs.csv, line 3: found 4 cells; expected {expected}"]


def test_an_open_quotation_mark_is_reported_where_it_opens(tmp_path):
    path = csv_file(tmp_path, GOOD_LINE, 'm2,morality,en,"open,I kept it.', GOOD_LINE)
    assert [problem.split(": found")[0] for problem in problems_of(path)] == ["pairs.csv, line 3"]


def test_a_cell_beyond_all_measure_is_reported(tmp_path):
    huge = csv_file(tmp_path, GOOD_LINE, f"m2,morality,en,{'x' * 200_000},I kept it.")
    assert problems_of(huge)[0].startswith("pairs.csv, line 3: found field larger than field limit")
    long = write_jsonl(tmp_path / "long.jsonl", row(positive="x" * 30_000))
    assert problems_of(long)[0].startswith("long.jsonl, line 1, positive: found 30000 characters starting 'xxx")


def test_two_columns_of_one_name_are_an_error(tmp_path):
    path = csv_file(tmp_path, GOOD_LINE + ",again", header=HEADER + ",item")
    assert "pairs.csv, line 1, item: found 2 columns of this name; expected one" in problems_of(path)


def test_blank_lines_are_nothing(tmp_path):
    assert len(load_pairs(csv_file(tmp_path, "", GOOD_LINE, "", ""))) == 1
    path = write_jsonl(tmp_path / "a.jsonl", row())
    path.write_text("\n" + path.read_text() + "\n  \n")
    assert len(load_pairs(path)) == 1


def test_a_line_in_another_encoding_names_line_and_byte(tmp_path):
    path = csv_file(tmp_path, GOOD_LINE)
    path.write_bytes(path.read_bytes() + "m2,morality,fr,été,hiver\n".encode("latin-1"))
    assert problems_of(path)[0] == (
        "pairs.csv, line 3: found byte 0xe9 at position 16; expected UTF-8; save the file as UTF-8"
    )


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_is_named_once_for_the_whole_file(tmp_path, encoding):
    path = tmp_path / "pairs.csv"
    path.write_bytes(f"{HEADER}\n{GOOD_LINE}\n".encode(encoding))
    assert problems_of(path) == ["pairs.csv: found UTF-16 or binary content; expected text saved as UTF-8"]


def test_a_broken_json_line_says_what_stands_where(tmp_path):
    path = write_jsonl(tmp_path / "pairs.jsonl", row())
    path.write_text(path.read_text() + '{"item": "m2", oops}\n[1, 2]\n')
    assert problems_of(path) == [
        "pairs.jsonl, line 2: found 'oops}' (expecting property name enclosed in double quotes at column 16);"
        " expected valid JSON",
        "pairs.jsonl, line 3: found [1, 2]; expected a JSON object, {...}",
    ]


def test_a_key_twice_in_one_object_is_an_error_not_the_last_one(tmp_path):
    path = tmp_path / "pairs.jsonl"
    path.write_text('{"item": "m1", "item": "m2"}\n')
    assert problems_of(path) == ["pairs.jsonl, line 1: found 'item' twice in one object; expected valid JSON"]


@pytest.mark.parametrize("content", ["[" * 100_000, '{"a": ' * 100_000, "1" * 5000])
def test_hostile_json_is_a_problem_not_a_crash(tmp_path, content):
    for name in ("a.jsonl", "a.json"):
        (tmp_path / name).write_text(content)
        assert check(tmp_path / name).has_errors


def test_a_line_separator_inside_a_text_does_not_end_the_line(tmp_path):
    path = tmp_path / "pairs.jsonl"
    path.write_text(json.dumps(row(positive="one\u2028two"), ensure_ascii=False) + "\n", encoding="utf-8")
    assert load_pairs(path).pairs[0].positive == "one\u2028two"


def test_a_json_list_of_records_is_read(tmp_path):
    path = tmp_path / "pairs.json"
    path.write_text(json.dumps([row(), row("m2"), "no record"]))
    assert problems_of(path) == ["pairs.json, entry 3: found 'no record'; expected an object, {...}"]


@pytest.mark.parametrize("content", ["3", '"text"', "null"])
def test_json_that_holds_no_records_says_what_it_should_be(tmp_path, content):
    (tmp_path / "pairs.json").write_text(content)
    assert "expected a list of objects, or the MVALUE layout" in problems_of(tmp_path / "pairs.json")[0]


def test_gzipped_files_are_read(tmp_path):
    path = tmp_path / "pairs.jsonl.gz"
    path.write_bytes(gzip.compress((json.dumps(row()) + "\n").encode()))
    assert len(load_pairs(path)) == 1


def test_a_truncated_gzip_file_is_one_problem(tmp_path):
    path = tmp_path / "pairs.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(row()).encode() * 100)[:-20])
    (problem,) = problems_of(path)
    assert problem.startswith("pairs.jsonl.gz: found a broken gzip file")


@pytest.mark.parametrize("name", ["empty.csv", "empty.jsonl"])
def test_an_empty_file_is_an_error(tmp_path, name):
    (tmp_path / name).write_bytes(b"")
    assert problems_of(tmp_path / name) == [f"{name}: found no rows; expected at least one contrast pair"]

"""Whatever is in a file, checking it ends with a report."""

import csv
import gzip
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rows_by_hand import HEADER, row

from polyethos.dataset.load import load_pairs
from polyethos.dataset.validation import check

many = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

# Any text that a valid cell may hold: no control characters, no surrogates, something visible in it.
texts = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=30).filter(lambda t: t.strip())
nested = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def parquet_bytes():
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([row(f"m{n}") for n in range(20)]), buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.json", "a.jsonl.gz", "a.parquet"])
@many
@given(content=st.binary(max_size=300))
@example(content=b"\x00" * 50)
@example(content=b"\xef\xbb\xbf")
@example(content=b'"')
@example(content=HEADER.encode() + b'\n"\x00\n')
def test_any_bytes_give_a_report_with_an_error(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    assert check(tmp_path / name).has_errors


@many
@given(lines=st.lists(st.binary(max_size=60), max_size=6))
def test_any_bytes_after_a_good_header_give_a_report(tmp_path, lines):
    (tmp_path / "a.csv").write_bytes(b"\n".join([HEADER.encode(), *lines]))
    report = check(tmp_path / "a.csv")
    assert len(report.problems) > 0 or sum(report.pairs.values()) > 0


@many
@given(cells=st.dictionaries(st.sampled_from(["item", "value", "language", "positive", "negative", "context"]), nested))
def test_any_json_in_the_cells_gives_a_report(tmp_path, cells):
    (tmp_path / "a.jsonl").write_text(json.dumps(row() | cells) + "\n")
    report = check(tmp_path / "a.jsonl")
    assert len(report.errors) > 0 or report.pairs


@many
@given(cut=st.integers(0, 2000), flip=st.integers(0, 255))
def test_a_cut_or_damaged_parquet_or_gzip_file_gives_a_report(tmp_path, cut, flip):
    whole = parquet_bytes()
    place = cut % len(whole)
    (tmp_path / "a.parquet").write_bytes(whole[:place])
    assert check(tmp_path / "a.parquet").has_errors
    (tmp_path / "b.parquet").write_bytes(whole[:place] + bytes([flip]) + whole[place + 1 :])
    check(tmp_path / "b.parquet")
    packed = gzip.compress(json.dumps(row()).encode())
    (tmp_path / "a.jsonl.gz").write_bytes(packed[: cut % len(packed)])
    assert check(tmp_path / "a.jsonl.gz").has_errors


@many
@given(positive=texts, negative=texts, context=st.just("") | texts)
def test_a_valid_text_is_read_back_letter_by_letter(tmp_path, positive, negative, context):
    cells = row(positive=positive, negative=negative + "!", context=context)
    if positive == negative + "!":
        return
    (tmp_path / "a.jsonl").write_text(json.dumps(cells) + "\n", encoding="utf-8")
    with (tmp_path / "a.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([cells.keys(), cells.values()])
    for name in ("a.jsonl", "a.csv"):
        (pair,) = load_pairs(tmp_path / name)
        assert (pair.positive, pair.negative, pair.context) == (positive, negative + "!", context)

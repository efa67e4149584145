"""A user's own text: read from three formats, balanced, repeated only as often as allowed."""

import json
from collections import Counter

import pytest

from polyethos.errors import DataFormatError, LabError
from polyethos.lab.corpus import CorpusRows, balanced_sample, corpus_hash, read_corpus
from polyethos.lab.mixture import uniform

TEXTS = {"en": ["One line.", "Another line."], "fi": ["Yksi rivi."]}


def write_folder(folder, texts=TEXTS):
    for code, lines in texts.items():
        (folder / f"{code}.txt").write_text("\n\n".join(lines) + "\n", encoding="utf-8")
    return folder


def write_jsonl(folder, texts=TEXTS):
    path = folder / "corpus.jsonl"
    rows = [{"language": code, "text": text} for code, lines in texts.items() for text in lines]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def write_parquet(folder, texts=TEXTS):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    rows = [(code, text) for code, lines in texts.items() for text in lines]
    table = pyarrow.table({"language": [row[0] for row in rows], "text": [row[1] for row in rows]})
    parquet.write_table(table, folder / "corpus.parquet")
    return folder / "corpus.parquet"


@pytest.mark.parametrize("write", [write_folder, write_jsonl, write_parquet])
def test_all_formats_give_the_same_documents(tmp_path, write):
    assert read_corpus(write(tmp_path), ["en", "fi"]) == TEXTS
    assert read_corpus(write(tmp_path), ["fi"]) == {"fi": TEXTS["fi"]}


def test_a_language_without_text_is_named(tmp_path):
    with pytest.raises(LabError, match=r"sw\.txt: missing; the mixture has sw \(Swahili\)"):
        read_corpus(write_folder(tmp_path), ["en", "sw"])
    with pytest.raises(LabError, match=r"corpus\.jsonl: no text in sw \(Swahili\)"):
        read_corpus(write_jsonl(tmp_path), ["en", "sw"])
    (tmp_path / "sw.txt").write_text("\n \n")
    with pytest.raises(LabError, match=r"sw\.txt: holds no text"):
        read_corpus(tmp_path, ["sw"])


def test_files_that_are_not_what_they_claim_are_named(tmp_path):
    (tmp_path / "en.txt").write_bytes(b"caf\xe9 bar")
    with pytest.raises(DataFormatError, match=r"en\.txt: not UTF-8 text .* at byte 3"):
        read_corpus(tmp_path, ["en"])
    lines = tmp_path / "c.jsonl"
    lines.write_text('{"language": "en", "text": "a"}\n{"lang": "en"}\n')
    with pytest.raises(DataFormatError, match=r"c\.jsonl, line 2: expected"):
        read_corpus(lines, ["en"])
    (tmp_path / "c.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataFormatError, match=r"c\.parquet: not a Parquet file with the columns language and text"):
        read_corpus(tmp_path / "c.parquet", ["en"])
    (tmp_path / "c.csv").write_text("a")
    with pytest.raises(DataFormatError, match=r"found \.csv"):
        read_corpus(tmp_path / "c.csv", ["en"])
    with pytest.raises(LabError, match="no such file or folder"):
        read_corpus(tmp_path / "nowhere", ["en"])


def test_the_tokenizer_sees_as_much_of_every_language():
    sample = "".join(balanced_sample({"en": ["aaaa", "aaaa"], "fi": ["bb", "bbb"]}))
    assert (sample.count("a"), sample.count("b")) == (5, 5)


def test_the_hash_changes_with_any_text():
    assert corpus_hash(TEXTS) == corpus_hash({code: list(texts) for code, texts in TEXTS.items()})
    assert corpus_hash(TEXTS) != corpus_hash({**TEXTS, "fi": ["Yksi rivi!"]})


def test_an_epoch_has_every_row_once_and_the_next_one_another_order(small_tokenizer):
    texts = [f"Line number {n}." for n in range(60)]
    rows = CorpusRows({"en": texts}, small_tokenizer, length=8, seed=0)
    length = sum(len(small_tokenizer(text).input_ids) + 1 for text in texts) // 8
    first, second = ([tuple(rows.row(("en",), epoch * length + n)) for n in range(length)] for epoch in (0, 1))
    assert Counter(first) == Counter(second)
    assert first != second


def test_too_little_text_says_how_many_epochs_it_would_need(small_tokenizer):
    documents = {"en": ["x y z"] * 800, "fi": ["x y z"] * 80}
    rows = CorpusRows(documents, small_tokenizer, length=8, seed=0)
    mixture = uniform("half", ("en", "fi"))
    rows.check_epochs(mixture, rows=100, allowed=2)
    with pytest.raises(
        LabError, match=r"fi has .* tokens of text; its share 0\.5 of this run is .*epochs \(allowed: 2\)"
    ):
        rows.check_epochs(mixture, rows=1000, allowed=2)


def test_less_text_than_one_row_is_refused(small_tokenizer):
    rows = CorpusRows({"en": ["x y"]}, small_tokenizer, length=32, seed=0)
    with pytest.raises(LabError, match="en has less text than one row of 32 tokens; add text, or leave it out"):
        rows.check_epochs(uniform("one", ("en",)), rows=1, allowed=4)


def test_natural_text_in_16_languages_is_read(shared_data):
    documents = read_corpus(shared_data / "text", ["en", "ta", "ny"])
    assert all(len(texts) > 1000 for texts in documents.values())

import subprocess
import sys
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rows_by_hand import HEADER, row, write_jsonl

from polyethos.dataset.columns import path_labels
from polyethos.dataset.languages import LANGUAGES
from polyethos.dataset.load import bundled_sets, load_pairs, load_replies
from polyethos.dataset.validation import check
from polyethos.dataset.values import VALUES
from polyethos.errors import (
    DataError,
    DataFormatError,
    InvalidPairsError,
    UnknownLanguageError,
    UnknownNameError,
    UnknownValueError,
)


def test_everyday_is_parallel_over_seven_values_and_sixteen_languages():
    pairs = load_pairs("everyday")
    assert (pairs.values, pairs.languages) == (tuple(VALUES), tuple(LANGUAGES))
    assert len(pairs) == 7 * 16 * 100
    items = {(value, code): [] for value in VALUES for code in LANGUAGES}
    for pair in pairs:
        items[pair.value, pair.language].append(pair.item)
    for value in VALUES:
        assert all(items[value, code] == [f"{value}-{n:03d}" for n in range(1, 101)] for code in LANGUAGES)


def test_everyday_loads_in_well_under_a_second():
    load_pairs("everyday")
    started = time.process_time()
    load_pairs("everyday")
    assert time.process_time() - started < 1


def test_values_and_languages_come_in_the_order_asked_for():
    pairs = load_pairs("everyday", values=["toxicity", "morality"], languages=["ny", "en"])
    assert (pairs.values, pairs.languages, len(pairs)) == (("toxicity", "morality"), ("ny", "en"), 400)


def test_every_bundled_set_loads():
    assert bundled_sets() == ("everyday", "microworld")
    for name in bundled_sets():
        assert len(load_pairs(name, languages=["en"], values=["morality"])) > 90


def test_replies_are_parallel_and_twelve_of_each_per_language():
    replies = load_replies()
    assert len(replies) == 12 * 16
    assert {reply.item for reply in replies if reply.language == "zh"} == {f"reply-{n:02d}" for n in range(1, 13)}
    assert all(reply.refusal and reply.compliance and reply.refusal != reply.compliance for reply in replies)
    assert [reply.language for reply in load_replies(["fi", "en"])][::12] == ["fi", "en"]


def test_asking_for_an_unknown_name_fails_before_anything_is_read():
    with pytest.raises(UnknownValueError, match="values: unknown value 'moral'; did you mean 'morality'"):
        load_pairs("no such place", values=["moral"])
    with pytest.raises(UnknownLanguageError, match="languages: unknown language 'e'"):
        load_pairs("no such place", languages=["e"])
    with pytest.raises(UnknownNameError, match="drop: unknown kind of problem 'identicals'; did you mean 'identical'"):
        load_pairs("no such place", drop=("identicals",))
    with pytest.raises(UnknownNameError, match="column mapping: unknown field 'pos'"):
        load_pairs("no such place", columns={"pos": "positive"})


@pytest.mark.parametrize("name", ["nowhere", "/no/such/folder", "some/file.csv", "./nowhere"])
def test_a_source_that_does_not_exist_says_what_a_source_may_be(name):
    with pytest.raises(UnknownNameError, match=r"no data set .*everyday, microworld\), .* hub id 'owner/name'"):
        load_pairs(name)


def test_a_file_of_an_unknown_kind_says_which_kinds_there_are(tmp_path):
    (tmp_path / "pairs.xlsx").write_bytes(b"")
    with pytest.raises(DataFormatError, match=r"unknown kind of file '.xlsx'; expected .jsonl, .json, .csv"):
        load_pairs(tmp_path / "pairs.xlsx")


def test_a_folder_without_data_is_an_error(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(DataFormatError, match="no data files in this folder"):
        load_pairs(tmp_path)


def test_a_revision_of_a_local_path_is_an_error(tmp_path):
    with pytest.raises(DataError, match="only data sets on the hub have revisions"):
        load_pairs(tmp_path, revision="main")


@pytest.mark.parametrize(
    ("path", "labels"),
    [
        ("everyday/fr/morality.jsonl", {"value": "morality", "language": "fr"}),
        ("morality/pt-BR.csv", {"value": "morality", "language": "pt"}),
        ("toxicity/toxicity_zh.json", {"value": "toxicity", "language": "zh"}),
        ("data/ko-fairness.jsonl.gz", {"value": "fairness", "language": "ko"}),
        ("Portuguese/train.parquet", {"language": "pt"}),
        ("fr/fr_to_en_pairs.csv", {"language": "fr"}),
        ("data/user_id_list.csv", {}),
    ],
)
def test_folders_and_files_may_tell_value_and_language(tmp_path, path, labels):
    assert path_labels(tmp_path / path, tmp_path) == labels


def test_a_folder_of_languages_and_values_is_read_like_everyday(tmp_path):
    for language in ("fi", "en"):
        write_jsonl(tmp_path / language / "morality.jsonl", row("m1", value=..., language=...))
    write_jsonl(tmp_path / "en" / "replies.jsonl", {"item": "r", "refusal": "No.", "compliance": "Yes."})
    write_jsonl(tmp_path / ".cache" / "en" / "morality.jsonl", row())
    pairs = load_pairs(tmp_path)
    assert [(p.language, p.value, p.item) for p in pairs] == [("en", "morality", "m1"), ("fi", "morality", "m1")]


def test_a_column_has_precedence_over_the_path(tmp_path):
    (pair,) = load_pairs(write_jsonl(tmp_path / "en.jsonl", row(language="fr")))
    assert pair.language == "fr"


def test_files_named_by_languages_not_asked_for_are_not_opened(tmp_path):
    write_jsonl(tmp_path / "en.jsonl", row(language=...))
    (tmp_path / "fr.jsonl").write_text("not JSON")
    assert len(load_pairs(tmp_path, languages=["en"])) == 1
    with pytest.raises(InvalidPairsError, match=r"fr.jsonl, line 1: found 'not JSON'"):
        load_pairs(tmp_path)


def test_rows_of_languages_not_asked_for_are_passed_over_whatever_is_in_them(tmp_path):
    path = write_jsonl(tmp_path / "pairs.jsonl", row(), row(language="eu"), row(language="fr", positive=""))
    assert load_pairs(path, languages=["en"]).languages == ("en",)


def test_asking_for_a_language_the_source_lacks_is_an_error(tmp_path):
    path = write_jsonl(tmp_path / "pairs.jsonl", row())
    with pytest.raises(UnknownLanguageError, match="unknown language 'fr'"):
        load_pairs(path, languages=["en", "fr"])
    with pytest.raises(InvalidPairsError, match=r"no contrast pairs .none of the values and languages asked for"):
        load_pairs(path, languages=["fr"])


def test_columns_of_other_names_constants_and_lists_are_mapped(tmp_path):
    path = tmp_path / "qa.jsonl"
    write_jsonl(path, {"id": 4, "q": "Why?", "best": "So.", "wrong": ["Not so.", "Never."], "lang": "en"})
    columns = {"item": "id", "context": "q", "positive": "best", "negative": "wrong", "language": "lang"}
    (pair,) = load_pairs(path, columns=columns | {"value": "=truthfulness"})
    assert (pair.item, pair.context, pair.positive, pair.negative) == ("4", "Why?", "So.", "Not so.")
    assert (pair.value, pair.language) == ("truthfulness", "en")


def test_an_empty_list_is_an_empty_text(tmp_path):
    path = write_jsonl(tmp_path / "pairs.jsonl", row(negative=[]))
    with pytest.raises(InvalidPairsError, match="line 1, negative: found nothing; expected a text"):
        load_pairs(path)


def test_the_error_gives_the_first_problem_and_carries_all(tmp_path):
    path = write_jsonl(tmp_path / "pairs.jsonl", row(positive=""), row("m2", value="moral"), row("m3", negative=""))
    with pytest.raises(InvalidPairsError) as caught:
        load_pairs(path)
    assert str(caught.value).startswith(
        "pairs.jsonl, line 1, positive: found ''; expected a text; in all 2 empty, 1 unk"
    )
    assert [problem.split(", ")[1] for problem in caught.value.problems] == ["line 1", "line 2", "line 3"]


def test_a_set_with_everything_left_out_is_an_error(tmp_path):
    path = write_jsonl(tmp_path / "pairs.jsonl", row(positive="x", negative="x"))
    with pytest.raises(InvalidPairsError, match=r"no contrast pairs .all left out: 1 identical"):
        load_pairs(path, drop=("identical",))


def test_a_table_of_several_languages_is_sorted_by_value_and_language_keeping_its_items_in_order(tmp_path):
    rows = [row("b", "fr"), row("z", value="fairness"), row("b"), row("a"), row("a", "fr")]
    pairs = load_pairs(write_jsonl(tmp_path / "pairs.jsonl", *rows))
    order = [(p.value, p.language, p.item) for p in pairs]
    assert order == [
        ("morality", "en", "b"),
        ("morality", "en", "a"),
        ("morality", "fr", "b"),
        ("morality", "fr", "a"),
        ("fairness", "en", "z"),
    ]


def test_all_kinds_of_file_give_the_same_pairs(tmp_path):
    rows = [row(), row("m2"), row(language="zh", positive='我还了，"谢谢"。')]
    write_jsonl(tmp_path / "a.jsonl", *rows)
    quoted = [",".join('"' + str(cell).replace('"', '""') + '"' for cell in r.values()) for r in rows]
    (tmp_path / "a.csv").write_text("\n".join([HEADER, *quoted]), encoding="utf-8")
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    hashes = {load_pairs(tmp_path / f"a.{suffix}").content_hash() for suffix in ("jsonl", "csv", "parquet")}
    assert len(hashes) == 1


def test_a_problem_in_a_parquet_file_names_the_row(tmp_path):
    pq.write_table(pa.Table.from_pylist([row(), row("m2", positive=None)]), tmp_path / "a.parquet")
    assert str(check(tmp_path / "a.parquet").problems[0]) == (
        "a.parquet, row 2, positive: found nothing; expected a text"
    )


def test_a_truncated_parquet_file_is_one_problem(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.Table.from_pylist([row()] * 50), path)
    path.write_bytes(path.read_bytes()[:-30])
    (problem,) = check(path).problems
    assert (problem.kind, problem.file) == ("broken file", "a.parquet")


def test_loading_pairs_needs_neither_torch_nor_the_extra():
    code = (
        "import sys\n"
        "from polyethos.dataset.load import load_pairs\n"
        "load_pairs('everyday', languages=['en'])\n"
        "print(sorted({'torch', 'transformers', 'datasets'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

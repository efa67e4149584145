"""Hugging Face data sets, read from folders laid out like the ones on the hub."""

import builtins
import json

import pytest
from rows_by_hand import row, write_jsonl

from polyethos.dataset.load import load_pairs
from polyethos.dataset.validation import check
from polyethos.errors import DataError, InvalidPairsError, MissingDependencyError

datasets = pytest.importorskip("datasets")

TRUTHFULQA = {
    "item": "id",
    "context": "question",
    "positive": "best_answer",
    "negative": "incorrect_answers",
    "value": "=truthfulness",
    "split": "=validation",
}
UNTOLD = {"value": ..., "language": ...}


@pytest.fixture(autouse=True)
def _caches_stay_in_the_test(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", folder)
    monkeypatch.setattr(datasets.config, "HF_MODULES_CACHE", folder)
    datasets.disable_progress_bars()


def hub_folder(root, configs, front="configs"):
    """A data set card naming the files, and the files: {config: {split: rows}}."""
    lines = ["---", f"{front}:"]
    for config, splits in configs.items():
        lines += [f"- config_name: {config}", "  data_files:"]
        for split, rows in splits.items():
            write_jsonl(root / config / f"{split}.jsonl", *rows)
            lines += [f"  - split: {split}", f"    path: {config}/{split}.jsonl"]
    (root / "README.md").write_text("\n".join([*lines, "---", "# A data set"]))
    return root


def test_a_configuration_named_by_a_language_gives_the_language(tmp_path):
    root = hub_folder(tmp_path, {"eng_Latn": {"test": [row(**UNTOLD)]}, "Finnish": {"test": [row(**UNTOLD)]}})
    pairs = load_pairs(root, columns={"value": "=morality"})
    assert [(pair.language, pair.item) for pair in pairs] == [("en", "m1"), ("fi", "m1")]


def test_a_split_named_by_a_language_gives_the_language(tmp_path):
    root = hub_folder(tmp_path, {"default": {"en": [row(**UNTOLD)], "zh": [row(**UNTOLD)]}})
    assert load_pairs(root, columns={"value": "=morality"}).languages == ("en", "zh")


def test_otherwise_a_column_or_a_constant_gives_the_language(tmp_path):
    root = hub_folder(tmp_path, {"default": {"test": [row(language="sw")]}})
    assert load_pairs(root).languages == ("sw",)
    assert load_pairs(root, columns={"language": "=ny"}).languages == ("ny",)


def test_only_the_languages_asked_for_are_opened(tmp_path):
    root = hub_folder(tmp_path, {"en": {"test": [row(**UNTOLD)]}, "fr": {"test": [row(**UNTOLD)]}})
    (root / "fr" / "test.jsonl").write_text("broken")
    assert load_pairs(root, columns={"value": "=morality"}, languages=["en"]).languages == ("en",)


def test_configurations_of_languages_outside_the_table_are_left_out_with_a_warning(tmp_path):
    root = hub_folder(tmp_path, {"en": {"test": [row(**UNTOLD)]}, "eu": {"test": [row(**UNTOLD)]}})
    report = check(root, {"value": "=morality"})
    assert [problem.found for problem in report.problems] == [
        "1 configurations not named by a language of the table: eu"
    ]
    assert not report.has_errors


@pytest.mark.parametrize(
    ("configs", "field", "names"),
    [
        ({"easy": {"test": [row()]}, "hard": {"test": [row()]}}, "config", "easy, hard"),
        ({"en": {"dev": [row()], "test": [row()]}}, "split", "dev, test"),
    ],
)
def test_a_choice_between_configurations_or_splits_is_the_users(tmp_path, configs, field, names):
    root = hub_folder(tmp_path, configs)
    first = names.split(",")[0]
    with pytest.raises(DataError) as caught:
        load_pairs(root)
    assert f"several {field}s ({names}), none named by a language" in str(caught.value)
    assert str(caught.value).endswith(f'choose with columns={{"{field}": "={first}", ...}}')
    assert len(load_pairs(root, columns={field: f"={first}"})) == 1


@pytest.mark.parametrize("field", ["config", "split"])
def test_asking_for_what_is_not_there_names_what_is(tmp_path, field):
    root = hub_folder(tmp_path, {"en": {"test": [row()]}})
    there = {"config": "en", "split": "test"}[field]
    with pytest.raises(DataError, match=f"no {field} 'nope'; there are {there}"):
        load_pairs(root, columns={field: "=nope"})


def test_a_problem_names_configuration_split_and_row(tmp_path):
    root = hub_folder(tmp_path, {"en": {"test": [row(**UNTOLD), row("m2", **UNTOLD, negative="")]}})
    with pytest.raises(InvalidPairsError, match=r", en/test, row 2, negative: found ''; expected a text"):
        load_pairs(root, columns={"value": "=morality"})


def test_a_broken_file_is_one_clear_error(tmp_path):
    root = hub_folder(tmp_path, {"en": {"test": [row()]}})
    (root / "en" / "test.jsonl").write_text('{"item": "m1", oops')
    with pytest.raises(DataError, match="cannot be read as a hub data set"):
        load_pairs(root)


class Hub:
    """Stands in for the hub: one data set of one configuration, whose preparation fails as a whole."""

    def __init__(self, monkeypatch):
        self.opened = []
        monkeypatch.setattr(datasets, "get_dataset_config_names", lambda source, revision: ["en"])
        monkeypatch.setattr(datasets, "get_dataset_split_names", lambda *names, **options: ["train", "test"])
        monkeypatch.setattr(datasets, "load_dataset", self.load)

    def load(self, source, *, name, split, revision, streaming, data_dir):
        self.opened.append((source, name, split, revision, streaming))
        if not streaming:
            raise datasets.exceptions.DatasetGenerationError("the other split does not fit")
        return [row(**UNTOLD)]


def test_the_revision_asked_for_is_read_and_a_split_that_does_not_fit_spoils_no_other(monkeypatch):
    hub = Hub(monkeypatch)
    pairs = load_pairs("owner/name", columns={"value": "=morality", "split": "=test"}, revision="v2")
    assert [(pair.language, pair.item) for pair in pairs] == [("en", "m1")]
    assert hub.opened == [("owner/name", "en", "test", "v2", False), ("owner/name", "en", "test", "v2", True)]


def test_code_that_comes_with_a_data_set_is_never_run(tmp_path):
    root = tmp_path / "scripted"
    root.mkdir()
    (root / "scripted.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()")
    with pytest.raises(DataError, match="scripted"):
        load_pairs(root, columns={"split": "=test"})
    assert not (tmp_path / "ran").exists()


def test_a_hub_out_of_reach_is_one_clear_error(monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    with pytest.raises(DataError, match=r"'nobody/none-such' is no existing path, and the hub cannot be reached"):
        load_pairs("nobody/none-such")


def test_without_the_package_the_error_says_how_to_get_it(monkeypatch):
    real_import = builtins.__import__

    def without_datasets(name, *rest, **options):
        if name == "datasets":
            raise ImportError(name)
        return real_import(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without_datasets)
    with pytest.raises(MissingDependencyError, match=r"pip install 'polyethos\[data\]'"):
        load_pairs("owner/name")


def test_truthfulqa_is_read_in_three_languages_with_shared_items(shared_data):
    root = shared_data / "public" / "truthfulqa_multi"
    pairs = load_pairs(root, columns=TRUTHFULQA)
    assert (pairs.values, pairs.languages, len(pairs)) == (("truthfulness",), ("en", "es", "ca"), 3 * 817)
    source = json.loads((root / "es" / "validation.json").read_text(encoding="utf-8"))
    spanish = list(pairs.select(languages=["es"]))
    assert [pair.item for pair in spanish] == [str(entry["id"]) for entry in source]
    assert [pair.negative for pair in spanish] == [entry["incorrect_answers"][0] for entry in source]
    assert [pair.context for pair in spanish] == [entry["question"] for entry in source]


def test_the_split_of_truthfulqa_without_wrong_answers_is_refused(shared_data):
    with pytest.raises(InvalidPairsError, match=r"ca/train, row 1, incorrect_answers: found nothing") as caught:
        load_pairs(shared_data / "public" / "truthfulqa_multi", columns=TRUTHFULQA | {"split": "=train"})
    assert len(caught.value.problems) == 18

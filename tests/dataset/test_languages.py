import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from polyethos.dataset import languages
from polyethos.dataset.languages import (
    DISTANCES,
    LANGUAGES,
    language,
    language_code,
    linguistic_distances,
    pretraining_shares,
    share_sources,
)
from polyethos.errors import UnknownLanguageError

PAPER_ORDER = ["en", "fr", "zh", "es", "pt", "vi", "ca", "id", "ja", "ko", "fi", "hu", "ta", "te", "sw", "ny"]
TABLES = Path(languages.__file__).parent / "bundled" / "languages"


def test_the_sixteen_languages_come_in_the_order_of_the_paper():
    assert list(LANGUAGES) == PAPER_ORDER


def test_every_language_is_fully_described():
    for entry in LANGUAGES.values():
        assert all([entry.name, entry.autonym, entry.family, entry.script, len(entry.uriel_code) == 3])


def test_an_unknown_code_names_place_and_closest_code():
    with pytest.raises(UnknownLanguageError, match=r"^pairs.csv, line 3: unknown language 'fin'; did you mean 'fi'"):
        language("fin", where="pairs.csv, line 3")


def test_chinese_and_japanese_write_no_blank_between_words():
    assert {code for code in LANGUAGES if language(code).word_separator == ""} == {"zh", "ja"}
    assert language("ko").word_separator == " "


@pytest.mark.parametrize(
    ("label", "code"),
    [(label, "pt") for label in ("pt", "pt-BR", "PT_br", "por", "por_Latn", "Portuguese", "português", " pt ")]
    + [(label, "zh") for label in ("zho_Hans", "zh-Hans-CN", "cmn", "中文")],
)
def test_a_language_is_known_by_code_tag_or_name(label, code):
    assert language_code(label) == code


@pytest.mark.parametrize("label", ["", "xx", "default", "id card", "english speakers", "eu"])
def test_other_labels_mean_no_language(label):
    assert language_code(label) is None


def test_resource_levels_follow_the_share_of_common_crawl():
    share = pretraining_shares()["common_crawl_2024_42_pct_pages"]
    levels = {code: "high" if share[code] >= 1 else "mid" if share[code] >= 0.1 else "low" for code in PAPER_ORDER}
    assert {code: language(code).resource_level for code in PAPER_ORDER} == levels
    assert [code for code, level in levels.items() if level == "low"] == ["ta", "te", "sw", "ny"]


def test_an_unpublished_share_is_missing_not_zero():
    shares = pretraining_shares()
    assert np.isnan(shares.loc["ny", "llama2_pct_documents"])
    assert np.isnan(shares.loc["ja", "roots_bytes"])
    assert (shares.fillna(1) > 0).all(axis=None)


def test_shares_are_the_published_ones():
    shares = pretraining_shares()
    assert shares.loc["en", "llama2_pct_documents"] == 89.70
    assert shares.loc["ny", "roots_bytes"] == 1187405
    assert list(shares.index) == PAPER_ORDER


def test_the_shares_of_qwen_are_marked_as_made_up():
    shares = pretraining_shares()
    assert shares.loc[["en", "zh", "fr"], "qwen_made_up_by_paper"].tolist() == [50, 60, 0.16]
    assert "made up" in share_sources()["qwen_made_up_by_paper"]


def test_every_share_column_names_its_source_and_what_an_empty_cell_means():
    assert list(share_sources()) == list(pretraining_shares().columns)
    assert all("empty: " in source for source in share_sources().values())


def test_every_column_of_the_table_has_source_unit_licence_and_meaning_of_empty_cells():
    columns = (TABLES / "languages.csv").read_text(encoding="utf-8").split("\n", 1)[0].split(",")
    described = json.loads((TABLES / "sources.json").read_text(encoding="utf-8"))["columns"]
    assert set(columns) == set(described)
    assert all({"source", "unit", "licence", "missing"} <= set(entry) for entry in described.values())


@pytest.mark.parametrize("table", ["urielplus", "paper"])
def test_distances_are_symmetric_and_zero_to_one(table):
    distances = linguistic_distances(table)
    assert distances.dims == ("distance", "source", "target")
    assert distances.distance.values.tolist() == list(DISTANCES)
    np.testing.assert_array_equal(distances.values, distances.transpose("distance", "target", "source").values)
    assert float(distances.min()) == 0
    assert float(distances.max()) <= 1


def test_missing_distances_are_nan_and_never_zero():
    distances = linguistic_distances()
    phonological = distances.sel(distance="phonological")
    assert np.isnan(phonological.sel(source="pt", target="en"))
    assert int(phonological.isnull().sum()) == 3 * 13 * 2 + 3 * 2
    assert not distances.sel(distance="genetic").isnull().any()
    assert ((distances.flag == "missing") == distances.isnull()).all()


def test_the_faults_of_the_papers_table_are_flagged_but_kept():
    paper = linguistic_distances("paper")
    assert not paper.isnull().any()
    chinese = paper.sel(distance="geographic", source="zh", target="fr")
    assert (float(chinese), str(chinese.flag.item())) == (1.0, "macrolanguage")
    empty = paper.sel(distance="inventory", source="zh", target="ny")
    assert (float(empty), str(empty.flag.item())) == (0.0, "no_data")
    assert str(paper.sel(distance="phonological", source="pt", target="en").flag.item()) == "no_data"
    assert str(paper.sel(distance="phonological", source="es", target="en").flag.item()) == ""


def test_every_flag_is_explained():
    for table in ("urielplus", "paper"):
        distances = linguistic_distances(table)
        assert set(np.unique(distances.flag.values)) <= set(json.loads(distances.attrs["flags"]))
        assert distances.attrs["licence"] == "CC BY-SA 4.0"


def test_the_papers_distances_are_exactly_those_of_the_published_code(shared_data):
    published = json.loads((shared_data / "languages" / "lang_sim_reference.json").read_text())
    ours = linguistic_distances("paper")
    for name in DISTANCES:
        theirs = [[published[a][b][name] for b in PAPER_ORDER] for a in PAPER_ORDER]
        assert ours.sel(distance=name).values.tolist() == theirs


def test_urielplus_distances_are_the_source_with_its_minus_one_as_missing(shared_data):
    source = json.loads((shared_data / "languages" / "urielplus_1.3.2_distances.json").read_text())
    ours = linguistic_distances()
    for name in DISTANCES:
        theirs = np.array([[source[name][a][b] for b in PAPER_ORDER] for a in PAPER_ORDER])
        np.testing.assert_allclose(ours.sel(distance=name), np.where(theirs == -1, np.nan, theirs), atol=1e-6)


def test_the_tables_are_what_the_script_builds_from_the_sources(shared_data, tmp_path, monkeypatch):
    script = Path(__file__).parents[2] / "scripts" / "build_language_tables.py"
    spec = importlib.util.spec_from_file_location("build_language_tables", script)
    builder = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(builder)
    shutil.copy(TABLES / "languages.csv", tmp_path)
    monkeypatch.setattr(builder, "TABLES", tmp_path)
    builder.main(shared_data / "languages")
    for name in ("languages.csv", "distances.csv"):
        assert (tmp_path / name).read_bytes() == (TABLES / name).read_bytes()

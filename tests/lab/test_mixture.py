"""Mixtures: how they are written, what is refused, and that every language gets exactly its share."""

import json

import pytest

from polyethos.errors import LabError, UnknownLanguageError
from polyethos.lab.mixture import MIXTURES, dominated, read_mixture, uniform


def shares_of_tokens(kinds):
    shares = {}
    for languages, probability in kinds.items():
        for code in languages:
            shares[code] = shares.get(code, 0.0) + probability / len(languages)
    return shares


def test_shares_written_out_are_read_in_order():
    mixture = read_mixture("en=0.9, fi=0.1")
    assert (mixture.name, dict(mixture.shares)) == ("custom", {"en": 0.9, "fi": 0.1})


def test_names_stand_for_the_three_series():
    assert read_mixture("pocket-en").shares["en"] == 0.9
    assert read_mixture("pocket-en").shares["ny"] == pytest.approx(0.1 / 15)
    assert [read_mixture("pocket-zh-en").shares[code] for code in ("zh", "en")] == [0.45, 0.45]
    assert set(read_mixture("pocket-balanced").shares.values()) == {1 / 16}
    assert all(sum(mixture.shares.values()) == pytest.approx(1) for mixture in MIXTURES.values())


def test_toml_and_json_files_hold_language_and_share(tmp_path):
    toml, plain = tmp_path / "mine.toml", tmp_path / "ours.json"
    toml.write_text("en = 0.75\nsw = 0.25\n")
    plain.write_text(json.dumps({"en": 0.75, "sw": 0.25}))
    assert dict(read_mixture(toml).shares) == dict(read_mixture(plain).shares) == {"en": 0.75, "sw": 0.25}
    assert read_mixture(toml).name == "mine"


def test_shares_that_do_not_sum_to_one_are_refused():
    with pytest.raises(LabError, match=r"the shares sum to 0\.95; they must sum to 1"):
        read_mixture("en=0.9,fi=0.05")


def test_an_unknown_language_is_named_with_the_closest_one():
    with pytest.raises(UnknownLanguageError, match="'fin'; did you mean 'fi'"):
        read_mixture("en=0.9,fin=0.1")


@pytest.mark.parametrize("text", ["en=1,fi=0", "en=nan", "en=1.5,fi=-0.5"])
def test_a_share_that_is_not_a_positive_number_is_refused(text):
    with pytest.raises(LabError, match="give a number above 0"):
        read_mixture(text)


def test_a_language_given_twice_is_refused():
    with pytest.raises(LabError, match="en is given twice"):
        read_mixture("en=0.5,en=0.5")


def test_what_is_neither_a_name_nor_shares_nor_a_file_is_refused(tmp_path):
    with pytest.raises(LabError, match="'pocket-fr': give one of pocket-en, pocket-zh-en, pocket-balanced"):
        read_mixture("pocket-fr")
    with pytest.raises(LabError, match="'en=many' is not language=share"):
        read_mixture("en=many")
    with pytest.raises(LabError, match=r"nowhere\.toml: cannot be read"):
        read_mixture(tmp_path / "nowhere.toml")
    broken = tmp_path / "broken.json"
    broken.write_text("[0.5, 0.5]")
    with pytest.raises(LabError, match="expected a table of language = share, found list"):
        read_mixture(broken)
    broken.write_text("{")
    with pytest.raises(LabError, match=r"broken\.json: not valid JSON"):
        read_mixture(broken)


@pytest.mark.parametrize("name", MIXTURES)
@pytest.mark.parametrize("translated", [0.0, 0.2, 0.9])
def test_every_language_gets_its_share_of_the_tokens_whatever_is_translated(name, translated):
    mixture = MIXTURES[name]
    kinds = mixture.kinds(translated)
    assert shares_of_tokens(kinds) == pytest.approx(dict(mixture.shares))
    assert all(probability > 0 for probability in kinds.values())


def test_a_balanced_mixture_gets_the_translations_asked_for():
    kinds = uniform("two", ("en", "fi")).kinds(0.25)
    assert kinds == pytest.approx({("en",): 0.375, ("fi",): 0.375, ("en", "fi"): 0.125, ("fi", "en"): 0.125})


def test_beside_a_dominant_language_at_most_half_of_a_small_ones_tokens_are_translations():
    kinds = dominated("big", {"en": 0.9}, ("en", "fi")).kinds(0.5)
    # Every two-language row is half Finnish: 0.1 of it fills half of Finnish's share of 0.1.
    assert kinds["en", "fi"] + kinds["fi", "en"] == pytest.approx(0.1)
    assert kinds[("fi",)] == pytest.approx(0.05)


def test_a_single_language_has_no_translations():
    assert uniform("one", ("en",)).kinds(0.5) == {("en",): 1.0}

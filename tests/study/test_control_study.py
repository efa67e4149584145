"""What a control study asks for, and the material it finds for it."""

import pandas as pd
import pytest

from polyethos.dataset.pairs import ContrastPair, ContrastPairs
from polyethos.errors import InvalidStudyError, UnknownLanguageError, UnknownNameError, UnknownValueError
from polyethos.study.control_material import dominant_language, thinned
from polyethos.study.control_study import ControlStudy
from polyethos.study.definition import ModelChoice


@pytest.mark.parametrize(
    ("field", "error"),
    [
        ({"values": ("kindness",)}, UnknownValueError),
        ({"targets": ("xx",)}, UnknownLanguageError),
        ({"sources": ("everyone",)}, UnknownLanguageError),
        ({"size": "huge"}, UnknownNameError),
        ({"operators": ("multiply",)}, UnknownNameError),
        ({"outcomes": ()}, InvalidStudyError),
        ({"strengths": (0.1, -0.2)}, InvalidStudyError),
    ],
)
def test_a_wrong_field_is_refused(field, error):
    with pytest.raises(error):
        ControlStudy(**field)


def test_the_dominant_language_is_the_source_and_refusals_also_get_own_vectors():
    study = ControlStudy()
    assert study.sources_for("refusal", "zh") == ["zh", "own"]
    assert study.sources_for("preference", "zh") == ["zh"]
    assert ControlStudy(sources=("dominant", "zh", "fi")).sources_for("refusal", "zh") == ["zh", "fi"]


def test_options_follow_the_size_unless_they_are_given():
    options = ControlStudy(strengths=(0.3,), operators=("ablate",), layers=(2,)).options(
        "refusal", dialogue="{input}", replies="everyday"
    )
    assert (options.strengths, options.design.operators, options.layers) == ((0.3,), ("ablate",), (2,))
    assert ControlStudy(size="full").options("refusal", dialogue="auto", replies="everyday").design.random == 40


def test_equal_studies_have_equal_fingerprints():
    assert ControlStudy().fingerprint() == ControlStudy().fingerprint()
    assert ControlStudy().fingerprint() != ControlStudy(seed=1).fingerprint()


def test_the_dominant_language_of_a_pocket_model_is_its_recipes():
    assert dominant_language(ModelChoice(name="pocket-en"), ("fi", "en"))[0] == "en"
    code, why = dominant_language(ModelChoice(name="pocket-balanced"), ("fi", "en", "zh"))
    assert code == "en"
    assert "equal shares" in why


def test_without_known_shares_the_largest_language_of_the_web_stands_in_and_that_is_said():
    code, why = dominant_language(ModelChoice(name="someone/model"), ("fi", "es", "sw"))
    assert code == "es"
    assert "not known" in why


def grouped(groups, per_group, languages=("en", "fi")):
    return ContrastPairs("grouped", tuple(
        ContrastPair(f"g{group}-{item}", "fairness", code, f"a{item}", f"b{item}", group=f"g{group}")
        for code in languages for group in range(groups) for item in range(per_group)
    ))  # fmt: skip


def test_thinning_keeps_as_many_groups_as_it_can_and_all_languages():
    few = thinned(grouped(groups=4, per_group=3), 4)
    frame = pd.DataFrame(
        [(pair.group, pair.item, pair.language) for pair in few], columns=["group", "item", "language"]
    )
    assert frame.groupby("language")["group"].nunique().tolist() == [4, 4]
    assert frame["item"].nunique() == 4
    # Not always the first item of a group.
    assert frame["item"].str[-1].nunique() > 1


def test_thinning_to_more_items_than_groups_takes_the_groups_again():
    some = thinned(grouped(groups=4, per_group=3), 10)
    assert len({pair.item for pair in some}) == 10
    assert len(thinned(grouped(groups=4, per_group=3), None)) == 24

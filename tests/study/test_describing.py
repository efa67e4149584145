"""Model and data of a study in words."""

import pytest

from polyethos.dataset.load import load_pairs
from polyethos.dataset.pairs import ContrastPair, ContrastPairs
from polyethos.study.definition import ModelChoice
from polyethos.study.describing import about_model, examples, grouping


def a_pair(item, positive, negative, *, group="g", language="en"):
    return ContrastPair(item, "fairness", language, positive, negative, group=group)


def test_a_pocket_model_is_called_a_toy_with_its_size_text_and_mixture():
    said = about_model(ModelChoice(name="pocket-balanced"), layers=4, parameters=1_541_248)
    assert said == (
        "pocket-balanced is a toy: 4 layers, 1.5 million parameters, pre-trained only on sentences of a small invented "
        "world (microworld), 6.25 % in each of 16 languages. It shows how a study works, not what large models do."
    )


@pytest.mark.parametrize(("name", "said"), [("pocket-en", "90 % English"), ("pocket-zh-en", "and 13 more languages")])
def test_a_mixture_of_unequal_shares_names_the_largest(name, said):
    assert said in about_model(ModelChoice(name=name), layers=4, parameters=10)


def test_any_other_model_is_told_by_its_size_alone():
    said = about_model(ModelChoice(name="org/some-model"), layers=24, parameters=494_000_000)
    assert said == "some-model: 24 layers, 494 million parameters."


def test_groups_whose_pairs_differ_in_the_same_words_are_told():
    same = [a_pair("1", "She kept it now.", "She stole it now."), a_pair("2", "He kept it late.", "He stole it late.")]
    assert "whole groups are held out" in grouping(ContrastPairs("x", tuple(same)))
    other = [*same, a_pair("3", "He gave it.", "He broke it.")]
    assert grouping(ContrastPairs("x", tuple(other))) == ""


def test_pairs_without_groups_have_nothing_in_common():
    alone = [a_pair(str(k), f"She kept {k}.", f"She stole {k}.", group="") for k in range(3)]
    assert grouping(ContrastPairs("x", tuple(alone))) == ""


def test_the_predicate_alone_tells_the_side_in_the_microworld():
    assert grouping(load_pairs("microworld", languages=["en", "fi"], values=["fairness"]))


def test_examples_are_the_first_pair_of_each_value_in_english_with_its_context():
    pair = ContrastPair("1", "fairness", "en", "Yes.", "No.", context="Is it fair?")
    around = a_pair("0", "Kyllä.", "Ei.", language="fi"), a_pair("2", "Up.", "Down.")
    found = examples(ContrastPairs("x", (around[0], pair, around[1])))
    assert [(each.value, each.language, each.positive, each.negative) for each in found] == [
        ("fairness", "en", "Is it fair? Yes.", "Is it fair? No.")
    ]

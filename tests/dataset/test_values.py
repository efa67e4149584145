import pytest

from polyethos.dataset.values import VALUES, value
from polyethos.errors import UnknownValueError


def test_the_seven_values_come_in_the_order_of_the_paper():
    names = ["morality", "deontology", "utilitarianism", "fairness", "truthfulness", "toxicity", "harmfulness"]
    assert list(VALUES) == names


def test_every_value_says_what_upholding_it_means_and_how_its_sides_are_called():
    for entry in VALUES.values():
        assert entry.definition.endswith((".", ")."))
        assert entry.upheld_label != entry.violated_label


def test_an_unknown_value_names_place_and_closest_value():
    with pytest.raises(UnknownValueError, match=r"^a.csv, line 2: unknown value 'moral'; did you mean 'morality'"):
        value("moral", where="a.csv, line 2")

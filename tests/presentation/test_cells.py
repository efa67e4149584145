import pytest

from polyethos.presentation.cells import shown


@pytest.mark.parametrize(("count", "text"), [(0, "0"), (1, "1"), (12, "12"), (12.0, "12")])
def test_counts_are_shown_whole(count, text):
    assert shown(count, "plain") == text


def test_correlations_of_nought_and_one_keep_their_decimals():
    assert [shown(r, "plain") for r in (0.0, 1.0, -1.0, 0.256)] == ["0.00", "1.00", "−1.00", "0.26"]


def test_what_was_not_measured_is_a_dash():
    assert shown(float("nan"), "percent") == "–"

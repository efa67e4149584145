import numpy as np
import pytest
import xarray as xr

from polyethos.analysis.claims import discrepancies

CODES = ["en", "zh", "fi"]
VALUES = ["morality", "fairness"]
WAYS = ["high to low", "low to high", "both"]
PAIR = ("value", "source", "target")


def symmetric(value, *, diagonal=1.0):
    table = np.full((2, 3, 3), value, dtype=float)
    table[:, range(3), range(3)] = diagonal
    return (PAIR, table)


def corrected(**changes):
    cell = ("value", "language")
    variables = {
        "recognition": (cell, np.full((2, 3), 0.9)),
        "recognition_p_family": (cell, np.full((2, 3), 0.001)),
        "detectable_accuracy_family": (cell, np.full((2, 3), 0.68)),
        "recognition_excess_low": (("control", *cell), np.full((2, 2, 3), 0.1)),
        "recognition_excess_high": (("control", *cell), np.full((2, 2, 3), 0.3)),
        "consistency": symmetric(0.97),
        "consistency_p": symmetric(0.001, diagonal=np.nan),
        "consistency_identical_p": symmetric(0.4, diagonal=np.nan),
        "consistency_raw": symmetric(0.3),
        "one_way_excess": ("way", [-0.1, -0.2, np.nan]),
        "one_way_excess_high": ("way", [0.1, 0.1, np.nan]),
        "one_way_excess_p": ("way", [0.7, 0.2, 0.7]),
        "one_way_claimed": ((), False),
        "transfer_potential_share": ((), 0.6),
    }
    coords = {"value": VALUES, "language": CODES, "source": CODES, "target": CODES}
    coords |= {"way": WAYS, "control": ["length", "words"]}
    return xr.Dataset(variables | changes, coords=coords)


def published(**changes):
    gain = np.array([[0, 0.1, 0.1], [-0.1, 0, 0], [-0.1, 0, 0]])
    variables = {
        "recognition": (("value", "language"), np.full((2, 3), 0.8)),
        "similarity": (("source", "target"), np.where(np.eye(3), 1, 0.25)),
        "transfer_gain": (("source", "target"), gain),
        "linguistic_direct": ("distance", [-0.2]),
        "linguistic_split": ("distance", [0.4]),
    }
    coords = {"value": VALUES, "language": CODES, "source": CODES, "target": CODES, "distance": ["genetic"]}
    return xr.Dataset(variables | changes, coords=coords, attrs={"high_resource": "en"})


def related(p_interaction):
    dims = ("distance", "term")
    return xr.Dataset(
        {
            "relation": (dims, [[-0.2, 0.1, 0.3]]),
            "relation_p": (dims, [[0.03, 0.4, p_interaction]]),
            "relation_detectable": (dims, [[0.15, 0.2, 0.2]]),
        },
        coords={"distance": ["genetic"], "term": ["distance", "share", "distance x share"]},
    )


def finding(word, results, paper=None):
    return next(each for each in discrepancies(results, paper) if word in each.claim)


def test_a_common_direction_contradicts_inconsistency_though_the_raw_cosine_is_low():
    found = finding("inconsistent", corrected(), published())
    assert found.verdict == "contradicted"
    assert "0.97 on average" in found.corrected
    assert "raw cosine of the same 6 is 0.30" in found.corrected
    assert "In 0 of 6 one common direction is ruled out" in found.corrected
    assert "0.25 on average" in found.paper


def test_directions_that_differ_support_inconsistency():
    apart = corrected(consistency=symmetric(0.6), consistency_identical_p=symmetric(0.01, diagonal=np.nan))
    assert finding("inconsistent", apart).verdict == "supported"


def test_directions_that_surely_differ_but_by_little_support_it_in_part_only():
    found = finding("inconsistent", corrected(consistency_identical_p=symmetric(0.01, diagonal=np.nan)))
    assert found.verdict == "in part"
    assert "differ, but by little" in found.corrected


def test_an_undefined_correlation_is_called_undefined():
    paper = published(linguistic_split=("distance", [np.nan]))
    found = finding("Resources", corrected().merge(related(0.2)), paper)
    assert "genetic r = -0.20. No split by resources" in found.paper


def test_directions_of_middling_similarity_leave_the_claim_open():
    assert finding("inconsistent", corrected(consistency=symmetric(0.6))).verdict == "open"


def test_undefined_consistency_leaves_the_claim_open_and_says_so():
    found = finding("inconsistent", corrected(consistency=symmetric(np.nan, diagonal=np.nan)))
    assert found.verdict == "open"
    assert "nothing can be said" in found.corrected


def test_existence_counts_what_survives_the_family():
    p = np.array([[0.001, 0.001, 0.2], [0.001, 0.3, np.nan]])
    found = finding("holds", corrected(recognition_p_family=(("value", "language"), p)))
    assert "Out of 5 combinations of value and language, 3 are above chance" in found.corrected
    assert found.verdict == "supported"


def test_words_that_do_as_well_are_mentioned():
    low = np.full((2, 2, 3), 0.1)
    low[1, 0] = -0.05
    found = finding("holds", corrected(recognition_excess_low=(("control", "value", "language"), low)))
    assert "In 3 of those 6, sentence length or the words alone do about as well" in found.corrected
    assert found.reservation == "in 3 of 6, length or words alone do as well"


def test_what_a_study_of_this_size_would_find_is_said_of_true_accuracies():
    found = finding("holds", corrected())
    assert "A true accuracy under" in found.corrected
    assert "would be found in fewer than four of five such studies" in found.corrected
    assert found.reservation == ""


def test_raw_gains_look_one_way_where_the_corrected_excess_is_not():
    found = finding("one way", corrected(), published())
    assert "+10.0 points from high to low and -10.0 points from low to high, which looks one-way" in found.paper
    assert "p = 0.700" in found.corrected
    assert found.verdict == "open"


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"one_way_claimed": ((), True), "one_way_excess": ("way", [0.3, -0.5, np.nan])}, "supported"),
        ({"one_way_excess_high": ("way", [-0.05, 0.1, np.nan])}, "contradicted"),
        ({"one_way_excess_p": ("way", [np.nan] * 3)}, "open"),
    ],
)
def test_the_verdict_on_one_way_transfer_follows_the_excess(changes, verdict):
    assert finding("one way", corrected(**changes)).verdict == verdict


@pytest.mark.parametrize(("p", "verdict"), [(0.01, "supported"), (0.5, "open")])
def test_distortion_by_resources_is_judged_by_the_interaction(p, verdict):
    found = finding("distort", corrected().merge(related(p)), published())
    assert found.verdict == verdict
    assert ("genetic", "-0.20", "0.030", "0.030", "0.15") in found.table
    assert ("genetic x share", "+0.30", f"{p:.3f}", f"{p:.3f}", "0.20") in found.table
    assert "genetic r = -0.20" in found.paper


def test_without_different_shares_the_split_by_resources_is_said_once_to_be_impossible():
    unsplit = related(np.nan).assign(relation=(("distance", "term"), [[-0.2, np.nan, np.nan]]))
    equal = ("language", [6.25, 6.25, 6.25])
    found = finding("distort", corrected(pretraining_share=equal).merge(unsplit))
    assert found.corrected.startswith("No split by resources: all shares are equal")
    assert found.corrected.count("split by resources") == 1
    assert [row[0] for row in found.table] == ["distance", "genetic"]


def test_without_relations_the_claim_on_resources_is_left_out():
    assert not any("distort" in each.claim for each in discrepancies(corrected()))


def test_a_protocol_that_was_not_run_is_said_to_be_missing():
    assert all("--protocol paper" in each.paper for each in discrepancies(corrected().merge(related(0.5))))


def test_every_finding_says_why_the_protocols_differ():
    for each in discrepancies(corrected().merge(related(0.5)), published()):
        assert len(each.why) > 100

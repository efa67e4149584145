"""A gate lets through what it shall, and as little else as it was told."""

import numpy as np
import pytest
from concepts_by_hand import planted_concept

from polyethos.control.gating import calibrated_gate
from polyethos.errors import SteeringError


@pytest.mark.parametrize("orientation", [1, -1])
def test_a_clean_concept_gives_a_gate_without_errors(orientation):
    found = calibrated_gate(planted_concept(orientation=orientation), "en", 1)
    assert (found.hits, found.false_alarms, found.items) == (1.0, 0.0, 5)
    assert found.gate.layer == 1


def test_the_gate_opens_on_the_side_that_raises_the_outcome():
    # Oriented towards what violates: the negative sentences project at 0, the positive ones at -2.
    found = calibrated_gate(planted_concept(orientation=-1), "en", 1)
    assert found.gate.direction @ [1, 0, 0, 0] < 0
    assert found.gate.threshold == pytest.approx(-2.0)


def test_the_share_of_false_alarms_sets_the_threshold():
    concept = planted_concept(noise=3.0)
    strict, loose = (calibrated_gate(concept, "en", 1, false_alarms=share) for share in (0.0, 0.5))
    low, _ = concept.projections("en", "en", 1, "fit")
    assert strict.gate.threshold == pytest.approx(low.max())
    assert loose.gate.threshold == pytest.approx(np.median(low))
    assert strict.hits <= loose.hits


def test_a_language_with_an_offset_needs_a_threshold_of_its_own():
    concept = planted_concept()
    concept.states.loc[{"language": "fr"}] = concept.states.sel(language="en").values + np.float32([50, 0, 0, 0])
    carried = calibrated_gate(concept, "en", 1)
    shifted = calibrated_gate(concept, "en", 1, language="fr")
    assert shifted.gate.threshold - carried.gate.threshold == pytest.approx(50.0)
    assert (shifted.hits, shifted.false_alarms) == (1.0, 0.0)


def test_a_share_beyond_one_is_refused():
    with pytest.raises(SteeringError, match="expected a share"):
        calibrated_gate(planted_concept(), "en", 1, false_alarms=1.5)

"""What a projection means: positions between known sentences of both sides."""

import numpy as np
import pytest

from polyethos.control.projections import Scale, project_sentences, scale_of
from polyethos.dataset.pairs import ContrastPair, Sentence
from polyethos.errors import DataError
from polyethos.representation.activations import extract_states


def scale(upheld, violated):
    return Scale(np.array([upheld]), np.array([violated]), np.array([1.0]), 10)


def test_the_two_sides_stand_at_plus_and_minus_one_and_half_way_at_nought():
    assert scale(5.0, 1.0).positions(np.array([[5.0], [1.0], [3.0], [7.0]]))[:, 0].tolist() == [1, -1, 0, 2]


def test_a_position_leads_back_to_its_projection():
    assert scale(5.0, 1.0).projection(2.0, layer=1) == 7.0


@pytest.mark.parametrize("violated", [5.0, 6.0])
def test_where_upholding_sentences_do_not_project_higher_there_is_no_scale(violated):
    assert np.isnan(scale(5.0, violated).positions(np.array([[4.0]]))).all()


@pytest.fixture
def model(language_model):
    return language_model("llama")


def test_projections_are_inner_products_with_unit_vectors(model):
    directions = np.random.default_rng(0).normal(size=(2, model.n_layers, model.hidden_size)).astype(np.float32)
    sentences = [Sentence("", "w1 w2"), Sentence("", "w3")]
    found = project_sentences(model, sentences, directions)
    states = extract_states(model, sentences)
    unit = directions[1, 2] / np.linalg.norm(directions[1, 2])
    assert found.shape == (2, 2, model.n_layers)
    assert found[0, 1, 2] == pytest.approx(float(states[0, 2] @ unit), rel=1e-4)


def test_the_last_layer_can_be_read_after_the_final_norm(model):
    directions = np.ones((model.n_layers, model.hidden_size), dtype=np.float32)
    sentences = [Sentence("", "w1 w2")]
    normed = project_sentences(model, sentences, directions, last_after_norm=True)
    states = extract_states(model, sentences)
    assert normed[0, -1] == pytest.approx(float(states[0, -1].sum()) / model.hidden_size**0.5, rel=1e-4)
    assert normed[0, 0] == project_sentences(model, sentences, directions)[0, 0]


def test_the_scale_is_where_the_pairs_project(model):
    pairs = [ContrastPair(f"i{n}", "morality", "en", f"w{n} w1", f"w{n} w2") for n in range(5, 11)]
    states = [
        extract_states(model, [Sentence("", getattr(pair, side)) for pair in pairs])
        for side in ("positive", "negative")
    ]
    directions = (states[0] - states[1]).mean(axis=0)[:-1]
    found = scale_of(model, pairs, directions)
    unit = directions[0] / np.linalg.norm(directions[0])
    assert found.pairs == 6
    assert found.upheld[0] - found.violated[0] == pytest.approx(np.linalg.norm(directions[0]), rel=1e-4)
    assert found.upheld[0] == pytest.approx(float((states[0][:, 0] @ unit).mean()), rel=1e-4, abs=1e-4)
    assert ((found.right >= 0) & (found.right <= 1)).all()


def test_nothing_to_project_is_an_error_not_an_empty_result(model):
    directions = np.ones((model.n_layers, model.hidden_size), dtype=np.float32)
    with pytest.raises(DataError, match="no sentence"):
        project_sentences(model, [], directions)
    with pytest.raises(DataError, match="no sentence pairs"):
        scale_of(model, [], directions)

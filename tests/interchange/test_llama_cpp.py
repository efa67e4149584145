"""llama.cpp reads our control vectors and steers a pocket model as we do."""

import numpy as np
import pytest
import torch
import xarray as xr

from polyethos.control.operators import Intervention
from polyethos.control.steering import steer
from polyethos.interchange.export import export_vectors
from polyethos.lab.pocket import pocket_model_path
from polyethos.representation.model import load_model

REASON = "llama-cpp-python is not installed (pip install llama-cpp-python)"
llama_cpp = pytest.importorskip("llama_cpp", reason=REASON)
from llama_by_hand import LlamaCpp, convert_to_gguf  # noqa: E402

pytestmark = pytest.mark.slow
POCKET = "pocket-balanced"
TEXTS = ["Someone kind helped the old neighbour", "他们说", "Mwalimu alisema", "ஆசிரியர்"]
NORMS = [10.0, 15.0, 20.0, 30.0]
# Of log-probabilities of next tokens, nats. Logits reach 20, where half precision rounds to 0.01.
HALF_PRECISION = 0.02


@pytest.fixture(scope="module")
def model():
    return load_model(pocket_model_path(POCKET), dtype="float32", device="cpu")


@pytest.fixture(scope="module")
def theirs(model, tmp_path_factory):
    path = convert_to_gguf(pocket_model_path(POCKET), tmp_path_factory.mktemp("gguf") / "pocket.gguf")
    opened = LlamaCpp(llama_cpp, path, blocks=4, hidden=model.hidden_size, vocabulary=6144)
    yield opened
    opened.close()


def vectors_of(model):
    table = np.random.default_rng(0).normal(size=(1, 1, 4, model.hidden_size)).astype(np.float32)
    coords = {"value": ["fairness"], "language": ["en"], "layer": [1, 2, 3, 4]}
    return xr.DataArray(table, dims=("value", "language", "layer", "hidden"), coords=coords)


def our_log_probabilities(model, tokens, plan):
    with steer(model, *plan), torch.no_grad():
        return model.model(torch.tensor([tokens])).logits[0, -1].log_softmax(-1)


def exported(folder, model, layers):
    metadata = {"model": dict(model.identity), "residual_norms": {"fairness": NORMS}}
    return export_vectors(
        vectors_of(model), metadata, format="gguf", value="fairness", source="en", folder=folder, layers=layers
    )


def plan_at(model, layers, strength, *, late=0):
    """The edits of our own; `late` moves each to a later block."""
    vectors = vectors_of(model)
    return [
        Intervention(layer + late, vectors[0, 0, layer - 1].values, strength=strength, norm=NORMS[layer - 1])
        for layer in layers
    ]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("layers", [[2], [3], [4], [2, 3, 4]])
@pytest.mark.parametrize("strength", [0.5, -0.5])
def test_llama_cpp_steers_the_layers_that_we_steer(tmp_path, model, theirs, layers, strength, text):
    theirs.steer(exported(tmp_path, model, layers), strength)
    tokens = model.tokenizer(text).input_ids
    found = theirs.log_probabilities(tokens)
    ours = our_log_probabilities(model, tokens, plan_at(model, layers, strength))
    assert (found - ours).abs().max() < HALF_PRECISION
    assert (found - our_log_probabilities(model, tokens, [])).abs().max() > 20 * HALF_PRECISION


def test_a_file_that_is_one_layer_late_would_be_noticed(tmp_path, model, theirs):
    theirs.steer(exported(tmp_path, model, [3]), 0.5)
    tokens = model.tokenizer(TEXTS[0]).input_ids
    late = our_log_probabilities(model, tokens, plan_at(model, [3], 0.5, late=1))
    assert (theirs.log_probabilities(tokens) - late).abs().max() > 10 * HALF_PRECISION


def test_without_a_vector_llama_cpp_differs_by_half_precision_only(model, theirs):
    theirs.unsteer()
    for text in TEXTS:
        tokens = model.tokenizer(text).input_ids
        difference = (theirs.log_probabilities(tokens) - our_log_probabilities(model, tokens, [])).abs()
        assert difference.max() < HALF_PRECISION

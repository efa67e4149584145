"""The tools the files are for read them, and steer as we do."""

import numpy as np
import pytest
import torch
import xarray as xr
from transformers import AutoModelForCausalLM
from vectors_by_hand import metadata_by_hand

from polyethos.control.operators import Intervention
from polyethos.control.steering import steer
from polyethos.interchange.export import export_vectors

TOKENS = torch.tensor([[5, 17, 40, 9], [60, 33, 21, 8]])
STRENGTH = 0.4
NORMS = [10.0, 20.0, 40.0]
SKIP = "{0} is not installed (pip install {0}); its files are tested byte by byte in test_export.py"


@pytest.fixture
def vectors():
    """One vector of length 1 for each of three layers of 16."""
    table = np.random.default_rng(0).normal(size=(1, 1, 3, 16)).astype(np.float32)
    coords = {"value": ["fairness"], "language": ["en"], "layer": [1, 2, 3]}
    return xr.DataArray(table, dims=("value", "language", "layer", "hidden"), coords=coords)


def export(folder, format, vectors, **options):
    metadata = metadata_by_hand(hidden=16)
    return export_vectors(
        vectors, metadata, format=format, value="fairness", source="en", folder=folder, layers=[2, 3], **options
    )


def our_logits(model, vectors, operator="add"):
    """Logits with the vectors of layers 2 and 3 at a share of their norms."""
    strength = STRENGTH if operator == "add" else 1.0
    plan = [
        Intervention(layer, vectors[0, 0, layer - 1].values, operator, strength, norm=NORMS[layer - 1])
        for layer in (2, 3)
    ]
    with steer(model, *plan), torch.no_grad():
        return model.model(TOKENS).logits


def test_repeng_steers_as_we_do(tmp_path, tiny_folder, tiny_model, vectors, monkeypatch):
    # repeng 0.4 names a type that numpy 2 no longer has.
    monkeypatch.setattr(np, "float_", np.float64, raising=False)
    repeng = pytest.importorskip("repeng", reason=SKIP.format("repeng"))
    control = repeng.ControlVector.import_gguf(export(tmp_path, "repeng", vectors))
    assert (control.model_type, sorted(control.directions)) == ("llama", [1, 2])
    theirs = repeng.ControlModel(AutoModelForCausalLM.from_pretrained(tiny_folder).eval(), [1, 2])
    theirs.set_control(control, STRENGTH)
    with torch.no_grad():
        # Without positions of its own for each row repeng fails on batches.
        steered = theirs(TOKENS, position_ids=torch.arange(4).repeat(2, 1)).logits
    torch.testing.assert_close(steered, our_logits(tiny_model, vectors), rtol=1e-4, atol=1e-4)
    assert not torch.allclose(steered, tiny_model.model(TOKENS).logits, atol=0.1)


@pytest.mark.parametrize(("action", "operator"), [("add", "add"), ("ablate", "ablate")])
def test_lm_eval_steers_as_we_do(tmp_path, tiny_folder, tiny_model, vectors, action, operator):
    hf_steered = pytest.importorskip("lm_eval.models.hf_steered", reason=SKIP.format("lm-eval"))
    path = export(tmp_path, "lm-eval", vectors, strength=STRENGTH, action=action)
    theirs = hf_steered.SteeredModel(pretrained=str(tiny_folder), steer_path=str(path), device="cpu", dtype="float32")
    steered = theirs._model_call(TOKENS)
    torch.testing.assert_close(steered, our_logits(tiny_model, vectors, operator), rtol=1e-4, atol=1e-4)
    assert not torch.allclose(steered, tiny_model.model(TOKENS).logits, atol=0.05)


def test_steering_vectors_patched_with_our_vectors_steers_as_we_do(tiny_folder, tiny_model, vectors):
    library = pytest.importorskip("steering_vectors", reason=SKIP.format("steering-vectors"))
    scaled = {
        layer - 1: torch.from_numpy(
            vectors[0, 0, layer - 1].values / np.linalg.norm(vectors[0, 0, layer - 1]) * NORMS[layer - 1]
        )
        for layer in (2, 3)
    }
    theirs = AutoModelForCausalLM.from_pretrained(tiny_folder).eval()
    patched = library.SteeringVector(layer_activations=scaled, layer_type="decoder_block")
    with patched.apply(theirs, multiplier=STRENGTH), torch.no_grad():
        steered = theirs(TOKENS).logits
    torch.testing.assert_close(steered, our_logits(tiny_model, vectors), rtol=1e-4, atol=1e-4)

"""Vectors whose every number is known."""

import numpy as np
import xarray as xr

NORMS = [10.0, 20.0, 40.0]


def vectors_by_hand(*, hidden=4):
    """Value 0 en points along axis 0 with length 3, fr along axis 1 with length 1; lengths grow with the layer."""
    table = np.zeros((2, 2, 3, hidden), dtype=np.float32)
    for layer in range(3):
        table[0, 0, layer, 0] = 3.0 * (layer + 1)
        table[0, 1, layer, 1] = 1.0 * (layer + 1)
        table[1, :, layer, 2] = 5.0
    return xr.DataArray(
        table,
        dims=("value", "language", "layer", "hidden"),
        coords={"value": ["fairness", "toxicity"], "language": ["en", "fr"], "layer": [1, 2, 3]},
    )


def metadata_by_hand(architecture="LlamaForCausalLM", *, hidden=4):
    model = {
        "model": "owner/tiny",
        "revision": "abc",
        "architecture": architecture,
        "n_layers": 3,
        "hidden_size": hidden,
        "tokenizer_hash": "0",
    }
    return {
        "model": model,
        "protocol": "corrected",
        "direction": "difference-in-means",
        "residual_norms": {"fairness": NORMS, "toxicity": NORMS},
        "data_hash": "f00",
    }

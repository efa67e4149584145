import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from safetensors import safe_open
from safetensors.numpy import save_file

from polyethos.errors import DataFormatError, LabelMismatchError, WrongModelError
from polyethos.representation.model import LanguageModel
from polyethos.representation.vectors import load_vectors, save_vectors


@pytest.fixture
def vectors(llama: LanguageModel) -> xr.DataArray:
    values = np.random.default_rng(0).normal(size=(1, 2, llama.n_layers, llama.hidden_size)).astype(np.float32)
    values[0, 1] = np.nan
    coords = {"value": ["morality"], "language": ["en", "zh"], "layer": [1, 2, 3]}
    return xr.DataArray(values, dims=("value", "language", "layer", "hidden"), coords=coords)


@pytest.fixture
def metadata(llama: LanguageModel) -> dict[str, Any]:
    about = {"protocol": "corrected", "direction": "difference-in-means", "data_hash": "abc"}
    return {**about, "model": llama.identity, "residual_norms": [1.0, 2.0, 3.0]}


@pytest.fixture
def saved(tmp_path: Path, vectors: xr.DataArray, metadata: dict[str, Any]) -> Path:
    path = tmp_path / "vectors.safetensors"
    save_vectors(path, vectors, metadata)
    return path


def test_vectors_and_metadata_come_back_as_they_were(saved, vectors, metadata, llama):
    found, about = load_vectors(saved, llama)
    xr.testing.assert_identical(found, vectors)
    assert metadata.items() <= about.items()
    assert about["layer_convention"] == "block output, 1..L"
    assert (about["values"], about["languages"]) == (["morality"], ["en", "zh"])


def test_any_safetensors_reader_can_open_the_file(saved):
    with safe_open(saved, framework="numpy") as file:
        assert list(file.keys()) == ["vectors"]
        assert json.loads(file.metadata()["polyethos"])["direction"] == "difference-in-means"


def test_vectors_of_another_architecture_are_refused_and_the_difference_named(saved, load_tiny):
    with pytest.raises(
        WrongModelError, match=r"not for Qwen2.*architecture 'LlamaForCausalLM', not 'Qwen2ForCausalLM'"
    ):
        load_vectors(saved, load_tiny("qwen2"))


@pytest.mark.parametrize("key", ["n_layers", "hidden_size", "tokenizer_hash", "revision"])
def test_each_difference_between_models_is_enough_to_refuse(tmp_path, vectors, metadata, llama, key):
    changed = {**metadata, "model": {**llama.identity, key: "other"}}
    save_vectors(tmp_path / "other.safetensors", vectors, changed)
    with pytest.raises(WrongModelError, match=key):
        load_vectors(tmp_path / "other.safetensors", llama)


def test_the_same_model_in_another_precision_or_place_is_accepted(saved, llama):
    load_vectors(saved, dataclasses.replace(llama, name="elsewhere", shares_prefixes=False))


def test_without_a_model_vectors_can_be_looked_at(saved, vectors):
    xr.testing.assert_identical(load_vectors(saved)[0], vectors)


def test_metadata_that_readers_need_must_be_given(tmp_path, vectors, metadata):
    del metadata["data_hash"]
    with pytest.raises(DataFormatError, match="lack data_hash"):
        save_vectors(tmp_path / "v.safetensors", vectors, metadata)


def test_vectors_without_their_dimensions_are_refused(tmp_path, vectors, metadata):
    with pytest.raises(LabelMismatchError):
        save_vectors(tmp_path / "v.safetensors", vectors.isel(value=0), metadata)


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(DataFormatError, match=r"absent\.safetensors"):
        load_vectors(tmp_path / "absent.safetensors")


def test_a_cut_file_is_an_error(saved):
    saved.write_bytes(saved.read_bytes()[:-10])
    with pytest.raises(DataFormatError, match="not a readable"):
        load_vectors(saved)


def test_a_foreign_file_is_an_error(tmp_path):
    save_file({"vectors": np.zeros(3, dtype=np.float32)}, tmp_path / "foreign.safetensors")
    with pytest.raises(DataFormatError, match="not of concept vectors"):
        load_vectors(tmp_path / "foreign.safetensors")

"""Files hold the vectors at the places and lengths that their readers expect."""

import pickle

import numpy as np
import pytest
import torch
import xarray as xr
from vectors_by_hand import NORMS, metadata_by_hand, vectors_by_hand

from polyethos.errors import (
    DataError,
    DataFormatError,
    UnknownLanguageError,
    UnknownNameError,
    UnknownValueError,
    WrongModelError,
)
from polyethos.interchange.export import export_vectors, import_vectors
from polyethos.interchange.hub import load_repository, write_repository
from polyethos.interchange.selection import select_directions
from polyethos.representation.vectors import load_vectors


def select(**options):
    return select_directions(vectors_by_hand(), metadata_by_hand(), **{"value": "fairness", "source": "en", **options})


def export(folder, format, **options):
    arguments = {"value": "fairness", "source": "en", **options}
    return export_vectors(vectors_by_hand(), metadata_by_hand(), format=format, folder=folder, **arguments)


# What is selected


def test_scaled_to_the_norm_a_vector_has_the_length_of_the_layers_residual_norm():
    for layer, vector in select().vectors.items():
        np.testing.assert_allclose(vector, [NORMS[layer - 1], 0, 0, 0])


def test_raw_vectors_are_as_fitted_times_the_strength():
    assert [vector[0] for vector in select(scale="raw", strength=-2.0).vectors.values()] == [-6.0, -12.0, -18.0]


def test_pooled_is_the_mean_over_languages():
    np.testing.assert_allclose(select(source="pooled", scale="raw").vectors[1], [1.5, 0.5, 0, 0])


def test_one_list_of_norms_serves_all_values():
    metadata = {**metadata_by_hand(), "residual_norms": NORMS}
    chosen = select_directions(vectors_by_hand(), metadata, value="toxicity", source="fr", layers=[3])
    np.testing.assert_allclose(chosen.vectors[3], [0, 0, 40, 0])


def test_what_is_not_there_is_named():
    with pytest.raises(UnknownValueError, match="did you mean 'fairness'"):
        select(value="fairnes")
    with pytest.raises(UnknownLanguageError, match="'zh'"):
        select(source="zh")
    with pytest.raises(DataError, match="layers 1 to 3"):
        select(layers=[4])
    with pytest.raises(UnknownNameError, match="scale"):
        select(scale="unit")
    empty = vectors_by_hand()
    empty[0, 0, 1] = np.nan
    with pytest.raises(DataError, match="layer 2: there is no vector"):
        select_directions(empty, metadata_by_hand(), value="fairness", source="en")


# Control vectors


@pytest.mark.parametrize("format", ["gguf", "repeng", "easysteer"])
def test_layer_k_is_written_as_block_k_minus_1_and_block_0_left_out(tmp_path, format):
    gguf = pytest.importorskip("gguf")
    with pytest.warns(UserWarning, match="left out layer 1"):
        path = export(tmp_path, format, scale="raw")
    reader = gguf.GGUFReader(path)
    written = {tensor.name: tensor.data for tensor in reader.tensors}
    assert list(written) == ["direction.1", "direction.2"]
    assert all(data.dtype == np.float32 and data.shape == (4,) for data in written.values())
    assert written["direction.1"][0] == 6.0
    assert reader.get_field("general.architecture").contents() == "controlvector"
    assert reader.get_field("controlvector.model_hint").contents() == "llama"
    assert reader.get_field("controlvector.layer_count").contents() == 3


def test_a_control_vector_read_back_is_the_one_written(tmp_path):
    pytest.importorskip("gguf")
    path = export(tmp_path, "gguf", scale="raw", layers=[2, 3])
    read = import_vectors(path, format="repeng")
    assert read["layer"].values.tolist() == [2, 3]
    xr.testing.assert_equal(read.drop_attrs(), vectors_by_hand()[0, 0, 1:].drop_vars(["value", "language"]))
    assert read.attrs["model_hint"] == "llama"


def test_layer_1_alone_cannot_be_a_control_vector(tmp_path):
    pytest.importorskip("gguf")
    with pytest.raises(DataError, match="cannot steer"):
        export(tmp_path, "gguf", layers=[1])


def test_other_gguf_files_are_refused(tmp_path):
    gguf = pytest.importorskip("gguf")
    text = tmp_path / "text.gguf"
    text.write_text("nothing")
    with pytest.raises(DataFormatError, match=r"text.gguf: not a readable GGUF"):
        import_vectors(text, format="repeng")
    other = tmp_path / "other.gguf"
    writer = gguf.GGUFWriter(other, "llama")
    writer.add_tensor("token_embd.weight", np.zeros(4, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(DataFormatError, match=r"tensor 'token_embd.weight'"):
        import_vectors(other, format="repeng")


# lm-evaluation-harness


def test_an_lm_eval_file_names_hookpoints_and_says_everything_its_reader_asks(tmp_path):
    content = torch.load(export(tmp_path, "lm-eval", layers=[2, 3]), weights_only=True)
    assert list(content) == ["layers.1", "layers.2"]
    entry = content["layers.1"]
    assert set(entry) == {"steering_vector", "steering_coefficient", "action", "bias", "head_index"}
    assert (entry["steering_coefficient"], entry["action"], entry["bias"]) == (1.0, "add", None)
    np.testing.assert_allclose(entry["steering_vector"], [20, 0, 0, 0])


def test_ablation_is_a_clamp_to_0_for_lm_eval(tmp_path):
    content = torch.load(export(tmp_path, "lm-eval", action="ablate", layers=[2]), weights_only=True)
    assert (content["layers.1"]["action"], content["layers.1"]["steering_coefficient"]) == ("clamp", 0.0)
    with pytest.raises(UnknownNameError, match="action 'clamp'"):
        export(tmp_path, "lm-eval", action="clamp")


def test_an_unknown_format_names_the_known_ones(tmp_path):
    with pytest.raises(UnknownNameError, match="did you mean 'gguf'"):
        export(tmp_path, "ggfu")
    with pytest.raises(UnknownNameError, match="format"):
        import_vectors(tmp_path / "x", format="gguf")


# Our own file and the repository


def test_exported_safetensors_hold_one_value_and_source(tmp_path):
    vectors, metadata = load_vectors(export(tmp_path, "safetensors", scale="raw", source="pooled"))
    assert (vectors["value"].values.tolist(), vectors["language"].values.tolist()) == (["fairness"], ["pooled"])
    np.testing.assert_allclose(vectors[0, 0, 0], [1.5, 0.5, 0, 0])
    assert metadata["scale"] == "raw"


def test_a_repository_comes_back_as_written_with_card_and_control_vectors(tmp_path, tiny_model):
    pytest.importorskip("gguf")
    folder = write_repository(tmp_path / "repository", vectors_by_hand(), metadata_by_hand(), source="fr")
    read, metadata = load_repository(folder)
    xr.testing.assert_equal(read, vectors_by_hand())
    assert metadata["data_hash"] == "f00"
    assert sorted(file.name for file in (folder / "gguf").iterdir()) == ["fairness-fr.gguf", "toxicity-fr.gguf"]
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert card.startswith("---\nlibrary_name: polyethos\nbase_model: owner/tiny\n")
    with pytest.raises(WrongModelError, match="owner/tiny"):
        load_repository(folder, model=tiny_model)


def test_a_repository_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(DataError, match="expected a folder with"):
        load_repository(str(tmp_path / "absent" / "folder" / "deep"))


# Files of other tools


def test_persona_vectors_begin_with_the_embeddings_and_end_after_the_final_norm(tmp_path):
    path = tmp_path / "evil.pt"
    torch.save(torch.arange(20, dtype=torch.float64).reshape(5, 4), path)
    read = import_vectors(path, format="persona_vectors")
    assert read["layer"].values.tolist() == [1, 2, 3]
    np.testing.assert_array_equal(read.sel(layer=1), [4, 5, 6, 7])
    assert read.dtype == np.float32


def test_refusal_directions_are_inputs_of_blocks_so_outputs_of_the_ones_before(tmp_path):
    path = tmp_path / "mean_diffs.pt"
    torch.save(torch.arange(24, dtype=torch.float64).reshape(2, 3, 4), path)
    read = import_vectors(path, format="refusal_direction")
    assert read["layer"].values.tolist() == [1, 2]
    np.testing.assert_array_equal(read.sel(layer=1), [16, 17, 18, 19])
    np.testing.assert_array_equal(
        import_vectors(path, format="refusal_direction", position=0).sel(layer=2), [8, 9, 10, 11]
    )
    with pytest.raises(DataError, match="no position 2"):
        import_vectors(path, format="refusal_direction", position=2)


def test_a_pickle_that_would_run_code_is_not_run(tmp_path):
    class Harm:
        def __reduce__(self):
            return (tmp_path.joinpath("ran").touch, ())

    path = tmp_path / "harm.pt"
    torch.save(Harm(), path)
    with pytest.raises(DataFormatError, match="not a file of tensors alone"):
        import_vectors(path, format="persona_vectors")
    path.write_bytes(pickle.dumps(Harm()))
    with pytest.raises(DataFormatError, match="not a file of tensors alone"):
        import_vectors(path, format="refusal_direction")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("content", [torch.zeros(4), {"a": torch.zeros(2, 2)}, torch.zeros(2, 4)])
def test_tensors_of_another_shape_are_refused(tmp_path, content):
    path = tmp_path / "other.pt"
    torch.save(content, path)
    with pytest.raises(DataFormatError, match=r"other.pt"):
        import_vectors(path, format="persona_vectors")

"""Everything that can be wrong with a model's files ends in one line that says what to do."""

import json
import shutil
from pathlib import Path

import pytest
import transformers
from tiny_models import ARCHITECTURES

from polyethos.errors import ModelError, ModelLoadError, ResourceError, UnsupportedModelError
from polyethos.representation import hardware
from polyethos.representation.model import load_model

SMALL = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
SMALL_SEQ2SEQ = {"d_model": 32, "encoder_layers": 1, "decoder_layers": 1, "encoder_ffn_dim": 32, "decoder_ffn_dim": 32}


@pytest.fixture
def folder(save_model, tmp_path_factory) -> Path:
    """A fresh folder of a good tiny model, to be broken."""
    return save_model(*ARCHITECTURES["llama"][:1], **ARCHITECTURES["llama"][1])


def edit_config(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def cut_weights(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[: weights.stat().st_size // 2])


def pickle_weights(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def bring_own_code(folder: Path) -> None:
    edit_config(folder, model_type="new-thing", auto_map={"AutoConfig": "configuration_new.NewConfig"})


def lose_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()


DAMAGE = {
    "cut weights": (cut_weights, "broken weights .*; download the model again"),
    "pickled weights": (pickle_weights, "pickled weights .* not read .* save_pretrained"),
    "own code": (bring_own_code, "trust_remote_code=True .*--trust-remote-code"),
    "unknown architecture": (lambda folder: edit_config(folder, model_type="new-thing"), "new-thing"),
    "broken config": (lambda folder: (folder / "config.json").write_text("{"), "config.json"),
    "no config": (lambda folder: (folder / "config.json").unlink(), "no config.json"),
    "broken tokenizer": (lambda folder: (folder / "tokenizer.json").write_text("{"), "cannot be loaded"),
    "no tokenizer": (lose_tokenizer, "tokenizer|cannot be loaded"),
    "missing weights": (
        lambda folder: edit_config(folder, num_hidden_layers=4),
        "weights are missing .*layers.3",
    ),
    "weights of another size": (lambda folder: edit_config(folder, intermediate_size=64), "do not fit its config.json"),
}


@pytest.mark.parametrize("damage", sorted(DAMAGE))
def test_a_damaged_model_is_refused_in_one_line_that_names_it(damage: str, folder: Path):
    break_it, message = DAMAGE[damage]
    break_it(folder)
    with pytest.raises(ModelLoadError, match=message) as caught:
        load_model(folder)
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["/no/such/folder", "./missing", "one/two/three", ""])
def test_a_name_that_is_neither_folder_nor_hub_id_is_refused(name: str):
    with pytest.raises(ModelLoadError, match="no such folder"):
        load_model(name)


def test_a_model_never_downloaded_is_refused_without_a_connection(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelLoadError, match=r"nobody/nothing: .*(hub cannot be reached|no such)"):
        load_model("nobody/nothing")


@pytest.mark.parametrize(("option", "message"), [({"dtype": "int3"}, "int3"), ({"device": "abacus"}, "abacus")])
def test_an_unknown_precision_or_device_is_refused(folder: Path, option: dict[str, str], message: str):
    with pytest.raises(ModelLoadError, match=message):
        load_model(folder, **option)


def test_an_attention_implementation_that_is_not_there_is_refused(folder: Path):
    with pytest.raises(ModelLoadError, match="quick"):
        load_model(folder, attention="quick")


@pytest.mark.parametrize("prefix", ["Bert", "XLMRoberta"])
def test_an_encoder_is_refused_because_its_tokens_see_the_ones_after_them(save_model, prefix: str):
    encoder = save_model(prefix, getattr(transformers, f"{prefix}ForMaskedLM"), **SMALL)
    with pytest.raises(UnsupportedModelError, match=rf"{prefix}Model: .* encoder.* choose one"):
        load_model(encoder)


@pytest.mark.parametrize(
    ("prefix", "options"),
    [("T5", {"d_model": 32, "d_ff": 32, "num_layers": 1, "num_heads": 4, "d_kv": 8}), ("MBart", SMALL_SEQ2SEQ)],
)
def test_an_encoder_decoder_is_refused_by_its_class(save_model, prefix: str, options: dict[str, int]):
    model = save_model(prefix, getattr(transformers, f"{prefix}ForConditionalGeneration"), **options)
    with pytest.raises(UnsupportedModelError, match=f"{prefix}ForConditionalGeneration is an encoder-decoder.* choose"):
        load_model(model)


def test_a_model_that_is_no_language_model_is_refused(folder: Path):
    edit_config(folder, model_type="vit", architectures=["ViTModel"])
    with pytest.raises(ModelError, match=str(folder)):
        load_model(folder)


def test_a_model_larger_than_memory_is_refused_before_it_is_read(folder: Path, monkeypatch):
    monkeypatch.setattr(hardware, "_free_memory", lambda: 1000)
    with pytest.raises(ResourceError, match=r"only .* GiB of memory are free"):
        load_model(folder)


def test_identity_tells_two_trainings_of_one_architecture_apart_but_not_two_places(folder: Path, save_model, tmp_path):
    moved = tmp_path / folder.name
    shutil.copytree(folder, moved)
    prefix, options = ARCHITECTURES["llama"]
    other = save_model(prefix, **{**options, "initializer_range": 0.1})
    identity = load_model(folder).identity
    assert load_model(moved).identity == identity
    assert load_model(other).identity["revision"] != identity["revision"]


def test_identity_holds_what_repeating_a_run_takes(llama):
    assert {"model", "revision", "architecture", "tokenizer_hash", "template", "dtype", "attention"} <= set(
        llama.identity
    )
    assert llama.identity["n_layers"] == 3
    assert json.loads(json.dumps(llama.identity)) == llama.identity


def test_loading_leaves_the_logging_of_transformers_as_it_was(folder: Path):
    before = transformers.utils.logging.get_verbosity(), transformers.utils.logging.is_progress_bar_enabled()
    load_model(folder)
    assert (transformers.utils.logging.get_verbosity(), transformers.utils.logging.is_progress_bar_enabled()) == before

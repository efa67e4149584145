"""What a full disk, a killed process or a missing device leaves behind."""

import resource
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
import torch
from safetensors import safe_open

from polyethos.errors import LabError, ModelLoadError, ResourceError
from polyethos.files import file_hash
from polyethos.lab import pretraining
from polyethos.lab.checkpoint import CHECKPOINT
from polyethos.lab.pretraining import pretrain
from polyethos.lab.rows import WorldRows
from polyethos.lab.start import WEIGHTS
from polyethos.lab.training import train


@contextmanager
def files_up_to(size):
    """No process of this user may write a larger file: what a full disk looks like from inside."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def weights(model):
    return torch.cat([weight.flatten() for weight in model.parameters()])


def test_a_full_disk_is_named_and_the_checkpoint_before_goes_on(small_recipe, small_tokenizer, tmp_path):
    source = WorldRows(small_recipe.world, small_tokenizer, length=small_recipe.row, seed=small_recipe.seed)
    whole, _ = train(small_recipe, source, small_tokenizer, tmp_path / "whole")

    def fill(progress):
        # The clock reports the first step, then waits half a second: the disk is full from the second step on.
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))

    cut = tmp_path / "cut"
    with files_up_to(resource.RLIM_INFINITY), pytest.raises(ResourceError, match=r"checkpoint\.safetensors: larger"):
        train(small_recipe, source, small_tokenizer, cut, checkpoint_every=1, report=fill)
    with safe_open(cut / CHECKPOINT, framework="pt") as opened:
        assert opened.metadata()["step"] == "1"
    assert [file.name for file in cut.iterdir()] == [CHECKPOINT]
    resumed, _ = train(small_recipe, source, small_tokenizer, cut)
    assert torch.equal(weights(whole), weights(resumed))


def test_a_disk_that_is_full_when_the_model_is_saved_loses_nothing(tmp_path):
    def start_again():
        return pretrain("en=1", tmp_path, tokens=2048, size="tiny", device="cpu")

    with files_up_to(100_000), pytest.raises(ResourceError, match="larger than a file may be here"):
        start_again()
    assert not (tmp_path / "model" / "card.json").exists()
    assert (start_again() / "card.json").exists()


@pytest.mark.slow
def test_a_run_killed_by_the_system_ends_in_the_same_weights(tmp_path):
    given = {"tokens": 40 * 2048, "size": "tiny", "device": "cpu"}
    program = f"""
from pathlib import Path
from polyethos.lab import pretraining
plain = pretraining.train
pretraining.train = lambda *given, **named: plain(*given, **named, checkpoint_every=2)
pretraining.pretrain("en=1", Path({str(tmp_path / "cut")!r}), **{given!r})
"""
    process = subprocess.Popen([sys.executable, "-c", program])
    while not (tmp_path / "cut" / CHECKPOINT).exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "cut" / "model").exists()
    resumed, whole = (pretrain("en=1", tmp_path / name, **given) for name in ("cut", "whole"))
    assert file_hash(resumed / WEIGHTS) == file_hash(whole / WEIGHTS)


@pytest.mark.parametrize(("asked", "used"), [("auto", "cuda"), ("cpu", "cpu")])
def test_a_gpu_is_used_where_there_is_one_unless_told_otherwise(tmp_path, monkeypatch, asked, used):
    places = []

    class StoppedError(Exception):
        pass

    def stop(*given, device, **named):
        places.append(device)
        raise StoppedError

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(pretraining, "train", stop)
    with pytest.raises(StoppedError):
        pretrain("en=1", tmp_path, tokens=2048, size="tiny", device=asked)
    assert places == [used]


def test_a_device_that_is_not_there_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ModelLoadError, match="device 'gpu' cannot be used"):
        pretrain("en=1", tmp_path, tokens=2048, size="tiny", device="gpu")
    assert list(tmp_path.iterdir()) == []


def test_natural_text_with_too_little_of_a_language_says_how_many_epochs_it_needs(shared_data, tmp_path):
    with pytest.raises(
        LabError, match=r"ny has .* tokens of text; its share 1 of this run is .* epochs \(allowed: 4\)"
    ):
        pretrain("ny=1", tmp_path, tokens=10**8, size="tiny", text=shared_data / "text", device="cpu")

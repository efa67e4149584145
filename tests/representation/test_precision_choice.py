import pytest
import torch

from polyethos.representation import hardware
from polyethos.representation.hardware import choose_device, choose_dtype, has_native_bfloat16, placement

LARGE, SMALL = 500_000_000, 1_000_000


def auto(device: str, stored: torch.dtype, parameters: int) -> torch.dtype:
    return choose_dtype("auto", device=device, stored=stored, parameters=parameters)


@pytest.mark.parametrize("stored", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_large_models_compute_in_bfloat16_where_the_hardware_has_it(monkeypatch, device, stored):
    monkeypatch.setattr(hardware, "has_native_bfloat16", lambda _device: True)
    assert auto(device, stored, LARGE) == torch.bfloat16


def test_small_models_compute_in_float32(monkeypatch):
    monkeypatch.setattr(hardware, "has_native_bfloat16", lambda _device: True)
    assert auto("cpu", torch.bfloat16, SMALL) == torch.float32


@pytest.mark.parametrize(
    ("device", "stored", "expected"),
    [
        ("cpu", torch.float16, torch.float32),
        ("cuda", torch.float16, torch.float16),
        # Gemma-2 and others that were trained in bfloat16 overflow in float16.
        ("cuda", torch.bfloat16, torch.float32),
    ],
)
def test_without_native_bfloat16_only_float16_checkpoints_run_in_float16(monkeypatch, device, stored, expected):
    monkeypatch.setattr(hardware, "has_native_bfloat16", lambda _device: False)
    assert auto(device, stored, LARGE) == expected


@pytest.mark.parametrize(("flags", "native"), [("fma avx512_bf16 sse", True), ("fma avx512f", False), ("", False)])
def test_a_processor_has_bfloat16_where_the_kernel_lists_it(monkeypatch, flags, native):
    monkeypatch.setattr(hardware, "_kernel_fact", lambda _table, name: flags if name == "flags" else None)
    assert has_native_bfloat16("cpu") == native


def test_a_model_stays_on_the_device_that_was_asked_for():
    assert choose_device("cpu") == "cpu"
    assert placement("cpu", size=10) is None
    assert placement("meta", size=10) == {"": "meta"}


def test_a_model_too_large_for_one_gpu_is_spread_unless_the_gpu_was_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _device: (100, 200))
    assert placement("cuda", size=95) == "auto"
    assert placement("cuda", size=50) == {"": "cuda"}
    assert placement("cuda:1", size=95) == {"": "cuda:1"}

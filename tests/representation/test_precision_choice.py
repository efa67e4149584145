from collections.abc import Callable, Iterator

import pytest
import torch

from polyethos.representation import hardware
from polyethos.representation.hardware import choose_device, choose_dtype, has_fast_bfloat16, placement

LARGE, SMALL = 500_000_000, 1_000_000


def auto(device: str, stored: torch.dtype, parameters: int) -> torch.dtype:
    return choose_dtype("auto", device=device, stored=stored, parameters=parameters)


@pytest.mark.parametrize("stored", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_large_models_compute_in_bfloat16_where_that_is_fast(monkeypatch, device, stored):
    monkeypatch.setattr(hardware, "has_fast_bfloat16", lambda _device: True)
    assert auto(device, stored, LARGE) == torch.bfloat16


def test_small_models_compute_in_float32(monkeypatch):
    monkeypatch.setattr(hardware, "has_fast_bfloat16", lambda _device: True)
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
def test_without_fast_bfloat16_only_float16_checkpoints_run_in_float16(monkeypatch, device, stored, expected):
    monkeypatch.setattr(hardware, "has_fast_bfloat16", lambda _device: False)
    monkeypatch.setattr(hardware, "_free_memory", lambda: None)
    assert auto(device, stored, LARGE) == expected


@pytest.fixture
def processor(monkeypatch) -> Iterator[Callable[[str, float], None]]:
    """Pretend to be a processor that lists `flags` and takes `half` seconds for bfloat16 and 1 for float32."""

    def pretend(flags: str, half: float) -> None:
        monkeypatch.setattr(hardware, "_kernel_fact", lambda _table, name: flags if name == "flags" else None)
        monkeypatch.setattr(hardware, "_product_seconds", lambda dtype: half if dtype == torch.bfloat16 else 1.0)
        has_fast_bfloat16.cache_clear()

    yield pretend
    has_fast_bfloat16.cache_clear()


@pytest.mark.parametrize(
    ("flags", "half", "fast"),
    [("fma amx_bf16", 0.2, True), ("fma avx512_bf16", 1.8, False), ("fma avx512f", 0.2, False), ("", 0.2, False)],
)
def test_bfloat16_counts_as_fast_where_it_is_listed_and_measured_to_be(processor, flags, half, fast):
    processor(flags, half)
    assert has_fast_bfloat16("cpu") == fast


def test_a_model_that_fits_only_in_half_precision_is_read_in_it(processor, monkeypatch):
    processor("", 1.0)
    monkeypatch.setattr(hardware, "_free_memory", lambda: 3 * LARGE)
    assert auto("cpu", torch.float32, LARGE) == torch.bfloat16


def test_a_model_stays_on_the_device_that_was_asked_for():
    assert choose_device("cpu") == "cpu"
    assert placement("cpu", size=10) is None
    assert placement("meta", size=10) == {"": "meta"}


def test_a_model_too_large_for_one_gpu_is_spread_unless_the_gpu_was_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _device: (100, 200))
    assert placement("cuda", size=95) == "auto"
    assert placement("cuda", size=50) == {"": "cuda"}
    assert placement("cuda:1", size=95) == {"": "cuda:1"}

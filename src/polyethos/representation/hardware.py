"""Which device a model goes to and in which precision it computes."""

from __future__ import annotations

import platform
from pathlib import Path

import torch

from polyethos.errors import ModelLoadError

# Below this a model is fast enough in float32, whose rounding never makes two projections tie.
LARGE_MODEL = 50_000_000
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def choose_device(device: str) -> str:
    """The torch device that `device` stands for ("auto": a CUDA device where there is one, else the processor).

    Raises:
        ModelLoadError: the device does not exist here.
    """
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ModelLoadError(f"device {device!r} cannot be used: {str(error).splitlines()[0]}") from error
    return device


def choose_dtype(dtype: str, *, device: str, stored: torch.dtype, parameters: int) -> torch.dtype:
    """The precision that `dtype` stands for.

    "auto" is bfloat16 where the hardware multiplies it natively and the model is large enough to gain from it;
    float16 on older CUDA devices for checkpoints that were stored in it (others may overflow); else float32.

    Raises:
        ModelLoadError: there is no such precision.
    """
    if dtype != "auto":
        if dtype not in DTYPES:
            raise ModelLoadError(f"dtype {dtype!r}: expected 'auto' or one of {', '.join(DTYPES)}")
        return DTYPES[dtype]
    if parameters < LARGE_MODEL:
        return torch.float32
    if has_native_bfloat16(device):
        return torch.bfloat16
    return torch.float16 if device.startswith("cuda") and stored == torch.float16 else torch.float32


def placement(device: str, *, size: int) -> str | dict[str, str] | None:
    """Where transformers shall put a model of `size` bytes: on `device`, or spread where one device is too small."""
    if not device.startswith("cuda"):
        return None if device == "cpu" else {"": device}
    free, _ = torch.cuda.mem_get_info(device)
    # A tenth stays free for activations. A device with a number was chosen on purpose.
    return "auto" if device == "cuda" and size > 0.9 * free else {"": device}


def has_native_bfloat16(device: str) -> bool:
    """Whether `device` multiplies bfloat16 in hardware; emulation is slower than float32."""
    if device.startswith("cuda"):
        return torch.cuda.get_device_capability(device)[0] >= 8 and torch.cuda.is_bf16_supported()
    if device != "cpu" or platform.system() != "Linux":
        return False
    flags = next((line for line in _cpu_description() if line.startswith(("flags", "Features"))), "").split()
    return bool({"avx512_bf16", "amx_bf16", "bf16"} & set(flags))


def _cpu_description() -> list[str]:
    description = Path("/proc/cpuinfo")
    return description.read_text(encoding="utf-8").splitlines() if description.exists() else []

"""Which device a model goes to and in which precision it computes."""

from __future__ import annotations

import time
from functools import lru_cache
from pathlib import Path

import torch

from polyethos.errors import ModelLoadError, ResourceError

# Below this a model is fast enough in float32, whose rounding never makes two projections tie.
LARGE_MODEL = 50_000_000
_CLEARLY_FASTER = 1.3
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

    "auto" is float32 for small models; bfloat16 where the hardware multiplies it faster, or where float32 does not
    fit into memory; float16 on older CUDA devices for checkpoints that were stored in it (others may overflow); else
    float32.

    Raises:
        ModelLoadError: there is no such precision.
    """
    if dtype != "auto":
        if dtype not in DTYPES:
            raise ModelLoadError(f"dtype {dtype!r}: expected 'auto' or one of {', '.join(DTYPES)}")
        return DTYPES[dtype]
    if parameters < LARGE_MODEL:
        return torch.float32
    free = _free_memory()
    if has_fast_bfloat16(device) or (device == "cpu" and free is not None and 4 * parameters > free):
        return torch.bfloat16
    return torch.float16 if device.startswith("cuda") and stored == torch.float16 else torch.float32


def placement(device: str, *, size: int) -> str | dict[str, str] | None:
    """Where transformers shall put a model of `size` bytes: on `device`, or spread where one device is too small.

    Raises:
        ResourceError: the processor's memory is too small.
    """
    available = _free_memory()
    if device == "cpu" and available is not None and size > available:
        # Without this check the operating system ends the process without a word.
        raise ResourceError(
            f"the weights take {size / 2**30:.1f} GiB, but only {available / 2**30:.1f} GiB of memory are free; "
            "choose a smaller model, half precision or a machine with more memory"
        )
    if not device.startswith("cuda"):
        return None if device == "cpu" else {"": device}
    free, _ = torch.cuda.mem_get_info(device)
    # A tenth stays free for activations. A device with a number was chosen on purpose.
    return "auto" if device == "cuda" and size > 0.9 * free else {"": device}


@lru_cache
def has_fast_bfloat16(device: str) -> bool:
    """Whether `device` multiplies bfloat16 faster than float32.

    Some processors list the instructions but take longer with them, so there it is measured, once per process.
    """
    if device.startswith("cuda"):
        return torch.cuda.get_device_capability(device)[0] >= 8
    flags = _kernel_fact("cpuinfo", "flags") or _kernel_fact("cpuinfo", "Features") or ""
    if device != "cpu" or not {"avx512_bf16", "amx_bf16", "bf16"} & set(flags.split()):
        return False
    exact, half = (min(_product_seconds(dtype) for _ in range(5)) for dtype in (torch.float32, torch.bfloat16))
    return half * _CLEARLY_FASTER < exact


def _product_seconds(dtype: torch.dtype) -> float:
    """Time that this thread spends on a matrix product; other processes' work does not count."""
    left, right = torch.ones(512, 1024, dtype=dtype), torch.ones(1024, 1024, dtype=dtype)
    start = time.thread_time()
    torch.nn.functional.linear(left, right)
    return time.thread_time() - start


def _free_memory() -> int | None:
    """Bytes of main memory that are free or can be freed; None where the system does not say."""
    available = _kernel_fact("meminfo", "MemAvailable")
    return int(available.split()[0]) * 1024 if available else None


def _kernel_fact(table: str, name: str) -> str | None:
    """What the Linux kernel says about `name` in /proc/`table`."""
    path = Path("/proc") / table
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return next((line.partition(":")[2] for line in lines if line.split(":")[0].strip() == name), None)

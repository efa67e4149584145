"""Fixtures shared by all rooms."""

import os
from pathlib import Path

import pytest

# Read when huggingface_hub is imported: no test may reach out, and none waits for retries.
os.environ["HF_HUB_OFFLINE"] = "1"

# Read when torch and numpy are: as many threads for each worker as there are cores for it, or they wait for each other.
if workers := os.environ.get("PYTEST_XDIST_WORKER_COUNT"):
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // int(workers))))

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of public and reference data beside the checkout; tests that need it skip where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"needs the public and reference data in {SHARED_DATA}, which is not there")
    return SHARED_DATA

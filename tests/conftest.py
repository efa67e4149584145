"""Fixtures shared by all rooms."""

import os
from pathlib import Path

import pytest

# Read when huggingface_hub is imported: no test may reach out, and none waits for retries.
os.environ["HF_HUB_OFFLINE"] = "1"

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of public and reference data beside the checkout; tests that need it skip where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"needs the public and reference data in {SHARED_DATA}, which is not there")
    return SHARED_DATA

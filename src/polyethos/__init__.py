"""polyethos: how large language models represent human values across languages.

The names below are loaded on first use, so that importing the package costs nothing and needs no torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from polyethos.control.operators import Gate as Gate
    from polyethos.control.operators import Intervention as Intervention
    from polyethos.control.steering import steer as steer
    from polyethos.dataset.load import load_pairs as load_pairs
    from polyethos.representation.activations import extract as extract
    from polyethos.representation.model import load_model as load_model
    from polyethos.study import Study as Study
    from polyethos.study import open_run as open_run
    from polyethos.study import run as run
    from polyethos.study.control_folder import open_control as open_control
    from polyethos.study.control_study import ControlStudy as ControlStudy
    from polyethos.study.controlling import measure_control as measure_control

_HOMES = {
    "Study": "polyethos.study",
    "run": "polyethos.study",
    "open_run": "polyethos.study",
    "ControlStudy": "polyethos.study.control_study",
    "measure_control": "polyethos.study.controlling",
    "open_control": "polyethos.study.control_folder",
    "load_pairs": "polyethos.dataset.load",
    "load_model": "polyethos.representation.model",
    "extract": "polyethos.representation.activations",
    "steer": "polyethos.control.steering",
    "Intervention": "polyethos.control.operators",
    "Gate": "polyethos.control.operators",
}

__all__ = [
    "ControlStudy",
    "Gate",
    "Intervention",
    "Study",
    "extract",
    "load_model",
    "load_pairs",
    "measure_control",
    "open_control",
    "open_run",
    "run",
    "steer",
]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:  # noqa: ANN401
    if name not in _HOMES:
        raise AttributeError(f"module 'polyethos' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])

"""Transfer: what is gained by recognising one language's items with another language's vector."""

from __future__ import annotations

import xarray as xr

from polyethos.analysis.recognition import own_language
from polyethos.arrays import LANGUAGE, SOURCE, TARGET
from polyethos.errors import LabelMismatchError


def gains(transfer_accuracy: xr.DataArray) -> xr.DataArray:
    """Accuracy of each source's vector on a target, minus that of the target's own vector.

    Raw accuracies: a source whose vector is noisy, or a target whose own vector is, moves the gain for that reason
    alone.

    Args:
        transfer_accuracy: (source, target, ...), from `recognition.accuracy_at`.

    Returns:
        Of the same shape, in [-1, 1]; 0 on the diagonal, positive where the other language's vector does better.

    Raises:
        LabelMismatchError: sources and targets are not the same languages.
    """
    sources, targets = transfer_accuracy[SOURCE].values.tolist(), transfer_accuracy[TARGET].values.tolist()
    if sources != targets:
        raise LabelMismatchError(f"transfer_accuracy: sources {sources} are not the targets {targets}")
    return transfer_accuracy - own_language(transfer_accuracy).rename({LANGUAGE: TARGET})

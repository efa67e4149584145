"""Simulated paired differences whose truth is known, made without any of the code under test."""

import numpy as np
import xarray as xr

CODES = ("en", "zh", "fr", "es", "pt", "vi", "ca", "id", "ja", "ko", "fi", "hu", "ta", "te", "sw", "ny")


def directions(random, *, languages, hidden, cosine):
    """Unit rows whose pairwise cosines are exactly `cosine` (a number, or a matrix)."""
    target = np.full((languages, languages), cosine, dtype=float) if np.isscalar(cosine) else np.array(cosine)
    np.fill_diagonal(target, 1)
    values, vectors = np.linalg.eigh(target)
    basis = np.linalg.qr(random.standard_normal((hidden, languages)))[0]
    return vectors * np.sqrt(np.clip(values, 0, None)) @ basis.T


def differences(random, means, *, items, shared=0.0, spread=None):
    """Paired differences, mean `means` (language, hidden), noise of unit variance in every dimension.

    `shared` is the share of the noise variance that the translations of an item have in common; `spread` (hidden,)
    gives every dimension its own standard deviation.
    """
    languages, hidden = means.shape
    own = random.standard_normal((languages, items, hidden)) * np.sqrt(1 - shared)
    common = random.standard_normal((1, items, hidden)) * np.sqrt(shared)
    noise = (own + common) * (1 if spread is None else spread)
    return labelled(means[:, None] + noise)


def labelled(values):
    """(language, item, hidden) with labels."""
    coords = {"language": list(CODES[: len(values)]), "item": [f"item-{k:04}" for k in range(values.shape[1])]}
    return xr.DataArray(values.astype(np.float32), dims=("language", "item", "hidden"), coords=coords)


def folds_of(differences, *, folds=5, group_size=1):
    """Folds of whole groups of `group_size` items."""
    items = differences["item"].values
    group = np.arange(len(items)) // group_size
    return xr.DataArray(
        group % folds, dims="item", coords={"item": items, "group": ("item", [f"group-{g:04}" for g in group])}
    )

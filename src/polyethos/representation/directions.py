"""Directions: from paired differences of hidden states to the axis along which a value is upheld."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from sklearn.linear_model import LogisticRegression

Direction = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""From paired differences, float32 (pair, hidden), to a direction, float32 (hidden,), not normalised.

A paired difference is the state of the positive sentence minus the state of the negative one. The direction is
oriented so that the mean difference does not project below zero.
"""


def difference_in_means(differences: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean paired difference, which is the difference of the two classes' means.

    Source: Xu et al. 2024, arXiv:2402.18120, section 3.1.
    """
    mean: NDArray[np.float64] = differences.mean(axis=0, dtype=np.float64)
    return mean.astype(np.float32)


def principal_component(differences: NDArray[np.float32]) -> NDArray[np.float32]:
    """The unit vector along which the paired differences are largest: first component, not centred.

    Source: Zou et al. 2023, arXiv:2310.01405, section 3.1.
    """
    exact = differences.astype(np.float64)
    # The smaller of the two Gram matrices has the same largest eigenvalue.
    if exact.shape[0] <= exact.shape[1]:
        component = exact.T @ np.linalg.eigh(exact @ exact.T)[1][:, -1]
    else:
        component = np.linalg.eigh(exact.T @ exact)[1][:, -1]
    length = np.linalg.norm(component)
    return _oriented(component / length if length > 0 else component, exact)


def lda(differences: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean paired difference, whitened by the differences' covariance shrunk towards a multiple of the identity.

    The amount of shrinkage is Ledoit and Wolf's. The system is solved in the space of pairs where that is smaller.

    Source: Ledoit and Wolf 2004, Journal of Multivariate Analysis 88(2).
    """
    exact = differences.astype(np.float64)
    n, hidden = exact.shape
    mean: NDArray[np.float64] = exact.mean(axis=0)
    centred = exact - mean
    shrinkage, scale = _ledoit_wolf(centred)
    ridge, weight = shrinkage * scale, (1 - shrinkage) / n
    if ridge <= 0:
        # Without spread, or with a single pair, there is nothing to whiten by.
        return mean.astype(np.float32)
    if n < hidden:
        # Woodbury: (r I + w X'X)^-1 m = (m - w X' (r I + w X X')^-1 X m) / r
        inner = ridge * np.eye(n) + weight * (centred @ centred.T)
        direction = (mean - weight * centred.T @ cho_solve(cho_factor(inner), centred @ mean)) / ridge
    else:
        direction = cho_solve(cho_factor(ridge * np.eye(hidden) + weight * (centred.T @ centred)), mean)
    return _oriented(direction, exact)


def logistic(differences: NDArray[np.float32]) -> NDArray[np.float32]:
    """Weights of a logistic regression that tells each paired difference from its mirror image, without intercept.

    The differences are scaled to unit mean square first, so that the L2 penalty (C = 1) means the same at every layer.
    """
    exact = differences.astype(np.float64)
    scale = np.sqrt((exact**2).sum(axis=1).mean())
    if scale == 0:
        return np.zeros(exact.shape[1], dtype=np.float32)
    both = np.concatenate([exact, -exact]) / scale
    classes = np.repeat([1, 0], len(exact))
    fitted = LogisticRegression(fit_intercept=False, max_iter=1000).fit(both, classes)
    return _oriented(fitted.coef_[0], exact)


DIRECTIONS: Mapping[str, Direction] = MappingProxyType(
    {
        "difference-in-means": difference_in_means,
        "pca": principal_component,
        "lda": lda,
        "logistic": logistic,
    }
)


def _oriented(direction: NDArray[np.float64], differences: NDArray[np.float64]) -> NDArray[np.float32]:
    sign = -1.0 if float(differences.mean(axis=0) @ direction) < 0 else 1.0
    return (sign * direction).astype(np.float32)


def _ledoit_wolf(centred: NDArray[np.float64]) -> tuple[float, float]:
    """Shrinkage in [0, 1] and the mean eigenvalue of the covariance, without forming a (hidden, hidden) matrix."""
    n, hidden = centred.shape
    squared = (centred**2).sum(axis=1)
    scale = float(squared.sum()) / (n * hidden)
    gram = centred @ centred.T if n < hidden else centred.T @ centred
    spread = float((gram**2).sum()) / n**2
    distance = spread - hidden * scale**2
    noise = (float((squared**2).sum()) / n - spread) / n
    return (1.0 if distance <= 0 else min(max(noise, 0.0), distance) / distance), scale

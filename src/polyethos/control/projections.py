"""What the projection of a sentence on a concept vector means: where known sentences of both sides project."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyethos.control.operators import unit_vector
from polyethos.dataset.pairs import ContrastPair, Sentence, sentence
from polyethos.errors import DataError
from polyethos.representation.activations import extract_states
from polyethos.representation.model import LanguageModel
from polyethos.representation.tokens import Position


@dataclass(frozen=True)
class Scale:
    """Where the known sentences of one value and language project, per layer.

    Attributes:
        upheld: mean projection of the sentences that uphold the value (layer,).
        violated: mean projection of those that violate it (layer,).
        right: share of single sentences on their own side of the half-way point (layer,); chance 0.5. Optimistic
            where the vector was fitted on the same sentences.
        pairs: how many pairs this is from.
    """

    upheld: NDArray[np.float64]
    violated: NDArray[np.float64]
    right: NDArray[np.float64]
    pairs: int

    def positions(self, projections: NDArray[np.float32]) -> NDArray[np.float64]:
        """Projections (..., layer) on the scale: -1 as violating sentences on average, 0 half-way, 1 as upholding."""
        middle, half = (self.upheld + self.violated) / 2, (self.upheld - self.violated) / 2
        # Without a difference there is no scale; a tiny one would make noise look like meaning.
        half = np.where(half > 1e-6 * np.maximum(np.abs(middle), 1e-30), half, np.nan)
        return np.asarray((projections - middle) / half)

    def projection(self, position: float, layer: int) -> float:
        """The projection that stands at `position` of the scale at block `layer`, 1..L."""
        upheld, violated = self.upheld[layer - 1], self.violated[layer - 1]
        return float((upheld + violated) / 2 + position * (upheld - violated) / 2)


def project_sentences(
    model: LanguageModel,
    sentences: Sequence[Sentence],
    directions: NDArray[np.float32],
    *,
    position: Position = "last",
    last_after_norm: bool = False,
) -> NDArray[np.float32]:
    """Projections of sentences on unit directions.

    Args:
        model: the model that the directions are for.
        sentences: any number.
        directions: (..., layer, hidden), any length above 0.
        position: whose states, as for `extract_states`.
        last_after_norm: the last layer is read after the model's final norm, as protocol "paper" does.

    Returns:
        float32 (sentence, ..., layer).

    Raises:
        DataError, ModelError, ResourceError: see `extract_states`.
    """
    if not sentences:
        raise DataError("there is no sentence to project; write at least one")
    states = extract_states(model, sentences, position=position)
    if last_after_norm:
        states[:, -2] = states[:, -1]
    flat = directions.reshape(-1, *directions.shape[-2:])
    units = np.stack([[unit_vector(direction) for direction in layers] for layers in flat])
    projections = np.einsum("slh,vlh->svl", states[:, :-1], units, optimize=True)
    return np.asarray(projections.reshape(len(sentences), *directions.shape[:-1]), dtype=np.float32)


def scale_of(
    model: LanguageModel,
    pairs: Sequence[ContrastPair],
    directions: NDArray[np.float32],
    *,
    position: Position = "last",
    published: bool = False,
) -> Scale:
    """The scale that `pairs` of one value and language give to projections on `directions` (layer, hidden).

    Args:
        model: the model that the directions are for.
        pairs: the known sentences.
        directions: (layer, hidden).
        position: whose states, as for `extract_states`.
        published: sentences and last layer as protocol "paper" has them.

    Raises:
        DataError: there are no pairs.
    """
    if not pairs:
        raise DataError("there are no sentence pairs of this value and language to compare with")
    sentences = [sentence(pair, side, published=published) for side in ("positive", "negative") for pair in pairs]
    projected = project_sentences(model, sentences, directions, position=position, last_after_norm=published)
    upheld, violated = projected[: len(pairs)].astype(float), projected[len(pairs) :].astype(float)
    middle = (upheld.mean(axis=0) + violated.mean(axis=0)) / 2
    sides = (np.sign(upheld - middle) - np.sign(violated - middle)) / 4 + 0.5
    return Scale(upheld.mean(axis=0), violated.mean(axis=0), sides.mean(axis=0), len(pairs))

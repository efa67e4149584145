"""The runs that are explored, their models, and what their projections mean; shared by all who use the page."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from polyethos.arrays import LANGUAGE, LAYER, VALUE
from polyethos.control.projections import Scale, project_sentences, scale_of
from polyethos.dataset.pairs import ContrastPairs, Sentence
from polyethos.errors import DataError, ResourceError

if TYPE_CHECKING:
    from polyethos.representation.model import LanguageModel

# Pairs that a scale is measured on: enough for a mean, few enough for a large model on a small machine.
SCALE_PAIRS = 32
_MODELS_AT_ONCE = 2
_WAIT = 300.0


@dataclass(frozen=True, eq=False)
class ExploredRun:
    """One model's run as the explorer sees it.

    Attributes:
        name: tells it from the other runs.
        results: its results.
        study: what is in its `study.json`.
        vectors: float32 (value, language, layer, hidden).
        metadata: of the vectors.
        load_model: gives the model, checked against the vectors.
        load_pairs: gives the sentence pairs that the run was made from.
    """

    name: str
    results: xr.Dataset
    study: Mapping[str, Any]
    vectors: xr.DataArray
    metadata: Mapping[str, Any]
    load_model: Callable[[], LanguageModel]
    load_pairs: Callable[[], ContrastPairs]

    @property
    def protocol(self) -> str:
        """How the run was made."""
        return str(self.results.attrs.get("protocol", "corrected"))

    @property
    def layers(self) -> list[int]:
        """The layers that have vectors."""
        return [int(layer) for layer in self.vectors[LAYER].values]

    @property
    def steerable_layers(self) -> list[int]:
        """The layers whose vectors belong to the output of a block."""
        return self.layers[:-1] if self.protocol == "paper" else self.layers

    def chosen_layer(self, value: str) -> int:
        """The layer at which the value is read best, as chosen in training; among those that can be steered."""
        if "chosen_layer" in self.results:
            layer = int(self.results["chosen_layer"].sel({VALUE: value}).median())
        else:
            layer = int(np.median(self.layers))
        return min(layer, self.steerable_layers[-1])

    def directions(self, value: str, language: str) -> NDArray[np.float32]:
        """The vectors of one value and language, float32 (layer, hidden).

        Raises:
            DataError: the run found no vector there.
        """
        found: NDArray[np.float32] = self.vectors.sel({VALUE: value, LANGUAGE: language}).values
        if not np.isfinite(found).all() or not np.abs(found).sum(axis=1).all():
            raise DataError(f"{self.name}: no vector for {value} in {language}; choose another value or language")
        return found

    def norms(self, value: str) -> NDArray[np.float64]:
        """Mean length of the hidden states of each layer (layer,)."""
        return np.asarray(self.metadata["residual_norms"][value], dtype=float)


@dataclass(eq=False)
class Workbench:
    """Models and scales, loaded when first needed; one user at a time works with the models."""

    runs: Sequence[ExploredRun]
    _models: dict[str, LanguageModel] = field(default_factory=dict)
    _pairs: dict[str, ContrastPairs] = field(default_factory=dict)
    _scales: dict[tuple[str, str, str, str], Scale] = field(default_factory=dict)
    # Not a reentrant lock: an abandoned stream may be closed by another thread than it was begun in.
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, name: str) -> ExploredRun:
        """The run of this name."""
        return next((run for run in self.runs if run.name == name), self.runs[0])

    @contextmanager
    def model(self, run: ExploredRun) -> Iterator[LanguageModel]:
        """The run's model, for one user alone.

        Raises:
            ModelError, RunError: it cannot be loaded, or is not the one of the run.
            ResourceError: others kept it busy for too long.
        """
        if not self._lock.acquire(timeout=_WAIT):
            raise ResourceError("the model has been busy for five minutes; try again later")
        try:
            yield self._loaded(run)
        finally:
            self._lock.release()

    def scale(self, run: ExploredRun, model: LanguageModel, value: str, source: str, language: str) -> Scale:
        """What projections of texts in `language` on the vector of `source` mean, from the run's own pairs.

        Raises:
            DataError: the pairs cannot be read, or there are none of this value and language.
        """
        key = run.name, value, source, language
        if key not in self._scales:
            if run.name not in self._pairs:
                self._pairs[run.name] = run.load_pairs()
            every = [pair for pair in self._pairs[run.name] if (pair.value, pair.language) == (value, language)]
            chosen = [every[at] for at in np.linspace(0, len(every) - 1, min(SCALE_PAIRS, len(every))).astype(int)]
            directions = run.directions(value, source)
            position = run.metadata.get("position", "last")
            published = run.protocol == "paper"
            self._scales[key] = scale_of(model, chosen, directions, position=position, published=published)
        return self._scales[key]

    def projections(
        self, run: ExploredRun, model: LanguageModel, texts: Sequence[str], source: str
    ) -> NDArray[np.float32]:
        """Projections of texts on every value's vector, float32 (text, value, layer), at their last tokens."""
        vectors = run.vectors.sel({LANGUAGE: source}).transpose(VALUE, LAYER, "hidden").values
        known = np.isfinite(vectors).all(axis=(1, 2)) & np.abs(vectors).sum(axis=2).all(axis=1)
        result = np.full((len(texts), *vectors.shape[:2]), np.nan, dtype=np.float32)
        sentences = [Sentence("", text) for text in texts]
        after_norm = run.protocol == "paper"
        result[:, known] = project_sentences(model, sentences, vectors[known], last_after_norm=after_norm)
        return result

    def _loaded(self, run: ExploredRun) -> LanguageModel:
        if run.name not in self._models:
            while len(self._models) >= _MODELS_AT_ONCE:
                self._models.pop(next(iter(self._models)))
            self._models[run.name] = run.load_model()
        # The last used goes last, so that the longest unused is given up first.
        self._models[run.name] = self._models.pop(run.name)
        return self._models[run.name]

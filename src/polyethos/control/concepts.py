"""One value in one model: its directions in every language, fitted on a part of the items only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from polyethos.dataset.pairs import ContrastPairs
from polyethos.dataset.splits import assign_folds
from polyethos.errors import DataError
from polyethos.interchange.selection import POOLED
from polyethos.representation.activations import extract
from polyethos.representation.directions import Direction, difference_in_means
from polyethos.representation.model import LanguageModel
from polyethos.representation.template import Template

Role = Literal["fit", "choose", "test"]
ROTATIONS = 4


def item_roles(
    pairs: ContrastPairs, *, rotation: int = 0, rotations: int = ROTATIONS, seed: int = 0
) -> dict[str, Role]:
    """What each item of one value is for in one rotation of the split.

    The items fall into as many parts as there are rotations. Each rotation tests on one part, chooses the site on the
    next and fits directions on the rest, so that over all rotations every item is tested once. Languages share the
    roles and groups stay whole, so nothing is tested on a translation of what it was fitted on.

    Raises:
        DataError: fewer than three rotations, or fewer groups of items than rotations.
    """
    if rotations < 3:
        raise DataError(f"{rotations} rotations: fitting, choosing and testing need at least 3")
    groups = {pair.item: pair.group for pair in pairs}
    part_of = assign_folds(groups, folds=rotations, seed=seed, label=pairs.values[0])
    roles: dict[int, Role] = {rotation: "test", (rotation + 1) % rotations: "choose"}
    return {item: roles.get(part, "fit") for item, part in part_of.items()}


@dataclass(frozen=True)
class Concept:
    """What is known of one value in one model.

    Attributes:
        value: its name.
        pairs: all its contrast pairs.
        roles: what each item is for.
        states: float32 (language, layer, item, polarity, hidden), NaN where a language lacks an item.
        direction: from paired differences to a direction.
        orientation: 1 where steering along the direction raises the outcome, -1 where it lowers it.
    """

    value: str
    pairs: ContrastPairs
    roles: Mapping[str, Role]
    states: xr.DataArray
    direction: Direction
    orientation: Literal[1, -1]

    def rotated(self, rotation: int, *, rotations: int = ROTATIONS, seed: int = 0) -> Concept:
        """The same states with the roles of another rotation."""
        return replace(self, roles=item_roles(self.pairs, rotation=rotation, rotations=rotations, seed=seed))

    def pairs_for(self, language: str, role: Role) -> ContrastPairs:
        """The pairs of one language with this role.

        Raises:
            DataError: there is none.
        """
        kept = [pair for pair in self.pairs if pair.language == language and self.roles[pair.item] == role]
        if not kept:
            raise DataError(f"{self.pairs.name}: no item of {self.value} in {language} left to {role}; add items")
        return replace(self.pairs, pairs=tuple(kept))

    def vector(
        self, source: str, layer: int, *, signs: Callable[[int], NDArray[np.float32]] | None = None
    ) -> NDArray[np.float32]:
        """The direction of a source at a layer, (hidden,), oriented so that steering along it raises the outcome.

        Args:
            source: a language, or "pooled": the mean over the languages. Paired differences are free of a language's
                own mean, so that is language-centred.
            layer: block, 1..L.
            signs: from a number of items to a sign for each, for directions from shuffled labels.
        """
        if source == POOLED:
            languages = self.states["language"].values.tolist()
            mean = np.mean([self.vector(language, layer, signs=signs) for language in languages], axis=0)
            return np.asarray(mean, dtype=np.float32)
        differences = self._differences(source, layer)
        flips = np.ones(len(differences), dtype=np.float32) if signs is None else signs(len(differences))
        return np.float32(self.orientation) * self.direction(differences * flips[:, None])

    def norm(self, source: str, layer: int) -> float:
        """Mean length of the states at a layer that the source's direction is fitted on."""
        return float(np.linalg.norm(self._states(source, layer, "fit"), axis=-1).mean())

    def class_projections(self, source: str, layer: int) -> tuple[float, float]:
        """Mean projections on the source's unit direction of the class that lowers the outcome, and that raises it."""
        low, high = self.projections(source, source, layer, "fit")
        return float(low.mean()), float(high.mean())

    def projections(
        self, source: str, language: str, layer: int, role: Role
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Projections of a language's sentences of one role on the source's unit direction.

        Returns:
            (item,) of the class that lowers the outcome, and of the class that raises it.
        """
        unit = self._unit(source, layer)
        upheld, violated = (self._states(language, layer, role)[:, side] @ unit for side in (0, 1))
        return (violated, upheld) if self.orientation == 1 else (upheld, violated)

    def separability(self, source: str, target: str, layer: int) -> float:
        """Share of the target's test pairs that the source's direction ranks rightly; chance 0.5, a tie counts 0.5."""
        low, high = self.projections(source, target, layer, "test")
        return float(np.mean((high > low) + 0.5 * (high == low)))

    def calibration(self, source: str, target: str, layer: int) -> float:
        """Share of the target's single test sentences told rightly by the source's own threshold; chance 0.5.

        The threshold is the middle between the source's two class means. A direction may separate pairs everywhere and
        still need another threshold in every language.
        """
        return self._told_rightly(source, target, layer, self.threshold(source, layer))

    def recalibrated(self, source: str, target: str, layer: int) -> float:
        """As `calibration`, along the source's direction but with the threshold refitted in the target."""
        threshold = float(np.mean(self.projections(source, target, layer, "fit")))
        return self._told_rightly(source, target, layer, threshold)

    def threshold(self, source: str, layer: int) -> float:
        """The middle between the source's two class means, as a projection on its unit direction."""
        return float(np.mean(self.class_projections(source, layer)))

    def _told_rightly(self, source: str, target: str, layer: int, threshold: float) -> float:
        low, high = self.projections(source, target, layer, "test")
        return float(np.mean([low <= threshold, high > threshold]))

    def _unit(self, source: str, layer: int) -> NDArray[np.float32]:
        vector = self.vector(source, layer)
        return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)

    def _states(self, source: str, layer: int, role: Role) -> NDArray[np.float32]:
        """Float32 (item, polarity, hidden), of all languages one after the other where the source is pooled."""
        items = [item for item in self.states["item"].values if self.roles[item] == role]
        here = self.states.sel(layer=layer, item=items)
        languages = here["language"].values if source == POOLED else [source]
        rows = np.concatenate([here.sel(language=language).values for language in languages])
        return np.asarray(rows[~np.isnan(rows).any(axis=(1, 2))])

    def _differences(self, source: str, layer: int) -> NDArray[np.float32]:
        states = self._states(source, layer, "fit")
        return states[:, 0] - states[:, 1]


def fit_concept(
    model: LanguageModel,
    pairs: ContrastPairs,
    *,
    template: Template | None = None,
    direction: Direction = difference_in_means,
    orientation: Literal[1, -1] = 1,
    rotations: int = ROTATIONS,
    seed: int = 0,
) -> Concept:
    """Read all pairs of one value and divide their items among fitting, choosing and testing.

    Args:
        model: the model.
        pairs: contrast pairs of a single value.
        template: around every sentence; None for the model's own.
        direction: from paired differences to a direction.
        orientation: -1 where the outcome is on the side of the violating sentence, as refusals are of harmful requests.
        rotations: parts of the items; the roles are those of the first rotation.
        seed: of the division.

    Raises:
        DataError: several values, or too few items.
    """
    if len(pairs.values) != 1:
        raise DataError(f"{pairs.name}: {len(pairs.values)} values; a concept is of one, select it first")
    reading = model if template is None else replace(model, reading_template=template)
    states = extract(reading, pairs).isel(value=0, drop=True)
    roles = item_roles(pairs, rotations=rotations, seed=seed)
    return Concept(pairs.values[0], pairs, roles, states, direction, orientation)

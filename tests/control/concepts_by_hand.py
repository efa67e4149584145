"""Concepts whose directions are known, and pairs that a tiny tokenizer can read."""

import numpy as np
import xarray as xr

from polyethos.control.concepts import Concept, item_roles
from polyethos.dataset.pairs import ContrastPair, ContrastPairs
from polyethos.representation.directions import difference_in_means

LANGUAGES = ("en", "fr")


def word_pairs(value="harmfulness", *, items=20, languages=LANGUAGES):
    """Pairs of sentences of four words, with the language in the third and the polarity in the last."""
    pairs = [
        ContrastPair(
            f"{value}-{item:02}",
            value,
            language,
            f"w{item} w{item + 20} w{40 + number} w50",
            f"w{item} w{item + 20} w{40 + number} w51",
        )
        for number, language in enumerate(languages)
        for item in range(items)
    ]
    return ContrastPairs("words", tuple(pairs))


def planted_concept(*, orientation=1, noise=0.0, lacking=()):
    """One layer of 4 dimensions; the positive state is 2 further along axis 0 in en, along axis 1 in fr.

    Every language has an offset of its own, which must not leak into a direction.
    """
    pairs = word_pairs("morality")
    items = list(dict.fromkeys(pair.item for pair in pairs))
    generator = np.random.default_rng(0)
    states = generator.normal(scale=noise, size=(2, 1, 20, 2, 4)).astype(np.float32)
    for language in range(2):
        states[language, 0, :, 0, language] += 2.0
        states[language, 0, :, :, 3] += 10.0 * (language + 1)
        states[language, 0, :, :, 2] += np.arange(20)[:, None] * 0.1
    for language, item in lacking:
        states[LANGUAGES.index(language), :, items.index(item)] = np.nan
    labelled = xr.DataArray(
        states,
        dims=("language", "layer", "item", "polarity", "hidden"),
        coords={"language": list(LANGUAGES), "layer": [1], "item": items, "polarity": ["positive", "negative"]},
    )
    return Concept("morality", pairs, item_roles(pairs), labelled, difference_in_means, orientation)

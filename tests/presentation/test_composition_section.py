"""What the report says of mixtures of languages, from runs whose outcomes are chosen by hand."""

import re

import numpy as np
import pytest
import xarray as xr
from results_by_hand import STUDY, study_of, three_languages

from polyethos.presentation.composition_section import bundled_evidence, composition_evidence, for_this_model
from polyethos.presentation.report import render


def sweep(gain, levels=(0.2, 0.5, 0.7, 0.9)):
    """Three seeds in which shares of a half and more lift transfer in the other languages by `gain`, give or take."""
    rows = [(level, seed) for level in levels for seed in range(3)]
    transfer = [[9.0, *[gain * (level >= 0.5) + 0.01 * seed * level] * 2] for level, seed in rows]
    run = {
        "level": [level for level, _ in rows],
        "seed": [seed for _, seed in rows],
        "experiment": ["dominance-fixed-minority"] * len(rows),
        "size": ["small"] * len(rows),
        "parameters": [1000] * len(rows),
        "tokens": [400_000] * len(rows),
    }
    shares = np.array([[level, (1 - level) / 2, (1 - level) / 2] for level, _ in rows])
    return xr.Dataset(
        {"transfer": (("run", "language"), transfer), "share": (("run", "language"), shares)},
        coords={"language": ["en", "fi", "sw"]} | {name: ("run", values) for name, values in run.items()},
    )


@pytest.mark.parametrize(("gain", "verdict"), [(1.0, "supported"), (-1.0, "contradicted")])
def test_the_verdicts_are_those_of_the_runs(gain, verdict):
    found = composition_evidence(sweep(gain))
    assert found.verdicts["A dominant language helps the others to share directions."] == verdict
    assert "12 runs" in found.about
    assert "3 seeds" in found.about


def test_every_comparison_stands_in_the_chart_with_its_interval():
    chart = composition_evidence(sweep(1.0)).chart
    told = re.findall(r"<title>(.*?)</title>", chart)
    assert told[0].startswith("shares 0.5 and 0.7 against uniform: +1.00 (+0.99 to +1.01), supported")
    assert len(told) == 2


def test_a_model_is_laid_beside_the_runs_only_where_its_shares_are_known():
    evidence = composition_evidence(sweep(1.0))
    known = three_languages().assign(pretraining_share=("language", [60.0, 30.0, 10.0], {"source": "its card"}))
    said = for_this_model(known, evidence)
    assert "English had the largest share of this model’s pre-training data, 60 % (its card)" in said
    assert "the largest share was 40 to 90 %, so that this model is within what they tried" in said
    tiny = known.assign(pretraining_share=("language", [8.0, 6.0, 6.0], {"source": "its card"}))
    assert "this model is outside what they tried" in for_this_model(tiny, evidence)
    level = known.assign(pretraining_share=("language", [40.0, 40.0, 20.0], {"source": "its card"}))
    assert "2 had the same, largest share of this model’s pre-training data, 40 %" in for_this_model(level, evidence)
    assert "are not known" in for_this_model(three_languages(), evidence)


def test_the_page_shows_the_bundled_verdicts_and_claims_nothing_of_its_model():
    page = render([(study_of(), STUDY)])
    section = page[page.index('id="composition"') : page.index('id="next"')]
    shown = dict(re.findall(r'words">([^<]+)</th><td class="words"><span class="judged [\w-]+">(\w+)<', section))
    assert shown == dict(bundled_evidence().verdicts)
    assert shown["A dominant language helps the others to share directions."] == "supported"
    assert section.count("<title>") == 6
    assert "are not known, so that it cannot even be laid beside these runs" in section
    assert "Not measured in this run: no single model can tell." in section
    assert 'download="composition.csv"' in section

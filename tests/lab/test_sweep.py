"""Sweeps: every condition with every seed, only once."""

import numpy as np
import pytest

from polyethos.arrays import read_dataset
from polyethos.errors import LabError
from polyethos.lab.sweep import RESULTS, sweep

LANGUAGES = ("en", "fi", "zh", "sw", "ta")
SMALL = {"experiments": ("number-of-dominants",), "tokens": 2048, "size": "tiny", "languages": LANGUAGES}


@pytest.mark.slow
def test_a_sweep_gathers_every_run_and_trains_none_twice(tmp_path, monkeypatch):
    told = []
    results = sweep(tmp_path, **SMALL, seeds=1, report=lambda *news: told.append(news))
    assert told == [(f"number-of-dominants/dominants-{n}/seed-0", done, 3) for done, n in enumerate((1, 2, 4), start=1)]
    assert results.level.values.tolist() == [1, 2, 4]
    assert results.language.values.tolist() == list(LANGUAGES)
    np.testing.assert_allclose(results.share.sum("language"), 1)
    assert bool(results.recognition.notnull().all())
    stored, provenance = read_dataset(tmp_path / RESULTS)
    assert stored.identical(results.assign_attrs(stored.attrs))
    assert provenance["tokens"] == 2048

    trained = []
    monkeypatch.setattr("polyethos.lab.pretraining.train", lambda *args, **options: trained.append(args))
    again = sweep(tmp_path, **SMALL, seeds=1)
    assert trained == []
    assert again.identical(results)


@pytest.mark.slow
def test_runs_side_by_side_give_the_same_results(tmp_path):
    one, two = (sweep(tmp_path / str(jobs), **SMALL, seeds=1, jobs=jobs) for jobs in (1, 2))
    assert one.identical(two)


def test_numbers_below_one_are_refused(tmp_path):
    with pytest.raises(LabError, match="seeds=0, jobs=1: give at least 1 of each"):
        sweep(tmp_path, seeds=0)

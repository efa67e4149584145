"""Evidence for advice: sweeps and studies as rows."""

import numpy as np
import pytest
import xarray as xr
from made_up_sweeps import learnt_by_tokens, planned_results, small_plan, study

from polyethos.arrays import write_dataset
from polyethos.errors import DataFormatError, LabError
from polyethos.lab.evidence import (
    bundled_sweep,
    effective_number,
    joined,
    lab_table,
    read_sweep,
    study_table,
)


def hand_made(**changes):
    return planned_results(small_plan(**changes), {"transfer": learnt_by_tokens})


def test_a_training_of_two_experiments_counts_once():
    results = hand_made(seeds=1)
    table = lab_table(results)
    assert results.sizes["run"] == 18
    assert table["run"].nunique() == 17
    assert len(table) == 17 * 6


def test_rows_say_how_dominated_and_how_balanced_their_mixture_was():
    table = lab_table(hand_made(experiments=("dominance-fixed-total",), seeds=1))
    of = table.groupby("condition")[["largest", "effective", "n_languages"]].first()
    assert of.loc["uniform"].tolist() == pytest.approx([1 / 6, 6, 6])
    assert of.loc["share-0.9", "largest"] == pytest.approx(0.9)
    assert 1 < of.loc["share-0.9", "effective"] < 2


def test_as_many_equal_shares_are_as_balanced_as_themselves():
    assert effective_number(np.array([[0.25] * 4, [1, 0, 0, 0]])) == pytest.approx([4, 1])


def test_a_sweep_is_read_from_its_folder_or_its_file(tmp_path):
    write_dataset(tmp_path / "sweep.nc", hand_made(), {})
    assert read_sweep(tmp_path).equals(read_sweep(tmp_path / "sweep.nc"))
    assert read_sweep(tmp_path)["transfer"].equals(hand_made()["transfer"])


def test_what_is_no_sweep_is_refused(tmp_path):
    with pytest.raises(DataFormatError, match=r"sweep\.nc: not a readable NetCDF file"):
        read_sweep(tmp_path)
    write_dataset(tmp_path / "results.nc", xr.Dataset({"accuracy": ("x", [1.0])}), {})
    with pytest.raises(DataFormatError, match=r"results\.nc: not the results of a sweep \(no 'share'\)"):
        read_sweep(tmp_path / "results.nc")


def test_several_sweeps_are_one_even_with_other_languages():
    other = hand_made(languages=("en", "zh", "es", "fi", "hu"), seeds=1)
    both = joined([hand_made(seeds=1), other])
    assert both.sizes["run"] == 36
    assert len(np.unique(both["run"])) == 36
    table = lab_table(both)
    assert set(table[table["run"].str.startswith("sweep-2")]["language"]) == {"en", "zh", "es", "fi", "hu"}
    with pytest.raises(LabError, match="no sweep to take evidence from"):
        joined([])


def test_studies_give_a_row_per_language_whose_share_is_known():
    table = study_table([study("m", ["en", "fi", "zh"], {"en": 0.9, "fi": 0.01}, similarity=0.4)])
    assert table["language"].tolist() == ["en", "fi"]
    assert table["consistency"].tolist() == pytest.approx([0.4, 0.4])
    assert table["transfer_accuracy"].tolist() == pytest.approx([0.8, 0.8])
    assert table["recognition"].tolist() == pytest.approx([0.9, 0.9])


def test_a_study_without_any_known_share_is_refused():
    with pytest.raises(LabError, match="m: none of its languages has a known share"):
        study_table([study("m", ["en", "fi"], {"zh": 0.5}, similarity=0.4)])


def test_the_bundled_sweep_has_what_advice_needs():
    found = bundled_sweep()
    assert {"transfer", "consistency", "control", "loss"} <= set(found.data_vars)
    assert len(np.unique(found["seed"])) >= 2
    np.testing.assert_allclose(found["share"].sum("language"), 1)

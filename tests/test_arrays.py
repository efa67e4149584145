import numpy as np
import pytest
import xarray as xr

from polyethos.arrays import align_exactly, as_float32, read_dataset, require_dims, write_dataset
from polyethos.errors import DataFormatError, LabelMismatchError


def by_language(*codes):
    return xr.DataArray(np.arange(len(codes), dtype=float), dims="language", coords={"language": list(codes)})


def test_arrays_with_equal_labels_come_back_unchanged():
    first, second = by_language("en", "fi"), by_language("en", "fi")
    assert align_exactly(first, second) == (first, second)


def test_a_language_on_one_side_only_is_an_error_that_names_it():
    with pytest.raises(LabelMismatchError, match=r"language: only in the first: \['fi'\]; only in the second: none"):
        align_exactly(by_language("en", "fi"), by_language("en"))


def test_labels_in_another_order_are_an_error_that_says_so():
    with pytest.raises(LabelMismatchError, match="another order"):
        align_exactly(by_language("en", "fi"), by_language("fi", "en"))


def test_dimensions_without_labels_must_have_equal_sizes():
    with pytest.raises(LabelMismatchError, match="item"):
        align_exactly(xr.DataArray(np.zeros(3), dims="item"), xr.DataArray(np.zeros(4), dims="item"))


def test_a_missing_dimension_is_an_error_that_names_what_was_expected():
    with pytest.raises(LabelMismatchError, match=r"accuracy has dimensions \('language',\); expected \('value',"):
        require_dims(by_language("en"), "value", "language", name="accuracy")


def test_a_dataset_comes_back_with_its_labels_and_provenance(tmp_path):
    dataset = xr.Dataset({"accuracy": by_language("en", "ta"), "layer": 3}, attrs={"protocol": "corrected"})
    write_dataset(tmp_path / "results.nc", dataset, {"model": "தமிழ்", "seed": 0})
    found, provenance = read_dataset(tmp_path / "results.nc")
    xr.testing.assert_equal(found, dataset)
    assert provenance == {"model": "தமிழ்", "seed": 0}
    assert found.attrs["protocol"] == "corrected"


def test_xarray_opens_a_result_without_polyethos(tmp_path):
    write_dataset(tmp_path / "results.nc", by_language("en").to_dataset(name="accuracy"), {})
    with xr.open_dataset(tmp_path / "results.nc", engine="h5netcdf") as opened:
        assert opened.accuracy.sel(language="en").item() == 0


@pytest.mark.parametrize("content", [b"", b"CDF\x01 not really", b"\x89HDF\r\n\x1a\n truncated"])
def test_a_broken_file_is_an_error_that_names_it(tmp_path, content):
    (tmp_path / "results.nc").write_bytes(content)
    with pytest.raises(DataFormatError, match=r"results\.nc"):
        read_dataset(tmp_path / "results.nc")


def test_a_file_of_somebody_else_is_refused(tmp_path):
    by_language("en").to_dataset(name="x").to_netcdf(tmp_path / "other.nc", engine="h5netcdf")
    with pytest.raises(DataFormatError, match="no attribute 'provenance'"):
        read_dataset(tmp_path / "other.nc")


def test_float32_arrays_are_not_copied():
    array = by_language("en").astype(np.float32)
    assert as_float32(array) is array
    assert as_float32(by_language("en")).dtype == np.float32

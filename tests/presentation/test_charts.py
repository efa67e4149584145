"""The report's small charts."""

import math
import re
from xml.etree import ElementTree

import pytest

from polyethos.presentation.charts import Point, Series, rows_chart, scatter_chart

NAN = math.nan


def drawn(markup):
    """The chart's root element, checked to be well-formed."""
    return next(e for e in ElementTree.fromstring(f"<div>{markup}</div>").iter("svg") if e.get("class") == "chart")


def marks(markup):
    return [(float(e.get("cx")), float(e.get("cy"))) for e in drawn(markup).iter("circle")]


def spans(markup):
    return [e for e in drawn(markup).iter("line") if e.get("class") == "interval"]


def rows(*points, **options):
    return rows_chart(["one", "two", "three"], [Series("", points)], axis="gain", **options)


def test_larger_numbers_stand_further_right_and_later_rows_lower():
    (x0, y0), (x1, y1) = marks(rows(Point(0, 1.0, 0.5, 1.5, ""), Point(2, 3.0, 2.0, 4.0, "")))
    assert x0 < x1
    assert y0 < y1


def test_an_interval_reaches_from_its_low_to_its_high_end_around_the_mark():
    chart = rows(Point(0, 1.0, 0.0, 2.0, ""))
    ((x, y),), (line,) = marks(chart), spans(chart)
    ends = float(line.get("x1")), float(line.get("x2"))
    assert sum(ends) / 2 == pytest.approx(x, abs=0.1)
    assert float(line.get("y1")) == float(line.get("y2")) == y


def test_what_is_undefined_is_not_drawn_at_all():
    chart = rows(Point(0, NAN, NAN, NAN, "nothing"), Point(1, 0.5, NAN, NAN, "no interval"))
    assert len(marks(chart)) == 1
    assert spans(chart) == []


def test_a_chart_without_any_number_is_still_a_chart():
    assert marks(rows(Point(0, NAN, NAN, NAN, ""))) == []
    assert marks(scatter_chart([Series("", [])], axes=("share", "gain"))) == []


@pytest.mark.parametrize("numbers", [(0.001, 0.0013), (-3, 250), (49.9, 50.1), (5.0, 5.0), (-1e-9, 1e9)])
def test_the_axis_encloses_the_numbers_with_few_round_ticks(numbers):
    chart = rows(*(Point(k, number, NAN, NAN, "") for k, number in enumerate(numbers)), level=numbers[0])
    ticks = [e for e in drawn(chart).iter("line") if e.get("class") == "grid"]
    assert 2 <= len(ticks) <= 9
    places = sorted(float(e.get("x1")) for e in ticks)
    assert all(places[0] - 0.1 <= x <= places[-1] + 0.1 for x, _ in marks(chart))


def test_tenfold_shares_are_equally_far_apart():
    points = [Point(share, 1.0, 0.9, 1.1, "") for share in (0.1, 1, 10)]
    (a, _), (b, _), (c, _) = marks(scatter_chart([Series("model", points)], axes=("share", "gain")))
    assert b - a == pytest.approx(c - b, abs=0.2)


def test_series_differ_in_shape_and_colour_and_are_named():
    series = [Series(name, [Point(0, 1.0, NAN, NAN, "")]) for name in ("first", "second")]
    chart = rows_chart(["one"], series, axis="gain")
    assert [e.get("class") for e in drawn(chart).iter("g")] == ["s0", "s1"]
    assert len(list(drawn(chart).iter("circle"))) == 1
    assert re.findall(r"<bdi>(.*?)</bdi>", chart) == ["first", "second"]


def test_words_from_data_cannot_break_out():
    hostile = "<script>alert(1)</script>\"'&"
    chart = rows_chart([hostile], [Series(hostile, [Point(0, 1, 0, 2, hostile)])], axis=hostile, title=hostile)
    assert "<script>" not in chart
    assert next(drawn(chart).iter("title")).text == hostile

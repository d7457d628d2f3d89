"""Where charts put their bars, lines and ticks."""

import pytest

from bot.review.charts import HEIGHT, Entry, bar_chart, line_chart, spark


def entries(count):
    return [Entry(f"slot {number}", "", "/calls") for number in range(count)]


@pytest.mark.parametrize(
    ("greatest", "ticks"),
    [(0, ["0", "1"]), (1, ["0", "1"]), (3, ["0", "1", "2", "3"]), (27, ["0", "10", "20", "30"]),
     (484, ["0", "200", "400", "600"]), (4000, ["0", "1000", "2000", "3000", "4000"])],
)  # fmt: skip
def test_ticks_are_round_and_reach_above_the_greatest(greatest, ticks):
    chart = bar_chart(entries(2), [greatest, 0], lambda value: f"{value:.0f}", whole=True)
    assert [tick.label for tick in chart.ticks] == ticks
    assert chart.ticks[-1].y == 0


def test_small_values_have_ticks_of_their_size():
    chart = bar_chart(entries(1), [0.031], lambda value: f"{value:.2f}")
    assert [tick.label for tick in chart.ticks] == ["0", "0.01", "0.02", "0.03", "0.04"]


def test_bars_stand_on_zero_and_are_as_high_as_their_value():
    chart = bar_chart(entries(4), [10, 5, 0, None], str)
    first, second, *none = chart.bars
    assert (first.height, first.y) == (HEIGHT, 0)
    assert (second.height, second.y) == (HEIGHT / 2, HEIGHT / 2)
    assert none == [None, None]
    assert 0 < first.x < first.x + first.width < 25 < second.x


def test_a_little_is_not_nothing():
    assert bar_chart(entries(2), [10_000, 1], str).bars[1].height >= 1


def test_a_line_has_a_hole_where_there_is_no_value():
    [line] = line_chart(entries(5), [("p50", [100, 200, None, 200, None])], str).lines
    assert len(line.segments) == 1
    assert len(line.points) == 3
    assert line.segments[0].y2 == 0  # twice as high as where it begins
    assert line.segments[0].y1 == HEIGHT / 2


def test_without_any_value_there_is_still_an_axis():
    chart = line_chart(entries(2), [("p50", [None, None])], str)
    assert chart.lines[0].points == ()
    assert len(chart.ticks) >= 2


def test_a_spark_is_measured_by_its_greatest():
    assert spark([0, 2, 4]) == [0, 0.5, 1]
    assert spark([0, 0]) == [0, 0]

"""Speech put together into windows, and speech in which nothing was heard."""

from hypothesis import given
from hypothesis import strategies as st

from bot.local.stretches import WINDOW_S, missed, room, windows


def test_a_short_pause_keeps_a_window_together_and_a_long_one_ends_it():
    assert windows([(0, 2), (2.8, 4), (5.5, 6)]) == [[(0, 2), (2.8, 4)], [(5.5, 6)]]


def test_a_window_holds_what_the_model_can_hear_at_once():
    assert windows([(0, 20), (20.5, 28), (28.5, 35)]) == [[(0, 20), (20.5, 28)], [(28.5, 35)]]


def test_speech_after_the_last_words_was_missed():
    assert missed([(0, 9), (9.8, 16), (16.9, 19.4), (19.8, 21.5)], [(0.1, 8.6), (10.1, 15.7)]) == [(16.9, 21.5)]


def test_the_long_rest_of_a_stretch_was_missed_and_a_short_one_was_not():
    assert missed([(0, 20)], [(0.5, 9.7)]) == [(10.0, 20)]
    assert missed([(0, 11)], [(0.5, 9.7)]) == []


def test_a_breath_is_no_speech():
    assert missed([(0, 2), (3, 3.5)], [(0, 2)]) == []


def test_where_nothing_was_heard_all_was_missed():
    assert missed([(0, 2), (5, 7)], []) == [(0, 2), (5, 7)]


def test_where_all_was_heard_nothing_was_missed():
    assert missed([(0, 2), (5, 7)], [(5.1, 6.9), (0.2, 1.8)]) == []


def test_a_missed_stretch_has_room_up_to_what_was_heard():
    assert room((5.0, 7.0), [(1.0, 4.9), (7.1, 9.0)]) == (4.9, 7.1)
    assert room((5.0, 7.0), [(1.0, 2.0)]) == (4.7, 7.3)
    assert room((0.1, 7.0), []) == (0.0, 7.3)


seconds = st.floats(0, 100).map(lambda number: round(number, 2))


@given(st.lists(seconds, min_size=2, max_size=20, unique=True).map(sorted))
def test_windows_hold_every_stretch_once_and_in_order(edges: list[float]):
    stretches = list(zip(edges[::2], edges[1::2], strict=False))
    grouped = windows(stretches)
    assert [stretch for group in grouped for stretch in group] == stretches
    assert all(len(group) == 1 or group[-1][1] - group[0][0] <= WINDOW_S for group in grouped)

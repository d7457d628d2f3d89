from bot.workers.backoff import LONGEST_S, STEADY_S, Backoff


def test_the_first_death_is_made_good_at_once_and_those_after_it_ever_later():
    backoff = Backoff()
    pauses = [backoff.next_pause_s(lived_s=1.0) for _ in range(9)]
    assert pauses == [0.0, 1.0, 2.0, 4.0, 8.0, 16.0, LONGEST_S, LONGEST_S, LONGEST_S]


def test_a_worker_that_was_well_for_long_is_replaced_at_once():
    backoff = Backoff()
    for _ in range(5):
        backoff.next_pause_s(lived_s=1.0)
    assert backoff.next_pause_s(lived_s=STEADY_S) == 0.0

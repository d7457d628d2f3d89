"""The sockets of a session whose server is hard to reach: when they are tried again."""

import itertools

from bot.voice.model_links import ModelLinks


def test_a_successor_that_cannot_be_had_is_tried_less_and_less_often():
    links = ModelLinks(connect_timeout_s=5.0, reconnect_s=8.0, renew_before_s=120.0)
    links.open(0.0)
    assert links.current is not None
    links.current.expires_at = 200.0
    links.ready(links.current, 0.0)
    tried_at: list[float] = []
    while links.deadline < 200.0:
        now = links.deadline
        links.on_deadline(now)
        assert links.spare is not None
        links.lost(links.spare, now)
        tried_at.append(now)
    pauses = [later - earlier for earlier, later in itertools.pairwise(tried_at)]
    assert tried_at[0] == 80.0
    assert pauses[0] <= 0.25
    assert all(1.5 <= pause <= 2.0 for pause in pauses[5:])
    assert links.is_ready, "the session that there is goes on meanwhile"


def test_sessions_that_share_their_sockets_share_the_numbers_of_their_links():
    numbers = iter([7, 8])
    one, other = (ModelLinks(connect_timeout_s=5, reconnect_s=8, renew_before_s=0, numbers=numbers) for _ in range(2))
    one.open(0.0)
    other.open(0.0)
    assert (one.find(7) is not None, other.find(8) is not None) == (True, True)

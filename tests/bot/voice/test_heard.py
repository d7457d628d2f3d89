"""Which item of the model's is which utterance of the caller's."""

from bot.voice.heard import Heard, HeardItems


def test_an_utterance_that_the_model_hears_has_its_item_from_the_beginning():
    heard = HeardItems()
    heard.begin(300, "item_1")
    assert heard.find("item_1") == Heard(300)
    assert heard.question is heard.find("item_1")
    assert heard.forget("item_1") == Heard(300)
    assert heard.find("item_1") is None


def test_utterances_that_we_commit_get_their_items_in_their_order():
    heard = HeardItems()
    for start_ms, item_id in ((300, "item_1"), (900, "item_2")):
        heard.begin(start_ms)
        assert heard.find(item_id) is None
        assert heard.question is not None
        heard.commit(heard.question)
    heard.name("item_1")
    heard.name("item_2")
    assert heard.find("item_1") == Heard(300)
    assert heard.find("item_2") == Heard(900)


def test_an_item_that_nobody_committed_is_none_of_the_callers():
    heard = HeardItems()
    heard.name("item_1")
    assert heard.find("item_1") is None

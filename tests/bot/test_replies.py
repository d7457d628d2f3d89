"""Replies between the voice and the ear: made, queued, heard, cut, settled, taken up again."""

import pytest

from bot.events import AnnounceReply, CancelReply, NoteReply, PlayAudio, ResumeReply, ToolRequested
from bot.replies import Replies, note
from media.frame import PCMU_8K
from tests.support.conversation import of_kind, sound


@pytest.fixture
def replies() -> Replies:
    return Replies(PCMU_8K, lead_ms=400, packet_ms=100)


def answered(replies: Replies, text: str, ms: int, *, is_whole: bool = True) -> str:
    reply_id = replies.ask()
    replies.begin_sentence(reply_id, text, "")
    replies.lengthen(reply_id, sound(ms), 0.0)
    if is_whole:
        replies.end(reply_id)
    return reply_id


def listened(replies: Replies, seconds: float) -> None:
    """The carrier gets what it needs while so much time goes by."""
    for tick in range(round(seconds * 20)):
        replies.play(tick / 20)


def test_a_reply_is_announced_with_its_first_sound_and_once(replies: Replies):
    reply_id = replies.ask()
    replies.begin_sentence(reply_id, "At nine.", "")
    [announced] = of_kind(replies.lengthen(reply_id, sound(100), 0.0), AnnounceReply)
    assert (announced.reply_id, announced.kind, announced.text) == (reply_id, "reply", "At nine.")
    assert of_kind(replies.lengthen(reply_id, sound(100), 0.1), AnnounceReply) == []


def test_words_of_a_reply_that_nobody_expects_are_not_kept(replies: Replies):
    replies.begin_sentence("late", "At nine.", "")
    replies.write("late", "At nine.")
    assert replies.are_over


def test_a_reply_that_came_to_nothing_leaves_nothing(replies: Replies):
    reply_id = replies.ask()
    replies.write(reply_id, "words without sound")
    assert not replies.end(reply_id)
    assert replies.are_over


def test_asking_anew_makes_what_was_expected_before_unwanted(replies: Replies):
    first, second = replies.ask(), replies.ask()
    assert not replies.expects(first)
    assert replies.expects(second)


def test_of_what_broke_off_the_sound_there_is_still_plays_and_the_rest_is_called_off(replies: Replies):
    begun = answered(replies, "one two three", 1000, is_whole=False)
    replies.expect("more")
    assert [command.reply_id for command in replies.break_off()] == ["more"]
    assert replies.has_begun(begun)
    assert not replies.are_expected


def test_a_cut_tells_of_each_reply_what_was_heard_and_calls_off_the_others(replies: Replies):
    sounding = answered(replies, "one two three four", 2000)
    replies.expect("next")
    listened(replies, 1.0)
    left, commands = replies.cut_short(1.02, None)
    [cut, never] = of_kind(commands, CancelReply)
    assert (cut.reply_id, cut.heard_text, cut.text) == (sounding, "one two", "one two three four")
    assert (never.reply_id, never.heard_text) == ("next", "")
    assert left.unfinished == "next"
    assert replies.are_over


def test_a_reply_of_which_only_the_news_is_missing_counts_as_heard(replies: Replies):
    reply_id = answered(replies, "one two", 300)
    _, commands = replies.cut_short(5.0, None)
    assert commands == [NoteReply(reply_id, "one two", 300)]


def test_the_rest_of_a_finished_reply_plays_as_a_reply_of_its_own(replies: Replies):
    answered(replies, "one two three four", 2000)
    listened(replies, 1.0)
    left, _ = replies.cut_short(1.02, None)
    resumed = replies.resume(left, 2.0)
    assert (resumed.is_sounding, resumed.is_asked, resumed.is_continued) == (True, False, False)
    assert of_kind(resumed.commands, PlayAudio)
    [announced] = of_kind(resumed.commands, AnnounceReply)
    assert (announced.kind, announced.text) == ("resumed", "three four")


def test_a_reply_that_was_being_made_goes_on_where_its_rest_ends(replies: Replies):
    cut = answered(replies, "one two three four", 2000, is_whole=False)
    left, _ = replies.cut_short(1.0, None)
    resumed = replies.resume(left, 2.0)
    [request] = of_kind(resumed.commands, ResumeReply)
    assert request.cancelled_id == cut
    assert resumed.is_continued
    assert replies.expects(request.reply_id)
    assert replies.has_begun(request.reply_id)


def test_a_reply_whose_sound_was_all_heard_goes_on_as_a_new_one(replies: Replies):
    cut = answered(replies, "one two", 500, is_whole=False)
    listened(replies, 1.0)
    left, _ = replies.cut_short(5.0, None)
    resumed = replies.resume(left, 6.0)
    assert resumed.commands == [ResumeReply(cut, "r2")]
    assert (resumed.is_sounding, resumed.is_asked) == (False, True)


def test_what_was_to_be_done_after_the_words_is_kept_with_the_cut(replies: Replies):
    answered(replies, "Goodbye.", 2000)
    tool = ToolRequested("hang_up")
    left, _ = replies.cut_short(1.0, tool)
    assert left.tool is tool


def test_sound_that_was_prepared_is_whole_from_the_beginning(replies: Replies):
    replies.say("idle_prompt", "Are you still there?", sound(500), 0.0)
    assert replies.are_all("idle_prompt")
    assert not replies.are_expected
    reply = replies.heard("r1")
    assert reply is not None
    assert note(reply) == NoteReply("r1", "Are you still there?", 500, "idle_prompt")

"""What a caller, a carrier or an operator would notice of one call, in plain calls and numbers for time."""

import pytest

from bot.events import (
    AnnounceReply,
    CallerSaid,
    CancelReply,
    ClearPlayout,
    DigitPressed,
    EndCall,
    EndReason,
    IgnoreWords,
    KeepMessage,
    ListenPatiently,
    NoteReply,
    PlayAudio,
    ReplyAudio,
    ReplyEnded,
    ReplyWords,
    ReportTool,
    Respond,
    ResumeReply,
    SentenceBegun,
    SpeechStarted,
    StreamStarted,
    StreamStopped,
    ToolRequested,
    UtteranceEnded,
    VoiceFailed,
)
from bot.policy import CallPolicy
from bot.prompts import Prompt
from bot.turn import Turn
from media.frame import PCMU_8K
from tests.support.conversation import Conversation, of_kind, sound


@pytest.fixture
def talk() -> Conversation:
    conversation = Conversation()
    conversation.starts()
    return conversation


def announced(commands: list) -> list[str]:
    return [command.kind for command in of_kind(commands, AnnounceReply)]


# -- the ordinary turn -----------------------------------------------------------------------------------------


def test_the_greeting_plays_as_soon_as_the_stream_starts():
    talk = Conversation()
    wanted = talk.happens(StreamStarted("MZ1", "CA1", PCMU_8K, {}))
    assert of_kind(wanted, PlayAudio)
    assert announced(wanted) == ["greeting"]


def test_what_the_caller_says_is_answered_and_the_answer_is_heard(talk: Conversation):
    assert talk.caller_says("When do you open?") == [Respond(talk.expected)]
    reply_id = talk.bot_answers("We open at nine.", 3000)
    assert talk.call.turn is Turn.BOT
    wanted = talk.passes(3.5)
    assert of_kind(wanted, NoteReply) == [NoteReply(reply_id, "We open at nine.", 3000)]
    assert talk.call.turn is Turn.CALLER


def test_a_long_answer_is_sent_no_further_ahead_than_the_lead(talk: Conversation):
    talk.caller_says("Tell me everything.")
    before = talk.played_ms
    talk.bot_answers("Everything.", 10_000)
    assert talk.played_ms - before == 400
    talk.passes(2.0)
    assert 2300 <= talk.played_ms - before <= 2400


def test_the_first_sentence_plays_while_the_second_is_made(talk: Conversation):
    talk.caller_says("When do you open?")
    name = talk.expected
    wanted = talk.happens(SentenceBegun(name, "At nine."), ReplyAudio(name, sound(800)))
    assert announced(wanted) == ["reply"]
    talk.passes(0.3)
    talk.happens(SentenceBegun(name, "On Sundays at ten."), ReplyAudio(name, sound(1000)), ReplyEnded(name))
    assert of_kind(talk.passes(2.0), NoteReply) == [NoteReply(name, "At nine. On Sundays at ten.", 1800)]


# -- barge-in ----------------------------------------------------------------------------------------------------


def test_speech_over_a_reply_silences_it_at_once_and_tells_what_was_heard(talk: Conversation):
    talk.caller_says("When do you open?")
    name = talk.bot_answers("one two three four five six", 3000)
    talk.passes(1.5)
    wanted = talk.happens(SpeechStarted(0))
    assert isinstance(wanted[0], ClearPlayout)
    [cancelled] = of_kind(wanted, CancelReply)
    assert (cancelled.reply_id, cancelled.heard_text) == (name, "one two three")
    assert cancelled.position.heard_ms == pytest.approx(1500, abs=10)


def test_audio_of_a_cut_reply_that_was_still_on_its_way_is_not_played(talk: Conversation):
    talk.caller_says("When do you open?")
    name = talk.expected
    talk.happens(SentenceBegun(name, "At nine."), ReplyAudio(name, sound(800)))
    talk.passes(0.2)
    talk.happens(SpeechStarted(0))
    assert talk.happens(ReplyAudio(name, sound(100)), ReplyEnded(name)) == []
    assert of_kind(talk.passes(0.5), PlayAudio) == []


def test_words_over_a_reply_get_an_answer_of_their_own(talk: Conversation):
    talk.caller_says("When do you open?")
    talk.bot_answers()
    talk.passes(1.0)
    assert of_kind(talk.caller_says("And on Sundays?"), Respond)


@pytest.mark.parametrize("murmur", ["", "Okay.", "Uh-huh.", "Mm-hmm.", "Yeah, okay."])
def test_a_cough_or_a_murmur_takes_no_turn_and_the_reply_goes_on_from_where_the_ear_was(talk, murmur):
    talk.caller_says("When do you open?")
    talk.bot_answers("one two three four five six", 3000)
    talk.passes(1.0)
    played = talk.played_ms
    wanted = talk.caller_says(murmur)
    assert of_kind(wanted, IgnoreWords)
    assert announced(wanted) == ["resumed"]
    wanted = talk.passes(2.5)
    assert talk.played_ms - played == pytest.approx(2000, abs=10)
    assert of_kind(wanted, NoteReply)[0].text == "three four five six"
    assert talk.call.turn is Turn.CALLER


def test_an_utterance_that_nobody_writes_down_is_answered(talk: Conversation):
    talk.caller_says("When do you open?")
    talk.bot_answers()
    talk.passes(1.0)
    talk.happens(SpeechStarted(0), UtteranceEnded(0, 1000, b""))
    assert of_kind(talk.happens(CallerSaid("", 0, 1000, is_unwritten=True)), Respond)


def test_yes_to_a_question_that_it_cut_short_is_an_answer(talk: Conversation):
    talk.caller_says("Can I speak to Bob?")
    talk.bot_answers("Would you like to leave a message?", 2000)
    talk.passes(1.5)
    assert of_kind(talk.caller_says("Yeah."), Respond)


def test_a_resumed_reply_that_was_still_being_made_is_made_to_the_end(talk: Conversation):
    talk.caller_says("When do you open?")
    name = talk.expected
    talk.happens(SentenceBegun(name, "At nine."), ReplyAudio(name, sound(800)))
    talk.passes(0.4)
    [resumed] = of_kind(talk.caller_says(""), ResumeReply)
    assert resumed.cancelled_id == name
    talk.happens(SentenceBegun(resumed.reply_id, "Sundays at ten."), ReplyAudio(resumed.reply_id, sound(500)))
    talk.happens(ReplyEnded(resumed.reply_id))
    assert of_kind(talk.passes(2.0), NoteReply)[0].text.endswith("Sundays at ten.")


def test_a_caller_who_goes_on_while_we_think_is_answered_once(talk: Conversation):
    [first] = talk.caller_says("When do you open?")
    assert of_kind(talk.happens(SpeechStarted(0)), CancelReply)[0].reply_id == first.reply_id
    talk.happens(UtteranceEnded(0, 1000, b""))
    [second] = talk.happens(CallerSaid("On Sundays, I mean.", 0, 1000))
    assert second.reply_id != first.reply_id
    assert talk.happens(SentenceBegun(first.reply_id, "At nine."), ReplyAudio(first.reply_id, sound(100))) == []


def test_a_noise_while_we_think_does_not_lose_the_question(talk: Conversation):
    talk.caller_says("When do you open?")
    assert of_kind(talk.caller_says(""), Respond)


def test_nothing_after_the_goodbye_is_up_for_discussion():
    talk = Conversation(CallPolicy(max_call_s=5.0, idle_prompt_s=60))
    talk.starts()
    wanted = talk.passes(4.0)
    assert announced(wanted) == ["time_up"]
    assert talk.happens(SpeechStarted(0)) == []
    assert of_kind(talk.passes(2.0), EndCall) == [EndCall(EndReason.MAX_DURATION)]


# -- silence, failure, the end -----------------------------------------------------------------------------------


def test_silence_is_met_with_two_questions_and_then_goodbye(talk: Conversation):
    wanted = talk.passes(40)
    assert announced(wanted) == ["idle_prompt", "idle_prompt", "idle_goodbye"]
    assert of_kind(wanted, EndCall) == [EndCall(EndReason.IDLE)]


def test_somebody_who_speaks_again_is_asked_anew(talk: Conversation):
    talk.passes(11.2)
    talk.caller_says("Yes, I'm here. When do you open?")
    talk.bot_answers(ms=500)
    assert announced(talk.passes(24)) == ["idle_prompt", "idle_prompt"]


def test_an_engine_that_fails_once_costs_a_question_and_twice_the_call(talk: Conversation):
    talk.caller_says("When do you open?")
    assert announced(talk.happens(VoiceFailed("no memory"))) == ["pardon"]
    talk.passes(1.5)
    talk.happens(SpeechStarted(0), UtteranceEnded(0, 1000, b""))
    assert announced(talk.happens(VoiceFailed("no memory"))) == ["apology"]
    assert of_kind(talk.passes(2.0), EndCall) == [EndCall(EndReason.VOICE_FAILED)]


def test_a_fault_that_shows_twice_before_the_caller_speaks_counts_once(talk: Conversation):
    talk.caller_says("When do you open?")
    assert announced(talk.happens(VoiceFailed("no answer within 10 s"))) == ["pardon"]
    talk.passes(3.0)
    assert announced(talk.happens(VoiceFailed("the request was given up"))) == []
    assert talk.call.turn is Turn.CALLER
    talk.caller_says("When do you open?")
    assert announced(talk.happens(VoiceFailed("no answer within 10 s"))) == ["apology"]


def test_words_that_are_understood_forgive_nothing_as_long_as_they_get_no_answer(talk: Conversation):
    for prompt in ("pardon", "apology"):
        talk.caller_says("When do you open?")
        assert announced(talk.happens(VoiceFailed("the model is broken"))) == [prompt]
        talk.passes(1.5)


def test_an_answer_in_between_forgives_a_failure(talk: Conversation):
    talk.happens(VoiceFailed("no memory"))
    talk.passes(1.5)
    talk.caller_says("When do you open?")
    talk.bot_answers(ms=500)
    talk.passes(1.0)
    assert announced(talk.happens(VoiceFailed("no memory"))) == ["pardon"]


def test_a_voice_that_never_answers_is_not_waited_for_for_ever(talk: Conversation):
    talk.caller_says("When do you open?")
    assert announced(talk.passes(10.5)) == ["pardon"]


def test_a_voice_that_stops_in_mid_sentence_is_not_waited_for_for_ever(talk: Conversation):
    talk.caller_says("When do you open?")
    talk.happens(SentenceBegun(talk.expected, "At"), ReplyAudio(talk.expected, sound(500)))
    assert announced(talk.passes(11.0)) == ["pardon"]


def test_a_call_has_a_longest_length_whatever_happens():
    talk = Conversation(CallPolicy(max_call_s=30, idle_prompt_s=1000))
    talk.starts()
    talk.passes(25)
    talk.happens(SpeechStarted(0))
    assert announced(talk.passes(5)) == ["time_up"]
    talk.passes(10)
    assert talk.end_reason is EndReason.MAX_DURATION


def test_a_carrier_that_never_says_that_the_goodbye_was_heard_is_hung_up_on():
    talk = Conversation(CallPolicy(max_call_s=5, idle_prompt_s=60))
    talk.starts()
    talk.passes(3.6)
    talk._marks.clear()
    assert of_kind(talk.passes(3.5), EndCall) == [EndCall(EndReason.MAX_DURATION)]


def test_a_stream_that_does_not_start_ends_the_call():
    talk = Conversation()
    assert of_kind(talk.passes(10.5), EndCall) == [EndCall(EndReason.CARRIER_ERROR)]


def test_the_caller_hanging_up_ends_the_call_for_one_reason_only(talk: Conversation):
    assert talk.happens(StreamStopped()) == [EndCall(EndReason.CALLER_HUNG_UP)]
    assert talk.happens(StreamStopped(), VoiceFailed("late")) == []
    assert talk.call.abandon(EndReason.SERVER_ERROR) == []
    assert talk.end_reason is EndReason.CALLER_HUNG_UP


def test_a_stopping_service_hangs_up_on_a_call_whose_stream_has_not_started():
    talk = Conversation()
    assert talk.call.drain(talk.now) == [EndCall(EndReason.DRAINED)]


def test_of_a_reply_during_which_the_caller_hangs_up_it_is_known_how_much_was_heard(talk: Conversation):
    talk.caller_says("When do you open?")
    name = talk.bot_answers("one two three four five six", 3000)
    talk.passes(1.0)
    [cancelled] = of_kind(talk.happens(StreamStopped()), CancelReply)
    assert (cancelled.reply_id, cancelled.heard_text) == (name, "one two")


def test_a_stopping_service_says_goodbye_first(talk: Conversation):
    talk.caller_says("When do you open?")
    talk.bot_answers()
    talk.passes(0.5)
    wanted = talk._obey(talk.call.drain(talk.now))
    assert isinstance(wanted[0], ClearPlayout)
    assert announced(wanted) == ["drain_goodbye"]
    assert of_kind(talk.passes(2.0), EndCall) == [EndCall(EndReason.DRAINED)]


# -- tools -------------------------------------------------------------------------------------------------------


def test_the_bot_hangs_up_when_its_last_words_were_heard_not_when_they_were_sent(talk: Conversation):
    talk.caller_says("That's all, goodbye.")
    name = talk.expected
    talk.happens(SentenceBegun(name, "Goodbye.", "goodbye"), ReplyAudio(name, sound(1500)))
    talk.happens(ToolRequested("hang_up"), ReplyEnded(name))
    assert of_kind(talk.passes(1.4), EndCall) == []
    assert of_kind(talk.passes(0.2), EndCall) == [EndCall(EndReason.BOT_HUNG_UP)]


def test_a_caller_who_speaks_over_the_goodbye_is_not_hung_up_on(talk: Conversation):
    talk.caller_says("That's all, goodbye.")
    name = talk.expected
    talk.happens(SentenceBegun(name, "Goodbye.", "goodbye"), ReplyAudio(name, sound(1500)))
    talk.happens(ToolRequested("hang_up"), ReplyEnded(name))
    talk.passes(0.5)
    assert of_kind(talk.caller_says("Wait, one more thing."), Respond)
    assert of_kind(talk.passes(3.0), EndCall) == []


def asked_for_message(talk: Conversation) -> list:
    talk.caller_says("Yes please.")
    name = talk.expected
    talk.happens(SentenceBegun(name, "Please speak after the tone.", "ask_message"), ReplyAudio(name, sound(1000)))
    return talk.happens(ToolRequested("take_message"), ReplyEnded(name))


def test_a_message_is_taken_after_the_tone(talk: Conversation):
    assert announced(asked_for_message(talk)) == [Prompt.TONE.value]
    wanted = talk.passes(2.5)
    assert of_kind(wanted, ListenPatiently) == [ListenPatiently(2000)]
    wanted = talk.caller_says("This is Ann. Please call me back.")
    assert of_kind(wanted, KeepMessage) == [KeepMessage("This is Ann. Please call me back.", 0, 1000)]
    [report] = of_kind(wanted, ReportTool)
    assert (report.name, report.result) == ("take_message", "This is Ann. Please call me back.")
    assert ListenPatiently(None) in wanted
    talk.bot_answers("Thank you.", 500)
    assert of_kind(talk.passes(1.0), NoteReply)


def test_who_does_not_wait_for_the_tone_leaves_the_message_all_the_same(talk: Conversation):
    asked_for_message(talk)
    talk.passes(0.7)
    assert of_kind(talk.caller_says("This is Ann, please call me back."), KeepMessage)


def test_an_empty_message_is_reported_as_one(talk: Conversation):
    asked_for_message(talk)
    talk.passes(2.5)
    wanted = talk.passes(10)
    assert of_kind(wanted, KeepMessage) == []
    assert of_kind(wanted, ReportTool)[0].result == ""


@pytest.mark.parametrize("has_hung_up", [False, True])
def test_a_message_that_nobody_could_write_down_is_kept_as_one(talk: Conversation, has_hung_up: bool):
    asked_for_message(talk)
    talk.passes(2.5)
    talk.happens(SpeechStarted(0), UtteranceEnded(0, 3000, b""), *([StreamStopped()] if has_hung_up else []))
    [kept] = of_kind(talk.happens(CallerSaid("", 0, 3000, is_unwritten=True)), KeepMessage)
    assert kept == KeepMessage("(not written down: listen to the recording)", 0, 3000)


def test_the_hash_key_ends_a_message(talk: Conversation):
    asked_for_message(talk)
    talk.passes(2.5)
    talk.happens(SpeechStarted(0))
    assert talk.happens(DigitPressed("#")) == [ListenPatiently(0)]


def test_a_message_cut_off_by_hanging_up_is_still_kept(talk: Conversation):
    asked_for_message(talk)
    talk.passes(2.5)
    talk.happens(SpeechStarted(0))
    talk.passes(3.0)
    talk.happens(UtteranceEnded(0, 3000, b""), StreamStopped())
    assert talk.happens(CallerSaid("Call me.", 0, 3000)) == [KeepMessage("Call me.", 0, 3000)]


# -- nobody is left in silence -----------------------------------------------------------------------------------


def test_words_without_a_sound_do_not_keep_the_floor(talk: Conversation):
    talk.caller_says("When do you open?")
    talk.happens(ReplyWords(talk.expected, "We open"))
    talk.happens(CallerSaid("And on Sundays?", 1200, 1900), VoiceFailed("the model broke off"))
    talk.passes(2.0)  # the pardon is heard
    assert talk.call.turn is Turn.CALLER


def test_who_speaks_while_being_put_through_is_answered_or_told(talk: Conversation):
    talk.caller_says("Let me talk to somebody.")
    talk.happens(ToolRequested("transfer", {"destination": "desk"}), ReplyEnded(talk.expected))
    asked = talk.caller_says("Hello? Is anybody there?")
    assert of_kind(asked, Respond)
    assert "pardon" in announced(talk.passes(11.0))


def test_a_message_that_is_not_written_down_in_time_does_not_keep_the_caller_waiting():
    talk = Conversation(CallPolicy(filler_after_s=1.0))
    talk.starts()
    talk.caller_says("I want to leave a message.")
    reply_id = talk.expected
    talk.happens(SentenceBegun(reply_id, "After the tone.", ""), ReplyAudio(reply_id, sound(500)))
    talk.happens(ToolRequested("take_message", {}), ReplyEnded(reply_id))
    talk.passes(3.0)
    talk.happens(SpeechStarted(0))
    talk.passes(1.0)
    talk.happens(UtteranceEnded(0, 1000, b""))  # and its words never come
    said = announced(talk.passes(12.0))
    assert said.count("filler") <= 2
    assert "pardon" in said

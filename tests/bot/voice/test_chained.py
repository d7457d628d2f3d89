"""The chained voice in plain calls: what it makes of speech, of its links' results, and of the call's wishes."""

import math
from collections.abc import Sequence

import pytest

from bot.events import (
    CallerSaid,
    CancelJob,
    CancelReply,
    Compose,
    Composed,
    IgnoreWords,
    JobFailed,
    NoteReply,
    PartComposed,
    ReplyAudio,
    ReplyEnded,
    ReportTool,
    Respond,
    ResumeReply,
    SentenceBegun,
    SoundMade,
    SpeechPaused,
    SpeechResumed,
    Synthesize,
    Synthesized,
    ToolRequested,
    Transcribe,
    Transcribed,
    UtteranceEnded,
    VoiceFailed,
    VoiceWarned,
)
from bot.speech.links import Role, Said, Say, Transcript, UseTool
from bot.voice.base import Effect
from bot.voice.chained import ChainedVoice
from media.playout import Position

NOWHERE = Position(0, 0, 0)


@pytest.fixture
def voice() -> ChainedVoice:
    return ChainedVoice(speaker_rate_hz=8000, line_rate_hz=8000, encode=lambda pcm: pcm[::2])


def only(effects: Sequence[Effect], kind: type) -> list:
    return [effect for effect in effects if isinstance(effect, kind)]


def says(voice: ChainedVoice, text: str, start_ms: int = 0) -> None:
    """The caller says something, and it is understood."""
    [job] = only(voice.receive(UtteranceEnded(start_ms, start_ms + 1000, text.encode())), Transcribe)
    voice.receive(Transcribed(job.job_id, Transcript(text)))


def answers(voice: ChainedVoice, reply_id: str, *parts: Say | UseTool) -> list[Effect]:
    """The voice is asked, and its links do all of their work."""
    [compose] = only(voice.receive(Respond(reply_id)), Compose)
    effects: list[Effect] = []
    waiting: list[Effect] = []
    for part in parts:
        waiting += voice.receive(PartComposed(compose.job_id, part))
    waiting += voice.receive(Composed(compose.job_id))
    while waiting:
        effect = waiting.pop(0)
        effects.append(effect)
        if isinstance(effect, Synthesize):
            waiting += voice.receive(SoundMade(effect.job_id, bytes(1600)))
            waiting += voice.receive(Synthesized(effect.job_id))
    return effects


def history(voice: ChainedVoice, reply_id: str = "next") -> Sequence[Said]:
    [compose] = only(voice.receive(Respond(reply_id)), Compose)
    return compose.history


# -- listening -----------------------------------------------------------------------------------------------------


def test_a_pause_is_transcribed_on_the_guess_that_it_is_the_end(voice: ChainedVoice):
    [guess] = voice.receive(SpeechPaused(0, 1000, b"pcm"))
    assert guess == Transcribe(guess.job_id, b"pcm", is_speculative=True)
    assert voice.receive(Transcribed(guess.job_id, Transcript("Hello."))) == []
    assert voice.receive(UtteranceEnded(0, 1000, b"pcm")) == [CallerSaid("Hello.", 0, 1000)]


def test_a_guess_that_is_not_ready_is_waited_for_and_not_made_twice(voice: ChainedVoice):
    [guess] = voice.receive(SpeechPaused(0, 1000, b"pcm"))
    assert voice.receive(UtteranceEnded(0, 1000, b"pcm")) == []
    assert voice.receive(Transcribed(guess.job_id, Transcript("Hello."))) == [CallerSaid("Hello.", 0, 1000)]


def test_a_guess_is_dropped_when_the_caller_goes_on(voice: ChainedVoice):
    [guess] = voice.receive(SpeechPaused(0, 1000, b"pcm"))
    assert voice.receive(SpeechResumed(1300)) == [CancelJob(guess.job_id)]
    assert voice.receive(Transcribed(guess.job_id, Transcript("Hello."))) == []
    [whole] = only(voice.receive(UtteranceEnded(0, 2000, b"more pcm")), Transcribe)
    assert not whole.is_speculative


def test_words_come_in_the_order_in_which_they_were_spoken(voice: ChainedVoice):
    [first] = only(voice.receive(UtteranceEnded(0, 1000, b"a")), Transcribe)
    [second] = only(voice.receive(UtteranceEnded(2000, 3000, b"b")), Transcribe)
    assert voice.receive(Transcribed(second.job_id, Transcript("second"))) == []
    assert voice.receive(Transcribed(first.job_id, Transcript("first"))) == [
        CallerSaid("first", 0, 1000),
        CallerSaid("second", 2000, 3000),
    ]


def test_a_transcription_that_fails_is_told_unless_it_was_a_guess(voice: ChainedVoice):
    [guess] = voice.receive(SpeechPaused(0, 1000, b"pcm"))
    assert voice.receive(JobFailed(guess.job_id, "no memory")) == []
    [whole] = only(voice.receive(UtteranceEnded(0, 1000, b"pcm")), Transcribe)
    assert voice.receive(JobFailed(whole.job_id, "no memory")) == [VoiceFailed("no memory")]


# -- answering and speaking ----------------------------------------------------------------------------------------


def test_a_reply_is_made_sentence_by_sentence_and_ends_with_its_tools(voice: ChainedVoice):
    says(voice, "Goodbye.")
    effects = answers(voice, "r1", Say("Thank you."), Say("Goodbye.", "goodbye"), UseTool("hang_up"))
    assert [type(effect) for effect in effects] == [
        SentenceBegun, Synthesize, ReplyAudio, SentenceBegun, Synthesize, ReplyAudio, ToolRequested, ReplyEnded,
    ]  # fmt: skip


def test_the_next_sentence_is_not_begun_before_the_one_before_it_is_made(voice: ChainedVoice):
    says(voice, "Hello.")
    [compose] = only(voice.receive(Respond("r1")), Compose)
    assert only(voice.receive(PartComposed(compose.job_id, Say("One."))), Synthesize)
    assert voice.receive(PartComposed(compose.job_id, Say("Two."))) == []


def test_words_that_nobody_answered_are_understood_together_with_what_follows(voice: ChainedVoice):
    says(voice, "When do you open,")
    [job] = only(voice.receive(UtteranceEnded(2000, 3000, b" on Sundays")), Transcribe)
    assert job.pcm == b"When do you open, on Sundays"
    assert voice.receive(Transcribed(job.job_id, Transcript("When do you open on Sundays?"))) == [
        CallerSaid("When do you open on Sundays?", 0, 3000)
    ]
    assert history(voice) == (Said(Role.CALLER, "When do you open on Sundays?"),)


def test_a_noise_after_unanswered_words_does_not_lose_them(voice: ChainedVoice):
    says(voice, "When do you open?")
    [job] = only(voice.receive(UtteranceEnded(2000, 3000, b"cough")), Transcribe)
    voice.receive(Transcribed(job.job_id, Transcript("")))
    assert history(voice) == (Said(Role.CALLER, "When do you open?"),)


def test_more_than_the_model_hears_at_once_is_understood_in_pieces(voice: ChainedVoice):
    [job] = only(voice.receive(UtteranceEnded(0, 24_000, bytes(24 * 16000))), Transcribe)
    voice.receive(Transcribed(job.job_id, Transcript("A long story,")))
    [second] = only(voice.receive(UtteranceEnded(25_000, 35_000, bytes(10 * 16000))), Transcribe)
    assert len(second.pcm) == 10 * 16000
    voice.receive(Transcribed(second.job_id, Transcript("and its end.")))
    assert history(voice) == (Said(Role.CALLER, "A long story, and its end."),)


def test_the_history_holds_what_was_heard(voice: ChainedVoice):
    says(voice, "When do you open?")
    answers(voice, "r1", Say("At nine in the morning.", "answer"))
    voice.receive(CancelReply("r1", NOWHERE, "At nine", tag="answer"))
    says(voice, "And on Sundays?", 5000)
    assert history(voice) == (
        Said(Role.CALLER, "When do you open?"),
        Said(Role.BOT, "At nine", "answer"),
        Said(Role.CALLER, "And on Sundays?"),
    )


def test_an_answer_of_which_nothing_was_heard_leaves_its_question_open(voice: ChainedVoice):
    says(voice, "When do you open,")
    [compose] = only(voice.receive(Respond("r1")), Compose)
    voice.receive(PartComposed(compose.job_id, Say("At nine.")))
    assert CancelJob(compose.job_id) in voice.receive(CancelReply("r1", NOWHERE, ""))
    says(voice, "When do you open, on Sundays?", 2000)
    assert history(voice) == (Said(Role.CALLER, "When do you open, on Sundays?"),)


def test_a_murmur_is_no_part_of_the_next_question(voice: ChainedVoice):
    says(voice, "When do you open?")
    answers(voice, "r1", Say("At nine."))
    says(voice, "Okay.", 3000)
    voice.receive(IgnoreWords())
    voice.receive(NoteReply("r1", "At nine.", 1000, "answer"))
    says(voice, "And on Sundays?", 5000)
    assert history(voice)[-1] == Said(Role.CALLER, "And on Sundays?")


def test_a_prepared_prompt_is_remembered_with_what_it_was(voice: ChainedVoice):
    voice.receive(NoteReply("r1", "How can I help?", 1000, "greeting"))
    voice.receive(NoteReply("r2", "", 350, "tone"))
    says(voice, "Hello.")
    assert history(voice)[0] == Said(Role.BOT, "How can I help?", "greeting")
    assert len(history(voice)) == 2 + 1


def test_one_moment_is_no_part_of_the_conversation(voice: ChainedVoice):
    says(voice, "Hello.")
    voice.receive(NoteReply("r1", "One moment please.", 1000, "filler"))
    assert history(voice) == (Said(Role.CALLER, "Hello."),)


def test_a_tools_result_is_answered(voice: ChainedVoice):
    says(voice, "This is Ann, call me.")
    [compose] = only(voice.receive(ReportTool("r2", "take_message", "This is Ann, call me.")), Compose)
    assert compose.history == (Said(Role.TOOL, "This is Ann, call me.", "take_message"),)


def test_a_cut_reply_can_go_on_with_the_sentences_it_had_left(voice: ChainedVoice):
    says(voice, "Hello.")
    [compose] = only(voice.receive(Respond("r1")), Compose)
    [_, first] = voice.receive(PartComposed(compose.job_id, Say("One.")))
    voice.receive(PartComposed(compose.job_id, Say("Two.")))
    voice.receive(Composed(compose.job_id))
    voice.receive(SoundMade(first.job_id, bytes(1600)))
    voice.receive(CancelReply("r1", NOWHERE, "One."))
    assert voice.receive(SoundMade(first.job_id, bytes(160))) == []
    assert voice.receive(Synthesized(first.job_id)) == []
    kept, begun, second = voice.receive(ResumeReply("r1", "r2"))
    assert kept == ReplyAudio("r2", bytes(80))
    assert begun == SentenceBegun("r2", "Two.")
    assert voice.receive(SoundMade(second.job_id, bytes(1600))) == [ReplyAudio("r2", bytes(800))]
    assert voice.receive(Synthesized(second.job_id)) == [ReplyEnded("r2")]


def test_what_is_composed_during_a_cough_is_said_after_it(voice: ChainedVoice):
    says(voice, "Hello.")
    [compose] = only(voice.receive(Respond("r1")), Compose)
    [_, first] = voice.receive(PartComposed(compose.job_id, Say("One.")))
    voice.receive(SoundMade(first.job_id, bytes(1600)))
    voice.receive(Synthesized(first.job_id))
    assert voice.receive(CancelReply("r1", NOWHERE, "One."), 10.0) == []
    assert voice.receive(PartComposed(compose.job_id, Say("Two.")), 10.5) == []
    begun, second = voice.receive(ResumeReply("r1", "r2"), 11.0)
    assert begun == SentenceBegun("r2", "Two.")
    assert voice.receive(PartComposed(compose.job_id, Say("Three.")), 11.1) == []
    voice.receive(Composed(compose.job_id))
    begun, third = voice.receive(Synthesized(second.job_id))
    assert begun == SentenceBegun("r2", "Three.")
    assert voice.receive(Synthesized(third.job_id)) == [ReplyEnded("r2")]


def test_a_request_is_not_held_open_for_longer_than_a_cough_takes(voice: ChainedVoice):
    says(voice, "Hello.")
    [compose] = only(voice.receive(Respond("r1")), Compose)
    voice.receive(PartComposed(compose.job_id, Say("One.")))
    voice.receive(CancelReply("r1", NOWHERE, "One."), 10.0)
    assert voice.deadline == 13.0
    assert voice.on_deadline(13.0) == [CancelJob(compose.job_id)]
    assert voice.deadline == math.inf


def test_words_call_the_request_off_at_once_and_a_murmur_does_not(voice: ChainedVoice):
    says(voice, "Hello.")
    [compose] = only(voice.receive(Respond("r1")), Compose)
    voice.receive(PartComposed(compose.job_id, Say("One.")))
    voice.receive(CancelReply("r1", NOWHERE, "One."))
    [job] = only(voice.receive(UtteranceEnded(5000, 5300, b"a")), Transcribe)
    assert voice.receive(Transcribed(job.job_id, Transcript("Uh-huh."))) == [CallerSaid("Uh-huh.", 5000, 5300)]
    [job] = only(voice.receive(UtteranceEnded(6000, 7000, b"b")), Transcribe)
    told = voice.receive(Transcribed(job.job_id, Transcript("Wait, stop.")))
    assert told[0] == CancelJob(compose.job_id)


def test_a_new_question_calls_off_what_was_still_being_made(voice: ChainedVoice):
    says(voice, "Hello.")
    [compose] = only(voice.receive(Respond("r1")), Compose)
    [_, synthesis] = voice.receive(PartComposed(compose.job_id, Say("One.")))
    assert voice.receive(CancelReply("r1", NOWHERE, "One")) == []  # it may have been a cough
    assert voice.receive(Respond("r2"))[:2] == [CancelJob(compose.job_id), CancelJob(synthesis.job_id)]
    assert voice.receive(SoundMade(synthesis.job_id, bytes(1600))) == []


def test_a_link_that_fails_in_the_middle_of_a_reply_is_told(voice: ChainedVoice):
    says(voice, "Hello.")
    [compose] = only(voice.receive(Respond("r1")), Compose)
    assert voice.receive(JobFailed(compose.job_id, "no memory")) == [VoiceFailed("no memory")]
    assert voice.receive(PartComposed(compose.job_id, Say("late"))) == []


def test_a_link_that_will_fail_again_is_told_as_that(voice: ChainedVoice):
    [whole] = only(voice.receive(UtteranceEnded(0, 1000, b"pcm")), Transcribe)
    assert voice.receive(JobFailed(whole.job_id, "no credit", is_final=True)) == [VoiceFailed("no credit", True)]
    says(voice, "Hello?", 2000)
    [compose] = only(voice.receive(Respond("r1")), Compose)
    assert voice.receive(JobFailed(compose.job_id, "no credit", is_final=True)) == [VoiceFailed("no credit", True)]


def test_words_behind_an_utterance_that_failed_are_told(voice: ChainedVoice):
    [first] = only(voice.receive(UtteranceEnded(0, 1000, b"one")), Transcribe)
    [second] = only(voice.receive(UtteranceEnded(2000, 3000, b"two")), Transcribe)
    assert voice.receive(Transcribed(second.job_id, Transcript("Two."))) == []
    told = voice.receive(JobFailed(first.job_id, "no memory"))
    assert told == [VoiceFailed("no memory"), CallerSaid("Two.", 2000, 3000)]


def test_words_that_do_not_come_hold_up_others_for_a_moment_only(voice: ChainedVoice):
    [stuck] = only(voice.receive(UtteranceEnded(0, 1000, b"one"), 100.0), Transcribe)
    assert voice.deadline == math.inf
    [second] = only(voice.receive(UtteranceEnded(1500, 2000, b"two"), 101.0), Transcribe)
    assert voice.receive(Transcribed(second.job_id, Transcript("Two.")), 101.5) == []
    assert voice.deadline == 103.0
    assert voice.on_deadline(103.0) == [CallerSaid("Two.", 1500, 2000)]
    assert voice.deadline == math.inf
    [third] = only(voice.receive(UtteranceEnded(5000, 6000, b"three"), 106.0), Transcribe)
    told = voice.receive(Transcribed(third.job_id, Transcript("Three.")), 106.5)
    assert told == [CallerSaid("Three.", 5000, 6000)]
    assert voice.receive(Transcribed(stuck.job_id, Transcript("One.")), 107.0) == [CallerSaid("One.", 0, 1000)]


def test_words_that_were_overtaken_may_fail_in_peace(voice: ChainedVoice):
    [stuck] = only(voice.receive(UtteranceEnded(0, 1000, b"one"), 100.0), Transcribe)
    [second] = only(voice.receive(UtteranceEnded(5000, 6000, b"two"), 106.0), Transcribe)
    voice.receive(Transcribed(second.job_id, Transcript("Two.")), 106.5)
    [warned] = voice.receive(JobFailed(stuck.job_id, "no answer"), 130.0)
    assert isinstance(warned, VoiceWarned)

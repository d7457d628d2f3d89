"""The voice of one model that hears and speaks, in plain calls: what it asks, keeps back, hands out and remembers."""

import math
from collections.abc import Sequence

import pytest

from bot.events import (
    CallerSaid,
    CancelJob,
    CancelReply,
    Converse,
    Conversed,
    IgnoreWords,
    JobFailed,
    NoteReply,
    PartConversed,
    ReplyAudio,
    ReplyBegun,
    ReplyDeclined,
    ReplyEnded,
    ReplyWords,
    ReportTool,
    Respond,
    ResumeReply,
    RunTool,
    SentenceBegun,
    SoundMade,
    SpeechStarted,
    Synthesize,
    Synthesized,
    ToolRan,
    ToolRequested,
    Transcribe,
    Transcribed,
    TruncateReply,
    UtteranceEnded,
    VoiceFailed,
    VoiceWarned,
    WorkBegan,
    WorkEnded,
)
from bot.speech.conversing import (
    Aside,
    BotTurn,
    CallerTurn,
    Finished,
    Forgotten,
    Kept,
    Part,
    Sound,
    ToolTurn,
    Turn,
    Words,
    Written,
)
from bot.speech.links import Transcript, UseTool
from bot.voice.answer import Formats
from bot.voice.audio_chat import MOST_ROUNDS, AudioChatVoice
from bot.voice.base import Effect
from media.frame import PCMU_8K, AudioFormat, Encoding
from media.playout import Position

NOWHERE = Position(0, 0, 0)
NOW = 1000.0
EPOCH = 1_700_000_000.0
LATER = EPOCH + NOW + 3600
STOP = Finished("stop")
SOUND = Sound(bytes(4800))  # a tenth of a second


@pytest.fixture
def voice() -> AudioChatVoice:
    return made()


def made(*, has_transcriber: bool = True) -> AudioChatVoice:
    linear = AudioFormat(Encoding.L16, 24000)
    formats = Formats(linear, AudioFormat(Encoding.L16, 22050), PCMU_8K)
    return AudioChatVoice(formats, has_transcriber=has_transcriber, epoch_s=EPOCH)


def only(effects: Sequence[Effect], *kinds: type) -> list:
    return [effect for effect in effects if isinstance(effect, kinds)]


def told(effects: Sequence[Effect]) -> Sequence[Turn]:
    """What the one request among these effects tells the model."""
    [asked] = only(effects, Converse)
    return asked.turns


def ends(voice: AudioChatVoice, pcm: bytes = b"pcm") -> list:
    """An utterance ends; the requests it makes."""
    voice.receive(SpeechStarted(0), NOW)
    return list(voice.receive(UtteranceEnded(0, 1000, pcm), NOW))


def understood(voice: AudioChatVoice, effects: Sequence[Effect], text: str) -> Sequence[Effect]:
    [job] = only(effects, Transcribe)
    return voice.receive(Transcribed(job.job_id, Transcript(text)), NOW)


def gives(voice: AudioChatVoice, effects: Sequence[Effect], *parts: Part) -> list[Effect]:
    """The request among these effects is answered so, to its end."""
    [asked] = only(effects, Converse)
    results = [PartConversed(asked.job_id, part) for part in parts]
    return [effect for result in (*results, Conversed(asked.job_id)) for effect in voice.receive(result, NOW)]


def asks(voice: AudioChatVoice, text: str, reply_id: str, pcm: bytes = b"pcm") -> list:
    """The caller says something, it is understood, and the call wants it answered."""
    effects = ends(voice, pcm)
    understood(voice, effects, text)
    voice.receive(Respond(reply_id), NOW)
    return effects


def turn(voice: AudioChatVoice, question: str, reply_id: str, answer: str, audio_id: str = "") -> None:
    """A question and an answer that is heard whole."""
    kept = [Kept(audio_id, LATER)] if audio_id else []
    gives(voice, asks(voice, question, reply_id), Words(answer), SOUND, *kept, STOP)
    voice.receive(NoteReply(reply_id, answer, 100), NOW)


def cancelled(reply_id: str, heard: str = "") -> CancelReply:
    return CancelReply(reply_id, NOWHERE, heard)


# -- the ordinary turn ---------------------------------------------------------------------------------------------


def test_the_model_hears_an_utterance_before_anybody_has_written_it_down(voice: AudioChatVoice):
    asked, transcribed = ends(voice, b"hello")
    assert asked == Converse(asked.job_id, (CallerTurn("", b"hello"),))
    assert transcribed == Transcribe(transcribed.job_id, b"hello", is_speculative=False)


def test_what_it_says_is_kept_back_until_the_call_wants_an_answer(voice: AudioChatVoice):
    effects = ends(voice)
    assert gives(voice, effects, Words("We open at nine."), SOUND, SOUND, STOP) == []
    assert understood(voice, effects, "When do you open?") == [CallerSaid("When do you open?", 0, 1000)]
    words, *sounds, ended = voice.receive(Respond("r1"), NOW)
    assert words == ReplyWords("r1", "We open at nine.")
    assert all(isinstance(sound, ReplyAudio) and sound.reply_id == "r1" for sound in sounds)
    assert sum(len(sound.payload) for sound in sounds) == pytest.approx(1600, abs=16)  # 0.2 s
    assert ended == ReplyEnded("r1")


def test_an_answer_that_is_wanted_goes_out_as_it_comes(voice: AudioChatVoice):
    [asked, _] = asks(voice, "When do you open?", "r1")
    assert voice.receive(PartConversed(asked.job_id, Words("We ")), NOW) == [ReplyWords("r1", "We ")]
    assert only(voice.receive(PartConversed(asked.job_id, SOUND), NOW), ReplyAudio)
    assert ReplyEnded("r1") in gives(voice, [asked], Words("open."), SOUND, STOP)


def test_sound_that_is_split_within_a_sample_is_put_together(voice: AudioChatVoice):
    pieces = gives(voice, asks(voice, "Hello.", "r1"), Sound(bytes(2401)), Sound(bytes(2399)), STOP)
    assert sum(len(piece.payload) for piece in only(pieces, ReplyAudio)) == pytest.approx(800, abs=16)


def test_a_cough_costs_its_request_and_is_forgotten(voice: AudioChatVoice):
    effects = ends(voice)
    assert understood(voice, effects, "") == [CallerSaid("", 0, 1000)]
    [asked] = only(effects, Converse)
    assert voice.receive(IgnoreWords(), NOW) == [CancelJob(asked.job_id)]
    assert told(ends(voice, b"next")) == (CallerTurn("", b"next"),)


def test_a_murmur_is_forgotten_with_its_words(voice: AudioChatVoice):
    understood(voice, ends(voice), "Uh-huh.")
    voice.receive(IgnoreWords(), NOW)
    assert told(ends(voice, b"next")) == (CallerTurn("", b"next"),)


def test_who_goes_on_speaking_is_answered_to_all_of_it(voice: AudioChatVoice):
    first = ends(voice, b"one")
    understood(voice, first, "I would like")
    [asked] = only(first, Converse)
    assert voice.receive(SpeechStarted(1200), NOW) == [CancelJob(asked.job_id)]
    second = voice.receive(UtteranceEnded(1200, 2000, b"two"), NOW)
    assert told(second) == (CallerTurn("I would like", b"one"), CallerTurn("", b"two"))


def test_who_goes_on_after_an_answer_was_asked_for_is_answered_to_all_of_it(voice: AudioChatVoice):
    [asked, _] = asks(voice, "I would like", "r1", b"one")
    assert voice.receive(cancelled("r1"), NOW) == [CancelJob(asked.job_id)]
    assert told(ends(voice, b"two")) == (CallerTurn("I would like", b"one"), CallerTurn("", b"two"))


def test_words_are_told_in_the_order_in_which_they_were_spoken(voice: AudioChatVoice):
    first, second = ends(voice), ends(voice)
    assert understood(voice, second, "second") == []
    assert [said.text for said in understood(voice, first, "first")] == ["first", "second"]


def test_without_a_transcriber_every_utterance_is_to_be_answered():
    voice = made(has_transcriber=False)
    asked, said = ends(voice, b"hello")
    assert (told([asked]), said) == ((CallerTurn("", b"hello"),), CallerSaid("", 0, 1000, is_unwritten=True))


def test_a_transcriber_that_fails_costs_the_words_and_not_the_answer(voice: AudioChatVoice):
    effects = ends(voice)
    [job] = only(effects, Transcribe)
    assert voice.receive(JobFailed(job.job_id, "no memory"), NOW) == [
        VoiceWarned("an utterance was not written down: no memory"),
        CallerSaid("", 0, 1000, is_unwritten=True),
    ]


def test_an_answer_does_not_wait_long_for_the_words_that_it_answers(voice: AudioChatVoice):
    effects = ends(voice)
    gives(voice, effects, Words("At nine."), SOUND, STOP)
    assert voice.deadline == NOW + 4
    warned, said = voice.on_deadline(NOW + 4)
    assert isinstance(warned, VoiceWarned)
    assert said == CallerSaid("", 0, 1000, is_unwritten=True)
    assert only(voice.receive(Respond("r1"), NOW + 4), ReplyAudio)
    assert voice.deadline == math.inf
    assert understood(voice, effects, "When?") == []


def test_who_has_hung_up_is_written_down_however_long_it_takes(voice: AudioChatVoice):
    effects = ends(voice)
    voice.close()
    assert voice.deadline == math.inf
    assert understood(voice, effects, "Goodbye.") == [CallerSaid("Goodbye.", 0, 1000)]


def test_what_is_being_made_is_called_off_when_the_call_is_over(voice: AudioChatVoice):
    [asked, _] = ends(voice)
    assert voice.close() == [CancelJob(asked.job_id)]


# -- what the model is told ------------------------------------------------------------------------------------------


def test_an_answer_that_was_heard_whole_is_told_by_its_name_and_older_words_in_writing(voice: AudioChatVoice):
    turn(voice, "When do you open?", "r1", "At nine.", "audio_1")
    assert told(ends(voice, b"new")) == (
        CallerTurn("When do you open?"),
        BotTurn("At nine.", "audio_1"),
        CallerTurn("", b"new"),
    )


def test_an_answer_whose_sound_the_server_is_about_to_forget_is_told_in_words(voice: AudioChatVoice):
    turn(voice, "When do you open?", "r1", "At nine.", "audio_1")
    voice.receive(SpeechStarted(0), NOW)
    at_last = voice.receive(UtteranceEnded(0, 1000, b"new"), LATER - EPOCH - 29)
    assert told(at_last)[1] == BotTurn("At nine.")


def test_of_a_cut_answer_the_model_is_told_the_words_that_were_heard(voice: AudioChatVoice):
    gives(voice, asks(voice, "When?", "r1"), Words("At nine on Mondays."), SOUND, Kept("audio_1", LATER), STOP)
    voice.receive(cancelled("r1", "At nine on"), NOW)
    voice.receive(TruncateReply("r1", 50, "At nine"), NOW)
    assert told(ends(voice))[1] == BotTurn("At nine")


def test_an_answer_of_which_nothing_was_heard_was_never_given(voice: AudioChatVoice):
    gives(voice, asks(voice, "When?", "r1", b"one"), Words("At nine."), SOUND, STOP)
    voice.receive(cancelled("r1"), NOW)
    assert told(ends(voice, b"two")) == (CallerTurn("When?", b"one"), CallerTurn("", b"two"))


def test_a_sound_that_the_server_has_lost_is_told_in_words_from_then_on(voice: AudioChatVoice):
    turn(voice, "When?", "r1", "At nine.", "audio_1")
    [asked, _] = asks(voice, "And on Sundays?", "r2")
    warned, again = voice.receive(PartConversed(asked.job_id, Forgotten("no audio_1")), NOW)
    assert isinstance(warned, VoiceWarned)
    assert told([again])[1] == BotTurn("At nine.")
    assert voice.receive(Conversed(asked.job_id), NOW) == []
    assert ReplyEnded("r2") in gives(voice, [again], Words("At ten."), SOUND, Kept("audio_2", LATER), STOP)
    voice.receive(NoteReply("r2", "At ten.", 100), NOW)
    assert told(ends(voice))[3] == BotTurn("At ten.")


def test_what_was_said_in_the_models_place_is_told_but_for_fillers(voice: AudioChatVoice):
    voice.receive(NoteReply("r1", "Welcome.", 1000, "greeting"), NOW)
    voice.receive(NoteReply("r2", "One moment.", 1000, "filler"), NOW)
    voice.receive(CancelReply("r3", NOWHERE, "Are you", "Are you there?", "idle_prompt"), NOW)
    assert told(ends(voice))[:2] == (BotTurn("Welcome."), BotTurn("Are you"))


def test_what_nobody_wrote_down_is_told_as_sound_for_a_minute():
    voice = made(has_transcriber=False)
    for number in range(4):
        ends(voice, bytes(25 * 16000))
        voice.receive(Respond(f"r{number}"), NOW)
        voice.receive(NoteReply(f"other-{number}", f"Answer {number}.", 100, "greeting"), NOW)
    turns = [one for one in told(ends(voice, b"new")) if isinstance(one, CallerTurn)]
    assert [len(one.pcm) for one in turns] == [0, 0, 400_000, 400_000, 3]
    assert "not written down" in turns[0].text


# -- answers of other kinds ------------------------------------------------------------------------------------------


def test_an_answer_in_writing_is_spoken_sentence_by_sentence(voice: AudioChatVoice):
    first = gives(voice, asks(voice, "When?", "r1"), Written("At nine. Or at **ten"), Written("**."), STOP)
    [begun, synthesis] = first
    assert (begun, synthesis.text) == (SentenceBegun("r1", "At nine."), "At nine.")
    assert only(voice.receive(SoundMade(synthesis.job_id, bytes(4410)), NOW), ReplyAudio)
    begun, synthesis = voice.receive(Synthesized(synthesis.job_id), NOW)
    assert (begun, synthesis.text) == (SentenceBegun("r1", "Or at ten."), "Or at ten.")
    voice.receive(SoundMade(synthesis.job_id, bytes(4410)), NOW)
    assert voice.receive(Synthesized(synthesis.job_id), NOW)[-1] == ReplyEnded("r1")


def test_writing_is_not_spoken_before_it_is_wanted(voice: AudioChatVoice):
    effects = ends(voice)
    assert gives(voice, effects, Written("At nine. At ten."), STOP) == []
    assert only(voice.receive(Respond("r1"), NOW), Synthesize)[0].text == "At nine."


def test_writing_beside_sound_is_not_spoken(voice: AudioChatVoice):
    effects = gives(voice, asks(voice, "When?", "r1"), Words("At nine."), SOUND, Written("At nine."), STOP)
    assert only(effects, Synthesize) == []


@pytest.mark.parametrize("reason", ["stop", "length", "content_filter", ""])
def test_an_answer_of_nothing_is_a_failure(voice: AudioChatVoice, reason: str):
    [failed] = gives(voice, asks(voice, "When?", "r1"), Finished(reason))
    assert isinstance(failed, VoiceFailed)
    assert "gave no answer" in failed.message


def test_an_answer_that_is_too_long_is_said_as_far_as_it_goes(voice: AudioChatVoice):
    effects = gives(voice, asks(voice, "When?", "r1"), Words("At ni"), SOUND, Finished("length"))
    assert "max_output_tokens" in only(effects, VoiceWarned)[0].message
    assert effects[-1] == ReplyEnded("r1")


def test_a_request_that_fails_is_told(voice: AudioChatVoice):
    [asked, _] = asks(voice, "When?", "r1")
    assert voice.receive(JobFailed(asked.job_id, "out of reach"), NOW) == [VoiceFailed("out of reach")]


def test_a_request_that_will_fail_again_is_told_as_that(voice: AudioChatVoice):
    [asked] = only(asks(voice, "Why?", "r1"), Converse)
    assert voice.receive(JobFailed(asked.job_id, "no credit", is_final=True), NOW) == [VoiceFailed("no credit", True)]
    effects = ends(voice)
    [asked] = only(effects, Converse)
    voice.receive(JobFailed(asked.job_id, "no credit", is_final=True), NOW)
    understood(voice, effects, "Why?")
    assert voice.receive(Respond("r2"), NOW) == [VoiceFailed("no credit", True)]


def test_a_request_that_fails_before_it_is_wanted_is_told_when_it_is(voice: AudioChatVoice):
    effects = ends(voice)
    [asked] = only(effects, Converse)
    assert voice.receive(JobFailed(asked.job_id, "out of reach"), NOW) == []
    understood(voice, effects, "When?")
    assert voice.receive(Respond("r1"), NOW) == [VoiceFailed("out of reach")]


# -- interruptions -----------------------------------------------------------------------------------------------------


def test_a_barge_in_calls_off_the_request_that_is_under_way(voice: AudioChatVoice):
    [asked, _] = asks(voice, "When?", "r1")
    voice.receive(PartConversed(asked.job_id, Words("At nine on Mondays.")), NOW)
    voice.receive(PartConversed(asked.job_id, SOUND), NOW)
    assert voice.receive(cancelled("r1", "At"), NOW) == [CancelJob(asked.job_id)]
    assert voice.receive(PartConversed(asked.job_id, SOUND), NOW) == []


def test_after_a_cough_the_model_is_asked_for_the_rest(voice: AudioChatVoice):
    [asked, _] = asks(voice, "When?", "r1")
    voice.receive(PartConversed(asked.job_id, Words("We are open at nine on Mondays.")), NOW)
    voice.receive(PartConversed(asked.job_id, Sound(bytes(48 * 1000))), NOW)
    voice.receive(cancelled("r1", "We are"), NOW)
    understood(voice, ends(voice), "")
    voice.receive(IgnoreWords(), NOW)
    ended, rest = voice.receive(ResumeReply("r1", "r2"), NOW)
    assert ended == ReplyEnded("r2")  # what there was of it is played to its end
    *_, heard, aside = told([rest])
    assert heard == BotTurn("We are")
    assert isinstance(aside, Aside)
    assert 'behind the words "We are open at"' in aside.text
    begun, *pieces = gives(voice, [rest], Words(" at nine."), SOUND, STOP)
    assert isinstance(begun, ReplyBegun)
    assert pieces[0] == ReplyWords(begun.reply_id, " at nine.")
    assert pieces[-1] == ReplyEnded(begun.reply_id)


def test_after_a_cough_sentences_that_are_written_already_are_spoken_and_not_asked_for(voice: AudioChatVoice):
    effects = gives(voice, asks(voice, "When?", "r1"), Written("At nine. At ten. At noon."), STOP)
    [synthesis] = only(effects, Synthesize)
    assert CancelJob(synthesis.job_id) in voice.receive(cancelled("r1"), NOW)
    understood(voice, ends(voice), "")
    voice.receive(IgnoreWords(), NOW)
    ended, again = voice.receive(ResumeReply("r1", "r2"), NOW)
    assert (ended, again.text) == (ReplyEnded("r2"), "At nine.")
    begun, sentence, _ = voice.receive(SoundMade(again.job_id, bytes(4410)), NOW)
    assert sentence == SentenceBegun(begun.reply_id, "At nine.")


# -- tools -------------------------------------------------------------------------------------------------------------


LOOK_UP = UseTool("lookup_fact", {"question": "hours"}, "call_1", '{"question":"hours"}')
HANG_UP = UseTool("hang_up", {}, "call_2", "{}")


def test_a_tool_is_run_and_its_result_answered_in_a_reply_of_its_own(voice: AudioChatVoice):
    effects = gives(voice, asks(voice, "When?", "r1"), Words("Let me see."), SOUND, LOOK_UP, Finished("tool_calls"))
    [run] = only(effects, RunTool)
    assert (run.name, run.arguments) == ("lookup_fact", '{"question":"hours"}')
    assert effects[-3:] == [WorkBegan("call_1"), run, ReplyEnded("r1")]
    voice.receive(NoteReply("r1", "Let me see.", 100), NOW)
    ended, asked = voice.receive(ToolRan(run.job_id, "nine"), NOW)
    assert ended == WorkEnded("call_1", owes_answer=True)
    assert told([asked])[1:] == (BotTurn("Let me see.", tools=(LOOK_UP,)), ToolTurn("call_1", "nine"))
    begun, *_, last = gives(voice, [asked], Words("At nine."), SOUND, STOP)
    assert isinstance(begun, ReplyBegun)
    assert last == ReplyEnded(begun.reply_id)


def test_who_has_spoken_before_using_a_tool_need_not_add_anything(voice: AudioChatVoice):
    effects = gives(voice, asks(voice, "When?", "r1"), Words("I will note it."), SOUND, LOOK_UP, Finished("tool_calls"))
    [run] = only(effects, RunTool)
    assert gives(voice, voice.receive(ToolRan(run.job_id, "noted"), NOW), STOP) == [ReplyDeclined()]


@pytest.mark.parametrize(("words", "reason"), [("", "stop"), ("Let me see.", "length"), ("Let me see.", "")])
def test_who_has_not_answered_yet_must(voice: AudioChatVoice, words: str, reason: str):
    said = [Words(words), SOUND] if words else []
    effects = gives(voice, asks(voice, "When?", "r1"), *said, LOOK_UP, Finished("tool_calls"))
    [run] = only(effects, RunTool)
    [failed] = gives(voice, voice.receive(ToolRan(run.job_id, "nine"), NOW), Finished(reason))
    assert isinstance(failed, VoiceFailed)


def test_a_question_stays_sound_while_tools_are_used_for_it(voice: AudioChatVoice):
    effects = gives(voice, asks(voice, "When?", "r1", b"when"), LOOK_UP, Finished("tool_calls"))
    [run] = only(effects, RunTool)
    _, asked = voice.receive(ToolRan(run.job_id, "nine"), NOW)
    assert told([asked])[0] == CallerTurn("When?", b"when")


def test_no_tool_is_used_for_what_nobody_wants_answered(voice: AudioChatVoice):
    effects = ends(voice)
    assert gives(voice, effects, LOOK_UP, Finished("tool_calls")) == []
    understood(voice, effects, "")
    assert only(voice.receive(IgnoreWords(), NOW), RunTool) == []


def test_several_tools_are_answered_once_when_all_are_done(voice: AudioChatVoice):
    other = UseTool("look_up_price", {}, "call_9", "{}")
    effects = gives(voice, asks(voice, "When?", "r1"), LOOK_UP, other, Finished("tool_calls"))
    first, second = only(effects, RunTool)
    assert voice.receive(ToolRan(first.job_id, "nine"), NOW) == [WorkEnded("call_1", owes_answer=False)]
    ended, asked = voice.receive(JobFailed(second.job_id, "no network"), NOW)
    assert ended == WorkEnded("call_9", owes_answer=True)
    assert told([asked])[-2:] == (ToolTurn("call_1", "nine"), ToolTurn("call_9", "error: no network"))


def test_the_call_hangs_up_after_the_words(voice: AudioChatVoice):
    effects = gives(voice, asks(voice, "Bye.", "r1"), Words("Goodbye."), SOUND, HANG_UP, Finished("tool_calls"))
    assert effects[-2:] == [ReplyEnded("r1"), ToolRequested("hang_up", {}, "call_2")]


def test_a_dictated_message_is_answered_once_it_is_kept(voice: AudioChatVoice):
    keep = UseTool("take_message", {"message": "Call me."}, "call_3", '{"message":"Call me."}')
    effects = gives(voice, asks(voice, "Call me.", "r1"), keep, Finished("tool_calls"))
    assert effects[-1] == ToolRequested("take_message", {"message": "Call me."}, "call_3")
    asked = voice.receive(ReportTool("r2", "take_message", "kept", "call_3"), NOW)
    assert told(asked)[-1] == ToolTurn("call_3", "kept")
    assert gives(voice, asked, Words("I will."), SOUND, STOP)[0] == ReplyBegun("r2")


def test_who_is_about_to_hang_up_adds_nothing(voice: AudioChatVoice):
    keep = UseTool("take_message", {"message": "Call me."}, "call_3", '{"message":"Call me."}')
    gives(voice, asks(voice, "Bye.", "r1"), Words("Bye."), SOUND, keep, HANG_UP, Finished("tool_calls"))
    assert voice.receive(ReportTool("r2", "take_message", "kept", "call_3"), NOW) == []


def test_a_hang_up_that_the_caller_spoke_over_is_told_as_not_done(voice: AudioChatVoice):
    gives(voice, asks(voice, "Bye.", "r1"), Words("Bye now."), SOUND, HANG_UP, Finished("tool_calls"))
    assert voice.receive(ReportTool("", "hang_up", "not done", "call_2", wants_reply=False), NOW) == []
    voice.receive(cancelled("r1", "Bye"), NOW)
    assert told(ends(voice))[1:3] == (BotTurn("Bye", tools=(HANG_UP,)), ToolTurn("call_2", "not done"))


def test_a_message_after_the_tone_is_answered(voice: AudioChatVoice):
    ask_for_it = UseTool("take_message", {}, "call_3", "{}")
    gives(voice, asks(voice, "A message.", "r1"), Words("Speak."), SOUND, ask_for_it, Finished("tool_calls"))
    effects = ends(voice, b"message")
    assert only(effects, Converse) == []
    understood(voice, effects, "Call me.")
    answered = voice.receive(ReportTool("r2", "take_message", "Call me."), NOW)
    assert told(answered)[-1] == ToolTurn("call_3", "Call me.")
    assert gives(voice, answered, Words("Thanks."), SOUND, STOP)[0] == ReplyWords("r2", "Thanks.")


def test_a_result_that_comes_while_the_caller_speaks_is_told_with_their_words(voice: AudioChatVoice):
    [run] = only(gives(voice, asks(voice, "When?", "r1"), LOOK_UP, Finished("tool_calls")), RunTool)
    voice.receive(SpeechStarted(0), NOW)
    assert only(voice.receive(ToolRan(run.job_id, "nine"), NOW), Converse) == []
    assert ToolTurn("call_1", "nine") in told(voice.receive(UtteranceEnded(0, 1000, b"well?"), NOW))


def test_a_result_that_comes_while_the_caller_coughs_is_told_after_all(voice: AudioChatVoice):
    [run] = only(gives(voice, asks(voice, "When?", "r1"), LOOK_UP, Finished("tool_calls")), RunTool)
    voice.receive(SpeechStarted(0), NOW)
    voice.receive(ToolRan(run.job_id, "nine"), NOW)
    understood(voice, voice.receive(UtteranceEnded(0, 1000, b"cough"), NOW), "")
    assert told(voice.receive(IgnoreWords(), NOW))[-1] == ToolTurn("call_1", "nine")


def test_a_result_that_comes_while_another_question_is_answered_is_told_afterwards(voice: AudioChatVoice):
    [run] = only(gives(voice, asks(voice, "When?", "r1"), LOOK_UP, Finished("tool_calls")), RunTool)
    effects = asks(voice, "Are you there?", "r2")
    assert "not finished" in next(one.output for one in told(effects) if isinstance(one, ToolTurn))
    assert only(voice.receive(ToolRan(run.job_id, "nine"), NOW), Converse) == []
    assert ToolTurn("call_1", "nine") in told(gives(voice, effects, Words("Yes."), SOUND, STOP))


def test_a_result_whose_answer_was_dropped_before_it_sounded_is_told_again(voice: AudioChatVoice):
    [run] = only(gives(voice, asks(voice, "When?", "r1"), LOOK_UP, Finished("tool_calls")), RunTool)
    _, asked = voice.receive(ToolRan(run.job_id, "nine"), NOW)
    voice.receive(PartConversed(asked.job_id, Words("At nine.")), NOW)
    assert voice.receive(SpeechStarted(0), NOW) == [CancelJob(asked.job_id)]
    understood(voice, voice.receive(UtteranceEnded(0, 1000, b"cough"), NOW), "")
    turns = told(voice.receive(IgnoreWords(), NOW))
    assert turns == (CallerTurn("When?", b"pcm"), BotTurn("", tools=(LOOK_UP,)), ToolTurn("call_1", "nine"))


def test_a_model_that_never_stops_using_tools_must_do_without(voice: AudioChatVoice):
    effects: Sequence[Effect] = asks(voice, "When?", "r1")
    for number in range(MOST_ROUNDS):
        [asked] = only(effects, Converse)
        assert asked.may_use_tools
        tool = UseTool("lookup_fact", {}, f"call_{number}", "{}")
        [run] = only(gives(voice, effects, tool, Finished("tool_calls")), RunTool)
        effects = voice.receive(ToolRan(run.job_id, "nothing"), NOW)
    assert not only(effects, Converse)[0].may_use_tools

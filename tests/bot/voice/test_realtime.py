"""What a realtime voice tells its model and its call, in plain calls."""

import json

import pytest

from bot.events import (
    CallerSaid,
    CallerSaying,
    CancelReply,
    CloseLink,
    Greet,
    JobFailed,
    LinkClogged,
    LinkFlows,
    NoteReply,
    OpenLink,
    RateLimitsTold,
    ReplyAudio,
    ReplyBegun,
    ReplyDeclined,
    ReplyEnded,
    ReplyWords,
    ReportTool,
    RunTool,
    SpeechStarted,
    TokensUsed,
    ToolRan,
    ToolRequested,
    TruncateReply,
    UtteranceEnded,
    VoiceFailed,
    VoiceWarned,
    WorkBegan,
    WorkEnded,
)
from media.playout import Position
from tests.support.realtime import Model, kinds, mail, of


def position(heard_ms: int, generated_ms: int = 2000) -> Position:
    return Position(generated_ms, generated_ms, heard_ms)


@pytest.fixture
def model() -> Model:
    one = Model()
    one.starts()
    return one


def asks(model: Model, item_id: str = "u1") -> None:
    """The caller says something, and the model hears that it is over."""
    model.hears(100)
    model.hears_speech(item_id)
    model.hears_silence(item_id)


def is_cut(model: Model, item_id: str, heard_ms: int, heard_text: str = "", generated_ms: int = 2000) -> list:
    effects = model.is_told(CancelReply(item_id, position(heard_ms, generated_ms), heard_text))
    return effects + model.is_told(TruncateReply(item_id, heard_ms, heard_text))


# -- the session -----------------------------------------------------------------------------------------------


def test_a_session_is_configured_as_soon_as_it_is_there_and_nothing_is_asked_of_it():
    model = Model()
    assert of(list(model.voice.start(model.now)), OpenLink) == [OpenLink(1)]
    model.link = 1
    [update] = mail(model.says(type="session.created", session={"expires_at": 2_000_000}))
    assert update["type"] == "session.update"
    assert update["session"]["instructions"] == "Be kind."
    assert mail(model.says(type="session.updated", session={})) == []


def test_the_callers_sound_is_kept_until_the_session_is_ready_and_nothing_stale_is_sent():
    model = Model()
    model._take(model.voice.start(model.now))
    assert model.hears(150) == []
    effects = model.is_configured()
    [sound] = [e for e in effects if b"append" in getattr(e, "message", b"")]
    assert len(json.loads(sound.message)["audio"]) == pytest.approx(16_000 * 4 / 3, abs=300)
    assert kinds(model.hears(3)) == ["input_audio_buffer.append"]


def test_a_server_that_does_not_know_every_setting_gets_the_essentials():
    model = Model()
    model._take(model.voice.start(model.now))
    model.says(type="session.created", session={})
    error = {"code": "unknown_parameter", "message": "Unknown parameter: 'session.truncation'", "event_id": "configure"}
    effects = model.says(type="error", error=error)
    [update] = mail(effects)
    assert "truncation" not in update["session"]
    assert of(effects, VoiceWarned)
    model.says(type="session.updated", session={})
    assert kinds(model.hears(1)) == ["input_audio_buffer.append"]


def test_a_server_that_refuses_the_essentials_too_is_given_up(model: Model):
    model = Model()
    model._take(model.voice.start(model.now))
    model.says(type="session.created", session={})
    model.says(type="error", error={"code": "invalid_value", "event_id": "configure"})
    effects = model.says(type="error", error={"code": "invalid_value", "event_id": "configure-core"})
    assert [failed.is_final for failed in of(effects, VoiceFailed)] == [True]
    assert of(effects, CloseLink)


def test_a_session_in_another_format_than_agreed_is_no_use():
    model = Model()
    model._take(model.voice.start(model.now))
    model.says(type="session.created", session={})
    effects = model.says(type="session.updated", session={"audio": {"output": {"format": {"type": "audio/pcm"}}}})
    assert [failed.is_final for failed in of(effects, VoiceFailed)] == [True]


def test_events_of_the_future_mean_nothing(model: Model):
    assert model.says(type="response.dreams.delta", delta={"of": "sheep"}) == []
    assert model.says(type="conversation.item.added", item={"id": "x", "type": "hologram"}) == []


# -- a turn ----------------------------------------------------------------------------------------------------


def test_speech_lies_on_the_calls_clock_without_the_padding_and_the_silence(model: Model):
    model.hears(100)
    [started] = of(model.hears_speech("u1", 400), SpeechStarted)
    assert started.at_ms == 400 + 300  # the padding before it is no speech
    [ended] = of(model.hears_silence("u1", 1900), UtteranceEnded)
    assert (ended.start_ms, ended.end_ms) == (700, 1900 - 500)


def test_an_answer_begins_with_its_words_and_its_sound_and_ends_with_its_item(model: Model):
    asks(model)
    effects = model.answers("r1", "a1", 200, "At nine.")
    kinds_told = [type(effect) for effect in effects]
    assert kinds_told == [ReplyBegun, ReplyWords, ReplyAudio, ReplyEnded]
    assert effects[2] == ReplyAudio("a1", b"\x11" * 1600)


def test_a_piece_that_is_no_sound_is_passed_over(model: Model):
    asks(model)
    model.begins("r1")
    where = {"response_id": "r1", "item_id": "a1"}
    assert of(model.says(type="response.output_audio.delta", delta="AQ", **where), ReplyAudio) == []
    assert of(model.speaks("r1", "a1", 200), ReplyAudio) == [ReplyAudio("a1", b"\x11" * 1600)]


def test_two_items_of_one_response_are_two_replies(model: Model):
    asks(model)
    model.begins("r1")
    model.speaks("r1", "a1", 400, "Let me see. ")
    effects = model.speaks("r1", "a2", 400, "We open at nine.")
    effects += model.ends_item("r1", "a1") + model.ends_item("r1", "a2") + model.ends("r1")
    assert of(effects, ReplyBegun) == [ReplyBegun("a2")]
    assert of(effects, ReplyEnded) == [ReplyEnded("a1"), ReplyEnded("a2")]


def test_words_that_are_understood_late_stand_where_they_were_spoken(model: Model):
    asks(model)
    model.answers("r1", "a1")
    assert of(model.understands("u1", "When do you open?"), CallerSaid) == [CallerSaid("When do you open?", 600, 1500)]


def test_words_are_shown_while_they_are_still_being_understood(model: Model):
    asks(model)
    delta = "conversation.item.input_audio_transcription.delta"
    model.says(type=delta, item_id="u1", delta="When do")
    assert model.says(type=delta, item_id="u1", delta=" you")[-1] == CallerSaying("When do you", 600)


def test_a_response_without_sound_takes_no_turn(model: Model):
    asks(model)
    model.begins("r1")
    assert of(model.ends("r1", output=[]), ReplyDeclined) == [ReplyDeclined()]


def test_an_answer_in_writing_is_a_failure_for_nobody_can_hear_it(model: Model):
    asks(model)
    model.begins("r1")
    assert of(model.ends("r1", output=[{"type": "message", "id": "a1"}]), VoiceFailed)


def test_a_model_that_does_not_answer_by_itself_is_asked_to():
    model = Model(create_response=False)
    model.starts()
    model.hears(100)
    model.hears_speech("u1")
    assert kinds(model.hears_silence("u1")) == ["response.create"]


def test_the_model_says_the_greeting_itself_when_asked(model: Model):
    [create] = mail(model.is_told(Greet("g1", "Good morning!")))
    assert create["response"]["instructions"] == "Say exactly this, word for word: Good morning!"


def test_a_greeting_that_comes_too_late_is_not_said_after_the_prepared_one(model: Model):
    model.is_told(Greet("g1", "Good morning!"))
    assert kinds(model.is_told(CancelReply("g1", position(0, 0), ""))) == ["response.cancel"]
    model.begins("r1")
    assert of(model.speaks("r1", "a1", 200), ReplyBegun, ReplyAudio) == []


def test_a_prepared_greeting_is_known_to_the_model_but_a_filler_is_not(model: Model):
    [created] = mail(model.is_told(NoteReply("r1", "Good morning!", 900, "greeting")))
    assert created["item"]["content"] == [{"type": "output_text", "text": "Good morning!"}]
    assert mail(model.is_told(NoteReply("r2", "One moment, please.", 900, "filler"))) == []


# -- interruptions ---------------------------------------------------------------------------------------------


def test_an_interrupted_reply_is_cut_in_the_models_memory_where_the_ear_was(model: Model):
    asks(model)
    model.answers("r1", "a1", 3000)
    model.hears_speech("u2", 3300)
    [truncate] = mail(is_cut(model, "a1", 1480, "We open"))
    assert truncate == {
        "type": "conversation.item.truncate",
        "item_id": "a1",
        "content_index": 0,
        "audio_end_ms": 1480,
    }


def test_no_more_is_truncated_than_the_model_has_sent(model: Model):
    asks(model)
    model.begins("r1")
    model.speaks("r1", "a1", 500)
    model.hears_speech("u2")
    [truncate] = mail(is_cut(model, "a1", 540, generated_ms=540))
    assert truncate["audio_end_ms"] == 500


def test_what_waits_behind_a_cut_reply_was_not_heard_at_all(model: Model):
    asks(model)
    model.begins("r1")
    model.speaks("r1", "a1", 500)
    model.speaks("r1", "a2", 500)
    model.hears_speech("u2")
    cuts = mail(is_cut(model, "a1", 300)) + mail(is_cut(model, "a2", 0))
    assert [(cut["item_id"], cut["audio_end_ms"]) for cut in cuts] == [("a1", 300), ("a2", 0)]


def test_a_reply_that_the_call_refuses_is_truncated_at_nothing(model: Model):
    asks(model)
    model.begins("r1")
    model.speaks("r1", "a1", 500)
    [cancel, truncate] = mail(model.is_told(CancelReply("a1", position(0, 0), "")))
    assert (cancel["type"], truncate["audio_end_ms"]) == ("response.cancel", 0)


def test_what_comes_late_of_a_cut_reply_is_dropped(model: Model):
    asks(model)
    model.begins("r1")
    model.speaks("r1", "a1", 500)
    model.hears_speech("u2")
    is_cut(model, "a1", 300)
    late = model.speaks("r1", "a1", 500) + model.speaks("r1", "a2", 500) + model.ends("r1", "cancelled")
    assert of(late, ReplyAudio, ReplyBegun, ReplyEnded) == []


def test_a_model_that_interrupts_itself_is_not_told_to(model: Model):
    asks(model)
    model.begins("r1")
    model.speaks("r1", "a1", 500)
    model.hears_speech("u2")
    assert kinds(model.is_told(CancelReply("a1", position(300, 500), ""))) == []


def test_a_reply_heard_to_its_end_is_not_truncated(model: Model):
    asks(model)
    model.answers("r1", "a1", 2000)
    model.is_told(NoteReply("a1", "We open at nine.", 2000))
    assert mail(model.is_told(TruncateReply("a1", 2000, "We open at nine."))) == []


# -- our own turn detection ------------------------------------------------------------------------------------


@pytest.fixture
def ours() -> Model:
    one = Model(turn_detection="local")
    one.starts()
    return one


def test_with_our_own_turn_detection_only_speech_is_sent_with_what_came_just_before_it(ours: Model):
    assert ours.hears(100) == []
    [sound] = ours.is_told(SpeechStarted(1800))
    assert len(json.loads(sound.message)["audio"]) == pytest.approx(500 * 8 * 4 / 3, abs=8)
    assert kinds(ours.hears(10)) == ["input_audio_buffer.append"]
    effects = ours.is_told(UtteranceEnded(1800, 2200, b""))
    assert kinds(effects) == ["input_audio_buffer.commit", "response.create"]
    assert ours.hears(10) == []


def test_with_our_own_turn_detection_a_running_response_is_cancelled_by_us(ours: Model):
    ours.hears(100)
    ours.is_told(SpeechStarted(1800))
    ours.is_told(UtteranceEnded(1800, 2000, b""))
    ours.begins("r1")
    ours.speaks("r1", "a1", 500)
    effects = ours.is_told(SpeechStarted(2000))
    assert [message["response_id"] for message in mail(effects)] == ["r1"]
    assert mail(is_cut(ours, "a1", 300))[-1]["audio_end_ms"] == 300


def test_with_our_own_turn_detection_words_lie_where_we_heard_them(ours: Model):
    ours.hears(100)
    ours.is_told(SpeechStarted(1500))
    ours.is_told(UtteranceEnded(1500, 1900, b""))
    ours.says(type="input_audio_buffer.committed", item_id="u1", previous_item_id=None)
    assert of(ours.understands("u1", "Hello."), CallerSaid) == [CallerSaid("Hello.", 1500, 1900)]


def test_what_was_said_to_a_session_that_was_lost_is_said_to_the_next(ours: Model):
    ours.hears(100)
    ours.is_told(SpeechStarted(1500))
    ours.hears(20)
    ours.loses_link()
    ours.is_told(UtteranceEnded(1500, 2400, b""))
    effects = ours.is_configured()
    assert kinds(effects)[-3:] == ["input_audio_buffer.append", "input_audio_buffer.commit", "response.create"]


# -- tools -----------------------------------------------------------------------------------------------------


def call(name: str, call_id: str, arguments: str = "{}", status: str = "completed") -> dict:
    item = {"id": f"f_{call_id}", "type": "function_call", "name": name, "call_id": call_id}
    return {**item, "arguments": arguments, "status": status}


def test_a_tool_is_run_and_its_result_is_answered_to(model: Model):
    asks(model)
    model.begins("r1")
    effects = model.ends("r1", output=[call("lookup", "c1", '{"id": 7}')])
    [job] = of(effects, RunTool)
    assert (job.name, job.arguments) == ("lookup", '{"id": 7}')
    assert of(effects, WorkBegan) == [WorkBegan("c1")]
    effects = model.is_told(ToolRan(job.job_id, '{"state": "shipped"}'))
    assert kinds(effects) == ["conversation.item.create", "response.create"]
    assert mail(effects)[0]["item"]["output"] == '{"state": "shipped"}'
    assert of(effects, WorkEnded) == [WorkEnded("c1", owes_answer=True)]


def test_several_tools_are_answered_to_once_when_the_last_is_done(model: Model):
    asks(model)
    model.begins("r1")
    first, second = of(model.ends("r1", output=[call("a", "c1"), call("b", "c2")]), RunTool)
    assert kinds(model.is_told(ToolRan(second.job_id, "2"))) == ["conversation.item.create"]
    assert kinds(model.is_told(JobFailed(first.job_id, "no"))) == ["conversation.item.create", "response.create"]


def test_a_tool_call_that_was_interrupted_is_not_run_and_none_is_run_twice(model: Model):
    asks(model)
    model.begins("r1")
    assert of(model.ends("r1", "cancelled", output=[call("a", "c1", '{"ha', "incomplete")]), RunTool) == []
    model.begins("r2")
    assert len(of(model.ends("r2", output=[call("a", "c2")]), RunTool)) == 1
    model.begins("r3")
    assert of(model.ends("r3", output=[call("a", "c2")]), RunTool) == []


def test_what_the_call_does_itself_is_asked_of_it(model: Model):
    asks(model)
    model.begins("r1")
    effects = model.ends("r1", output=[call("transfer", "c1", '{"destination": "sales"}')])
    assert of(effects, ToolRequested) == [ToolRequested("transfer", {"destination": "sales"}, "c1")]
    effects = model.is_told(ReportTool("r9", "transfer", "nobody there", "c1"))
    assert kinds(effects) == ["conversation.item.create", "response.create"]


def test_a_result_that_comes_while_the_caller_speaks_waits_for_the_models_own_answer(model: Model):
    asks(model)
    model.begins("r1")
    [job] = of(model.ends("r1", output=[call("lookup", "c1")]), RunTool)
    model.hears_speech("u2")
    assert kinds(model.is_told(ToolRan(job.job_id, "found"))) == ["conversation.item.create"]


# -- what goes wrong -------------------------------------------------------------------------------------------


def test_a_lost_session_is_opened_again_at_once_and_told_what_was_really_said(model: Model):
    asks(model)
    model.understands("u1", "When do you open?")
    model.answers("r1", "a1", 2000, "We open at nine every day.")
    model.is_told(CancelReply("a1", position(900), "We open at"))
    effects = model.loses_link()
    assert of(effects, OpenLink) == [OpenLink(2)]
    items = [message["item"] for message in mail(model.is_configured()) if "item" in message]
    assert [item["content"][0]["text"] for item in items] == ["When do you open?", "We open at"]


def test_a_reply_that_breaks_off_is_played_as_far_as_it_came_and_gone_on_with(model: Model):
    asks(model)
    model.understands("u1", "When do you open?")
    model.begins("r1")
    model.speaks("r1", "a1", 800, "We open at nine on weekdays and at ten on Saturdays.")
    effects = model.loses_link()
    assert of(effects, ReplyEnded) == [ReplyEnded("a1")]
    assert of(effects, WorkBegan) == [WorkBegan("model")]
    effects = model.is_configured()
    assert kinds(effects)[-1] == "response.create"
    assert mail(effects)[-2]["item"]["content"][0]["text"] == "We open at"
    assert of(effects, WorkEnded) == [WorkEnded("model", owes_answer=True)]


def test_a_question_that_was_not_understood_before_the_loss_is_heard_again(model: Model):
    model.hears(200)
    model.hears_speech("u1", 1000)
    model.hears_silence("u1", 3500)
    model.loses_link()
    effects = model.is_configured()
    assert "response.create" not in kinds(effects)  # the new session answers by itself when it has heard it
    [sound] = [effect for effect in effects if b"append" in getattr(effect, "message", b"")]
    assert len(json.loads(sound.message)["audio"]) == pytest.approx(3000 * 8 * 4 / 3, abs=300)


def test_a_session_that_cannot_be_had_is_tried_for_a_while_and_then_the_call_is_told(model: Model):
    model.loses_link()
    tries, began = 0, model.now
    while not (failed := of(model.loses_link(), VoiceFailed)):
        tries += 1
        model.passes(model.voice.deadline - model.now)
    assert failed[0].is_final
    assert 4 <= tries <= 12
    assert model.now - began <= 8.0


@pytest.mark.parametrize("code", [401, 403, 404, 3000, 1008])
def test_a_refusal_that_will_not_change_is_not_tried_again(model: Model, code: int):
    effects = model.loses_link(code)
    assert [failed.is_final for failed in of(effects, VoiceFailed)] == [True]
    assert of(effects, OpenLink) == []


@pytest.mark.parametrize("code", ["invalid_api_key", "insufficient_quota", "model_not_found"])
def test_errors_that_will_be_no_different_end_the_session(model: Model, code: str):
    assert of(model.says(type="error", error={"code": code}), VoiceFailed)[0].is_final


@pytest.mark.parametrize("code", ["response_cancel_not_active", "input_audio_buffer_commit_empty"])
def test_races_are_no_errors(model: Model, code: str):
    assert model.says(type="error", error={"code": code}) == []


def test_an_error_that_means_little_is_noted(model: Model):
    assert of(model.says(type="error", error={"code": "something_new", "message": "hm"}), VoiceWarned)


def test_a_failed_response_is_asked_for_again_but_not_for_ever(model: Model):
    asks(model)
    model.begins("r1")
    details = {"type": "failed", "error": {"code": "rate_limit_exceeded", "type": "x"}}
    assert kinds(model.ends("r1", "failed", status_details=details)) == ["response.create"]
    model.begins("r2")
    assert kinds(model.ends("r2", "failed", status_details=details)) == ["response.create"]
    model.begins("r3")
    assert [one.is_final for one in of(model.ends("r3", "failed", status_details=details), VoiceFailed)] == [False]


def test_no_quota_is_final(model: Model):
    asks(model)
    model.begins("r1")
    details = {"type": "failed", "error": {"code": "insufficient_quota"}}
    assert of(model.ends("r1", "failed", status_details=details), VoiceFailed)[0].is_final


def test_a_model_that_does_not_answer_gets_a_new_session_and_then_is_given_up(model: Model):
    asks(model)
    model.understands("u1", "When do you open?")
    effects = model.passes(5.1)
    assert of(effects, CloseLink)
    assert of(effects, OpenLink)
    assert kinds(model.is_configured())[-1] == "response.create"
    assert of(model.passes(5.1), VoiceFailed)[0].is_final


def test_a_second_response_is_asked_for_when_the_first_is_over(model: Model):
    asks(model)
    model.begins("r1")
    assert kinds(model.is_told(Greet("g1", "Hello."))) == []
    assert kinds(model.ends("r1")) == ["response.create"]


def test_what_is_said_while_no_session_hears_it_is_said_to_the_next_one(model: Model):
    model.hears(100)
    model.is_told(LinkClogged(1))
    model.hears(200)
    model.loses_link()
    [sound] = [effect for effect in model.is_configured() if b"append" in getattr(effect, "message", b"")]
    assert len(json.loads(sound.message)["audio"]) == pytest.approx(6000 * 8 * 4 / 3, abs=300)


def test_a_model_that_stops_reading_gets_only_what_is_fresh_when_it_goes_on(model: Model):
    model.is_told(LinkClogged(1))
    assert model.hears(250) == []
    sound, _ = model.is_told(LinkFlows(1))
    assert len(json.loads(sound.message)["audio"]) == pytest.approx(2000 * 8 * 4 / 3, abs=300)


# -- a session's end -------------------------------------------------------------------------------------------


def test_a_session_that_nears_its_end_is_replaced_in_a_silence():
    model = Model()
    model.starts(expires_in_s=300)
    asks(model)
    model.understands("u1", "Hello.")
    model.begins("r1")
    model.speaks("r1", "a1", 2000, "Hello!")
    effects = model.passes(4.0)
    model.ends_item("r1", "a1")
    model.ends("r1")
    effects += model.passes(176.0)
    assert of(effects, OpenLink) == [OpenLink(2)]
    assert model.is_configured(2) == []  # the caller still hears the last answer
    model.link = 1
    effects = model.is_told(NoteReply("a1", "Hello!", 2000))
    assert of(effects, CloseLink) == [CloseLink(1)]
    items = [message["item"]["content"][0]["text"] for message in mail(effects) if "item" in message]
    assert items == ["Hello.", "Hello!"]
    assert [effect.link for effect in model.hears(2)] == [2, 2]


def test_a_session_that_ends_while_another_is_ready_is_replaced_at_once():
    model = Model()
    model.starts(expires_in_s=300)
    asks(model)
    model.understands("u1", "Hello.")
    model.begins("r1")
    model.speaks("r1", "a1", 2000, "Hello!")
    while model.link == 1:
        model.passes(3.0)
        if model.link == 1:
            model.speaks("r1", "a1", 20)
    model.is_configured(2)
    effects = model.says(1, type="error", error={"code": "session_expired", "message": "60 minutes"})
    assert kinds(effects)[-1] == "response.create"
    assert {effect.link for effect in model.hears(2)} == {2}


# -- what it costs ---------------------------------------------------------------------------------------------


def test_tokens_are_counted_and_priced(model: Model):
    usage = {
        "input_token_details": {
            "text_tokens": 59,
            "audio_tokens": 73,
            "cached_tokens_details": {"text_tokens": 0, "audio_tokens": 64},
        },
        "output_token_details": {"text_tokens": 41, "audio_tokens": 147},
    }
    model.begins("r1")
    [used] = of(model.ends("r1", usage=usage), TokensUsed)
    assert used.cost_usd == pytest.approx(0.0109416)  # 59*4 + 9*32 + 64*0.40 + 41*24 + 147*64, by OpenAI's prices
    assert used.tokens["audio_in"] == 9


def test_rate_limits_are_told_as_shares(model: Model):
    limits = [{"name": "tokens", "limit": 40000, "remaining": 10000, "reset_seconds": 2}]
    assert model.says(type="rate_limits.updated", rate_limits=limits) == [
        RateLimitsTold("gpt-realtime-2.1", {"tokens": 0.25})
    ]

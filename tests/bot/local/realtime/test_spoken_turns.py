"""The order of events in a session, as OpenAI's own traces have it."""

import base64
import json

from bot.speech.links import Role, Said, Say
from media.g711 import encode_ulaw
from tests.support.realtime_client import EPOCH_S, Client, types
from tests.support.tones import speech

HOURS = [Say("We are open.", "answer"), Say("From nine to six.", "answer")]
RESPONSE = [
    "response.output_item.added",
    "conversation.item.added",
    "response.content_part.added",
    "response.output_audio_transcript.delta*",
    "response.output_audio.delta*",
    "response.output_audio.done",
    "response.output_audio_transcript.done",
    "response.content_part.done",
    "response.output_item.done",
    "conversation.item.done",
    "response.done",
    "rate_limits.updated",
]
ASKED = ["input_audio_buffer.committed", "conversation.item.added", "conversation.item.done", "response.created"]


def test_a_session_is_told_with_every_key_at_once():
    client = Client()
    session = client.created["session"]
    assert session.keys() == {
        "type", "object", "id", "model", "output_modalities", "instructions", "tools", "tool_choice",
        "max_output_tokens", "tracing", "truncation", "prompt", "expires_at", "audio", "include",
    }  # fmt: skip
    assert session["audio"]["input"]["turn_detection"] == {
        "type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 200,
        "idle_timeout_ms": None, "create_response": True, "interrupt_response": True,
    }  # fmt: skip
    assert session["expires_at"] == EPOCH_S + 3600
    assert client.created["event_id"]


def test_a_spoken_turn_is_found_understood_and_answered_in_the_documented_order():
    client = Client([HOURS], ["When do you open?"])
    client.hears(500)
    started = client.hears_speech()
    assert types(started) == ["input_audio_buffer.speech_started"]
    stopped = client.hears(600)
    assert types(stopped) == ["input_audio_buffer.speech_stopped", *ASKED]
    answered = client.works()
    assert types(answered) == [*RESPONSE[:4], "response.output_audio.delta*", *RESPONSE[5:]]
    item_id = started[0]["item_id"]
    assert [event["item_id"] for event in stopped[:2]] == [item_id, item_id]
    assert stopped[2]["item"] == {
        "id": item_id, "type": "message", "status": "completed", "role": "user",
        "content": [{"type": "input_audio", "transcript": None}],
    }  # fmt: skip
    assert answered[1]["previous_item_id"] == item_id
    assert client.histories == [(Said(Role.CALLER, "When do you open?"),)]


def test_the_words_run_ahead_of_the_sound_which_comes_in_pieces_of_a_tenth_of_a_second():
    client = Client([HOURS])
    client.hears_turn()
    answered = client.works()
    deltas = [event for event in answered if event["type"] == "response.output_audio.delta"]
    lengths_ms = [len(base64.b64decode(event["delta"])) / 8 for event in deltas]
    assert set(lengths_ms[:-1]) == {100.0}
    assert 50 < lengths_ms[-1] < 200
    assert 2000 <= sum(lengths_ms) <= 2002
    transcript = [event["delta"] for event in answered if event["type"].endswith("transcript.delta")]
    assert "".join(transcript) == "We are open. From nine to six."
    assert client.last("response.content_part.done")["part"] == {
        "type": "audio",
        "transcript": "We are open. From nine to six.",
    }


def test_times_count_the_sound_that_was_appended_whatever_the_clock_says():
    client = Client()
    client.now += 50.0
    client.hears(1000)
    [started] = client.hears_speech(800)
    stopped = client.hears(600)[0]
    assert started["audio_start_ms"] in range(700, 800)  # the padding before the first sound
    assert stopped["audio_end_ms"] in range(1900, 2150)  # the silence that ended it included


def test_a_response_says_what_it_would_have_cost():
    client = Client([HOURS])
    client.hears_turn()
    client.works()
    response = client.last("response.done")["response"]
    assert response.keys() == {
        "object", "id", "status", "status_details", "output", "conversation_id", "output_modalities",
        "max_output_tokens", "audio", "usage", "metadata",
    }  # fmt: skip
    used = response["usage"]
    assert used["output_token_details"] == {"text_tokens": 8, "audio_tokens": 41}
    assert used["input_token_details"]["audio_tokens"] > 5
    assert used["input_tokens"] == sum(used["input_token_details"][kind] for kind in ("text_tokens", "audio_tokens"))
    assert used["total_tokens"] == used["input_tokens"] + used["output_tokens"]


def test_a_client_that_wants_the_callers_words_is_told_them():
    client = Client([HOURS], ["When do you open?"], transcription={"model": "gpt-4o-mini-transcribe"})
    item_id = client.hears_turn()[0]["item_id"]
    told = client.works(1)
    assert types(told) == [
        "conversation.item.input_audio_transcription.delta*",
        "conversation.item.input_audio_transcription.completed",
    ]
    assert "".join(event["delta"] for event in told[:-1]) == told[-1]["transcript"] == "When do you open?"
    assert told[-1]["item_id"] == item_id
    assert told[-1]["usage"]["type"] == "tokens"
    assert told[-1]["usage"]["total_tokens"] == told[-1]["usage"]["input_tokens"] + told[-1]["usage"]["output_tokens"]


def test_what_was_understood_while_the_caller_paused_is_answered_without_listening_again():
    client = Client([HOURS], ["When do you open?"], turn_detection={"type": "server_vad", "silence_duration_ms": 500})
    client.hears_speech()
    client.hears(350)
    assert [type(job).__name__ for job in client.jobs] == ["Transcribe"]
    client.works()
    stopped = client.hears(300)
    assert stopped[0]["type"] == "input_audio_buffer.speech_stopped"
    assert [type(job).__name__ for job in client.jobs] == ["Think"]


def test_a_guess_is_dropped_when_the_caller_goes_on():
    client = Client(turn_detection={"type": "server_vad", "silence_duration_ms": 500})
    client.hears_speech()
    client.hears(350)
    [guess] = client.jobs
    client.hears_speech()
    assert client.cancelled == [guess.job_id]
    assert client.hears(700)[0]["type"] == "input_audio_buffer.speech_stopped"
    client.works()
    assert client.last("response.done")["response"]["status"] == "completed"


def test_a_turn_by_hand_needs_no_speech():
    client = Client([HOURS], turn_detection=None)
    assert client.hears_speech(1000) == []
    assert types(client.sends("input_audio_buffer.commit")) == ASKED[:3]
    assert client.jobs
    assert types(client.sends("response.create")) == ["response.created"]
    assert types(client.works()) == RESPONSE


def test_the_buffer_is_empty_after_a_commit_and_after_a_clear():
    client = Client(turn_detection=None)
    client.hears(40)
    client.sends("input_audio_buffer.commit", event_id="mine")
    error = client.error()
    assert (error["code"], error["event_id"]) == ("input_audio_buffer_commit_empty", "mine")
    assert error["message"].endswith("buffer only has 40.00ms of audio.")
    client.hears(200)
    client.sends("input_audio_buffer.commit")
    client.hears(200)
    assert types(client.sends("input_audio_buffer.clear")) == ["input_audio_buffer.cleared"]
    client.sends("input_audio_buffer.commit")
    assert client.error()["message"].endswith("buffer only has 0.00ms of audio.")


def test_a_long_append_is_listened_to_a_second_at_a_time():
    client = Client()
    frames = [speech(600), bytes(16 * 1400)] * 3
    sound = base64.b64encode(encode_ulaw(b"".join(frames))).decode()
    message = json.dumps({"type": "input_audio_buffer.append", "audio": sound})
    client.session.receive(message, client.now)
    slices = 1
    while client.session.is_behind:
        client.session.catch_up(client.now)
        slices += 1
    assert slices == 6
    started = [event for event in client.sends_raw(message) if event["type"].endswith("speech_started")]
    assert len(started) == 3
    assert started[0]["audio_start_ms"] in range(5600, 6000)  # 300 ms of padding before the sixth second


def test_vad_may_leave_the_answer_to_the_client():
    client = Client(turn_detection={"type": "server_vad", "create_response": False})
    assert types(client.hears_turn())[-1] == "conversation.item.done"
    client.works()
    assert types(client.sends("response.create")) == ["response.created"]


def test_semantic_vad_waits_as_its_eagerness_has_it():
    def silence_ms(eagerness: str) -> int:
        client = Client(turn_detection={"type": "semantic_vad", "eagerness": eagerness})
        client.hears_speech()
        for silence in range(0, 3000, 20):
            if client.hears(20):
                return silence
        raise AssertionError("the turn never ended")

    assert silence_ms("high") < silence_ms("medium") == silence_ms("auto") < silence_ms("low")


def test_text_alone_comes_in_text_events():
    client = Client([HOURS])
    client.sends("response.create", response={"output_modalities": ["text"]})
    assert types(client.works()) == [
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_text.delta*",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "conversation.item.done",
        "response.done",
        "rate_limits.updated",
    ]
    [item] = client.last("response.done")["response"]["output"]
    assert item["content"] == [{"type": "output_text", "text": "We are open. From nine to six."}]


def test_a_typed_turn_is_answered_like_a_spoken_one():
    client = Client([HOURS])
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "When do you open?"}]}
    assert types(client.sends("conversation.item.create", item=item)) == [
        "conversation.item.added",
        "conversation.item.done",
    ]
    client.sends("response.create")
    assert types(client.works()) == RESPONSE
    assert client.histories[-1][-1] == Said(Role.CALLER, "When do you open?")


def test_a_session_speaks_first_where_nobody_has_said_anything():
    client = Client([HOURS])
    client.sends("response.create", response={"instructions": "Greet the caller."})
    client.works()
    assert client.histories == [(Said(Role.CALLER, "Hello."),)]


def test_instructions_to_say_something_exactly_are_followed_to_the_word():
    client = Client()
    exact = "Say exactly this, word for word: Good evening. You have reached the workshop."
    client.sends("response.create", response={"instructions": exact})
    answered = client.works()
    assert client.histories == []
    assert client.last("response.output_audio_transcript.done")["transcript"] == (
        "Good evening. You have reached the workshop."
    )
    assert types(answered)[-2:] == ["response.done", "rate_limits.updated"]


def test_silence_after_an_answer_becomes_a_turn_of_its_own():
    client = Client([HOURS], turn_detection={"type": "server_vad", "idle_timeout_ms": 6000})
    client.hears_turn()
    client.works()
    assert client.passes(7.9) == []  # two seconds of answer, six of waiting
    woken = client.passes(0.2)
    assert types(woken) == ["input_audio_buffer.timeout_triggered", *ASKED]
    assert woken[0]["audio_end_ms"] > woken[0]["audio_start_ms"]
    client.works()
    assert client.histories[-1][-1] == Said(Role.CALLER, "")


def test_an_answer_is_no_longer_than_it_may_be():
    client = Client([HOURS])
    client.sends("response.create", response={"max_output_tokens": 20})
    client.works()
    response = client.last("response.done")["response"]
    assert (response["status"], response["status_details"]) == (
        "incomplete",
        {"type": "incomplete", "reason": "max_output_tokens"},
    )
    assert [item["status"] for item in response["output"]] == ["incomplete"]
    assert client.jobs == type(client.jobs)()


def test_an_engine_that_fails_ends_the_response_and_not_the_session():
    client = Client([HOURS])
    client.hears_turn()
    client.works(1)
    client.fails()
    response = client.last("response.done")["response"]
    assert response["status"] == "failed"
    assert response["status_details"]["error"]["code"] == "server_error"
    assert response["usage"]["total_tokens"] == 0
    client.hears(200)
    client.hears_turn()
    client.works()
    assert client.last("response.done")["response"]["status"] == "completed"


def test_words_that_cannot_be_found_out_fail_the_answer_that_waited_for_them():
    client = Client(transcription={"model": "whisper-1"})
    client.hears_turn()
    events = client.fails()
    assert types(events) == [
        "conversation.item.input_audio_transcription.failed",
        "response.done",
        "rate_limits.updated",
    ]
    assert events[1]["response"]["status"] == "failed"


def test_a_session_ends_after_its_time():
    client = Client(session_s=900.0)
    assert client.passes(899.0) == []
    [error] = client.passes(2.0)
    assert error["error"]["code"] == "session_expired"
    assert "15 minutes" in error["error"]["message"]
    assert client.closed is not None

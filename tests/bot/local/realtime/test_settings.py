"""session.update: a patch that is taken whole or not at all, and every wrong message told by its place."""

import json
from typing import Any

import pytest

from tests.support.realtime_client import Client, types


def session(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = client.last("session.")["session"]
    return found


def test_what_is_not_named_stays():
    client = Client()
    client.configure(instructions="Be brief.")
    client.configure(input={"transcription": {"model": "whisper-1", "language": "en"}})
    client.configure(input={"transcription": {"prompt": "Trek, Brompton"}, "turn_detection": {"threshold": 0.7}})
    settings = session(client)
    assert settings["instructions"] == "Be brief."
    heard = settings["audio"]["input"]
    assert heard["transcription"] == {"model": "whisper-1", "language": "en", "prompt": "Trek, Brompton"}
    assert heard["turn_detection"] == {
        "type": "server_vad", "threshold": 0.7, "prefix_padding_ms": 300, "silence_duration_ms": 200,
        "idle_timeout_ms": None, "create_response": True, "interrupt_response": True,
    }  # fmt: skip
    assert heard["format"] == {"type": "audio/pcmu"}
    client.configure(input={"turn_detection": {"type": "semantic_vad"}})
    assert session(client)["audio"]["input"]["turn_detection"] == {
        "type": "semantic_vad", "eagerness": "auto", "create_response": True, "interrupt_response": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("patch", "code", "param"),
    [
        ({"voice": "marin"}, "unknown_parameter", "session.voice"),
        ({"audio": {"input": {"vad": {}}}}, "unknown_parameter", "session.audio.input.vad"),
        ({"audio": {"output": {"voice": "nobody"}}}, "invalid_value", "session.audio.output.voice"),
        ({"audio": {"output": {"speed": 3}}}, "invalid_value", "session.audio.output.speed"),
        ({"audio": {"input": {"format": {"type": "audio/opus"}}}}, "invalid_value", "session.audio.input.format.type"),
        ({"audio": {"input": {"format": {"type": "audio/pcm", "rate": 16000}}}}, "invalid_value",
         "session.audio.input.format.rate"),
        ({"audio": {"input": {"turn_detection": {"type": "server_vad", "threshold": 2}}}}, "invalid_value",
         "session.audio.input.turn_detection.threshold"),
        ({"audio": {"input": {"turn_detection": {"type": "semantic_vad", "threshold": 0.5}}}}, "unknown_parameter",
         "session.audio.input.turn_detection.threshold"),
        ({"audio": {"input": {"transcription": {"model": "gpt-live-transcribe"}}}}, "invalid_value",
         "session.audio.input.turn_detection"),
        ({"output_modalities": ["audio", "text"]}, "invalid_value", "session.output_modalities"),
        ({"max_output_tokens": 5000}, "invalid_value", "session.max_output_tokens"),
        ({"instructions": 7}, "invalid_type", "session.instructions"),
        ({"temperature": 0.8}, "unknown_parameter", "session.temperature"),
        ({"model": "gpt-realtime"}, "unknown_parameter", "session.model"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "missing_required_parameter",
         "session.tools[0].name"),
        ({"tools": [{"type": "mcp"}]}, "invalid_value", "session.tools[0].type"),
        ({"tool_choice": "always"}, "invalid_value", "session.tool_choice"),
    ],
)  # fmt: skip
def test_one_bad_value_and_nothing_changes(patch: dict[str, Any], code: str, param: str):
    client = Client()
    before = session(client)
    changes = {"type": "realtime", "instructions": "New.", "tools": [{"type": "function", "name": "f"}], **patch}
    client.sends("session.update", event_id="cfg", session=changes)
    error = client.error()
    assert (error["type"], error["code"], error["param"], error["event_id"]) == (
        "invalid_request_error", code, param, "cfg",
    )  # fmt: skip
    client.configure()
    assert session(client) == before


def test_the_type_must_be_said_each_time():
    client = Client()
    client.sends("session.update", session={"instructions": "New."})
    assert client.error()["message"] == "Missing required parameter: 'session.type'."
    client.sends("session.update", session={"type": "transcription"})
    assert client.error()["code"] == "invalid_value"


def test_a_session_given_back_as_it_came_is_taken():
    client = Client()
    client.sends("session.update", session=session(client))
    assert client.events[-1]["type"] == "session.updated"


def test_a_voice_stays_once_it_was_heard():
    client = Client()
    client.configure(output={"voice": "cedar"})
    client.hears_turn()
    client.works()
    client.configure(output={"voice": "marin"}, instructions="New.")
    assert client.error()["code"] == "cannot_update_voice"
    client.configure(output={"voice": "cedar"}, instructions="New.")
    assert session(client)["instructions"] == "New."
    client.sends("response.create", response={"audio": {"output": {"voice": "marin"}}})
    assert client.error()["code"] == "cannot_update_voice"


def test_voices_are_openais_our_own_and_those_by_id():
    client = Client()
    for voice in ("marin", "own", {"id": "voice_1"}):
        client.configure(output={"voice": voice})
        assert session(client)["audio"]["output"]["voice"] == voice


@pytest.mark.parametrize("kind", ["audio/pcm", "audio/pcmu", "audio/pcma"])
def test_a_turn_in_every_format(kind: str):
    form = {"type": kind, "rate": 24000} if kind == "audio/pcm" else {"type": kind}
    client = Client()
    client.configure(input={"format": form}, output={"format": form})
    client.hears(300)
    assert types(client.hears_turn())[:2] == ["input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped"]
    client.works()
    response = client.last("response.done")["response"]
    assert response["status"] == "completed"
    assert response["audio"]["output"]["format"] == form


@pytest.mark.parametrize(
    ("message", "code", "param"),
    [
        ("{", "invalid_json", None),
        (b"\xff\xfe", "invalid_json", None),
        ("[]", "invalid_event", None),
        ("{}", "missing_required_parameter", "type"),
        ('{"type": 5}', "missing_required_parameter", "type"),
        ('{"type": "session.destroy"}', "invalid_value", "type"),
        ('{"type": "input_audio_buffer.append"}', "missing_required_parameter", "audio"),
        ('{"type": "input_audio_buffer.append", "audio": "@@@"}', "invalid_value", "audio"),
        ('{"type": "input_audio_buffer.append", "audio": 5}', "invalid_type", "audio"),
        ('{"type": "response.create", "response": {"input": [{"type": "poem"}]}}', "invalid_value",
         "response.input[0].type"),
        ('{"type": "response.create", "response": {"metadata": {"a": 1}}}', "invalid_type", "response.metadata.a"),
        ('{"type": "response.cancel", "id": "resp_1"}', "unknown_parameter", "id"),
        ('{"type": "output_audio_buffer.clear"}', "invalid_value", "type"),
    ],
)  # fmt: skip
def test_a_wrong_message_leaves_the_session_as_it_is(message: str | bytes, code: str, param: str | None):
    client = Client()
    client.sends_raw(message)
    assert (client.error()["code"], client.error()["param"]) == (code, param)
    client.hears_turn()
    client.works()
    assert client.last("response.done")["response"]["status"] == "completed"


def test_the_buffer_of_a_client_that_never_commits_is_bounded():
    client = Client(turn_detection=None)
    minute = json.dumps({"type": "input_audio_buffer.append", "audio": "//8" + "/" * (4 * 160_000 - 3)})
    for _ in range(11):
        client.sends_raw(minute)
    assert client.events[-1]["type"] == "error"
    assert client.error()["code"] == "input_audio_buffer_full"
    assert types(client.sends("input_audio_buffer.commit"))[0] == "input_audio_buffer.committed"


def test_a_session_that_only_listens():
    client = Client(kind="transcription", words=["When do you open?"])
    assert client.created["session"].keys() == {"type", "object", "id", "expires_at", "audio", "include"}
    client.configure(input={"transcription": {"model": "whisper-1"}})
    client.hears(300)
    assert types(client.hears_turn()) == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
    ]
    *deltas, completed = client.works()
    assert [event["delta"] for event in deltas] == ["When do you open?"]
    assert completed["transcript"] == "When do you open?"
    assert completed["usage"]["type"] == "duration"
    client.sends("response.create")
    assert client.events[-1]["type"] == "error"

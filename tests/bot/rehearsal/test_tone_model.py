"""The stand-in model over loopback: spoken turns, interruptions, the official SDK, and every fault it can be given."""

import asyncio
import json
import time
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType
from openai import AsyncOpenAI
from openai.types.realtime.realtime_server_event import RealtimeServerEvent
from pydantic import TypeAdapter

from bot.rehearsal.tone_model import ToneModel
from bot.rehearsal.tone_script import Complain, Exhaust, Fail, Faults, FunctionCall, Pause, Stall, Tone, Words
from bot.rehearsal.tone_session import Manner
from media.frame import L16_24K, PCMA_8K, PCMU_8K, AudioFormat, Encoding
from media.g711 import encode_alaw, encode_ulaw
from media.level import tone

LOUD, QUIET = encode_ulaw(tone(300, 20, 8000, ramp_ms=0)), b"\xff" * 160
PCMU = {"audio": {"input": {"format": {"type": "audio/pcmu"}}, "output": {"format": {"type": "audio/pcmu"}}}}
_server_event: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)


class Client:
    """A plain client; every event it gets must be one that the official SDK's types know, to the last field."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.seen: list[dict[str, Any]] = []

    async def send(self, kind: str, **fields: Any) -> None:
        await self.socket.send_json({"type": kind, **fields})

    async def configure(self, **session: Any) -> dict[str, Any]:
        await self.send("session.update", session={"type": "realtime", **PCMU, **session})
        return (await self.until("session.updated"))["session"]

    async def append(self, *payloads: bytes) -> None:
        for payload in payloads:
            await self.send("input_audio_buffer.append", audio=b64encode(payload).decode())

    async def speak(self, frames: int = 10, quiet_frames: int = 15) -> None:
        await self.append(*[LOUD] * frames, *[QUIET] * quiet_frames)

    async def receive(self) -> dict[str, Any]:
        message = await self.socket.receive()
        if message.type is not WSMsgType.TEXT:
            raise ConnectionError(f"{message.type.name} {message.data}")
        event = json.loads(message.data)
        assert _server_event.validate_json(message.data).type == event["type"]
        self.seen.append(event)
        return event

    async def until(self, kind: str) -> dict[str, Any]:
        while (event := await self.receive())["type"] != kind:
            pass
        return event

    def kinds(self) -> list[str]:
        """The types of all events so far; those that follow each other only once."""
        types = [event["type"] for event in self.seen]
        return [kind for before, kind in zip([None, *types], types, strict=False) if kind != before]

    def sound(self) -> bytes:
        deltas = [event["delta"] for event in self.seen if event["type"] == "response.output_audio.delta"]
        return b"".join(b64decode(delta) for delta in deltas)


@asynccontextmanager
async def talking_to(model: ToneModel, **headers: str) -> AsyncIterator[Client]:
    url = f"{model.base_url}/realtime?model=gpt-tone"
    async with aiohttp.ClientSession() as http, http.ws_connect(url, headers=headers) as socket:
        yield Client(socket)


async def test_a_session_begins_with_all_its_keys_and_keeps_what_an_update_leaves_out():
    async with ToneModel() as model, talking_to(model) as client:
        created = (await client.receive())["session"]
        assert (created["model"], created["audio"]["input"]["format"]) == (
            "gpt-tone",
            {"type": "audio/pcm", "rate": 24000},
        )
        assert 3590 < created["expires_at"] - time.time() < 3610
        changed = await client.configure(instructions="Be a tone.")
        assert changed["audio"]["output"] == {"format": {"type": "audio/pcmu"}, "voice": "marin", "speed": 1.0}
        assert changed["audio"]["input"]["turn_detection"]["silence_duration_ms"] == 200
        assert changed.keys() == created.keys()
        assert model.sessions[0].updates == [{"type": "realtime", **PCMU, "instructions": "Be a tone."}]


async def test_an_update_with_one_bad_key_changes_nothing():
    async with ToneModel() as model, talking_to(model) as client:
        update = {"type": "realtime", "instructions": "Forgotten.", "voice": "marin"}
        await client.send("session.update", session=update, event_id="mine")
        error = (await client.until("error"))["error"]
        assert (error["code"], error["param"], error["event_id"]) == ("unknown_parameter", "session.voice", "mine")
        assert model.sessions[0].settings["instructions"] != "Forgotten."


@pytest.mark.parametrize(
    ("session", "code"),
    [
        ({}, "missing_required_parameter"),
        ({"type": "transcription"}, "invalid_value"),
        ({"type": "realtime", "output_modalities": ["audio", "text"]}, "invalid_value"),
        ({"type": "realtime", "audio": {"input": {"format": {"type": "audio/opus"}}}}, "invalid_value"),
        ({"type": "realtime", "audio": {"input": {"turn_detection": {"type": "psychic"}}}}, "invalid_value"),
        ({"type": "realtime", "audio": {"output": {"pitch": 2}}}, "unknown_parameter"),
    ],
)
async def test_settings_that_the_service_does_not_know_are_refused(session: dict[str, Any], code: str):
    async with ToneModel() as model, talking_to(model) as client:
        await client.send("session.update", session=session)
        assert (await client.until("error"))["error"]["code"] == code


async def test_a_voice_cannot_change_once_it_has_spoken():
    async with ToneModel() as model, talking_to(model) as client:
        await client.send("response.create")
        await client.until("response.done")
        await client.send("session.update", session={"type": "realtime", "audio": {"output": {"voice": "cedar"}}})
        assert (await client.until("error"))["error"]["code"] == "cannot_update_voice"


async def test_a_spoken_turn_has_the_order_of_the_real_service():
    async with ToneModel(script=[Tone(500, 440)]) as model, talking_to(model) as client:
        await client.configure()
        await client.append(*[QUIET] * 20)
        await client.speak()
        done = await client.until("response.done")
        await client.until("rate_limits.updated")
        assert client.kinds() == [
            "session.created",
            "session.updated",
            "input_audio_buffer.speech_started",
            "input_audio_buffer.speech_stopped",
            "input_audio_buffer.committed",
            "conversation.item.added",
            "conversation.item.done",
            "response.created",
            "response.output_item.added",
            "conversation.item.added",
            "response.content_part.added",
            "response.output_audio_transcript.delta",
            "response.output_audio.delta",
            "response.output_audio_transcript.delta",
            "response.output_audio.delta",
            "response.output_audio.done",
            "response.output_audio_transcript.done",
            "response.content_part.done",
            "response.output_item.done",
            "conversation.item.done",
            "response.done",
            "rate_limits.updated",
        ]
        assert client.sound() == encode_ulaw(tone(440, 500, 8000))
        content = done["response"]["output"][0]["content"]
        assert content == [{"type": "output_audio", "transcript": "tone 440 hertz for 500 milliseconds"}]
        assert done["response"]["usage"]["output_token_details"]["audio_tokens"] == 10


async def test_speech_starts_with_the_first_loud_frame_and_ends_after_the_silence():
    async with ToneModel(manner=Manner(silence_ms=100)) as model, talking_to(model) as client:
        await client.configure()
        await client.append(*[QUIET] * 20, LOUD)
        started = await client.until("input_audio_buffer.speech_started")
        assert started["audio_start_ms"] == 400 - 300  # less the padding, as the service counts
        await client.append(*[QUIET] * 5)
        stopped = await client.until("input_audio_buffer.speech_stopped")
        assert (stopped["audio_end_ms"], stopped["item_id"]) == (520, started["item_id"])
        session = model.sessions[0]
        assert ([frame.position_ms for frame in session.loud], session.appended_ms) == ([400], 520)


async def test_a_model_without_a_mind_of_its_own_waits_as_long_as_the_session_asks():
    detection = {"type": "server_vad", "silence_duration_ms": 400}
    audio = {"input": {"format": {"type": "audio/pcmu"}, "turn_detection": detection}}
    async with ToneModel(manner=Manner(silence_ms=None)) as model, talking_to(model) as client:
        await client.configure(audio=audio)
        await client.speak(frames=5, quiet_frames=40)
        stopped = await client.until("input_audio_buffer.speech_stopped")
        assert stopped["audio_end_ms"] == 500


@pytest.mark.parametrize(
    ("name", "audio_format", "encode"),
    [("audio/pcm", L16_24K, bytes), ("audio/pcmu", PCMU_8K, encode_ulaw), ("audio/pcma", PCMA_8K, encode_alaw)],
)
async def test_every_format_is_heard_and_spoken(name: str, audio_format: AudioFormat, encode: Any):
    rate = {"rate": 24000} if audio_format.encoding is Encoding.L16 else {}
    side = {"format": {"type": name, **rate}}
    async with ToneModel(script=[Tone(400, 500)]) as model, talking_to(model) as client:
        await client.configure(audio={"input": side, "output": side})
        await client.append(encode(tone(300, 100, audio_format.rate_hz)), audio_format.silence(300))
        await client.until("response.done")
        assert client.sound() == encode(tone(500, 400, audio_format.rate_hz))


async def test_several_sounds_and_calls_of_one_response_are_items_of_their_own():
    answer = [Tone(200, 440), Pause(10), Tone(300, 660), FunctionCall("lookup_fact", {"question": "when"}, "call_7")]
    async with ToneModel(script=[answer]) as model, talking_to(model) as client:
        await client.configure()
        await client.speak()
        output = (await client.until("response.done"))["response"]["output"]
        assert [item["type"] for item in output] == ["message", "message", "function_call"]
        assert (output[2]["call_id"], output[2]["arguments"]) == ("call_7", '{"question":"when"}')
        assert model.sessions[0].replies[0].item_ids == [item["id"] for item in output]


async def test_a_text_is_answered_without_sound():
    async with ToneModel(script=[Words("In writing.")]) as model, talking_to(model) as client:
        await client.send("response.create")
        assert (await client.until("response.output_text.done"))["text"] == "In writing."
        await client.until("response.done")
        assert client.sound() == b""


async def test_an_interruption_cancels_what_is_still_being_said():
    async with ToneModel(script=[Tone(4000)], manner=Manner(pace=4)) as model, talking_to(model) as client:
        await client.configure()
        await client.speak()
        await client.until("response.output_audio.delta")
        await client.append(LOUD)
        done = (await client.until("response.done"))["response"]
        assert (done["status"], done["status_details"]["reason"]) == ("cancelled", "turn_detected")
        assert done["output"][0]["status"] == "incomplete"
        closing = client.kinds()[-7:]
        assert (closing[0], closing[-1]) == ("input_audio_buffer.speech_started", "response.done")
        assert len(client.sound()) < 4000 * 8
        assert model.sessions[0].replies[0].status == "cancelled"


async def test_pace_is_kept():
    async with ToneModel(script=[Tone(1000)], manner=Manner(pace=10)) as model, talking_to(model) as client:
        await client.send("response.create")
        await client.until("response.created")
        began = time.monotonic()
        await client.until("response.done")
        assert time.monotonic() - began >= 0.075


async def test_speech_that_may_not_interrupt_leaves_the_response_alone():
    detection = {"type": "server_vad", "interrupt_response": False}
    audio = PCMU["audio"] | {"input": {"format": {"type": "audio/pcmu"}, "turn_detection": detection}}
    async with ToneModel(script=[Tone(600)], manner=Manner(pace=10)) as model, talking_to(model) as client:
        await client.configure(audio=audio)
        await client.send("response.create")
        await client.until("response.output_audio.delta")
        await client.speak(frames=2)
        error = (await client.until("error"))["error"]
        assert error["code"] == "conversation_already_has_active_response"
        assert (await client.until("response.done"))["response"]["status"] == "completed"


async def test_turns_by_hand_are_committed_and_asked_for():
    audio = {"input": {"format": {"type": "audio/pcmu"}, "turn_detection": None}}
    async with ToneModel() as model, talking_to(model) as client:
        await client.configure(audio=audio)
        await client.speak()
        await client.send("input_audio_buffer.commit")
        committed = await client.until("input_audio_buffer.committed")
        await client.send("response.create", response={"instructions": "Greet.", "metadata": {"why": "greeting"}})
        done = await client.until("response.done")
        assert "input_audio_buffer.speech_started" not in client.kinds()
        assert committed["item_id"] != done["response"]["output"][0]["id"]
        assert done["response"]["metadata"] == {"why": "greeting"}
        assert model.sessions[0].sent("response.create")[0]["response"]["instructions"] == "Greet."


async def test_an_empty_buffer_cannot_be_committed():
    async with ToneModel() as model, talking_to(model) as client:
        await client.configure()
        await client.append(*[QUIET] * 10)
        await client.send("input_audio_buffer.clear")
        await client.append(*[QUIET] * 4)
        await client.send("input_audio_buffer.commit")
        error = (await client.until("error"))["error"]
        assert error["code"] == "input_audio_buffer_commit_empty"
        assert "only has 80.00ms" in error["message"]


async def test_a_response_is_cancelled_on_request_and_only_if_there_is_one():
    async with ToneModel(script=[(Tone(200), Stall())]) as model, talking_to(model) as client:
        await client.send("response.create")
        await client.until("response.output_item.done")
        await client.send("response.cancel")
        details = (await client.until("response.done"))["response"]["status_details"]
        assert details == {"type": "cancelled", "reason": "client_cancelled"}
        await client.send("response.cancel")
        assert (await client.until("error"))["error"]["code"] == "response_cancel_not_active"


async def test_items_stand_where_they_were_put():
    async with ToneModel() as model, talking_to(model) as client:
        message = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello"}]}
        await client.send("conversation.item.create", item={**message, "id": "first"})
        assert (await client.until("conversation.item.done"))["previous_item_id"] is None
        await client.send("conversation.item.create", item={**message, "id": "second"})
        assert (await client.until("conversation.item.done"))["previous_item_id"] == "first"
        await client.send("conversation.item.create", item={**message, "id": "between"}, previous_item_id="first")
        assert (await client.until("conversation.item.done"))["previous_item_id"] == "first"
        await client.send("conversation.item.create", item=message, previous_item_id="nowhere")
        assert (await client.until("error"))["error"]["code"] == "item_create_invalid_item_id"
        await client.send("conversation.item.delete", item_id="first")
        await client.until("conversation.item.deleted")
        await client.send("conversation.item.create", item={**message, "id": "head"}, previous_item_id="root")
        assert (await client.until("conversation.item.done"))["previous_item_id"] is None
        assert [item.get("id") for item in model.sessions[0].items] == ["first", "second", "between", None, "head"]


async def test_a_truncation_is_noted_and_one_behind_the_sound_is_refused():
    async with ToneModel(script=[Tone(1600)]) as model, talking_to(model) as client:
        await client.send("response.create")
        item_id = (await client.until("response.done"))["response"]["output"][0]["id"]
        await client.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=3200)
        error = (await client.until("error"))["error"]
        assert error["message"] == "Audio content of 1600ms is already shorter than 3200ms"
        await client.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=700)
        assert (await client.until("conversation.item.truncated"))["audio_end_ms"] == 700
        await client.send("conversation.item.truncate", item_id="nothing", content_index=0, audio_end_ms=700)
        assert (await client.until("error"))["error"]["code"] == "item_truncate_invalid_item_id"
        noted = model.sessions[0].truncations
        assert [(cut.audio_end_ms, cut.generated_ms, cut.is_refused) for cut in noted] == [
            (3200, 1600, True),
            (700, 1600, False),
            (700, None, True),
        ]


async def test_what_was_said_is_written_down_where_the_session_wants_it():
    audio = {"input": {"format": {"type": "audio/pcmu"}, "transcription": {"model": "tones"}}}
    manner = Manner(utterances=["When are you open?"], transcription_ms=20)
    async with ToneModel(manner=manner) as model, talking_to(model) as client:
        await client.configure(audio=audio)
        await client.speak()
        told = await client.until("conversation.item.input_audio_transcription.completed")
        assert told["transcript"] == "When are you open?"
        assert "response.done" in client.kinds()  # it came late, as it does


async def test_the_official_client_holds_a_spoken_turn():
    async with ToneModel(script=[Tone(1000, 500, "It is five.")]) as model:
        client = AsyncOpenAI(api_key="sk-tones", base_url=model.base_url)
        async with client.realtime.connect(model="gpt-tone") as connection:
            await connection.session.update(session={"type": "realtime", "instructions": "Say a tone."})
            sound, transcript = tone(300, 300, 24000) + bytes(24000), ""
            await connection.input_audio_buffer.append(audio=b64encode(sound).decode())
            async for event in connection:
                if event.type == "response.output_audio_transcript.delta":
                    transcript += event.delta
                if event.type == "response.done":
                    break
            assert transcript == "It is five."
            assert event.response.usage.output_tokens == 20 + 3
            item_id = event.response.output[0].id
            await connection.conversation.item.truncate(item_id=item_id, content_index=0, audio_end_ms=400)
            async for event in connection:
                if event.type == "conversation.item.truncated":
                    break
        assert model.authorizations == ["Bearer sk-tones"]
        assert model.sessions[0].truncations[0].audio_end_ms == 400
        assert model.upgrades == [("/v1/realtime?model=gpt-tone", 101)]


# -- what goes wrong -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [401, 404, 503])
async def test_upgrades_are_refused_as_often_as_asked_and_then_accepted(status: int):
    async with ToneModel(faults=[Faults(status=status), Faults(status=status)]) as model:
        for _ in range(2):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
                async with talking_to(model):
                    pass
            assert refusal.value.status == status
        async with talking_to(model) as client:
            await client.until("session.created")
        assert [answer for _, answer in model.upgrades] == [status, status, 101]


async def test_a_wrong_key_is_told_after_the_upgrade_and_closes_with_3000():
    async with ToneModel(faults=Faults(has_bad_key=True)) as model, talking_to(model) as client:
        assert (await client.receive())["error"]["code"] == "invalid_api_key"
        closing = await client.socket.receive()
        assert (closing.type, closing.data, closing.extra) == (
            WSMsgType.CLOSE,
            3000,
            "invalid_request_error.invalid_api_key",
        )


async def test_a_mute_model_says_nothing_and_reads_on():
    async with ToneModel(faults=Faults(is_mute=True)) as model, talking_to(model) as client:
        await client.send("session.update", session={"type": "realtime"})
        await client.socket.ping()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.receive(), 0.05)


async def test_a_refused_update_says_so():
    async with ToneModel(faults=Faults(update_error="invalid_value")) as model, talking_to(model) as client:
        await client.send("session.update", session={"type": "realtime"})
        assert (await client.until("error"))["error"]["code"] == "invalid_value"


async def test_a_model_that_never_answers_still_hears():
    async with ToneModel(faults=Faults(never_answers=True)) as model, talking_to(model) as client:
        await client.configure()
        await client.speak()
        await client.until("conversation.item.done")
        model.sessions[0].faults.never_answers = False
        await client.send("response.create")
        assert (await client.until("response.done"))["response"]["status"] == "completed"
        assert len(model.sessions[0].replies) == 1


async def test_a_slow_model_begins_at_once_and_speaks_late():
    async with ToneModel(faults=Faults(delay_ms=80)) as model, talking_to(model) as client:
        await client.send("response.create")
        await client.until("response.created")
        began = time.monotonic()
        await client.until("response.output_audio.delta")
        assert time.monotonic() - began >= 0.075


async def test_the_connection_is_cut_in_the_middle_of_a_reply():
    faults = [Faults(cut_after_ms=600)]
    async with ToneModel(faults=faults, manner=Manner(pace=20)) as model, talking_to(model) as client:
        await client.send("response.create")
        with pytest.raises(ConnectionError):
            await client.until("response.done")
        assert len(client.sound()) <= 600 * 48
        assert client.socket.close_code == 1006
        await asyncio.wait_for((await model.connection()).ended.wait(), 1)
        async with talking_to(model) as second:
            await second.send("response.create")
            await second.until("response.done")


async def test_a_test_cuts_and_closes_a_connection_when_it_wants_to():
    async with ToneModel() as model:
        async with talking_to(model) as client:
            await client.until("session.created")
            (await model.connection(0)).cut()
            with pytest.raises(ConnectionError):
                await client.receive()
        async with talking_to(model) as client:
            await client.until("session.created")
            closing = asyncio.create_task((await model.connection(1)).close(1011, "out of tones"))
            assert (await client.socket.receive()).data == 1011
            await closing


async def test_a_model_that_stops_reading_leaves_the_connection_open():
    async with ToneModel(faults=Faults(stops_reading_after_ms=100)) as model, talking_to(model) as client:
        await client.configure()
        await client.append(*[QUIET] * 5)
        connection = await model.connection()
        await connection.until(lambda session: session.appended_ms >= 100)
        await client.append(*[QUIET] * 5)
        await client.socket.ping()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.receive(), 0.05)
        assert connection.session.appended_ms == 100
        assert not connection.ended.is_set()


async def test_a_session_expires_when_it_said_it_would():
    async with ToneModel(faults=Faults(expires_in_s=0.1)) as model, talking_to(model) as client:
        session = (await client.until("session.created"))["session"]
        assert abs(session["expires_at"] - time.time()) < 1.5
        assert (await client.until("error"))["error"]["code"] == "session_expired"
        assert (await client.socket.receive()).type is WSMsgType.CLOSE


@pytest.mark.parametrize("code", ["insufficient_quota", "rate_limit_exceeded", "server_error"])
async def test_a_response_fails_as_it_is_told_to(code: str):
    async with ToneModel(script=[Fail(code, kind="server_error")]) as model, talking_to(model) as client:
        await client.send("response.create")
        response = (await client.until("response.done"))["response"]
        assert (response["status"], response["status_details"]["error"]["code"]) == ("failed", code)
        assert response["usage"]["total_tokens"] == 0


async def test_a_response_runs_out_of_tokens():
    async with ToneModel(script=[(Tone(400), Exhaust())]) as model, talking_to(model) as client:
        await client.send("response.create")
        response = (await client.until("response.done"))["response"]
        assert response["status_details"] == {"type": "incomplete", "reason": "max_output_tokens"}


async def test_errors_come_in_the_middle_of_a_response_or_out_of_the_blue():
    async with ToneModel(script=[(Complain(None, "Harmless."), Tone(200))]) as model, talking_to(model) as client:
        await client.send("response.create")
        assert (await client.until("error"))["error"]["message"] == "Harmless."
        await client.until("response.done")
        await (await model.connection()).complain("server_error", kind="server_error")
        assert (await client.until("error"))["error"]["code"] == "server_error"


async def test_each_session_has_its_own_script():
    async with ToneModel(script=lambda number: [Tone(200, 400 + 100 * number)]) as model:
        for hz in (400, 500):
            async with talking_to(model) as client:
                await client.configure()
                await client.send("response.create")
                await client.until("response.done")
                assert client.sound() == encode_ulaw(tone(hz, 200, 8000))


@pytest.mark.parametrize(
    "message",
    [
        "{",
        '{"type":"input_audio_buffer.append","audio":"!"}',
        '{"type":"dance"}',
        '{"type":"conversation.item.delete"}',
    ],
)
async def test_what_is_no_event_gets_an_error_and_ends_nothing(message: str):
    async with ToneModel() as model, talking_to(model) as client:
        await client.socket.send_str(message)
        await client.until("error")
        await client.configure()


async def test_waiting_for_what_can_no_longer_come_true_ends_with_the_connection():
    async with ToneModel() as model, talking_to(model) as client:
        await client.until("session.created")
        connection = await model.connection()
        waiting = asyncio.create_task(connection.until(lambda session: session.updates))
        await client.socket.close()
        with pytest.raises(ConnectionError):
            await waiting

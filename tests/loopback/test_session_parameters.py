"""What a Realtime session may be told, model by model: OpenAI's client sends it, the local server takes or refuses it.

The tables are those of OpenAI's documentation (November 2026), written down once more here and not taken from the code.
The server has tones for engines, since nothing is said; that it took a setting is seen in the session it sends back.
"""

import itertools
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
import pytest_asyncio
from openai.resources.realtime.realtime import AsyncRealtimeConnection

from bot.config import BotConfig, ChainedConfig
from bot.local.serving import serving
from bot.speech.requests import LiveTranscriptionRequest, live_transcription_problem

pytestmark = pytest.mark.asyncio(loop_scope="module")

TONES = BotConfig(name="tones", chained=ChainedConfig(transcriber="tones", responder="tones", speaker="tones"))
DETECTIONS: list[dict[str, Any] | None] = [
    None,
    {"type": "server_vad", "threshold": 0.6, "prefix_padding_ms": 200, "silence_duration_ms": 400},
    {"type": "semantic_vad", "eagerness": "high"},
]
STREAMING = {"gpt-live-transcribe", "gpt-realtime-whisper"}  # they have no turn detection
LISTED = {"gpt-transcribe", "gpt-live-transcribe"}
MODELS = {
    "whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe", "gpt-4o-mini-transcribe-2025-12-15", *LISTED,
    *STREAMING,
}  # fmt: skip
STEERING: dict[str, tuple[Any, set[str]]] = {  # a value, and the models that take it
    "language": ("en", MODELS - LISTED),
    "languages": (["en", "fr"], LISTED),
    "keywords": (["Offhook"], LISTED),
    "prompt": ("Offhook, Brooklyn.", MODELS - {"gpt-realtime-whisper"}),
    "delay": ("low", {"gpt-realtime-whisper"}),
}
REASONING = {"gpt-realtime-2.1", "gpt-realtime-2.1-mini", "gpt-realtime-2"}
VOICES = {"alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client() -> AsyncIterator[openai.AsyncOpenAI]:
    async with serving(TONES) as url, openai.AsyncOpenAI(base_url=url, api_key="any", max_retries=0) as connected:
        yield connected


async def update(connection: AsyncRealtimeConnection, **session: Any) -> Any:
    """The session as it then is, or the error."""
    await connection.session.update(session=session)  # type: ignore[arg-type]
    while True:
        event: Any = await connection.recv()
        if event.type == "session.updated":
            return event.session
        if event.type == "error":
            return event.error


async def listen(connection: AsyncRealtimeConnection, detection: dict[str, Any] | None, **how: Any) -> Any:
    heard = {"transcription": how, "turn_detection": detection}
    return await update(connection, type="transcription", audio={"input": heard})


@pytest.mark.parametrize("model", sorted(MODELS))
async def test_a_transcription_model_takes_its_settings_and_no_others(client: openai.AsyncOpenAI, model: str):
    async with client.realtime.connect(extra_query={"intent": "transcription"}) as connection:
        for detection, (name, (value, takers)) in itertools.product(DETECTIONS, STEERING.items()):
            await listen(connection, None, model="whisper-1")  # another model, so that nothing is left of the last try
            answer = await listen(connection, detection, model=model, **{name: value})
            problem = live_transcription_problem(
                LiveTranscriptionRequest(model=model, has_turn_detection=detection is not None, **{name: value})
            )
            wrong = {name} - ({name} if model in takers else set())
            if detection is not None and model in STREAMING:
                wrong.add("turn_detection")
            if not wrong:
                assert problem is None, (model, name)
                heard = answer.audio.input
                assert getattr(heard.transcription, name) == value
                assert heard.transcription.model == model
                assert (heard.turn_detection is None) == (detection is None)
                continue
            assert problem is not None, (model, name)
            assert problem.param in wrong
            assert answer.param.split(".")[-1] == problem.param
            assert answer.message == problem.message
            assert model in answer.message


@pytest.mark.parametrize("model", ["gpt-4o-transcribe-diarize", "gpt-realtime-2.1", "tts-1", "whisper-9000"])
async def test_other_models_do_not_listen_to_live_sound(client: openai.AsyncOpenAI, model: str):
    async with client.realtime.connect(extra_query={"intent": "transcription"}) as connection:
        error = await listen(connection, None, model=model)
        assert error.param == "session.audio.input.transcription.model"
        assert "'gpt-live-transcribe'" in error.message


@pytest.mark.parametrize("delay", ["minimal", "low", "medium", "high", "xhigh", "eternal"])
async def test_delay_has_five_values(client: openai.AsyncOpenAI, delay: str):
    async with client.realtime.connect(extra_query={"intent": "transcription"}) as connection:
        answer = await listen(connection, None, model="gpt-realtime-whisper", delay=delay)
        problem = live_transcription_problem(LiveTranscriptionRequest("gpt-realtime-whisper", delay=delay))
        if delay == "eternal":
            assert (answer.param, problem and problem.param) == ("session.audio.input.transcription.delay", "delay")
        else:
            assert (answer.audio.input.transcription.delay, problem) == (delay, None)


@pytest.mark.parametrize("model", [*sorted(REASONING), "gpt-realtime-1.5", "gpt-realtime", "gpt-realtime-mini"])
async def test_reasoning_is_for_reasoning_models(client: openai.AsyncOpenAI, model: str):
    async with client.realtime.connect(model=model) as connection:
        for name, value in (("reasoning", {"effort": "low"}), ("parallel_tool_calls", False)):
            answer = await update(connection, type="realtime", instructions="Be brief.", **{name: value})
            if model in REASONING:
                assert answer.instructions == "Be brief."
            else:
                assert answer.param == f"session.{name}"
                assert model in answer.message


async def test_realtime_has_ten_voices_and_those_by_id(client: openai.AsyncOpenAI):
    async with client.realtime.connect(model="gpt-realtime-2.1") as connection:
        for voice in [*sorted(VOICES), "fable", "nova", "onyx"]:
            answer = await update(connection, type="realtime", audio={"output": {"voice": voice}})
            if voice in ("fable", "nova", "onyx"):
                assert answer.param == "session.audio.output.voice"
            else:
                assert answer.audio.output.voice == voice
        answer = await update(connection, type="realtime", audio={"output": {"voice": {"id": "voice_123"}}})
        assert answer.audio.output.voice.id == "voice_123"


@pytest.mark.parametrize(
    ("session", "param"),
    [
        ({"output_modalities": ["audio", "text"]}, "session.output_modalities"),
        ({"max_output_tokens": 4097}, "session.max_output_tokens"),
        ({"temperature": 0.8}, "session.temperature"),
        ({"audio": {"output": {"speed": 1.6}}}, "session.audio.output.speed"),
        ({"audio": {"input": {"turn_detection": {"type": "semantic_vad", "threshold": 0.5}}}},
         "session.audio.input.turn_detection.threshold"),
        ({"audio": {"input": {"turn_detection": {"type": "server_vad", "idle_timeout_ms": 4000}}}},
         "session.audio.input.turn_detection.idle_timeout_ms"),
        ({"audio": {"input": {"turn_detection": {"type": "server_vad", "eagerness": "low"}}}},
         "session.audio.input.turn_detection.eagerness"),
        ({"audio": {"input": {"noise_reduction": {"type": "no_field"}}}}, "session.audio.input.noise_reduction.type"),
        ({"include": ["logprobs"]}, "session.include[0]"),
    ],
)  # fmt: skip
async def test_what_no_session_takes_is_refused_by_its_place(
    client: openai.AsyncOpenAI, session: dict[str, Any], param: str
):
    async with client.realtime.connect(model="gpt-realtime-2.1") as connection:
        error = await update(connection, type="realtime", **session)
        assert (error.type, error.param) == ("invalid_request_error", param)
        assert len(error.message.split()) > 2

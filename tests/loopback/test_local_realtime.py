"""OpenAI's own client in conversation with the local Realtime server, with people's voices and the local models."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from openai import AsyncOpenAI
from openai.resources.realtime.realtime import AsyncRealtimeConnection

from bot.config import BotConfig, ChainedConfig, Config, OpenAIConfig
from bot.local.serving import serving
from bot.rehearsal.audio import load_pcm
from bot.rehearsal.studio import CallerVoice
from bot.serving import completed
from bot.speech.local import LocalSpeaker
from bot.tools.builtin import HANG_UP
from media.frame import L16_8K, L16_24K, PCMU_8K, AudioFormat
from media.transcode import Transcoder

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODEL = "gpt-realtime-2.1"
PIECE_MS = 40


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url() -> AsyncIterator[str]:
    """The sample business on the local models, loaded once."""
    async with serving(completed(Config()).bots[0]) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def voice() -> CallerVoice:
    speaker = LocalSpeaker()
    await speaker.start()
    return CallerVoice(speaker)


class Talk:
    """One connection of the SDK's, fed with sound (8,000 Hz) as a telephone would feed it."""

    def __init__(self, connection: AsyncRealtimeConnection, audio: AudioFormat) -> None:
        self.connection = connection
        self.events: list[Any] = []
        self._audio = audio
        self._transcoder = Transcoder(L16_8K, audio)
        self._noise = np.random.default_rng(7)

    async def configure(self, **audio_input: Any) -> None:
        kind: dict[str, Any] = (
            {"type": "audio/pcmu"} if self._audio is PCMU_8K else {"type": "audio/pcm", "rate": 24000}
        )
        detection = {"type": "server_vad", "silence_duration_ms": 500}
        listening = {"format": kind, "turn_detection": detection, **audio_input}
        await self.connection.session.update(
            session={
                "type": "realtime",
                "audio": {
                    "input": {"transcription": {"model": "gpt-4o-mini-transcribe"}, **listening},
                    "output": {"format": kind, "voice": "marin"},
                },
                "tools": [
                    {
                        "type": "function",
                        "name": "hang_up",
                        "description": HANG_UP.description,
                        "parameters": dict(HANG_UP.parameters),
                    }
                ],
            }  # type: ignore[arg-type]
        )
        await self.until("session.updated")

    async def hear(self, pcm: bytes, *, pace: float = 8.0) -> None:
        """The caller's line, so many times faster than it sounds."""
        for offset in range(0, len(pcm), 16 * PIECE_MS):
            payload = self._transcoder.push(pcm[offset : offset + 16 * PIECE_MS])
            await self.connection.input_audio_buffer.append(audio=base64.b64encode(payload).decode())
            await asyncio.sleep(PIECE_MS / 1000 / pace)

    async def hear_quiet(self, ms: int) -> None:
        await self.hear(self._noise.normal(0, 6, 8 * ms).astype("<i2").tobytes())

    async def until(self, kind: str, is_so: Callable[[Any], object] = lambda _: True) -> Any:
        """The next event of this type of which something is true."""
        async with asyncio.timeout(20):
            async for event in self.connection:
                self.events.append(event)
                if event.type == kind and is_so(event):
                    return event
        raise AssertionError(f"the connection ended without {kind}")

    def said(self, kind: str) -> list[Any]:
        return [event for event in self.events if event.type == kind]


async def talking(url: str, audio: AudioFormat = L16_24K) -> AsyncIterator[Talk]:
    client = AsyncOpenAI(base_url=url, api_key="any")
    async with client.realtime.connect(model=MODEL) as connection:
        talk = Talk(connection, audio)
        await talk.until("session.created")
        yield talk


@pytest_asyncio.fixture(loop_scope="module")
async def talk(url: str) -> AsyncIterator[Talk]:
    async for one in talking(url):
        yield one


@pytest_asyncio.fixture(loop_scope="module")
async def telephone(url: str) -> AsyncIterator[Talk]:
    """The same in the telephone's own encoding."""
    async for one in talking(url, PCMU_8K):
        yield one


async def test_a_spoken_question_is_understood_and_answered(talk: Talk, voice: CallerVoice):
    await talk.configure()
    await talk.hear_quiet(500)
    await talk.hear(await voice.say("What are your opening hours?"))
    await talk.hear_quiet(900)
    done = await talk.until("response.done")
    order = list(dict.fromkeys(event.type for event in talk.events))
    for before, after in pairwise(ORDER):
        assert order.index(before) < order.index(after), (before, after)
    [heard] = talk.said("conversation.item.input_audio_transcription.completed")
    assert "opening hours" in heard.transcript
    [item] = done.response.output
    assert item.content[0].transcript == "We are open from nine to six, Monday to Saturday."
    sound = b"".join(base64.b64decode(event.delta) for event in talk.said("response.output_audio.delta"))
    assert 2000 < L16_24K.ms(len(sound)) < 6000
    assert np.abs(np.frombuffer(sound, "<i2")).max() > 3000
    assert done.response.usage.output_token_details.audio_tokens == -(-L16_24K.ms(len(sound)) // 50)


ORDER = (
    "input_audio_buffer.speech_started",
    "input_audio_buffer.speech_stopped",
    "input_audio_buffer.committed",
    "conversation.item.added",
    "conversation.item.done",
    "response.created",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_audio_transcript.delta",
    "response.output_audio.delta",
    "response.output_audio.done",
    "response.output_audio_transcript.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.done",
)


async def test_a_persons_recording_is_written_down_as_they_said_it(telephone: Talk, data: Path):
    await telephone.configure(turn_detection=None)
    await telephone.hear(load_pcm(data / "speech-en" / "vctk-p225-016.flac"), pace=50)
    await telephone.connection.input_audio_buffer.commit()
    heard = await telephone.until("conversation.item.input_audio_transcription.completed")
    files = json.loads((data / "manifest.json").read_text())["files"]
    read = next(entry["transcript"] for entry in files if entry["file"] == "speech-en/vctk-p225-016.flac")
    words = {word.strip(".,").lower() for word in read.split()}
    understood = {word.strip(".,").lower() for word in heard.transcript.split()}
    assert len(words & understood) >= 0.7 * len(words)


async def test_an_interruption_cuts_the_answer_and_the_next_one_knows_what_was_heard(talk: Talk, voice: CallerVoice):
    await talk.configure()
    await talk.hear_quiet(500)
    await talk.hear(await voice.say("How much does a bike service cost?"))
    await talk.hear_quiet(700)
    added = await talk.until("response.output_item.added")
    await talk.until("response.output_audio.delta")
    await talk.hear(await voice.say("Sorry, what are your opening hours?"))
    started = len(talk.said("input_audio_buffer.speech_started"))
    if started < 2:
        await talk.until("input_audio_buffer.speech_started")
    await talk.connection.conversation.item.truncate(item_id=added.item.id, content_index=0, audio_end_ms=100)
    truncated = await talk.until("conversation.item.truncated")
    assert (truncated.item_id, truncated.audio_end_ms) == (added.item.id, 100)
    await talk.hear_quiet(900)
    await talk.until("response.done", lambda event: "nine to six" in str(event.response.output))


async def test_goodbye_is_said_and_then_the_line_is_to_be_hung_up(talk: Talk, voice: CallerVoice):
    await talk.configure()
    await talk.hear_quiet(500)
    await talk.hear(await voice.say("Thank you, goodbye."))
    await talk.hear_quiet(900)
    done = await talk.until("response.done")
    spoken, call = done.response.output
    assert "Goodbye" in spoken.content[0].transcript
    assert (call.type, call.name, call.arguments) == ("function_call", "hang_up", "{}")


async def test_a_greeting_is_said_to_the_word_in_the_telephones_encoding(telephone: Talk):
    await telephone.configure()
    greeting = "Thank you for calling Millbrook Bicycles. How can I help?"
    await telephone.connection.response.create(
        response={"instructions": f"Say exactly this, word for word: {greeting}"}
    )
    done = await telephone.until("response.done")
    assert done.response.output[0].content[0].transcript == greeting
    pieces = [base64.b64decode(event.delta) for event in telephone.said("response.output_audio.delta")]
    assert {len(piece) for piece in pieces[:-1]} == {800}
    assert 2000 < len(b"".join(pieces)) / 8 < 6000


async def test_a_wrong_request_is_told_and_the_conversation_goes_on(talk: Talk):
    await talk.connection.send_raw("{")
    error = await talk.until("error")
    assert error.error.code == "invalid_json"
    await talk.connection.response.cancel()
    assert (await talk.until("error")).error.code == "response_cancel_not_active"
    await talk.configure()
    await talk.connection.response.create()
    assert (await talk.until("response.done")).response.status == "completed"


async def test_a_text_model_of_the_operators_choice_follows_instructions_and_calls_functions(url: str):
    """The model behind the second server is the first one's chat completions."""
    bot = BotConfig(name="free", chained=ChainedConfig(transcriber="tones", responder="openai:facts", speaker="tones"))
    async with serving(bot, upstream=OpenAIConfig(base_url=url)) as free:
        async for talk in talking(free, PCMU_8K):
            await talk.configure(turn_detection=None)
            text = {"type": "input_text", "text": "Thank you, goodbye."}
            await talk.connection.conversation.item.create(
                item={"type": "message", "role": "user", "content": [text]}  # type: ignore[typeddict-item, list-item]
            )
            await talk.connection.response.create(response={"instructions": "Be brief."})
            done = await talk.until("response.done")
            spoken, call = done.response.output
            assert "Goodbye" in spoken.content[0].transcript
            assert (call.name, call.arguments) == ("hang_up", "{}")

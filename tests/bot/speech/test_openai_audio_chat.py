"""A model that hears and speaks, over a real socket: what goes to the server, and what becomes of its answers."""

import asyncio
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.config import ModelServerConfig, PriceConfig
from bot.errors import ConfigError, RequestFailedError, VoiceError
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
from bot.speech.links import Spent, UseTool
from bot.speech.openai_audio_chat import OpenAIAudioChat
from bot.speech.openai_client import OpenAIClient
from bot.tools.spec import ToolSpec
from media.resample import Resampler
from tests.support.local_server import BUSINESS, local_client, samples_of
from tests.support.model_server import Answer, ModelServer, chat, cut_off, model_server, refusal, silence

QUESTION = (CallerTurn("", b"\x01\x00" * 800),)
LOOK_UP = ToolSpec("look_up", "Look it up.", {"type": "object", "properties": {}})


@asynccontextmanager
async def link(*answers: Answer, **settings: Any) -> AsyncIterator[tuple[OpenAIAudioChat, ModelServer]]:
    async with model_server(*answers) as server:
        client = OpenAIClient(ModelServerConfig(base_url=server.url), timeout_s=2, retries=0)
        made = OpenAIAudioChat(client, "m", **settings)
        await made.start()
        try:
            yield made, server
        finally:
            await client.close()


async def parts(made: OpenAIAudioChat, turns: Sequence[Turn] = QUESTION, **options: Any) -> list[Part]:
    return [part async for part in made.converse(turns, **options)]


def heard(**audio: Any) -> dict[str, Any]:
    return {"audio": audio}


def sounding(sound: bytes) -> dict[str, Any]:
    return heard(data=b64encode(sound).decode())


async def test_sound_and_words_come_as_they_are_made_then_the_name_of_the_sound():
    answer = chat(
        {"role": "assistant", "audio": {"id": "audio_1"}},
        heard(transcript="We "),
        sounding(b"123"),
        heard(transcript="open."),
        sounding(b"4"),
        heard(expires_at=1_800_000_000),
    )
    async with link(answer) as (made, _):
        assert await parts(made) == [
            Words("We "),
            Sound(b"123"),
            Words("open."),
            Sound(b"4"),
            Kept("audio_1", 1_800_000_000),
            Finished("stop"),
        ]


async def test_the_request_asks_for_sound_as_it_is_made():
    settings = {"speaker": "cedar", "temperature": 0.5, "max_output_tokens": 200, "tools": [LOOK_UP]}
    async with link(chat("Yes."), **settings) as (made, server):
        await parts(made)
        await parts(made, may_use_tools=False)
    body, last = (seen.body for seen in server.seen)
    assert body["modalities"] == ["text", "audio"]
    assert body["audio"] == {"voice": "cedar", "format": "pcm16"}
    assert (body["stream"], body["stream_options"]) == (True, {"include_usage": True})
    assert (body["temperature"], body["max_tokens"]) == (0.5, 200)
    assert body["tools"][0]["function"]["name"] == "look_up"
    assert ("tool_choice" in body, last["tool_choice"]) == (False, "none")


async def test_a_custom_voice_goes_by_its_id():
    async with link(chat("Yes."), speaker="voice_1234") as (made, server):
        await parts(made)
    assert server.seen[0].body["audio"]["voice"] == {"id": "voice_1234"}


async def test_the_conversation_goes_as_sound_by_name_and_in_words():
    tool = UseTool("look_up", {}, "call_1", "{}")
    turns = (
        BotTurn("Welcome."),
        CallerTurn("When do you open?"),
        BotTurn("Let me see.", tools=(tool,)),
        ToolTurn("call_1", "nine"),
        BotTurn("At nine.", "audio_1"),
        CallerTurn("", b"\x02\x00" * 4),
        CallerTurn("And on Sundays?"),
        BotTurn("At"),
        BotTurn("ten."),
        Aside("Go on."),
    )
    async with link(chat("Yes."), instructions="Be kind.") as (made, server):
        await parts(made, turns)
    system, hello, when, look, found, named, sundays, ten, aside = server.seen[0].body["messages"]
    assert system == {"role": "system", "content": "Be kind."}
    assert hello == {"role": "assistant", "content": "Welcome."}
    assert when == {"role": "user", "content": [{"type": "text", "text": "When do you open?"}]}
    assert look["content"] == "Let me see."
    assert look["tool_calls"] == [
        {"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}
    ]
    assert found == {"role": "tool", "tool_call_id": "call_1", "content": "nine"}
    assert named == {"role": "assistant", "audio": {"id": "audio_1"}}
    sound, text = sundays["content"]
    wav = b64decode(sound["input_audio"]["data"])
    assert (sound["type"], sound["input_audio"]["format"], text["text"]) == ("input_audio", "wav", "And on Sundays?")
    assert (wav[:4], int.from_bytes(wav[24:28], "little"), wav[44:]) == (b"RIFF", 8000, b"\x02\x00" * 4)
    assert ten == {"role": "assistant", "content": "At ten."}
    assert aside == {"role": "system", "content": "Go on."}


async def test_an_answer_in_writing_and_a_refusal_are_written():
    async with link(chat("We open", " at nine."), chat({"refusal": "I cannot."})) as (made, _):
        assert await parts(made) == [Written("We open"), Written(" at nine."), Finished("stop")]
        assert await parts(made) == [Written("I cannot."), Finished("stop")]


async def test_tools_come_whole_and_last():
    deltas = [
        {"tool_calls": [{"index": 0, "id": "call_1", "function": {"name": "look_up", "arguments": '{"day":'}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": " 7}"}}]},
    ]
    async with link(chat(*deltas, finish="tool_calls"), chat(*deltas, finish="length")) as (made, _):
        assert await parts(made) == [Finished("tool_calls"), UseTool("look_up", {"day": "7"}, "call_1", '{"day": 7}')]
        assert await parts(made) == [Finished("length")]


async def test_what_was_spent_is_told_by_kind():
    usage = {
        "prompt_tokens": 150,
        "completion_tokens": 60,
        "total_tokens": 210,
        "prompt_tokens_details": {"cached_tokens": 110, "audio_tokens": 50},
        "completion_tokens_details": {"audio_tokens": 40},
    }
    price = PriceConfig(audio_in=32, audio_cached=3.2, audio_out=64, text_in=2.5, text_cached=0.25, text_out=10)
    async with link(chat("Yes.", usage=usage), prices={"m": price}) as (made, _):
        *_, spent = await parts(made)
    kinds = {"audio_in": 40, "audio_cached": 10, "audio_out": 40, "text_in": 0, "text_cached": 100, "text_out": 20}
    cost = 40 * 32 + 10 * 3.2 + 40 * 64 + 100 * 0.25 + 20 * 10
    assert spent == Spent("m", kinds, pytest.approx(cost / 1e6))


async def test_what_a_server_does_not_count_costs_nothing_that_we_know_of():
    async with link(chat("Yes.", usage={"prompt_tokens": 7, "prompt_tokens_details": {"audio_tokens": 9}})) as (
        made,
        _,
    ):
        spent = (await parts(made))[-1]
    assert isinstance(spent, Spent)
    assert {kind: count for kind, count in spent.tokens.items() if count} == {"audio_in": 7}


async def test_a_conversation_that_outgrows_the_model_is_told_from_its_middle_on():
    refused = refusal(400, "context_length_exceeded", "This model's maximum context length is 128000 tokens.")
    history = (
        CallerTurn("Who are you? " * 20),
        BotTurn("A bot. " * 20),
        CallerTurn("Where is my order?"),
        BotTurn("", tools=(UseTool("look_up", {}, "call_1", "{}"),)),
        ToolTurn("call_1", "sent"),
        BotTurn("It was sent.", "audio_1"),
        *QUESTION,
    )
    async with link(refused, chat("Yes.")) as (made, server):
        assert await parts(made, history) == [Written("Yes."), Finished("stop")]
    told = server.seen[1].body["messages"]
    assert [one["role"] for one in told] == ["user", "assistant", "tool", "assistant", "user"]


async def test_a_sound_that_the_server_has_lost_is_no_failure():
    lost = refusal(400, "invalid_value", "Audio 'audio_1' has expired.", param="messages[1].audio.id")
    async with link(lost) as (made, _):
        [forgotten] = await parts(made, (*QUESTION, BotTurn("Hello.", "audio_1"), *QUESTION))
        assert isinstance(forgotten, Forgotten)
        assert "audio_1" in forgotten.message
        with pytest.raises(RequestFailedError):
            await parts(made)


@pytest.mark.parametrize("status", [401, 429, 500])
async def test_what_has_nothing_to_do_with_lost_sounds_is_a_failure(status: int):
    async with link(refusal(status)) as (made, _):
        with pytest.raises(RequestFailedError):
            await parts(made, (BotTurn("Hello.", "audio_1"), *QUESTION))


@pytest.mark.parametrize("answer", [silence(), cut_off(b"data: {"), cut_off(), chat({"audio": {"data": "no base64"}})])
async def test_servers_that_break_off_or_talk_nonsense_are_failures(answer: Answer):
    async with link(answer) as (made, _):
        with pytest.raises(VoiceError):
            await parts(made)


async def test_a_request_that_nobody_waits_for_is_closed():
    async with link(silence()) as (made, server):
        task = asyncio.create_task(parts(made))
        await server.asked.wait()
        task.cancel()
        await asyncio.wait_for(server.left.wait(), 5)


def test_a_model_that_does_not_converse_is_refused():
    with pytest.raises(ConfigError, match=r"audio_chat\.model"):
        OpenAIAudioChat(OpenAIClient(ModelServerConfig(base_url="http://127.0.0.1:1/v1")), "whisper-1")


async def test_two_turns_with_the_local_server(data: Path):
    async with local_client() as there:
        client = OpenAIClient(ModelServerConfig(base_url=str(there.base_url)), timeout_s=50)
        made = OpenAIAudioChat(client, "gpt-audio-1.5", speaker="alloy")
        await made.start()
        try:
            first = await parts(made, (CallerTurn("When are you open?"),))
            [kept] = [part for part in first if isinstance(part, Kept)]
            spoken = CallerTurn("", line_pcm(data / "speech-en" / "google-brooklyn-bridge.flac"))
            again = await parts(made, (CallerTurn("When are you open?"), BotTurn("", kept.audio_id), spoken))
        finally:
            await client.close()
    assert written(first) == BUSINESS.facts[0].answer
    assert sum(len(part.pcm) for part in first if isinstance(part, Sound)) > 24000 * 2
    assert written(again) == BUSINESS.facts[1].answer
    [spent] = [part for part in again if isinstance(part, Spent)]
    assert spent.tokens["audio_in"] > 0
    assert spent.tokens["audio_out"] > 0


def written(given: Sequence[Part]) -> str:
    return "".join(part.text for part in given if isinstance(part, Words))


def line_pcm(path: Path) -> bytes:
    """A recording as a telephone line has it."""
    samples, rate_hz = samples_of(path.read_bytes())
    return Resampler(rate_hz, 8000).push(samples[0].astype("<i2").tobytes())

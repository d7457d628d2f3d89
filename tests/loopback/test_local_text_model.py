"""The local server with a text model of the operator's choice behind it: what it is told, and what its words become.

The text model is a server on loopback that writes what a test has it write, in the wire form of Chat Completions, as
llama.cpp, Ollama and vLLM do for a GGUF file; the client is OpenAI's own, and between them everything is real.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import openai
from aiohttp import web
from openai.resources.realtime.realtime import AsyncRealtimeConnection

from bot.config import BotConfig, ChainedConfig, ModelServerConfig, OpenAIConfig
from bot.local.serving import serving
from tests.support.local_server import local_client
from tests.support.model_server import Answer, ModelServer, chat, model_server, unfinished_chat

NAMES = "You are a helpful assistant. Correct any spelling discrepancies. The names are: ZyntriQix, Digique Plus."
MESSAGES: list[Any] = [
    {"role": "system", "content": NAMES},
    {"role": "user", "content": "Welcome to Cinetrix and Digi Q plus."},
]
WEATHER = {"type": "function", "name": "get_weather", "parameters": {"type": "object"}}
PCMU = {"format": {"type": "audio/pcmu"}}


FREE = BotConfig(name="free", chained=ChainedConfig(transcriber="tones", responder="openai:gemma", speaker="tones"))


class Talk:
    """A Realtime session of PCMU in which the client decides about turns."""

    def __init__(self, connection: AsyncRealtimeConnection, model: ModelServer) -> None:
        self._connection = connection
        self.model = model
        self.events: list[Any] = []

    async def send(self, kind: str, **fields: Any) -> None:
        await self._connection.send({"type": kind, **fields})  # type: ignore[arg-type, misc]

    async def ask(self, text: str) -> None:
        content = [{"type": "input_text", "text": text}]
        await self.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})
        await self.send("response.create")

    async def until(self, kind: str) -> Any:
        async with asyncio.timeout(10):
            while True:
                event = await self._connection.recv()
                self.events.append(event)
                assert event.type != "error", event
                if event.type == kind:
                    return event


@asynccontextmanager
async def talking(*answers: Answer, **session: Any) -> AsyncIterator[Talk]:
    async with (
        model_server(*answers) as model,
        serving(FREE, upstream=OpenAIConfig(base_url=model.url)) as url,
        openai.AsyncOpenAI(base_url=url, api_key="any") as client,
        client.realtime.connect(model="gpt-realtime-2.1") as connection,
    ):
        talk = Talk(connection, model)
        settings = {"type": "realtime", "audio": {"input": {**PCMU, "turn_detection": None}, "output": PCMU}, **session}
        await talk.send("session.update", session=settings)
        await talk.until("session.updated")
        yield talk


def waiting(first: str, gate: asyncio.Event, *rest: str) -> Answer:
    """A completion whose rest is written when the gate opens."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for number, text in enumerate((first, *rest)):
            if number == 1:
                await gate.wait()
            delta = {"index": 0, "delta": {"content": text}, "finish_reason": None}
            chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [delta]}
            await response.write(f"data: {json.dumps(chunk)}\n\n".encode())
        await response.write(b"data: [DONE]\n\n")
        return response

    return answer


async def test_the_first_sentence_is_spoken_while_the_model_writes_the_next():
    gate = asyncio.Event()
    async with talking(waiting("Let me see. It", gate, " will rain", " today.")) as talk:
        await talk.ask("Will it rain?")
        await talk.until("response.output_audio.delta")
        written = [event.delta for event in talk.events if event.type == "response.output_audio_transcript.delta"]
        assert "".join(written) == "Let me see."
        gate.set()
        done = await talk.until("response.done")
    assert done.response.output[0].content[0].transcript == "Let me see. It will rain today."


async def test_a_function_is_called_and_its_result_told_to_the_model():
    call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": ""}}
    pieces = [{"index": 0, "function": {"arguments": text}} for text in ('{"city": ', '"Paris"}')]
    asks = chat(*({"tool_calls": [one]} for one in (call, *pieces)), finish="tool_calls")
    async with talking(asks, chat("It rains."), tools=[WEATHER], instructions="Be brief.") as talk:
        await talk.ask("How is the weather in Paris?")
        made = await talk.until("response.function_call_arguments.done")
        await talk.until("response.done")
        assert json.loads(made.arguments) == {"city": "Paris"}
        output = {"type": "function_call_output", "call_id": made.call_id, "output": '{"sky": "rain"}'}
        await talk.send("conversation.item.create", item=output)
        await talk.send("response.create")
        done = await talk.until("response.done")
        assert done.response.output[0].content[0].transcript == "It rains."
        first, second = (seen.body for seen in talk.model.seen)
    assert (first["model"], first["stream"], first["tool_choice"]) == ("gemma", True, "auto")
    assert first["tools"] == [
        {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}
    ]
    assert [message["role"] for message in second["messages"]] == ["system", "user", "assistant", "tool"]
    asked, told = second["messages"][2:]
    assert asked["tool_calls"][0]["id"] == told["tool_call_id"] == made.call_id
    assert json.loads(asked["tool_calls"][0]["function"]["arguments"]) == {"city": "Paris"}
    assert told["content"] == '{"sky": "rain"}'


async def test_an_answer_that_is_called_off_closes_the_models_request():
    async with talking(unfinished_chat("Once upon a time. There")) as talk:
        await talk.ask("Tell me a story.")
        await talk.until("response.output_audio.delta")
        await talk.send("response.cancel")
        done = await talk.until("response.done")
        assert done.response.status == "cancelled"
        await asyncio.wait_for(talk.model.left.wait(), 5)


async def test_names_in_a_transcript_are_corrected_by_the_text_model():
    """The documents' example: a transcript, and a system prompt with the right spellings."""
    corrected = "Welcome to ZyntriQix and Digique Plus."
    bot = BotConfig(name="free", chained=ChainedConfig(responder="openai:gemma@den"))
    async with model_server(chat("Welcome to ZyntriQix", " and Digique Plus.")) as model:
        den = OpenAIConfig(servers={"den": ModelServerConfig(base_url=model.url)})
        async with local_client(bot, den) as client:
            answer = await client.chat.completions.create(model="gpt-4.1", temperature=0, messages=MESSAGES)
    assert answer.choices[0].message.content == corrected
    body = model.seen[0].body
    assert (body["model"], body["temperature"], body["messages"]) == ("gemma", 0, MESSAGES)

"""A text model on loopback that does real work: it looks for misspelt names, counts moods' words, and shortens.

It speaks Chat Completions, streamed or not, and understands nothing: names by how alike letters are, a mood by a list
of words, a summary by the first sentence. What matters is that its answers come from what it was sent.
"""

import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

from aiohttp import web

_ALIKE = 0.52
_ANGRY = ("terrible", "angry", "never", "horrible")


@dataclass
class NameModel:
    url: str = ""
    asked: list[Any] = field(default_factory=list)
    chatters: bool = False  # adds to every line what nobody asked for


@asynccontextmanager
async def name_model() -> AsyncIterator[NameModel]:
    model = NameModel()

    async def complete(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        model.asked.append(body)
        text = _answer(*(_text(message["content"]) for message in body["messages"]), chatters=model.chatters)
        if not body.get("stream"):
            usage = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
            choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
            return web.json_response({**_head(body), "object": "chat.completion", "choices": [choice], "usage": usage})
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for delta, reason in (({"role": "assistant", "content": text}, None), ({}, "stop")):
            choice = {"index": 0, "delta": delta, "finish_reason": reason}
            chunk = {**_head(body), "object": "chat.completion.chunk", "choices": [choice]}
            await response.write(f"data: {json.dumps(chunk)}\n\n".encode())
        await response.write(b"data: [DONE]\n\n")
        return response

    app = web.Application()
    app.router.add_post("/v1/chat/completions", complete)
    runner = web.AppRunner(app, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    model.url = f"http://{host}:{port}/v1"
    try:
        yield model
    finally:
        await runner.cleanup()


def _answer(instructions: str, said: str, *_: str, chatters: bool) -> str:
    if "right spellings" in instructions:
        names = instructions.partition("right spellings: ")[2].partition(".\n")[0].split(", ")
        lines = [_spelt(line, names) for line in said.splitlines()]
        return "\n".join(f"{line} We are open from nine to six." if chatters else line for line in lines)
    if "mood" in instructions:
        heard = [word for word in _ANGRY if word in said.lower()]
        mood = "angry" if heard else "calm"
        return f'Here it is:\n{{"mood": "{mood}", "reason": "The caller says {", ".join(heard) or "nothing harsh"}."}}'
    return re.split(r"(?<=[.!?])\s", said)[0]


def _spelt(line: str, names: Sequence[str]) -> str:
    """For each name the run of words that is most like it, if it is like it at all, as the name."""
    number, _, text = line.partition(": ")
    words = text.split(" ")
    for name in names:
        runs = [(start, start + length) for length in (1, 2, 3) for start in range(len(words) - length + 1)]
        alike = {run: _likeness(" ".join(words[slice(*run)]), name) for run in runs}
        best = max(runs, key=lambda run: alike[run])
        if alike[best] >= _ALIKE:
            after = re.search(r"\W*$", words[best[1] - 1])
            words[slice(*best)] = [name + (after[0] if after else "")]
    return f"{number}: {' '.join(words)}"


def _likeness(heard: str, name: str) -> float:
    heard, name = (re.sub(r"\W", "", text).lower() for text in (heard, name))
    return SequenceMatcher(None, heard, name).ratio()


def _text(content: Any) -> str:
    return content if isinstance(content, str) else " ".join(part.get("text", "") for part in content)


def _head(body: Any) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "created": 1, "model": body["model"]}

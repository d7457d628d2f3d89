"""A call's conversation as the messages of Chat Completions with audio. No I/O.

Utterances that follow each other become parts of one message, and so does what the bot said in words, since models
expect that speakers take turns. https://platform.openai.com/docs/guides/audio
"""

from collections.abc import Sequence
from typing import Any

import pybase64

from bot.speech.conversing import Aside, BotTurn, CallerTurn, ToolTurn, Turn
from bot.speech.links import UseTool
from media.wav import wav_bytes

Message = dict[str, Any]

_LINE_HZ = 8000


def messages(instructions: str, turns: Sequence[Turn]) -> list[Message]:
    """From the instructions, where there are any, to what the model is to answer to."""
    told: list[Message] = [{"role": "system", "content": instructions}] if instructions else []
    for turn in turns:
        match turn:
            case CallerTurn():
                _add_utterance(told, _utterance(turn))
            case BotTurn(_, audio_id) if audio_id:
                told.append({"role": "assistant", "audio": {"id": audio_id}})
            case BotTurn(text, _, tools):
                _add_words(told, text, tools)
            case ToolTurn(call_id, output):
                told.append({"role": "tool", "tool_call_id": call_id, "content": output})
            case Aside(text):
                told.append({"role": "system", "content": text})
    return told


def _utterance(turn: CallerTurn) -> dict[str, Any]:
    if not turn.pcm:
        return {"type": "text", "text": turn.text}
    data = pybase64.b64encode(wav_bytes(turn.pcm, _LINE_HZ)).decode()
    return {"type": "input_audio", "input_audio": {"data": data, "format": "wav"}}


def _add_utterance(told: list[Message], part: dict[str, Any]) -> None:
    if told and told[-1]["role"] == "user":
        told[-1]["content"].append(part)
    else:
        told.append({"role": "user", "content": [part]})


def _add_words(told: list[Message], text: str, tools: Sequence[UseTool]) -> None:
    last = told[-1] if told else {}
    is_joined = last.get("role") == "assistant" and bool(last.get("content")) and "tool_calls" not in last
    message: Message = last if is_joined else {"role": "assistant", "content": None}
    if not is_joined:
        told.append(message)
    if text:
        message["content"] = f"{message['content']} {text}" if message["content"] else text
    if tools:
        message["tool_calls"] = [
            {"id": tool.call_id, "type": "function", "function": {"name": tool.name, "arguments": tool.json}}
            for tool in tools
        ]

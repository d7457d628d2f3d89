"""Chat completions in OpenAI's JSON: the whole answer, and the chunks of a streamed one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.local.chat_body import ToolCall
from bot.local.spoken_replies import SpokenReply
from bot.local.usage import heard_tokens, spoken_tokens, text_tokens

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer being given; `id` begins with chatcmpl-, `created` is seconds since 1970."""

    id: str
    created: int
    model: str

    def completion(self, message: Mapping[str, Any], finish_reason: str, usage: Json) -> Json:
        choice = {"index": 0, "message": message, "finish_reason": finish_reason, "logprobs": None}
        return {**self._head("chat.completion"), "choices": [choice], "usage": usage}

    def chunk(self, delta: Mapping[str, Any], finish_reason: str | None = None) -> Json:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason, "logprobs": None}
        return {**self._head("chat.completion.chunk"), "choices": [choice]}

    def usage_chunk(self, usage: Json) -> Json:
        return {**self._head("chat.completion.chunk"), "choices": [], "usage": usage}

    def _head(self, kind: str) -> Json:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model, "service_tier": "default"}


def text_message(text: str, calls: Sequence[ToolCall]) -> Json:
    message: Json = {"role": "assistant", "content": text if text or not calls else None, "refusal": None}
    if calls:
        message["tool_calls"] = [tool_call(call) for call in calls]
    return message


def spoken_message(reply: SpokenReply, data: str, calls: Sequence[ToolCall]) -> Json:
    """`data` is base64. The text stands in the transcript, not in the content."""
    audio = {"id": reply.id, "expires_at": reply.expires_at, "data": data, "transcript": reply.text}
    return {**text_message("", calls), "content": None, "audio": audio}


def tool_call(call: ToolCall, index: int | None = None) -> Json:
    """With an `index` as a chunk of a stream."""
    function = {"name": call.function.name, "arguments": call.function.arguments}
    place = {} if index is None else {"index": index}
    return {**place, "id": call.id, "type": "function", "function": function}


def usage(read: str, heard_ms: float, written: str, spoken_ms: float) -> Json:
    text_in, audio_in = text_tokens(read), heard_tokens(heard_ms)
    text_out, audio_out = text_tokens(written), spoken_tokens(spoken_ms)
    return {
        "prompt_tokens": text_in + audio_in,
        "completion_tokens": text_out + audio_out,
        "total_tokens": text_in + audio_in + text_out + audio_out,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": audio_in, "text_tokens": text_in},
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": audio_out,
            "text_tokens": text_out,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }

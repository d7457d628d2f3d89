"""The wire of POST /v1/chat/completions, as far as it is served here, and what is refused of it before any work."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from bot.local.voices import CustomVoice
from bot.speech.model_table import CHAT_AUDIO_FORMATS, CONVERSING_VOICES, VOICES
from bot.speech.requests import Problem

INPUT_FORMATS = ("wav", "mp3")
OPTIONS = (
    "temperature", "top_p", "max_tokens", "max_completion_tokens", "stop", "seed", "presence_penalty", "user",
    "frequency_penalty", "logit_bias", "reasoning_effort", "response_format", "tools", "tool_choice",
    "parallel_tool_calls",
)  # fmt: skip
"""What a text model may be told, and we only hand on."""


class InputAudio(msgspec.Struct, frozen=True):
    data: str  # base64
    format: str


class Part(msgspec.Struct, frozen=True):
    type: str
    text: str | None = None
    refusal: str | None = None
    input_audio: InputAudio | None = None


class SpokenBefore(msgspec.Struct, frozen=True):
    id: str


class Function(msgspec.Struct, frozen=True):
    name: str
    arguments: str = "{}"


class ToolCall(msgspec.Struct, frozen=True):
    """A function that is to be called, or was."""

    id: str
    function: Function
    type: str = "function"


class Message(msgspec.Struct, frozen=True):
    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None
    audio: SpokenBefore | None = None
    tool_calls: list[ToolCall] | None = None
    tool_call_id: str | None = None

    def parts(self) -> list[Part]:
        return [Part("text", self.content)] if isinstance(self.content, str) else self.content or []


class AudioOutput(msgspec.Struct, frozen=True):
    voice: str | CustomVoice
    format: str


class StreamOptions(msgspec.Struct, frozen=True):
    include_usage: bool = False


class ChatBody(msgspec.Struct, frozen=True):
    model: str
    messages: list[Message]
    modalities: list[str] | None = None
    audio: AudioOutput | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: int | None = None
    logprobs: bool | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    stop: str | list[str] | None = None
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    logit_bias: dict[str, float] | None = None
    reasoning_effort: str | None = None
    response_format: dict[str, Any] | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    user: str | None = None

    @property
    def speaks(self) -> bool:
        return "audio" in (self.modalities or ())

    @property
    def listens(self) -> bool:
        return any(part.type == "input_audio" for message in self.messages for part in message.parts())

    def options(self) -> Mapping[str, Any]:
        """What was said of how the text is to be made."""
        given = ((name, getattr(self, name)) for name in OPTIONS)
        return {name: value for name, value in given if value is not None}


def problem(body: ChatBody, *, is_audio_model: bool) -> Problem | None:
    """The first thing that is wrong with a request, if any."""
    return next(_problems(body, is_audio_model=is_audio_model), None)


def _problems(body: ChatBody, *, is_audio_model: bool) -> Iterator[Problem]:
    if not body.messages:
        yield Problem("Invalid 'messages': empty array. Expected at least one message.", "messages", "empty_array")
    yield from _output_problems(body)
    if is_audio_model and not body.speaks and not body.listens:
        yield Problem("This model requires that either input content or output modality contain audio.", "model")
    for number, message in enumerate(body.messages):
        for place, part in enumerate(message.parts()):
            yield from _part_problems(message, part, f"messages[{number}].content[{place}]")
    if (body.n or 1) != 1:
        yield Problem("This server gives one answer to a request: leave n out.", "n", "unsupported_value")
    if body.logprobs:
        yield Problem("This server gives no logprobs of chat completions.", "logprobs", "unsupported_value")


def _output_problems(body: ChatBody) -> Iterator[Problem]:
    if body.modalities is not None and sorted(body.modalities) not in (["text"], ["audio", "text"]):
        yield Problem(
            f"Invalid value: {body.modalities}. Supported values are: ['text'] and ['text', 'audio'].", "modalities"
        )
    if not body.speaks:
        return
    if body.audio is None:
        yield Problem(
            "Missing required parameter: 'audio' (voice and format), since modalities has 'audio'.",
            "audio",
            "missing_required_parameter",
        )
    elif body.audio.format not in CHAT_AUDIO_FORMATS:
        listed = ", ".join(repr(one) for one in CHAT_AUDIO_FORMATS)
        yield Problem(f"Invalid value: '{body.audio.format}'. Supported values are: {listed}.", "audio.format")
    elif body.audio.voice in VOICES - CONVERSING_VOICES:
        listed = ", ".join(repr(one) for one in sorted(CONVERSING_VOICES))
        yield Problem(f"Invalid value: '{body.audio.voice}'. Supported values are: {listed}.", "audio.voice")
    elif body.stream and body.audio.format != "pcm16":
        yield Problem(
            f"Unsupported value: 'audio.format' does not support '{body.audio.format}' when stream=true. "
            "Supported values are: 'pcm16'.",
            "audio.format",
            "unsupported_value",
        )


def _part_problems(message: Message, part: Part, where: str) -> Iterator[Problem]:
    if part.type == "input_audio":
        if message.role != "user":
            yield Problem("Only a user's message can hold input_audio.", where)
        elif part.input_audio is None:
            yield Problem(
                f"Missing required parameter: '{where}.input_audio'.",
                f"{where}.input_audio",
                "missing_required_parameter",
            )
        elif part.input_audio.format not in INPUT_FORMATS:
            yield Problem(
                f"Invalid value: '{part.input_audio.format}'. Supported values are: 'wav' and 'mp3'.",
                f"{where}.input_audio.format",
            )
    elif part.type not in ("text", "refusal"):
        yield Problem(
            f"This server takes content of type 'text' and 'input_audio', not '{part.type}'.",
            f"{where}.type",
            "unsupported_value",
        )

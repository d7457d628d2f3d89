"""What a call was about, in a few sentences, written and spoken: for whoever has to call back and sits in a car.

A text model writes, and a speech model reads it out (audio/speech); or one model that speaks does both (Chat
Completions with audio).
"""

from dataclasses import dataclass
from typing import Any, Final

from bot.analysis.chat_model import ChatModel
from bot.errors import VoiceError
from bot.speech.model_table import LONGEST_INPUT
from bot.speech.openai_client import OpenAIClient
from bot.speech.requests import SpeechRequest, speech_problem
from bot.speech.sentences import plain, sentences

_INSTRUCTIONS: Final = """\
You are given the transcript of a telephone call to {business}. Say in two or three short sentences who called, what \
about, and what is to be done. It will be read aloud: write plain sentences, no lists and no headings, in the language \
of the call. What the transcript does not say, you do not know."""


@dataclass(frozen=True, slots=True)
class SpokenSummary:
    text: str
    sound: bytes  # a file in the format that was asked for


async def summary(transcript: str, model: ChatModel, business: str = "a business") -> str:
    """Raises `VoiceError`."""
    reply = await model.answer(_INSTRUCTIONS.format(business=business), transcript)
    if not reply.text.strip():
        raise VoiceError(f"{model.model} wrote no summary")
    return plain(reply.text)


async def read_out(text: str, client: OpenAIClient, model: str, voice: str, response_format: str = "mp3") -> bytes:
    """By audio/speech, which takes 4,096 characters: whole sentences as far as they fit. Raises `VoiceError`."""
    request = SpeechRequest(model, fitting(text), voice, response_format=response_format)
    if (problem := speech_problem(request)) is not None:
        raise VoiceError(problem.message)
    create: Any = client.sdk.audio.speech.create
    speech = await client.ask(
        model, create(model=model, input=request.input, voice=voice, response_format=response_format)
    )
    return bytes(speech.content)


async def spoken_summary(
    transcript: str, model: ChatModel, voice: str, business: str = "a business", response_format: str = "mp3"
) -> SpokenSummary:
    """By one model that speaks, of Chat Completions with audio. Raises `VoiceError`."""
    reply = await model.answer(
        _INSTRUCTIONS.format(business=business),
        transcript,
        modalities=["text", "audio"],
        audio={"voice": voice, "format": response_format},
    )
    if not reply.sound:
        raise VoiceError(f"{model.model} does not speak: give a model of Chat Completions with audio")
    return SpokenSummary(reply.text, reply.sound)


def fitting(text: str, longest: int = LONGEST_INPUT) -> str:
    """Whole sentences from the beginning, at least one."""
    kept = ""
    for sentence in sentences(text):
        if kept and len(kept) + len(sentence) > longest:
            break
        kept += sentence
    return kept[:longest].strip()

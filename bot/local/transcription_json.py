"""Transcripts in the JSON shapes and stream events of OpenAI's transcription and translation endpoints."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from bot.local.transcription import Segment, Token, Transcription
from bot.local.usage import text_tokens
from bot.speech.languages import language_name

Json = dict[str, Any]

_TOKENS_PER_S: Final = 10  # of a caller's sound (OpenAI's rate: one token a tenth of a second)


def plain(heard: Transcription, usage: Json, *, logprobs: bool = False, languages: bool = False) -> Json:
    body: Json = {"text": heard.text}
    if languages:
        body["languages"] = [{"code": heard.language}] if heard.segments else []
    if logprobs:
        body["logprobs"] = token_logprobs(heard.segments)
    return {**body, "usage": usage}


def verbose(heard: Transcription, task: str, granularities: Sequence[str]) -> Json:
    """`language` is a name here, not a code; words are there if asked for, segments unless only words are."""
    body: Json = {
        "task": task,
        "language": language_name("en" if task == "translate" else heard.language),
        "duration": heard.duration_s,
        "text": heard.text,
    }
    if not granularities or "segment" in granularities:
        body["segments"] = [_segment(number, segment) for number, segment in enumerate(heard.segments)]
    if "word" in granularities:
        body["words"] = [
            {"word": bare(word.text), "start": word.start_s, "end": word.end_s}
            for segment in heard.segments
            for word in segment.words
            if bare(word.text)
        ]
    return {**body, "usage": by_duration(heard.duration_s)}


def diarized(heard: Transcription, names: Mapping[int, str]) -> Json:
    segments = [
        speaker_segment(number, segment, names[segment.channel or 0]) for number, segment in enumerate(heard.segments)
    ]
    return {
        "task": "transcribe",
        "duration": heard.duration_s,
        "text": "\n".join(f"{segment['speaker']}: {segment['text']}" for segment in segments),
        "segments": segments,
        "usage": by_duration(heard.duration_s),
    }


def speaker_segment(number: int, segment: Segment, speaker: str) -> Json:
    """A segment of `diarized_json`, and at the same time the event of a stream."""
    return {
        "type": "transcript.text.segment",
        "id": segment_id(number),
        "start": segment.start_s,
        "end": segment.end_s,
        "text": segment.text.strip(),
        "speaker": speaker,
    }


def deltas(segment: Segment, *, is_first: bool, logprobs: bool, in_segment: str | None = None) -> Iterator[Json]:
    """One event for each word of a segment; all of them joined are the text of the whole."""
    tokens = list(segment.tokens)
    words = [word.text for word in segment.words]
    if "".join(words) != segment.text:  # none are known, or alignment lost some
        words = re.findall(r"\s*\S+", segment.text)
    for word in words:
        event: Json = {"type": "transcript.text.delta", "delta": word.lstrip() if is_first else word}
        is_first = False
        if in_segment is not None:
            event["segment_id"] = in_segment
        if logprobs:
            event["logprobs"] = [_logprob(token) for token in _taken(tokens, len(word.encode()))]
        yield event


def done(whole: Json) -> Json:
    """The last event, which says everything once more: the body of `plain`."""
    return {"type": "transcript.text.done", **whole}


def token_logprobs(segments: Iterable[Segment]) -> list[Json]:
    return [_logprob(token) for segment in segments for token in segment.tokens]


def by_duration(seconds: float) -> Json:
    return {"type": "duration", "seconds": math.ceil(seconds)}


def by_tokens(duration_s: float, prompt_tokens: int, segments: Iterable[Segment]) -> Json:
    audio_tokens = math.ceil(duration_s * _TOKENS_PER_S)
    written = sum(len(segment.tokens) or text_tokens(segment.text) for segment in segments)
    return {
        "type": "tokens",
        "input_tokens": prompt_tokens + audio_tokens,
        "input_token_details": {"text_tokens": prompt_tokens, "audio_tokens": audio_tokens},
        "output_tokens": written,
        "total_tokens": prompt_tokens + audio_tokens + written,
    }


def speakers(segments: Iterable[Segment], known: Sequence[str]) -> dict[int, str]:
    """The name of each channel: as given, left first; else A, B in the order in which they speak."""
    order = dict.fromkeys(segment.channel or 0 for segment in segments)
    letters = dict(zip(order, "AB", strict=False))
    return {channel: known[channel] if channel < len(known) else letters[channel] for channel in order}


def segment_id(number: int) -> str:
    return f"seg_{number + 1:03d}"


def bare(word: str) -> str:
    """A word without its space and the punctuation around it; "" where it was nothing else."""
    return word.strip().strip("\"'“”‘’«»¿¡([{<>}]).,;:!?…。，！？：、-–—")


def _taken(tokens: list[Token], length: int) -> Iterator[Token]:
    """The tokens that make so many bytes, taken from the front."""
    while tokens and length > 0:
        token = tokens.pop(0)
        length -= len(token.content)
        yield token


def _logprob(token: Token) -> Json:
    return {"token": token.text, "logprob": token.logprob, "bytes": list(token.content)}


def _segment(number: int, segment: Segment) -> Json:
    return {
        "id": number,
        "seek": segment.seek,
        "start": segment.start_s,
        "end": segment.end_s,
        "text": segment.text,
        "tokens": list(segment.token_ids),
        "temperature": segment.temperature,
        "avg_logprob": segment.avg_logprob,
        "compression_ratio": segment.compression_ratio,
        "no_speech_prob": segment.no_speech_prob,
    }

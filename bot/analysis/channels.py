"""A recording with a speaker on each channel, as Offhook's own have: each channel alone, then put together.

That tells speakers apart for certain, with every model, also where both speak at once. A model that tells times gets
each channel whole; any other gets it turn by turn. What is written is who said what, in the order in which they began.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from bot.analysis.asked_for import FileRequest
from bot.analysis.asking import Answer
from bot.analysis.file_transcription import FileTranscription, Manner, Watcher
from bot.analysis.joining import Json, speakers_text, summed
from bot.analysis.outputs import Transcript
from bot.analysis.sound_parts import SoundPart, sound_facts
from bot.errors import VoiceError
from bot.speech.openai_client import OpenAIClient

_GAP_S = 0.5  # a silence of one speaker in which the other's words are the next line


class ChannelTranscription:
    """Belongs to one recording; `run` may be called again after a failure and does the rest only."""

    def __init__(
        self,
        client: OpenAIClient,
        path: Path,
        request: FileRequest,
        manner: Manner,
        watcher: Watcher,
        names: Sequence[str],
        response_format: str,
    ) -> None:
        """The request is for one channel, with words' times or turn by turn; the format is that of the whole."""
        self._path, self._names, self._format = path, names, response_format
        self._channels = [
            FileTranscription(client, path, request, _on(channel, manner), _Watched(watcher, channel))
            for channel in range(len(names))
        ]

    async def run(self) -> Transcript:
        """Raises as `FileTranscription.run` does, and `VoiceError` for a recording with one channel."""
        facts = await asyncio.to_thread(sound_facts, self._path)
        if facts.channels != len(self._names):
            raise VoiceError(f"{self._path.name} has one channel: leave --channels out, or choose diarized_json")
        bodies = [(await channel.run()).body for channel in self._channels]
        return Transcript(_formed(together(bodies, self._names), self._format))


def together(bodies: Sequence[Json], names: Sequence[str]) -> Json:
    """Of each channel's `verbose_json` one body, whose segments and words have speakers."""
    lines = [
        {**line, "speaker": name}
        for name, body, other in zip(names, bodies, reversed(bodies), strict=True)
        for line in _lines(body, other.get("segments") or ())
    ]
    lines.sort(key=lambda line: float(line["start"]))
    for number, line in enumerate(lines):
        line["id"] = number
    whole: Json = {**bodies[0], "text": speakers_text(lines), "segments": lines}
    if any("words" in body for body in bodies):
        named = ({**word, "speaker": name} for name, body in zip(names, bodies, strict=True) for word in body["words"])
        whole["words"] = sorted(named, key=lambda word: float(word["start"]))
    usages = [body["usage"] for body in bodies if body.get("usage")]
    return {**whole, "usage": summed(usages)} if usages else whole


def _lines(body: Json, others: Sequence[Json]) -> Iterator[Json]:
    """A channel's segments, cut where the other speaker says something in a silence of this one."""
    words = list(body.get("words") or ())
    for segment in body.get("segments") or ():
        own = [word for word in words if segment["start"] - 0.01 <= word["start"] < segment["end"] + 0.01]
        texts = segment["text"].split()
        if len(own) != len(texts):
            yield dict(segment)
            continue
        starts = [0, *(at for at in range(1, len(own)) if _is_interrupted(own[at - 1], own[at], others))]
        for begin, end in zip(starts, [*starts[1:], len(own)], strict=True):
            if begin < end:
                text = " " + " ".join(texts[begin:end])
                yield {**segment, "start": own[begin]["start"], "end": own[end - 1]["end"], "text": text}


def _is_interrupted(before: Json, after: Json, others: Sequence[Json]) -> bool:
    silence = after["start"] - before["end"]
    return silence >= _GAP_S and any(before["start"] < other["start"] < after["start"] for other in others)


def _formed(body: Json, response_format: str) -> Json:
    """As the API would write it, and more where it has no place for speakers."""
    usage = {"usage": body["usage"]} if "usage" in body else {}
    if response_format == "json":
        return {"text": body["text"], **usage}
    if response_format == "diarized_json":
        segments = [
            {"type": "transcript.text.segment", "id": f"seg_{number:03d}"}
            | {name: segment[name] for name in ("start", "end", "text", "speaker")}
            for number, segment in enumerate(body["segments"], start=1)
        ]
        return {"task": "transcribe", "duration": body["duration"], "text": body["text"], "segments": segments, **usage}
    return body


def _on(channel: int, manner: Manner) -> Manner:
    return replace(manner, cutting=replace(manner.cutting, channel=channel, keeps_channels=False), as_json=True)


class _Watched:
    """One channel's progress, as half of the recording's."""

    def __init__(self, watcher: Watcher, channel: int) -> None:
        self._watcher, self._channel = watcher, channel

    def begun(self, seconds: float) -> None:
        self._watcher.begun(2 * seconds)

    def words(self, text: str) -> None:
        self._watcher.words(text)

    def finished(self, part: SoundPart, answer: Answer) -> None:
        self._watcher.finished(self._numbered(part), answer)

    def trying_again(self, part: SoundPart, error: VoiceError) -> None:
        self._watcher.trying_again(self._numbered(part), error)

    def _numbered(self, part: SoundPart) -> SoundPart:
        return replace(part, index=2 * part.index + self._channel)

"""Speakers keep their letters from part to part, by their voices or by their given names."""

import io
import wave

import numpy as np
import pybase64
import pytest

from bot.analysis.joining import Json
from bot.analysis.sound_parts import SoundPart
from bot.analysis.speakers import KnownSpeaker, SpeakerMemory
from bot.speech.requests import TranscriptionRequest

HZ = 16_000
REQUEST = TranscriptionRequest("gpt-4o-transcribe-diarize", response_format="diarized_json")


def part(index: int = 0) -> SoundPart:
    """A minute in which every sample says its own second."""
    samples = np.repeat(np.arange(60, dtype=np.int16), HZ)[np.newaxis]
    return SoundPart(index, 60.0 * index, 60.0 * (index + 1), "recording.flac", b"", samples)


def body(*said: tuple[str, float, float]) -> Json:
    segments = [{"speaker": speaker, "start": start, "end": end, "text": "Hm."} for speaker, start, end in said]
    return {"text": "", "segments": segments}


def labels(learnt: Json) -> list[str]:
    return [segment["speaker"] for segment in learnt["segments"]]


def sound(url: str) -> np.ndarray:
    with wave.open(io.BytesIO(pybase64.b64decode(url.removeprefix("data:audio/wav;base64,")))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (HZ, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def test_a_voice_is_sent_along_with_the_next_part_and_keeps_its_letter():
    memory = SpeakerMemory()
    assert labels(memory.learn(part(), body(("A", 0, 3), ("B", 4, 7), ("A", 10, 15)))) == ["A", "B", "A"]
    request = memory.request_for(REQUEST)
    assert request.speaker_names == ("speaker A", "speaker B")
    longest, second = (sound(reference) for reference in request.speaker_references)
    assert (longest.min(), longest.max(), len(longest)) == (10, 14, 5 * HZ)
    assert (second.min(), second.max()) == (4, 6)
    # In the next part the model knows B, and calls somebody else A.
    assert labels(memory.learn(part(1), body(("speaker B", 0, 3), ("A", 3, 6)))) == ["B", "C"]


def test_ten_seconds_of_a_voice_are_enough():
    memory = SpeakerMemory()
    memory.learn(part(), body(("A", 0, 50)))
    (reference,) = memory.request_for(REQUEST).speaker_references
    assert len(sound(reference)) == 10 * HZ


def test_two_seconds_of_a_voice_are_the_least():
    memory = SpeakerMemory()
    memory.learn(part(), body(("A", 0, 1.5), ("A", 5, 6.9)))
    assert not memory.request_for(REQUEST).speaker_names
    assert labels(memory.learn(part(1), body(("A", 0, 1)))) == ["B"]  # it may be somebody else


def test_no_more_than_four_voices_are_sent():
    memory = SpeakerMemory()
    memory.learn(part(), body(*((letter, 3 * number, 3 * number + 3) for number, letter in enumerate("ABCDEF"))))
    assert len(memory.request_for(REQUEST).speaker_references) == 4


def test_a_server_that_compares_no_voices_gets_none():
    memory = SpeakerMemory()
    memory.learn(part(), body(("A", 0, 5)))
    assert memory.can_do_without
    memory.refer_no_more()
    assert memory.request_for(REQUEST) == REQUEST
    assert labels(memory.learn(part(1), body(("A", 0, 5)))) == ["B"]


def test_given_voices_have_their_names():
    memory = SpeakerMemory([KnownSpeaker("Ann", "Ann", "data:audio/wav;base64,")])
    assert not memory.can_do_without  # a server that takes none has to say so
    assert memory.request_for(REQUEST).speaker_names == ("Ann",)
    learnt = memory.learn(part(), body(("Ann", 0, 5), ("A", 5, 9)))
    assert labels(learnt) == ["Ann", "A"]
    assert learnt["text"] == "Ann: Hm.\nA: Hm."
    assert memory.request_for(REQUEST).speaker_names == ("Ann", "speaker A")


def test_given_names_without_voices_are_passed_on_in_every_part():
    memory = SpeakerMemory([KnownSpeaker("caller", "caller"), KnownSpeaker("bot", "bot")])
    for number in range(2):
        request = memory.request_for(REQUEST)
        assert (request.speaker_names, request.speaker_references) == (("caller", "bot"), ())
        assert labels(memory.learn(part(number), body(("bot", 0, 5), ("caller", 5, 9)))) == ["bot", "caller"]


@pytest.mark.parametrize("count", [28])
def test_after_z_come_two_letters(count: int):
    memory = SpeakerMemory()
    found = [labels(memory.learn(part(number), body(("A", 0, 1))))[0] for number in range(count)]
    assert found[24:] == ["Y", "Z", "AA", "AB"]

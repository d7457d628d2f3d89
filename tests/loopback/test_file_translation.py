"""A Spanish recording, longer than a part, into English with a Whisper that knows many languages."""

from pathlib import Path

import numpy as np
import pytest

from bot.analysis.asking import Answer
from bot.analysis.file_transcription import FileTranscription, Manner
from bot.analysis.rendering import rendered
from bot.analysis.sound_parts import Cutting, SoundPart, flac
from bot.config import ModelServerConfig
from bot.errors import VoiceError
from bot.local.serving import serving
from bot.local.sound_files import RATE_HZ, SoundFile
from bot.speech.openai_client import OpenAIClient
from bot.speech.requests import TranslationRequest
from tests.support.multilingual import multilingual_bot
from tests.support.words import normalised


class Counted:
    def __init__(self) -> None:
        self.parts = 0

    def begun(self, seconds: float) -> None: ...

    def words(self, text: str) -> None: ...

    def finished(self, part: SoundPart, answer: Answer) -> None:
        self.parts += 1

    def trying_again(self, part: SoundPart, error: VoiceError) -> None: ...


async def test_a_long_recording_is_translated_part_by_part(
    data: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
):
    sound = SoundFile((data / "speech-other" / "es-ms-luna.flac").read_bytes())
    question = np.concatenate(list(sound.blocks()), axis=1)
    path = tmp_path / "two.flac"
    path.write_bytes(flac(np.concatenate([question, np.zeros((1, RATE_HZ), np.int16), question], axis=1)))
    counted = Counted()
    async with serving(multilingual_bot(tmp_path_factory)) as url:
        client = OpenAIClient(ModelServerConfig(base_url=url), timeout_s=60)
        await client.start()
        request = TranslationRequest("whisper-1", response_format="vtt")
        transcript = await FileTranscription(client, path, request, Manner(Cutting(longest_s=9.0)), counted).run()
        await client.close()
    assert counted.parts == 2
    assert (transcript.body["task"], transcript.body["language"]) == ("translate", "english")
    for half in normalised(transcript.body["text"])[:16], normalised(transcript.body["text"])[16:]:
        assert {"distance", "moon", "mountain"} <= set(half)
    assert rendered(transcript.body, "vtt").startswith("WEBVTT\n\n00:00:0")
    later = [one["start"] for one in transcript.body["segments"] if one["start"] > 6]
    assert later[0] == pytest.approx(7.2, abs=0.5)

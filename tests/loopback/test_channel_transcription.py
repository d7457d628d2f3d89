"""Two-channel recordings, a speaker on each: who said what and when, with models that tell times and with others."""

import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from bot.analysis.asked_for import Options, goes_by_turn, request
from bot.analysis.asking import Answer
from bot.analysis.channels import ChannelTranscription
from bot.analysis.file_transcription import Manner
from bot.analysis.outputs import Transcript
from bot.analysis.rendering import rendered
from bot.analysis.sound_parts import Cutting, SoundPart, flac
from bot.config import ModelServerConfig
from bot.errors import VoiceError
from bot.local.serving import serving
from bot.local.sound_files import RATE_HZ
from bot.speech.engine_names import parse
from bot.speech.openai_client import OpenAIClient
from tests.support.local_server import BUSINESS
from tests.support.long_recording import Piece, piece
from tests.support.words import normalised

pytestmark = pytest.mark.asyncio(loop_scope="module")

BOTH = pytest.mark.parametrize("model", ["local:whisper-tiny.en", "openai:gpt-transcribe"])


class Quiet:
    def begun(self, seconds: float) -> None: ...

    def words(self, text: str) -> None: ...

    def finished(self, part: SoundPart, answer: Answer) -> None: ...

    def trying_again(self, part: SoundPart, error: VoiceError) -> None: ...


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client() -> AsyncIterator[OpenAIClient]:
    async with serving(BUSINESS) as url:
        connected = OpenAIClient(ModelServerConfig(base_url=url), timeout_s=50)
        await connected.start()
        yield connected
        await connected.close()


@pytest.fixture(scope="module")
def said(data: Path) -> Sequence[tuple[int, Piece]]:
    """Who says what; the second speaks while the first pauses."""
    files = {one["file"]: one for one in json.loads((data / "manifest.json").read_text())["files"]}
    names = ["google-brooklyn-bridge", "ls-3331-159605-0005", "harvard-spk1_snt1", "arctic-aew_a0003"]
    found = [piece(data / f"speech-en/{name}.flac", files[f"speech-en/{name}.flac"]["transcript"]) for name in names]
    return [(number % 2, one) for number, one in enumerate(found) if one is not None]


@pytest.fixture(scope="module")
def call(said: Sequence[tuple[int, Piece]], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[float]]:
    """The recording, and where each speaker begins."""
    both: list[list[np.ndarray]] = [[], []]
    begins, length = [], 0
    for channel, one in said:
        begins.append(length / RATE_HZ + one.begin_s)
        sound = np.append(one.pcm, np.zeros(RATE_HZ, np.int16))
        both[channel].append(sound)
        both[1 - channel].append(np.zeros_like(sound))
        length += len(sound)
    path = tmp_path_factory.mktemp("call") / "call.flac"
    path.write_bytes(flac(np.stack([np.concatenate(channel) for channel in both])))
    return path, begins


async def transcribed(client: OpenAIClient, path: Path, model: str, response_format: str = "json") -> Transcript:
    name = parse(model)
    asked = request(name, Options(response_format=response_format, by_channel=True))
    manner = Manner(Cutting(by_turn=goes_by_turn(name)))
    work = ChannelTranscription(client, path, asked, manner, Quiet(), ("caller", "bot"), response_format)
    return await work.run()


@BOTH
async def test_who_said_what_comes_in_order(
    client: OpenAIClient, call: tuple[Path, list[float]], said: Sequence[tuple[int, Piece]], model: str
):
    body = (await transcribed(client, call[0], model, "diarized_json")).body
    lines = [(one["speaker"], normalised(one["text"])[-2:]) for one in body["segments"]]
    assert lines == [(("caller", "bot")[channel], normalised(one.text)[-2:]) for channel, one in said]
    assert [one["start"] for one in body["segments"]] == pytest.approx(call[1], abs=0.2)
    assert body["text"].startswith("caller: How old is the Brooklyn Bridge?\nbot: ")


@BOTH
async def test_subtitles_name_who_speaks(client: OpenAIClient, call: tuple[Path, list[float]], model: str):
    transcript = await transcribed(client, call[0], model, "srt")
    cues = rendered(transcript.body, "srt").strip().split("\n\n")
    assert [cue.splitlines()[2].partition(":")[0] for cue in cues] == ["caller", "bot", "caller", "bot"]


async def test_of_one_channel_there_is_nothing_to_tell_apart(client: OpenAIClient, data: Path):
    with pytest.raises(VoiceError, match="has one channel"):
        await transcribed(client, data / "speech-en" / "jfk-inaugural.flac", "openai:gpt-transcribe")

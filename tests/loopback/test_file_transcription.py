"""Recordings longer than a part: cut, transcribed by the real local models behind a real server, and joined."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from aiohttp import web

from bot.analysis.asked_for import FileRequest
from bot.analysis.asking import Answer
from bot.analysis.file_transcription import FileTranscription, Manner, PartFailedError
from bot.analysis.outputs import Transcript
from bot.analysis.rendering import rendered
from bot.analysis.sound_parts import Cutting, SoundPart, flac
from bot.config import ModelServerConfig
from bot.errors import VoiceError
from bot.local.serving import serving
from bot.local.sound_files import RATE_HZ, SoundFile
from bot.speech.openai_client import OpenAIClient
from bot.speech.requests import TranscriptionRequest
from tests.support.joins import differences_around, is_inside_a_word, said, said_in_pieces
from tests.support.local_server import BUSINESS
from tests.support.long_recording import Piece, Placed, piece, put_together
from tests.support.upload_relay import UploadRelay, broken, upload_relay
from tests.support.words import normalised, word_errors

pytestmark = pytest.mark.asyncio(loop_scope="module")

PART_S = 25.0
SECONDS = 100.0


class Watched:
    """A watcher that remembers."""

    def __init__(self) -> None:
        self.parts: list[SoundPart] = []
        self.retried: list[int] = []
        self.text = ""
        self.seconds = 0.0

    def begun(self, seconds: float) -> None:
        self.seconds = seconds

    def words(self, text: str) -> None:
        self.text += text

    def finished(self, part: SoundPart, answer: Answer) -> None:
        self.parts.append(part)

    def trying_again(self, part: SoundPart, error: VoiceError) -> None:
        self.retried.append(part.index)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url() -> AsyncIterator[str]:
    async with serving(BUSINESS) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def relay(url: str) -> AsyncIterator[UploadRelay]:
    async with upload_relay(url) as running:
        yield running


@pytest.fixture(scope="module")
def pieces(data: Path) -> Sequence[Piece]:
    files = json.loads((data / "manifest.json").read_text())["files"]
    readings = [one for one in files if one["file"].startswith("speech-en/")]
    found = [piece(data / one["file"], one["transcript"]) for one in readings]
    return [one for one in found if one is not None]


@pytest.fixture(scope="module")
def long(pieces: Sequence[Piece], data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Placed]]:
    babble = np.concatenate(
        list(SoundFile((data / "noise" / "babble-8-talkers.flac").read_bytes()).blocks()), axis=1
    ).mean(axis=0)
    pcm, placed = put_together(pieces, SECONDS, babble.astype(np.int16), seed=5)
    path = tmp_path_factory.mktemp("long") / "call 0151 234567.flac"
    path.write_bytes(flac(pcm[np.newaxis]))
    return path, placed


@pytest.fixture(scope="module")
def short(pieces: Sequence[Piece], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four questions with a second between them; cut every three seconds, it has a part for each."""
    (question,) = [one for one in pieces if one.name.startswith("google")]
    path = tmp_path_factory.mktemp("short") / "short.flac"
    path.write_bytes(flac(np.concatenate([np.append(question.pcm, np.zeros(RATE_HZ, np.int16))] * 4)[np.newaxis]))
    return path


@asynccontextmanager
async def client(url: str) -> AsyncIterator[OpenAIClient]:
    connected = OpenAIClient(ModelServerConfig(base_url=url), timeout_s=50, retries=0)
    await connected.start()
    try:
        yield connected
    finally:
        await connected.close()


async def transcribed(
    url: str, path: Path, request: FileRequest, watched: Watched | None = None, **how: object
) -> Transcript:
    manner = Manner(Cutting(longest_s=how.pop("part_s", PART_S)), patience_s=(0.0, 0.0), **how)  # type: ignore[arg-type]
    async with client(url) as connected:
        return await FileTranscription(connected, path, request, manner, watched or Watched()).run()


VERBOSE = TranscriptionRequest("whisper-tiny.en", response_format="verbose_json", granularities=("word", "segment"))
QUESTION = "How old is the Brooklyn Bridge?"


async def test_where_a_long_recording_is_cut_no_word_is_lost_or_doubled(
    url: str, long: tuple[Path, list[Placed]], pieces: Sequence[Piece], tmp_path: Path
):
    path, placed = long
    watched = Watched()
    body = (await transcribed(url, path, VERBOSE, watched)).body
    starts = sorted(part.start_s for part in watched.parts)
    assert len(starts) > 4
    alone = {}
    for number, one in enumerate(pieces):
        file = tmp_path / f"{number}.flac"
        file.write_bytes(flac(one.pcm[np.newaxis]))
        alone[one.name] = (await transcribed(url, file, VERBOSE)).body["words"]
    expected = said_in_pieces(placed, alone)
    for cut_s in starts[1:]:
        assert not is_inside_a_word(cut_s, expected)
        found = differences_around(cut_s, expected, said(body["words"]), span_s=4.0)
        assert [one for one in found if one.lost or one.doubled] == []
    wrong, count = word_errors(" ".join(one.piece.text for one in placed), body["text"])
    assert wrong / count < 0.1

    words, segments = body["words"], body["segments"]
    assert [word["start"] for word in words] == sorted(word["start"] for word in words)
    begins, ends = (np.array([word[edge] for word in words]) for edge in ("start", "end"))
    assert np.mean([np.abs(begins - one.begin_s).min() < 0.2 for one in placed]) > 0.95
    assert np.mean([np.abs(ends - one.end_s).min() < 0.2 for one in placed]) > 0.8
    assert [segment["id"] for segment in segments] == list(range(len(segments)))
    assert body["duration"] == pytest.approx(watched.seconds, abs=0.01)
    assert body["usage"]["seconds"] >= body["duration"]


async def test_subtitles_of_a_long_recording_are_numbered_through(url: str, short: Path):
    result = await transcribed(url, short, TranscriptionRequest("whisper-1", response_format="srt"), part_s=3.0)
    blocks = [block.splitlines() for block in rendered(result.body, "srt").strip().split("\n\n")]
    assert [block[0] for block in blocks] == ["1", "2", "3", "4"]
    assert [normalised(block[2]) for block in blocks] == [normalised(QUESTION)] * 4
    begins = [float(block[1][6:8]) + float(block[1][9:12]) / 1000 for block in blocks]
    assert np.diff(begins) == pytest.approx([2.81] * 3, abs=0.1)


@pytest.mark.parametrize("response_format", ["text", "srt", "vtt"])
async def test_a_recording_sent_whole_comes_back_as_the_server_wrote_it(url: str, data: Path, response_format: str):
    path = data / "speech-en" / "jfk-inaugural.flac"
    async with client(url) as connected:
        direct = await connected.sdk.audio.transcriptions.create(
            file=path, model="whisper-1", response_format=response_format
        )
    result = await transcribed(url, path, TranscriptionRequest("whisper-1", response_format=response_format))
    assert result.written == direct
    joinable = await transcribed(
        url, path, TranscriptionRequest("whisper-1", response_format=response_format), as_json=True
    )
    assert joinable.written is None
    assert rendered(joinable.body, response_format) == direct


async def test_each_part_is_given_the_words_before_it_to_read(relay: UploadRelay, short: Path):
    request = TranscriptionRequest("gpt-4o-transcribe", prompt="Bridges of New York.")
    await transcribed(relay.url, short, request, part_s=3.0)
    first, *later = relay.values("prompt")
    assert first == "Bridges of New York."
    assert len(later) == 3
    assert all(prompt.startswith(first) and normalised(prompt)[4:] == normalised(QUESTION) for prompt in later)
    assert relay.most_under_way == 1


async def test_parts_that_wait_for_no_words_are_sent_together(relay: UploadRelay, short: Path):
    result = await transcribed(relay.url, short, TranscriptionRequest("whisper-tiny.en"), part_s=3.0)
    assert relay.values("prompt") == [""] * 4
    assert relay.most_under_way > 1
    assert normalised(result.body["text"]) == normalised(QUESTION) * 4


async def test_uploads_do_not_tell_what_the_file_is_called(relay: UploadRelay, long: tuple[Path, list[Placed]]):
    await transcribed(relay.url, long[0], TranscriptionRequest("whisper-tiny.en"), part_s=200.0)
    assert relay.values("file") == ["recording.flac"]


async def test_a_part_that_fails_is_asked_for_again(relay: UploadRelay, short: Path):
    relay.refuses = lambda number: broken() if number in (1, 2) else None
    watched = Watched()
    request = TranscriptionRequest("gpt-4o-transcribe")
    result = await transcribed(relay.url, short, request, watched, part_s=3.0)
    assert watched.retried == [1, 1]
    assert normalised(result.body["text"]) == normalised(QUESTION) * 4


async def test_what_fails_for_good_is_named_with_its_place_and_the_rest_is_kept(relay: UploadRelay, short: Path):
    relay.refuses = lambda number: broken() if number >= 2 else None
    manner = Manner(Cutting(longest_s=3.0), patience_s=(0.0, 0.0))
    request = TranscriptionRequest("gpt-4o-transcribe")
    async with client(relay.url) as connected:
        work = FileTranscription(connected, short, request, manner, Watched())
        with pytest.raises(
            PartFailedError, match=r"part 3 \(00:00:0\d to 00:00:0\d\) of short.flac failed: .*Too much"
        ):
            await work.run()
        assert len(relay.uploads) == 5  # two parts, and three tries of the third
        relay.refuses = lambda number: None
        result = await work.run()
    assert len(relay.uploads) == 7  # only the two that were missing
    assert normalised(result.body["text"]) == normalised(QUESTION) * 4


async def test_what_will_never_work_is_tried_once(relay: UploadRelay, short: Path):
    relay.refuses = lambda number: broken(400, "Invalid language.", "language")
    with pytest.raises(PartFailedError, match="Invalid language"):
        await transcribed(relay.url, short, TranscriptionRequest("gpt-4o-transcribe"), part_s=3.0)
    assert len(relay.uploads) == 1


async def test_words_are_told_as_they_come(url: str, data: Path):
    watched = Watched()
    path = data / "speech-en" / "jfk-inaugural.flac"
    result = await transcribed(url, path, TranscriptionRequest("gpt-4o-transcribe", stream=True), watched)
    assert watched.text == result.body["text"]
    assert result.body["usage"]["type"] == "tokens"


@pytest.fixture
def two_channels(pieces: Sequence[Piece], tmp_path: Path) -> Path:
    """The caller left and the bot right take turns four times, with a second between them."""
    (question,) = [one.pcm for one in pieces if one.name.startswith("harvard-spk1_snt1")]
    (answer,) = [one.pcm for one in pieces if one.name.startswith("arctic")]
    pause = np.zeros(RATE_HZ, np.int16)
    left = [question, pause, np.zeros_like(answer), pause] * 4
    right = [np.zeros_like(question), pause, answer, pause] * 4
    path = tmp_path / "two.flac"
    path.write_bytes(flac(np.stack([np.concatenate(left), np.concatenate(right)])))
    return path


def who_said_what(result: Transcript) -> list[tuple[str, str]]:
    return [(one["speaker"], " ".join(normalised(one["text"])[:2])) for one in result.body["segments"]]


async def test_named_channels_keep_their_names_in_every_part(url: str, two_channels: Path):
    request = TranscriptionRequest(
        "gpt-4o-transcribe-diarize", response_format="diarized_json", chunking="auto", speaker_names=("caller", "bot")
    )
    manner = Manner(Cutting(longest_s=12.0, keeps_channels=True))
    async with client(url) as connected:
        result = await FileTranscription(connected, two_channels, request, manner, Watched()).run()
    assert who_said_what(result) == [("caller", "the child"), ("bot", "for the")] * 4
    assert result.body["text"].splitlines()[1].startswith("bot: For the")


async def test_where_a_server_knows_no_voices_nobody_is_taken_for_another(relay: UploadRelay, two_channels: Path):
    """It refuses the voices that were cut out of the first part, and is asked without them."""
    request = TranscriptionRequest("gpt-4o-transcribe-diarize", response_format="diarized_json", chunking="auto")
    manner = Manner(Cutting(longest_s=12.0, keeps_channels=True))
    watched = Watched()
    async with client(relay.url) as connected:
        result = await FileTranscription(connected, two_channels, request, manner, watched).run()
    assert len(watched.parts) > 1
    assert [len(one) > 0 for one in relay.values("known_speaker_references[]")][:3] == [False, True, False]
    assert watched.retried == [1]
    words = {(speaker, text) for speaker, text in who_said_what(result)}
    assert len({speaker for speaker, _ in words}) == len(words) > 2


async def test_speakers_come_line_by_line_in_a_stream_as_they_come_at_once(url: str, two_channels: Path):
    request = TranscriptionRequest(
        "gpt-4o-transcribe-diarize", response_format="diarized_json", chunking="auto", speaker_names=("caller", "bot")
    )
    watched = Watched()
    at_once = await transcribed(url, two_channels, request, part_s=60.0)
    streamed = await transcribed(url, two_channels, replace(request, stream=True), watched, part_s=60.0)
    assert streamed.body["segments"] == at_once.body["segments"]
    assert streamed.body["text"] == at_once.body["text"]
    assert streamed.body["duration"] == at_once.body["duration"]
    assert normalised(watched.text) == normalised(" ".join(one["text"] for one in at_once.body["segments"]))


async def test_what_breaks_off_a_stream_is_a_sentence(relay: UploadRelay, data: Path):
    """The server ends its answer before the last event."""
    unfinished = 'data: {"type": "transcript.text.delta", "delta": "Ask"}\n\n'
    relay.refuses = lambda number: web.Response(text=unfinished, content_type="text/event-stream")
    path = data / "speech-en" / "google-brooklyn-bridge.flac"
    with pytest.raises(PartFailedError, match="broke off its stream, or does not stream"):
        await transcribed(relay.url, path, TranscriptionRequest("gpt-4o-transcribe", stream=True))


async def test_what_is_no_transcript_is_a_sentence(relay: UploadRelay, data: Path):
    path = data / "speech-en" / "google-brooklyn-bridge.flac"
    for text in ('{"hello": "there"}', "[1]", "<html>"):
        relay.refuses = lambda number, text=text: web.Response(text=text, content_type="application/json")
        with pytest.raises(PartFailedError, match="base_url"):
            await transcribed(relay.url, path, TranscriptionRequest("gpt-4o-transcribe"))

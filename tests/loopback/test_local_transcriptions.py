"""Recordings of people sent to the local server by OpenAI's own client: every format, parameter and refusal."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import openai
import pytest
import pytest_asyncio

from tests.support.local_server import local_client, samples_of, sound_file
from tests.support.words import normalised, word_errors

pytestmark = pytest.mark.asyncio(loop_scope="module")

KENNEDY = "And so, my fellow Americans, ask not what your country can do for you, ask what you can do for your country."


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client() -> AsyncIterator[openai.AsyncOpenAI]:
    async with local_client() as connected:
        yield connected


@pytest.fixture
def kennedy(data: Path) -> Path:
    return data / "speech-en" / "jfk-inaugural.flac"


async def transcribe(client: openai.AsyncOpenAI, file: Any, model: str = "whisper-1", **how: Any) -> Any:
    return await client.audio.transcriptions.create(file=file, model=model, **how)


def is_kennedy(text: str) -> bool:
    return word_errors(KENNEDY, text)[0] <= 1


async def test_json_has_the_words_and_counts_whole_seconds(client: openai.AsyncOpenAI, kennedy: Path):
    heard = await transcribe(client, kennedy)
    assert is_kennedy(heard.text)
    assert heard.usage.model_dump() == {"type": "duration", "seconds": 11}


@pytest.mark.parametrize("model", ["gpt-transcribe", "gpt-4o-mini-transcribe-2025-12-15", "whisper-tiny.en"])
async def test_every_name_that_programs_come_with_is_served(client: openai.AsyncOpenAI, kennedy: Path, model: str):
    assert is_kennedy((await transcribe(client, kennedy, model)).text)


async def test_text_is_one_line(client: openai.AsyncOpenAI, kennedy: Path):
    text = await transcribe(client, kennedy, response_format="text")
    assert is_kennedy(text)
    assert text.endswith("country.\n")


async def test_verbose_json_has_segments_with_whispers_own_figures(client: openai.AsyncOpenAI, kennedy: Path):
    heard = await transcribe(client, kennedy, response_format="verbose_json")
    assert (heard.language, heard.duration, heard.words) == ("english", 11.0, None)
    assert heard.model_extra == {"task": "transcribe"}
    assert "".join(segment.text for segment in heard.segments).strip() == heard.text
    for number, segment in enumerate(heard.segments):
        assert segment.id == number
        assert 0 <= segment.start < segment.end <= 11
        assert -1 < segment.avg_logprob < 0
        assert 0 < segment.compression_ratio < 2.4
        assert segment.no_speech_prob < 0.5
        assert segment.temperature == 0
        assert segment.tokens[0] >= 50363  # a time stamp of the English models


async def test_words_are_bare_and_lie_where_they_are_said(client: openai.AsyncOpenAI, kennedy: Path):
    heard = await transcribe(client, kennedy, response_format="verbose_json", timestamp_granularities=["word"])
    assert heard.segments is None
    assert [word.word for word in heard.words][:5] == ["And", "so", "my", "fellow", "Americans"]
    starts = [word.start for word in heard.words]
    assert starts == sorted(starts)
    times = {word.word: (word.start, word.end) for word in heard.words}
    # As seen on the waveform: he pauses from 2.0 to 3.3 s, after "Americans", and from 4.3 to 5.4 s, after "ask not".
    assert times["Americans"][1] == pytest.approx(2.1, abs=0.2)
    assert heard.words[5].word == "ask"
    assert heard.words[5].start == pytest.approx(3.3, abs=0.1)
    assert times["not"][1] == pytest.approx(4.4, abs=0.2)


async def test_words_inside_a_sentence_lie_where_they_are_said(client: openai.AsyncOpenAI, kennedy: Path):
    heard = await transcribe(client, kennedy, response_format="verbose_json", timestamp_granularities=["word"])
    # Beginnings as a forced aligner (PocketSphinx) finds them, of the words that do not follow a pause.
    aligned_s = {"so": 0.63, "my": 0.97, "fellow": 1.24, "Americans": 1.63, "your": 5.61, "can": 6.43, "do": 6.66}
    found_s: dict[str, float] = {}
    for word in heard.words:
        found_s.setdefault(word.word, word.start)
    late_s = [found_s[word] - at_s for word, at_s in aligned_s.items()]
    assert median(late_s) == pytest.approx(0, abs=0.06)
    assert max(map(abs, late_s)) < 0.2


async def test_words_and_segments_come_together_when_both_are_wanted(client: openai.AsyncOpenAI, kennedy: Path):
    heard = await transcribe(
        client, kennedy, response_format="verbose_json", timestamp_granularities=["word", "segment"]
    )
    assert heard.words
    assert heard.segments


async def test_subtitles_say_the_same_in_both_their_ways(client: openai.AsyncOpenAI, kennedy: Path):
    srt = await transcribe(client, kennedy, response_format="srt")
    vtt = await transcribe(client, kennedy, response_format="vtt")
    assert re.fullmatch(r"(\d\n00:00:\d\d,\d{3} --> 00:00:\d\d,\d{3}\n[^\n]+\n\n)+", srt)
    without_numbers = re.sub(r"^\d\n", "", srt, flags=re.MULTILINE)
    assert vtt == "WEBVTT\n\n" + re.sub(r"(\d\d),(\d{3})", r"\1.\2", without_numbers)


async def test_a_stream_gives_word_by_word_what_its_end_says_whole(client: openai.AsyncOpenAI, kennedy: Path):
    stream = await transcribe(client, kennedy, "gpt-4o-transcribe", stream=True, include=["logprobs"])
    events = [event async for event in stream]
    *deltas, done = events
    assert {event.type for event in deltas} == {"transcript.text.delta"}
    assert done.type == "transcript.text.done"
    assert is_kennedy(done.text)
    assert "".join(event.delta for event in deltas) == done.text
    tokens = [token for event in deltas for token in event.logprobs]
    assert [token.logprob for token in tokens] == [token.logprob for token in done.logprobs]
    assert bytes(byte for token in tokens for byte in token.bytes).decode().strip() == done.text
    assert done.usage.output_tokens == len(tokens)
    assert done.usage.input_token_details.audio_tokens == 110


async def test_whisper_ignores_that_a_stream_is_wanted(client: openai.AsyncOpenAI, kennedy: Path):
    answer = await client.audio.transcriptions.with_raw_response.create(file=kennedy, model="whisper-1", stream=True)
    assert answer.headers["content-type"].startswith("application/json")


async def test_logprobs_are_those_of_the_words(client: openai.AsyncOpenAI, kennedy: Path):
    heard = await transcribe(client, kennedy, "gpt-4o-mini-transcribe", include=["logprobs"])
    assert "".join(token.token for token in heard.logprobs).strip() == heard.text
    assert all(-5 < token.logprob <= 0 for token in heard.logprobs)


async def test_a_prompt_changes_how_things_are_written(client: openai.AsyncOpenAI, data: Path):
    file = data / "speech-en" / "google-brooklyn-bridge.flac"
    plain = await transcribe(client, file)
    shouted = await transcribe(client, file, prompt="HOW MANY PEOPLE LIVE THERE? HOW FAR IS IT? HOW TALL IS THE TOWER?")
    assert normalised(plain.text) == normalised(shouted.text) == normalised("how old is the Brooklyn Bridge")
    assert plain.text.startswith("How ")
    assert shouted.text.startswith("HOW ")


async def test_languages_are_told_by_the_newest_model(client: openai.AsyncOpenAI, kennedy: Path):
    heard = await transcribe(client, kennedy, "gpt-transcribe", languages=["en", "fr"], keywords=["Americans"])
    assert [language.code for language in heard.languages] == ["en"]
    assert is_kennedy(heard.text)


async def test_noise_holds_no_words(client: openai.AsyncOpenAI, data: Path):
    heard = await transcribe(client, data / "noise" / "cough.wav", response_format="verbose_json")
    assert (heard.text, heard.segments) == ("", [])


@pytest.mark.parametrize("chunking", ["auto", {"type": "server_vad", "threshold": 0.4, "silence_duration_ms": 400}])
async def test_chunks_are_made_as_asked(client: openai.AsyncOpenAI, kennedy: Path, chunking: Any):
    assert is_kennedy((await transcribe(client, kennedy, "gpt-4o-transcribe", chunking_strategy=chunking)).text)


async def test_plain_field_names_and_json_work_as_people_with_curl_write_them(
    client: openai.AsyncOpenAI, kennedy: Path
):
    heard = await client.post(
        "/audio/transcriptions",
        body={"model": "whisper-1", "response_format": "verbose_json", "timestamp_granularities": "word",
              "chunking_strategy": '{"type": "server_vad"}'},
        files=[("file", ("call.flac", kennedy.read_bytes()))],
        options={"headers": {"Content-Type": "multipart/form-data"}},
        cast_to=dict[str, Any],
    )  # fmt: skip
    assert is_kennedy(heard["text"])
    assert heard["words"][0]["word"] == "And"


async def test_a_recording_longer_than_a_window_loses_and_doubles_nothing(client: openai.AsyncOpenAI, data: Path):
    texts = {
        "jfk-inaugural": KENNEDY,
        "google-brooklyn-bridge": "How old is the Brooklyn Bridge?",
        "ms-whatstheweatherlike": "What's the weather like?",
        "ls-1272-128104-0000": "Mister Quilter is the apostle of the middle classes, and we are glad to welcome his "
        "gospel.",
    }
    spoken, starts, at = [], [], 0.0
    for name in [*texts] * 6:  # about two minutes and a half: more than one part
        samples, rate_hz = samples_of((data / "speech-en" / f"{name}.flac").read_bytes())
        assert rate_hz == 16_000
        starts.append(at)
        spoken += [samples, np.zeros((1, 12_800), np.int16)]
        at += samples.shape[1] / 16_000 + 0.8
    file = sound_file(np.concatenate(spoken, axis=1), 16_000, "flac", "flac")
    heard = await transcribe(
        client, ("long.flac", file), response_format="verbose_json", timestamp_granularities=["word", "segment"]
    )
    wrong, words = word_errors(" ".join([*texts.values()] * 6), heard.text)
    assert wrong / words < 0.06
    assert heard.duration == pytest.approx(at, abs=0.01)
    bridges = [word.end for word in heard.words if word.word == "Bridge"]
    lasts = [start + 1.72 for start in starts[1::4]]  # where "Bridge" ends in the recording
    assert len(bridges) == 6
    assert max(abs(found - real) for found, real in zip(bridges, lasts, strict=True)) < 0.2


async def two_speakers(data: Path) -> bytes:
    """A call: the agent left, the customer right, each silent while the other speaks."""
    agent, rate_hz = samples_of((data / "speech-en" / "ms-whatstheweatherlike.flac").read_bytes())
    customer, other_hz = samples_of((data / "speech-en" / "google-brooklyn-bridge.flac").read_bytes())
    assert rate_hz == other_hz
    call = np.zeros((2, agent.shape[1] * 2 + customer.shape[1] + 3 * rate_hz), np.int16)
    call[0, : agent.shape[1]] = agent[0]
    second = agent.shape[1] + rate_hz
    call[1, second : second + customer.shape[1]] = customer[0]
    third = second + customer.shape[1] + rate_hz
    call[0, third : third + agent.shape[1]] = agent[0]
    return sound_file(call, rate_hz)


async def test_a_call_of_two_channels_is_told_apart_by_them(client: openai.AsyncOpenAI, data: Path):
    heard = await transcribe(
        client,
        ("call.wav", await two_speakers(data)),
        "gpt-4o-transcribe-diarize",
        response_format="diarized_json",
        chunking_strategy="auto",
    )
    assert [segment.speaker for segment in heard.segments] == ["A", "B", "A"]
    assert [segment.id for segment in heard.segments] == ["seg_001", "seg_002", "seg_003"]
    assert "Brooklyn Bridge" in heard.segments[1].text
    assert "weather" in heard.segments[2].text
    assert heard.segments[0].end <= heard.segments[1].start
    assert heard.segments[1].end <= heard.segments[2].start
    assert heard.text.splitlines()[1].startswith("B: How old")


async def test_known_speakers_name_the_channels_left_first(client: openai.AsyncOpenAI, data: Path):
    stream = await transcribe(
        client,
        ("call.wav", await two_speakers(data)),
        "gpt-4o-transcribe-diarize",
        response_format="diarized_json",
        known_speaker_names=["agent", "customer"],
        stream=True,
    )
    events = [event async for event in stream]
    segments = [event for event in events if event.type == "transcript.text.segment"]
    assert [segment.speaker for segment in segments] == ["agent", "customer", "agent"]
    second = [event.delta for event in events if getattr(event, "segment_id", None) == "seg_002"]
    assert "".join(second).strip() == segments[1].text


async def refused(client: openai.AsyncOpenAI, file: Any, model: str = "whisper-1", **how: Any) -> openai.APIStatusError:
    with pytest.raises(openai.APIStatusError) as caught:
        await transcribe(client, file, model, **how)
    return caught.value


async def test_one_channel_is_not_told_apart_and_why_is_said(client: openai.AsyncOpenAI, kennedy: Path):
    error = await refused(client, kennedy, "gpt-4o-transcribe-diarize", response_format="diarized_json")
    assert (error.status_code, error.param) == (400, "file")
    assert "two channels" in error.message


async def test_the_same_sound_on_both_channels_is_not_told_apart(client: openai.AsyncOpenAI, kennedy: Path):
    samples, rate_hz = samples_of(kennedy.read_bytes())
    file = sound_file(np.concatenate([samples, samples]), rate_hz)
    error = await refused(client, ("call.wav", file), "gpt-4o-transcribe-diarize", response_format="diarized_json")
    assert error.status_code == 400
    assert "the same sound" in error.message


async def test_references_of_voices_are_refused_with_what_to_do_instead(client: openai.AsyncOpenAI, data: Path):
    error = await refused(
        client,
        ("call.wav", await two_speakers(data)),
        "gpt-4o-transcribe-diarize",
        response_format="diarized_json",
        known_speaker_names=["agent"],
        known_speaker_references=["data:audio/wav;base64,UklGRg=="],
    )
    assert error.param == "known_speaker_references"
    assert "name the channels" in error.message


async def test_a_model_that_is_none_does_not_exist(client: openai.AsyncOpenAI, kennedy: Path):
    error = await refused(client, kennedy, "whisper-9000")
    assert isinstance(error, openai.NotFoundError)
    assert (error.code, error.param) == ("model_not_found", "model")


@pytest.mark.parametrize(
    ("file", "code", "words"),
    [
        (("call.wav", b""), None, "empty"),
        (("call.mp3", b"no sound at all " * 100), "invalid_value", "corrupted or unsupported"),
        (("call.doc", b"no sound at all " * 100), None, "Invalid file format"),
        (("call.wav", sound_file(np.ones((1, 700)), 8000)), "audio_too_short", "0.1 seconds"),
    ],
)
async def test_a_file_without_sound_is_the_senders_fault(
    client: openai.AsyncOpenAI, file: Any, code: str | None, words: str
):
    error = await refused(client, file)
    assert isinstance(error, openai.BadRequestError)
    assert (error.code, error.param) == (code, "file")
    assert words in error.message


async def test_a_file_above_25_mb_is_too_large(client: openai.AsyncOpenAI):
    error = await refused(client, ("call.wav", bytes(26_214_401)))
    assert error.status_code == 413
    assert "Maximum content size limit (26214400) exceeded" in error.message


@pytest.mark.parametrize(
    ("how", "param", "words"),
    [
        ({"model": "gpt-4o-transcribe", "response_format": "srt"}, "response_format", "not compatible"),
        ({"response_format": "diarized_json"}, "response_format", "not compatible"),
        ({"timestamp_granularities": ["word"]}, "timestamp_granularities", "verbose_json"),
        ({"include": ["logprobs"]}, "include", "not supported with model 'whisper-1'"),
        ({"model": "gpt-4o-transcribe-diarize", "prompt": "Offhook"}, "prompt", "not supported with model"),
        ({"temperature": 2}, "temperature", "between 0 and 1"),
        ({"language": "english please"}, "language", "ISO-639-1"),
        ({"language": "de"}, "language", "multilingual Whisper"),
        ({"chunking_strategy": {"type": "server_vad", "threshold": "loud"}}, "chunking_strategy", "threshold"),
        ({"model": "tts-1"}, "model", "not supported for /v1/audio/transcriptions"),
    ],
)
async def test_a_wrong_combination_says_why(
    client: openai.AsyncOpenAI, kennedy: Path, how: dict[str, Any], param: str, words: str
):
    error = await refused(client, kennedy, **how)
    assert isinstance(error, openai.BadRequestError)
    assert error.param == param
    assert words in error.message
    assert error.request_id


async def test_translation_with_the_english_model_says_what_to_configure(client: openai.AsyncOpenAI, kennedy: Path):
    with pytest.raises(openai.BadRequestError, match="a multilingual Whisper"):
        await client.audio.translations.create(file=kennedy, model="whisper-1")


async def test_whoever_hangs_up_early_leaves_no_error_behind(
    client: openai.AsyncOpenAI, data: Path, caplog: pytest.LogCaptureFixture
):
    people = [samples_of(file.read_bytes()) for file in sorted((data / "speech-en").glob("ls-*.flac"))]
    long = sound_file(np.concatenate([samples for samples, _ in people] * 2, axis=1), 16_000)
    impatient = client.with_options(timeout=0.4)
    with pytest.raises(openai.APITimeoutError):
        await transcribe(impatient, ("long.wav", long))
    with pytest.raises(openai.APITimeoutError):
        await transcribe(impatient, ("long.wav", long), "gpt-4o-transcribe", stream=True)
    heard = await transcribe(client, data / "speech-en" / "google-brooklyn-bridge.flac", response_format="srt")
    assert "Brooklyn" in heard
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_many_files_at_a_time_are_all_heard(client: openai.AsyncOpenAI, data: Path):
    file = data / "speech-en" / "google-brooklyn-bridge.flac"
    heard = await asyncio.gather(*(transcribe(client, file) for _ in range(8)))
    assert {one.text for one in heard} == {"How old is the Brooklyn Bridge?"}

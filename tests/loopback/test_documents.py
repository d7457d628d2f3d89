"""The examples of OpenAI's audio documents, as they stand there, by the client that waits, against `offhook local`.

Those that need an event loop, or a figure looked at, are elsewhere. The documents, example by example:

| document | example | test |
| --- | --- | --- |
| audio and speech | sound out of a text, `audio {voice, format}` | test_local_chat: text_is_answered_in_text_… |
| | sound in, `input_audio` | below; test_local_chat: sound_is_answered_… |
| | a voice agent that speaks and listens | test_local_realtime: a_spoken_question_is_understood_… |
| | a base URL other than OpenAI's | every test here |
| audio generation | the answer's id, expiry, data, transcript | test_local_chat: text_is_answered_in_text_and_sound |
| | the next turn by `audio.id` | below; test_local_chat: the_next_turn_names_the_answer_by_its_id |
| | text, sound, or both in; text or sound out | test_local_chat: five tests |
| | functions | test_local_chat: functions_that_the_receptionist_knows_are_called |
| | streamed sound | test_local_chat: a_stream_is_spoken_while_it_is_written |
| | a model whose name is off | below |
| API reference | speech into a file | below |
| | formats, speed, voices, instructions, streaming, events | test_local_speech |
| | transcription in each format, words, segments, logprobs | test_local_transcriptions |
| | translation | below (refused); test_local_multilingual (done) |
| | models | below |
| | errors | test_local_server; test_local_transcriptions; test_transcription_parameters |
| speech to text | each model, prompt, language, streaming | test_local_transcriptions |
| | streamed text of a finished file | below |
| | diarization with names in `extra_body` | below; test_local_transcriptions: known_speakers_name_the_channels_… |
| | a long file cut into parts, the part before as prompt | below |
| | other languages | test_local_multilingual |
| | correction of names by a text model | below (refused); test_local_chat: with_a_text_model_every_name_is_good |
| | live transcription | below |
| Realtime | text in, text out | below |
| | sound in, sound out; functions; interruption | test_local_realtime |
"""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import openai
import pytest
from openai.types.audio import TranscriptionTextDeltaEvent

from bot.rehearsal.audio import load_pcm
from media.frame import L16_8K, L16_24K
from media.transcode import Transcoder
from tests.support.local_server import samples_of, sound_file
from tests.support.words import word_errors

BRIDGE = "How old is the Brooklyn Bridge?"
WEATHER = "What's the weather like?"
TODAY = "Today is a wonderful day to build something people love!"


@pytest.fixture(scope="module")
def client(local_url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=local_url, api_key="any", max_retries=0, timeout=200) as connected:
        yield connected


@pytest.fixture
def bridge(data: Path) -> Path:
    return data / "speech-en" / "google-brooklyn-bridge.flac"


def is_heard(client: openai.OpenAI, path: Path, text: str) -> bool:
    """Whether Whisper understands a file, but for a word: Piper reads differently each time."""
    with path.open("rb") as file:
        return word_errors(text, client.audio.transcriptions.create(model="gpt-4o-transcribe", file=file).text)[0] <= 1


# -- text to speech ------------------------------------------------------------------------------------------------


def test_speech_goes_into_a_file_while_it_is_made(client: openai.OpenAI, tmp_path: Path):
    path = tmp_path / "speech.mp3"
    with client.audio.speech.with_streaming_response.create(
        model="gpt-4o-mini-tts", voice="coral", input=TODAY, instructions="Speak in a cheerful and positive tone."
    ) as response:
        response.stream_to_file(path)
    assert is_heard(client, path, TODAY)


def test_speech_goes_into_a_file_when_it_is_whole(client: openai.OpenAI, tmp_path: Path):
    path = tmp_path / "speech.wav"
    client.audio.speech.create(model="tts-1", voice="onyx", input=TODAY, response_format="wav").write_to_file(path)
    assert is_heard(client, path, TODAY)


# -- chat ----------------------------------------------------------------------------------------------------------


def test_a_conversation_by_the_name_of_a_model_that_is_off(client: openai.OpenAI, bridge: Path, tmp_path: Path):
    samples, rate_hz = samples_of(bridge.read_bytes())
    encoded = base64.b64encode(sound_file(samples, rate_hz)).decode()
    messages: list[Any] = [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is in this recording?"},
                {"type": "input_audio", "input_audio": {"data": encoded, "format": "wav"}},
            ],
        }
    ]

    def answer() -> Any:
        made = client.chat.completions.create(
            model="gpt-4o-audio-preview",
            modalities=["text", "audio"],
            audio={"voice": "alloy", "format": "wav"},
            messages=messages,
        )
        return made.choices[0].message

    first = answer()
    path = tmp_path / "bridge.wav"
    path.write_bytes(base64.b64decode(first.audio.data))
    assert first.audio.transcript == "The Brooklyn Bridge was opened in 1883."
    assert samples_of(path.read_bytes())[0].shape[1] > 24_000
    messages += [
        {"role": "assistant", "audio": {"id": first.audio.id}},
        {"role": "user", "content": "Could you say that again, please?"},
    ]
    assert answer().audio.transcript == first.audio.transcript


def test_names_cannot_be_corrected_without_a_text_model_and_what_to_configure_is_said(client: openai.OpenAI):
    system = "Correct any spelling discrepancies in the transcribed text. The names are: ZyntriQix, Digique Plus."
    with pytest.raises(openai.NotFoundError, match=r'chained\.responder = "openai:MODEL"') as refused:
        client.chat.completions.create(
            model="gpt-4.1",
            temperature=0,
            messages=[
                {"role": "system", "content": system},
                {"role": "user", "content": "Welcome to Cinetric's and Digi Q plus."},
            ],
        )
    assert (refused.value.code, refused.value.param) == ("model_not_found", "model")


# -- speech to text ------------------------------------------------------------------------------------------------


def test_a_finished_file_is_streamed_as_text(client: openai.OpenAI, bridge: Path):
    with bridge.open("rb") as file:
        stream = client.audio.transcriptions.create(
            model="gpt-4o-mini-transcribe", file=file, response_format="text", stream=True
        )
        *deltas, done = list(stream)
    assert all(isinstance(event, TranscriptionTextDeltaEvent) for event in deltas)
    assert done.type == "transcript.text.done"
    assert (done.text, "".join(event.delta for event in deltas)) == (BRIDGE, BRIDGE)


def test_speakers_are_named_as_in_the_example_by_an_extra_body(client: openai.OpenAI, data: Path):
    agent, rate_hz = samples_of((data / "speech-en" / "ms-whatstheweatherlike.flac").read_bytes())
    customer, _ = samples_of((data / "speech-en" / "google-brooklyn-bridge.flac").read_bytes())
    length = agent.shape[1] + customer.shape[1] + rate_hz
    call = np.zeros((2, length), np.int16)
    call[0, : agent.shape[1]] = agent[0]
    call[1, length - customer.shape[1] :] = customer[0]
    heard: Any = client.audio.transcriptions.create(
        model="gpt-4o-transcribe-diarize",
        file=("meeting.wav", sound_file(call, rate_hz)),
        response_format="diarized_json",
        chunking_strategy="auto",
        extra_body={"known_speaker_names": ["agent", "customer"]},
    )
    assert [segment.speaker for segment in heard.segments] == ["agent", "customer"]
    assert [word_errors(text, heard.segments[n].text)[0] for n, text in enumerate((WEATHER, BRIDGE))] == [0, 0]


def test_a_long_file_is_cut_in_a_pause_and_each_part_goes_on_from_the_one_before(client: openai.OpenAI, data: Path):
    """As PyDub does it: so many milliseconds of samples, exported as MP3."""
    files = ("google-brooklyn-bridge", "ms-whatstheweatherlike", "google-brooklyn-bridge")
    sounds = [samples_of((data / "speech-en" / f"{name}.flac").read_bytes())[0] for name in files]
    pause = np.zeros((1, 12_800), np.int16)
    whole = np.concatenate([piece for sound in sounds for piece in (sound, pause)], axis=1)
    cut = sounds[0].shape[1] + pause.shape[1] // 2
    before = ""
    for number, part in enumerate((whole[:, :cut], whole[:, cut:])):
        exported = (f"part-{number}.mp3", sound_file(part, 16_000, "mp3", "libmp3lame"))
        heard = client.audio.transcriptions.create(model="whisper-1", file=exported, prompt=before)
        before = f"{before} {heard.text}".strip()
    assert word_errors(f"{BRIDGE} {WEATHER} {BRIDGE}", before)[0] == 0


def test_a_translation_is_refused_by_the_english_model_and_what_to_configure_is_said(client: openai.OpenAI, data: Path):
    with (
        (data / "speech-other" / "es-ms-luna.flac").open("rb") as file,
        pytest.deprecated_call(),
        pytest.raises(openai.BadRequestError, match="knows English only") as refused,
    ):
        client.audio.translations.create(model="whisper-1", file=file)
    assert 'chained.transcriber = "local:PATH"' in refused.value.message


# -- models --------------------------------------------------------------------------------------------------------


def test_models_are_listed_with_their_last_day(client: openai.OpenAI):
    models = {model.id: model for model in client.models.list()}
    assert {"whisper-tiny.en", "piper-joe", "facts", "gpt-realtime-2.1", "gpt-4o-transcribe"} <= models.keys()
    assert str(client.models.retrieve("whisper-1").shutdown_date) == "2027-02-26"


# -- Realtime ------------------------------------------------------------------------------------------------------


def test_a_realtime_conversation_in_text(client: openai.OpenAI):
    with client.realtime.connect(model="gpt-realtime") as connection:
        connection.session.update(session={"type": "realtime", "output_modalities": ["text"]})
        connection.conversation.item.create(
            item={
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": "What are your opening hours?"}],
            }
        )
        connection.response.create()
        said = ""
        for event in connection:
            if event.type == "response.output_text.delta":
                said += event.delta
            elif event.type == "response.done":
                break
    assert said == "We are open from nine to six, Monday to Saturday."


@pytest.mark.parametrize(
    ("model", "detection"),
    [
        ("gpt-realtime-whisper", None),
        ("gpt-live-transcribe", None),
        ("gpt-4o-mini-transcribe", {"type": "server_vad", "silence_duration_ms": 500}),
        ("gpt-transcribe", {"type": "semantic_vad", "eagerness": "high"}),
    ],
)
def test_live_sound_is_written_down(client: openai.OpenAI, bridge: Path, model: str, detection: Any):
    transcoder = Transcoder(L16_8K, L16_24K)
    sound = transcoder.push(bytes(8000) + load_pcm(bridge) + bytes(24_000))
    with client.realtime.connect(extra_query={"intent": "transcription"}) as connection:
        connection.session.update(
            session={
                "type": "transcription",
                "audio": {
                    "input": {
                        "format": {"type": "audio/pcm", "rate": 24_000},
                        "transcription": {"model": model},  # type: ignore[typeddict-item]
                        "turn_detection": detection,
                    }
                },
            }
        )
        for offset in range(0, len(sound), 4800):
            connection.input_audio_buffer.append(audio=base64.b64encode(sound[offset : offset + 4800]).decode())
        if detection is None:
            connection.input_audio_buffer.commit()
        said = []
        for event in connection:
            if event.type == "conversation.item.input_audio_transcription.delta":
                said.append(event.delta)
            elif event.type == "conversation.item.input_audio_transcription.completed":
                break
            assert event.type not in ("error", "conversation.item.input_audio_transcription.failed"), event
    assert event.transcript == "".join(said or ()) == BRIDGE

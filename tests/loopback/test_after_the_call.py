"""What is made of a recording besides its words: names spelt right, the caller's mood, a summary to listen to.

The local server hears and speaks; behind it is a text model on loopback that works on what it is sent.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from bot.analysis.chat_model import ChatModel
from bot.analysis.correction import corrected
from bot.analysis.mood import ending, mood_of
from bot.analysis.spending import Tally
from bot.analysis.summary import fitting, read_out, spoken_summary, summary
from bot.config import BotConfig, ChainedConfig, ModelServerConfig, OpenAIConfig, PriceConfig
from bot.errors import VoiceError
from bot.local.serving import serving
from bot.speech.openai_client import OpenAIClient
from tests.support.local_server import BUSINESS, samples_of
from tests.support.name_model import NameModel, name_model
from tests.support.words import normalised

pytestmark = pytest.mark.asyncio(loop_scope="module")

NAMES = ["Millbrook Bicycles", "ZyntriQix"]
SAID = "Welcome to Milbrook bysicles. Your zinc tricks is ready."
SPELT = "Welcome to Millbrook Bicycles. Your ZyntriQix is ready."


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def names() -> AsyncIterator[NameModel]:
    async with name_model() as model:
        yield model


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(names: NameModel) -> AsyncIterator[OpenAIClient]:
    """The local server, whose text model is at the other one."""
    bot = BotConfig(name="reception", chained=ChainedConfig(responder="openai:names"))
    async with serving(bot, upstream=OpenAIConfig(base_url=names.url)) as url:
        connected = OpenAIClient(ModelServerConfig(base_url=url), timeout_s=50, retries=0)
        await connected.start()
        yield connected
        await connected.close()


@pytest.fixture
def model(client: OpenAIClient, names: NameModel) -> ChatModel:
    names.chatters = False
    return ChatModel(client, "gpt-4.1")


async def test_names_in_a_text_are_spelt_as_the_business_spells_them(model: ChatModel):
    found = await corrected({"text": SAID}, NAMES, model)
    assert found.body == {"text": SPELT}
    assert [edit.after for edit in found.taken] == ["Millbrook", "Bicycles.", "ZyntriQix"]


async def test_segments_and_words_keep_their_times(model: ChatModel):
    said = [" Welcome to Milbrook bysicles.", " Your zinc tricks is ready."]
    words = [
        {"word": word.strip("."), "start": number / 2, "end": number / 2 + 0.4}
        for number, word in enumerate(SAID.split())
    ]
    segments = [
        {"id": 0, "start": 0.0, "end": 1.9, "text": said[0]},
        {"id": 1, "start": 2.0, "end": 4.4, "text": said[1]},
    ]
    body = (await corrected({"text": SAID, "segments": segments, "words": words}, NAMES, model)).body
    assert body["text"] == SPELT
    assert [(one["start"], one["text"]) for one in body["segments"]] == [
        (0.0, " Welcome to Millbrook Bicycles."),
        (2.0, " Your ZyntriQix is ready."),
    ]
    assert [one["word"] for one in body["words"]] == SPELT.replace(".", "").split()
    times = {one["word"]: (one["start"], one["end"]) for one in body["words"]}
    assert times["ZyntriQix"] == (2.5, 3.4)
    assert times["ready"] == (4.0, 4.4)


async def test_speakers_lines_are_written_anew(model: ChatModel):
    segments = [{"id": "seg_001", "start": 0.0, "end": 1.9, "text": "At Milbrook.", "speaker": "bot"}]
    found = await corrected({"text": "bot: At Milbrook.", "segments": segments}, ["Millbrook"], model)
    assert found.body["text"] == "bot: At Millbrook."


async def test_what_a_model_adds_is_not_taken(model: ChatModel, names: NameModel):
    names.chatters = True
    found = await corrected({"text": SAID}, NAMES, model)
    assert "nine" not in found.body["text"]
    assert any("nine" in edit.after for edit in found.refused)


async def test_a_long_transcript_is_asked_for_in_pieces(model: ChatModel, names: NameModel):
    names.asked.clear()
    segments = [{"id": one, "start": one, "end": one + 1, "text": f" At Milbrook, {one}."} for one in range(800)]
    found = await corrected({"text": "", "segments": segments}, ["Millbrook"], model)
    assert len(names.asked) > 1
    assert [one["text"] for one in found.body["segments"]] == [f" At Millbrook, {one}." for one in range(800)]


async def test_what_it_costs_is_counted(client: OpenAIClient, names: NameModel):
    tally = Tally({"gpt-4.1": PriceConfig(text_in=10.0, text_out=100.0)})
    await corrected({"text": SAID}, NAMES, ChatModel(client, "gpt-4.1", tally))
    assert tally.requests == 1
    assert tally.usd == pytest.approx((tally.tokens["text_in"] * 10 + tally.tokens["text_out"] * 100) / 1e6)
    assert tally.usd > 0


async def test_a_mood_is_heard_with_its_reason(client: OpenAIClient, data: Path):
    recording = ending(data / "speech-en" / "harvard-spk1_snt1.flac")
    heard = await mood_of(recording, ChatModel(client, "gpt-audio-1.5"))
    assert (heard.mood, heard.reason) == ("calm", "The caller says nothing harsh.")


async def test_of_a_long_recording_the_end_is_listened_to(data: Path):
    samples, rate_hz = samples_of(ending(data / "speech-en" / "jfk-inaugural.flac", longest_s=3.0))
    assert samples.shape[1] / rate_hz == pytest.approx(3.5, abs=0.7)
    assert np.abs(samples).max() > 1000


async def test_what_is_no_mood_is_a_sentence(client: OpenAIClient, data: Path):
    """As of a server that answers from facts."""
    async with serving(BUSINESS) as url:
        connected = OpenAIClient(ModelServerConfig(base_url=url), timeout_s=50, retries=0)
        await connected.start()
        recording = ending(data / "speech-en" / "google-brooklyn-bridge.flac")
        with pytest.raises(VoiceError, match="names no mood, it answers"):
            await mood_of(recording, ChatModel(connected, "gpt-audio-1.5"))
        with pytest.raises(VoiceError, match="This server has no text model"):
            await corrected({"text": SAID}, NAMES, ChatModel(connected, "gpt-4.1"))
        await connected.close()


async def test_a_summary_is_written_and_read_out(client: OpenAIClient, model: ChatModel):
    text = await summary("Jack calls about his car. He wants it back. He is told when.", model, "Platinum Motors")
    assert text == "Jack calls about his car."
    sound = await read_out(text, client, "gpt-4o-mini-tts", "marin", "wav")
    samples, rate_hz = samples_of(sound)
    assert 1 < samples.shape[1] / rate_hz < 4


async def test_one_model_writes_and_speaks_it(client: OpenAIClient, tmp_path: Path):
    spoken = await spoken_summary("How old is the Brooklyn Bridge? Very old.", ChatModel(client, "gpt-audio"), "marin")
    assert spoken.text == "How old is the Brooklyn Bridge?"
    path = tmp_path / "summary.mp3"
    path.write_bytes(spoken.sound)
    heard = await client.sdk.audio.transcriptions.create(file=path, model="whisper-1")
    assert normalised(heard.text)[-2:] == ["brooklyn", "bridge"]


async def test_a_summary_that_is_too_long_to_be_read_ends_with_a_sentence():
    assert fitting("One is here. Two is there. Three.", longest=28) == "One is here. Two is there."
    assert 3800 < len(fitting("x" * 5000)) <= 4096

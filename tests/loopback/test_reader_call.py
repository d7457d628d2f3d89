"""Whole telephone calls in which a Realtime model reads what the bot says: real speech, and tones that are cut."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import numpy as np
import pytest

from bot.calllog.store import CallLog
from bot.config import ChainedConfig, Config, OpenAIConfig, StorageConfig
from bot.local.serving import serving
from bot.prompts import texts
from bot.rehearsal.caller import HangUp, Interrupt, Say, ScriptedCaller, Wait, WaitForReply
from bot.rehearsal.report import CallReport
from bot.rehearsal.stage import Stage, stage
from bot.rehearsal.studio import CallerVoice
from bot.rehearsal.tone_model import ToneModel
from bot.rehearsal.tone_script import Answer, Tone
from bot.rehearsal.tone_session import Manner
from bot.rehearsal.twilio import place_call
from bot.serving import completed
from bot.speech.local import LocalTranscriber
from tests.support.patient import PATIENT
from tests.support.tones import speech, tones_config
from tests.support.words import word_errors

READER = "openai-realtime:gpt-realtime-2.1-mini"
PREPARED = 9  # sentences of a bot whose sound is made before the first call
PREPARED_HZ = 700.0


async def dial(there: Stage, *steps: object) -> CallReport:
    report = await place_call(
        there.url,
        ScriptedCaller([*steps], noise_dbfs=-65.0),  # type: ignore[list-item]
        auth_token=there.auth_token,
        account_sid=there.account_sid,
        api=there.api,
        max_s=60,
    )
    await asyncio.wait_for(there.service.supervisor.empty(), 15)
    await there.service.feed.flush()
    return report


async def bot_turns(storage: StorageConfig):  # type: ignore[no-untyped-def]
    log = await CallLog.open(storage.database)
    try:
        [summary] = await log.list_calls()
        found = await log.get_call(summary.call_id)
    finally:
        await log.close()
    return [turn for turn in found.turns if turn.role == "bot"], found


async def test_the_caller_hears_the_words_of_the_bot_and_can_interrupt_them(tmp_path: Path):
    business = completed(Config()).bots[0]
    bot = msgspec.structs.replace(business, chained=ChainedConfig(speaker=READER), **PATIENT)
    storage = StorageConfig(database=f"sqlite+aiosqlite:///{tmp_path}/log.db", recordings=str(tmp_path / "recordings"))
    transcriber = LocalTranscriber()
    await transcriber.start()
    async with serving(business) as url:
        config = Config(storage=storage, openai=OpenAIConfig(base_url=url), bots=(bot,))
        async with stage(config) as there:
            say = CallerVoice(there.speaker).say
            report = await dial(
                there,
                WaitForReply(),
                Say(await say("How much does a bike service cost?")),
                Interrupt(1500, await say("Sorry, what are your opening hours?")),
                WaitForReply(quiet_ms=900),
                HangUp(),
            )
    assert (report.errors, report.late_audio_ms, report.gap_ms) == ((), 0, 0)
    turns, _ = await bot_turns(storage)
    [cut] = [turn for turn in turns if turn.interrupted]
    assert cut.heard_text
    assert len(cut.heard_text) < len(cut.text)
    heard = await transcriber.transcribe(report.heard_pcm)
    await transcriber.close()
    whole = " ".join(turn.heard_text or "" for turn in turns)
    assert "nine to six, Monday to Saturday" in whole
    wrong, count = word_errors(whole, heard.text)
    assert wrong / count < 0.25, (whole, heard.text)  # the tiny model writes figures, and half a word at the cut


@asynccontextmanager
async def tones(folder: Path, *answers: Answer, **bot: object) -> AsyncIterator[tuple[Stage, ToneModel, StorageConfig]]:
    """A bot whose sentences are read by a model of tones, which has read those that are prepared."""
    config = tones_config(folder, **bot)  # type: ignore[arg-type]
    [one] = config.bots
    prepared = [Tone(200, PREPARED_HZ, text) for text in texts(one).values()]
    async with ToneModel(script=[*prepared, *answers], manner=Manner(pace=2.0)) as model:
        one = msgspec.structs.replace(one, chained=msgspec.structs.replace(one.chained, speaker=READER))
        openai = OpenAIConfig(base_url=model.base_url, api_key="sk-test")
        async with stage(msgspec.structs.replace(config, openai=openai, bots=(one,))) as there:
            yield there, model, config.storage


async def test_a_barge_in_has_what_is_being_read_called_off(tmp_path: Path):
    async with tones(tmp_path, Tone(8000), Tone(600)) as (there, model, storage):
        steps = (WaitForReply(), Say(speech(900)), Interrupt(1000, speech(1500)), WaitForReply(), Wait(500), HangUp())
        report = await dial(there, *steps)
    [session] = model.sessions
    [*prepared, cancelled, answered] = [reply.status for reply in session.replies]
    assert prepared == ["completed"] * PREPARED
    assert (cancelled, answered) == ("cancelled", "completed")
    assert report.late_audio_ms == 0
    turns, found = await bot_turns(storage)
    assert [turn.interrupted for turn in turns] == [False, True, False]
    assert (found.call.cost_microdollars or 0) > 0


async def test_what_a_realtime_bot_has_prepared_is_in_its_models_own_voice(tmp_path: Path):
    async with tones(tmp_path, voice="realtime") as (there, model, _):
        report = await dial(there, WaitForReply(), HangUp())
    reader, conversation = model.sessions
    assert len(reader.replies) == PREPARED
    assert conversation.replies == []
    [greeting] = report.stretches
    heard = report.heard_pcm[round(greeting.start_ms) * 16 : round(greeting.end_ms) * 16]
    assert loudest_hz(heard) == pytest.approx(PREPARED_HZ, abs=10)


def loudest_hz(pcm: bytes) -> float:
    samples = np.frombuffer(pcm, "<i2").astype(np.float64)
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum)) * 8000 / len(samples)

"""A whole telephone call in which each link of the chain asks a server, ours, over HTTP: real speech, no account."""

import asyncio
from pathlib import Path

import msgspec

from bot.calllog.detail import CallDetail
from bot.calllog.store import CallLog
from bot.config import ChainedConfig, Config, ModelServerConfig, OpenAIConfig, StorageConfig
from bot.local.serving import serving
from bot.rehearsal.caller import Interrupt, Say, ScriptedCaller, WaitForReply
from bot.rehearsal.report import CallReport
from bot.rehearsal.stage import Stage, stage
from bot.rehearsal.studio import CallerVoice
from bot.rehearsal.twilio import place_call
from bot.serving import completed
from tests.support.patient import PATIENT
from tests.support.words import word_errors

CHAIN = ChainedConfig(
    transcriber="openai:gpt-transcribe",
    responder="openai:facts@thinker",
    speaker="openai:gpt-4o-mini-tts",
    keywords=("Offhook",),
)
QUESTIONS = (
    "How much does a bike service cost?",
    "Sorry, what are your opening hours?",
    "I would like to leave a message.",
    "This is Maria. Please call me back tomorrow.",
    "No, that's all. Thank you, goodbye.",
)


async def call(there: Stage) -> CallReport:
    say = CallerVoice(there.speaker).say
    price, hours, message, maria, goodbye = [await say(text) for text in QUESTIONS]
    answer = WaitForReply(quiet_ms=1500, timeout_s=30)
    interrupt = Interrupt(1500, hours, timeout_s=30)
    steps = [answer, Say(price), interrupt, answer, Say(message), answer, Say(maria), answer, Say(goodbye)]
    report = await place_call(
        there.url,
        ScriptedCaller(steps, noise_dbfs=-65.0),
        auth_token=there.auth_token,
        account_sid=there.account_sid,
        api=there.api,
        max_s=120,
    )
    await asyncio.wait_for(there.service.supervisor.empty(), 15)
    await there.service.feed.flush()
    return report


async def logged(database: str) -> CallDetail:
    log = await CallLog.open(database)
    try:
        [summary] = await log.list_calls()
        found = await log.get_call(summary.call_id)
    finally:
        await log.close()
    assert found is not None
    return found


async def test_a_question_an_interruption_a_message_and_a_goodbye(tmp_path: Path):
    business = completed(Config()).bots[0]
    storage = StorageConfig(database=f"sqlite+aiosqlite:///{tmp_path}/log.db", recordings=str(tmp_path / "recordings"))
    async with serving(business) as url, serving(business) as other:
        openai = OpenAIConfig(base_url=url, servers={"thinker": ModelServerConfig(base_url=other)})
        bot = msgspec.structs.replace(business, chained=CHAIN, **PATIENT)
        async with stage(Config(storage=storage, openai=openai, bots=(bot,))) as there:
            report = await call(there)
    assert (report.ended_by, report.errors, report.late_audio_ms) == ("bot", (), 0)
    found = await logged(storage.database)
    said = [turn.text for turn in found.turns if turn.role == "caller"]
    wrong, count = word_errors(" ".join(QUESTIONS), " ".join(said))
    assert wrong / count < 0.2
    [cut] = [turn for turn in found.turns if turn.interrupted]
    assert cut.heard_text
    assert len(cut.heard_text) < len(cut.text)
    heard = [turn.heard_text or "" for turn in found.turns if turn.role == "bot"]
    assert any("nine to six, Monday to Saturday" in text for text in heard)
    assert heard[-1].endswith("Goodbye.")
    [message] = found.messages
    assert "Maria" in message.text
    assert found.call.end_reason == "bot_hung_up"

"""A whole telephone call with the realtime voice and the local Realtime server behind it: real speech, no account."""

import asyncio
from pathlib import Path

import msgspec

from bot.calllog.store import CallLog
from bot.config import Config, OpenAIConfig, RealtimeConfig, StorageConfig
from bot.local.serving import serving
from bot.rehearsal.caller import Interrupt, Say, ScriptedCaller, WaitForReply
from bot.rehearsal.stage import stage
from bot.rehearsal.studio import CallerVoice
from bot.rehearsal.twilio import place_call
from bot.serving import completed
from tests.support.patient import PATIENT, STALL_S


async def test_a_question_an_interruption_a_message_and_a_goodbye(tmp_path: Path):
    business = completed(Config()).bots[0]
    realtime = RealtimeConfig(audio="pcmu", stall_s=STALL_S)
    bot = msgspec.structs.replace(business, voice="realtime", realtime=realtime, **PATIENT)
    storage = StorageConfig(database=f"sqlite+aiosqlite:///{tmp_path}/log.db", recordings=str(tmp_path / "recordings"))
    async with serving(business) as url:
        config = Config(storage=storage, openai=OpenAIConfig(base_url=url), bots=(bot,))
        async with stage(config) as there:
            say = CallerVoice(there.speaker).say
            steps = [
                WaitForReply(),
                Say(await say("How much does a bike service cost?")),
                Interrupt(1500, await say("Sorry, what are your opening hours?")),
                WaitForReply(quiet_ms=900),
                Say(await say("I would like to leave a message.")),
                WaitForReply(quiet_ms=900),
                Say(await say("This is Maria. Please call me back tomorrow.")),
                WaitForReply(quiet_ms=900),
                Say(await say("No, that's all. Thank you, goodbye.")),
            ]
            report = await place_call(
                there.url,
                ScriptedCaller(steps, noise_dbfs=-65.0),
                auth_token=there.auth_token,
                account_sid=there.account_sid,
                api=there.api,
                max_s=80,
            )
            await asyncio.wait_for(there.service.supervisor.empty(), 15)
            await there.service.feed.flush()
    assert (report.ended_by, report.errors, report.late_audio_ms) == ("bot", (), 0)
    log = await CallLog.open(storage.database)
    try:
        [summary] = await log.list_calls()
        call = await log.get_call(summary.call_id)
    finally:
        await log.close()
    heard = [turn.heard_text or "" for turn in call.turns if turn.role == "bot"]
    [cut] = [turn for turn in call.turns if turn.interrupted]
    assert cut.heard_text
    assert len(cut.heard_text) < len(cut.text)
    assert any("nine to six, Monday to Saturday" in text for text in heard)
    assert heard[-1].endswith("Goodbye.")
    [message] = call.messages
    assert "Maria" in message.text
    assert call.call.end_reason == "bot_hung_up"

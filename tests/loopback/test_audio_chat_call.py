"""Whole telephone calls with a voice of Chat Completions with audio, and the local server behind it: real speech."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from bot.calllog.store import CallLog
from bot.config import AudioChatConfig, Config, OpenAIConfig, StorageConfig
from bot.local.serving import serving
from bot.rehearsal.caller import Interrupt, Say, ScriptedCaller, WaitForReply
from bot.rehearsal.report import CallReport
from bot.rehearsal.stage import Stage, stage
from bot.rehearsal.studio import CallerVoice
from bot.rehearsal.twilio import place_call
from bot.serving import completed
from tests.support.patient import PATIENT
from tests.support.wiretap import Wiretap, wiretap


@dataclass(frozen=True, slots=True)
class Scene:
    there: Stage
    tap: Wiretap
    voice: CallerVoice

    async def dial(self, *steps: object) -> CallReport:
        report = await place_call(
            self.there.url,
            ScriptedCaller([*steps], noise_dbfs=-65.0),  # type: ignore[list-item]
            auth_token=self.there.auth_token,
            account_sid=self.there.account_sid,
            api=self.there.api,
            max_s=80,
        )
        await asyncio.wait_for(self.there.service.supervisor.empty(), 15)
        await self.there.service.feed.flush()
        return report

    async def logged(self) -> Any:
        """The one call in the log, whole."""
        log = await CallLog.open(self.there.service.config.storage.database)
        try:
            [summary] = await log.list_calls()
            return await log.get_call(summary.call_id)
        finally:
            await log.close()

    @property
    def asked(self) -> Sequence[Any]:
        """The messages of each request for an answer."""
        return [body["messages"] for body in self.tap.bodies("/chat/completions")]


@asynccontextmanager
async def scene(folder: Path, **settings: Any) -> AsyncIterator[Scene]:
    """`settings` are those of the voice."""
    business = completed(Config()).bots[0]
    chat = AudioChatConfig(**settings)
    bot = msgspec.structs.replace(business, voice="audio-chat", audio_chat=chat, **PATIENT)
    storage = StorageConfig(database=f"sqlite+aiosqlite:///{folder}/log.db", recordings=str(folder / "recordings"))
    async with serving(business) as url, wiretap(url) as tap:
        config = Config(storage=storage, openai=OpenAIConfig(base_url=tap.url), bots=(bot,))
        async with stage(config) as there:
            yield Scene(there, tap, CallerVoice(there.speaker))


def heard_of(call: Any) -> list[str]:
    return [turn.heard_text or "" for turn in call.turns if turn.role == "bot"]


async def test_questions_an_interruption_a_message_and_a_goodbye(tmp_path: Path):
    async with scene(tmp_path) as here:
        say = here.voice.say
        report = await here.dial(
            WaitForReply(),
            Say(await say("Where are you?")),
            WaitForReply(quiet_ms=900),
            Say(await say("How much does a bike service cost?")),
            Interrupt(1500, await say("Sorry, what are your opening hours?")),
            WaitForReply(quiet_ms=900),
            Say(await say("I would like to leave a message.")),
            WaitForReply(quiet_ms=900),
            Say(await say("This is Maria. Please call me back tomorrow.")),
            WaitForReply(quiet_ms=900),
            Say(await say("No, that's all. Thank you, goodbye.")),
        )
        call = await here.logged()
        asked = here.asked
    assert (report.ended_by, report.errors, report.late_audio_ms) == ("bot", (), 0)
    assert call.call.end_reason == "bot_hung_up"
    heard = heard_of(call)
    assert any("14 Mill Lane" in text for text in heard)
    assert any("nine to six, Monday to Saturday" in text for text in heard)
    assert heard[-1].endswith("Goodbye.")
    [cut] = [turn for turn in call.turns if turn.interrupted]
    assert cut.text.startswith(cut.heard_text)
    assert 0 < len(cut.heard_text) < len(cut.text)
    [message] = call.messages
    assert "Maria" in message.text
    said = " ".join(turn.text for turn in call.turns if turn.role == "caller").lower()
    assert "bike service cost" in said
    spent = [event.data for event in call.events if event.kind == "tokens_used"]
    assert all(tokens["audio_in"] > 0 and tokens["audio_out"] > 0 for tokens in spent)
    assert len(spent) > 3

    first = next(one for one in asked if len(one) == 3)
    assert [one["role"] for one in first] == ["system", "assistant", "user"]
    assert [part["type"] for part in first[2]["content"]] == ["input_audio"]
    second = next(one for one in asked if len(one) == 5)
    assert second[2]["content"] == [{"type": "text", "text": "Where are you?"}]
    assert second[3]["audio"]["id"].startswith("audio_")
    assert any(one.get("content") == cut.heard_text for one in asked[-1] if one["role"] == "assistant")


async def test_a_call_that_nobody_writes_down(tmp_path: Path):
    async with scene(tmp_path, transcriber="") as here:
        say = here.voice.say
        report = await here.dial(
            WaitForReply(),
            Say(await say("What are your opening hours?")),
            WaitForReply(quiet_ms=900),
            Say(await say("That's all. Thank you, goodbye.")),
        )
        call = await here.logged()
        last = here.asked[-1]
    assert (report.ended_by, report.errors) == ("bot", ())
    heard = heard_of(call)
    assert any("nine to six, Monday to Saturday" in text for text in heard)
    assert heard[-1].endswith("Goodbye.")
    assert [turn for turn in call.turns if turn.role == "caller"] == []
    sounds = [part["type"] for one in last if one["role"] == "user" for part in one["content"]]
    assert sounds == ["input_audio", "input_audio"]

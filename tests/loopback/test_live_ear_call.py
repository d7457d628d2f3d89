"""Whole telephone calls with a chained voice that listens through live transcription sessions of the local server."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from bot.calllog.store import CallLog
from bot.config import BotConfig, ChainedConfig, Config, OpenAIConfig, RealtimeConfig, StorageConfig
from bot.local.serving import serving
from bot.rehearsal.caller import HangUp, Interrupt, Say, ScriptedCaller, Step, Wait, WaitForReply
from bot.rehearsal.report import CallReport
from bot.rehearsal.stage import Stage, stage
from bot.rehearsal.studio import CallerVoice
from bot.rehearsal.twilio import place_call
from bot.serving import completed
from tests.support.live_relay import Passed, Relay, relaying
from tests.support.patient import PATIENT, STALL_S

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[str]:
    """The local server's base URL; its models are loaded once."""
    async with serving(completed(Config()).bots[0]) as url:
        yield url


@dataclass(frozen=True, slots=True)
class Scene:
    there: Stage
    relay: Relay
    database: str

    async def say(self, text: str) -> bytes:
        return await CallerVoice(self.there.speaker).say(text)

    async def dial(self, *steps: Step) -> CallReport:
        report = await place_call(
            self.there.url,
            ScriptedCaller(steps, noise_dbfs=-65.0),
            auth_token=self.there.auth_token,
            account_sid=self.there.account_sid,
            api=self.there.api,
            max_s=120,
        )
        await asyncio.wait_for(self.there.service.supervisor.empty(), 15)
        return report

    async def logged(self) -> Any:
        """The one call in the log, whole."""
        await self.there.service.feed.flush()
        log = await CallLog.open(self.database)
        try:
            [summary] = await log.list_calls()
            return await log.get_call(summary.call_id)
        finally:
            await log.close()


@asynccontextmanager
async def scene(
    folder: Path,
    server: str,
    relay: Relay | None = None,
    *,
    stall_s: float = STALL_S,
    patience: Mapping[str, float] = PATIENT,
    **chained: Any,
) -> AsyncIterator[Scene]:
    """The sample business, with a transcriber behind a relay before the local server."""
    business: BotConfig = completed(Config()).bots[0]
    realtime = RealtimeConfig(stall_s=stall_s)
    chain = ChainedConfig(**chained)
    listens = msgspec.structs.replace(business, chained=chain, realtime=realtime, **patience)
    storage = StorageConfig(database=f"sqlite+aiosqlite:///{folder}/log.db", recordings=str(folder / "recordings"))
    relay = relay or Relay("")
    relay.upstream = server
    async with relaying(relay):
        config = Config(storage=storage, openai=OpenAIConfig(base_url=relay.url, api_key="any"), bots=(listens,))
        async with stage(config) as there:
            yield Scene(there, relay, storage.database)


def said(call: Any, role: str) -> Sequence[str]:
    return [turn.heard_text if role == "bot" else turn.text for turn in call.turns if turn.role == role]


@pytest.mark.parametrize(
    ("model", "turn_detection"),
    [
        ("gpt-live-transcribe", "local"),
        ("gpt-4o-transcribe", "server_vad"),
    ],
)
async def test_two_questions_an_interruption_and_a_goodbye(
    tmp_path: Path, server: str, model: str, turn_detection: str
):
    chained = {"transcriber": f"openai-realtime:{model}", "turn_detection": turn_detection}
    async with scene(tmp_path, server, **chained) as here:
        report = await here.dial(
            WaitForReply(),
            Say(await here.say("How much does a bike service cost?")),
            Interrupt(1500, await here.say("Sorry, what are your opening hours?"), timeout_s=30),
            WaitForReply(quiet_ms=1500, timeout_s=30),
            Say(await here.say("No, that's all. Thank you, goodbye.")),
        )
        call = await here.logged()
    assert (report.ended_by, report.errors, report.late_audio_ms) == ("bot", (), 0)
    heard = " / ".join(said(call, "caller")).lower()
    # A spoken "goodbye" differs a little each time, and is sometimes heard as "bye bye".
    assert [words for words in ("bike service", "opening hours", "bye") if words not in heard] == []
    assert any("nine to six, Monday to Saturday" in text for text in said(call, "bot"))
    [cut] = [turn for turn in call.turns if turn.interrupted]
    assert len(cut.heard_text) < len(cut.text)
    assert call.call.end_reason == "bot_hung_up"
    assert len(here.relay.sockets) == 1  # the one made ready at the webhook


@pytest.mark.parametrize("turn_detection", ["local", "server_vad"])
async def test_a_link_that_is_cut_in_the_middle_of_an_utterance_costs_no_word(
    tmp_path: Path, server: str, turn_detection: str
):
    spoken = [0]

    def cuts(number: int, passed: Passed) -> bool:
        spoken[0] += passed.is_loud
        return number == 0 and spoken[0] == 40  # 0.8 s into the question

    relay = Relay("", cuts=cuts)
    chained = {"transcriber": "openai-realtime:gpt-transcribe", "turn_detection": turn_detection}
    async with scene(tmp_path, server, relay, **chained) as here:
        report = await here.dial(
            WaitForReply(),
            Say(await here.say("Can you please tell me what your opening hours are?")),
            WaitForReply(quiet_ms=1500, timeout_s=30),
            HangUp(),
        )
        call = await here.logged()
    assert (report.ended_by, report.errors) == ("caller", ())
    assert len(relay.sockets) == 2
    [question] = said(call, "caller")
    assert question.lower().startswith("can you please tell me what")
    assert question.lower().endswith("opening hours are?")
    assert any("nine to six" in text for text in said(call, "bot"))


async def test_a_transcriber_that_never_answers_is_told_to_the_caller(tmp_path: Path, server: str):
    relay = Relay("", swallows=lambda number, event: "input_audio_transcription" in event["type"])
    listens = "openai-realtime:gpt-live-transcribe"
    async with scene(tmp_path, server, relay, stall_s=2.0, patience={}, transcriber=listens) as here:
        report = await here.dial(WaitForReply(), Say(await here.say("What are your opening hours?")), Wait(12_000))
        call = await here.logged()
    assert report.ended_by == "bot"
    assert call.call.end_reason == "voice_failed"
    assert [turn.kind for turn in call.turns if turn.role == "bot"] == ["greeting", "filler", "apology"]
    assert len(relay.sockets) == 2  # replaced once


async def test_a_message_that_ends_with_a_hang_up_is_kept(tmp_path: Path, server: str):
    async with scene(tmp_path, server, transcriber="openai-realtime:gpt-live-transcribe") as here:
        await here.dial(
            WaitForReply(),
            Say(await here.say("I would like to leave a message.")),
            WaitForReply(quiet_ms=1500, timeout_s=30),
            Say(await here.say("This is Maria. Please call me back tomorrow.")),
            HangUp(),
        )
        call = await here.logged()
    [message] = call.messages
    assert "Maria" in message.text
    assert call.call.end_reason == "caller_hung_up"

"""Whole calls with a voice of Chat Completions with audio, and a server that answers as it is told to: tones."""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web

from bot.calllog.store import CallLog
from bot.config import AudioChatConfig, OpenAIConfig
from bot.rehearsal.caller import HangUp, Interrupt, Say, ScriptedCaller, WaitForReply
from bot.rehearsal.report import CallReport
from bot.rehearsal.stage import Stage, stage
from bot.rehearsal.twilio import place_call
from media.level import tone
from tests.support.model_server import Answer, ModelServer, chat, model_server, refusal
from tests.support.starved import starving
from tests.support.tones import speech, tones_config

LATER = 4_000_000_000


@dataclass(frozen=True, slots=True)
class Scene:
    there: Stage
    server: ModelServer

    async def dial(self, *steps: object, max_s: float = 30.0) -> CallReport:
        report = await place_call(
            self.there.url,
            ScriptedCaller([*steps]),  # type: ignore[list-item]
            auth_token=self.there.auth_token,
            account_sid=self.there.account_sid,
            api=self.there.api,
            max_s=max_s,
        )
        await asyncio.wait_for(self.there.service.supervisor.empty(), 15)
        await self.there.service.feed.flush()
        return report

    async def turns(self, role: str) -> list[Any]:
        log = await CallLog.open(self.there.service.config.storage.database)
        try:
            [summary] = await log.list_calls()
            return [turn for turn in (await log.get_call(summary.call_id)).turns if turn.role == role]
        finally:
            await log.close()

    def asked(self, number: int) -> Any:
        return self.server.seen[number].body["messages"]


@asynccontextmanager
async def scene(folder: Path, *answers: Answer) -> AsyncIterator[Scene]:
    async with model_server(*answers) as server:
        voice = AudioChatConfig(model="m", transcriber="tones")
        config = tones_config(folder, voice="audio-chat", audio_chat=voice)
        openai = OpenAIConfig(base_url=server.url, timeout_s=5, retries=0)
        async with stage(msgspec.structs.replace(config, openai=openai)) as there:
            yield Scene(there, server)


def spoken(text: str, ms: int, audio_id: str = "") -> Answer:
    """An answer with sound, all of it at once."""
    named = [{"audio": {"id": audio_id}}, {"audio": {"expires_at": LATER}}] if audio_id else []
    return chat({"audio": {"transcript": text}}, {"audio": {"data": sounding(ms)}}, *named)


def sounding(ms: int) -> str:
    return b64encode(tone(440, ms, 24000)).decode()


def unfinished(text: str, ms: int) -> Answer:
    """An answer with sound that goes on for ever, a tenth of a second at a time."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for delta in ({"transcript": text}, {"data": sounding(ms)}):
            chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
            choice = {"index": 0, "delta": {"audio": delta}, "finish_reason": None}
            await response.write(f"data: {json.dumps({**chunk, 'choices': [choice]})}\n\n".encode())
        await asyncio.Event().wait()
        return response

    return answer


async def test_a_barge_in_closes_the_request_and_the_next_one_tells_what_was_heard(tmp_path: Path):
    text = "one two three four five six seven eight nine ten eleven twelve"
    async with scene(tmp_path, unfinished(text, 4000), spoken("Yes.", 500)) as here, starving() as starved:
        report = await here.dial(
            WaitForReply(), Say(speech(800)), Interrupt(1000, speech(1000)), WaitForReply(), HangUp()
        )
        await asyncio.wait_for(here.server.left.wait(), 5)
        [_, cut, answer] = await here.turns("bot")
    assert report.late_audio_ms == 0
    assert (cut.interrupted, answer.heard_text) == (True, "Yes.")
    assert text.startswith(cut.heard_text)
    assert 2 <= len(cut.heard_text.split()) <= 6 + starved.ms * 12 / 4000
    assert len(cut.heard_text) < len(text)
    [_, question, told, _] = here.asked(1)
    assert question["content"] == [{"type": "text", "text": "words"}]
    assert told == {"role": "assistant", "content": cut.heard_text}


async def test_an_answer_in_writing_is_spoken_by_the_bots_speaker(tmp_path: Path):
    async with scene(tmp_path, chat("440 1000"), spoken("Yes.", 500)) as here:
        report = await here.dial(
            WaitForReply(), Say(speech(800)), WaitForReply(), Say(speech(800)), WaitForReply(), HangUp()
        )
        heard = [turn.heard_text for turn in await here.turns("bot")]
    assert heard[1:3] == ["440 1000", "Yes."]
    said = report.stretches[1]
    assert said.end_ms - said.start_ms == pytest.approx(1000, abs=40)
    assert here.asked(1)[2] == {"role": "assistant", "content": "440 1000"}


async def test_after_a_failure_the_caller_is_asked_to_say_it_again(tmp_path: Path):
    async with scene(tmp_path, refusal(500), spoken("Yes.", 500)) as here:
        await here.dial(WaitForReply(), Say(speech(800)), WaitForReply(), Say(speech(800)), WaitForReply(), HangUp())
        kinds = [turn.kind for turn in await here.turns("bot")]
    assert kinds == ["greeting", "pardon", "reply"]


async def test_a_server_that_fails_twice_is_given_up(tmp_path: Path):
    async with scene(tmp_path, refusal(500)) as here:
        report = await here.dial(WaitForReply(), Say(speech(800)), WaitForReply(), Say(speech(800)))
        kinds = [turn.kind for turn in await here.turns("bot")]
    assert report.ended_by == "bot"
    assert kinds == ["greeting", "pardon", "apology"]


@pytest.mark.parametrize("refused", [refusal(429, "insufficient_quota"), refusal(401, "invalid_api_key")])
async def test_a_server_that_will_refuse_the_next_request_too_is_given_up_at_once(tmp_path: Path, refused: Answer):
    async with scene(tmp_path, refused) as here:
        report = await here.dial(WaitForReply(), Say(speech(800)))
        kinds = [turn.kind for turn in await here.turns("bot")]
    assert (report.ended_by, kinds) == ("bot", ["greeting", "apology"])


async def test_a_server_that_has_lost_a_sound_is_told_its_words_within_the_same_turn(tmp_path: Path):
    lost = refusal(400, "invalid_value", "Audio 'audio_1' has expired.", param="messages[2].audio.id")
    async with scene(tmp_path, spoken("At nine.", 500, "audio_1"), lost, spoken("Yes.", 500)) as here:
        await here.dial(WaitForReply(), Say(speech(800)), WaitForReply(), Say(speech(800)), WaitForReply(), HangUp())
        heard = [turn.heard_text for turn in await here.turns("bot")]
    assert heard[1:] == ["At nine.", "Yes."]
    assert here.asked(1)[2] == {"role": "assistant", "audio": {"id": "audio_1"}}
    assert here.asked(2)[2] == {"role": "assistant", "content": "At nine."}


async def test_a_tool_is_used_and_its_result_spoken(tmp_path: Path):
    call = {"index": 0, "id": "call_1", "function": {"name": "no_such_tool", "arguments": "{}"}}
    asks = chat(
        {"audio": {"transcript": "Let me see."}},
        {"audio": {"data": sounding(500)}},
        {"tool_calls": [call]},
        finish="tool_calls",
    )
    async with scene(tmp_path, asks, spoken("I cannot.", 500)) as here:
        await here.dial(WaitForReply(), Say(speech(800)), WaitForReply(quiet_ms=1000), HangUp())
        heard = [turn.heard_text for turn in await here.turns("bot")]
    assert heard[1:] == ["Let me see.", "I cannot."]
    *_, asking, result = here.asked(1)
    assert (asking["content"], asking["tool_calls"][0]["id"]) == ("Let me see.", "call_1")
    assert (result["role"], "no tool" in result["content"]) == ("tool", True)


async def test_the_bot_hangs_up_after_its_goodbye_was_heard(tmp_path: Path):
    call = {"index": 0, "id": "call_1", "function": {"name": "hang_up", "arguments": "{}"}}
    bye = chat(
        {"audio": {"transcript": "Goodbye."}},
        {"audio": {"data": sounding(800)}},
        {"tool_calls": [call]},
        finish="tool_calls",
    )
    async with scene(tmp_path, bye) as here:
        report = await here.dial(WaitForReply(), Say(speech(800)))
        heard = [turn.heard_text for turn in await here.turns("bot")]
    assert (report.ended_by, heard[-1]) == ("bot", "Goodbye.")
    said = report.stretches[-1]
    assert said.end_ms - said.start_ms == pytest.approx(800, abs=40)

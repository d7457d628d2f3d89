"""Whole calls in which a text model thinks, at a server that answers as a test tells it to: tones."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from bot.calllog.store import CallLog
from bot.config import ChainedConfig, OpenAIConfig
from bot.rehearsal.caller import HangUp, Say, ScriptedCaller, Step, WaitForReply
from bot.rehearsal.report import CallReport
from bot.rehearsal.stage import Stage, stage
from bot.rehearsal.twilio import place_call
from tests.support.model_server import Answer, chat, model_server, refusal
from tests.support.tones import speech, tones_config


@asynccontextmanager
async def scene(folder: Path, *answers: Answer) -> AsyncIterator[Stage]:
    async with model_server(*answers) as server:
        chain = ChainedConfig(transcriber="tones", responder="openai:m", speaker="tones")
        config = tones_config(folder)
        bots = tuple(msgspec.structs.replace(bot, chained=chain) for bot in config.bots)
        openai = OpenAIConfig(base_url=server.url, timeout_s=5, retries=0)
        async with stage(msgspec.structs.replace(config, openai=openai, bots=bots)) as there:
            yield there


async def dial(there: Stage, *steps: Step) -> CallReport:
    report = await place_call(
        there.url,
        ScriptedCaller([*steps]),
        auth_token=there.auth_token,
        account_sid=there.account_sid,
        api=there.api,
        max_s=30,
    )
    await asyncio.wait_for(there.service.supervisor.empty(), 15)
    await there.service.feed.flush()
    return report


async def kinds(there: Stage) -> list[str]:
    log = await CallLog.open(there.service.config.storage.database)
    try:
        [summary] = await log.list_calls()
        found = await log.get_call(summary.call_id)
    finally:
        await log.close()
    assert found is not None
    return [turn.kind or "" for turn in found.turns if turn.role == "bot"]


@pytest.mark.parametrize("refused", [refusal(429, "insufficient_quota"), refusal(401, "invalid_api_key")])
async def test_a_server_that_will_refuse_the_next_request_too_is_given_up_at_once(tmp_path: Path, refused: Answer):
    async with scene(tmp_path, refused) as there:
        report = await dial(there, WaitForReply(), Say(speech(800)))
        assert (report.ended_by, await kinds(there)) == ("bot", ["greeting", "apology"])


async def test_a_request_that_is_refused_for_what_it_holds_is_not_the_last(tmp_path: Path):
    refused = refusal(400, "content_filter", "The prompt was filtered.")
    async with scene(tmp_path, refused, chat("440 500")) as there:
        talk = (Say(speech(800)), WaitForReply())
        await dial(there, WaitForReply(), *talk, *talk, HangUp())
        assert await kinds(there) == ["greeting", "pardon", "reply"]

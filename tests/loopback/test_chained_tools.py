"""A call whose text model uses the operator's tools in the middle of an answer: real sockets, a voice of tones."""

import asyncio
import json
from pathlib import Path
from typing import Any

import msgspec

from bot.calllog.store import CallLog
from bot.config import ChainedConfig, OpenAIConfig, ToolConfig
from bot.rehearsal.caller import HangUp, Interrupt, Say, ScriptedCaller, Step, WaitForReply
from bot.rehearsal.stage import stage
from bot.rehearsal.twilio import place_call
from tests.support.model_server import ModelServer, chat, model_server
from tests.support.tones import speech, tones_config

ORDER = ToolConfig(
    name="lookup_order",
    description="Look up an order.",
    parameters={"type": "object", "properties": {"number": {"type": "string"}}, "required": ["number"]},
    python="tests.loopback.test_chained_tools:lookup_order",
)
used: list[str] = []


async def lookup_order(number: str) -> dict[str, str]:
    """Takes its time, as the operator's systems do."""
    used.append(number)
    await asyncio.sleep(2.5)
    return {"status": "sent"}


def wants_order(call_id: str = "call_1") -> dict[str, Any]:
    function = {"name": "lookup_order", "arguments": '{"number": "7"}'}
    return {"tool_calls": [{"index": 0, "id": call_id, "type": "function", "function": function}]}


async def dial(folder: Path, model: ModelServer, *steps: Step) -> Any:
    """What the log has of one call."""
    config = tones_config(folder, tools=(ORDER,), filler_after_s=1.0)
    chained = ChainedConfig(transcriber="tones", responder="openai:some-model", speaker="tones")
    bot = msgspec.structs.replace(config.bots[0], chained=chained)
    openai = OpenAIConfig(base_url=model.url, api_key="sk-test")
    used.clear()
    async with stage(msgspec.structs.replace(config, bots=(bot,), openai=openai)) as there:
        await place_call(
            there.url, ScriptedCaller(steps), auth_token=there.auth_token, account_sid=there.account_sid, api=there.api
        )
        await asyncio.wait_for(there.service.supervisor.empty(), 15)
        await there.service.feed.flush()
    log = await CallLog.open(config.storage.database)
    try:
        [summary] = await log.list_calls()
        return await log.get_call(summary.call_id)
    finally:
        await log.close()


def said(call: Any) -> list[tuple[str, str]]:
    return [(turn.kind, turn.heard_text) for turn in call.turns if turn.role == "bot"]


def roles(model: ModelServer, request: int) -> list[str]:
    return [message["role"] for message in model.seen[request].body["messages"]]


async def test_a_slow_tool_is_bridged_and_its_result_answered(tmp_path: Path):
    async with model_server(chat("Let me look.", wants_order()), chat("Order 7 was sent.")) as model:
        call = await dial(
            tmp_path, model, WaitForReply(), Say(speech(900)), WaitForReply(quiet_ms=2000, timeout_s=20), HangUp()
        )
    assert [kind for kind, _ in said(call)] == ["greeting", "reply", "filler", "reply"]
    assert said(call)[1][1] == "Let me look."
    assert said(call)[3][1] == "Order 7 was sent."
    assert used == ["7"]
    *_, asked, result = model.seen[1].body["messages"]
    assert (asked["content"], asked["tool_calls"][0]["id"]) == ("Let me look.", "call_1")
    assert (result["role"], json.loads(result["content"])) == ("tool", {"status": "sent"})


async def test_a_caller_who_speaks_while_a_tool_works_is_answered_with_its_result(tmp_path: Path):
    async with model_server(chat("Let me look.", wants_order()), chat("Order 7 was sent.")) as model:
        call = await dial(
            tmp_path,
            model,
            WaitForReply(),
            Say(speech(900)),
            Interrupt(200, speech(900)),
            WaitForReply(quiet_ms=2000, timeout_s=20),
            HangUp(),
        )
    assert said(call)[-1][1] == "Order 7 was sent."
    assert used == ["7"]
    assert len(model.seen) == 2
    assert roles(model, 1)[-3:] == ["assistant", "tool", "user"]

"""A text model as responder, over a real socket: what goes to the server, and what becomes of its answers."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from bot.config import ModelServerConfig, PriceConfig
from bot.errors import ConfigError, RequestFailedError, VoiceError
from bot.speech.links import Role, Said, Say, Spent, UseTool
from bot.speech.openai_client import OpenAIClient
from bot.speech.openai_responder import OpenAIResponder
from bot.tools.spec import ToolSpec
from tests.support.model_server import (
    Answer,
    ModelServer,
    chat,
    cut_off,
    model_server,
    refusal,
    unfinished,
    unfinished_chat,
)

QUESTION = (Said(Role.CALLER, "When are you open?"),)


@asynccontextmanager
async def responder(*answers: Answer, **settings: Any) -> AsyncIterator[tuple[OpenAIResponder, ModelServer]]:
    async with model_server(*answers) as server:
        client = OpenAIClient(ModelServerConfig(base_url=server.url), timeout_s=2, retries=0)
        made = OpenAIResponder(client, "m", **settings)
        await made.start()
        try:
            yield made, server
        finally:
            await client.close()


async def parts(made: OpenAIResponder, history: Sequence[Said] = QUESTION) -> list[Say | UseTool | Spent]:
    return [part async for part in made.respond(history)]


async def test_an_answer_comes_in_sentences_and_its_cost_last():
    usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
    usage["prompt_tokens_details"] = {"cached_tokens": 40}  # type: ignore[assignment]
    answer = chat("We open", " at **ni", "ne**. We", " close at six.", usage=usage)
    prices = {"m": PriceConfig(text_in=1, text_cached=0.5, text_out=10)}
    async with responder(answer, prices=prices) as (made, _):
        given = await parts(made)
    assert given == [
        Say("We open at nine."),
        Say("We close at six."),
        Spent("m", {"text_in": 60, "text_cached": 40, "text_out": 10}, pytest.approx(180 / 1e6)),
    ]


async def test_the_first_sentence_is_said_while_the_model_still_writes():
    async with responder(unfinished_chat("We open at nine. And")) as (made, _):
        answer = made.respond(QUESTION)
        assert await anext(answer) == Say("We open at nine.")
        await answer.aclose()


async def test_the_request_holds_instructions_history_tools_and_settings():
    tool = ToolSpec("hang_up", "Ends the call.", {"type": "object", "properties": {}})
    settings = {"instructions": "Be brief.", "tools": [tool], "temperature": 0.3, "max_output_tokens": 200}
    async with responder(chat("Yes."), **settings) as (made, server):
        await parts(made)
    [seen] = server.seen
    assert seen.path == "/v1/chat/completions"
    assert seen.body == {
        "model": "m",
        "stream": True,
        "stream_options": {"include_usage": True},
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "When are you open?"},
        ],
        "tools": [
            {
                "type": "function",
                "function": {"name": "hang_up", "description": "Ends the call.", "parameters": dict(tool.parameters)},
            }
        ],
        "temperature": 0.3,
        "max_tokens": 200,
    }


async def test_tools_come_after_all_text_with_their_arguments_as_text():
    def piece(index: int, **function: str) -> dict[str, Any]:
        name = {"id": f"c{index}"} if "name" in function else {}
        return {"tool_calls": [{"index": index, "function": function, **name}]}

    written = '{"day":"Monday","people":2,"inside":true,"note":null}'
    answer = chat(
        "One moment.", piece(0, name="book", arguments=written[:20]), piece(0, arguments=written[20:]),
        piece(1, name="hang_up", arguments=""), finish="tool_calls",
    )  # fmt: skip
    async with responder(answer) as (made, _):
        given = await parts(made)
    assert given == [
        Say("One moment."),
        UseTool("book", {"day": "Monday", "people": "2", "inside": "true"}, "c0", written),
        UseTool("hang_up", {}, "c1", "{}"),
    ]


async def test_arguments_that_are_no_json_are_handed_on_as_they_are():
    call = {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "book", "arguments": "Monday"}}]}
    async with responder(chat(call, finish="tool_calls")) as (made, _):
        assert await parts(made) == [UseTool("book", {}, "c", "Monday")]


async def test_of_an_answer_that_ran_out_of_room_the_half_sentence_is_left_out():
    async with responder(chat("We open at nine. We close at", finish="length")) as (made, _):
        assert await parts(made) == [Say("We open at nine.")]


async def test_half_a_sentence_is_better_than_none():
    async with responder(chat("We open at nine and", finish="length")) as (made, _):
        assert await parts(made) == [Say("We open at nine and")]


async def test_half_a_tool_call_is_not_made():
    call = {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "book", "arguments": '{"da'}}]}
    async with responder(chat("One moment.", call, finish="length")) as (made, _):
        assert await parts(made) == [Say("One moment.")]


@pytest.mark.parametrize(
    ("finish", "remedy"),
    [
        ("stop", "wrote nothing"),
        ("length", "max_output_tokens was used up"),
        ("content_filter", "content filter withheld it"),
        (None, "ended its stream early"),
    ],
)
async def test_an_empty_answer_is_a_failure_that_says_what_to_look_at(finish: str | None, remedy: str):
    async with responder(chat("\n", finish=finish)) as (made, _):
        with pytest.raises(VoiceError, match=f"'m' gave no answer: .*{remedy}"):
            await parts(made)


async def test_an_empty_answer_costs_what_any_does():
    usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
    async with responder(chat("", usage=usage)) as (made, _):
        answer = made.respond(QUESTION)
        assert await anext(answer) == Spent("m", {"text_in": 100, "text_cached": 0, "text_out": 10}, 0.0)
        with pytest.raises(VoiceError):
            await anext(answer)


@pytest.mark.parametrize("said", ["I will note that.", ""])
async def test_who_has_spoken_before_using_a_tool_need_not_add_anything(said: str):
    before = [Said(Role.BOT, said)] if said else []
    history = (*QUESTION, *before, Said(Role.TOOL, '{"status":"kept"}', "note", "call_1"))
    async with responder(chat("")) as (made, _):
        if said:
            assert await parts(made, history) == []
        else:
            with pytest.raises(VoiceError, match="gave no answer"):
                await parts(made, history)


async def test_who_could_not_be_put_through_must_be_told():
    history = (*QUESTION, Said(Role.BOT, "One moment."), Said(Role.TOOL, "the transfer failed", "transfer", "call_1"))
    async with responder(chat("")) as (made, _):
        with pytest.raises(VoiceError, match="gave no answer"):
            await parts(made, history)


LONG = (
    Said(Role.CALLER, "Who are you? " * 20),
    Said(Role.BOT, "A bot. " * 20),
    Said(Role.CALLER, "Where is my order?"),
    Said(Role.TOOL, '{"status":"sent"}', "lookup_order", "call_1"),
    Said(Role.BOT, "It was sent."),
    *QUESTION,
)


@pytest.mark.parametrize(
    "refused",
    [
        refusal(400, "context_length_exceeded", "This model's maximum context length is 8192 tokens."),
        refusal(400, None, "the request exceeds the available context size, try increasing it"),
        refusal(413, None, "Request too large."),
    ],
)
async def test_a_conversation_that_outgrows_the_model_is_told_from_its_middle_on(refused: Answer):
    async with responder(refused, chat("At nine."), instructions="Be brief.") as (made, server):
        assert await parts(made, LONG) == [Say("At nine.")]
    told = server.seen[1].body["messages"]
    assert [one["role"] for one in told] == ["system", "user", "assistant", "tool", "assistant", "user"]
    assert told[1]["content"] == "Where is my order?"


@pytest.mark.parametrize(("history", "requests"), [(LONG, 2), (QUESTION, 1)])
async def test_a_question_that_is_too_long_itself_is_a_failure(history: Sequence[Said], requests: int):
    async with responder(refusal(400, "context_length_exceeded", "Too long.")) as (made, server):
        with pytest.raises(RequestFailedError) as caught:
            await parts(made, history)
    assert (caught.value.code, len(server.seen)) == ("context_length_exceeded", requests)


async def test_what_a_model_thinks_is_not_said():
    async with responder(chat("<thi", "nk>Hours? Hm. </think>", "We open at nine.")) as (made, _):
        assert await parts(made) == [Say("We open at nine.")]


async def test_a_model_that_only_thinks_gives_no_answer():
    async with responder(chat("<think>Hours? Hm. And", finish="length")) as (made, _):
        with pytest.raises(VoiceError, match="perhaps by thinking"):
            await parts(made)


async def test_a_refusal_is_said():
    async with responder(chat({"refusal": "I cannot help with that."})) as (made, _):
        assert await parts(made) == [Say("I cannot help with that.")]


async def test_an_answer_that_breaks_off_is_a_failure_after_what_was_said():
    async with responder(cut_off(_event("We open at nine. And"))) as (made, _):
        answer = made.respond(QUESTION)
        assert await anext(answer) == Say("We open at nine.")
        with pytest.raises(RequestFailedError, match="cannot be reached") as caught:
            await anext(answer)
    assert not caught.value.is_fatal


async def test_an_error_in_the_middle_of_the_stream_is_a_failure():
    broken = b'data: {"error":{"message":"The engine is overloaded.","code":"server_error"}}\n\n'
    async with responder(cut_off(_event("We open at nine. And"), broken)) as (made, _):
        answer = made.respond(QUESTION)
        assert await anext(answer) == Say("We open at nine.")
        with pytest.raises(RequestFailedError, match=r"broke off its answer: The engine is overloaded\."):
            await anext(answer)


@pytest.mark.parametrize("read", [0, 1])
async def test_a_barge_in_closes_the_request_at_once(read: int):
    """Whether the model is still thinking or a sentence is already there."""

    async def listen(made: OpenAIResponder) -> None:
        async for _ in made.respond(QUESTION):
            begun.set()
            await asyncio.Event().wait()  # as a runner that hands the sentence on

    begun = asyncio.Event()
    text = "We open at nine. And" if read else "We"
    async with responder(unfinished_chat(text)) as (made, server):
        task = asyncio.create_task(listen(made))
        if read:
            await begun.wait()
        await server.asked.wait()
        task.cancel()
        await asyncio.wait([task])
        await asyncio.wait_for(server.left.wait(), 1)


async def test_a_server_that_knows_only_the_other_name_of_the_limit_gets_that():
    complaint = (
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    )
    refused = refusal(400, "unsupported_parameter", complaint, param="max_tokens")
    async with responder(refused, chat("Yes."), max_output_tokens=50) as (made, server):
        assert await parts(made) == [Say("Yes.")]
        assert await parts(made) == [Say("Yes.")]
    limits = [{key: value for key, value in seen.body.items() if key.startswith("max")} for seen in server.seen]
    assert limits == [{"max_tokens": 50}, {"max_completion_tokens": 50}, {"max_completion_tokens": 50}]


@pytest.mark.parametrize("parameter", ["temperature", "stream_options"])
async def test_a_setting_that_a_server_refuses_is_left_out_from_then_on(parameter: str):
    refused = refusal(422, None, f"Extra inputs are not permitted: {parameter}")
    async with responder(refused, chat("Yes."), temperature=0.2) as (made, server):
        assert await parts(made) == [Say("Yes.")]
    assert [parameter in seen.body for seen in server.seen] == [True, False]


async def test_a_field_that_a_server_names_in_its_own_way_is_left_out():
    row = {"type": "extra_forbidden", "loc": ["body", "temperature"], "msg": "Extra inputs are not permitted"}

    async def refused(_: web.Request) -> web.StreamResponse:
        return web.json_response({"detail": [{**row, "input": "what the caller said"}]}, status=422)

    async with responder(refused, chat("Yes."), temperature=0.2) as (made, server):
        assert await parts(made) == [Say("Yes.")]
    assert [seen.body.get("temperature") for seen in server.seen] == [0.2, None]


@pytest.mark.parametrize("effort", ["none", "low"])
async def test_how_long_to_think_is_said_where_it_is_set_and_understood(effort: str):
    refused = refusal(400, "unsupported_parameter", "Unrecognized request argument: reasoning_effort")
    async with responder(chat("Yes."), refused, chat("Yes."), reasoning_effort=effort) as (made, server):
        for _ in range(3):
            assert await parts(made) == [Say("Yes.")]
    assert [seen.body.get("reasoning_effort") for seen in server.seen] == [effort, effort, None, None]


async def test_two_calls_may_learn_the_same_at_the_same_time():
    both_there = asyncio.Barrier(2)
    refuse = refusal(400, "unsupported_parameter", "Use 'max_completion_tokens', not 'max_tokens'.", param="max_tokens")

    async def refused(request: web.Request) -> web.StreamResponse:
        await both_there.wait()
        return await refuse(request)

    async with responder(refused, refused, chat("Yes."), max_output_tokens=50) as (made, server):
        assert await asyncio.gather(parts(made), parts(made)) == [[Say("Yes.")], [Say("Yes.")]]
    assert ["max_tokens" in seen.body for seen in server.seen] == [True, True, False, False]


async def test_another_refusal_is_a_fatal_failure():
    async with responder(refusal(400, "invalid_value", "Bad messages.", param="messages")) as (made, server):
        with pytest.raises(
            RequestFailedError, match=r"refuses the request to 'm' \(HTTP 400\): Bad messages\."
        ) as caught:
            await parts(made)
    assert (caught.value.is_fatal, caught.value.param, len(server.seen)) == (True, "messages", 1)


@pytest.mark.parametrize(("model", "instead"), [("gpt-audio-1.5", "audio-chat"), ("whisper-1", "a text model")])
def test_a_model_made_for_sound_is_no_responder(model: str, instead: str):
    with pytest.raises(ConfigError, match=instead):
        OpenAIResponder(OpenAIClient(ModelServerConfig(base_url="http://127.0.0.1:1/v1")), model)


async def test_text_in_parts_is_said_without_the_thoughts():
    parts_of = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
        {"type": "text", "text": "At nine."},
    ]
    async with responder(chat({"content": parts_of})) as (made, _):
        assert await parts(made) == [Say("At nine.")]


async def test_pieces_that_are_nothing_are_passed_over_and_costs_are_never_less_than_nothing():
    usage = {"prompt_tokens": 10, "completion_tokens": None, "prompt_tokens_details": {"cached_tokens": 20}}
    counted = {"choices": [], "usage": usage}
    sent = (b"data: null\n\n", _event("At nine."), f"data: {json.dumps(counted)}\n\n".encode(), b"data: [DONE]\n\n")
    async with responder(unfinished(*sent)) as (made, _):
        assert await parts(made) == [Say("At nine."), Spent("m", {"text_in": 0, "text_cached": 10, "text_out": 0}, 0.0)]


async def test_bytes_that_are_no_text_are_a_failure():
    async with responder(cut_off(b'data: "\xff\xfe"\n\n')) as (made, _):
        with pytest.raises(RequestFailedError, match="no answer of OpenAI's API"):
            await parts(made)


def _event(text: str) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    return f"data: {json.dumps({'id': 'c', 'object': 'chat.completion.chunk', 'choices': [choice]})}\n\n".encode()

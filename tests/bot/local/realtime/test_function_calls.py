"""What the responder wants done becomes a function call of the client's, with the arguments its schema asks for."""

import json
from collections.abc import Sequence
from typing import Any

from bot.local.realtime.memory import Memory
from bot.speech.facts import Fact, FactsResponder
from bot.speech.links import Role, Said, Say, UseTool
from bot.tools.builtin import HANG_UP, TAKE_MESSAGE
from tests.support.realtime_client import Client, types

GOODBYE = [Say("Goodbye.", "goodbye"), UseTool("hang_up")]
CALL = [
    "response.output_item.added",
    "conversation.item.added",
    "response.function_call_arguments.delta*",
    "response.function_call_arguments.done",
    "response.output_item.done",
    "conversation.item.done",
    "response.done",
    "rate_limits.updated",
]


def function(name: str, **properties: Any) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    return {"type": "function", "name": name, "description": "", "parameters": parameters}


def declared(spec: Any) -> dict[str, Any]:
    return {"type": "function", "name": spec.name, "description": spec.description, "parameters": spec.parameters}


def client_with(tools: Sequence[dict[str, Any]], *args: Any, **kwargs: Any) -> Client:
    client = Client(*args, **kwargs)
    client.configure(tools=tools)
    assert client.events[-1]["type"] == "session.updated"
    return client


def result(client: Client, output: str) -> None:
    """The function was carried out; an answer to that is wanted."""
    call_id = client.last("response.function_call_arguments.done")["call_id"]
    item = {"type": "function_call_output", "call_id": call_id, "output": output}
    assert types(client.sends("conversation.item.create", item=item)) == [
        "conversation.item.added",
        "conversation.item.done",
    ]
    client.sends("response.create")
    client.works()


def test_the_call_follows_the_words_that_come_before_it():
    client = client_with([function("hang_up")], [GOODBYE])
    client.hears_turn()
    events = types(client.works())
    assert events[-len(CALL) - 2 : -len(CALL)] == ["response.output_item.done", "conversation.item.done"]
    assert events[-len(CALL) :] == CALL
    spoken, call = client.last("response.done")["response"]["output"]
    assert spoken["content"][0]["transcript"] == "Goodbye."
    assert (call["type"], call["name"], call["arguments"], call["status"]) == (
        "function_call", "hang_up", "{}", "completed",
    )  # fmt: skip
    assert client.last("response.function_call_arguments.done")["name"] == "hang_up"
    assert "content" not in call


def test_what_the_client_has_not_declared_is_not_called():
    client = client_with([function("transfer")], [GOODBYE])
    client.hears_turn()
    client.works()
    assert [item["type"] for item in client.last("response.done")["response"]["output"]] == ["message"]


def test_no_function_is_called_where_the_client_forbids_it():
    client = client_with([function("hang_up")], [GOODBYE])
    client.sends("response.create", response={"tool_choice": "none"})
    client.works()
    assert [item["type"] for item in client.last("response.done")["response"]["output"]] == ["message"]


def test_a_result_goes_to_the_responder_under_the_functions_name():
    client = client_with([function("transfer")], [[UseTool("transfer")], [Say("Nobody answers.")]])
    client.hears_turn()
    assert types(client.works()) == CALL
    result(client, "failed: nobody answers")
    assert client.histories[-1][-1] == Said(Role.TOOL, "failed: nobody answers", "transfer")
    assert client.last("response.output_audio_transcript.done")["transcript"] == "Nobody answers."


def test_there_is_nothing_to_say_to_a_result_the_responder_knows_no_words_for():
    client = client_with([function("hang_up")], [GOODBYE])
    client.hears_turn()
    client.works()
    result(client, "done")
    response = client.last("response.done")["response"]
    assert (response["status"], response["output"]) == ("completed", [])


def test_a_destination_is_the_one_the_caller_named_or_else_the_first():
    destinations = function("transfer", destination={"type": "string", "enum": ["workshop", "office"]})
    for words, destination in (("Put me through to the office.", "office"), ("A person, please.", "workshop")):
        client = client_with([destinations], [[UseTool("transfer")]], [words])
        client.hears_turn()
        client.works()
        done = client.last("response.function_call_arguments.done")
        assert json.loads(done["arguments"]) == {"destination": destination}


def test_a_message_is_taken_once_the_caller_has_spoken_it():
    facts = FactsResponder([Fact(("When do you open?",), "At nine.")])
    words = ["I want to leave a message.", "This is Maria, please call me back."]
    client = client_with([declared(TAKE_MESSAGE), declared(HANG_UP)], facts.next_turn, words)
    client.hears_turn()
    client.works()
    assert client.last("response.done")["response"]["output"][-1]["type"] == "message"
    client.hears(300)
    client.hears_turn()
    assert types(client.works()) == CALL
    call = client.last("response.done")["response"]["output"][0]
    assert (call["name"], json.loads(call["arguments"])) == (
        "take_message",
        {"message": "This is Maria, please call me back."},
    )
    result(client, "kept")
    assert client.last("response.output_audio_transcript.done")["transcript"].startswith("Thank you. I'll pass")


def test_a_caller_who_did_not_hear_that_they_may_leave_a_message_leaves_none():
    facts = FactsResponder([Fact(("When do you open?",), "At nine.")])
    client = client_with([declared(TAKE_MESSAGE)], facts.next_turn, ["Put me through.", "When do you open?"])
    client.hears_turn()
    client.works()
    assert "leave your message" in client.last("response.output_audio_transcript.done")["transcript"]
    asking = client.last("response.output_item.added")["item"]["id"]
    client.hears(300)
    client.hears_speech()
    client.sends("conversation.item.truncate", item_id=asking, content_index=0, audio_end_ms=500)
    client.hears(600)
    client.works()
    assert client.last("response.output_audio_transcript.done")["transcript"] == "At nine."


def test_a_message_of_nothing_is_none():
    facts = FactsResponder([])
    client = client_with([declared(TAKE_MESSAGE)], facts.next_turn, ["I want to leave a message.", ""])
    client.hears_turn()
    client.works()
    client.hears(300)
    client.hears_turn()
    client.works()
    assert client.last("response.output_audio_transcript.done")["transcript"].startswith("I'm sorry, I didn't hear a")


def test_a_conversation_told_again_goes_on_where_it_was():
    """What a client does after a lost connection: new session, old words."""
    memory, facts = Memory(), FactsResponder([])
    before = client_with([declared(TAKE_MESSAGE)], facts.next_turn, ["Can you paint my cat?"], memory=memory)
    before.hears_turn()
    before.works()
    offer = before.last("response.output_audio_transcript.done")["transcript"]
    after = client_with([declared(TAKE_MESSAGE)], facts.next_turn, ["Yes, please."], memory=memory)
    for role, kind, text in (("user", "input_text", "Can you paint my cat?"), ("assistant", "output_text", offer)):
        item = {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}
        after.sends("conversation.item.create", item=item)
    after.hears_turn()
    after.works()
    assert after.last("response.output_audio_transcript.done")["transcript"] == (
        "Please leave your message after the tone."
    )


def test_the_result_of_a_call_that_nobody_made_is_refused():
    client = Client()
    item = {"type": "function_call_output", "call_id": "call_none", "output": "x"}
    client.sends("conversation.item.create", item=item)
    assert client.error()["code"] == "invalid_tool_call_id"


def test_calls_and_results_of_an_earlier_session_can_be_told_again():
    client = client_with([function("transfer")], [[Say("All right.")]])
    call = {"type": "function_call", "call_id": "call_7", "name": "transfer", "arguments": "{}"}
    client.sends("conversation.item.create", item=call)
    assert client.events[-1]["item"]["call_id"] == "call_7"
    client.sends("conversation.item.create", item={"type": "function_call_output", "call_id": "call_7", "output": "no"})
    client.sends("response.create")
    client.works()
    assert client.histories[-1] == (Said(Role.TOOL, "no", "transfer"),)

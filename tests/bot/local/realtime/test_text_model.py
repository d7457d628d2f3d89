"""A session whose answers come from a text model: it gets the instructions, the functions, and what was heard."""

from bot.local.chat_answers import Turn
from bot.local.chat_body import Function, ToolCall
from bot.speech.links import Say, UseTool
from tests.support.realtime_client import Client

LOOK_UP = {
    "type": "function",
    "name": "look_up",
    "description": "Look up an order.",
    "parameters": {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]},
}


def test_a_model_is_told_what_was_said_and_heard_and_what_it_may_call():
    answers = [[Say("One moment."), UseTool("look_up", {"id": "7"})], [Say("It was shipped."), Say("On Monday.")], []]
    client = Client(answers, ["Where is order seven?", "Thanks."], has_text_model=True)
    client.configure(
        instructions="You are brief.", tools=[LOOK_UP], tool_choice={"type": "function", "name": "look_up"}
    )
    client.hears_turn()
    client.works()
    call = client.last("response.done")["response"]["output"][1]
    assert (call["name"], call["arguments"]) == ("look_up", '{"id": "7"}')
    item = {"type": "function_call_output", "call_id": call["call_id"], "output": "shipped"}
    client.sends("conversation.item.create", item=item)
    client.sends("response.create", response={"instructions": "You are very brief."})
    client.works()
    answer = client.last("response.output_item.added")["item"]["id"]
    client.sends("conversation.item.truncate", item_id=answer, content_index=0, audio_end_ms=1000)
    client.hears(300)
    client.hears_turn()
    client.works()
    assert client.conversations[1].turns == (
        Turn("system", "You are very brief."),
        Turn("user", "Where is order seven?"),
        Turn("assistant", "One moment.", (ToolCall(call["call_id"], Function("look_up", '{"id": "7"}')),)),
        Turn("tool", "shipped", tool_call_id=call["call_id"]),
    )
    assert client.conversations[2].turns[-2:] == (Turn("assistant", "It was shipped."), Turn("user", "Thanks."))
    assert client.conversations[0].options == {
        "tools": [
            {"type": "function", "function": {key: LOOK_UP[key] for key in ("name", "description", "parameters")}}
        ],
        "tool_choice": {"type": "function", "function": {"name": "look_up"}},
    }


def test_without_functions_nothing_is_said_of_them():
    client = Client(has_text_model=True)
    client.sends("response.create")
    client.works()
    assert client.conversations[0].options == {}


def test_a_sentence_to_be_said_exactly_needs_no_model():
    client = Client(has_text_model=True)
    client.sends("response.create", response={"instructions": 'Say exactly this, word for word: "Good morning."'})
    client.works()
    assert client.conversations == []
    assert client.last("response.output_audio_transcript.done")["transcript"] == "Good morning."

from bot.speech.chat_messages import function_tool, messages
from bot.speech.links import Role, Said
from bot.tools.spec import ToolSpec


def test_the_instructions_come_first_and_the_turns_in_order():
    history = [Said(Role.BOT, "Hello."), Said(Role.CALLER, "When are you open?")]
    assert messages("Be brief.", history) == [
        {"role": "system", "content": "Be brief."},
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": "When are you open?"},
    ]


def test_a_bot_without_instructions_is_told_none():
    assert messages("", [Said(Role.CALLER, "Hi.")]) == [{"role": "user", "content": "Hi."}]


def test_turns_of_one_side_become_one_message():
    history = [
        Said(Role.BOT, "Hello."),
        Said(Role.BOT, "How can I help?"),
        Said(Role.CALLER, "Hm."),
        Said(Role.CALLER, "Hi."),
    ]
    assert [one["content"] for one in messages("", history)] == ["Hello. How can I help?", "Hm. Hi."]


def test_words_that_nobody_understood_are_marked_as_such():
    assert messages("", [Said(Role.CALLER, " ")]) == [{"role": "user", "content": "(inaudible)"}]


def test_of_a_reply_that_nobody_heard_the_model_learns_nothing():
    history = [Said(Role.CALLER, "Hi."), Said(Role.BOT, ""), Said(Role.CALLER, "Hello?")]
    assert [one["role"] for one in messages("", history)] == ["user"]


def test_a_result_follows_the_call_that_asked_for_it():
    history = [
        Said(Role.CALLER, "Is the train late?"),
        Said(Role.BOT, "Let me see."),
        Said(Role.TOOL, '{"late":true}', "train", "call_a", '{"number":"5"}'),
    ]
    function = {"name": "train", "arguments": '{"number":"5"}'}
    assert messages("", history)[1:] == [
        {
            "role": "assistant",
            "content": "Let me see.",
            "tool_calls": [{"id": "call_a", "type": "function", "function": function}],
        },
        {"role": "tool", "tool_call_id": "call_a", "content": '{"late":true}'},
    ]


def test_several_calls_in_a_row_belong_to_one_message():
    history = [
        Said(Role.CALLER, "Both?"),
        Said(Role.TOOL, "1", "one", "call_a", "{}"),
        Said(Role.TOOL, "2", "two", "call_b", "{}"),
        Said(Role.BOT, "One and two."),
        Said(Role.TOOL, "3", "three", "call_c", "{}"),
    ]
    told = messages("", history)
    assert [one["role"] for one in told] == ["user", "assistant", "tool", "tool", "assistant", "tool"]
    assert told[1]["content"] is None
    assert [call["id"] for call in told[1]["tool_calls"]] == ["call_a", "call_b"]
    assert [call["function"]["name"] for call in told[4]["tool_calls"]] == ["three"]


def test_a_result_that_no_call_is_known_for_gets_a_call_of_its_own():
    told = messages("", [Said(Role.CALLER, "Take a message."), Said(Role.TOOL, "Call me.", "take_message")])
    [call] = told[1]["tool_calls"]
    assert call["function"] == {"name": "take_message", "arguments": "{}"}
    assert told[2] == {"role": "tool", "tool_call_id": call["id"], "content": "Call me."}


def test_a_tool_is_offered_as_a_function():
    spec = ToolSpec("train", "Looks up a train.", {"type": "object", "properties": {}})
    assert function_tool(spec) == {
        "type": "function",
        "function": {
            "name": "train",
            "description": "Looks up a train.",
            "parameters": {"type": "object", "properties": {}},
        },
    }

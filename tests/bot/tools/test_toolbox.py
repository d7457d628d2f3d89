"""What a model is told it may do, and what it hears when it asks for something else."""

import json

import pytest
from structlog.testing import capture_logs

from bot.config import ChainedConfig, ToolConfig, TransferConfig
from bot.errors import ConfigError, ToolError, VoiceError
from bot.tools import Toolbox
from bot.tools.call_tools import CallTools
from tests.bot.tools.conftest import CONTEXT, bot_with, fact

HOURS = fact("We are open from nine to six.", "What are your opening hours?", "When are you open?")
PLACE = fact("We are at 5 Mill Lane.", "Where are you?", "What is your address?")
SALES = {"sales": TransferConfig(number="+15550003333", description="offers"), "boss": TransferConfig(number="sip:b@c")}


def names(**settings) -> list[str]:
    return [spec.name for spec in Toolbox(bot_with(**settings)).specs]


def find(**settings) -> ToolConfig:
    return ToolConfig(name="find", description="Finds.", python="tests.bot.tools.functions:anything", **settings)


def test_a_bot_has_what_it_can_use():
    assert names() == ["hang_up", "take_message"]
    assert names(facts=(HOURS,), transfers=SALES) == ["hang_up", "take_message", "transfer", "lookup_fact"]


def test_the_operator_chooses_among_the_built_in_tools_and_adds_others():
    chosen = names(facts=(HOURS,), transfers=SALES, builtin_tools=("transfer",), tools=(find(),))
    assert chosen == ["transfer", "find"]


def test_a_responder_that_answers_from_facts_needs_no_tool_for_it():
    assert "lookup_fact" not in names(voice="chained", facts=(HOURS,))
    other = ChainedConfig(responder="openai:some-model")
    assert "lookup_fact" in names(voice="chained", chained=other, facts=(HOURS,))


def test_the_model_knows_whom_it_can_put_callers_through_to():
    transfer = next(spec for spec in Toolbox(bot_with(transfers=SALES)).specs if spec.name == "transfer")
    destination = transfer.parameters["properties"]["destination"]
    assert destination["enum"] == ["sales", "boss"]
    assert destination["description"] == "sales: offers; boss"


@pytest.mark.parametrize("question", ["When are you open?", "Hello, what are your opening hours, please?"])
async def test_a_fact_is_looked_up_word_for_word(open_toolbox, question):
    toolbox = await open_toolbox(facts=(HOURS, PLACE))
    found = json.loads(await toolbox.run("lookup_fact", {"question": question}, CONTEXT))
    assert found == {"answers": [HOURS.answer]}


async def test_several_questions_have_several_answers(open_toolbox):
    toolbox = await open_toolbox(facts=(HOURS, PLACE))
    asked = {"question": "When are you open? And where are you?"}
    found = json.loads(await toolbox.run("lookup_fact", asked, CONTEXT))
    assert found == {"answers": [HOURS.answer, PLACE.answer]}


async def test_what_nobody_wrote_down_is_not_known(open_toolbox):
    toolbox = await open_toolbox(facts=(HOURS, PLACE))
    found = json.loads(await toolbox.run("lookup_fact", {"question": "Do you repair submarines?"}, CONTEXT))
    assert found["answers"] == []
    assert "nothing is known" in found["note"]


async def test_without_the_sentence_model_facts_are_found_by_their_words(open_toolbox, monkeypatch):
    def missing(*_: object) -> None:
        raise VoiceError("not installed")

    monkeypatch.setattr("bot.speech.facts._load_matcher", missing)
    with capture_logs() as lines:
        toolbox = await open_toolbox(facts=(HOURS, PLACE))
    assert [line["event"] for line in lines] == ["facts_matched_by_words"]
    found = json.loads(await toolbox.run("lookup_fact", {"question": "What is your address?"}, CONTEXT))
    assert found == {"answers": [PLACE.answer]}


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("nothing", "{}", "no tool 'nothing'"),
        ("take_message", "{", "no JSON"),
        ("take_message", "[]", "not of type 'object'"),
        ("take_message", "{}", "'message' is a required property"),
        ("take_message", '{"message": 5}', "not of type 'string'"),
        ("take_message", '{"message": "a", "mood": "b"}', "'mood' was unexpected"),
        ("transfer", '{"destination": "moon"}', "not one of"),
        ("take_message", "[" * 100_000, "no JSON"),
    ],
)
def test_arguments_that_do_not_fit_are_explained_to_the_model(name, arguments, told):
    toolbox = Toolbox(bot_with(transfers=SALES))
    with pytest.raises(ToolError, match=told) as refused:
        toolbox.check(name, arguments)
    assert len(str(refused.value)) <= 300


def test_arguments_that_fit_are_given_back():
    toolbox = Toolbox(bot_with())
    assert toolbox.check("take_message", '{"message":"Call me."}') == {"message": "Call me."}
    assert toolbox.check("hang_up", "") == {}


def test_a_schema_may_be_json_in_a_string_and_refer_to_itself():
    schema = '{"type":"object","properties":{"a":{"$ref":"#/$defs/one"}},"$defs":{"one":{"type":"integer"}}}'
    toolbox = Toolbox(bot_with(find(parameters=schema)))
    assert toolbox.check("find", '{"a":1}') == {"a": 1}
    with pytest.raises(ToolError, match="integer"):
        toolbox.check("find", '{"a":"x"}')


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ("{", "no JSON object"),
        ("[]", "no JSON object"),
        ({"type": "thing"}, "no JSON schema: 'thing'"),
        ({"properties": {}}, 'type = "object"'),
        ({"type": "array"}, 'type = "object"'),
        ({"type": "object", "oneOf": [{}]}, "oneOf at the top"),
        ({"type": "object", "properties": {"a": {"$ref": "#/$defs/b"}}}, "#/\\$defs/b"),
        ({"type": "object", "properties": {"a": {"$ref": "https://example.com/schema"}}}, "https://example.com/schema"),
    ],
)
def test_a_schema_that_cannot_be_stops_the_start(schema, said):
    with pytest.raises(ConfigError, match=f"bot 'reception': tool 'find': .*{said}"):
        Toolbox(bot_with(find(parameters=schema)))


async def test_what_the_call_does_itself_is_not_done_here(open_toolbox):
    toolbox = await open_toolbox()
    with pytest.raises(ToolError):
        await toolbox.run("hang_up", {}, CONTEXT)


async def test_the_log_has_names_and_outcomes_but_no_word_of_the_caller(open_toolbox):
    said = {"type": "object", "properties": {"said": {"type": "string"}}}
    tools = CallTools(await open_toolbox(find(parameters=said), facts=(HOURS,)), CONTEXT)
    with capture_logs() as lines:
        assert json.loads(await tools.run("find", '{"said":"my secret"}')) == {"said": "my secret"}
        assert "my secret" in json.loads(await tools.run("lookup_fact", '{"question":["my secret"]}'))["error"]
    assert [(line["event"], line["tool"], line["outcome"]) for line in lines] == [
        ("tool_used", "find", "done"),
        ("tool_used", "lookup_fact", "failed"),
    ]
    assert "my secret" not in str(lines)

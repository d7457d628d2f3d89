"""The operator's own functions, found by import path."""

import json

import pytest
from structlog.testing import capture_logs

from bot.config import ToolConfig
from bot.errors import ConfigError, ToolError
from bot.tools import Toolbox, python_tool
from tests.bot.tools import functions
from tests.bot.tools.conftest import CONTEXT, bot_with

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


@pytest.fixture(autouse=True)
def _fresh():
    functions.calls.clear()
    functions.release.clear()
    yield
    functions.release.set()


def tool(function: str, **settings) -> ToolConfig:
    path = f"tests.bot.tools.functions:{function}"
    return ToolConfig(**{"name": "find", "description": "Finds.", "parameters": CITY, "python": path} | settings)


async def result(open_toolbox, function: str, arguments: dict | None = None, **settings) -> object:
    toolbox = await open_toolbox(tool(function, **settings))
    return json.loads(await toolbox.run("find", {"city": "Ulm"} if arguments is None else arguments, CONTEXT))


async def test_a_function_runs_in_a_thread_and_gets_its_arguments_by_name(open_toolbox):
    assert await result(open_toolbox, "where") == {"result": "Ulm within 10 km, on tool"}


async def test_an_async_function_is_awaited_and_its_object_is_the_result(open_toolbox):
    assert await result(open_toolbox, "later") == {"city": "Ulm"}


async def test_an_object_that_can_be_called_is_as_good(open_toolbox):
    assert await result(open_toolbox, "shop") == {"result": "a shop in Ulm"}


async def test_a_function_can_learn_who_calls(open_toolbox):
    assert await result(open_toolbox, "who", {}, parameters={}) == {"result": "+15550001111"}


async def test_a_function_that_takes_anything_gets_everything(open_toolbox):
    assert await result(open_toolbox, "anything", {"city": "Ulm", "more": 1}) == {"city": "Ulm", "more": 1}


async def test_an_argument_that_the_function_does_not_know_is_refused(open_toolbox):
    with pytest.raises(ToolError, match=r"does not take these arguments.*'colour'"):
        await result(open_toolbox, "later", {"city": "Ulm", "colour": "red"})


@pytest.mark.parametrize("function", ["broken", "exhausted", "leaving", "unspeakable"])
async def test_what_it_raises_is_a_traceback_for_the_operator_and_a_sentence_for_the_model(open_toolbox, function):
    with capture_logs() as lines, pytest.raises(ToolError) as told:
        await result(open_toolbox, function)
    assert str(told.value) == "find failed"
    assert [(line["event"], line["tool"], line["exc_info"]) for line in lines] == [("tool_raised", "find", True)]


async def test_a_function_can_speak_to_the_model_itself(open_toolbox):
    with capture_logs() as lines, pytest.raises(ToolError, match="there is no branch in Ulm"):
        await result(open_toolbox, "declining")
    assert lines == []


@pytest.mark.parametrize("function", ["stuck", "asleep"])
async def test_a_function_that_does_not_end_is_given_up(open_toolbox, function):
    with pytest.raises(ToolError, match=r"did not answer within 0\.05 s"):
        await result(open_toolbox, function, timeout_s=0.05)
    assert functions.calls == ["Ulm" if function == "stuck" else "cancelled"]


async def test_functions_that_were_given_up_but_still_run_are_counted(open_toolbox, monkeypatch):
    monkeypatch.setattr(python_tool, "MAX_THREADS", 2)
    toolbox = await open_toolbox(tool("stuck", timeout_s=0.02))
    for told in ("did not answer", "did not answer", "is busy"):
        with pytest.raises(ToolError, match=told):
            await toolbox.run("find", {"city": "Ulm"}, CONTEXT)
    assert functions.calls == ["Ulm", "Ulm"]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"python": "tests.bot.tools.functions"}, "package.module:function"),
        ({"python": "no_such_module_here:f"}, "no_such_module_here.*PYTHONPATH"),
        ({"python": "tests.bot.tools.functions:nowhere"}, "nowhere"),
        ({"python": "tests.bot.tools.functions:not_a_function"}, "is no function"),
        ({"python": "tests.bot.tools.functions:who"}, "'city'"),
        ({"parameters": CITY | {"required": []}}, "'city'"),
        ({"parameters": {"type": "object", "properties": {"city": {}, "size": {}}}}, "'size'|'city'"),
    ],
)
def test_a_function_that_cannot_be_stops_the_start(settings, said):
    with pytest.raises(ConfigError, match=f"bot 'reception': tool 'find': .*({said})"):
        Toolbox(bot_with(tool("later", **settings)))

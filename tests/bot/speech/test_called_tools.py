"""Tool calls that come in pieces, as servers of different makers write them."""

from typing import Any

from openai.types.chat.chat_completion_chunk import ChoiceDeltaToolCall

from bot.speech.called_tools import CalledTools


def calls(*pieces: dict[str, Any]) -> CalledTools:
    made = CalledTools()
    for piece in pieces:
        made.add([ChoiceDeltaToolCall.construct(**piece)])
    return made


def piece(index: int | None, call_id: str | None, name: str | None, arguments: Any) -> dict[str, Any]:
    return {"index": index, "id": call_id, "function": {"name": name, "arguments": arguments}}


def told(made: CalledTools) -> list[tuple[str, str, str]]:
    return [(tool.call_id, tool.name, tool.json) for tool in made.tools()]


def test_pieces_belong_together_by_their_index():
    made = calls(piece(0, "a", "look", '{"n":'), piece(1, "b", "note", "{}"), piece(0, None, None, "7}"))
    assert told(made) == [("a", "look", '{"n":7}'), ("b", "note", "{}")]


def test_two_calls_without_an_index_are_told_apart_by_their_ids():
    made = calls(piece(None, "a", "look", '{"n":7}'), piece(None, "b", "look", '{"n":8}'))
    assert told(made) == [("a", "look", '{"n":7}'), ("b", "look", '{"n":8}')]


def test_one_call_may_have_another_id_in_each_piece():
    made = calls(piece(0, "a", "look", '{"n":'), piece(0, "b", None, "7}"))
    assert told(made) == [("a", "look", '{"n":7}')]


def test_arguments_that_are_no_text_are_written():
    assert told(calls(piece(0, "a", "look", {"n": 7}))) == [("a", "look", '{"n": 7}')]


def test_an_id_that_was_used_before_is_replaced():
    """Some servers begin with the same one in every answer, and a use that bears a known name is not begun."""
    made = calls(piece(0, "call_0", "look", "{}"), piece(1, "call_0", "note", "{}"))
    ids = [tool.call_id for tool in made.tools(["call_0"])]
    assert len({"call_0", *ids}) == 3
    assert made.tools()[0].call_id == "call_0"

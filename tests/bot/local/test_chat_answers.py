"""Who answers a chat, and what is kept of answers."""

from collections.abc import AsyncIterator, Sequence

import pytest

from bot.local.chat_answers import FactsAnswerer, Piece, Turn, sentences
from bot.local.chat_body import Function, ToolCall
from bot.local.errors import RequestError
from bot.local.spoken_replies import KEPT_S, MOST_KEPT, SpokenReplies
from bot.speech.links import Role, Said, Say, UseTool


class Recorder:
    """A responder that says what it is told to, and remembers what it was asked."""

    name = "facts"

    def __init__(self, *parts: Say | UseTool) -> None:
        self.parts = parts
        self.history: Sequence[Said] = ()

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    async def respond(self, history: Sequence[Said]) -> AsyncIterator[Say | UseTool]:
        self.history = history
        for part in self.parts:
            yield part


async def answered(answerer: FactsAnswerer, *turns: Turn, **options: object) -> list[Piece]:
    return [piece async for piece in answerer.answer(turns, options)]


async def test_sentences_are_one_text_with_spaces_between():
    answerer = FactsAnswerer(Recorder(Say("We are open."), Say("Anything else?")))
    assert await answered(answerer, Turn("user", "Hours?")) == ["We are open.", " Anything else?"]


async def test_what_a_sentence_meant_is_known_again_in_the_next_turn():
    responder = Recorder(Say("I don't know."), Say("Shall I take a message?", "offer_message"))
    answerer = FactsAnswerer(responder)
    text = "".join(str(piece) for piece in await answered(answerer, Turn("user", "Elephants?")))
    await answered(answerer, Turn("user", "Elephants?"), Turn("assistant", text), Turn("user", "Yes."))
    assert [(said.role, said.tag) for said in responder.history] == [
        (Role.CALLER, ""), (Role.BOT, ""), (Role.BOT, "offer_message"), (Role.CALLER, ""),
    ]  # fmt: skip


async def test_words_of_another_origin_stay_whole_and_instructions_are_left_out():
    responder = Recorder()
    await answered(
        FactsAnswerer(responder), Turn("system", "Be kind."), Turn("assistant", "One. Two."), Turn("user", "?")
    )
    assert [said.text for said in responder.history] == ["One. Two.", "?"]


async def test_a_conversation_that_nobody_began_is_begun_with_a_hello():
    responder = Recorder()
    await answered(FactsAnswerer(responder), Turn("system", "Be kind."))
    assert [said.text for said in responder.history] == ["Hello."]


async def test_functions_are_called_only_where_they_are_offered():
    responder = Recorder(Say("Goodbye."), UseTool("hang_up", {"why": "done"}))
    offered = [{"type": "function", "function": {"name": "hang_up"}}]
    assert await answered(FactsAnswerer(responder), Turn("user", "Bye.")) == ["Goodbye."]
    _, call = await answered(FactsAnswerer(responder), Turn("user", "Bye."), tools=offered)
    assert isinstance(call, ToolCall)
    assert call.function == Function("hang_up", '{"why": "done"}')
    assert await answered(FactsAnswerer(responder), Turn("user", "Bye."), tools=offered, tool_choice="none") == [
        "Goodbye."
    ]


async def test_a_functions_result_is_told_with_its_name():
    responder = Recorder()
    call = ToolCall("call_1", Function("take_message"))
    await answered(FactsAnswerer(responder), Turn("assistant", "", (call,)), Turn("tool", "Call me.", (), "call_1"))
    assert responder.history[-1] == Said(Role.TOOL, "Call me.", "take_message")


@pytest.mark.parametrize("options", [{"tool_choice": "required"}, {"response_format": {"type": "json_schema"}}])
async def test_what_only_a_text_model_can_do_is_refused(options: dict[str, object]):
    with pytest.raises(RequestError, match="openai:MODEL"):
        await answered(FactsAnswerer(Recorder()), Turn("user", "Hi."), **options)


async def stream(*pieces: Piece) -> AsyncIterator[Piece]:
    for piece in pieces:
        yield piece


async def test_scraps_of_text_become_sentences_and_lose_nothing():
    scraps = ["We", " are op", "en. Mon", "day to Sat", "urday! It is 3.5", " dollars"]
    found = [piece async for piece in sentences(stream(*scraps))]
    assert found == ["We are open.", " Monday to Saturday!", " It is 3.5 dollars"]


async def test_text_comes_before_the_function_that_follows_it():
    call = ToolCall("call_1", Function("hang_up"))
    assert [piece async for piece in sentences(stream("Good", "bye", call))] == ["Goodbye", call]


def test_an_answer_is_found_by_its_id_until_it_expires():
    replies = SpokenReplies()
    reply = replies.keep(replies.new_id(), "We are open.", now=1000.5)
    assert reply.expires_at == 1000 + KEPT_S
    assert replies.find(reply.id, now=1000.5 + KEPT_S - 1) == reply
    assert replies.find(reply.id, now=1000.5 + KEPT_S) is None
    assert replies.find("audio_other", now=1000.5) is None


def test_old_answers_are_forgotten():
    replies = SpokenReplies()
    first = replies.keep("audio_first", "One.", now=0)
    for number in range(MOST_KEPT):
        replies.keep(f"audio_{number}", "More.", now=1)
    assert replies.find(first.id, now=1) is None
    assert replies.find("audio_0", now=1) is not None
